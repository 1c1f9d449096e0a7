//! The padding around a plaintext, which hides its exact length: 1 to 16 bytes, each of the value
//! of their count (stanza version 2). Knows nothing of encryption.

use rand_core::CryptoRng;

/// The most bytes of padding.
pub const MAX_PADDING: u8 = 16;

/// The padding of a decrypted plaintext is not what a sender makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PaddingError {
    /// There is no byte at all.
    #[error("an empty plaintext has no padding")]
    Empty,
    /// The last byte, which tells the count, is not 1 to 16 or more than there are bytes.
    #[error("{0} bytes of padding are not possible here")]
    Count(u8),
    /// The padding's bytes are not all of the value of their count.
    #[error("the bytes of padding are not alike")]
    Uneven,
}

/// Appends the padding. Draws one random byte, whose low four bits choose the count.
pub fn pad(mut plaintext: Vec<u8>, rng: &mut impl CryptoRng) -> Vec<u8> {
    let mut random = [0];
    rng.fill_bytes(&mut random);
    let [random] = random;
    let count = 1 + random % MAX_PADDING;
    plaintext.resize(plaintext.len() + usize::from(count), count);
    plaintext
}

/// Takes the padding off, after a look at each of its bytes.
///
/// # Errors
/// [`PaddingError`] if it is not a padding.
pub fn unpad(padded: &[u8]) -> Result<&[u8], PaddingError> {
    let &count = padded.last().ok_or(PaddingError::Empty)?;
    if count == 0 || count > MAX_PADDING {
        return Err(PaddingError::Count(count));
    }
    let (plaintext, padding) = padded
        .len()
        .checked_sub(usize::from(count))
        .and_then(|end| padded.split_at_checked(end))
        .ok_or(PaddingError::Count(count))?;
    if padding.iter().any(|&byte| byte != count) {
        return Err(PaddingError::Uneven);
    }
    Ok(plaintext)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_core::SeedableRng;

    use super::*;

    proptest! {
        #[test]
        fn what_is_padded_is_unpadded(plaintext: Vec<u8>, seed: u64) {
            let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            let padded = pad(plaintext.clone(), &mut rng);
            prop_assert!((1..=16).contains(&(padded.len() - plaintext.len())));
            prop_assert_eq!(unpad(&padded), Ok(&plaintext[..]));
        }
    }

    /// Only with all sixteen counts in use is the length hidden to within sixteen bytes.
    #[test]
    fn the_low_four_bits_of_a_random_byte_choose_one_of_sixteen_counts() {
        for byte in 0..=255_u8 {
            let padded = pad(b"text".to_vec(), &mut OneByte(byte));
            let count = (byte & 0x0f) + 1;
            assert_eq!(padded[..4], *b"text");
            assert_eq!(padded[4..], vec![count; usize::from(count)]);
        }
    }

    /// Gives one byte, over and over.
    struct OneByte(u8);

    impl rand_core::TryRng for OneByte {
        type Error = std::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(u32::from(self.0) * 0x0101_0101)
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(u64::from(self.0) * 0x0101_0101_0101_0101)
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            bytes.fill(self.0);
            Ok(())
        }
    }

    impl rand_core::TryCryptoRng for OneByte {}

    #[test]
    fn each_byte_of_padding_is_verified() {
        assert_eq!(unpad(&[]), Err(PaddingError::Empty));
        assert_eq!(unpad(&[1, 2, 0]), Err(PaddingError::Count(0)));
        assert_eq!(unpad(&[17; 17]), Err(PaddingError::Count(17)));
        assert_eq!(unpad(&[1, 2, 9]), Err(PaddingError::Count(9)));
        assert_eq!(unpad(&[1, 2, 3, 7, 3, 3]), Err(PaddingError::Uneven));
        assert_eq!(unpad(&[16; 16]), Ok(&[][..]));
        assert_eq!(unpad(&[16; 17]), Ok(&[16][..]));
    }
}
