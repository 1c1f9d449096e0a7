//! The transport after the handshake: each direction seals its frames under its own key and
//! counter. Knows nothing of how the keys were agreed on or of what the frames say.

use std::fmt;

use wa_crypto::{GCM_TAG_LEN, aes_gcm_open, aes_gcm_seal};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::MAX_FRAME_LEN;

/// Both directions of an established connection, as one side has them.
#[derive(Debug)]
pub struct Transport {
    sealer: Sealer,
    opener: Opener,
}

impl Transport {
    pub(crate) fn new(sends: &[u8; 32], receives: &[u8; 32]) -> Self {
        Self { sealer: Sealer(Direction::new(sends)), opener: Opener(Direction::new(receives)) }
    }

    /// The two directions, which have nothing in common and may live in different tasks.
    pub fn split(self) -> (Sealer, Opener) {
        (self.sealer, self.opener)
    }
}

/// A frame cannot be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// With its tag it would exceed [`MAX_FRAME_LEN`]. Nothing was sealed; the direction goes on.
    #[error("a plaintext of {0} bytes does not fit into a frame")]
    TooLong(usize),
    /// All 2^32 counters of the direction are used; the connection must be made anew.
    #[error("the direction has sealed as many frames as its counter can tell apart")]
    CounterExhausted,
}

/// A frame cannot be opened. The stream has lost its integrity; close the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The frame was altered, replayed, out of order, or never sealed for this direction.
    #[error("the frame does not decrypt")]
    Decrypt,
    /// All 2^32 counters of the direction are used; the connection must be made anew.
    #[error("the direction has opened as many frames as its counter can tell apart")]
    CounterExhausted,
}

/// The sending direction.
#[derive(Debug)]
pub struct Sealer(pub(crate) Direction);

impl Sealer {
    /// Seals the next frame: AES-256-GCM under the frame's number, without additional data.
    ///
    /// The result is 16 bytes longer than the plaintext and lacks the length; pass it to
    /// [`encode_frame`](crate::encode_frame). Frames must be sent in the order of sealing.
    ///
    /// # Errors
    /// [`SealError`] if the plaintext is too long for a frame or the counter has run out.
    pub fn seal(&mut self, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        if plaintext.len() > MAX_FRAME_LEN - GCM_TAG_LEN {
            return Err(SealError::TooLong(plaintext.len()));
        }
        let counter = self.0.next.ok_or(SealError::CounterExhausted)?;
        self.0.next = counter.checked_add(1);
        Ok(aes_gcm_seal(&self.0.key, &nonce(counter), &[], plaintext))
    }
}

/// The receiving direction.
#[derive(Debug)]
pub struct Opener(pub(crate) Direction);

impl Opener {
    /// Opens the next frame, given without its length.
    ///
    /// # Errors
    /// [`OpenError`] if it is not the peer's next frame or the counter has run out. The direction
    /// does not advance.
    pub fn open(&mut self, frame: &[u8]) -> Result<Vec<u8>, OpenError> {
        let counter = self.0.next.ok_or(OpenError::CounterExhausted)?;
        let plaintext = aes_gcm_open(&self.0.key, &nonce(counter), &[], frame)
            .map_err(|_| OpenError::Decrypt)?;
        self.0.next = counter.checked_add(1);
        Ok(plaintext)
    }
}

/// One direction's key, and the number of its next frame unless all are used.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Direction {
    pub(crate) key: [u8; 32],
    pub(crate) next: Option<u32>,
}

impl Direction {
    fn new(key: &[u8; 32]) -> Self {
        Self { key: *key, next: Some(0) }
    }
}

impl fmt::Debug for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direction").field("next", &self.next).finish_non_exhaustive()
    }
}

/// A counter as a GCM nonce: 96 bits, big-endian.
pub(crate) fn nonce(counter: u32) -> [u8; 12] {
    let mut nonce = [0; 12];
    let (_, low) = nonce.split_at_mut(8);
    low.copy_from_slice(&counter.to_be_bytes());
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Transport, Transport) {
        (Transport::new(&[1; 32], &[2; 32]), Transport::new(&[2; 32], &[1; 32]))
    }

    #[test]
    fn frames_open_in_the_order_of_sealing_only() {
        let (left, right) = pair();
        let ((mut seals, _), (_, mut opens)) = (left.split(), right.split());
        let first = seals.seal(b"first").unwrap();
        let second = seals.seal(b"second").unwrap();
        assert_eq!(opens.open(&second), Err(OpenError::Decrypt));
        assert_eq!(opens.open(&first).unwrap(), b"first");
        assert_eq!(opens.open(&first), Err(OpenError::Decrypt), "a replayed frame");
        assert_eq!(opens.open(&second).unwrap(), b"second");
    }

    #[test]
    fn the_directions_are_independent() {
        let (left, right) = pair();
        let ((mut left_seals, mut left_opens), (mut right_seals, mut right_opens)) =
            (left.split(), right.split());
        let there = left_seals.seal(b"there").unwrap();
        assert_eq!(left_opens.open(&there), Err(OpenError::Decrypt), "reflected to its sender");
        assert_eq!(right_opens.open(&there).unwrap(), b"there");
        let back = right_seals.seal(b"back").unwrap();
        assert_eq!(left_opens.open(&back).unwrap(), b"back");
    }

    #[test]
    fn a_used_up_counter_is_an_error_and_never_starts_over() {
        let mut seals = Sealer(Direction { key: [1; 32], next: Some(u32::MAX) });
        let mut opens = Opener(Direction { key: [1; 32], next: Some(u32::MAX) });
        let last = seals.seal(b"last").unwrap();
        assert_eq!(opens.open(&last).unwrap(), b"last");
        for _ in 0..2 {
            assert_eq!(seals.seal(b"one more"), Err(SealError::CounterExhausted));
            assert_eq!(opens.open(&last), Err(OpenError::CounterExhausted));
        }
    }

    #[test]
    fn a_plaintext_that_does_not_fit_uses_no_counter() {
        let mut seals = Sealer(Direction::new(&[1; 32]));
        let mut opens = Opener(Direction::new(&[1; 32]));
        let too_long = vec![0; MAX_FRAME_LEN - GCM_TAG_LEN + 1];
        assert_eq!(seals.seal(&too_long), Err(SealError::TooLong(too_long.len())));
        let longest = seals.seal(&too_long[1..]).unwrap();
        assert_eq!(longest.len(), MAX_FRAME_LEN);
        assert_eq!(opens.open(&longest).unwrap().len(), too_long.len() - 1);
    }

    #[test]
    fn debug_shows_no_key() {
        let shown = format!("{:?}", Transport::new(&[0x42; 32], &[0x42; 32]));
        assert!(!shown.contains("66, 66") && !shown.contains("4242"));
    }
}
