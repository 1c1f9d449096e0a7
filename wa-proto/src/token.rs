//! The token dictionary: words that take one or two bytes on the wire.
//!
//! Owns the look-up in both directions. The words are facts of the protocol, dictionary version 3,
//! the version that the connection header `WA 06 03` announces. Knows nothing of nodes.

mod table;

use table::{DOUBLE, PLACES, SINGLE};

/// The version of the dictionary, the last byte of the connection header.
pub const DICTIONARY_VERSION: u8 = 3;

/// How a token is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// One byte, 1 to 235.
    Single(u8),
    /// A dictionary (0 to 3) and a place in it.
    Double(u8, u8),
}

impl Token {
    /// The token for a text, if it is in the dictionary.
    pub fn of(text: &str) -> Option<Self> {
        let [dictionary, place] = PLACES.get(text)?.to_be_bytes();
        Some(match dictionary.checked_sub(1) {
            None => Self::Single(place),
            Some(dictionary) => Self::Double(dictionary, place),
        })
    }

    /// The text of this token; `None` where the dictionary holds nothing.
    pub fn text(self) -> Option<&'static str> {
        match self {
            Self::Single(0) => None,
            Self::Single(place) => SINGLE.get(usize::from(place)).copied(),
            Self::Double(dictionary, place) => {
                DOUBLE.get(usize::from(dictionary))?.get(usize::from(place)).copied()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Dictionary {
        dictionary_version: u8,
        single_byte: Vec<String>,
        double_byte: Vec<Vec<String>>,
    }

    #[test]
    fn the_table_is_the_published_dictionary() {
        let dictionary: Dictionary =
            serde_json::from_str(include_str!("token/tokens.json")).unwrap();
        assert_eq!(dictionary.dictionary_version, DICTIONARY_VERSION);
        assert_eq!(dictionary.single_byte, SINGLE);
        assert_eq!(dictionary.double_byte, DOUBLE);
    }

    #[test]
    fn every_token_is_found_by_its_text() {
        let single = (1..SINGLE.len()).map(|place| Token::Single(u8::try_from(place).unwrap()));
        let double = (0..4).flat_map(|d| (0..=255).map(move |place| Token::Double(d, place)));
        for token in single.chain(double) {
            assert_eq!(Token::of(token.text().unwrap()), Some(token));
        }
    }

    #[test]
    fn what_is_no_token_is_not_found() {
        assert_eq!(Token::of(""), None);
        assert_eq!(Token::of("no such word"), None);
        assert_eq!(Token::Single(0).text(), None);
        assert_eq!(Token::Single(236).text(), None);
        assert_eq!(Token::Double(4, 0).text(), None);
    }
}
