//! Frames: how a stream of bytes is cut into messages. Owns the 3-byte length and knows nothing
//! of what a frame holds.
//!
//! A WebSocket message may hold several frames, and a frame may be spread over several WebSocket
//! messages; the decoder therefore takes bytes in any split.

use bytes::{Buf, Bytes, BytesMut};

/// The bytes of the big-endian length that stands before every frame.
pub const FRAME_LENGTH_LEN: usize = 3;

/// The longest frame, in bytes without its length: what three bytes can say.
pub const MAX_FRAME_LEN: usize = (1 << 24) - 1;

/// A frame is longer than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The frame has `len` bytes where `limit` are allowed.
    #[error("a frame of {len} bytes; at most {limit} are allowed")]
    TooLong {
        /// The length of the frame, without the three bytes that tell it.
        len: usize,
        /// The longest frame allowed.
        limit: usize,
    },
}

/// Puts the 3-byte big-endian length before a frame.
///
/// # Errors
/// [`FrameError::TooLong`] if the frame exceeds [`MAX_FRAME_LEN`].
pub fn encode_frame(frame: &[u8]) -> Result<Vec<u8>, FrameError> {
    let mut wire = Vec::with_capacity(FRAME_LENGTH_LEN.saturating_add(frame.len()));
    wire.extend_from_slice(&encode_length(frame.len())?);
    wire.extend_from_slice(frame);
    Ok(wire)
}

/// Cuts frames out of bytes that arrive in any split.
///
/// It holds what was pushed and not yet taken, and nothing more: a length that was announced
/// reserves no memory. A caller who takes every frame after each push thus never has it hold more
/// than one unfinished frame.
#[derive(Debug, Clone)]
pub struct FrameDecoder {
    buffer: BytesMut,
    limit: usize,
}

impl FrameDecoder {
    /// A decoder of frames up to [`MAX_FRAME_LEN`].
    pub fn new() -> Self {
        Self::with_limit(MAX_FRAME_LEN)
    }

    /// A decoder that refuses frames above `limit` bytes, for a peer that is not known yet.
    pub fn with_limit(limit: usize) -> Self {
        Self { buffer: BytesMut::new(), limit }
    }

    /// Changes the longest frame allowed, once the peer is known.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Adds bytes as they came from the peer.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Takes the next frame, without its length, or `None` until more bytes are pushed.
    ///
    /// # Errors
    /// [`FrameError::TooLong`] as soon as the length says so. The stream cannot be followed any
    /// further then, and every later call says the same.
    pub fn next_frame(&mut self) -> Result<Option<Bytes>, FrameError> {
        let Some((&length, body)) = self.buffer.split_first_chunk::<FRAME_LENGTH_LEN>() else {
            return Ok(None);
        };
        let len = decode_length(length);
        if len > self.limit {
            return Err(FrameError::TooLong { len, limit: self.limit });
        }
        if body.len() < len {
            return Ok(None);
        }
        self.buffer.advance(FRAME_LENGTH_LEN);
        Ok(Some(self.buffer.split_to(len).freeze()))
    }

    /// How many bytes were pushed and not yet taken. Not zero when a stream ends: it was cut off
    /// inside a frame.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }
}

impl Default for FrameDecoder {
    fn default() -> Self {
        Self::new()
    }
}

pub(crate) fn encode_length(len: usize) -> Result<[u8; FRAME_LENGTH_LEN], FrameError> {
    let too_long = FrameError::TooLong { len, limit: MAX_FRAME_LEN };
    let [0, length @ ..] = u32::try_from(len).map_err(|_| too_long)?.to_be_bytes() else {
        return Err(too_long);
    };
    Ok(length)
}

pub(crate) fn decode_length([a, b, c]: [u8; FRAME_LENGTH_LEN]) -> usize {
    usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_spread_over_pushes_is_whole_at_every_split() {
        let mut wire = encode_frame(b"first frame").unwrap();
        wire.extend(encode_frame(b"").unwrap());
        wire.extend(encode_frame(&[7; 300]).unwrap());
        for split in 0..=wire.len() {
            let mut decoder = FrameDecoder::new();
            let mut frames = Vec::new();
            for part in [&wire[..split], &wire[split..]] {
                decoder.push(part);
                while let Some(frame) = decoder.next_frame().unwrap() {
                    frames.push(frame);
                }
            }
            assert_eq!(frames, [&b"first frame"[..], &[], &[7; 300]], "split at {split}");
            assert_eq!(decoder.buffered(), 0);
        }
    }

    #[test]
    fn the_longest_frame_passes_and_one_byte_more_does_not() {
        let longest = vec![0; MAX_FRAME_LEN];
        let wire = encode_frame(&longest).unwrap();
        assert_eq!(wire[..3], [0xff, 0xff, 0xff]);
        let mut decoder = FrameDecoder::new();
        decoder.push(&wire);
        assert_eq!(decoder.next_frame().unwrap().unwrap().len(), MAX_FRAME_LEN);

        let too_long = vec![0; MAX_FRAME_LEN + 1];
        assert_eq!(
            encode_frame(&too_long),
            Err(FrameError::TooLong { len: 1 << 24, limit: MAX_FRAME_LEN })
        );
    }

    #[test]
    fn a_length_above_the_limit_is_refused_before_its_bytes_come() {
        let mut decoder = FrameDecoder::with_limit(10);
        decoder.push(&[0, 0, 10]);
        assert_eq!(decoder.next_frame(), Ok(None));
        decoder.push(&[1; 10]);
        assert_eq!(decoder.next_frame().unwrap().unwrap(), [1; 10][..]);
        decoder.push(&[0, 0, 11]);
        let refusal = Err(FrameError::TooLong { len: 11, limit: 10 });
        assert_eq!(decoder.next_frame(), refusal);
        decoder.push(&[1; 11]);
        assert_eq!(decoder.next_frame(), refusal);
    }

    #[test]
    fn a_peer_that_is_known_may_send_longer_frames_and_what_is_cut_off_is_counted() {
        let mut decoder = FrameDecoder::with_limit(4);
        decoder.set_limit(5);
        decoder.push(&encode_frame(&[7; 5]).unwrap());
        assert_eq!(decoder.next_frame().unwrap().unwrap(), [7; 5].as_slice());
        decoder.push(&encode_frame(&[7; 5]).unwrap()[..6]);
        assert_eq!((decoder.next_frame(), decoder.buffered()), (Ok(None), 6));
        decoder.set_limit(4);
        assert_eq!(decoder.next_frame(), Err(FrameError::TooLong { len: 5, limit: 4 }));
    }

    #[test]
    fn an_announced_length_reserves_no_memory() {
        let mut decoder = FrameDecoder::new();
        decoder.push(&[0xff, 0xff, 0xff, 1]);
        assert_eq!(decoder.next_frame(), Ok(None));
        assert!(decoder.buffer.capacity() < 1024);
    }
}
