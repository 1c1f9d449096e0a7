//! How a connection begins and ends, as the server says it.
//!
//! Owns `success`, `failure`, `stream:error` and `ib`. What follows from each is decided by the
//! connection.

use bytes::Bytes;
use compact_str::CompactString;

use super::fields::ParseError;
use crate::{Jid, Node, OwnedNode, entries::readable};

/// The login was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Success {
    /// The server's time, in seconds since 1970: the measure of every time that is sent.
    pub timestamp: u64,
    /// The account's LID, with this device's number.
    pub lid: Option<Jid>,
    /// The name that people see.
    pub display_name: Option<String>,
    /// When the account was made, in seconds since 1970.
    pub creation: Option<u64>,
}

impl Success {
    pub(super) fn read(node: &Node<'_>) -> Result<Self, ParseError> {
        Ok(Self {
            timestamp: node.need_number("t")?,
            lid: node.attrs.jid("lid"),
            display_name: node.attrs.text("display_name").map(Into::into),
            creation: node.attrs.number("creation"),
        })
    }
}

/// The login was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// Why.
    pub reason: FailureReason,
    /// More about a ban: 101 wrote to too many people, 102 blocked by many, 103 made too many
    /// groups, 104 sent the same too often, 106 broadcast lists.
    pub code: Option<u16>,
    /// How long a ban lasts, in seconds.
    pub expire: Option<u64>,
    /// Where it was refused: a data centre.
    pub location: Option<CompactString>,
    /// What to tell the user: the heading (`logout_message_header`).
    pub header: Option<String>,
    /// What to tell the user: the text below (`logout_message_subtext`).
    pub subtext: Option<String>,
}

/// Why a login was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureReason {
    /// 400.
    Generic,
    /// 401: the device was unlinked.
    LoggedOut,
    /// 402: banned for a time.
    TemporarilyBanned,
    /// 403: the phone is gone, or the account is locked.
    MainDeviceGone,
    /// 405: this client's version is too old.
    ClientOutdated,
    /// 406: logged out for a reason that is not said; often a ban.
    UnknownLogout,
    /// 409: the client describes itself badly.
    BadUserAgent,
    /// 413 or 414: the token of a Messenger login is expired or wrong.
    CatInvalid,
    /// 415.
    NotFound,
    /// 418.
    ClientUnknown,
    /// 500.
    InternalServerError,
    /// 501.
    Experimental,
    /// 503.
    ServiceUnavailable,
    /// A number this version does not know.
    Other(u16),
}

impl FailureReason {
    fn from_code(code: u16) -> Self {
        match code {
            400 => Self::Generic,
            401 => Self::LoggedOut,
            402 => Self::TemporarilyBanned,
            403 => Self::MainDeviceGone,
            405 => Self::ClientOutdated,
            406 => Self::UnknownLogout,
            409 => Self::BadUserAgent,
            413 | 414 => Self::CatInvalid,
            415 => Self::NotFound,
            418 => Self::ClientUnknown,
            500 => Self::InternalServerError,
            501 => Self::Experimental,
            503 => Self::ServiceUnavailable,
            other => Self::Other(other),
        }
    }
}

impl Failure {
    /// Reads what there is: a refusal is a refusal, however it is worded.
    pub(super) fn read(node: &Node<'_>) -> Self {
        Self {
            reason: FailureReason::from_code(node.attrs.number("reason").unwrap_or(0)),
            code: node.attrs.number("code"),
            expire: node.attrs.number("expire"),
            location: node.text_opt("location"),
            header: node.attrs.text("logout_message_header").map(Into::into),
            subtext: node.attrs.text("logout_message_subtext").map(Into::into),
        }
    }
}

/// The server ends the connection, and says why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamError {
    /// 515: connect again; normal right after pairing.
    RestartRequired,
    /// 516, or 401 with `device_removed`: this device was unlinked.
    DeviceRemoved,
    /// Another connection of the same device took this one's place.
    Replaced,
    /// 401 or 403 without a conflict: the login is no longer good.
    NotAuthorized(u16),
    /// 503: the server is busy.
    ServiceUnavailable,
    /// What this side sent is no node.
    XmlNotWellFormed,
    /// A stanza was never answered.
    AckMissing {
        /// The class of the stanza.
        class: Option<CompactString>,
        /// Its id.
        id: Option<CompactString>,
    },
    /// Anything else.
    Other {
        /// The code, if there is one.
        code: Option<u16>,
        /// The tag of the child, if there is one.
        tag: Option<CompactString>,
    },
}

impl StreamError {
    pub(super) fn read(node: &Node<'_>) -> Self {
        let code = node.attrs.number("code");
        let conflict = node.find("conflict").and_then(|conflict| conflict.text_opt("type"));
        match (code, conflict.as_deref()) {
            (Some(515), _) => Self::RestartRequired,
            (Some(516), _) | (_, Some("device_removed")) => Self::DeviceRemoved,
            (_, Some("replaced")) => Self::Replaced,
            (Some(503), _) => Self::ServiceUnavailable,
            (Some(code @ (401 | 403)), _) => Self::NotAuthorized(code),
            _ if node.find("xml-not-well-formed").is_some() => Self::XmlNotWellFormed,
            _ => match node.find("ack") {
                Some(ack) => {
                    Self::AckMissing { class: ack.text_opt("class"), id: ack.text_opt("id") }
                }
                None => Self::Other {
                    code,
                    tag: node.nodes().iter().next().map(|child| child.tag.as_ref().into()),
                },
            },
        }
    }
}

/// A word from the server about the connection (`<ib>`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InfoItem {
    /// A backlog follows: so many of each.
    OfflinePreview {
        /// All together.
        count: u32,
        /// Messages.
        messages: u32,
        /// Receipts.
        receipts: u32,
        /// Notifications.
        notifications: u32,
        /// App-state changes.
        app_data: u32,
    },
    /// The backlog is through.
    Offline {
        /// How many stanzas it had.
        count: u32,
    },
    /// To be sent at the beginning of the next connection.
    EdgeRouting(Bytes),
    /// Something changed while this device was away and has to be asked for again.
    Dirty {
        /// What: `account_sync`, `groups`.
        kind: CompactString,
        /// Since when, in seconds since 1970.
        timestamp: Option<u64>,
    },
    /// The phone's app is too old for linked devices.
    DowngradeWebClient,
    /// Anything else, as it came.
    Raw(OwnedNode),
}

impl InfoItem {
    pub(super) fn read_all(node: &OwnedNode) -> Vec<Self> {
        readable(node.nodes(), Self::read)
    }

    fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        let count = |name: &str| node.attrs.number(name).unwrap_or(0);
        Ok(match node.tag.as_ref() {
            "offline_preview" => Self::OfflinePreview {
                count: count("count"),
                messages: count("message"),
                receipts: count("receipt"),
                notifications: count("notification"),
                app_data: count("appdata"),
            },
            "offline" => Self::Offline { count: count("count") },
            "edge_routing" => Self::EdgeRouting(node.need_bytes("routing_info")?),
            "dirty" => Self::Dirty {
                kind: node.need_text("type")?,
                timestamp: node.attrs.number("timestamp"),
            },
            "downgrade_webclient" => Self::DowngradeWebClient,
            _ => Self::Raw(node.clone()),
        })
    }
}

/// Asks for the next part of the backlog: at most so many stanzas.
pub fn offline_batch(count: u32) -> OwnedNode {
    Node::new("ib").child(Node::new("offline_batch").attr("count", count))
}

/// Tells the server which of the app's sessions this is: a time in milliseconds within a week.
pub fn unified_session(id: u64) -> OwnedNode {
    Node::new("ib").child(Node::new("unified_session").attr("id", id))
}
