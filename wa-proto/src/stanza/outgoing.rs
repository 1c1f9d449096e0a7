//! Messages as they go: ciphertexts with their addresses.
//!
//! Owns the form of the stanza. Which devices get it, and what is encrypted, is decided elsewhere.

use bytes::Bytes;
use compact_str::CompactString;

use super::message::{AddressingMode, Edit, EncKind};
use crate::{Jid, MessageId, Node, OwnedNode};

/// A message to be sent. [`OutgoingMessage::new`] makes an empty one; the fields fill it.
#[derive(Clone, PartialEq, Eq)]
pub struct OutgoingMessage {
    /// The chat; of a resend, the device that asked.
    pub to: Jid,
    /// Its id; a resend keeps it.
    pub id: MessageId,
    /// What is in it: `text`, `media`, `reaction`, `poll` and so on.
    pub kind: CompactString,
    /// What it does to an earlier one.
    pub edit: Edit,
    /// Of a resend to a group: the device that asked.
    pub participant: Option<Jid>,
    /// Of a resend to an own device: the chat.
    pub recipient: Option<Jid>,
    /// The hash of the devices it is for.
    pub participant_hash: Option<CompactString>,
    /// By which kind of address a group names its people.
    pub addressing_mode: Option<AddressingMode>,
    /// The phone number behind a LID it is for.
    pub peer_recipient_phone: Option<Jid>,
    /// Of a message between the own devices: how urgent it is.
    pub peer: Option<PeerPriority>,
    /// Of a request for history to the own phone: it is marked as private.
    pub is_private: bool,
    /// Of a resend: that the server must not hand it to other devices.
    pub is_resend: bool,
    /// Of a resend: when the message was first sent, in seconds since 1970.
    pub timestamp: Option<u64>,
    /// A ciphertext for each device.
    pub participants: Vec<(Jid, OutgoingEnc)>,
    /// The ciphertext for all: of a group, or of a single device.
    pub encs: Vec<OutgoingEnc>,
    /// The content of a channel's message, which is not encrypted: an encoded `Message`.
    pub plaintext: Option<Bytes>,
    /// Which kind of media is in the plaintext.
    pub plaintext_media_type: Option<CompactString>,
    /// In a group whose messages disappear: after how many seconds.
    pub expiration: Option<u32>,
    /// Of a file in a channel: what the media host calls it.
    pub media_id: Option<CompactString>,
    /// The own signed device identity; has to be there if any ciphertext is a `pkmsg`.
    pub device_identity: Option<Bytes>,
    /// What a report of the message is checked against, with the version of what it covers.
    pub reporting_token: Option<ReportingToken>,
    /// The token that the recipient gave this account. A message between the own devices goes
    /// without: the server refuses it with one.
    pub tctoken: Option<Bytes>,
    /// The token that stands in for it while there is none.
    pub cstoken: Option<Bytes>,
    /// Parts that this version has no field for: `<meta>`, `<bot>`, `<biz>`.
    pub extra: Vec<OwnedNode>,
}

/// What a report of a message is checked against: proof that it said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportingToken {
    /// The version of the list of fields it covers.
    pub version: u32,
    /// The proof.
    pub token: [u8; 16],
}

impl ReportingToken {
    /// The `<reporting>` node.
    pub fn to_node(&self) -> OwnedNode {
        let token = Node::new("reporting_token").attr("v", self.version).bytes(self.token.to_vec());
        Node::new("reporting").child(token)
    }
}

/// How urgent a message to an own device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeerPriority {
    /// `high`.
    High,
    /// `high_force`, which wakes the phone: without it a phone that sleeps never deals with a
    /// request for a message or for history (zapo, pull request 134; whatsapp-rust, 666).
    HighForce,
}

/// One ciphertext of a message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingEnc {
    /// How it is encrypted.
    pub kind: EncKind,
    /// The encrypted bytes.
    pub ciphertext: Bytes,
    /// Of a resend: which try this is.
    pub retry_count: u8,
    /// Which kind of media is inside.
    pub media_type: Option<CompactString>,
    /// Whether a failure to decrypt is to be kept from the user.
    pub hide_failure: bool,
}

impl OutgoingEnc {
    /// A ciphertext without further attributes.
    pub fn new(kind: EncKind, ciphertext: impl Into<Bytes>) -> Self {
        let ciphertext = ciphertext.into();
        Self { kind, ciphertext, retry_count: 0, media_type: None, hide_failure: false }
    }

    /// The `<enc>` node, of version 2.
    pub fn to_node(&self) -> OwnedNode {
        let retry_count = (self.retry_count != 0).then_some(u32::from(self.retry_count));
        Node::new("enc")
            .attr("v", "2")
            .attr("type", self.kind.as_str().to_owned())
            .attr_opt("mediatype", self.media_type.as_ref())
            .attr_opt("decrypt-fail", self.hide_failure.then_some("hide"))
            .attr_opt("count", retry_count)
            .bytes(self.ciphertext.to_vec())
    }
}

/// Without addresses, tokens and content.
impl std::fmt::Debug for OutgoingMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutgoingMessage")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("devices", &self.participants.len())
            .finish_non_exhaustive()
    }
}

impl OutgoingMessage {
    /// A message without content.
    pub fn new(to: Jid, id: MessageId, kind: impl Into<CompactString>) -> Self {
        Self {
            to,
            id,
            kind: kind.into(),
            edit: Edit::None,
            participant: None,
            recipient: None,
            participant_hash: None,
            addressing_mode: None,
            peer_recipient_phone: None,
            peer: None,
            is_private: false,
            is_resend: false,
            timestamp: None,
            participants: Vec::new(),
            encs: Vec::new(),
            plaintext: None,
            plaintext_media_type: None,
            expiration: None,
            media_id: None,
            device_identity: None,
            reporting_token: None,
            tctoken: None,
            cstoken: None,
            extra: Vec::new(),
        }
    }

    /// The stanza.
    pub fn to_node(&self) -> OwnedNode {
        self.outside().children(self.participants_node()).children(self.content())
    }

    fn outside(&self) -> OwnedNode {
        let priority = self.peer.map(|priority| match priority {
            PeerPriority::High => "high",
            PeerPriority::HighForce => "high_force",
        });
        Node::new("message")
            .attr("to", &self.to)
            .attr("id", &self.id)
            .attr("type", &self.kind)
            .attr_opt("participant", self.participant.as_ref())
            .attr_opt("recipient", self.recipient.as_ref())
            .attr_opt("phash", self.participant_hash.as_ref())
            .attr_opt("edit", self.edit.as_str().map(str::to_owned))
            .attr_opt("addressing_mode", self.addressing_mode.map(AddressingMode::as_str))
            .attr_opt("peer_recipient_pn", self.peer_recipient_phone.as_ref())
            .attr_opt("category", self.peer.map(|_| "peer"))
            .attr_opt("push_priority", priority)
            .attr_opt("privacy_sensitive", self.is_private.then_some("1"))
            .attr_opt("device_fanout", self.is_resend.then_some("false"))
            .attr_opt("t", self.timestamp)
            .attr_opt("expiration", self.expiration)
            .attr_opt("media_id", self.media_id.as_ref())
    }

    fn participants_node(&self) -> Option<OwnedNode> {
        let to =
            |(jid, enc): &(Jid, OutgoingEnc)| Node::new("to").attr("jid", jid).child(enc.to_node());
        (!self.participants.is_empty())
            .then(|| Node::new("participants").children(self.participants.iter().map(to)))
    }

    fn content(&self) -> impl Iterator<Item = OwnedNode> {
        let part = |tag: &'static str, bytes: &Option<Bytes>| {
            bytes.as_ref().map(|bytes| Node::new(tag).bytes(bytes.to_vec()))
        };
        self.encs
            .iter()
            .map(OutgoingEnc::to_node)
            .chain(part("plaintext", &self.plaintext).map(|plaintext| {
                plaintext.attr_opt("mediatype", self.plaintext_media_type.as_ref())
            }))
            .chain(part("device-identity", &self.device_identity))
            .chain(self.reporting_token.as_ref().map(ReportingToken::to_node))
            .chain(part("tctoken", &self.tctoken).filter(|_| self.peer.is_none()))
            .chain(part("cstoken", &self.cstoken).filter(|_| self.peer.is_none()))
            // As whatsmeow (send.go) and zapo mark what no person sees.
            .chain(self.peer.map(|_| Node::new("meta").attr("appdata", "default")))
            .chain(self.extra.iter().cloned())
    }
}
