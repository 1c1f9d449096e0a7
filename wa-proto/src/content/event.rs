//! What has a time: calendar events and calls.
//!
//! Owns their values. Knows nothing of calendars, nor of call signalling.

use super::{Location, key};
use crate::ids::MessageKey;
use crate::pb::message as pb;

/// A calendar event. Times are in seconds since 1970.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// Where.
    pub location: Option<Location>,
    /// A link to join a call.
    pub join_link: Option<String>,
    /// When it begins.
    pub starts_at: Option<i64>,
    /// When it ends.
    pub ends_at: Option<i64>,
    /// Whether it will not take place.
    pub canceled: bool,
}

impl From<pb::EventMessage> for Event {
    fn from(m: pb::EventMessage) -> Self {
        Self {
            name: m.name.unwrap_or_default(),
            description: m.description,
            location: m.location.map(|location| Location::from(*location)),
            join_link: m.join_link,
            starts_at: m.start_time,
            ends_at: m.end_time,
            canceled: m.is_canceled.unwrap_or(false),
        }
    }
}

/// An invitation to an event. Times are in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventInvite {
    /// The event's id.
    pub event_id: String,
    /// What it is called.
    pub title: String,
    /// What the sender says.
    pub caption: Option<String>,
    /// When it begins.
    pub starts_at: Option<i64>,
    /// When it ends.
    pub ends_at: Option<i64>,
    /// Whether it will not take place.
    pub canceled: bool,
}

impl From<pb::EventInviteMessage> for EventInvite {
    fn from(m: pb::EventInviteMessage) -> Self {
        Self {
            event_id: m.event_id.unwrap_or_default(),
            title: m.event_title.unwrap_or_default(),
            caption: m.caption,
            starts_at: m.start_time,
            ends_at: m.end_time,
            canceled: m.is_canceled.unwrap_or(false),
        }
    }
}

/// How a call ended.
pub use pb::call_log_message::CallOutcome;

/// A finished or missed call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallLog {
    /// Whether it had video.
    pub video: bool,
    /// How it ended.
    pub outcome: CallOutcome,
    /// How long it took, in seconds.
    pub seconds: Option<i64>,
}

impl From<pb::CallLogMessage> for CallLog {
    fn from(m: pb::CallLogMessage) -> Self {
        Self {
            video: m.is_video.unwrap_or(false),
            outcome: m.call_outcome(),
            seconds: m.duration_secs,
        }
    }
}

/// A call planned for later, or the end of such a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScheduledCall {
    /// A plan.
    Planned {
        /// What it is called.
        title: String,
        /// When, in milliseconds since 1970.
        at_ms: Option<i64>,
        /// Whether it has video.
        video: bool,
    },
    /// A plan given up.
    Cancelled {
        /// The message that planned it.
        target: Option<MessageKey>,
    },
}

impl From<pb::ScheduledCallCreationMessage> for ScheduledCall {
    fn from(m: pb::ScheduledCallCreationMessage) -> Self {
        let video = m.call_type() == pb::scheduled_call_creation_message::CallType::Video;
        Self::Planned { title: m.title.unwrap_or_default(), at_ms: m.scheduled_timestamp_ms, video }
    }
}

impl From<pb::ScheduledCallEditMessage> for ScheduledCall {
    fn from(m: pb::ScheduledCallEditMessage) -> Self {
        Self::Cancelled { target: key(m.key) }
    }
}
