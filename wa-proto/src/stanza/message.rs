//! Messages as they come: addresses, times and ciphertexts.
//!
//! Owns what stands in the stanza. Knows nothing of how to decrypt; who the sender is, seen from
//! this account, is said by [`super::source`].

use bytes::Bytes;
use compact_str::CompactString;

use super::{
    envelope::{Class, Envelope},
    fields::ParseError,
};
use crate::{Jid, MessageId, Node, OwnedNode};

/// The most ciphertexts that are read of one message; real ones have one or two.
pub const MAX_ENCS: usize = 16;

/// A message that came, still encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IncomingMessage {
    /// The outside: id, from, participant, recipient, type (`text`, `media`, `reaction`, …).
    pub envelope: Envelope,
    /// The message's id.
    pub id: MessageId,
    /// The same people under their other addresses.
    pub alternatives: Alternatives,
    /// The names by which these people can be found without their number.
    pub usernames: Usernames,
    /// Whether a group speaks LID or phone number.
    pub addressing_mode: Option<AddressingMode>,
    /// When the server took it, in seconds since 1970.
    pub timestamp: u64,
    /// On the offline backlog: how many times it was handed out before.
    pub offline: Option<u32>,
    /// Whether it goes between the account's own devices (`category="peer"`).
    pub is_peer: bool,
    /// The name that the sender gave themselves (`notify`).
    pub push_name: Option<String>,
    /// The serial number of a business's verified name.
    pub verified_name: Option<CompactString>,
    /// What this message does to an earlier one.
    pub edit: Edit,
    /// The ciphertexts, in order. Each is to be tried, also if one before it fails.
    pub encs: Vec<Enc>,
    /// The signed device identity that comes with the first message of a session: an encoded
    /// `ADVSignedDeviceIdentity`.
    pub device_identity: Option<Bytes>,
    /// There if the content is withheld from this device.
    pub unavailable: Option<Unavailable>,
    /// The content of a channel's message, which is not encrypted: an encoded `Message`.
    pub plaintext: Option<Bytes>,
    /// The number of a channel's message.
    pub server_id: Option<u64>,
    /// Whether the sender sent one ciphertext to many.
    pub is_multicast: bool,
    /// Parts that are handed on as they are.
    pub parts: MessageParts,
}

/// The other addresses of the people in a message: LIDs if it is addressed by phone number, phone
/// numbers if by LID.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alternatives {
    /// Of the sender of a direct message (`sender_lid`, `sender_pn`).
    pub sender: Option<Jid>,
    /// Of the sender of a group message (`participant_lid`, `participant_pn`).
    pub participant: Option<Jid>,
    /// Of the recipient of an own message (`recipient_lid`, `recipient_pn`).
    pub recipient: Option<Jid>,
    /// Of the recipient, on messages that the account's own devices sent (`peer_recipient_lid`,
    /// `peer_recipient_pn`).
    pub peer_recipient: Option<Jid>,
}

impl Alternatives {
    pub(super) fn read(node: &Node<'_>) -> Self {
        let either = |lid: &str, phone: &str| node.attrs.jid(lid).or_else(|| node.attrs.jid(phone));
        Self {
            sender: either("sender_lid", "sender_pn"),
            participant: either("participant_lid", "participant_pn"),
            recipient: either("recipient_lid", "recipient_pn"),
            peer_recipient: either("peer_recipient_lid", "peer_recipient_pn"),
        }
    }
}

/// The names by which the people in a message can be found without their number, where the server
/// tells them.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usernames {
    /// Of the sender of a group message (`participant_username`).
    pub participant: Option<String>,
    /// Of the recipient of an own message (`peer_recipient_username`, `recipient_username`).
    pub recipient: Option<String>,
}

impl Usernames {
    fn read(node: &Node<'_>) -> Self {
        let name = |attr: &str| node.attrs.text(attr).filter(|name| !name.is_empty());
        let recipient = name("peer_recipient_username").or_else(|| name("recipient_username"));
        Self {
            participant: name("participant_username").map(Into::into),
            recipient: recipient.map(Into::into),
        }
    }
}

/// Without the names.
impl std::fmt::Debug for Usernames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Usernames(…)")
    }
}

/// By which kind of address a group or chat names its people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressingMode {
    /// `lid`.
    Lid,
    /// `pn`.
    Phone,
}

impl AddressingMode {
    /// The value of `addressing_mode`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lid => "lid",
            Self::Phone => "pn",
        }
    }

    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        match node.attrs.text("addressing_mode")?.as_ref() {
            "lid" => Some(Self::Lid),
            "pn" => Some(Self::Phone),
            _ => None,
        }
    }
}

/// What a message does to an earlier one, as the stanza says in the open.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Edit {
    /// Nothing: a message of its own.
    #[default]
    None,
    /// 1: changes the text.
    Message,
    /// 2: pins it in the chat.
    Pin,
    /// 3: a channel's admin changes it.
    Admin,
    /// 7: its sender takes it back.
    SenderRevoke,
    /// 8: a group's admin takes it back.
    AdminRevoke,
    /// Something this version does not know.
    Other(CompactString),
}

impl Edit {
    /// The value of `edit`; `None` where the attribute is left out.
    pub fn as_str(&self) -> Option<&str> {
        Some(match self {
            Self::None => return None,
            Self::Message => "1",
            Self::Pin => "2",
            Self::Admin => "3",
            Self::SenderRevoke => "7",
            Self::AdminRevoke => "8",
            Self::Other(text) => text,
        })
    }

    fn read(node: &Node<'_>) -> Self {
        match node.attrs.text("edit").as_deref() {
            None | Some("" | "0") => Self::None,
            Some("1") => Self::Message,
            Some("2") => Self::Pin,
            Some("3") => Self::Admin,
            Some("7") => Self::SenderRevoke,
            Some("8") => Self::AdminRevoke,
            Some(other) => Self::Other(other.into()),
        }
    }
}

/// One ciphertext of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Enc {
    /// How it is encrypted.
    pub kind: EncKind,
    /// The version of what is inside: 2 is padded, 3 is not.
    pub version: u8,
    /// The encrypted bytes.
    pub ciphertext: Bytes,
    /// How many times the sender was asked to send it again.
    pub retry_count: u8,
    /// Which kind of media is inside (`image`, `ptt`, …).
    pub media_type: Option<CompactString>,
    /// Whether a failure to decrypt is to be kept from the user (`decrypt-fail="hide"`).
    pub hide_failure: bool,
}

/// How a ciphertext is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncKind {
    /// `msg`: within a session.
    Message,
    /// `pkmsg`: the first of a session.
    PreKeyMessage,
    /// `skmsg`: with the sender's key for the group.
    SenderKeyMessage,
    /// `msmsg`: with a secret that an earlier message carried.
    MessageSecret,
    /// Something this version does not know.
    Other(CompactString),
}

impl EncKind {
    /// The value of `type`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Message => "msg",
            Self::PreKeyMessage => "pkmsg",
            Self::SenderKeyMessage => "skmsg",
            Self::MessageSecret => "msmsg",
            Self::Other(kind) => kind,
        }
    }

    fn from_text(text: &str) -> Self {
        match text {
            "msg" => Self::Message,
            "pkmsg" => Self::PreKeyMessage,
            "skmsg" => Self::SenderKeyMessage,
            "msmsg" => Self::MessageSecret,
            other => Self::Other(other.into()),
        }
    }
}

/// A message whose content is withheld from this device; the phone may have it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unavailable {
    /// No reason given: worth asking the phone for.
    Unspecified,
    /// A message that may be seen once, on the phone only.
    ViewOnce,
    /// A conversation with an assistant.
    Bot,
    /// A conversation with a hosted business.
    Hosted,
    /// A reason this version does not know.
    Other(CompactString),
}

impl Unavailable {
    fn read(node: &Node<'_>) -> Self {
        match node.attrs.text("type").as_deref() {
            None | Some("") => Self::Unspecified,
            Some("view_once" | "view_once_unavailable_fanout") => Self::ViewOnce,
            Some("bot_unavailable_fanout") => Self::Bot,
            Some("hosted_unavailable_fanout") => Self::Hosted,
            Some(other) => Self::Other(other.into()),
        }
    }
}

/// Parts of a message's stanza that are kept as they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageParts {
    /// `<meta>`: which message is answered, status settings, persona, and more.
    pub meta: Option<OwnedNode>,
    /// `<bot>`: how an assistant's answer is cut up.
    pub bot: Option<OwnedNode>,
    /// `<biz>`: what kind of business message this is.
    pub biz: Option<OwnedNode>,
    /// `<reporting>`: the token that lets a message be reported.
    pub reporting: Option<OwnedNode>,
    /// `<franking>`: the same on Messenger.
    pub franking: Option<OwnedNode>,
}

impl IncomingMessage {
    pub(super) fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        let part = |tag| node.find(tag).cloned();
        Ok(Self {
            envelope: Envelope::read(Class::Message, node)?,
            id: node.need_message_id("id")?,
            alternatives: Alternatives::read(node),
            usernames: Usernames::read(node),
            addressing_mode: AddressingMode::read(node),
            timestamp: node.need_number("t")?,
            offline: node.attrs.number("offline"),
            is_peer: node.attrs.is("category", "peer"),
            push_name: node.attrs.text("notify").map(Into::into),
            verified_name: node.text_opt("verified_name"),
            edit: Edit::read(node),
            encs: read_encs(node)?,
            device_identity: node.bytes_opt("device-identity"),
            unavailable: node.find("unavailable").map(Unavailable::read),
            plaintext: node.bytes_opt("plaintext"),
            server_id: node.attrs.number("server_id"),
            is_multicast: node.find("multicast").is_some() || node.attrs.is("multicast", "true"),
            parts: MessageParts {
                meta: part("meta"),
                bot: part("bot"),
                biz: part("biz"),
                reporting: part("reporting"),
                franking: part("franking"),
            },
        })
    }

    /// How many times the sender was asked already to send this message again: the highest count
    /// of any of its ciphertexts.
    pub fn retry_count(&self) -> u8 {
        self.encs.iter().map(|enc| enc.retry_count).max().unwrap_or(0)
    }
}

/// All ciphertexts, also those that stand under `<participants>` for this device.
fn read_encs(node: &OwnedNode) -> Result<Vec<Enc>, ParseError> {
    let addressed = node.find("participants").into_iter().flat_map(|list| list.find_all("to"));
    let encs = addressed.flat_map(|to| to.find_all("enc")).chain(node.find_all("enc"));
    let encs = encs.map(read_enc).take(MAX_ENCS + 1).collect::<Vec<_>>();
    if encs.len() > MAX_ENCS { Err(ParseError::TooMany("enc")) } else { Ok(encs) }
}

/// Reads what there is: one broken ciphertext must not cost the others of its message.
fn read_enc(node: &OwnedNode) -> Enc {
    Enc {
        kind: EncKind::from_text(&node.text_opt("type").unwrap_or_default()),
        version: node.attrs.number("v").unwrap_or(2),
        ciphertext: node.content_bytes().map(Bytes::copy_from_slice).unwrap_or_default(),
        retry_count: node.attrs.number("count").unwrap_or(0),
        media_type: node.text_opt("mediatype"),
        hide_failure: node.attrs.is("decrypt-fail", "hide"),
    }
}
