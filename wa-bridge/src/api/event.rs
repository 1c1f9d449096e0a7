//! What happens, as a stream of objects.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{MessageView, operation};

/// Something happened. New messages come in the order of their numbers, each once, also those that
/// arrived while nobody listened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventView {
    /// A message is new in the archive.
    Message {
        /// The message.
        message: Box<MessageView>,
    },
    /// Something else: `name` says what, the rest depends on it.
    #[serde(untagged)]
    Other(Value),
}

impl EventView {
    /// The chat an event is about, if it is about one.
    pub fn chat(&self) -> Option<&str> {
        match self {
            Self::Message { message } => Some(&message.chat),
            Self::Other(object) => {
                object.get("chat").or_else(|| object.get("group")).and_then(Value::as_str)
            }
        }
    }
}

/// The number of the last message in the archive, to ask for events after it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LastMessage {}
operation!(LastMessage => u64, "events/last", Read, "Tells the number of the last message in the archive.");
