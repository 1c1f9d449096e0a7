//! Which of a chat's messages an action is about.
//!
//! A phone ignores an action on a whole chat unless it names the last message its maker knew of.

use std::fmt;

use crate::{MessageKey, pb};

/// Up to which message an action goes.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct MessageRange {
    /// The time of the last message, in seconds since 1970.
    pub last_message: Option<i64>,
    /// The time of the last notice that nobody wrote, in seconds since 1970.
    pub last_system_message: Option<i64>,
    /// The messages at the end.
    pub messages: Vec<RangeMessage>,
}

/// A message of a range.
#[derive(Clone, PartialEq, Eq)]
pub struct RangeMessage {
    /// Which.
    pub key: MessageKey,
    /// Its time, in seconds since 1970.
    pub timestamp: Option<i64>,
}

/// The most messages that are read of a range.
const MAX_RANGE_MESSAGES: usize = 1_000;

impl MessageRange {
    /// A range that ends with this message.
    pub fn up_to(key: MessageKey, timestamp: i64) -> Self {
        Self {
            last_message: Some(timestamp),
            last_system_message: None,
            messages: vec![RangeMessage { key, timestamp: Some(timestamp) }],
        }
    }

    /// The time of the last message, in seconds since 1970, however it is told.
    pub fn end(&self) -> Option<i64> {
        let told = self.messages.iter().filter_map(|message| message.timestamp);
        // Some senders give milliseconds.
        told.chain(self.last_message).map(seconds).max().filter(|&end| end > 0)
    }

    pub(super) fn from_pb(range: pb::sync_action_value::SyncActionMessageRange) -> Self {
        let message = |message: pb::sync_action_value::SyncActionMessage| {
            Some(RangeMessage {
                key: MessageKey::from_pb(message.key?).ok()?,
                timestamp: message.timestamp,
            })
        };
        Self {
            last_message: range.last_message_timestamp,
            last_system_message: range.last_system_message_timestamp,
            messages: range
                .messages
                .into_iter()
                .take(MAX_RANGE_MESSAGES)
                .filter_map(message)
                .collect(),
        }
    }

    pub(super) fn to_pb(&self) -> pb::sync_action_value::SyncActionMessageRange {
        let message = |message: &RangeMessage| pb::sync_action_value::SyncActionMessage {
            key: Some(message.key.to_pb()),
            timestamp: message.timestamp,
        };
        pb::sync_action_value::SyncActionMessageRange {
            last_message_timestamp: self.last_message,
            last_system_message_timestamp: self.last_system_message,
            messages: self.messages.iter().map(message).collect(),
        }
    }
}

/// Beyond the year 5000 it cannot be seconds.
fn seconds(time: i64) -> i64 {
    if time > 95_617_584_000 { time / 1000 } else { time }
}

impl fmt::Debug for MessageRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageRange")
            .field("last_message", &self.last_message)
            .field("messages", &self.messages.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RangeMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RangeMessage").field("timestamp", &self.timestamp).finish_non_exhaustive()
    }
}
