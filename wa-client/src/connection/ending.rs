//! What to do when a connection ends, or an attempt to make one does.
//!
//! One pure function; the driver carries its verdict out.

use std::time::Duration;

use wa_proto::stanza::{Failure, FailureReason, StreamError};

use crate::event::{BanReason, ConnectRefusal, DisconnectReason, Event, LogoutReason};

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
    /// The login was not carried through: no answer in time, or a refusal.
    LoginIncomplete {
        /// The server complained about our rate.
        rate_limited: bool,
    },
    /// The keepalive gave up.
    Silence,
    /// The server's certificate is not to be trusted.
    Untrusted,
    /// The bytes are not what the protocol allows.
    Protocol,
    /// The database failed.
    Storage,
    /// A part of the connection panicked.
    Panicked,
    /// All QR codes expired.
    PairingTimeout,
    /// `<stream:error>`.
    Stream(StreamError),
    /// `<failure>` in answer to the login payload.
    Refused(Failure),
}

/// What is done about it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// Connect again without delay, or after a growing one if that was done a moment ago.
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
        Ending::Unreachable
        | Ending::SocketLost
        | Ending::Silence
        | Ending::Protocol
        | Ending::Panicked => Verdict::ReconnectAfterBackoff { rate_limited: false },
        // Whatever a proxy or an overloaded edge answers, it may answer something else later.
        Ending::HttpStatus(status) => {
            Verdict::ReconnectAfterBackoff { rate_limited: *status == 429 }
        }
        Ending::LoginIncomplete { rate_limited } => {
            Verdict::ReconnectAfterBackoff { rate_limited: *rate_limited }
        }
        Ending::Untrusted => {
            Verdict::Stop(Some(Event::ConnectFailure { reason: ConnectRefusal::UntrustedServer }))
        }
        Ending::Storage => Verdict::ReconnectAfterBackoff { rate_limited: false },
        Ending::Stream(error) => after_stream_error(error),
        Ending::Refused(refusal) => after_refusal(refusal, version_refreshed),
    }
}

fn after_stream_error(error: &StreamError) -> Verdict {
    match error {
        StreamError::RestartRequired => Verdict::ReconnectNow,
        StreamError::Replaced => Verdict::Stop(Some(Event::Replaced)),
        StreamError::DeviceRemoved | StreamError::NotAuthorized(401) => removed(),
        StreamError::NotAuthorized(_) => logged_out(LogoutReason::PhoneGone),
        StreamError::Other { code: Some(429), .. } => {
            Verdict::ReconnectAfterBackoff { rate_limited: true }
        }
        // The server names few codes here; those that refuse a login are as final as there.
        StreamError::Other { code: Some(code @ (402 | 405 | 406 | 409)), .. } => {
            Verdict::Stop(Some(Event::StreamError { code: code.to_string() }))
        }
        _ => Verdict::ReconnectAfterBackoff { rate_limited: false },
    }
}

fn after_refusal(failure: &Failure, version_refreshed: bool) -> Verdict {
    let refused = |reason| Verdict::Stop(Some(Event::ConnectFailure { reason }));
    match failure.reason {
        FailureReason::LoggedOut => removed(),
        FailureReason::TemporarilyBanned => Verdict::Stop(Some(Event::TemporaryBan {
            reason: BanReason::from_code(failure.code),
            expires_in: failure.expire.map(Duration::from_secs),
        })),
        // The credentials stay: the account may be unlocked, and forgetting cannot be undone.
        FailureReason::MainDeviceGone => logged_out(LogoutReason::PhoneGone),
        FailureReason::UnknownLogout => logged_out(LogoutReason::Unknown),
        FailureReason::ClientOutdated if version_refreshed => {
            Verdict::Stop(Some(Event::ClientOutdated))
        }
        FailureReason::ClientOutdated => Verdict::RefreshVersion,
        FailureReason::BadUserAgent => refused(ConnectRefusal::BadUserAgent),
        FailureReason::InternalServerError
        | FailureReason::Experimental
        | FailureReason::ServiceUnavailable
        | FailureReason::Other(500..=599) => Verdict::ReconnectAfterBackoff { rate_limited: false },
        FailureReason::Other(429) => Verdict::ReconnectAfterBackoff { rate_limited: true },
        FailureReason::Other(code) => refused(ConnectRefusal::Code(code)),
        FailureReason::Generic => refused(ConnectRefusal::Code(400)),
        FailureReason::CatInvalid => refused(ConnectRefusal::Code(413)),
        FailureReason::NotFound => refused(ConnectRefusal::Code(415)),
        FailureReason::ClientUnknown => refused(ConnectRefusal::Code(418)),
        _ => refused(ConnectRefusal::Code(0)),
    }
}

fn logged_out(reason: LogoutReason) -> Verdict {
    Verdict::Stop(Some(Event::LoggedOut { reason }))
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
            Ending::LoginIncomplete { .. } => Self::LoginIncomplete,
            Ending::Silence => Self::Silence,
            Ending::Untrusted => Self::UntrustedServer,
            Ending::Protocol => Self::Protocol,
            Ending::Storage => Self::Storage,
            Ending::Panicked => Self::Bug,
            Ending::Stream(StreamError::RestartRequired) => Self::RestartRequired,
            Ending::Stream(_) => Self::StreamError,
            Ending::Refused(_) => Self::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use wa_proto::{Node, Stanza};

    use super::*;

    fn refusal(reason: u16) -> Ending {
        match Stanza::parse(Node::new("failure").attr("reason", reason)) {
            Stanza::Failure(failure) => Ending::Refused(failure),
            other => panic!("{other:?}"),
        }
    }

    fn refused(reason: u16) -> Verdict {
        verdict(&refusal(reason), false)
    }

    fn stream(node: wa_proto::OwnedNode) -> Verdict {
        match Stanza::parse(node) {
            Stanza::StreamError(error) => verdict(&Ending::Stream(error), false),
            other => panic!("{other:?}"),
        }
    }

    fn stream_code(code: u16) -> Verdict {
        stream(Node::new("stream:error").attr("code", code))
    }

    fn conflict(kind: &'static str) -> Verdict {
        let conflict = Node::new("conflict").attr("type", kind);
        stream(Node::new("stream:error").attr("code", "401").child(conflict))
    }

    const BACKOFF: Verdict = Verdict::ReconnectAfterBackoff { rate_limited: false };

    #[test]
    fn a_restart_reconnects_at_once() {
        assert_eq!(stream_code(515), Verdict::ReconnectNow);
    }

    #[test]
    fn a_connection_that_was_replaced_or_refused_for_good_is_not_made_again() {
        assert_eq!(conflict("replaced"), Verdict::Stop(Some(Event::Replaced)));
        for reason in [402, 403, 406, 409, 400, 413, 414, 415, 418] {
            assert!(matches!(refused(reason), Verdict::Stop(Some(_))), "{reason}");
        }
        for code in [402, 403, 405, 406, 409] {
            assert!(matches!(stream_code(code), Verdict::Stop(Some(_))), "{code}");
        }
        assert!(matches!(verdict(&Ending::Untrusted, false), Verdict::Stop(Some(_))));
    }

    #[test]
    fn what_passes_by_itself_is_waited_for() {
        for reason in [500, 501, 503] {
            assert_eq!(refused(reason), BACKOFF);
            assert_eq!(stream_code(reason), BACKOFF);
        }
        for ending in [
            Ending::SocketLost,
            Ending::Unreachable,
            Ending::Silence,
            Ending::Protocol,
            Ending::Panicked,
            Ending::HttpStatus(503),
        ] {
            assert_eq!(verdict(&ending, false), BACKOFF, "{ending:?}");
        }
        assert_eq!(stream(Node::new("stream:error").child(Node::new("novelty"))), BACKOFF);
    }

    #[test]
    fn a_complaint_about_the_rate_is_remembered() {
        let limited = Verdict::ReconnectAfterBackoff { rate_limited: true };
        assert_eq!(verdict(&Ending::HttpStatus(429), false), limited);
        assert_eq!(stream_code(429), limited);
        assert_eq!(refused(429), limited);
    }

    #[test]
    fn an_outdated_version_is_refreshed_once() {
        assert_eq!(refused(405), Verdict::RefreshVersion);
        assert_eq!(verdict(&refusal(405), true), Verdict::Stop(Some(Event::ClientOutdated)));
    }

    #[test]
    fn only_a_removed_device_forgets_its_credentials() {
        for verdict in [conflict("device_removed"), stream_code(401), refused(401)] {
            assert!(matches!(verdict, Verdict::WipeAndStop(_)));
        }
        for reason in (400..=600).filter(|reason| *reason != 401) {
            assert!(!matches!(refused(reason), Verdict::WipeAndStop(_)), "{reason}");
        }
        assert!(!matches!(conflict("replaced"), Verdict::WipeAndStop(_)));
    }

    #[test]
    fn a_ban_says_what_for_and_how_long() {
        let ban =
            Node::new("failure").attr("reason", "402").attr("code", "104").attr("expire", "3600");
        let Stanza::Failure(failure) = Stanza::parse(ban) else { panic!() };
        assert_eq!(
            verdict(&Ending::Refused(failure), false),
            Verdict::Stop(Some(Event::TemporaryBan {
                reason: BanReason::SameMessageTooOften,
                expires_in: Some(Duration::from_secs(3600)),
            }))
        );
    }
}
