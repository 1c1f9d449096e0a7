//! Whom a person means when they name a recipient: a JID, a number in any usual notation, or a
//! name.

use std::str::FromStr;

use wa_proto::Jid;

mod kind;
mod resolve;

pub use kind::ChatKind;
pub(crate) use resolve::{Candidate, Resolution, SelfChosen};

/// The fewest and the most digits an international number has (ITU-T E.164 allows 15; the
/// shortest in use have 7 with their country code).
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// What was named, before anything is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recipient {
    /// An address, complete.
    Jid(Jid),
    /// A phone number: digits, country code first.
    Phone(String),
    /// Neither: a name or a part of one, to be looked up among contacts and chats. A username may
    /// have an `@` before it.
    Name(String),
}

/// What was named cannot be a recipient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecipientError {
    /// Nothing was named.
    #[error("no recipient: name a phone number with its country code, a JID or a contact")]
    Empty,
    /// It has an `@` and is no JID.
    #[error(
        "{0:?} is no JID: expected NUMBER@s.whatsapp.net, ID@lid or ID@g.us, or a phone number with its country code"
    )]
    Jid(String),
    /// It looks like a number and has too few or too many digits.
    #[error(
        "{0:?} is no phone number: write it with its country code, 7 to 15 digits, for example +44 7700 900123"
    )]
    Phone(String),
    /// A number with a leading zero, or with two, lacks its country code.
    #[error("{0:?} lacks its country code: write it as +COUNTRY NUMBER, without the leading zero")]
    NoCountryCode(String),
}

impl FromStr for Recipient {
    type Err = RecipientError;

    fn from_str(text: &str) -> Result<Self, RecipientError> {
        let text = text.trim();
        let shown = || text.chars().take(40).collect::<String>();
        if text.is_empty() {
            return Err(RecipientError::Empty);
        }
        if let Some(username) = text.strip_prefix('@').filter(|name| is_username(name)) {
            return Ok(Self::Name(username.to_owned()));
        }
        if text.contains('@') {
            let jid: Jid = text.parse().map_err(|_| RecipientError::Jid(shown()))?;
            let addressable = jid.is_person() || jid.is_group() || !jid.user.is_empty();
            return if addressable && jid.device == 0 {
                Ok(Self::Jid(jid))
            } else {
                Err(RecipientError::Jid(shown()))
            };
        }
        let separator = |c: char| matches!(c, ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}');
        let number = text.strip_prefix('+').unwrap_or(text);
        if !number.chars().all(|c| c.is_ascii_digit() || separator(c))
            || !number.chars().any(|c| c.is_ascii_digit())
        {
            return if text.starts_with('+') {
                Err(RecipientError::Phone(shown()))
            } else {
                Ok(Self::Name(text.to_owned()))
            };
        }
        // "+44 (0)7700 900123" writes the trunk zero that is not dialled from abroad.
        let digits: String =
            number.replace("(0)", "").chars().filter(char::is_ascii_digit).collect();
        let digits = match digits.strip_prefix("00") {
            Some(international) if !text.starts_with('+') => international.to_owned(),
            _ => digits,
        };
        if digits.starts_with('0') {
            return Err(RecipientError::NoCountryCode(shown()));
        }
        if !DIGITS.contains(&digits.len()) {
            return Err(RecipientError::Phone(shown()));
        }
        Ok(Self::Phone(digits))
    }
}

/// Whether it can be the name by which somebody is found without their number.
fn is_username(text: &str) -> bool {
    !text.is_empty() && !text.contains(['@', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_in_every_usual_notation() {
        for text in [
            "447700900123",
            "+44 7700 900123",
            "+44 (0)7700 900-123",
            "0044 7700.900.123",
            " (44) 7700/900123 ",
        ] {
            assert_eq!(text.parse(), Ok(Recipient::Phone("447700900123".into())), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_says_what_is_missing() {
        assert_eq!("".parse::<Recipient>(), Err(RecipientError::Empty));
        assert!(matches!(
            "07700 900123".parse::<Recipient>(),
            Err(RecipientError::NoCountryCode(_))
        ));
        assert!(matches!("+44".parse::<Recipient>(), Err(RecipientError::Phone(_))));
        assert!(matches!("+44x7700".parse::<Recipient>(), Err(RecipientError::Phone(_))));
        assert!(matches!("1234567890123456".parse::<Recipient>(), Err(RecipientError::Phone(_))));
        assert!(matches!("a b@lid".parse::<Recipient>(), Err(RecipientError::Jid(_))));
        assert!(matches!("1:3@lid".parse::<Recipient>(), Err(RecipientError::Jid(_))));
    }

    #[test]
    fn jids_and_names_are_told_apart() {
        assert_eq!("12@lid".parse(), Ok(Recipient::Jid(Jid::lid("12"))));
        assert_eq!("Anna B.".parse(), Ok(Recipient::Name("Anna B.".into())));
        assert_eq!("@anna.b".parse(), Ok(Recipient::Name("anna.b".into())));
        assert!(matches!("@".parse::<Recipient>(), Err(RecipientError::Jid(_))));
    }
}
