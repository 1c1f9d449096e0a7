//! Questions and answers.
//!
//! Owns the outside of `iq`, and the few that the server asks. What is in an answer is read by the
//! request that asked, in [`crate::request`].

use compact_str::CompactString;

use super::{
    fields::ParseError,
    pairing::{PairDevice, PairSuccess},
};
use crate::{Jid, Node, OwnedNode};

/// A question, or an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Iq {
    /// An answer; the request that asked reads the node.
    Result {
        /// The id of the question.
        id: CompactString,
        /// The whole stanza.
        node: OwnedNode,
    },
    /// A refusal.
    Error {
        /// The id of the question.
        id: CompactString,
        /// Why.
        error: IqError,
    },
    /// A question of the server's; to be answered with a result of the same id.
    Request {
        /// The id that the answer carries.
        id: CompactString,
        /// Who asks.
        from: Jid,
        /// What is asked.
        request: ServerRequest,
    },
}

/// What the server asks of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerRequest {
    /// Whether it is there.
    Ping,
    /// To show references for pairing.
    PairDevice(PairDevice),
    /// To sign the device identity: the phone took this device.
    PairSuccess(Box<PairSuccess>),
    /// Anything else, as it came.
    Raw(OwnedNode),
}

/// The server refuses a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server refuses the request with code {code}")]
#[non_exhaustive]
pub struct IqError {
    /// The number.
    pub code: u16,
    /// What the number means.
    pub kind: IqErrorKind,
    /// The server's words for it. They may name people, so they are not part of the message.
    pub text: Option<String>,
    /// How long to wait before the next try, in seconds.
    pub backoff: Option<u32>,
}

/// What the number of a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IqErrorKind {
    /// 400: the request is malformed.
    BadRequest,
    /// 401: not permitted to this account.
    NotAuthorized,
    /// 403: not permitted.
    Forbidden,
    /// 404: there is no such thing.
    NotFound,
    /// 405: not permitted here.
    NotAllowed,
    /// 406: not acceptable.
    NotAcceptable,
    /// 409: somebody else was faster.
    Conflict,
    /// 410: it is gone.
    Gone,
    /// 419: too many of something.
    ResourceLimit,
    /// 423: locked.
    Locked,
    /// 429: asked too often.
    RateOverlimit,
    /// 500.
    InternalServerError,
    /// 503.
    ServiceUnavailable,
    /// 530: partly failed.
    PartialServerError,
    /// A number this version does not know.
    Other,
}

impl IqErrorKind {
    fn from_code(code: u16) -> Self {
        match code {
            400 => Self::BadRequest,
            401 => Self::NotAuthorized,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            405 => Self::NotAllowed,
            406 => Self::NotAcceptable,
            409 => Self::Conflict,
            410 => Self::Gone,
            419 => Self::ResourceLimit,
            423 => Self::Locked,
            429 => Self::RateOverlimit,
            500 => Self::InternalServerError,
            503 => Self::ServiceUnavailable,
            530 => Self::PartialServerError,
            _ => Self::Other,
        }
    }
}

impl IqError {
    /// Reads an `<error>`; a missing number is 0.
    pub(crate) fn read(node: Option<&Node<'_>>) -> Self {
        let code = node.and_then(|node| node.attrs.number("code")).unwrap_or(0);
        Self {
            code,
            kind: IqErrorKind::from_code(code),
            text: node.and_then(|node| node.attrs.text("text")).map(Into::into),
            backoff: node.and_then(|node| node.attrs.number("backoff")),
        }
    }
}

impl Iq {
    /// Takes an answer without copying it: those about large groups are long. Gives back what is
    /// no answer.
    pub(super) fn take_result(node: OwnedNode) -> Result<Self, OwnedNode> {
        let is_result = node.tag == "iq" && node.attrs.is("type", "result");
        match node.text_opt("id") {
            Some(id) if is_result => Ok(Self::Result { id, node }),
            _ => Err(node),
        }
    }

    pub(super) fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        let id = node.text_opt("id");
        let need_id = id.clone().ok_or(ParseError::MissingAttr("id"));
        Ok(match node.need_text("type")?.as_str() {
            // With an id it was taken by `take_result`.
            "result" => return Err(ParseError::MissingAttr("id")),
            "error" => Self::Error { id: need_id?, error: IqError::read(node.find("error")) },
            "get" | "set" => Self::Request {
                id: id.unwrap_or_default(),
                from: node.attrs.jid("from").unwrap_or_else(Jid::server),
                request: ServerRequest::read(node)?,
            },
            _ => return Err(ParseError::MalformedAttr("type")),
        })
    }
}

impl ServerRequest {
    fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        let is_ping = node.attrs.is("xmlns", "urn:xmpp:ping") || node.find("ping").is_some();
        Ok(if let Some(child) = node.find("pair-device") {
            Self::PairDevice(PairDevice::read(child)?)
        } else if let Some(child) = node.find("pair-success") {
            Self::PairSuccess(Box::new(PairSuccess::read(child)?))
        } else if is_ping {
            Self::Ping
        } else {
            Self::Raw(node.clone())
        })
    }
}

/// The answer that says "understood" to a request of the server's.
pub fn iq_result(id: &str, to: &Jid) -> OwnedNode {
    Node::new("iq").attr("to", to).attr("type", "result").attr("id", id.to_owned())
}

/// The answer that refuses a request of the server's.
pub fn iq_error(id: &str, to: &Jid, code: u16, text: &'static str) -> OwnedNode {
    let error = Node::new("error").attr("code", code).attr("text", text);
    Node::new("iq").attr("to", to).attr("type", "error").attr("id", id.to_owned()).child(error)
}
