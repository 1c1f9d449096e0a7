//! What an answer means for a message that is to be sent: later, not before a time, or never.
//!
//! Owns the sorting of every error and every code, and how long a failure waits. Knows nothing of
//! chats and of the disk.

use std::time::Duration;

use wa_store::SendFailure;

use crate::{error::Error, restriction};

/// What becomes of a message after an answer that is no ack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NextStep {
    /// It is tried again, later each time.
    Again,
    /// It is tried again as the server says; later each time where it names no time.
    NotBefore(Option<Duration>),
    /// It is tried again on the next connection.
    NextConnection,
    /// It is encrypted anew, for the group as it is now.
    Anew,
    /// It will never be sent.
    Never(SendFailure),
}

impl NextStep {
    /// After an attempt failed before the bytes left.
    pub(super) fn after_error(error: &Error) -> Self {
        match error {
            Error::NotConnected | Error::Disconnected | Error::LoggedOut | Error::NotLinked => {
                Self::NextConnection
            }
            Error::RateLimited { after } => Self::NotBefore(*after),
            Error::Server { code } if *code < 500 => {
                Self::Never(SendFailure::RequestRefused { code: *code })
            }
            Error::NotOnWhatsApp => Self::Never(SendFailure::NotOnWhatsApp),
            Error::NoDeviceReached => Self::Never(SendFailure::NoDevice),
            Error::NotInGroup => Self::Never(SendFailure::NotInGroup),
            Error::Internal(_) => Self::Never(SendFailure::Unsendable),
            _ => Self::Again,
        }
    }

    /// After the server answered a message with an error.
    pub(super) fn after_ack(code: u16, backoff: Option<u32>, is_group: bool) -> Self {
        let after = backoff.map(|seconds| Duration::from_secs(seconds.into()));
        match code {
            STALE_ADDRESSING if is_group => Self::Anew,
            TOO_MANY => Self::NotBefore(after),
            // Trying again makes it worse; whoever wants to sends a new message once it is over.
            restriction::RESTRICTED => Self::Never(SendFailure::Restricted),
            MALFORMED => Self::Never(SendFailure::Malformed),
            NOT_IN_GROUP if is_group => Self::Never(SendFailure::NotInGroup),
            500 | 502..=504 => after.map_or(Self::Again, |after| Self::NotBefore(Some(after))),
            code => Self::Never(SendFailure::Refused { code }),
        }
    }

    /// How long a chat waits after so many failures in a row; nothing if that says no time. `roll`
    /// is a random number from 0 up to 1.
    pub(super) fn wait(self, failures: u32, roll: f64) -> Option<Duration> {
        let doubled = |first: Duration, longest: Duration| {
            let wait = first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
            wait.min(longest).mul_f64(0.75 + roll.clamp(0.0, 1.0) / 2.0)
        };
        match self {
            Self::Again => Some(doubled(AGAIN_FIRST, AGAIN_LONGEST)),
            Self::NotBefore(None) => Some(doubled(LIMITED_FIRST, LIMITED_LONGEST)),
            Self::NotBefore(Some(named)) => {
                let named = named.clamp(Duration::from_secs(1), NAMED_LONGEST);
                Some(named + named.mul_f64(roll.clamp(0.0, 1.0) / 10.0))
            }
            Self::NextConnection | Self::Anew | Self::Never(_) => None,
        }
    }
}

/// How often in a row the server may refuse what has to be asked before a message leaves, until the
/// message is given up.
pub(super) const MAX_REFUSALS: u32 = 3;
/// How often the server may have one message sent again, until it is given up.
pub(super) const MAX_AGAIN: u32 = 5;
/// The server names the group's people by the other kind of address. What sent it to others:
/// whatsapp-rust, zapo (`STALE_GROUP_ADDRESSING_MODE`), nanoclaw's pull request 2688.
pub(super) const STALE_ADDRESSING: u16 = 421;
/// The server asks for fewer messages.
const TOO_MANY: u16 = 429;
/// The server refuses a stanza's form.
const MALFORMED: u16 = 479;
/// This account may not write to the group.
const NOT_IN_GROUP: u16 = 403;
/// How long a first failure waits, on average.
pub(super) const AGAIN_FIRST: Duration = Duration::from_secs(10);
const AGAIN_LONGEST: Duration = Duration::from_secs(30 * 60);
/// The same where the server asks for fewer requests and names no time.
const LIMITED_FIRST: Duration = Duration::from_secs(60);
const LIMITED_LONGEST: Duration = Duration::from_secs(60 * 60);
/// The longest time that the server may name.
const NAMED_LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_later_not_before_a_time_or_never() {
        let after = |error| NextStep::after_error(&error);
        let minute = Some(Duration::from_secs(60));
        assert_eq!(after(Error::RateLimited { after: minute }), NextStep::NotBefore(minute));
        assert_eq!(after(Error::Server { code: 503 }), NextStep::Again);
        assert_eq!(after(Error::KeysUnavailable), NextStep::Again);
        assert_eq!(after(Error::Timeout(Duration::ZERO)), NextStep::Again);
        assert_eq!(after(Error::Disconnected), NextStep::NextConnection);
        let refused = SendFailure::RequestRefused { code: 400 };
        assert_eq!(after(Error::Server { code: 400 }), NextStep::Never(refused));
        assert_eq!(after(Error::NoDeviceReached), NextStep::Never(SendFailure::NoDevice));

        let ack = |code| NextStep::after_ack(code, Some(30), true);
        assert_eq!(ack(421), NextStep::Anew);
        assert_eq!(ack(429), NextStep::NotBefore(Some(Duration::from_secs(30))));
        assert_eq!(ack(463), NextStep::Never(SendFailure::Restricted));
        assert_eq!(ack(403), NextStep::Never(SendFailure::NotInGroup));
        let refused = |code| NextStep::Never(SendFailure::Refused { code });
        assert_eq!(ack(406), refused(406));
        assert_eq!(NextStep::after_ack(421, None, false), refused(421));
        assert_eq!(NextStep::after_ack(403, None, false), refused(403));
        assert_eq!(NextStep::after_ack(500, None, false), NextStep::Again);
    }

    #[test]
    fn waits_double_up_to_a_bound_and_never_end_before_a_named_time() {
        let secs = |step: NextStep, failures, roll| step.wait(failures, roll).unwrap().as_secs();
        assert_eq!(secs(NextStep::Again, 1, 0.0), 7);
        assert_eq!(secs(NextStep::Again, 4, 0.5), 80);
        assert_eq!(secs(NextStep::Again, 1_000, 1.0), 2_250);
        assert_eq!(secs(NextStep::NotBefore(None), 1, 0.0), 45);
        assert_eq!(secs(NextStep::NotBefore(None), 99, 0.5), 3_600);
        let named = NextStep::NotBefore(Some(Duration::from_secs(600)));
        assert_eq!((secs(named, 9, 0.0), secs(named, 9, 1.0)), (600, 660));
        assert_eq!(NextStep::NextConnection.wait(1, 0.5), None);
    }
}
