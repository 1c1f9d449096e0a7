//! What happens to the account itself, as events.
//!
//! Owns what a restriction is. Texts have no `Debug`.

use std::fmt;

use wa_proto::Jid;

use crate::privacy::{PrivacyKind, PrivacyValue};

/// Something of the account changed, here, on another device or at the server.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountEvent {
    /// The server restricts this account no longer.
    RestrictionLifted,
    /// A privacy setting.
    PrivacyChanged {
        /// Which.
        kind: PrivacyKind,
        /// What it is now.
        value: PrivacyValue,
    },
    /// The user's own picture.
    PictureChanged,
    /// Somebody is blocked now, or no longer.
    Blocked {
        /// Who, by LID where it is known.
        person: Jid,
        /// Whether they are blocked now.
        is_blocked: bool,
    },
    /// The timer that the user's new chats begin with.
    DisappearingTimerChanged {
        /// In seconds; 0 is off.
        seconds: u32,
    },
}

impl fmt::Debug for AccountEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RestrictionLifted => "RestrictionLifted",
            Self::PrivacyChanged { .. } => "PrivacyChanged",
            Self::PictureChanged => "PictureChanged",
            Self::Blocked { .. } => "Blocked",
            Self::DisappearingTimerChanged { .. } => "DisappearingTimerChanged",
        })
    }
}

/// What keeps this account from writing to somebody.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Restriction {
    /// The account may begin no new chats for a while: it wrote to too many people who do not know
    /// it, or was reported.
    Timelock {
        /// What for, in the server's words: `BIZ_QUALITY`, `WEB_COMPANION_ONLY` and so on.
        kind: String,
        /// When it ends, in seconds since 1970, if the server said.
        until: Option<u64>,
    },
    /// All the new chats that the account may begin in a period are used up.
    MessageCap {
        /// How many were begun.
        used: u64,
        /// How many may be begun.
        total: u64,
        /// When the period ends, in seconds since 1970, if the server said.
        until: Option<u64>,
    },
    /// The account as such is not restricted: this person has not permitted it to write to them,
    /// and is no contact. They permit it by writing first.
    NotPermitted,
    /// The server did not say.
    Unknown,
}

impl Restriction {
    /// When it ends, in seconds since 1970, if that is known.
    pub fn until(&self) -> Option<u64> {
        match self {
            Self::Timelock { until, .. } | Self::MessageCap { until, .. } => *until,
            Self::NotPermitted | Self::Unknown => None,
        }
    }
}

impl fmt::Display for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timelock { .. } => f.write_str("it may begin no new chats for now")?,
            Self::MessageCap { used, total, .. } => {
                write!(f, "it has begun {used} of the {total} new chats it may begin")?;
            }
            Self::NotPermitted => {
                f.write_str("this person has not permitted it to write to them")?;
            }
            Self::Unknown => f.write_str("the server does not say why")?,
        }
        match self.until() {
            Some(until) => write!(f, " (until {until}, in seconds since 1970)"),
            None => Ok(()),
        }
    }
}
