//! Who sent a message and which chat it belongs to, seen from this account.
//!
//! Owns the rules for direct messages, groups, broadcasts, status, channels, assistants and the
//! account's own messages. A pure function of the stanza and the account's two addresses.

use super::{
    envelope::Envelope,
    message::{AddressingMode, Alternatives, IncomingMessage},
};
use crate::{Jid, Server};

/// The account's own addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnJids {
    /// By phone number, with this device's number.
    pub phone: Jid,
    /// By LID, if it is known.
    pub lid: Option<Jid>,
}

impl OwnJids {
    /// Whether this is the account, by either address and on whichever device.
    pub fn is_me(&self, jid: &Jid) -> bool {
        self.phone.is_same_user(jid) || self.lid.as_ref().is_some_and(|lid| lid.is_same_user(jid))
    }

    /// The account's address of the other kind, with the device of this one.
    fn other(&self, jid: &Jid) -> Option<Jid> {
        if jid.is_lid() {
            Some(self.phone.with_device(jid.device))
        } else {
            self.lid.as_ref().map(|lid| lid.with_device(jid.device))
        }
    }
}

/// Where a message belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageSource {
    /// The chat: a person without device, a group, a list, a channel.
    pub chat: Jid,
    /// In a chat with a person, that person's other address.
    pub chat_alt: Option<Jid>,
    /// The device that sent it; of a channel, the channel.
    pub sender: Jid,
    /// The same device by its other address.
    pub sender_alt: Option<Jid>,
    /// Whether the account sent it, on another of its devices.
    pub is_from_me: bool,
    /// What kind of chat this is.
    pub kind: ChatKind,
    /// By which kind of address the sender is named.
    pub addressing_mode: AddressingMode,
}

/// What kind of chat a message came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChatKind {
    /// With one person.
    Direct,
    /// With an assistant.
    Bot,
    /// A group.
    Group,
    /// A broadcast list.
    Broadcast,
    /// Status posts.
    Status,
    /// A channel.
    Newsletter,
}

impl ChatKind {
    /// The kind of a chat by its address alone.
    pub fn of(chat: &Jid) -> Self {
        match &chat.server {
            Server::Group => Self::Group,
            Server::Newsletter => Self::Newsletter,
            _ if chat.is_bot() => Self::Bot,
            Server::Broadcast if chat.is_status() => Self::Status,
            Server::Broadcast => Self::Broadcast,
            _ => Self::Direct,
        }
    }
}

/// A message's addresses contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A message of a group, broadcast or status that does not say who sent it.
    #[error("a group message without a participant")]
    NoParticipant,
    /// A message of somebody else that names a recipient, as only own messages do.
    #[error("a recipient on a message that is not from this account")]
    ForeignRecipient,
    /// From something that sends no messages.
    #[error("a message from an address that sends none")]
    From,
}

impl IncomingMessage {
    /// Resolves chat and sender.
    ///
    /// # Errors
    /// If the addresses contradict each other; the stanza is then to be nacked.
    pub fn source(&self, own: &OwnJids) -> Result<MessageSource, SourceError> {
        let Envelope { from, participant, recipient, .. } = &self.envelope;
        match from.server {
            Server::Group | Server::Broadcast => {
                let sender = participant.clone().ok_or(SourceError::NoParticipant)?;
                Ok(self.in_group(from, sender, own))
            }
            Server::Newsletter => Ok(MessageSource {
                chat: from.clone(),
                chat_alt: None,
                sender: from.clone(),
                sender_alt: None,
                is_from_me: false,
                kind: ChatKind::Newsletter,
                addressing_mode: AddressingMode::Phone,
            }),
            _ if from.user.is_empty() => Err(SourceError::From),
            _ if own.is_me(from) => Ok(self.own_direct(from, recipient.as_ref(), own)),
            _ if from.is_bot() => Ok(self.direct(from, ChatKind::Bot)),
            _ if !recipient.as_ref().is_none_or(Jid::is_bot) => Err(SourceError::ForeignRecipient),
            Server::User
            | Server::Lid
            | Server::Hosted
            | Server::HostedLid
            | Server::Legacy
            | Server::Messenger
            | Server::Interop => Ok(self.direct(from, ChatKind::Direct)),
            _ => Err(SourceError::From),
        }
    }

    fn in_group(&self, from: &Jid, sender: Jid, own: &OwnJids) -> MessageSource {
        let is_from_me = own.is_me(&sender);
        let Alternatives { participant, sender: direct, .. } = &self.alternatives;
        let told = other_address(&sender, [participant, direct]);
        MessageSource {
            chat: from.clone(),
            chat_alt: None,
            sender_alt: told.or_else(|| own.other(&sender).filter(|_| is_from_me)),
            is_from_me,
            kind: match from.server {
                Server::Group => ChatKind::Group,
                _ if from.is_status() => ChatKind::Status,
                _ => ChatKind::Broadcast,
            },
            addressing_mode: self.addressing_mode.unwrap_or_else(|| mode_of(&sender)),
            sender,
        }
    }

    /// A message that another of the account's devices sent: to `recipient`, or to the account
    /// itself if there is none.
    fn own_direct(&self, from: &Jid, recipient: Option<&Jid>, own: &OwnJids) -> MessageSource {
        let chat = recipient.unwrap_or(from).to_user();
        let Alternatives { recipient: alt, peer_recipient, .. } = &self.alternatives;
        let chat_alt = if own.is_me(&chat) {
            own.other(&chat)
        } else {
            other_address(&chat, [alt, peer_recipient])
        };
        MessageSource {
            chat_alt: chat_alt.map(|jid| jid.to_user()),
            sender: from.clone(),
            sender_alt: own.other(from),
            is_from_me: true,
            kind: if chat.is_bot() { ChatKind::Bot } else { ChatKind::Direct },
            addressing_mode: self.addressing_mode.unwrap_or_else(|| mode_of(from)),
            chat,
        }
    }

    fn direct(&self, from: &Jid, kind: ChatKind) -> MessageSource {
        let Alternatives { sender, participant, .. } = &self.alternatives;
        let sender_alt = other_address(from, [sender, participant]);
        MessageSource {
            chat: from.to_user(),
            chat_alt: sender_alt.as_ref().map(Jid::to_user),
            sender: from.clone(),
            sender_alt,
            is_from_me: false,
            kind,
            addressing_mode: self.addressing_mode.unwrap_or_else(|| mode_of(from)),
        }
    }
}

fn mode_of(jid: &Jid) -> AddressingMode {
    if jid.is_lid() { AddressingMode::Lid } else { AddressingMode::Phone }
}

/// The first of these that is the other kind of address; on the device of the known one.
fn other_address(known: &Jid, candidates: [&Option<Jid>; 2]) -> Option<Jid> {
    let is_other = |jid: &&Jid| jid.is_person() && jid.is_lid() != known.is_lid();
    candidates.into_iter().flatten().find(is_other).map(|jid| jid.with_device(known.device))
}
