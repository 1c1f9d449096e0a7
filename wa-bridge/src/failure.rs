//! Why a call was not done: one shape for every frontend, sorted by what the caller can do.
//!
//! Knows nothing of exit codes, HTTP or MCP.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wa_store::StoreError;

use crate::{KeyError, LockError, ProfileError, api::CandidateView, api::DraftView};

pub mod ending;
pub mod remedy;

/// Why a call was not done, sorted by what the caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// Something went wrong that no other cause names.
    Failed,
    /// What was asked for is wrong in itself.
    Usage,
    /// What was named is not there.
    NotFound,
    /// A name fits several people or chats; [`Failure::candidates`] lists them.
    Ambiguous,
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
    /// Another process owns the account, and cannot be spoken with.
    Locked,
    /// The account's policy does not allow it.
    Forbidden,
    /// Too many messages in too short a time; [`Failure::retry_at`] says when the next may go.
    Paced,
    /// A person has to agree first; [`Failure::draft`] is what waits for them.
    ConfirmationRequired,
    /// The process that owns the account is of another version.
    Version,
    /// Interrupted from the keyboard.
    Interrupted,
}

/// Why a call was not done: what happened, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Failure {
    /// The kind of failure.
    #[serde(rename = "code")]
    pub cause: Cause,
    /// What happened, in one line.
    pub message: String,
    /// What to do about it, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The message it is about, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<Box<str>>,
    /// Who may be meant, where a name fits several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<CandidateView>,
    /// When the next message may go (RFC 3339), where it was too early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Box<str>>,
    /// What waits for a person to agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<Box<DraftView>>,
}

impl Failure {
    /// A failure without advice.
    pub fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self {
            cause,
            message: one_line(&message.into()),
            remedy: None,
            message_id: None,
            candidates: Vec::new(),
            retry_at: None,
            draft: None,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(one_line(&remedy.into()));
        self
    }

    /// Says which message it is about.
    #[must_use]
    pub fn about(mut self, message_id: impl Into<Box<str>>) -> Self {
        self.message_id = Some(message_id.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

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
            StoreError::Overwritten { .. } => Self::new(Cause::Failed, message)
                .remedy("put a backup of it back, or move it away and link anew: wa-cli link"),
            StoreError::Corrupt { .. } => Self::new(Cause::Failed, message)
                .remedy("see how much of it with: wa-cli doctor; and put a backup of it back"),
            StoreError::DiskFull => {
                Self::new(Cause::Failed, message).remedy("make room and try again")
            }
            StoreError::Unlinked => Self::new(Cause::NotLinked, message).remedy("run: wa-cli link"),
            StoreError::SearchTooLong | StoreError::SearchOnlyExcludes | StoreError::BadCursor => {
                Self::new(Cause::Usage, message)
            }
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
        assert_eq!(failure.to_string(), "no device is linked; run: wa-cli link");
        let json = serde_json::to_string(&failure).unwrap();
        assert_eq!(
            json,
            r#"{"code":"not_linked","message":"no device is linked","remedy":"run: wa-cli link"}"#
        );
        assert_eq!(serde_json::from_str::<Failure>(&json).unwrap(), failure);
    }
}
