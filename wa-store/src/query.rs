//! What can be asked of the archive.
//!
//! Knows nothing of how an answer is found; [`crate::search`] says what a search text means.

use std::{fmt, ops::Range, sync::Arc};

use wa_proto::Jid;

use crate::{
    ArchivedMessage, Chat, Contact, MessageId, MessageKind, Scope, Seq, Timestamp, search::Cursor,
};

/// The most rows one question gives; a greater limit is taken as this one.
pub const MAX_PAGE: usize = 1_000;

/// Which messages are meant; what is `None` does not restrict.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageFilter {
    /// Those in this chat, by phone number or LID.
    pub chat: Option<Jid>,
    /// Those this person wrote, by phone number or LID.
    pub sender: Option<Jid>,
    /// Those of this kind.
    pub kind: Option<MessageKind>,
    /// One's own (`true`) or others' (`false`).
    pub from_me: Option<bool>,
    /// Those that an assistant sent in the person's name (`true`), or all others (`false`).
    pub by_assistant: Option<bool>,
    /// Those of this second or later.
    pub since: Option<Timestamp>,
    /// Those before this second.
    pub until: Option<Timestamp>,
    /// Those with this id.
    pub id: Option<MessageId>,
    /// Those within this scope; the rest is as if it were not there.
    pub scope: Option<Arc<Scope>>,
}

impl MessageFilter {
    /// Whether a message passes, its scope aside. `chat` and `sender` are in the archive's own form
    /// here.
    pub(crate) fn passes(&self, message: &ArchivedMessage) -> bool {
        self.chat.as_ref().is_none_or(|chat| *chat == message.key.chat)
            && self.sender.as_ref().is_none_or(|sender| *sender == message.key.sender)
            && self.kind.as_ref().is_none_or(|kind| *kind == message.kind)
            && self.from_me.is_none_or(|from_me| from_me == message.key.from_me)
            && self.by_assistant.is_none_or(|wanted| wanted == message.by_assistant)
            && self.since.is_none_or(|since| message.timestamp >= since)
            && self.until.is_none_or(|until| message.timestamp < until)
            && self.id.as_ref().is_none_or(|id| *id == message.key.id)
    }
}

impl fmt::Debug for MessageFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageFilter").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// In which order messages are given. Times that are equal are told apart by sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The newest first.
    #[default]
    NewestFirst,
    /// The oldest first.
    OldestFirst,
    /// By sequence number, the one that was committed first before the others. `before` and `after`
    /// are places in this order then.
    Committed,
    /// The same backwards.
    LastCommitted,
}

impl Order {
    /// Whether it is that of commits, and not of time.
    pub(crate) const fn is_of_commits(self) -> bool {
        matches!(self, Self::Committed | Self::LastCommitted)
    }

    /// Whether what is later in it comes first.
    pub(crate) const fn is_backwards(self) -> bool {
        matches!(self, Self::NewestFirst | Self::LastCommitted)
    }
}

/// A question for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageQuery {
    /// Which messages.
    pub filter: MessageFilter,
    /// Only those that stand before this message in time. One that is not within the scope counts
    /// as the one that was committed before it.
    pub before: Option<Seq>,
    /// Only those that stand after this message in time.
    pub after: Option<Seq>,
    /// How many; at most [`MAX_PAGE`].
    pub limit: usize,
    /// In which order.
    pub order: Order,
}

impl Default for MessageQuery {
    fn default() -> Self {
        Self {
            filter: MessageFilter::default(),
            before: None,
            after: None,
            limit: 50,
            order: Order::NewestFirst,
        }
    }
}

impl MessageQuery {
    /// The newest 50 messages of a chat.
    pub fn chat(chat: Jid) -> Self {
        Self {
            filter: MessageFilter { chat: Some(chat), ..MessageFilter::default() },
            ..Self::default()
        }
    }
}

/// A question for chats, the pinned first, then those with the newest messages.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChatQuery {
    /// Only those whose name or number holds every word of this, accents and case aside.
    pub text: Option<String>,
    /// Only archived chats, or only those that are not.
    pub archived: Option<bool>,
    /// Only those with something unread.
    pub unread_only: bool,
    /// Only those within this scope; what is without counts neither as unread nor as last message.
    pub scope: Option<Arc<Scope>>,
    /// How many to leave out at the beginning.
    pub offset: usize,
    /// How many; at most [`MAX_PAGE`].
    pub limit: usize,
}

impl Default for ChatQuery {
    fn default() -> Self {
        Self { text: None, archived: None, unread_only: false, scope: None, offset: 0, limit: 50 }
    }
}

impl fmt::Debug for ChatQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatQuery").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl ChatQuery {
    /// Filters, sorts and cuts all chats there are within its scope.
    pub(crate) fn select(&self, mut chats: Vec<Chat>) -> Vec<Chat> {
        let words = self.text.as_deref().map(crate::search::words).unwrap_or_default();
        chats.retain(|chat| {
            self.archived.is_none_or(|archived| archived == chat.archived)
                && (!self.unread_only || chat.unread > 0 || chat.marked_unread)
                && holds_all(
                    &words,
                    &[chat.name.as_deref()],
                    [Some(&chat.jid), chat.phone.as_ref()],
                )
        });
        chats.sort_by(|a, b| {
            let place =
                |chat: &Chat| (chat.pinned_at, chat.last_message.map(|(seq, at)| (at, seq)));
            place(b).cmp(&place(a)).then_with(|| a.jid.cmp(&b.jid))
        });
        page(chats, self.offset, self.limit)
    }
}

/// A question for people, by name.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContactQuery {
    /// Only those of whom a name or number holds every word of this, accents and case aside.
    pub text: Option<String>,
    /// Only those in the address book, by what it calls them.
    pub address_book_only: bool,
    /// Only those with whom a chat would be within this scope.
    pub scope: Option<Arc<Scope>>,
    /// How many to leave out at the beginning.
    pub offset: usize,
    /// How many; at most [`MAX_PAGE`].
    pub limit: usize,
}

impl Default for ContactQuery {
    fn default() -> Self {
        Self { text: None, address_book_only: false, scope: None, offset: 0, limit: 50 }
    }
}

impl fmt::Debug for ContactQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContactQuery").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl ContactQuery {
    /// Filters, sorts and cuts all contacts there are within its scope.
    pub(crate) fn select(&self, mut contacts: Vec<Contact>) -> Vec<Contact> {
        let words = self.text.as_deref().map(crate::search::words).unwrap_or_default();
        contacts.retain(|contact| {
            let names: Vec<_> = contact
                .names()
                .filter(|(source, _)| !self.address_book_only || !source.is_self_chosen())
                .map(|(_, name)| Some(name))
                .collect();
            (!self.address_book_only || contact.is_in_address_book())
                && holds_all(&words, &names, [Some(&contact.jid), contact.phone.as_ref()])
        });
        contacts.sort_by_cached_key(|contact| {
            let name = contact.name().map(|name| crate::search::words(name).join(" "));
            (name.is_none(), name, contact.jid.clone())
        });
        page(contacts, self.offset, self.limit)
    }
}

fn page<T>(rows: Vec<T>, offset: usize, limit: usize) -> Vec<T> {
    rows.into_iter().skip(offset).take(limit.min(MAX_PAGE)).collect()
}

/// Whether every word stands somewhere in the names or in a person's number.
fn holds_all(words: &[String], names: &[Option<&str>], jids: [Option<&Jid>; 2]) -> bool {
    if words.is_empty() {
        return true;
    }
    let mut known: Vec<String> =
        names.iter().flatten().map(|name| crate::search::words(name).join(" ")).collect();
    known.extend(jids.into_iter().flatten().map(|jid| jid.user.to_string()));
    words.iter().all(|word| known.iter().any(|known| known.contains(word.as_str())))
}

/// A search in the texts of messages. [`crate::search`] says what `text` may hold.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SearchQuery {
    /// What is looked for, as a person types it; without a letter, digit or emoji nothing is found.
    pub text: String,
    /// Which messages.
    pub filter: MessageFilter,
    /// In which order hits come.
    pub order: SearchOrder,
    /// How many; at most [`MAX_PAGE`].
    pub limit: usize,
    /// Where the page before ended.
    pub cursor: Option<Cursor>,
}

impl SearchQuery {
    /// The 20 newest messages with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            filter: MessageFilter::default(),
            order: SearchOrder::NewestFirst,
            limit: 20,
            cursor: None,
        }
    }
}

impl fmt::Debug for SearchQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchQuery")
            .field("filter", &self.filter)
            .field("order", &self.order)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// In which order hits come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SearchOrder {
    /// By time, the newest first, whenever they were committed; of one second the last committed.
    #[default]
    NewestFirst,
    /// The best first, among the [`RANK_WINDOW`](crate::search::RANK_WINDOW) newest by time that match.
    Ranked,
}

/// One page of hits.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct SearchPage {
    /// The hits.
    pub hits: Vec<Hit>,
    /// Where the next page begins; `None` on the last one.
    pub cursor: Option<Cursor>,
}

/// A message a search found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Hit {
    /// The message.
    pub message: ArchivedMessage,
    /// The part of its text to show, and what to highlight in it.
    pub snippet: Snippet,
    /// How well it matches, greater is better; 0 when the order is by time.
    pub rank: f64,
}

/// A part of a message's text, by byte ranges that begin and end between characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snippet {
    /// The part to show, in bytes of the message's text.
    pub excerpt: Range<usize>,
    /// What matched inside the excerpt, in bytes of the message's text, in order, apart.
    pub highlights: Vec<Range<usize>>,
}

impl Snippet {
    /// The excerpt, with `open` and `close` around what matched, and an ellipsis where the text
    /// goes on. `text` must be the text of the hit's message.
    pub fn marked(&self, text: &str, open: &str, close: &str) -> String {
        let part = |range: Range<usize>| text.get(range).unwrap_or_default();
        let mut marked = String::new();
        if self.excerpt.start > 0 {
            marked.push('…');
        }
        let mut at = self.excerpt.start;
        for highlight in &self.highlights {
            marked.push_str(part(at..highlight.start));
            marked.push_str(open);
            marked.push_str(part(highlight.clone()));
            marked.push_str(close);
            at = highlight.end;
        }
        marked.push_str(part(at..self.excerpt.end));
        if self.excerpt.end < text.len() {
            marked.push('…');
        }
        marked
    }
}

/// How much a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Messages in the archive, tombstones and unreadable ones included.
    pub messages: u64,
    /// Chats.
    pub chats: u64,
    /// People.
    pub contacts: u64,
    /// Sessions with devices.
    pub sessions: u64,
    /// Outbox entries that are still to be sent.
    pub outbox_pending: u64,
    /// Messages that could not be read yet.
    pub placeholders: u64,
    /// The greatest sequence number given so far.
    pub last_seq: Seq,
}
