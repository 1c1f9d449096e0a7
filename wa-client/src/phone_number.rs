//! Phone numbers as people write them.
//!
//! Owns the reading of usual notations. Knows nothing of who has the number.

use wa_proto::Jid;

use crate::error::Error;

/// The fewest and most digits of a number with its country code (E.164).
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// Reads a number with its country code, in whatever notation: `+1 (555) 010-0000`,
/// `001 555 0100000`, `15550100000`.
///
/// # Errors
/// [`Error::InvalidInput`] if it is none, or one without a country code.
pub(crate) fn parse(text: &str) -> Result<Jid, Error> {
    let is_notation =
        |c: char| c.is_ascii_digit() || c.is_whitespace() || "+-().\u{a0}/".contains(c);
    let text = text.trim();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if !text.chars().all(is_notation) || text.rfind('+').is_some_and(|at| at > 0) {
        return Err(Error::InvalidInput("a phone number has digits only"));
    }
    let digits = digits.strip_prefix("00").unwrap_or(&digits);
    if digits.starts_with('0') {
        return Err(Error::InvalidInput("a phone number begins with its country code"));
    }
    if !DIGITS.contains(&digits.len()) {
        return Err(Error::InvalidInput("a phone number has 7 to 15 digits"));
    }
    Ok(Jid::phone(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_notations_are_read() {
        for text in ["+1 (555) 010-0000", "15550100000", "001 555 010 0000", " 1.555.010.0000 "] {
            assert_eq!(parse(text).unwrap(), Jid::phone("15550100000"), "{text}");
        }
    }

    #[test]
    fn what_is_no_international_number_is_refused() {
        for text in ["", "0555 0100000", "123456", "1234567890123456", "+1 555 CALL", "1+5550100"] {
            assert!(matches!(parse(text), Err(Error::InvalidInput(_))), "{text}");
        }
    }
}
