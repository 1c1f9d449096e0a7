//! Which part of a message its reporting token covers.
//!
//! Owns the list of fields (version 2 of it) and reads them out of the encoded message, in the one
//! order that sender and server agree on: by field number. Knows nothing of keys.

/// The version of the list, as a stanza names it.
pub const REPORTING_VERSION: u32 = 2;

/// The covered fields of an encoded `Message`, each as it is encoded there, ordered by number;
/// fields of one number keep their order. Of a field with parts only the covered parts are taken,
/// and it is left out if it has none of them.
///
/// What is inside a wrapper (messages to be looked at once, edits) is not covered: known
/// implementations find nothing there.
///
/// `None` if the bytes are no encoded message.
pub fn reported_content(message: &[u8]) -> Option<Vec<u8>> {
    covered(message, MESSAGE)
}

/// A covered field: its number, and which of its parts are covered; no parts mean all of it.
struct Field {
    number: u64,
    parts: &'static [Field],
}

/// Depth is bounded by that of the list.
fn covered(mut rest: &[u8], fields: &[Field]) -> Option<Vec<u8>> {
    let mut found: Vec<(u64, Vec<u8>)> = Vec::new();
    while !rest.is_empty() {
        let Encoded { tag, inside, after } = Encoded::first(rest)?;
        let encoded = rest.get(..rest.len() - after.len())?;
        rest = after;
        let number = tag >> 3;
        let Some(field) = fields.iter().find(|field| field.number == number) else { continue };
        match inside {
            Some(inside) if !field.parts.is_empty() => {
                let parts = covered(inside, field.parts)?;
                if !parts.is_empty() {
                    found.push((number, delimited(tag, &parts)));
                }
            }
            _ => found.push((number, encoded.to_vec())),
        }
    }
    found.sort_by_key(|(number, _)| *number);
    Some(found.into_iter().flat_map(|(_, encoded)| encoded).collect())
}

/// A field as it is encoded.
struct Encoded<'b> {
    /// Its number and how it is encoded.
    tag: u64,
    /// What it holds, if that has a length.
    inside: Option<&'b [u8]>,
    /// What comes after it.
    after: &'b [u8],
}

impl<'b> Encoded<'b> {
    fn first(bytes: &'b [u8]) -> Option<Self> {
        let (tag, rest) = varint(bytes)?;
        let (inside, after) = match tag & 7 {
            VARINT => (None, varint(rest)?.1),
            FIXED_64 => (None, rest.get(8..)?),
            FIXED_32 => (None, rest.get(4..)?),
            DELIMITED => {
                let (len, rest) = varint(rest)?;
                let (inside, after) = rest.split_at_checked(usize::try_from(len).ok()?)?;
                (Some(inside), after)
            }
            _ => return None,
        };
        Some(Self { tag, inside, after })
    }
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (place, byte) in bytes.iter().enumerate().take(MAX_VARINT_LEN) {
        value |= u64::from(byte & 0x7f).checked_shl(u32::try_from(7 * place).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(place + 1..)?));
        }
    }
    None
}

fn delimited(tag: u64, content: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(content.len() + 2 * MAX_VARINT_LEN);
    put_varint(&mut encoded, tag);
    put_varint(&mut encoded, content.len() as u64);
    encoded.extend_from_slice(content);
    encoded
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            return out.push(low & 0x7f);
        }
        out.push(low | 0x80);
    }
}

const fn whole(number: u64) -> Field {
    Field { number, parts: &[] }
}

const fn parts(number: u64, parts: &'static [Field]) -> Field {
    Field { number, parts }
}

/// Of the context: how often it was forwarded, and whether.
const FORWARDED: &[Field] = &[whole(21), whole(22)];

/// Of a poll: question, options' names, context, and of field 8 the first two.
const POLL: &[Field] = &[
    whole(2),
    parts(3, &[whole(1), whole(2)]),
    parts(5, FORWARDED),
    parts(8, &[whole(1), whole(2)]),
];

/// Of a video, also of a round one.
const VIDEO: &[Field] = &[whole(2), whole(6), whole(7), whole(13), parts(17, FORWARDED), whole(20)];

/// Of a message.
const MESSAGE: &[Field] = &[
    // A text alone.
    whole(1),
    // A picture: MIME type, caption, hash of the encrypted file, path and more.
    parts(3, &[whole(2), whole(3), whole(8), whole(11), parts(17, FORWARDED), whole(25)]),
    // A contact.
    parts(4, &[whole(1), whole(16), parts(17, FORWARDED)]),
    // A place.
    parts(5, &[whole(3), whole(4), whole(5), whole(16), parts(17, FORWARDED)]),
    // A text with more to it.
    parts(6, &[whole(1), parts(17, FORWARDED), whole(30)]),
    // A document.
    parts(7, &[whole(2), whole(7), whole(10), parts(17, FORWARDED), whole(20)]),
    // Audio.
    parts(8, &[whole(2), whole(7), whole(9), parts(17, FORWARDED), whole(21)]),
    // A video.
    parts(9, VIDEO),
    // Protocol: the message meant, the type, the time of an edit.
    parts(12, &[whole(1), whole(2), whole(15)]),
    // A place that moves.
    parts(18, &[whole(6), whole(16), parts(17, FORWARDED)]),
    // A sticker.
    parts(26, &[whole(4), whole(5), whole(8), whole(13), parts(17, FORWARDED)]),
    // An invitation to a group.
    parts(28, &[whole(1), whole(2), whole(4), whole(5), whole(6), parts(7, FORWARDED)]),
    // Polls, in their three versions.
    parts(49, POLL),
    parts(60, POLL),
    parts(64, POLL),
    // A round video.
    parts(66, VIDEO),
    // The result of a poll.
    parts(88, &[whole(1), parts(2, &[whole(1)]), parts(3, FORWARDED)]),
];

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const DELIMITED: u64 = 2;
const FIXED_32: u64 = 5;
/// How many bytes a number of 64 bits takes at most.
const MAX_VARINT_LEN: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_picture_the_named_parts_are_taken_in_the_order_of_their_numbers() {
        // Field 35, the context of the message, stands first and is not covered. Of the picture
        // (3): caption (3) before MIME type (2), a width (7) which is not covered, and the context
        // (17), of which the score (21) is and the quoted id (1) is not.
        let picture = b"\x1a\x02hi\x12\x01j\x38\x09\x8a\x01\x06\x0a\x01q\xa8\x01\x03";
        let message = [b"\x9a\x02\x01x\x1a\x12".as_slice(), picture].concat();
        let expected = b"\x1a\x0d\x12\x01j\x1a\x02hi\x8a\x01\x03\xa8\x01\x03";
        assert_eq!(reported_content(&message).unwrap(), expected);
    }

    #[test]
    fn a_field_without_covered_parts_leaves_nothing() {
        assert_eq!(reported_content(b"\x1a\x02\x38\x09").unwrap(), b"");
        assert_eq!(reported_content(b"").unwrap(), b"");
    }

    #[test]
    fn what_is_cut_short_or_no_field_is_no_message() {
        let cut = [
            b"\x0a\x05hi".as_slice(),
            b"\x0a",
            b"\x09\x01",
            b"\x0d\x01",
            b"\x0b",
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x1a\x01\x1a",
        ];
        for bytes in cut {
            assert_eq!(reported_content(bytes), None, "{bytes:x?}");
        }
    }
}
