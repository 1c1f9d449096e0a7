//! What to do about failures that many calls share, in words that fit every frontend.
//!
//! A frontend that has words of its own for one of them puts them in its place.

/// No message has this id.
pub const MESSAGE_ID: &str = "look for the id in the list of the chat's messages";
/// A message with a file was wanted.
pub const FILE: &str = "look for a message with a file in the list of the chat's messages";
/// A poll was wanted.
pub const POLL: &str = "look for a poll in the list of the chat's messages";
/// No chat is called so.
pub const CHATS: &str = "see the list of chats";
/// No group is called so.
pub const GROUPS: &str = "see the list of groups";
/// No channel is called so.
pub const CHANNELS: &str = "see the list of channels";
/// No label is called so.
pub const LABELS: &str = "see the list of labels";
/// Nobody is called so.
pub const PEOPLE: &str =
    "write the phone number with its country code, or look for the name in the contacts and chats";
/// It is a group's setting.
pub const GROUP_SETTING: &str = "set it among what the group permits";
/// No emoji was given.
pub const EMOJI: &str = "write one emoji, such as 👍, or nothing to take a reaction back";
/// A setting does not take the value.
pub const PRIVACY: &str = "see the values this setting takes";
/// The time for the answer was too short.
pub const TIME: &str = "try again, or give it more time";
/// There is no text.
pub const TEXT: &str = "write one";
