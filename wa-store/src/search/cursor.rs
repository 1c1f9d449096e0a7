//! Where a page of hits ended, so that the next one begins there whatever arrives meanwhile.

use std::{fmt, str::FromStr};

use crate::{SearchOrder, Seq, StoreError};

/// Where the next page of a search begins. Its text form may be kept and given back later; what it
/// says is the store's own business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(Position);

/// What a [`Cursor`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// By time: messages before this one.
    Before(Seq),
    /// Ranked: the window ends with this message, and so many hits were given.
    Ranked {
        /// The newest message of the window.
        newest: Seq,
        /// How many hits were given.
        given: usize,
    },
}

impl Cursor {
    pub(crate) const fn new(position: Position) -> Self {
        Self(position)
    }

    /// The position, if it is one of a search in this order.
    pub(crate) const fn position(self, order: SearchOrder) -> Result<Position, StoreError> {
        match (self.0, order) {
            (Position::Before(_), SearchOrder::NewestFirst)
            | (Position::Ranked { .. }, SearchOrder::Ranked) => Ok(self.0),
            _ => Err(StoreError::BadCursor),
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Position::Before(seq) => write!(f, "1n{seq}"),
            Position::Ranked { newest, given } => write!(f, "1r{newest}.{given}"),
        }
    }
}

impl FromStr for Cursor {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let number = |text: &str| text.parse::<u64>().ok();
        let position = if let Some(seq) = text.strip_prefix("1n") {
            number(seq).map(|seq| Position::Before(Seq(seq)))
        } else {
            text.strip_prefix("1r").and_then(|text| text.split_once('.')).and_then(
                |(newest, given)| {
                    let given = usize::try_from(number(given)?).ok()?;
                    Some(Position::Ranked { newest: Seq(number(newest)?), given })
                },
            )
        };
        position.map(Self).ok_or(StoreError::BadCursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text_form_and_others_are_refused() {
        for position in [Position::Before(Seq(7)), Position::Ranked { newest: Seq(9), given: 40 }] {
            let cursor = Cursor::new(position);
            assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        }
        for text in ["", "1n", "2n7", "1r7", "1r7.x", "1n-1", "7"] {
            assert!(matches!(text.parse::<Cursor>(), Err(StoreError::BadCursor)), "{text}");
        }
        let cursor: Cursor = "1n7".parse().unwrap();
        assert!(cursor.position(SearchOrder::Ranked).is_err());
    }
}
