//! What can go wrong, sorted by what the caller can do about it.
//!
//! No error holds a text, a number or a key.

use std::time::Duration;

use wa_proto::stanza::{IqError, ParseError};
use wa_store::{SendFailure, StoreError};

use crate::{event::Restriction, media::MediaError, request::RequestError};

/// A call did not do what it was to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no connection, and none is being made.
    #[error("not connected")]
    NotConnected,
    /// There was no connection, or no answer, in time.
    #[error("no answer from the server within {} seconds", .0.as_secs())]
    Timeout(Duration),
    /// The connection ended before the server answered.
    #[error("the connection ended before the server answered")]
    Disconnected,
    /// The phone did not answer in time. It may be offline, and answer later.
    #[error("no answer from the phone within {} seconds; it may be offline", .0.as_secs())]
    PhoneSilent(Duration),
    /// The phone gave history that cannot be read; [`crate::Event::History`] says why.
    #[error("the phone gave history that cannot be read")]
    UnreadableHistory,
    /// The server asks for fewer requests (429).
    #[error("the server asks for fewer requests; wait before trying again")]
    RateLimited {
        /// How long to wait, if the server said.
        after: Option<Duration>,
    },
    /// The server does not accept this client now; [`crate::Event`] says why.
    #[error("the server refuses the connection: {0}")]
    Refused(&'static str),
    /// No account is linked with this store yet.
    #[error("no account is linked yet")]
    NotLinked,
    /// This device was unlinked. Make a new client to link it again.
    #[error("this device is no longer linked")]
    LoggedOut,
    /// What was asked for cannot be done as asked.
    #[error("{0}")]
    InvalidInput(&'static str),
    /// This version cannot do that yet.
    #[error("not supported: {0}")]
    Unsupported(&'static str),
    /// A text is longer than what is sent.
    #[error("the text has {len} bytes, more than {max}")]
    TextTooLong {
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// A content is of a kind that cannot be sent.
    #[error(transparent)]
    Content(#[from] wa_proto::content::UnsendableContent),
    /// The person has no WhatsApp account.
    #[error("this person is not on WhatsApp")]
    NotOnWhatsApp,
    /// This account is not in the group, or the group is gone.
    #[error("this account is not in the group")]
    NotInGroup,
    /// Only admins of the group may do this.
    #[error("only admins of the group may do this")]
    AdminsOnly,
    /// The message could be encrypted for nobody it is for, or not for the recipient's phone.
    #[error("the recipient's phone cannot be reached: the server has no keys of it")]
    NoDeviceReached,
    /// The recipient's phone could not be encrypted for now: its keys did not come, or do not hold.
    /// The message waits and is tried again.
    #[error("the keys of the recipient's phone cannot be had now; the message waits")]
    KeysUnavailable,
    /// The server lets this account not write to this person now (463). Trying again makes it
    /// worse.
    #[error("the server restricts whom this account may write to: {restriction}; do not try again")]
    AccountRestricted {
        /// What keeps the account from writing.
        restriction: Restriction,
    },
    /// The server does not take the message in its form (479). Mostly the recipient's devices or
    /// keys have changed; what is known of them is asked for again before the next message.
    #[error(
        "the server does not take the message in this form (479): what is known of the recipient was out of date and is asked for again"
    )]
    StanzaRefused,
    /// What may leave was asked again right before the message left, and it may not. It is not
    /// sent again.
    #[error("the message may not be sent any more")]
    TransmissionRefused,
    /// A message will never be sent, for a reason that is none of the others.
    #[error("the message will not be sent: {0}")]
    GivenUp(SendFailure),
    /// The server's answer is not in the form that is known.
    #[error("the server's answer is not in a form that is known")]
    UnreadableAnswer,
    /// The server refused a message for good. It is not sent again.
    #[error("the server refused the message with code {code}")]
    SendRefused {
        /// The server's code.
        code: u16,
    },
    /// The server refused the request.
    #[error("the server refused the request with code {code}")]
    Server {
        /// The server's code, HTTP-like.
        code: u16,
    },
    /// The server's answer is not what the protocol says.
    #[error("the server's answer cannot be read: {0}")]
    Protocol(#[source] ParseError),
    /// A file could not be uploaded.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// The database failed.
    #[error("the database failed")]
    Store(#[from] StoreError),
    /// The client is in a state that it should not be able to be in.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

/// What the caller can do about an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Remedy {
    /// The same call may succeed later.
    Retry,
    /// The account must be linked (again).
    LinkAgain,
    /// The call is wrong.
    FixTheCall,
    /// The machine is wrong: disk, database key, clock, or this program's age.
    FixTheMachine,
    /// This should not happen, whoever calls.
    ReportBug,
}

impl Error {
    /// What the caller can do about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::NotConnected
            | Self::Timeout(_)
            | Self::PhoneSilent(_)
            | Self::UnreadableHistory
            | Self::Disconnected
            | Self::RateLimited { .. }
            | Self::StanzaRefused
            | Self::NoDeviceReached
            | Self::KeysUnavailable => Remedy::Retry,
            Self::Server { code } if *code >= 500 => Remedy::Retry,
            Self::NotLinked | Self::LoggedOut => Remedy::LinkAgain,
            Self::InvalidInput(_)
            | Self::Unsupported(_)
            | Self::TextTooLong { .. }
            | Self::Content(_)
            | Self::NotOnWhatsApp
            | Self::NotInGroup
            | Self::AdminsOnly
            | Self::TransmissionRefused
            | Self::GivenUp(_)
            | Self::AccountRestricted { .. }
            | Self::SendRefused { .. }
            | Self::Server { .. } => Remedy::FixTheCall,
            Self::Media(error) => error.remedy(),
            Self::Refused(_) | Self::Store(_) => Remedy::FixTheMachine,
            Self::Protocol(_) | Self::UnreadableAnswer | Self::Internal(_) => Remedy::ReportBug,
        }
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::NotConnected => Self::NotConnected,
            RequestError::Disconnected => Self::Disconnected,
            RequestError::Timeout(waited) => Self::Timeout(waited),
            RequestError::LoggedOut => Self::LoggedOut,
            RequestError::TooMany => Self::RateLimited { after: None },
            RequestError::NotAsked => Self::Internal("the server was not to be asked"),
            RequestError::Refused(IqError { code: 429, backoff, .. }) => Self::RateLimited {
                after: backoff.map(|seconds| Duration::from_secs(seconds.into())),
            },
            RequestError::Refused(IqError { code, .. }) => Self::Server { code },
            RequestError::Answer(error) => Self::Protocol(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_worth_a_retry_only_when_the_server_is_at_fault() {
        assert_eq!(Error::Server { code: 503 }.remedy(), Remedy::Retry);
        assert_eq!(Error::Server { code: 400 }.remedy(), Remedy::FixTheCall);
        assert_eq!(Error::RateLimited { after: None }.remedy(), Remedy::Retry);
        assert_eq!(Error::LoggedOut.remedy(), Remedy::LinkAgain);
    }
}
