//! Receipts as they come: delivered, read, played, or "send it again".
//!
//! Owns their types and the retry request, which is also built here. Knows nothing of what was
//! sent.

use bytes::Bytes;
use compact_str::CompactString;

use super::{
    envelope::{Class, Envelope},
    fields::ParseError,
    keys::{WireKeyBundle, registration_node},
    message::Alternatives,
};
use crate::{Jid, MessageId, Node, OwnedNode, entries::readable};

/// Somebody, or another device of the account, tells what became of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The outside.
    pub envelope: Envelope,
    /// What became of them.
    pub kind: ReceiptKind,
    /// The messages: the stanza's id, then those in its list.
    pub ids: Vec<MessageId>,
    /// When, in seconds since 1970.
    pub timestamp: Option<u64>,
    /// On the offline backlog: how many times it was handed out before.
    pub offline: Option<u32>,
    /// The other addresses of whom it is from.
    pub alternatives: Alternatives,
    /// In groups, the receipts of several people in one.
    pub grouped: Vec<GroupedReceipt>,
}

/// What several people of a group did with one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupedReceipt {
    /// The message.
    pub id: MessageId,
    /// Who, and when in seconds since 1970.
    pub users: Vec<(Jid, Option<u64>)>,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiptKind {
    /// A device has it and its user is there.
    Delivered,
    /// A device has it.
    Inactive,
    /// Another device of the account has what the account sent.
    Sender,
    /// Read.
    Read,
    /// Read on another device of the account.
    ReadSelf,
    /// Played.
    Played,
    /// Played on another device of the account.
    PlayedSelf,
    /// A device could not decrypt it and wants it again.
    Retry(Box<RetryRequest>),
    /// The media could not be had.
    ServerError,
    /// A message between the account's own devices arrived.
    PeerMessage,
    /// A part of the history arrived.
    HistorySync,
    /// Something this version does not know.
    Other(CompactString),
}

/// A device asks for a message again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryRequest {
    /// Which try this asks for, from 1.
    pub count: u8,
    /// The message.
    pub id: MessageId,
    /// When the message was sent, in seconds since 1970.
    pub timestamp: Option<u64>,
    /// Why it could not be decrypted; devices that do not say leave it out.
    pub reason: Option<RetryReason>,
    /// The registration id of the device: another one than the session's means that the device
    /// was set up anew.
    pub registration_id: u32,
    /// Keys for a new session.
    pub keys: Option<WireKeyBundle>,
}

/// Why a message could not be decrypted, as `<retry error="…">` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryReason {
    /// 0: not known.
    Unknown,
    /// 1: no session with the sender.
    NoSession,
    /// 2: a key that is none.
    InvalidKey,
    /// 3: a prekey that is not here.
    InvalidKeyId,
    /// 4: a message that is damaged, or a repeated one.
    InvalidMessage,
    /// 5: a signature that does not hold.
    InvalidSignature,
    /// 6: too far ahead in the chain.
    FutureMessage,
    /// 7: the MAC does not hold.
    BadMac,
    /// 8: a session that cannot be used.
    InvalidSession,
    /// 9: a message key that cannot be used.
    InvalidMessageKey,
    /// 10: a broadcast whose disappearing setting is wrong.
    BadBroadcastEphemeralSetting,
    /// 11: a companion that is not known, without a prekey.
    UnknownCompanionNoPreKey,
    /// 12: the device identity does not hold.
    AdvFailure,
    /// 13: a status whose revoke came late.
    StatusRevokeDelay,
}

impl RetryReason {
    const ALL: [Self; 14] = [
        Self::Unknown,
        Self::NoSession,
        Self::InvalidKey,
        Self::InvalidKeyId,
        Self::InvalidMessage,
        Self::InvalidSignature,
        Self::FutureMessage,
        Self::BadMac,
        Self::InvalidSession,
        Self::InvalidMessageKey,
        Self::BadBroadcastEphemeralSetting,
        Self::UnknownCompanionNoPreKey,
        Self::AdvFailure,
        Self::StatusRevokeDelay,
    ];

    /// The number on the wire, 0 to 13.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// The reason behind a number; an unknown number is [`RetryReason::Unknown`].
    pub fn from_code(code: u16) -> Self {
        Self::ALL.get(usize::from(code)).copied().unwrap_or(Self::Unknown)
    }
}

impl Receipt {
    pub(super) fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        let envelope = Envelope::read(Class::Receipt, node)?;
        let mut ids = vec![node.need_message_id("id")?];
        let items = node.find("list").into_iter().flat_map(|list| list.find_all("item"));
        // A message whose item is left out counts as not received and not read.
        ids.extend(readable(items, |item| item.need_message_id("id")));
        Ok(Self {
            kind: ReceiptKind::read(envelope.kind.as_deref(), node)?,
            ids,
            timestamp: node.attrs.number("t"),
            offline: node.attrs.number("offline"),
            alternatives: Alternatives::read(node),
            grouped: readable(node.find_all("participants"), GroupedReceipt::read),
            envelope,
        })
    }
}

impl GroupedReceipt {
    fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        let user = |user: &OwnedNode| Ok((user.need_jid("jid")?, user.attrs.number("t")));
        Ok(Self { id: node.need_message_id("key")?, users: readable(node.find_all("user"), user) })
    }
}

impl ReceiptKind {
    fn read(kind: Option<&str>, node: &OwnedNode) -> Result<Self, ParseError> {
        Ok(match kind {
            None | Some("" | "delivery") => Self::Delivered,
            Some("inactive") => Self::Inactive,
            Some("sender") => Self::Sender,
            Some("read") => Self::Read,
            Some("read-self") => Self::ReadSelf,
            Some("played") => Self::Played,
            Some("played-self") => Self::PlayedSelf,
            Some("retry") => Self::Retry(Box::new(RetryRequest::read(node)?)),
            Some("server-error") => Self::ServerError,
            Some("peer_msg") => Self::PeerMessage,
            Some("hist_sync") => Self::HistorySync,
            Some(other) => Self::Other(other.into()),
        })
    }
}

impl RetryRequest {
    fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        let retry = node.need_child("retry")?;
        Ok(Self {
            count: retry.attrs.number("count").unwrap_or(1),
            id: retry.need_message_id("id")?,
            timestamp: retry.attrs.number("t"),
            reason: retry.attrs.number("error").map(RetryReason::from_code),
            registration_id: node.need_big_endian("registration")?,
            keys: node.find("keys").map(WireKeyBundle::read).transpose()?,
        })
    }
}

/// Asks the sender of a message for it again; to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryReceipt {
    /// The message that could not be decrypted.
    pub envelope: Envelope,
    /// Its id.
    pub id: MessageId,
    /// Its time, in seconds since 1970.
    pub timestamp: u64,
    /// Which try this is, from 1.
    pub count: u8,
    /// Why it failed.
    pub reason: RetryReason,
    /// This device's registration id.
    pub registration_id: u32,
    /// Keys for a new session; from the second try on, or at once if there is no session.
    pub keys: Option<WireKeyBundle>,
}

impl RetryReceipt {
    /// The stanza.
    pub fn to_node(&self) -> OwnedNode {
        let Envelope { from, participant, recipient, .. } = &self.envelope;
        let retry = Node::new("retry")
            .attr("count", u32::from(self.count))
            .attr("id", &self.id)
            .attr("t", self.timestamp)
            .attr("v", "1")
            .attr("error", self.reason.code());
        let keys = self.keys.as_ref().map(|keys| Node::new("keys").children(keys.to_nodes()));
        Node::new("receipt")
            .attr("id", &self.id)
            .attr("to", from)
            .attr("type", "retry")
            .attr_opt("participant", participant.as_ref())
            .attr_opt("recipient", recipient.as_ref())
            .child(retry)
            .child(registration_node(self.registration_id))
            .children(keys)
    }
}

/// Asks the phone to upload a medium again, which is gone from the servers; to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaRetryReceipt {
    /// The account, without device.
    pub to: Jid,
    /// The message with the medium.
    pub id: MessageId,
    /// Its chat.
    pub chat: Jid,
    /// Whether the account sent it.
    pub from_me: bool,
    /// In groups, who sent it.
    pub participant: Option<Jid>,
    /// The encrypted request.
    pub ciphertext: Bytes,
    /// The initialisation vector.
    pub iv: [u8; 12],
}

impl MediaRetryReceipt {
    /// The stanza.
    pub fn to_node(&self) -> OwnedNode {
        let encrypted = Node::new("encrypt")
            .child(Node::new("enc_p").bytes(self.ciphertext.to_vec()))
            .child(Node::new("enc_iv").bytes(self.iv.to_vec()));
        let message = Node::new("rmr")
            .attr("jid", &self.chat)
            .attr("from_me", if self.from_me { "true" } else { "false" })
            .attr_opt("participant", self.participant.as_ref());
        Node::new("receipt")
            .attr("id", &self.id)
            .attr("to", &self.to)
            .attr("type", "server-error")
            .child(encrypted)
            .child(message)
    }
}
