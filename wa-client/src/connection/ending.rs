//! What to do when a connection ends, or an attempt to make one does.
//!
//! One pure function; the driver carries its verdict out.

use std::time::Duration;

use crate::event::{BanReason, DisconnectReason, Event, FailureReason, LogoutReason};

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The user wanted it so.
    Requested,
    /// The socket could not be opened: name, route, TLS, time-out.
    Unreachable,
    /// The WebSocket request was answered with this status.
    HttpStatus(u16),
    /// The socket closed or failed, or the server closed the stream without a reason.
    SocketLost,
    /// The keepalive gave up.
    Silence,
    /// The server's certificate is not to be trusted.
    Untrusted,
    /// The bytes are not what the protocol allows.
    Protocol,
    /// The database failed.
    Storage,
    /// All QR codes expired.
    PairingTimeout,
    /// `<stream:error>`.
    Stream(StreamEnd),
    /// `<failure>` in answer to the login payload.
    Refused(Refusal),
}

/// What a `<stream:error>` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StreamEnd {
    /// `<conflict type="replaced">`.
    Replaced,
    /// `<conflict type="device_removed">`, or code 401.
    DeviceRemoved,
    /// A code of its own.
    Code(u16),
    /// Something without a code; the tag of its first child.
    Other(String),
}

/// What a `<failure>` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// `reason`.
    pub(crate) reason: u16,
    /// `code`, the kind of ban.
    pub(crate) ban: Option<u16>,
    /// `expire`, the ban's length.
    pub(crate) expires_in: Option<Duration>,
}

/// What is done about it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// Connect again without delay, and go on trying.
    ReconnectNow,
    /// Connect again after a growing delay.
    ReconnectAfterBackoff {
        /// The server complained about our rate.
        rate_limited: bool,
    },
    /// Find out the current client version, then connect again, once.
    RefreshVersion,
    /// Tell, and make no further connection until asked.
    Stop(Option<Event>),
    /// Tell, forget the device's credentials, and refuse all further use of this client.
    WipeAndStop(Event),
}

/// Decides. `version_refreshed` says that the version was already refreshed since the last login
/// that succeeded.
pub(crate) fn verdict(ending: &Ending, version_refreshed: bool) -> Verdict {
    match ending {
        Ending::Requested | Ending::PairingTimeout => Verdict::Stop(None),
        Ending::Unreachable | Ending::SocketLost | Ending::Silence | Ending::Protocol => {
            Verdict::ReconnectAfterBackoff { rate_limited: false }
        }
        // Whatever a proxy or an overloaded edge answers, it may answer something else later.
        Ending::HttpStatus(status) => {
            Verdict::ReconnectAfterBackoff { rate_limited: *status == 429 }
        }
        Ending::Untrusted => {
            Verdict::Stop(Some(Event::ConnectFailure { reason: FailureReason::UntrustedServer }))
        }
        Ending::Storage => Verdict::ReconnectAfterBackoff { rate_limited: false },
        Ending::Stream(end) => after_stream_error(end, version_refreshed),
        Ending::Refused(refusal) => after_refusal(*refusal, version_refreshed),
    }
}

fn after_stream_error(end: &StreamEnd, version_refreshed: bool) -> Verdict {
    match end {
        StreamEnd::Replaced => Verdict::Stop(Some(Event::Replaced)),
        StreamEnd::DeviceRemoved => removed(),
        StreamEnd::Code(515) => Verdict::ReconnectNow,
        StreamEnd::Code(429) => Verdict::ReconnectAfterBackoff { rate_limited: true },
        StreamEnd::Code(code @ (401..=403 | 405 | 406 | 409)) => {
            after_refusal(Refusal { reason: *code, ban: None, expires_in: None }, version_refreshed)
        }
        StreamEnd::Code(_) | StreamEnd::Other(_) => {
            Verdict::ReconnectAfterBackoff { rate_limited: false }
        }
    }
}

fn after_refusal(refusal: Refusal, version_refreshed: bool) -> Verdict {
    let failure = |reason| Verdict::Stop(Some(Event::ConnectFailure { reason }));
    let logged_out = |reason| Verdict::Stop(Some(Event::LoggedOut { reason }));
    match refusal.reason {
        401 => removed(),
        402 => Verdict::Stop(Some(Event::TemporaryBan {
            reason: BanReason::from_code(refusal.ban),
            expires_in: refusal.expires_in,
        })),
        // The credentials stay: the account may be unlocked, and forgetting cannot be undone.
        403 => logged_out(LogoutReason::PhoneGone),
        406 => logged_out(LogoutReason::Unknown),
        405 if version_refreshed => Verdict::Stop(Some(Event::ClientOutdated)),
        405 => Verdict::RefreshVersion,
        409 => failure(FailureReason::BadUserAgent),
        429 => Verdict::ReconnectAfterBackoff { rate_limited: true },
        500..=599 => Verdict::ReconnectAfterBackoff { rate_limited: false },
        code => failure(FailureReason::Code(code)),
    }
}

fn removed() -> Verdict {
    Verdict::WipeAndStop(Event::LoggedOut { reason: LogoutReason::DeviceRemoved })
}

impl From<&Ending> for DisconnectReason {
    fn from(ending: &Ending) -> Self {
        match ending {
            Ending::Requested | Ending::PairingTimeout => Self::Requested,
            Ending::Unreachable => Self::Unreachable,
            Ending::HttpStatus(status) => Self::HttpStatus(*status),
            Ending::SocketLost => Self::ConnectionLost,
            Ending::Silence => Self::Silence,
            Ending::Untrusted => Self::UntrustedServer,
            Ending::Protocol => Self::Protocol,
            Ending::Storage => Self::Storage,
            Ending::Stream(StreamEnd::Code(515)) => Self::RestartRequired,
            Ending::Stream(StreamEnd::Replaced) => Self::Server("replaced".into()),
            Ending::Stream(StreamEnd::DeviceRemoved) => Self::Server("device_removed".into()),
            Ending::Stream(StreamEnd::Code(code)) => Self::Server(code.to_string()),
            Ending::Stream(StreamEnd::Other(tag)) => Self::Server(tag.clone()),
            Ending::Refused(refusal) => Self::Server(refusal.reason.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(reason: u16) -> Verdict {
        let refusal = Refusal { reason, ban: None, expires_in: None };
        verdict(&Ending::Refused(refusal), false)
    }

    const BACKOFF: Verdict = Verdict::ReconnectAfterBackoff { rate_limited: false };

    #[test]
    fn a_restart_reconnects_at_once() {
        assert_eq!(verdict(&Ending::Stream(StreamEnd::Code(515)), false), Verdict::ReconnectNow);
    }

    #[test]
    fn a_connection_that_was_replaced_or_refused_for_good_is_not_made_again() {
        let replaced = verdict(&Ending::Stream(StreamEnd::Replaced), false);
        assert_eq!(replaced, Verdict::Stop(Some(Event::Replaced)));
        for reason in [402, 403, 406, 409, 400, 413, 414, 415, 418] {
            assert!(matches!(refused(reason), Verdict::Stop(Some(_))), "{reason}");
            if matches!(reason, 402 | 403 | 406 | 409) {
                let stream = verdict(&Ending::Stream(StreamEnd::Code(reason)), false);
                assert!(matches!(stream, Verdict::Stop(Some(_))), "{reason}");
            }
        }
        assert!(matches!(verdict(&Ending::Untrusted, false), Verdict::Stop(Some(_))));
    }

    #[test]
    fn what_passes_by_itself_is_waited_for() {
        for reason in [500, 501, 503] {
            assert_eq!(refused(reason), BACKOFF);
            assert_eq!(verdict(&Ending::Stream(StreamEnd::Code(reason)), false), BACKOFF);
        }
        for ending in [
            Ending::SocketLost,
            Ending::Unreachable,
            Ending::Silence,
            Ending::Protocol,
            Ending::HttpStatus(503),
            Ending::Stream(StreamEnd::Other("xml-not-well-formed".into())),
        ] {
            assert_eq!(verdict(&ending, false), BACKOFF, "{ending:?}");
        }
    }

    #[test]
    fn a_complaint_about_the_rate_is_remembered() {
        let limited = Verdict::ReconnectAfterBackoff { rate_limited: true };
        assert_eq!(verdict(&Ending::HttpStatus(429), false), limited);
        assert_eq!(verdict(&Ending::Stream(StreamEnd::Code(429)), false), limited);
        assert_eq!(refused(429), limited);
    }

    #[test]
    fn an_outdated_version_is_refreshed_once() {
        assert_eq!(refused(405), Verdict::RefreshVersion);
        let refusal = Refusal { reason: 405, ban: None, expires_in: None };
        assert_eq!(
            verdict(&Ending::Refused(refusal), true),
            Verdict::Stop(Some(Event::ClientOutdated))
        );
    }

    #[test]
    fn only_a_removed_device_forgets_its_credentials() {
        for ending in
            [Ending::Stream(StreamEnd::DeviceRemoved), Ending::Stream(StreamEnd::Code(401))]
        {
            assert!(matches!(verdict(&ending, false), Verdict::WipeAndStop(_)));
        }
        for reason in (400..=600).filter(|reason| *reason != 401) {
            assert!(!matches!(refused(reason), Verdict::WipeAndStop(_)), "{reason}");
        }
    }

    #[test]
    fn a_ban_says_what_for_and_how_long() {
        let refusal =
            Refusal { reason: 402, ban: Some(104), expires_in: Some(Duration::from_secs(3600)) };
        assert_eq!(
            verdict(&Ending::Refused(refusal), false),
            Verdict::Stop(Some(Event::TemporaryBan {
                reason: BanReason::SameMessageTooOften,
                expires_in: Some(Duration::from_secs(3600)),
            }))
        );
    }
}
