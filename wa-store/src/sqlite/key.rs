//! The key of a database file.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The raw 32-byte key of an encrypted database. It is used as it is, without stretching, so it
/// must be random.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct DatabaseKey([u8; 32]);

/// A text is not a database key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a database key is 64 hexadecimal digits")]
pub struct InvalidDatabaseKey;

impl DatabaseKey {
    /// Takes 32 random bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads 64 hexadecimal digits; white space around them is no matter.
    ///
    /// # Errors
    /// [`InvalidDatabaseKey`] if the text is anything else.
    pub fn from_hex(text: &str) -> Result<Self, InvalidDatabaseKey> {
        let digits = text.trim().as_bytes();
        let mut key = Self([0; 32]);
        if digits.len() != 64 {
            return Err(InvalidDatabaseKey);
        }
        for (byte, pair) in key.0.iter_mut().zip(digits.chunks_exact(2)) {
            for digit in pair {
                let value = char::from(*digit).to_digit(16).ok_or(InvalidDatabaseKey)?;
                *byte = (*byte << 4) | u8::try_from(value).unwrap_or_default();
            }
        }
        Ok(key)
    }

    /// The key as 64 hexadecimal digits, for a key file.
    pub fn to_hex(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(64));
        for byte in self.0 {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from_digit(digit.into(), 16).unwrap_or_default());
            }
        }
        text
    }
}

impl fmt::Debug for DatabaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_hex_form_and_is_not_shown() {
        let key = DatabaseKey::from_bytes(std::array::from_fn(|at| at as u8 * 8));
        assert_eq!(DatabaseKey::from_hex(&format!(" {}\n", *key.to_hex())), Ok(key.clone()));
        assert_eq!(DatabaseKey::from_hex(&"0".repeat(63)), Err(InvalidDatabaseKey));
        assert_eq!(DatabaseKey::from_hex(&"é".repeat(32)), Err(InvalidDatabaseKey));
        assert_eq!(format!("{key:?}"), "DatabaseKey(…)");
    }
}
