//! Notifications: what changed on the server or at other people while nobody asked.
//!
//! Owns their types. What they change is not known here. Kinds that this version does not read are
//! handed on whole, as [`NotificationBody::Raw`].

mod account;
mod group;

use bytes::Bytes;
use compact_str::CompactString;

pub(crate) use account::read_privacy;
pub use account::{
    AccountChange, BlocklistChange, DeviceEntry, DevicesChange, DevicesChangeKind,
    SignedKeyIndexList,
};
pub use group::{
    GroupChange, GroupNotification, GroupParticipant, GroupRole, LinkKind, ParticipantChange,
    ParticipantChangeKind,
};

use super::{
    envelope::{Class, Envelope},
    fields::ParseError,
};
use crate::{Jid, MessageId, OwnedNode, entries::readable, request::NewsletterPost};

/// Something changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notification {
    /// The outside; its `kind` is the notification's type.
    pub envelope: Envelope,
    /// When, in seconds since 1970.
    pub timestamp: Option<u64>,
    /// On the offline backlog: how many times it was handed out before.
    pub offline: Option<u32>,
    /// The name that whoever caused it gave themselves.
    pub push_name: Option<String>,
    /// What changed.
    pub body: NotificationBody,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotificationBody {
    /// `encrypt`, `<count>`: so many one-time prekeys of this device are left at the server.
    PreKeysLeft {
        /// How many.
        count: u32,
    },
    /// `encrypt`, `<identity>`: a user was set up anew; all sessions with them are void.
    IdentityChanged {
        /// Who, as the server names them.
        user: Jid,
        /// Their LID, if it came along.
        lid: Option<Jid>,
    },
    /// `devices`: a user linked or unlinked devices.
    Devices(DevicesChange),
    /// `account_sync`: settings of this account.
    Account(Vec<AccountChange>),
    /// `server_sync`: app-state collections that have news.
    ServerSync(Vec<CollectionNews>),
    /// `w:gp2`: a group.
    Group(Box<GroupNotification>),
    /// `picture`: the picture of a person or a group.
    Picture(PictureChange),
    /// `mediaretry`: the phone uploaded a medium again, or could not.
    MediaRetry(Box<MediaRetryAnswer>),
    /// `privacy_token`: tokens that permit writing to the people that gave them.
    PrivacyTokens {
        /// The LID of who gave them.
        sender_lid: Option<Jid>,
        /// The tokens.
        tokens: Vec<PrivacyToken>,
    },
    /// `link_code_companion_reg`: the phone took the pairing code.
    LinkCode(LinkCodeAnswer),
    /// `link_code_companion_reg`, of another stage: the code that is shown is to be replaced.
    LinkCodeRefresh {
        /// Names the pairing whose code it is.
        pairing_ref: Option<Bytes>,
    },
    /// `passkey_prologue_request`: the account links devices with a passkey.
    PasskeyRequest {
        /// The options of a WebAuthn request, as JSON, if they can be read.
        options: Option<String>,
    },
    /// `crsc_continuation`: the phone's half of linking by passkey.
    PasskeyContinuation {
        /// An encoded `PrimaryEphemeralIdentity`.
        identity: Bytes,
    },
    /// `status`: somebody's "about" text.
    About {
        /// The text.
        text: String,
    },
    /// `disappearing_mode`: the timer that somebody's new chats begin with.
    DisappearingMode {
        /// In seconds; 0 is off.
        duration: u32,
    },
    /// `business`: what a business says of itself, or that it is one.
    Business,
    /// `newsletter`: what became of the posts of a channel.
    Newsletter(Vec<NewsletterPost>),
    /// `mex`: news in GraphQL's form.
    Mex(Vec<MexUpdate>),
    /// Any other type, as it came.
    Raw(OwnedNode),
}

/// One piece of news in GraphQL's form.
#[derive(Clone, PartialEq, Eq)]
pub struct MexUpdate {
    /// What happened, by name.
    pub operation: Option<CompactString>,
    /// What it says, JSON.
    pub json: Bytes,
}

/// Without the JSON, which may name people.
impl std::fmt::Debug for MexUpdate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MexUpdate").field("operation", &self.operation).finish_non_exhaustive()
    }
}

impl MexUpdate {
    fn read(node: &OwnedNode) -> Option<Self> {
        let json = Bytes::copy_from_slice(node.content_bytes()?);
        Some(Self { operation: node.text_opt("op_name"), json })
    }
}

/// An app-state collection has news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionNews {
    /// The collection: `regular`, `critical_block` and so on.
    pub name: CompactString,
    /// The version the server is at.
    pub version: Option<u64>,
}

/// The picture of a person or group changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureChange {
    /// Whose picture; `None` where the server gave a hash alone.
    pub of: Option<Jid>,
    /// Who changed it.
    pub author: Option<Jid>,
    /// The new picture's id; `None` if it was taken away.
    pub id: Option<CompactString>,
    /// The hash that stands for a person whose JID the server does not say.
    pub hash: Option<CompactString>,
}

/// The phone's answer to a request for media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaRetryAnswer {
    /// The message with the medium.
    pub id: MessageId,
    /// Its chat.
    pub chat: Jid,
    /// Whether the account sent it.
    pub from_me: bool,
    /// In groups, who sent it.
    pub participant: Option<Jid>,
    /// The encrypted answer, or the number of the error.
    pub result: Result<MediaRetryCiphertext, u16>,
}

/// An encrypted `MediaRetryNotification`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaRetryCiphertext {
    /// The encrypted bytes.
    pub ciphertext: Bytes,
    /// The initialisation vector.
    pub iv: [u8; 12],
}

/// A token that permits writing to, or seeing, somebody. It is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivacyToken {
    /// Whose it is; `None` if it is the stanza's sender.
    pub jid: Option<Jid>,
    /// What it is for: `trusted_contact`.
    pub kind: CompactString,
    /// The token.
    pub token: Bytes,
    /// When it was made, in seconds since 1970.
    pub timestamp: u64,
}

impl std::fmt::Debug for PrivacyToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrivacyToken").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// The phone's half of pairing by code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkCodeAnswer {
    /// Names this pairing; to be given back.
    pub pairing_ref: Bytes,
    /// Salt (32), initialisation vector (16) and encrypted ephemeral key (32).
    pub wrapped_ephemeral: [u8; 80],
    /// The phone's identity key.
    pub primary_identity: [u8; 32],
}

impl Notification {
    pub(super) fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        let envelope = Envelope::read(Class::Notification, node)?;
        Ok(Self {
            timestamp: node.attrs.number("t"),
            offline: node.attrs.number("offline"),
            push_name: node.attrs.text("notify").map(Into::into),
            body: NotificationBody::read(&envelope, node)?,
            envelope,
        })
    }
}

impl NotificationBody {
    fn read(envelope: &Envelope, node: &OwnedNode) -> Result<Self, ParseError> {
        Ok(match envelope.kind.as_deref() {
            Some("encrypt") => read_encrypt(envelope, node)?,
            Some("devices") => Self::Devices(DevicesChange::read(envelope, node)?),
            Some("account_sync") => Self::Account(AccountChange::read_all(node)),
            Some("server_sync") => {
                Self::ServerSync(readable(node.find_all("collection"), CollectionNews::read))
            }
            Some("w:gp2") => Self::Group(Box::new(GroupNotification::read(node)?)),
            Some("picture") => read_picture(node),
            Some("mediaretry") => Self::MediaRetry(Box::new(MediaRetryAnswer::read(node)?)),
            Some("privacy_token") => Self::PrivacyTokens {
                sender_lid: node.attrs.jid("sender_lid"),
                tokens: PrivacyToken::read_all(node)?,
            },
            Some("link_code_companion_reg") => read_link_code(node)?,
            Some("status") => match node.find("set").and_then(|set| set.content_text()) {
                Some(text) => Self::About { text: text.to_owned() },
                None => Self::Raw(node.clone()),
            },
            Some("disappearing_mode") => match node.find("disappearing_mode") {
                Some(mode) => Self::DisappearingMode { duration: mode.need_number("duration")? },
                None => Self::Raw(node.clone()),
            },
            Some("business") => Self::Business,
            Some("newsletter") => match node.find("live_updates") {
                Some(updates) => Self::Newsletter(NewsletterPost::read_all(updates)),
                None => Self::Raw(node.clone()),
            },
            Some("mex") => Self::Mex(node.nodes().iter().filter_map(MexUpdate::read).collect()),
            Some("passkey_prologue_request") => Self::PasskeyRequest {
                options: node
                    .find("passkey_request_options")
                    .and_then(|options| options.content_text())
                    .map(str::to_owned),
            },
            Some("crsc_continuation") => Self::PasskeyContinuation {
                identity: node.need_bytes("primary_ephemeral_identity")?,
            },
            _ => Self::Raw(node.clone()),
        })
    }
}

fn read_encrypt(envelope: &Envelope, node: &OwnedNode) -> Result<NotificationBody, ParseError> {
    if let Some(count) = node.find("count") {
        return Ok(NotificationBody::PreKeysLeft { count: count.need_number("value")? });
    }
    Ok(if node.find("identity").is_some() {
        NotificationBody::IdentityChanged {
            user: envelope.from.to_user(),
            lid: node.attrs.jid("lid").or_else(|| node.attrs.jid("sender_lid")),
        }
    } else {
        NotificationBody::Raw(node.clone())
    })
}

fn read_picture(node: &OwnedNode) -> NotificationBody {
    let set = node.find("set");
    let Some(change) = set.or_else(|| node.find("delete")) else {
        return NotificationBody::Raw(node.clone());
    };
    NotificationBody::Picture(PictureChange {
        of: change.attrs.jid("jid").or_else(|| node.attrs.jid("from")),
        author: change.attrs.jid("author"),
        id: set.and_then(|set| set.text_opt("id")),
        hash: change.text_opt("hash"),
    })
}

fn read_link_code(node: &OwnedNode) -> Result<NotificationBody, ParseError> {
    let node = node.need_child("link_code_companion_reg")?;
    if node.find("link_code_pairing_wrapped_primary_ephemeral_pub").is_none() {
        let pairing_ref = node.bytes_opt("link_code_pairing_ref");
        return Ok(NotificationBody::LinkCodeRefresh { pairing_ref });
    }
    Ok(NotificationBody::LinkCode(LinkCodeAnswer {
        pairing_ref: node.need_bytes("link_code_pairing_ref")?,
        wrapped_ephemeral: node.need_array("link_code_pairing_wrapped_primary_ephemeral_pub")?,
        primary_identity: node.need_array("primary_identity_pub")?,
    }))
}

impl CollectionNews {
    fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        Ok(Self { name: node.need_text("name")?, version: node.attrs.number("version") })
    }
}

impl MediaRetryAnswer {
    fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        let message = node.need_child("rmr")?;
        let result = match node.find("error") {
            Some(error) => Err(error.attrs.number("code").unwrap_or(0)),
            None => {
                let encrypted = node.need_child("encrypt")?;
                Ok(MediaRetryCiphertext {
                    ciphertext: encrypted.need_bytes("enc_p")?,
                    iv: encrypted.need_array("enc_iv")?,
                })
            }
        };
        Ok(Self {
            id: node.need_message_id("id")?,
            chat: message.need_jid("jid")?,
            from_me: message.attrs.is("from_me", "true"),
            participant: message.attrs.jid("participant"),
            result,
        })
    }
}

impl PrivacyToken {
    /// The tokens in `<tokens>`.
    pub(crate) fn read_all(node: &OwnedNode) -> Result<Vec<Self>, ParseError> {
        let tokens = node.need_child("tokens")?;
        Ok(readable(tokens.find_all("token"), Self::read))
    }

    fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        let token = node.content_bytes().ok_or(ParseError::Content("token"))?;
        Ok(Self {
            jid: node.attrs.jid("jid"),
            kind: node.need_text("type")?,
            token: Bytes::copy_from_slice(token),
            timestamp: node.need_number("t")?,
        })
    }
}
