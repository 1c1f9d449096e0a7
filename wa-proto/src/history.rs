//! A `HistorySync`, read as it comes in: one message, name or mapping at a time.
//!
//! Owns the way through the blob, which may hold a hundred thousand messages and is never whole in
//! memory: compressed bytes go in, items come out, and what waits in between is bounded by the
//! longest item. Knows nothing of where the bytes are from, nor of what the items mean.
//!
//! ```
//! use wa_proto::history::{HistoryItem, HistoryReader};
//!
//! # fn read(blob: &[u8]) -> Result<usize, wa_proto::history::HistoryError> {
//! let mut reader = HistoryReader::new();
//! let mut messages = 0;
//! for mut piece in blob.chunks(4096) {
//!     while let Some(item) = reader.next(&mut piece)? {
//!         messages += usize::from(matches!(item, HistoryItem::Message(_)));
//!     }
//! }
//! reader.finish()?;
//! # Ok(messages)
//! # }
//! # assert!(read(&[0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01]).is_ok());
//! ```

mod inflate;
mod wire;

use std::fmt;

use prost::Message as _;

use crate::pb;
use inflate::Inflater;
use wire::Wire;

/// The most bytes a blob may inflate to. The largest chunks that phones send hold some tens of
/// megabytes.
pub const MAX_INFLATED_LEN: u64 = 1 << 30;

/// How much larger than its compressed form a blob may be, beyond the first [`FREE_INFLATION`]
/// bytes. Texts compress ten times at most, thumbnails hardly.
pub const MAX_INFLATION: u64 = 100;

/// So many bytes may come of however few: a single long and dull text compresses a thousand times.
pub const FREE_INFLATION: u64 = 64 << 20;

/// The longest item that is read; longer ones are passed over. A message of this size cannot be
/// sent, but a caption of ten megabytes has been seen.
pub const MAX_ITEM_LEN: usize = 32 << 20;

/// How many bytes of a chat's own fields are read, besides its messages; a group's members are
/// among them.
pub const MAX_CHAT_LEN: usize = 4 << 20;

/// Something a history holds.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum HistoryItem {
    /// A message of a chat, or a status post.
    Message(Box<HistoryMessage>),
    /// A chat, without its messages, which come before it.
    Chat(Box<pb::Conversation>),
    /// The name that a person gave themself.
    PushName(pb::Pushname),
    /// A phone number and a LID of one person.
    LidMapping(pb::PhoneNumberToLidMapping),
    /// A contact of the address book.
    Contact(pb::InlineContact),
    /// Something that was passed over: longer than [`MAX_ITEM_LEN`], or no valid protobuf.
    Unreadable,
}

/// A message of a history.
#[derive(Clone, PartialEq)]
pub struct HistoryMessage {
    /// The chat, as the conversation names it; `None` for status posts, and where the name comes
    /// behind the messages, which no phone does.
    pub chat: Option<String>,
    /// Everything but the message itself.
    pub info: pb::WebMessageInfo,
    /// The message's own bytes: a `Message`. `None` for what has no content.
    pub message: Option<Vec<u8>>,
}

impl fmt::Debug for HistoryItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Message(_) => "Message",
            Self::Chat(_) => "Chat",
            Self::PushName(_) => "PushName",
            Self::LidMapping(_) => "LidMapping",
            Self::Contact(_) => "Contact",
            Self::Unreadable => "Unreadable",
        })
    }
}

impl fmt::Debug for HistoryMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HistoryMessage(…)")
    }
}

/// Why a blob is no history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The zlib stream is damaged.
    #[error("the history does not inflate")]
    Compression,
    /// It ends within the stream.
    #[error("the history is cut off")]
    Truncated,
    /// It inflates to more than [`MAX_INFLATED_LEN`], or by more than [`MAX_INFLATION`].
    #[error("the history inflates beyond its bound")]
    TooLarge,
    /// Lengths, tags or wire types contradict each other.
    #[error("the history is no valid protobuf")]
    Malformed,
}

/// Reads a history piece by piece.
#[derive(Debug)]
pub struct HistoryReader {
    inflater: Inflater,
    /// What is inflated and not read yet.
    wire: Wire,
    /// The chat in whose entry the reading is.
    chat: Option<Chat>,
    /// The scalar fields of the whole.
    head: Vec<u8>,
}

/// A conversation's entry that is being read.
#[derive(Default)]
struct Chat {
    /// How many bytes of it are left.
    left: u64,
    id: Option<String>,
    /// Its own fields, still encoded.
    fields: Vec<u8>,
    /// Whether there were more of them than [`MAX_CHAT_LEN`].
    is_cut: bool,
}

impl fmt::Debug for Chat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chat").field("left", &self.left).finish_non_exhaustive()
    }
}

impl Default for HistoryReader {
    fn default() -> Self {
        Self::new()
    }
}

impl HistoryReader {
    /// Begins to read a zlib stream.
    pub fn new() -> Self {
        Self { inflater: Inflater::new(), wire: Wire::default(), chat: None, head: Vec::new() }
    }

    /// The next item, taking from `compressed` what it needs. `None` when all of that is used up:
    /// call again with the next piece.
    ///
    /// # Errors
    /// [`HistoryError`]; nothing more can be read then.
    pub fn next(&mut self, compressed: &mut &[u8]) -> Result<Option<HistoryItem>, HistoryError> {
        loop {
            while let Some(step) = self.step()? {
                if let Step::Item(item) = step {
                    return Ok(Some(item));
                }
            }
            if !self.inflater.inflate(compressed, &mut self.wire)? {
                return Ok(None);
            }
        }
    }

    /// The blob is over: gives what it says of itself, its kind, number and salts, in a
    /// `HistorySync` without lists.
    ///
    /// # Errors
    /// [`HistoryError::Truncated`] if it is not.
    pub fn finish(self) -> Result<pb::HistorySync, HistoryError> {
        if !self.inflater.is_over() || !self.wire.is_idle() || self.chat.is_some() {
            return Err(HistoryError::Truncated);
        }
        pb::HistorySync::decode(self.head.as_slice()).map_err(|_| HistoryError::Malformed)
    }

    /// Reads one field, if it is there whole; `None` if more bytes are needed.
    fn step(&mut self) -> Result<Option<Step>, HistoryError> {
        if !self.wire.pass_over() {
            return Ok(None);
        }
        let Some(chat) = &mut self.chat else { return self.top_level() };
        if chat.left > 0 {
            return chat.step(&mut self.wire);
        }
        let chat = self.chat.take().unwrap_or_default();
        Ok(Some(Step::Item(chat.finish())))
    }

    fn top_level(&mut self) -> Result<Option<Step>, HistoryError> {
        let Some(field) = self.wire.peek()? else { return Ok(None) };
        match (field.number, field.len) {
            (CONVERSATIONS, Some(len)) => {
                self.wire.take(field.header);
                self.chat = Some(Chat { left: len, ..Chat::default() });
            }
            (STATUS_MESSAGES | PUSH_NAMES | LID_MAPPINGS | INLINE_CONTACTS, Some(len)) => {
                if len > MAX_ITEM_LEN as u64 {
                    self.wire.skip(&field);
                    return Ok(Some(Step::Item(HistoryItem::Unreadable)));
                }
                let Some(body) = self.wire.body(&field) else { return Ok(None) };
                let item = item(field.number, body);
                self.wire.skip(&field);
                return Ok(Some(Step::Item(item)));
            }
            (number, _) if is_head(number) && field.total() <= MAX_HEAD_FIELD => {
                let Some(whole) = self.wire.whole(&field) else { return Ok(None) };
                // Each of these stands once, so this is bounded unless somebody plays.
                if self.head.len() < MAX_HEAD_LEN {
                    self.head.extend_from_slice(whole);
                }
                self.wire.skip(&field);
            }
            _ => self.wire.skip(&field),
        }
        Ok(Some(Step::Passed))
    }
}

enum Step {
    Item(HistoryItem),
    Passed,
}

impl Chat {
    fn step(&mut self, wire: &mut Wire) -> Result<Option<Step>, HistoryError> {
        let Some(field) = wire.peek()? else { return Ok(None) };
        let left = self.left.checked_sub(field.total()).ok_or(HistoryError::Malformed)?;
        let is_message = field.number == CHAT_MESSAGES && field.len.is_some();
        if field.total() > MAX_ITEM_LEN as u64 {
            wire.skip(&field);
            self.left = left;
            self.is_cut |= !is_message;
            return Ok(Some(Step::Item(HistoryItem::Unreadable)));
        }
        let (Some(whole), Some(body)) = (wire.whole(&field), wire.body(&field)) else {
            return Ok(None);
        };
        let step = if is_message {
            Step::Item(message(self.id.clone(), body))
        } else {
            if field.number == CHAT_ID {
                self.id = String::from_utf8(body.to_vec()).ok();
            }
            if self.fields.len() + whole.len() <= MAX_CHAT_LEN {
                self.fields.extend_from_slice(whole);
            } else {
                self.is_cut = true;
            }
            Step::Passed
        };
        wire.skip(&field);
        self.left = left;
        Ok(Some(step))
    }

    fn finish(self) -> HistoryItem {
        match pb::Conversation::decode(self.fields.as_slice()) {
            Ok(chat) if !chat.id.is_empty() => HistoryItem::Chat(Box::new(chat)),
            _ => HistoryItem::Unreadable,
        }
    }
}

/// A `HistorySyncMsg` as an item.
fn message(chat: Option<String>, bytes: &[u8]) -> HistoryItem {
    match wire::field_of(bytes, SYNC_MESSAGE_INFO) {
        Some(info) => web_message(chat, info),
        None => HistoryItem::Unreadable,
    }
}

/// A `WebMessageInfo` as an item: the message itself stays as it is encoded.
fn web_message(chat: Option<String>, bytes: &[u8]) -> HistoryItem {
    let Ok(mut info) = pb::WebMessageInfo::decode(bytes) else { return HistoryItem::Unreadable };
    info.message = None;
    let message = wire::field_of(bytes, INFO_MESSAGE).map(<[u8]>::to_vec);
    HistoryItem::Message(Box::new(HistoryMessage { chat, info, message }))
}

fn item(number: u32, bytes: &[u8]) -> HistoryItem {
    let read = match number {
        STATUS_MESSAGES => return web_message(None, bytes),
        PUSH_NAMES => pb::Pushname::decode(bytes).map(HistoryItem::PushName),
        LID_MAPPINGS => pb::PhoneNumberToLidMapping::decode(bytes).map(HistoryItem::LidMapping),
        _ => pb::InlineContact::decode(bytes).map(HistoryItem::Contact),
    };
    read.unwrap_or(HistoryItem::Unreadable)
}

/// Whether a field stands once and says something of the whole.
fn is_head(number: u32) -> bool {
    matches!(number, 1 | 5 | 6 | 8 | 9 | 10 | 14 | 16 | 17 | 19 | 21)
}

// Numbers of the fields that are looked for, from `history.proto` and `web.proto`.
const CONVERSATIONS: u32 = 2;
const STATUS_MESSAGES: u32 = 3;
const PUSH_NAMES: u32 = 7;
const LID_MAPPINGS: u32 = 15;
const INLINE_CONTACTS: u32 = 20;
const CHAT_ID: u32 = 1;
const CHAT_MESSAGES: u32 = 2;
const SYNC_MESSAGE_INFO: u32 = 1;
const INFO_MESSAGE: u32 = 2;

/// The longest field that the whole says of itself: settings with a wallpaper's name.
const MAX_HEAD_FIELD: u64 = 1 << 16;
/// The most bytes of all these fields together.
const MAX_HEAD_LEN: usize = 1 << 20;

#[cfg(test)]
mod tests;
