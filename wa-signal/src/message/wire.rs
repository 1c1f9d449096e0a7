//! What every Signal message shares: the version byte, and a protobuf in which no field stands
//! twice. Unknown fields are passed over.

use prost::{
    Message,
    encoding::{DecodeContext, decode_key, skip_field},
};

use super::MessageError;
use crate::limits::MAX_MESSAGE_LEN;

/// The protocol version of every message here.
const VERSION: u8 = 3;

/// Message version 3 made by a client of version 3.
const VERSION_BYTE: u8 = 0x33;

/// Checks length and version; gives what stands behind the version byte.
pub(crate) fn split_version(bytes: &[u8]) -> Result<&[u8], MessageError> {
    if bytes.len() > MAX_MESSAGE_LEN {
        return Err(MessageError::TooLong(bytes.len()));
    }
    let (&version, body) = bytes.split_first().ok_or(MessageError::TooShort)?;
    if version >> 4 != VERSION {
        return Err(MessageError::UnsupportedVersion(version >> 4));
    }
    Ok(body)
}

/// The version byte and the protobuf behind it.
pub(crate) fn with_version(message: &impl Message, room: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + message.encoded_len() + room);
    bytes.push(VERSION_BYTE);
    message.encode_raw(&mut bytes);
    bytes
}

/// Reads a protobuf of which no field may be repeated.
pub(crate) fn decode_body<M: Message + Default>(body: &[u8]) -> Result<M, MessageError> {
    refuse_repetition(body)?;
    M::decode(body).map_err(|_| MessageError::Protobuf)
}

fn refuse_repetition(mut body: &[u8]) -> Result<(), MessageError> {
    /// Field numbers from here on are nobody's yet and not looked at.
    const UNTRACKED: u32 = 64;
    let mut seen = 0_u64;
    while !body.is_empty() {
        let (tag, wire_type) = decode_key(&mut body).map_err(|_| MessageError::Protobuf)?;
        if tag < UNTRACKED {
            if seen & 1 << tag != 0 {
                return Err(MessageError::RepeatedField(tag));
            }
            seen |= 1 << tag;
        }
        skip_field(wire_type, tag, &mut body, DecodeContext::default())
            .map_err(|_| MessageError::Protobuf)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, PartialEq, Message)]
    struct One {
        #[prost(uint32, optional, tag = "1")]
        number: Option<u32>,
    }

    #[test]
    fn unknown_fields_are_passed_over_and_repeated_ones_refused() {
        assert_eq!(decode_body::<One>(&[8, 5, 0x7a, 1, 9]).unwrap().number, Some(5));
        assert_eq!(decode_body::<One>(&[8, 5, 8, 6]), Err(MessageError::RepeatedField(1)));
        assert_eq!(decode_body::<One>(&[8]), Err(MessageError::Protobuf));
        // Field 63 is the last that is looked at.
        let twice = |field: [u8; 3]| [&[8, 5], &field[..], &field[..]].concat();
        assert_eq!(decode_body::<One>(&twice([0xf8, 3, 1])), Err(MessageError::RepeatedField(63)));
        assert_eq!(decode_body::<One>(&twice([0x80, 4, 1])).unwrap().number, Some(5));
    }

    #[test]
    fn only_version_3_is_read() {
        assert_eq!(split_version(&[]), Err(MessageError::TooShort));
        assert_eq!(split_version(&[0x22]), Err(MessageError::UnsupportedVersion(2)));
        assert_eq!(split_version(&[0x44, 1]), Err(MessageError::UnsupportedVersion(4)));
        assert_eq!(split_version(&[0x33, 1]), Ok(&[1][..]));
        let mut long = vec![0x33; 16_777_216];
        assert_eq!(split_version(&long), Err(MessageError::TooLong(16_777_216)));
        long.pop();
        assert_eq!(split_version(&long).map(<[u8]>::len), Ok(16_777_214));
    }
}
