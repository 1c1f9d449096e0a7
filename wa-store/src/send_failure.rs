//! Why a message will never be sent.
//!
//! Owns the reasons, their words for people, and the form in which they are kept. Knows nothing of
//! how a reason is found out.

use std::fmt;

/// Why a message will never be sent. Its words are for people and hold nothing of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SendFailure {
    /// The person has no WhatsApp account.
    NotOnWhatsApp,
    /// This account may not write to the group.
    NotInGroup,
    /// The message could be encrypted for nobody it is for.
    NoDevice,
    /// It was not allowed to leave any more when its turn came.
    NotAllowed,
    /// The server restricts whom this account may write to (463).
    Restricted,
    /// The server does not take the message's form (479).
    Malformed,
    /// The server refused the message.
    Refused {
        /// The server's code, HTTP-like.
        code: u16,
    },
    /// The server refused what has to be asked before: the recipient's devices or keys, or the
    /// group.
    RequestRefused {
        /// The server's code, HTTP-like.
        code: u16,
    },
    /// What is kept of the message cannot be made into a stanza.
    Unsendable,
    /// It waited for thirty days.
    WaitedTooLong,
    /// Another version of this program noted it.
    Unknown,
}

/// The reasons that have no number, and the words under which they are kept.
const WORDS: [(SendFailure, &str); 9] = [
    (SendFailure::NotOnWhatsApp, "not-on-whatsapp"),
    (SendFailure::NotInGroup, "not-in-group"),
    (SendFailure::NoDevice, "no-device"),
    (SendFailure::NotAllowed, "not-allowed"),
    (SendFailure::Restricted, "restricted"),
    (SendFailure::Malformed, "malformed"),
    (SendFailure::Unsendable, "unsendable"),
    (SendFailure::WaitedTooLong, "waited-too-long"),
    (SendFailure::Unknown, "unknown"),
];
const REFUSED: &str = "refused ";
const REQUEST_REFUSED: &str = "request-refused ";

impl SendFailure {
    /// The server's code, where the server refused something.
    pub const fn code(self) -> Option<u16> {
        match self {
            Self::Restricted => Some(463),
            Self::Malformed => Some(479),
            Self::Refused { code } | Self::RequestRefused { code } => Some(code),
            _ => None,
        }
    }

    /// As it is kept.
    pub(crate) fn to_column(self) -> String {
        match self {
            Self::Refused { code } => format!("{REFUSED}{code}"),
            Self::RequestRefused { code } => format!("{REQUEST_REFUSED}{code}"),
            other => {
                let known = WORDS.into_iter().find(|(failure, _)| *failure == other);
                known.map_or("unknown", |(_, word)| word).to_owned()
            }
        }
    }

    /// Of what is kept; words that this version does not know are [`SendFailure::Unknown`].
    pub(crate) fn from_column(text: &str) -> Self {
        let code = |prefix| text.strip_prefix(prefix).and_then(|code: &str| code.parse().ok());
        if let Some(code) = code(REFUSED) {
            return Self::Refused { code };
        }
        if let Some(code) = code(REQUEST_REFUSED) {
            return Self::RequestRefused { code };
        }
        let known = WORDS.into_iter().find(|(_, word)| *word == text);
        known.map_or(Self::Unknown, |(failure, _)| failure)
    }
}

impl fmt::Display for SendFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOnWhatsApp => f.write_str("this person is not on WhatsApp"),
            Self::NotInGroup => f.write_str("this account may not write to the group"),
            Self::NoDevice => f.write_str("the server has no keys of the recipient's phone"),
            Self::NotAllowed => f.write_str("the message may not be sent any more"),
            Self::Restricted => {
                f.write_str("the server restricts whom this account may write to (463)")
            }
            Self::Malformed => f.write_str(
                "the server does not take the message in this form (479): what was known of the recipient was out of date",
            ),
            Self::Refused { code } => write!(f, "the server refused the message with code {code}"),
            Self::RequestRefused { code } => write!(
                f,
                "the server refused to tell the recipient's devices or keys, with code {code}"
            ),
            Self::Unsendable => f.write_str("what is kept of the message cannot be sent"),
            Self::WaitedTooLong => {
                f.write_str("it waited for thirty days and was given up; send it again")
            }
            Self::Unknown => f.write_str("for a reason that this version does not know"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_read_back_as_it_was_kept() {
        let numbered =
            [SendFailure::Refused { code: 406 }, SendFailure::RequestRefused { code: 400 }];
        for failure in WORDS.into_iter().map(|(failure, _)| failure).chain(numbered) {
            assert_eq!(SendFailure::from_column(&failure.to_column()), failure);
        }
        assert_eq!(SendFailure::from_column("a later word"), SendFailure::Unknown);
    }
}
