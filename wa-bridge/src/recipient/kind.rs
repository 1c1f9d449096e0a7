//! Who or what a chat is with, as its address says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wa_proto::{Jid, Server};

/// Who or what a chat is with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ChatKind {
    /// One person.
    #[default]
    Person,
    /// A group.
    Group,
    /// Status posts: everybody whom the account's privacy settings let see them.
    Status,
    /// A broadcast list: everybody on it.
    Broadcast,
    /// A channel: everybody who follows it.
    Channel,
    /// Something else, such as a bot.
    Other,
}

impl ChatKind {
    /// What an address stands for.
    pub fn of(jid: &Jid) -> Self {
        match jid.server {
            _ if jid.is_person() => Self::Person,
            Server::Group => Self::Group,
            Server::Broadcast if jid.is_status() => Self::Status,
            Server::Broadcast => Self::Broadcast,
            Server::Newsletter => Self::Channel,
            _ => Self::Other,
        }
    }

    /// Whether what is sent there reaches people who are not named: then only a policy that names
    /// it lets an assistant write there, and a person always agrees.
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Status | Self::Broadcast | Self::Channel)
    }

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Group => "group",
            Self::Status => "status",
            Self::Broadcast => "broadcast",
            Self::Channel => "channel",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_tells_what_it_reaches() {
        for (jid, kind, public) in [
            ("1@lid", ChatKind::Person, false),
            ("1@c.us", ChatKind::Person, false),
            ("1@hosted.lid", ChatKind::Person, false),
            ("1@g.us", ChatKind::Group, false),
            ("status@broadcast", ChatKind::Status, true),
            ("1@broadcast", ChatKind::Broadcast, true),
            ("1@newsletter", ChatKind::Channel, true),
            ("1@bot", ChatKind::Other, false),
        ] {
            let found = ChatKind::of(&jid.parse().unwrap());
            assert_eq!((found, found.is_public()), (kind, public), "{jid}");
        }
    }
}
