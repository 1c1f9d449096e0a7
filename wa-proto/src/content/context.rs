//! What stands beside a message's content: what it quotes and mentions, how it was forwarded,
//! when it disappears.
//!
//! Owns reading and writing that. Knows nothing of which kinds of content may carry it.

use std::fmt;

use bytes::Bytes;

use super::{Content, Unwrapped, jid, key};
use crate::ids::{MessageId, MessageKey};
use crate::{Jid, pb, pb::message_association::AssociationType};

/// The 32 random bytes of a message from which the keys of its votes, reactions and edits are
/// derived. Its `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageSecret(Bytes);

impl MessageSecret {
    /// Takes the secret as a message carries it. Its length is not checked here.
    pub fn new(secret: impl Into<Bytes>) -> Self {
        Self(secret.into())
    }

    /// The secret.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for MessageSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MessageSecret(…)")
    }
}

/// What stands beside a message's content; empty for most messages.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct MessageContext {
    /// The message it answers.
    pub quoted: Option<Quoted>,
    /// The people mentioned. Those whose JID cannot be read are left out.
    pub mentions: Vec<Jid>,
    /// Whether everybody in the group is mentioned.
    pub mentions_everyone: bool,
    /// How often it was forwarded before; 127 and more show as "many times".
    pub forwarding_score: u32,
    /// Whether it was forwarded.
    pub is_forwarded: bool,
    /// After how many seconds it disappears.
    pub expiration: Option<u32>,
    /// When the chat's timer was set, in seconds since 1970.
    pub ephemeral_setting_timestamp: Option<i64>,
    /// The secret from which keys of later additions are derived.
    pub message_secret: Option<MessageSecret>,
    /// The album or other message that this one belongs to.
    pub parent: Option<MessageKey>,
    /// For how many seconds a pin lasts.
    pub add_on_seconds: Option<u32>,
}

impl MessageContext {
    /// A context that quotes a message.
    pub fn quoting(quoted: Quoted) -> Self {
        Self { quoted: Some(quoted), ..Self::default() }
    }

    pub(super) fn read_info(&mut self, info: pb::ContextInfo) {
        self.mentions = info.mentioned_jid.iter().filter_map(|jid| jid.parse().ok()).collect();
        self.mentions_everyone = info.non_jid_mentions.is_some_and(|count| count > 0);
        self.forwarding_score = info.forwarding_score.unwrap_or_default();
        self.is_forwarded = info.is_forwarded.unwrap_or(false);
        self.expiration = info.expiration.filter(|seconds| *seconds != 0);
        self.ephemeral_setting_timestamp = info.ephemeral_setting_timestamp;
        if let Some(Ok(id)) = info.stanza_id.map(MessageId::new) {
            self.quoted = Some(Quoted {
                id,
                sender: jid(info.participant),
                chat: jid(info.remote_jid),
                message: info.quoted_message,
            });
        }
    }

    /// Reads what stands beside the content at one level of wrapping; inner levels overrule
    /// outer ones.
    pub(super) fn read_message_info(&mut self, info: pb::MessageContextInfo) {
        let association = info.message_association.and_then(|of| key(of.parent_message_key));
        self.message_secret = info.message_secret.map(MessageSecret).or(self.message_secret.take());
        self.parent = association.or(self.parent.take());
        self.add_on_seconds = info.message_add_on_duration_in_secs.or(self.add_on_seconds);
    }

    /// The part that goes inside the content, if there is any.
    pub(super) fn to_info(&self) -> Option<Box<pb::ContextInfo>> {
        let mut info = pb::ContextInfo {
            mentioned_jid: self.mentions.iter().map(Jid::to_string).collect(),
            non_jid_mentions: self.mentions_everyone.then_some(1),
            forwarding_score: Some(self.forwarding_score).filter(|score| *score != 0),
            is_forwarded: self.is_forwarded.then_some(true),
            expiration: self.expiration,
            ephemeral_setting_timestamp: self.ephemeral_setting_timestamp,
            ..pb::ContextInfo::default()
        };
        if let Some(quoted) = &self.quoted {
            info.stanza_id = Some(quoted.id.as_str().to_owned());
            info.participant = quoted.sender.as_ref().map(Jid::to_string);
            info.remote_jid = quoted.chat.as_ref().map(Jid::to_string);
            info.quoted_message = quoted.message.clone();
        }
        (info != pb::ContextInfo::default()).then(|| Box::new(info))
    }

    /// The part that goes beside the content, if there is any.
    pub(super) fn to_message_info(&self) -> Option<pb::MessageContextInfo> {
        let info = pb::MessageContextInfo {
            message_secret: self.message_secret.as_ref().map(|secret| secret.0.clone()),
            message_add_on_duration_in_secs: self.add_on_seconds,
            message_association: self.parent.as_ref().map(|parent| pb::MessageAssociation {
                association_type: Some(AssociationType::MediaAlbum.into()),
                parent_message_key: Some(parent.to_pb()),
                ..pb::MessageAssociation::default()
            }),
            ..pb::MessageContextInfo::default()
        };
        (info != pb::MessageContextInfo::default()).then_some(info)
    }
}

/// A quoted message, as the quoting sender tells it: nothing proves that it was so.
#[derive(Clone, PartialEq)]
pub struct Quoted {
    /// Its id.
    pub id: MessageId,
    /// Who sent it.
    pub sender: Option<Jid>,
    /// The chat it is from, if another one.
    pub chat: Option<Jid>,
    /// What it said.
    pub message: Option<Box<pb::Message>>,
}

impl Quoted {
    /// What it said, unwrapped.
    pub fn content(&self) -> Option<Content> {
        let message = self.message.as_deref()?.clone();
        Some(Unwrapped::from_message(message).content)
    }
}

impl fmt::Debug for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quoted").field("id", &self.id).finish_non_exhaustive()
    }
}
