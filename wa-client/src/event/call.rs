//! Calls, as events. Numbers have no `Debug`.

use std::fmt;

use wa_proto::Jid;

/// News of a call. Sound and picture are not carried here.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallEvent {
    /// The call's id: the same in all news of it.
    pub id: String,
    /// Who calls, by LID where it is known.
    pub caller: Jid,
    /// The group that is called.
    pub group: Option<Jid>,
    /// Whether with picture, as far as it was told.
    pub is_video: bool,
    /// When, in seconds since 1970.
    pub timestamp: u64,
    /// Whether it waited on the server while this device was away: then it does not ring now.
    pub was_offline: bool,
    /// What happened.
    pub state: CallState,
}

impl fmt::Debug for CallEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallEvent")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// What happened to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallState {
    /// It rings.
    Ringing,
    /// It is about to be taken.
    PreAccepted,
    /// It was taken.
    Accepted,
    /// It was turned down.
    Rejected,
    /// It ended.
    Ended {
        /// Why, in the server's words: `timeout`, `accepted_elsewhere` and so on.
        reason: Option<String>,
        /// Whether nobody took it; it then stands in the archive as a missed call.
        is_missed: bool,
    },
    /// Anything else, in the server's words: words between the devices that carry the call.
    Other(String),
}
