//! Where a page of hits ended, so that the next one begins there whatever arrives meanwhile.

use std::{fmt, str::FromStr};

use crate::{SearchOrder, Seq, StoreError, Timestamp};

/// Where the next page of a search begins. Its text form may be kept and given back later; what it
/// says is the store's own business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(Position);

/// What a [`Cursor`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// By time: messages before this second and number.
    Before(Timestamp, Seq),
    /// Ranked: of the messages up to this one, and so many hits were given.
    Ranked {
        /// The one of the window that was committed last.
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
            (Position::Before(..), SearchOrder::NewestFirst)
            | (Position::Ranked { .. }, SearchOrder::Ranked) => Ok(self.0),
            _ => Err(StoreError::BadCursor),
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Position::Before(time, seq) => write!(f, "2n{}.{seq}", time.secs()),
            Position::Ranked { newest, given } => write!(f, "1r{newest}.{given}"),
        }
    }
}

impl FromStr for Cursor {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let number = |text: &str| text.parse::<u64>().ok();
        let position = if let Some(text) = text.strip_prefix("2n") {
            text.split_once('.').and_then(|(time, seq)| {
                let time = Timestamp::from_secs(time.parse().ok()?);
                Some(Position::Before(time, Seq(number(seq)?)))
            })
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
        let before = Position::Before(Timestamp::from_secs(-5), Seq(7));
        for position in [before, Position::Ranked { newest: Seq(9), given: 40 }] {
            let cursor = Cursor::new(position);
            assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        }
        for text in ["", "1n7", "2n", "2n7", "2n7.-1", "1r7", "1r7.x", "7"] {
            assert!(matches!(text.parse::<Cursor>(), Err(StoreError::BadCursor)), "{text}");
        }
        let cursor: Cursor = "2n7.7".parse().unwrap();
        assert!(cursor.position(SearchOrder::Ranked).is_err());
    }
}
