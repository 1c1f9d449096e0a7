//! Labels, and what has one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation;

/// The labels there are.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelList {}
operation!(LabelList => Vec<LabelView>, "labels/list", Read, "Lists the labels.");

/// A label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct LabelView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The number of its colour.
    pub color: Option<i32>,
    /// On how many chats and messages it is.
    pub count: usize,
}

/// What has a label.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelGet {
    /// The label: its id or its name.
    pub label: String,
}
operation!(LabelGet => Vec<LabelledView>, "labels/get", Read,
    "Lists the chats and messages that have a label.");

/// A chat or message that has a label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct LabelledView {
    /// The chat: its number where that is known, else its address.
    pub chat: String,
    /// The chat's address.
    pub jid: String,
    /// The message, where it is not the chat itself.
    pub message_id: Option<String>,
}
