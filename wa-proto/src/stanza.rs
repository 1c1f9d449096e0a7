//! Typed stanzas: what a node means.
//!
//! [`Stanza::parse`] turns every node into one of these, whatever it is: of a tag that is not
//! known it becomes [`Stanza::Unknown`], and a known one that cannot be read becomes
//! [`Stanza::Malformed`], with what a nack needs. Past this module nobody reads an attribute by
//! name. What is sent is built here too, so that each shape is written down once.

mod call;
mod envelope;
mod fields;
mod group_info;
mod iq;
pub(crate) mod keys;
mod message;
mod notification;
mod outgoing;
mod pairing;
mod presence;
mod receipt;
mod source;
mod stream;

pub use call::{Call, CallEvent, reject_call};
use compact_str::CompactString;
pub use envelope::{Ack, Class, Envelope, NackReason, SentReceipt, SentReceiptKind, ServerAck};
pub use fields::ParseError;
pub(crate) use fields::big_endian;
pub use group_info::{
    CommunityRole, GroupCreated, GroupDescription, GroupInfo, MAX_GROUP_PARTICIPANTS, MemberAddMode,
};
pub use iq::{Iq, IqError, IqErrorKind, ServerRequest, iq_error, iq_result};
pub use keys::{KEY_TYPE, WireKeyBundle, WirePreKey, WireSignedPreKey};
pub use message::{
    AddressingMode, Alternatives, Edit, Enc, EncKind, IncomingMessage, MAX_ENCS, MessageParts,
    Unavailable, Usernames,
};
pub(crate) use notification::read_privacy;
pub use notification::{
    AccountChange, BlocklistChange, CollectionNews, DeviceEntry, DevicesChange, DevicesChangeKind,
    GroupChange, GroupNotification, GroupParticipant, GroupRole, LinkCodeAnswer, LinkKind,
    MediaRetryAnswer, MediaRetryCiphertext, MexUpdate, Notification, NotificationBody,
    ParticipantChange, ParticipantChangeKind, PictureChange, PrivacyToken, SignedKeyIndexList,
};
pub use outgoing::{OutgoingEnc, OutgoingMessage, PeerPriority, ReportingToken};
pub use pairing::{MAX_PAIRING_REFS, PairDevice, PairSuccess, pair_device_sign};
pub use presence::{Activity, ChatState, Presence, chat_state, presence, subscribe_presence};
pub use receipt::{
    GroupedReceipt, MediaRetryReceipt, Receipt, ReceiptKind, RetryReason, RetryReceipt,
    RetryRequest,
};
pub use source::{ChatKind, MessageSource, OwnJids, SourceError};
pub use stream::{
    Failure, FailureReason, InfoItem, StreamError, Success, offline_batch, unified_session,
};

use crate::{Jid, OwnedNode};

/// What came in a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stanza {
    /// A message.
    Message(Box<IncomingMessage>),
    /// What became of messages.
    Receipt(Box<Receipt>),
    /// What the server says of something this device sent.
    Ack(ServerAck),
    /// Something changed.
    Notification(Box<Notification>),
    /// A call.
    Call(Box<Call>),
    /// A question or an answer.
    Iq(Iq),
    /// Somebody came or went.
    Presence(Presence),
    /// Somebody writes.
    ChatState(ChatState),
    /// Words about the connection.
    Info(Vec<InfoItem>),
    /// The login was taken.
    Success(Success),
    /// The login was refused.
    Failure(Failure),
    /// The server ends the connection, and says why.
    StreamError(StreamError),
    /// The server ends the connection.
    StreamEnd,
    /// A known stanza that cannot be read.
    Malformed(Malformed),
    /// A stanza that this version does not know.
    Unknown(OwnedNode),
}

/// A known stanza that cannot be read. It is to be nacked where [`Malformed::envelope`] is there:
/// what nobody answers is sent again at every connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The tag.
    pub tag: CompactString,
    /// The id, if there is one.
    pub id: Option<CompactString>,
    /// Who it is from, if that can be read.
    pub from: Option<Jid>,
    /// Enough to nack it; there if the stanza is of a class that is answered.
    pub envelope: Option<Envelope>,
    /// Why it cannot be read.
    pub reason: ParseError,
}

impl Malformed {
    fn of(node: &OwnedNode, reason: ParseError) -> Self {
        let class = Class::of(&node.tag);
        Self {
            tag: node.tag.as_ref().into(),
            id: node.text_opt("id"),
            from: node.attrs.jid("from"),
            envelope: class.and_then(|class| Envelope::read(class, node).ok()),
            reason,
        }
    }

    /// The answer, if there is to be one.
    pub fn nack(&self) -> Option<Ack> {
        self.envelope.as_ref().map(|envelope| envelope.nack(NackReason::ParsingError))
    }
}

impl Stanza {
    /// Says what a node means. Never fails: see [`Stanza::Malformed`] and [`Stanza::Unknown`].
    pub fn parse(node: OwnedNode) -> Self {
        let node = match Iq::take_result(node) {
            Ok(result) => return Self::Iq(result),
            Err(node) => node,
        };
        match Self::read(&node) {
            Ok(Some(stanza)) => stanza,
            Ok(None) => Self::Unknown(node),
            Err(reason) => Self::Malformed(Malformed::of(&node, reason)),
        }
    }

    /// A stanza that cannot be decoded, of which this outside could be read: enough to refuse it,
    /// if it is of a class that is answered.
    pub fn undecodable(outside: &OwnedNode) -> Self {
        Self::Malformed(Malformed::of(outside, ParseError::Undecodable))
    }

    fn read(node: &OwnedNode) -> Result<Option<Self>, ParseError> {
        Ok(Some(match node.tag.as_ref() {
            "message" => Self::Message(Box::new(IncomingMessage::read(node)?)),
            "receipt" => Self::Receipt(Box::new(Receipt::read(node)?)),
            "ack" => Self::Ack(ServerAck::read(node)?),
            "notification" => Self::Notification(Box::new(Notification::read(node)?)),
            "call" => Self::Call(Box::new(Call::read(node)?)),
            "iq" => Self::Iq(Iq::read(node)?),
            "presence" => Self::Presence(Presence::read(node)?),
            "chatstate" => Self::ChatState(ChatState::read(node)?),
            "ib" => Self::Info(InfoItem::read_all(node)),
            "success" => Self::Success(Success::read(node)?),
            "failure" => Self::Failure(Failure::read(node)),
            "stream:error" => Self::StreamError(StreamError::read(node)),
            "xmlstreamend" => Self::StreamEnd,
            _ => return Ok(None),
        }))
    }

    /// What an ack, receipt or nack needs; `None` for stanzas that nobody waits for an answer to.
    pub fn envelope(&self) -> Option<&Envelope> {
        match self {
            Self::Message(message) => Some(&message.envelope),
            Self::Receipt(receipt) => Some(&receipt.envelope),
            Self::Notification(notification) => Some(&notification.envelope),
            Self::Call(call) => Some(&call.envelope),
            Self::Malformed(malformed) => malformed.envelope.as_ref(),
            _ => None,
        }
    }
}
