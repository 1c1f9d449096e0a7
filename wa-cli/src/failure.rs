//! How a command ends when it does not succeed: a code for scripts, one line for people.

use std::{io, process::ExitCode};

use serde::Serialize;
use wa_bridge::{KeyError, LockError, ProfileError};
use wa_store::StoreError;

/// Why a command failed, sorted by what the caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cause {
    /// Something went wrong that no other cause names.
    Failed,
    /// The command line, or a value on it, is wrong.
    Usage,
    /// The person said no.
    Cancelled,
    /// No device is linked, or the link was ended.
    NotLinked,
    /// The server cannot be reached.
    Offline,
    /// Nothing came in time.
    TimedOut,
    /// The message is safe on disk and was not sent yet.
    Queued,
    /// Another process owns the account.
    Locked,
    /// Interrupted from the keyboard.
    Interrupted,
}

impl Cause {
    /// The process's exit code.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Cancelled => 3,
            Self::NotLinked => 4,
            Self::Offline | Self::TimedOut | Self::Queued => 5,
            Self::Locked => 6,
            Self::Interrupted => 130,
        }
    }
}

/// A command's failure: what happened, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Failure {
    #[serde(rename = "code")]
    pub(crate) cause: Cause,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remedy: Option<String>,
    pub(crate) exit_code: u8,
    /// The message it is about, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<String>,
}

impl Failure {
    /// A failure without advice.
    pub(crate) fn new(cause: Cause, message: impl Into<String>) -> Self {
        let message = one_line(&message.into());
        Self { cause, message, remedy: None, exit_code: cause.exit_code(), message_id: None }
    }

    /// Adds what to do about it.
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(one_line(&remedy.into()));
        self
    }

    /// Says which message it is about.
    pub(crate) fn about(mut self, message_id: impl Into<String>) -> Self {
        self.message_id = Some(message_id.into());
        self
    }

    /// The code for the shell.
    pub(crate) fn to_exit_code(&self) -> ExitCode {
        ExitCode::from(self.exit_code)
    }

    /// The line for a person.
    pub(crate) fn line(&self) -> String {
        match &self.remedy {
            Some(remedy) => format!("wa-cli: {}; {remedy}", self.message),
            None => format!("wa-cli: {}", self.message),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Locked => Self::new(Cause::Locked, message)
                .remedy("stop the other process, or use another --profile"),
            StoreError::WrongKey { .. } => {
                Self::new(Cause::Failed, message).remedy("name the right key with --key-file")
            }
            StoreError::ForeignFile { .. } => {
                Self::new(Cause::Failed, message).remedy("use another folder with --store")
            }
            StoreError::DiskFull => {
                Self::new(Cause::Failed, message).remedy("make room and try again")
            }
            StoreError::Unlinked => Self::new(Cause::NotLinked, message).remedy("run: wa-cli link"),
            StoreError::SearchTooLong | StoreError::BadCursor => Self::new(Cause::Usage, message),
            _ => Self::new(Cause::Failed, message),
        }
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        Self::new(Cause::Failed, error.to_string())
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        let cause = match error {
            LockError::Held { .. } => Cause::Locked,
            _ => Cause::Failed,
        };
        Self::new(cause, error.to_string())
    }
}

impl From<ProfileError> for Failure {
    fn from(error: ProfileError) -> Self {
        Self::new(Cause::Failed, error.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(Cause::Failed, format!("cannot write the output: {error}"))
    }
}

/// An error may quote what was typed or sent; it still prints as one line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_and_one_object() {
        let failure =
            Failure::new(Cause::NotLinked, "no device\nis linked").remedy("run: wa-cli link");
        assert_eq!(failure.line(), "wa-cli: no device is linked; run: wa-cli link");
        assert_eq!(
            serde_json::to_string(&failure).unwrap(),
            r#"{"code":"not_linked","message":"no device is linked","remedy":"run: wa-cli link","exit_code":4}"#
        );
    }
}
