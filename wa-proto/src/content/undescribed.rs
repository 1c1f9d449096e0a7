//! Fields of an encoded `Message` that decoding leaves out, found by their number.
//!
//! Owns the walk over raw fields. Knows nothing of what they hold.

use bytes::Buf as _;
use prost::encoding::{self, DecodeContext, WireType};

use super::Wrapper;

/// The number of the first field of an encoded `Message` that could be content.
pub(super) fn first_field(message: &[u8]) -> Option<u32> {
    /// Sender keys and the context, which stand beside a content.
    const BESIDE: [u32; 3] = [2, 15, 35];

    let mut rest = message;
    while rest.has_remaining() {
        let (field, wire_type) = encoding::decode_key(&mut rest).ok()?;
        if !BESIDE.contains(&field) {
            return Some(field);
        }
        encoding::skip_field(wire_type, field, &mut rest, DecodeContext::default()).ok()?;
    }
    None
}

/// The number of the first field within `wrappers` that could be content. Of use for fields that
/// the schema does not have, which decoding leaves out.
pub(super) fn undescribed_field(message: &[u8], wrappers: &[Wrapper]) -> Option<u32> {
    let mut message = message;
    for wrapper in wrappers {
        message = submessage(message, wrapper.field())?;
        message = submessage(message, if *wrapper == Wrapper::DeviceSent { 2 } else { 1 })?;
    }
    first_field(message)
}

/// The first occurrence of a length-delimited field in an encoded message.
fn submessage(message: &[u8], wanted: u32) -> Option<&[u8]> {
    let mut rest = message;
    while rest.has_remaining() {
        let (field, wire_type) = encoding::decode_key(&mut rest).ok()?;
        if field == wanted && wire_type == WireType::LengthDelimited {
            let len = encoding::decode_varint(&mut rest).ok()?;
            return rest.get(..usize::try_from(len).ok()?);
        }
        encoding::skip_field(wire_type, field, &mut rest, DecodeContext::default()).ok()?;
    }
    None
}
