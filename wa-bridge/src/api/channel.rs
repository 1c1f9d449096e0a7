//! Channels, and what is posted in them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation;

/// The channels this account follows.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelList {}
operation!(ChannelList => Vec<ChannelView>, "channels/list", Read,
    "Lists the channels this account follows.");

/// One channel.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelGet {
    /// The channel: its address, its link (whatsapp.com/channel/…) or its name.
    pub channel: String,
}
operation!(ChannelGet => ChannelView, "channels/get", Read,
    "Tells what a channel says of itself.");

/// A channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ChannelView {
    /// The channel's address.
    pub jid: String,
    /// What it is called.
    pub name: String,
    /// What it is said to be about.
    pub description: Option<String>,
    /// The link to it.
    pub link: Option<String>,
    /// How many follow it.
    pub followers: u64,
    /// Whether WhatsApp vouches for whose it is.
    pub verified: bool,
    /// `guest`, `follower`, `admin` or `owner`; null where the server does not say.
    pub role: Option<String>,
    /// Whether it is silent.
    pub muted: bool,
    /// When it was made (RFC 3339).
    pub created_at: Option<String>,
}

/// Follows a channel, or no longer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelFollow {
    /// The channel: its address, its link (whatsapp.com/channel/…) or its name.
    pub channel: String,
    /// Whether it is to be followed.
    pub follow: bool,
}
operation!(ChannelFollow => FollowedView, "channels/follow", Arrange,
    "Follows a channel, or no longer.");

/// Whether a channel is followed now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct FollowedView {
    /// The channel's address.
    pub jid: String,
    /// What it is called.
    pub name: String,
    /// Whether it is followed.
    pub follows: bool,
}

/// The newest posts of a channel.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelPosts {
    /// The channel: its address, its link (whatsapp.com/channel/…) or its name.
    pub channel: String,
    /// How many; 20 unless said, 100 at most.
    #[serde(default)]
    pub count: Option<u32>,
}
operation!(ChannelPosts => Vec<PostView>, "channels/posts", Read,
    "Gives the newest posts of a channel, the oldest of them first.");

/// A post of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct PostView {
    /// Its number in the channel.
    pub number: u64,
    /// Its id.
    pub id: Option<String>,
    /// When it was posted (RFC 3339).
    pub timestamp: Option<String>,
    /// What it is: text, image, video, …
    pub kind: Option<String>,
    /// What it says.
    pub text: Option<String>,
    /// How often it was seen.
    pub views: Option<u64>,
    /// How often each emoji was put on it.
    pub reactions: BTreeMap<String, u64>,
}
