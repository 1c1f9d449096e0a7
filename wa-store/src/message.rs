//! The archive's messages and what hangs on them: edits, reactions, secrets.
//!
//! Knows nothing of protobufs: the raw plaintext is bytes, the kind a word.

use std::fmt;

use compact_str::CompactString;
use wa_proto::Jid;

use crate::{MessageId, MessageKey, SecretBytes, Seq, Timestamp};

/// What a message is, as one lower-case word: `text`, `image`, `poll`, …
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageKind(CompactString);

impl MessageKind {
    /// Plain text.
    pub const TEXT: Self = Self(CompactString::const_new("text"));
    /// A message that could not be read yet; see [`Placeholder`](crate::Placeholder).
    pub const UNREADABLE: Self = Self(CompactString::const_new("unreadable"));
    /// A message that was revoked before it came.
    pub const REVOKED: Self = Self(CompactString::const_new("revoked"));

    /// A comment on another message, which its [`reply_to`](ArchivedMessage::reply_to) names.
    pub const COMMENT: Self = Self(CompactString::const_new("comment"));

    /// Takes the word.
    pub fn new(kind: impl Into<CompactString>) -> Self {
        Self(kind.into())
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far a message got. Ordered; a message only moves forward.
///
/// A message somebody else wrote begins as `Delivered`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MessageStatus {
    /// Not with the server yet.
    Pending,
    /// It was given up; a later attempt may still bring it to the server.
    Failed,
    /// The server has it.
    Sent,
    /// A device of the recipient has it.
    Delivered,
    /// It was read.
    Read,
    /// A voice or video message was played.
    Played,
}

impl MessageStatus {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
        }
    }

    pub(crate) const ALL: [Self; 6] =
        [Self::Pending, Self::Failed, Self::Sent, Self::Delivered, Self::Read, Self::Played];
}

/// A message to archive.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewMessage {
    /// Which message.
    pub key: MessageKey,
    /// When it was sent, by the sender's stanza.
    pub timestamp: Timestamp,
    /// What it is.
    pub kind: MessageKind,
    /// What is said: a text, a caption, a title. This is what search finds.
    pub text: Option<String>,
    /// The name the sender gave themself.
    pub push_name: Option<String>,
    /// The unpadded plaintext, so that a later version can read what this one could not.
    pub raw: SecretBytes,
    /// How far it got.
    pub status: MessageStatus,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// What is to be known of its media without parsing it again, in the client's own form (JSON).
    pub media: Option<String>,
    /// Whether it counts as unread in its chat.
    pub unread: bool,
    /// When it disappears.
    pub expires_at: Option<Timestamp>,
    /// Whether it is to be looked at once.
    pub view_once: bool,
    /// How often it was forwarded before, if it was; 127 and more show as "many times".
    pub forwarding_score: Option<u32>,
}

impl NewMessage {
    /// A message with neither text nor plaintext yet. One's own begin as `Pending`, others' as
    /// `Delivered` and unread.
    pub fn new(key: MessageKey, timestamp: Timestamp, kind: MessageKind) -> Self {
        let from_me = key.from_me;
        Self {
            key,
            timestamp,
            kind,
            text: None,
            push_name: None,
            raw: SecretBytes::default(),
            status: if from_me { MessageStatus::Pending } else { MessageStatus::Delivered },
            reply_to: None,
            media: None,
            unread: !from_me,
            expires_at: None,
            view_once: false,
            forwarding_score: None,
        }
    }

    /// A text message.
    pub fn text(key: MessageKey, timestamp: Timestamp, text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::new(key, timestamp, MessageKind::TEXT) }
    }
}

impl fmt::Debug for NewMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewMessage")
            .field("id", &self.key.id)
            .field("kind", &self.kind)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// A message in the archive.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArchivedMessage {
    /// Its place in the order of commits.
    pub seq: Seq,
    /// Which message; chat and sender without device, LIDs where known.
    pub key: MessageKey,
    /// When it was sent, by the sender's stanza.
    pub timestamp: Timestamp,
    /// When the server took it; `None` if this device never learnt.
    pub server_timestamp: Option<Timestamp>,
    /// What it is.
    pub kind: MessageKind,
    /// What is said now: after the last edit, and nothing once it is revoked.
    pub text: Option<String>,
    /// The name the sender gave themself.
    pub push_name: Option<String>,
    /// The unpadded plaintext; empty for what was never read and what was revoked.
    pub raw: SecretBytes,
    /// How far it got.
    pub status: MessageStatus,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// What the client noted of its media.
    pub media: Option<String>,
    /// When it was last edited.
    pub edited_at: Option<Timestamp>,
    /// When it was revoked, and by whom.
    pub revoked: Option<(Timestamp, Jid)>,
    /// Whether the user starred it.
    pub starred: bool,
    /// When it disappears, unless it is kept.
    pub expires_at: Option<Timestamp>,
    /// Whether it is to be looked at once. It was, if its status is
    /// [`Played`](MessageStatus::Played).
    pub view_once: bool,
    /// How often it was forwarded before, if it was; 127 and more show as "many times".
    pub forwarding_score: Option<u32>,
    /// Whether an assistant sent it in the person's name.
    pub by_assistant: bool,
}

impl ArchivedMessage {
    pub(crate) fn from_new(seq: Seq, key: MessageKey, new: &NewMessage) -> Self {
        Self {
            seq,
            key,
            timestamp: new.timestamp,
            server_timestamp: None,
            kind: new.kind.clone(),
            text: new.text.clone(),
            push_name: new.push_name.clone(),
            raw: new.raw.clone(),
            status: new.status,
            reply_to: new.reply_to.clone(),
            media: new.media.clone(),
            edited_at: None,
            revoked: None,
            starred: false,
            expires_at: new.expires_at,
            view_once: new.view_once,
            forwarding_score: new.forwarding_score,
            by_assistant: false,
        }
    }

    /// Whether it was edited after the time that clients give for edits, [`EDIT_WINDOW_SECS`] with
    /// some allowance for clocks. Official clients neither send nor show such an edit.
    pub fn is_edited_late(&self) -> bool {
        let allowed = self.timestamp.plus_secs(EDIT_WINDOW_SECS + EDIT_ALLOWANCE_SECS);
        self.edited_at.is_some_and(|edited_at| edited_at > allowed)
    }

    /// Whether it is the tombstone of a message that was revoked before it came.
    pub(crate) fn is_bare_tombstone(&self) -> bool {
        self.kind == MessageKind::REVOKED && self.revoked.is_some()
    }

    /// A tombstone learns what the message was, but not what it said.
    pub(crate) fn complete(&mut self, new: &NewMessage) {
        self.kind = new.kind.clone();
        self.timestamp = new.timestamp;
        self.status = self.status.max(new.status);
        self.reply_to.clone_from(&new.reply_to);
        self.push_name.clone_from(&new.push_name);
        self.expires_at = new.expires_at;
        self.view_once = new.view_once;
        self.forwarding_score = new.forwarding_score;
    }

    /// Whether something was read of it.
    pub(crate) fn is_readable(&self) -> bool {
        self.kind != MessageKind::UNREADABLE
    }

    /// Whether what can be read at last may take its place.
    pub(crate) fn is_fillable(&self) -> bool {
        self.kind == MessageKind::UNREADABLE && self.revoked.is_none()
    }

    /// Takes over what its placeholder knew: the stanza's time decides the place in the chat.
    pub(crate) fn fill(&mut self, placeholder: &Self) {
        self.timestamp = placeholder.timestamp;
        self.status = self.status.max(placeholder.status);
        self.starred = placeholder.starred;
        self.server_timestamp = self.server_timestamp.or(placeholder.server_timestamp);
        if self.push_name.is_none() {
            self.push_name.clone_from(&placeholder.push_name);
        }
    }
}

impl fmt::Debug for ArchivedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArchivedMessage")
            .field("seq", &self.seq)
            .field("id", &self.key.id)
            .field("kind", &self.kind)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// How long after a message clients let its author edit it, in seconds.
pub const EDIT_WINDOW_SECS: i64 = 20 * 60;
/// How far clocks may be apart before an edit counts as late, in seconds.
const EDIT_ALLOWANCE_SECS: i64 = 10 * 60;

/// A later text for a message.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edit {
    /// The message that is edited. It need not have come yet.
    pub target: MessageKey,
    /// The id of the editing message itself.
    pub id: MessageId,
    /// The text from now on.
    pub text: Option<String>,
    /// The editing message's unpadded plaintext.
    pub raw: SecretBytes,
    /// When it was edited.
    pub edited_at: Timestamp,
    /// The same by the author's own clock, in milliseconds since 1970, which tells apart what was
    /// edited in one second; 0 if not told.
    pub sender_ms: i64,
}

impl Edit {
    /// An edit without plaintext.
    pub fn new(
        target: MessageKey,
        id: impl Into<MessageId>,
        text: Option<String>,
        edited_at: Timestamp,
    ) -> Self {
        let raw = SecretBytes::default();
        Self { target, id: id.into(), text, raw, edited_at, sender_ms: 0 }
    }
}

impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edit")
            .field("target", &self.target.id)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// One of the texts a message has had.
#[derive(Clone, PartialEq, Eq)]
pub struct TextVersion {
    /// From when on it said so: the message's own time for the first, the edit's for the others.
    pub since: Timestamp,
    /// What it said.
    pub text: Option<String>,
}

impl fmt::Debug for TextVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextVersion").field("since", &self.since).finish_non_exhaustive()
    }
}

/// Somebody's reaction to a message; each person has one at most.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reaction {
    /// The message it hangs on. It need not have come yet.
    pub target: MessageKey,
    /// Who reacted.
    pub sender: Jid,
    /// The emoji; empty to take the reaction back.
    pub emoji: String,
    /// When.
    pub timestamp: Timestamp,
    /// The same by the reacting person's own clock, in milliseconds since 1970, which tells apart
    /// what was said in one second; 0 if not told.
    pub sender_ms: i64,
}

impl Reaction {
    /// A reaction.
    pub fn new(
        target: MessageKey,
        sender: Jid,
        emoji: impl Into<String>,
        timestamp: Timestamp,
    ) -> Self {
        Self { target, sender, emoji: emoji.into(), timestamp, sender_ms: 0 }
    }

    /// Where it stands among the reactions of one person to one message: the greatest counts.
    pub(crate) fn order(&self) -> (Timestamp, i64, &str) {
        (self.timestamp, self.sender_ms, &self.emoji)
    }
}

impl fmt::Debug for Reaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reaction").field("target", &self.target.id).finish_non_exhaustive()
    }
}

/// The secret a message carries for what refers to it (poll votes, encrypted edits and reactions).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageSecret {
    /// The message's true sender, in the form under which the secret was stored; keys are derived
    /// from that form.
    pub sender: Jid,
    /// The secret, 32 bytes.
    pub secret: SecretBytes,
}
