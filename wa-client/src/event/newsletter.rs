//! What happens in channels, as events.

use std::fmt;

use wa_proto::Jid;

/// Something happened in a channel. What is posted is an [`crate::Event::Message`] as well.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NewsletterEvent {
    /// Something was posted.
    Posted {
        /// The channel.
        newsletter: Jid,
        /// The post's id as a message.
        id: String,
        /// The post's number, by which it is reacted to.
        server_id: u64,
    },
    /// Posts have other views or reactions than before.
    Updated {
        /// The channel.
        newsletter: Jid,
        /// The posts; without what they say.
        posts: Vec<crate::NewsletterPost>,
    },
    /// The account follows a channel now.
    Joined {
        /// The channel.
        newsletter: Jid,
    },
    /// The account follows a channel no longer.
    Left {
        /// The channel.
        newsletter: Jid,
    },
    /// A channel was muted or is no longer.
    MuteChanged {
        /// The channel.
        newsletter: Jid,
        /// Whether it is muted now.
        is_muted: bool,
    },
}

impl fmt::Debug for NewsletterEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Posted { .. } => "Posted",
            Self::Updated { .. } => "Updated",
            Self::Joined { .. } => "Joined",
            Self::Left { .. } => "Left",
            Self::MuteChanged { .. } => "MuteChanged",
        })
    }
}
