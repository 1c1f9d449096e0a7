//! What the client says when a connection, a link or an account ends, as a command's failure.
//!
//! Knows nothing of waiting; one function for events, one for errors.

use wa_client::{
    BanReason, ConnectRefusal, DisconnectReason, Error, Event, LogoutReason, PairingFailure,
    media::MediaError,
};

use super::{Cause, Failure};

/// The failure an event is, if it ends what a command can hope for.
pub fn of_event(event: &Event) -> Option<Failure> {
    let failure = match event {
        Event::LoggedOut { reason } => logged_out(*reason),
        Event::Replaced => failed("another connection of this device took over")
            .remedy("stop the other program that uses this account, and try again"),
        Event::TemporaryBan { reason, expires_in } => {
            let until = match expires_in {
                Some(length) => format!("for {} more minutes", length.as_secs().div_ceil(60)),
                None => "for a while".into(),
            };
            failed(format!("WhatsApp has banned this account {until}: {}", offence(*reason)))
                .remedy("wait; each attempt may make it longer")
        }
        Event::ConnectFailure { reason } => refused(reason),
        Event::ClientOutdated => failed("WhatsApp wants a newer client than this one")
            .remedy("install the current version of wa-cli"),
        Event::PairingFailed { reason } => return pairing(*reason),
        Event::Disconnected { reason: DisconnectReason::Storage } => {
            failed("the database cannot be written, so nothing more is received")
                .remedy("see whether the disk is full")
        }
        _ => return None,
    };
    Some(failure)
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        of_error(error)
    }
}

impl From<MediaError> for Failure {
    fn from(error: MediaError) -> Self {
        let message = chain(&error);
        match error {
            MediaError::Request(error) => of_error(error.into()),
            MediaError::PhoneSilent(_) => Self::new(Cause::TimedOut, message)
                .remedy("open WhatsApp on the phone, and try again"),
            MediaError::Unavailable { .. } => {
                Self::new(Cause::Offline, message).remedy("try again later")
            }
            MediaError::TooLarge { .. } => Self::new(Cause::Usage, message),
            MediaError::Io(_) => {
                failed(message).remedy("see whether the disk is full or the folder read-only")
            }
            MediaError::Answer => failed(message).remedy("please report this"),
            MediaError::Gone | MediaError::NotOnPhone | MediaError::Corrupt(_) => {
                failed(message).remedy("ask the sender to send it again")
            }
            _ => failed(message),
        }
    }
}

/// An error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

/// The failure of a call.
pub fn of_error(error: Error) -> Failure {
    let message = error.to_string();
    match error {
        Error::Store(error) => error.into(),
        Error::Media(error) => error.into(),
        Error::NotConnected | Error::Disconnected => Failure::new(Cause::Offline, message)
            .remedy("see whether the network is there, and try again"),
        Error::Timeout(_) => {
            Failure::new(Cause::TimedOut, message).remedy("try again, or give more --timeout")
        }
        Error::NotLinked => Failure::new(Cause::NotLinked, message).remedy("run: wa-cli link"),
        Error::LoggedOut => logged_out(LogoutReason::DeviceRemoved),
        Error::RateLimited { .. } => failed(message),
        Error::InvalidInput(_) | Error::Unsupported(_) | Error::Content(_) => {
            Failure::new(Cause::Usage, message)
        }
        Error::TextTooLong { .. } => Failure::new(Cause::Usage, message).remedy("send it in parts"),
        Error::NotOnWhatsApp => {
            failed(message).remedy("see whether the number is right, country code first")
        }
        Error::PhoneSilent(_) => Failure::new(Cause::TimedOut, message)
            .remedy("open WhatsApp on the phone, and try again"),
        Error::TransmissionRefused => Failure::new(
            Cause::Forbidden,
            "the policy did not let it leave any more when its turn came",
        )
        .remedy("leave it, or have a person change policy.toml and send it anew"),
        Error::NotInGroup => failed(message).remedy("see: wa-cli groups list"),
        Error::AdminsOnly => failed(message).remedy("ask an admin: wa-cli groups info GROUP"),
        Error::AccountRestricted { .. } => {
            failed(message).remedy("wait; writing to people you know is still possible")
        }
        Error::Protocol(_) | Error::UnreadableAnswer | Error::Internal(_) => {
            failed(message).remedy("please report this")
        }
        _ => failed(message),
    }
}

/// The failure of not getting through to the server.
pub fn unreachable(reason: &DisconnectReason) -> Failure {
    let message = match reason {
        DisconnectReason::HttpStatus(status) => {
            format!("the server answers with HTTP status {status} instead of a connection")
        }
        DisconnectReason::Protocol => "the server does not speak WhatsApp's protocol".into(),
        DisconnectReason::Silence => "the server no longer answers".into(),
        DisconnectReason::StreamError | DisconnectReason::Refused => {
            "the server ends the connection".into()
        }
        DisconnectReason::LoginIncomplete => "the server does not complete the login".into(),
        DisconnectReason::ConnectionLost => "the connection was lost".into(),
        _ => "the server cannot be reached".into(),
    };
    let remedy = if std::env::var_os("WA_SERVER_URL").is_some() {
        "see whether WA_SERVER_URL is right and the network is there, and try again"
    } else {
        "see whether the network is there, and try again"
    };
    Failure::new(Cause::Offline, message).remedy(remedy)
}

fn logged_out(reason: LogoutReason) -> Failure {
    let message = match reason {
        LogoutReason::Requested => "this device was logged out",
        LogoutReason::PhoneGone => "the account's phone is gone, or the account is locked",
        LogoutReason::DeviceRemoved => {
            "this device is no longer linked: it was removed on the phone, or by the server"
        }
        _ => "WhatsApp does not let this device in any more; the account may be banned",
    };
    let remedy = match reason {
        LogoutReason::Requested | LogoutReason::DeviceRemoved => "link it again: wa-cli link",
        _ => "look at WhatsApp on the phone",
    };
    Failure::new(Cause::NotLinked, message).remedy(remedy)
}

fn refused(reason: &ConnectRefusal) -> Failure {
    match reason {
        ConnectRefusal::UntrustedServer => failed(
            "the server's certificate is not WhatsApp's, so nothing was sent to it",
        )
        .remedy("something between here and WhatsApp answers in its place; use another network"),
        ConnectRefusal::BadUserAgent => failed("WhatsApp refuses this kind of client")
            .remedy("install the current version of wa-cli"),
        ConnectRefusal::Code(code) => failed(format!("WhatsApp refuses this device (code {code})")),
        _ => failed("WhatsApp refuses this device"),
    }
}

/// The failure of codes that nobody took to the phone.
pub fn not_scanned() -> Failure {
    Failure::new(Cause::TimedOut, "nobody scanned or typed a code in time")
        .remedy("do so in WhatsApp under Settings, Linked devices; for new codes: wa-cli link")
}

/// A lost connection only brings new codes; everything else ends the linking.
fn pairing(reason: PairingFailure) -> Option<Failure> {
    let again = "run: wa-cli link";
    Some(match reason {
        PairingFailure::ConnectionEnded => return None,
        PairingFailure::Timeout => not_scanned(),
        PairingFailure::WrongSecret | PairingFailure::WrongSignature => {
            failed("what the phone signed does not fit the code on this screen, so it was refused")
                .remedy(again)
        }
        PairingFailure::Malformed => {
            failed("the phone's answer cannot be understood").remedy(again)
        }
        PairingFailure::Storage => failed("the link could not be saved, so it was refused")
            .remedy("see whether the disk is full"),
        PairingFailure::Passkey => {
            failed("what WhatsApp or the phone said about the passkey cannot be understood")
                .remedy(again)
        }
        _ => failed("linking failed").remedy(again),
    })
}

const fn offence(reason: BanReason) -> &'static str {
    match reason {
        BanReason::TooManyPeople => "messages to too many people who do not know the sender",
        BanReason::BlockedByUsers => "too many people blocked it",
        BanReason::TooManyGroups => "too many groups with strangers",
        BanReason::SameMessageTooOften => "the same message too often",
        BanReason::BroadcastList => "too many messages to a broadcast list",
        _ => "it does not say what for",
    }
}

fn failed(message: impl Into<String>) -> Failure {
    Failure::new(Cause::Failed, message)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn cause(event: &Event) -> Option<Cause> {
        of_event(event).map(|failure| failure.cause)
    }

    #[test]
    fn an_ended_link_and_a_refused_connection_are_told_apart() {
        let removed = Event::LoggedOut { reason: LogoutReason::DeviceRemoved };
        assert_eq!(cause(&removed), Some(Cause::NotLinked));
        let stranger = Event::ConnectFailure { reason: ConnectRefusal::UntrustedServer };
        assert_eq!(cause(&stranger), Some(Cause::Failed));
        let expired = Event::PairingFailed { reason: PairingFailure::Timeout };
        assert_eq!(cause(&expired), Some(Cause::TimedOut));
    }

    #[test]
    fn what_the_client_gets_over_by_itself_is_no_failure() {
        for event in [
            Event::Connected,
            Event::Disconnected { reason: DisconnectReason::RestartRequired },
            Event::PairingFailed { reason: PairingFailure::ConnectionEnded },
            Event::KeepAliveTimeout { silent_for: Duration::from_secs(60) },
        ] {
            assert_eq!(cause(&event), None, "{event:?}");
        }
    }

    #[test]
    fn the_length_of_a_ban_is_told() {
        let ban = Event::TemporaryBan {
            reason: BanReason::SameMessageTooOften,
            expires_in: Some(Duration::from_secs(3601)),
        };
        assert!(of_event(&ban).unwrap().message.contains("61 more minutes"));
    }

    #[test]
    fn errors_of_calls_keep_what_can_be_done_about_them() {
        assert_eq!(of_error(Error::NotConnected).cause, Cause::Offline);
        assert_eq!(of_error(Error::Timeout(Duration::from_secs(3))).cause, Cause::TimedOut);
        assert_eq!(of_error(Error::LoggedOut).cause, Cause::NotLinked);
        assert_eq!(of_error(Error::InvalidInput("no")).cause, Cause::Usage);
        assert_eq!(of_error(Error::Store(wa_store::StoreError::Locked)).cause, Cause::Locked);
    }
}
