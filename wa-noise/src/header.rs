//! What a client sends before its first frame: the header, and before it, where the server has
//! told one, the routing info. Knows nothing of the frames that follow.
//!
//! ```text
//! [ "ED" 00 01 | 3-byte length | routing info ]   "WA" 06 03   first frame …
//! ```

use std::fmt;

use bytes::{Bytes, BytesMut};

use crate::frame::{FRAME_LENGTH_LEN, FrameDecoder, decode_length, encode_length};

/// The longest routing info taken, in bytes. Servers hand out a few dozen.
pub const MAX_ROUTING_INFO_LEN: usize = 65_535;

/// The four bytes that open a connection and, as Noise prologue, stand in both transcripts:
/// `W`, `A`, the protocol's version and the version of the token dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Prologue([u8; 4]);

impl Prologue {
    /// `WA`, protocol 6, dictionary 3.
    pub const CURRENT: Self = Self([b'W', b'A', 6, 3]);

    /// Another version's header; both sides must use the same.
    pub const fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// The four bytes as they are sent.
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }
}

/// What stands before the first frame of a client.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ConnectionHeader {
    /// The opaque bytes of the last `<ib><edge_routing>`, which lead the connection to the edge
    /// the client was on. They stay outside of the Noise transcript.
    pub routing_info: Option<Bytes>,
}

/// The routing info is longer than [`MAX_ROUTING_INFO_LEN`]; connect without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("routing info of {0} bytes; at most {MAX_ROUTING_INFO_LEN} are allowed")]
pub struct RoutingInfoError(pub usize);

impl ConnectionHeader {
    /// The bytes to send before the first frame.
    ///
    /// # Errors
    /// [`RoutingInfoError`] if the routing info is longer than [`MAX_ROUTING_INFO_LEN`].
    pub fn encode(&self) -> Result<Vec<u8>, RoutingInfoError> {
        let mut wire = Vec::new();
        if let Some(routing) = &self.routing_info {
            let too_long = RoutingInfoError(routing.len());
            if routing.len() > MAX_ROUTING_INFO_LEN {
                return Err(too_long);
            }
            wire.extend_from_slice(&ROUTING_MAGIC);
            wire.extend_from_slice(&encode_length(routing.len()).map_err(|_| too_long)?);
            wire.extend_from_slice(routing);
        }
        wire.extend_from_slice(Prologue::CURRENT.as_bytes());
        Ok(wire)
    }
}

impl fmt::Debug for ConnectionHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = self.routing_info.as_ref().map(Bytes::len);
        f.debug_struct("ConnectionHeader").field("routing_info_len", &len).finish()
    }
}

/// The peer did not open the connection as a client of this version does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// It begins with neither routing info nor `WA`.
    #[error("the connection does not begin as one of WhatsApp does")]
    NotWhatsApp,
    /// It is WhatsApp of another version: the protocol's, then the dictionary's.
    #[error("protocol version {0}, dictionary version {1}; expected 6 and 3")]
    Version(u8, u8),
    /// The routing info is longer than [`MAX_ROUTING_INFO_LEN`].
    #[error("routing info of {0} bytes; at most {MAX_ROUTING_INFO_LEN} are allowed")]
    RoutingInfoTooLong(usize),
}

/// Reads a client's header on the server's side, from bytes in any split.
#[derive(Debug, Clone, Default)]
pub struct HeaderDecoder {
    buffer: BytesMut,
}

impl HeaderDecoder {
    /// A decoder at the beginning of a connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes as they came. Once the header is whole, gives it and a decoder which holds what
    /// came after it; this one is then at a beginning again.
    ///
    /// # Errors
    /// [`HeaderError`] at the first byte that no client of this version sends.
    pub fn push(
        &mut self,
        bytes: &[u8],
    ) -> Result<Option<(ConnectionHeader, FrameDecoder)>, HeaderError> {
        self.buffer.extend_from_slice(bytes);
        let Some((header, len)) = parse(&self.buffer)? else {
            return Ok(None);
        };
        let mut frames = FrameDecoder::new();
        frames.push(self.buffer.get(len..).unwrap_or_default());
        self.buffer.clear();
        Ok(Some((header, frames)))
    }
}

/// The header at the beginning of `bytes` and its length, or `None` if they end inside it.
fn parse(bytes: &[u8]) -> Result<Option<(ConnectionHeader, usize)>, HeaderError> {
    if bytes.first() != ROUTING_MAGIC.first() {
        let whole = parse_prologue(bytes)?;
        return Ok(whole.then(|| (ConnectionHeader::default(), PROLOGUE_LEN)));
    }
    let Some((magic, rest)) = bytes.split_first_chunk::<{ ROUTING_MAGIC.len() }>() else {
        let begun = ROUTING_MAGIC.starts_with(bytes);
        return if begun { Ok(None) } else { Err(HeaderError::NotWhatsApp) };
    };
    if magic != &ROUTING_MAGIC {
        return Err(HeaderError::NotWhatsApp);
    }
    let Some((&length, rest)) = rest.split_first_chunk::<FRAME_LENGTH_LEN>() else {
        return Ok(None);
    };
    let len = decode_length(length);
    if len > MAX_ROUTING_INFO_LEN {
        return Err(HeaderError::RoutingInfoTooLong(len));
    }
    let Some((routing, rest)) = rest.split_at_checked(len) else {
        return Ok(None);
    };
    let whole = parse_prologue(rest)?;
    Ok(whole.then(|| {
        let header = ConnectionHeader { routing_info: Some(Bytes::copy_from_slice(routing)) };
        (header, ROUTING_MAGIC.len() + FRAME_LENGTH_LEN + len + PROLOGUE_LEN)
    }))
}

/// Whether the prologue is whole; an error if what is there is not its beginning.
fn parse_prologue(bytes: &[u8]) -> Result<bool, HeaderError> {
    let current = Prologue::CURRENT;
    match *bytes {
        [b'W', b'A', protocol, dictionary, ..] => {
            let same = [b'W', b'A', protocol, dictionary] == *current.as_bytes();
            if same { Ok(true) } else { Err(HeaderError::Version(protocol, dictionary)) }
        }
        [] | [b'W'] | [b'W', b'A'] | [b'W', b'A', _] => Ok(false),
        _ => Err(HeaderError::NotWhatsApp),
    }
}

/// Announces routing info: the letters `ED` and `00 01`.
const ROUTING_MAGIC: [u8; 4] = [b'E', b'D', 0, 1];
const PROLOGUE_LEN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode_frame;

    fn wire(routing_info: Option<&'static [u8]>) -> (ConnectionHeader, Vec<u8>) {
        let header = ConnectionHeader { routing_info: routing_info.map(Bytes::from_static) };
        let wire = header.encode().unwrap();
        (header, wire)
    }

    #[test]
    fn routing_info_stands_before_the_header_and_outside_of_it() {
        assert_eq!(wire(None).1, b"WA\x06\x03");
        assert_eq!(wire(Some(b"edge")).1, b"ED\x00\x01\x00\x00\x04edgeWA\x06\x03");
    }

    #[test]
    fn both_forms_are_read_at_every_split_with_the_frame_that_follows() {
        for routing_info in [None, Some(&b""[..]), Some(&b"WA\x06\x03 and on"[..])] {
            let (header, mut wire) = wire(routing_info);
            let header_len = wire.len();
            wire.extend(encode_frame(b"hello").unwrap());
            for split in 0..=wire.len() {
                let mut decoder = HeaderDecoder::new();
                let first = decoder.push(&wire[..split]).unwrap();
                assert_eq!(first.is_some(), split >= header_len, "split at {split}");
                let (read, mut frames) = match first {
                    Some((read, mut frames)) => {
                        frames.push(&wire[split..]);
                        (read, frames)
                    }
                    None => decoder.push(&wire[split..]).unwrap().unwrap(),
                };
                assert_eq!(read, header, "split at {split}");
                assert_eq!(frames.next_frame().unwrap().unwrap(), b"hello"[..]);
                assert_eq!(frames.buffered(), 0);
            }
            let mut decoder = HeaderDecoder::new();
            let (last, begin) = wire[..header_len].split_last().unwrap();
            for byte in begin {
                assert!(decoder.push(&[*byte]).unwrap().is_none());
            }
            assert_eq!(decoder.push(&[*last]).unwrap().unwrap().0, header);
        }
    }

    #[test]
    fn what_no_client_sends_is_refused_at_its_first_byte() {
        for (bytes, error) in [
            (&b"G"[..], HeaderError::NotWhatsApp),
            (b"WB", HeaderError::NotWhatsApp),
            (b"EB", HeaderError::NotWhatsApp),
            (b"ED\x00\x02", HeaderError::NotWhatsApp),
            (b"ED\x00\x01\x00\x00\x01xG", HeaderError::NotWhatsApp),
            (b"WA\x05\x03", HeaderError::Version(5, 3)),
            (b"WA\x06\x02", HeaderError::Version(6, 2)),
            (b"ED\x00\x01\x01\x00\x00", HeaderError::RoutingInfoTooLong(65_536)),
        ] {
            assert_eq!(HeaderDecoder::new().push(bytes).unwrap_err(), error);
            let begin = &bytes[..bytes.len() - 1];
            assert!(HeaderDecoder::new().push(begin).unwrap().is_none());
        }
    }

    #[test]
    fn routing_info_has_a_limit() {
        let of = |len| ConnectionHeader { routing_info: Some(Bytes::from(vec![7; len])) };
        assert_eq!(MAX_ROUTING_INFO_LEN, 65_535);
        let longest = of(65_535);
        let wire = longest.encode().unwrap();
        assert_eq!(wire[..7], *b"ED\x00\x01\x00\xff\xff");
        assert_eq!(wire.len(), 4 + 3 + 65_535 + 4);
        assert_eq!(HeaderDecoder::new().push(&wire).unwrap().unwrap().0, longest);
        assert_eq!(of(65_536).encode(), Err(RoutingInfoError(65_536)));
    }

    #[test]
    fn debug_shows_no_routing_info() {
        let shown = format!("{:?}", wire(Some(b"edge")).0);
        assert_eq!(shown, "ConnectionHeader { routing_info_len: Some(4) }");
    }
}
