//! What happens to groups, as an event.
//!
//! Knows nothing of how it happens.

use std::fmt;

use wa_proto::{Jid, stanza::GroupChange};

/// One change in a group. What is known of the group has been changed alike.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct GroupEvent {
    /// The group.
    pub group: Jid,
    /// Who changed it, by LID where one is known; `None` if the server did.
    pub actor: Option<Jid>,
    /// The name that they gave themselves.
    pub push_name: Option<String>,
    /// When, in seconds since 1970.
    pub timestamp: u64,
    /// What changed.
    pub change: GroupChange,
}

impl fmt::Debug for GroupEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupEvent").field("group", &self.group).finish_non_exhaustive()
    }
}
