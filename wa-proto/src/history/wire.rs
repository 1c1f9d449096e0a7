//! Protobuf fields in a buffer that is filled as they are read.
//!
//! Owns tags, lengths and the passing over of what nobody wants, which needs no room however long
//! it is. Knows nothing of what the fields mean.

use std::fmt;

use super::HistoryError;

/// Bytes that wait to be read.
#[derive(Default)]
pub(super) struct Wire {
    bytes: Vec<u8>,
    /// Where the first unread byte is.
    at: usize,
    /// How many bytes are to be passed over that have not come yet.
    unwanted: u64,
}

/// A field whose beginning has been seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) number: u32,
    /// How many bytes its tag takes, and its length where it has one.
    pub(super) header: usize,
    /// The length it announces, if it is of the kind that does.
    pub(super) len: Option<u64>,
    /// How long what follows the header is.
    body: u64,
}

impl Field {
    /// How long the field is, its header included.
    pub(super) fn total(&self) -> u64 {
        self.body.saturating_add(self.header as u64)
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("waiting", &self.rest().len()).finish_non_exhaustive()
    }
}

impl Wire {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Whether nothing waits and nothing is to be passed over.
    pub(super) fn is_idle(&self) -> bool {
        self.rest().is_empty() && self.unwanted == 0
    }

    /// Appends up to `room` bytes, as many as `fill` says.
    pub(super) fn grow<T, E>(
        &mut self,
        room: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(T, usize), E>,
    ) -> Result<T, E> {
        self.bytes.drain(..self.at);
        self.at = 0;
        let old = self.bytes.len();
        // What a long item took is given back once it is read.
        if old < room && self.bytes.capacity() > KEPT_CAPACITY {
            self.bytes.shrink_to(KEPT_CAPACITY);
        }
        self.bytes.resize(old + room, 0);
        let filled = fill(self.bytes.get_mut(old..).unwrap_or_default());
        let count = filled.as_ref().map_or(0, |(_, count)| *count);
        self.bytes.truncate(old + count.min(room));
        filled.map(|(value, _)| value)
    }

    /// Passes over what is to be; whether all of it has come.
    pub(super) fn pass_over(&mut self) -> bool {
        let here = usize::try_from(self.unwanted).unwrap_or(usize::MAX).min(self.rest().len());
        self.take(here);
        self.unwanted -= here as u64;
        self.unwanted == 0
    }

    /// The bytes were read.
    pub(super) fn take(&mut self, count: usize) {
        self.at = self.bytes.len().min(self.at + count);
    }

    /// The next field's beginning; `None` if it has not come whole.
    pub(super) fn peek(&self) -> Result<Option<Field>, HistoryError> {
        field_at(self.rest())
    }

    /// What follows a field's header, if it has come whole.
    pub(super) fn body(&self, field: &Field) -> Option<&[u8]> {
        self.whole(field)?.get(field.header..)
    }

    /// A field with its header, if it has come whole.
    pub(super) fn whole(&self, field: &Field) -> Option<&[u8]> {
        self.rest().get(..usize::try_from(field.total()).ok()?)
    }

    /// Passes over a field, also what has not come of it.
    pub(super) fn skip(&mut self, field: &Field) {
        self.unwanted = field.total();
        self.pass_over();
    }
}

/// The last field of this number that announces its length, in a message that is there whole.
pub(super) fn field_of(mut message: &[u8], number: u32) -> Option<&[u8]> {
    let mut found = None;
    while let Ok(Some(field)) = field_at(message) {
        let end = usize::try_from(field.total()).ok()?;
        let whole = message.get(..end)?;
        if field.number == number && field.len.is_some() {
            found = whole.get(field.header..);
        }
        message = message.get(end..)?;
    }
    found
}

fn field_at(bytes: &[u8]) -> Result<Option<Field>, HistoryError> {
    let Some((tag, tag_len)) = varint(bytes)? else { return Ok(None) };
    let number = u32::try_from(tag >> 3).map_err(|_| HistoryError::Malformed)?;
    if number == 0 {
        return Err(HistoryError::Malformed);
    }
    let rest = bytes.get(tag_len..).unwrap_or_default();
    let (header, len, body) = match tag & 7 {
        VARINT => match varint(rest)? {
            Some((_, len)) => (tag_len, None, len as u64),
            None => return Ok(None),
        },
        FIXED_64 => (tag_len, None, 8),
        FIXED_32 => (tag_len, None, 4),
        LENGTH_DELIMITED => match varint(rest)? {
            Some((len, len_len)) => (tag_len + len_len, Some(len), len),
            None => return Ok(None),
        },
        // Groups, which nobody writes, and what is no wire type.
        _ => return Err(HistoryError::Malformed),
    };
    Ok(Some(Field { number, header, len, body }))
}

/// A number and how many bytes it takes; `None` if it has not come whole.
fn varint(bytes: &[u8]) -> Result<Option<(u64, usize)>, HistoryError> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(MAX_VARINT).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((value, index + 1)));
        }
    }
    if bytes.len() >= MAX_VARINT { Err(HistoryError::Malformed) } else { Ok(None) }
}

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const LENGTH_DELIMITED: u64 = 2;
const FIXED_32: u64 = 5;
/// The most bytes a number takes.
const MAX_VARINT: usize = 10;
/// How much room is kept when nothing long is read.
const KEPT_CAPACITY: usize = 1 << 20;
