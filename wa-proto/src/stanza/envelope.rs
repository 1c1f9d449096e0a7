//! What every stanza has on the outside, and the answers that need no more than that: acks and
//! nacks.
//!
//! Owns the addresses a reply echoes. Knows nothing of when a reply is due.

use compact_str::CompactString;

use super::{fields::ParseError, message::AddressingMode};
use crate::{Jid, MessageId, Node, OwnedNode};

/// The outside of a stanza that has to be answered: enough to ack it, also when the inside cannot
/// be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The tag, which is the `class` of the answer.
    pub class: Class,
    /// The stanza's id, as it came.
    pub id: CompactString,
    /// Who it is from: a device, a group, the server.
    pub from: Jid,
    /// In groups, who of the group.
    pub participant: Option<Jid>,
    /// On copies of what this account did elsewhere, whom that was for.
    pub recipient: Option<Jid>,
    /// The `type` attribute.
    pub kind: Option<CompactString>,
}

/// The stanzas that the server keeps until they are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// `message`.
    Message,
    /// `receipt`.
    Receipt,
    /// `notification`.
    Notification,
    /// `call`.
    Call,
}

impl Class {
    /// The tag, and the value of `class` in an ack.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Receipt => "receipt",
            Self::Notification => "notification",
            Self::Call => "call",
        }
    }

    /// The class of stanzas with this tag.
    pub fn of(tag: &str) -> Option<Self> {
        Some(match tag {
            "message" => Self::Message,
            "receipt" => Self::Receipt,
            "notification" => Self::Notification,
            "call" => Self::Call,
            _ => return None,
        })
    }
}

impl Envelope {
    pub(super) fn read(class: Class, node: &Node<'_>) -> Result<Self, ParseError> {
        Ok(Self {
            class,
            id: node.need_text("id")?,
            from: node.need_jid("from")?,
            participant: node.attrs.jid("participant"),
            recipient: node.attrs.jid("recipient"),
            kind: node.text_opt("type"),
        })
    }

    /// The answer that says "handled"; of messages, "not readable, do not send it again". A
    /// message that could be read gets a receipt instead.
    pub fn ack(&self) -> Ack {
        Ack { envelope: self.clone(), from: None, error: None }
    }

    /// The answer that says why a stanza was not handled.
    pub fn nack(&self, reason: NackReason) -> Ack {
        Ack { envelope: self.clone(), from: None, error: Some(reason) }
    }

    /// The receipt for this message: delivered to this device.
    pub fn receipt(&self, id: MessageId, kind: SentReceiptKind) -> SentReceipt {
        SentReceipt {
            to: self.from.clone(),
            participant: self.participant.clone(),
            recipient: self.recipient.clone(),
            ids: vec![id],
            kind,
            timestamp: None,
        }
    }
}

/// An ack or a nack, to be sent. It carries `class`, `id` and `to`; `participant` and `recipient`
/// if the stanza had them; `type` for everything but messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// What is answered.
    pub envelope: Envelope,
    /// This device's own JID; real clients give it in answers to messages.
    pub from: Option<Jid>,
    /// Why the stanza was not handled; `None` is a plain ack.
    pub error: Option<NackReason>,
}

impl Ack {
    /// Adds this device's own JID, which goes into answers to messages only.
    #[must_use]
    pub fn from(mut self, own: &Jid) -> Self {
        self.from = Some(own.clone());
        self
    }

    /// The stanza.
    pub fn to_node(&self) -> OwnedNode {
        let Envelope { class, id, from: to, participant, recipient, kind } = &self.envelope;
        let is_message = *class == Class::Message;
        Node::new("ack")
            .attr("class", class.as_str())
            .attr("id", id)
            .attr("to", to)
            .attr_opt("from", self.from.as_ref().filter(|_| is_message))
            .attr_opt("participant", participant.as_ref())
            .attr_opt("recipient", recipient.as_ref())
            .attr_opt("type", kind.as_ref().filter(|_| !is_message))
            .attr_opt("error", self.error.map(|reason| u32::from(reason.code())))
    }
}

/// Why a stanza was not handled. The numbers are those of WhatsApp's own web client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NackReason {
    /// 487: the stanza cannot be read.
    ParsingError,
    /// 488: no such tag is known.
    UnrecognizedStanza,
    /// 489: no such class is known.
    UnrecognizedStanzaClass,
    /// 490: no such type is known.
    UnrecognizedStanzaType,
    /// 491: the decrypted protobuf cannot be read.
    InvalidProtobuf,
    /// 493: a hosted device where none may be.
    InvalidHostedCompanionStanza,
    /// 495: the secret that this message is encrypted with is not here.
    MissingMessageSecret,
    /// 496: the ratchet is past this message.
    SignalErrorOldCounter,
    /// 499: the message was deleted at the peer.
    MessageDeletedOnPeer,
    /// 500: anything else.
    UnhandledError,
    /// 550: an admin's revoke that is not supported.
    UnsupportedAdminRevoke,
    /// 551: a group addressed by LID that is not supported.
    UnsupportedLidGroup,
    /// 552: the store failed.
    DatabaseFailed,
}

impl NackReason {
    /// The number in the `error` attribute.
    pub const fn code(self) -> u16 {
        match self {
            Self::ParsingError => 487,
            Self::UnrecognizedStanza => 488,
            Self::UnrecognizedStanzaClass => 489,
            Self::UnrecognizedStanzaType => 490,
            Self::InvalidProtobuf => 491,
            Self::InvalidHostedCompanionStanza => 493,
            Self::MissingMessageSecret => 495,
            Self::SignalErrorOldCounter => 496,
            Self::MessageDeletedOnPeer => 499,
            Self::UnhandledError => 500,
            Self::UnsupportedAdminRevoke => 550,
            Self::UnsupportedLidGroup => 551,
            Self::DatabaseFailed => 552,
        }
    }
}

/// What the server says of something this device sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerAck {
    /// The tag of what was sent.
    pub class: CompactString,
    /// The id of what was sent.
    pub id: CompactString,
    /// Whom it was sent to.
    pub from: Option<Jid>,
    /// In groups, whom of the group.
    pub participant: Option<Jid>,
    /// When the server took it, in seconds since 1970. It is the message's time for everybody.
    pub timestamp: Option<u64>,
    /// The server's hash of the devices; there if it differs from the one sent.
    pub participant_hash: Option<CompactString>,
    /// Why it was refused: 421 the group names its people by the other kind of address, 463 no
    /// privacy token or account restricted, 479 malformed, and others.
    pub error: Option<u16>,
    /// How long to wait before it is sent again, in seconds.
    pub backoff: Option<u32>,
    /// In groups, by which kind of address the group names its people.
    pub addressing_mode: Option<AddressingMode>,
    /// Whether the mapping from phone number to LID is stale and must be asked for again.
    pub refresh_lid: bool,
    /// The `edit` attribute, as sent.
    pub edit: Option<CompactString>,
}

impl ServerAck {
    pub(super) fn read(node: &Node<'_>) -> Result<Self, ParseError> {
        Ok(Self {
            class: node.need_text("class")?,
            id: node.need_text("id")?,
            from: node.attrs.jid("from"),
            participant: node.attrs.jid("participant"),
            timestamp: node.attrs.number("t"),
            participant_hash: node.text_opt("phash"),
            error: node.attrs.number("error"),
            backoff: node.attrs.number("backoff"),
            addressing_mode: AddressingMode::read(node),
            refresh_lid: node.attrs.is("refresh_lid", "true"),
            edit: node.text_opt("edit"),
        })
    }
}

/// A receipt, to be sent. All ids belong to one chat and one sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentReceipt {
    /// The chat, or the device that sent the messages.
    pub to: Jid,
    /// In groups, who sent the messages.
    pub participant: Option<Jid>,
    /// For this account's own messages from other devices: whom they were for.
    pub recipient: Option<Jid>,
    /// The messages; a receipt without any has nothing to say and must not be sent.
    pub ids: Vec<MessageId>,
    /// What happened to them.
    pub kind: SentReceiptKind,
    /// When, in seconds since 1970; read and played receipts have it.
    pub timestamp: Option<u64>,
}

/// What a receipt says that this device sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SentReceiptKind {
    /// The device has it, and the user is at it: two ticks for the sender. No `type`.
    Delivered,
    /// The device has it, but the user is not at it.
    Inactive,
    /// An own message from another of the account's devices.
    Sender,
    /// Read.
    Read,
    /// Read, told to the own devices alone.
    ReadSelf,
    /// Voice message or video played.
    Played,
    /// Played, told to the own devices alone.
    PlayedSelf,
    /// A message between the account's own devices.
    PeerMessage,
    /// A part of the history was stored.
    HistorySync,
    /// The media could not be had; asks the phone to upload it again.
    ServerError,
}

impl SentReceiptKind {
    /// The `type` attribute; a plain delivery has none.
    pub const fn as_str(self) -> Option<&'static str> {
        Some(match self {
            Self::Delivered => return None,
            Self::Inactive => "inactive",
            Self::Sender => "sender",
            Self::Read => "read",
            Self::ReadSelf => "read-self",
            Self::Played => "played",
            Self::PlayedSelf => "played-self",
            Self::PeerMessage => "peer_msg",
            Self::HistorySync => "hist_sync",
            Self::ServerError => "server-error",
        })
    }
}

impl SentReceipt {
    /// The stanza: the first id as attribute, the others in a list.
    pub fn to_node(&self) -> OwnedNode {
        let mut ids = self.ids.iter();
        let node = Node::new("receipt")
            .attr_opt("id", ids.next())
            .attr("to", &self.to)
            .attr_opt("type", self.kind.as_str())
            .attr_opt("participant", self.participant.as_ref())
            .attr_opt("recipient", self.recipient.as_ref())
            .attr_opt("t", self.timestamp);
        if ids.len() == 0 {
            return node;
        }
        let items = ids.map(|id| Node::new("item").attr("id", id));
        node.child(Node::new("list").children(items))
    }
}
