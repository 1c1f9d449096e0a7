//! What keeps an account from writing to people: a time-lock, a cap on new chats, and people who
//! want to permit it first. Knows nothing of messages.

use serde_json::{Value, json};
use wa_proto::Node;

use super::Server;
use crate::address::PhoneNumber;

/// The code with which a message is refused because of any of them.
pub(super) const NACK_RESTRICTED: u16 = 463;

/// What is in force for an account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Restrictions {
    /// Until when it may begin no new chats, and what for.
    pub(crate) timelock: Option<(u64, String)>,
    /// How many new chats it may begin, and until when that counts.
    pub(crate) cap: Option<Cap>,
    /// Whether strangers need a token to write to it.
    pub(crate) demands_tokens: bool,
}

/// How many new chats an account may begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cap {
    pub(crate) used: u64,
    pub(crate) total: u64,
    pub(crate) ends: u64,
}

impl Server {
    /// Whether an account may write this to another. Whoever has written back once may be written
    /// to always.
    pub(super) fn may_write(
        &mut self,
        from: PhoneNumber,
        to: PhoneNumber,
        message: &Node<'_>,
    ) -> bool {
        let now = self.now;
        let wrote = self.accounts.get(&to).is_some_and(|to| to.wrote_to.contains(&from));
        if from == to || wrote {
            return true;
        }
        let permitted = self.is_permitted(from, to, message);
        let demands = self.accounts.get(&to).is_some_and(|to| to.restrictions.demands_tokens);
        let Some(account) = self.accounts.get_mut(&from) else { return false };
        let is_new = !account.wrote_to.contains(&to);
        let restrictions = &mut account.restrictions;
        if demands && !permitted {
            return false;
        }
        if !is_new {
            return true;
        }
        if restrictions.timelock.as_ref().is_some_and(|(until, _)| *until > now) {
            return false;
        }
        match &mut restrictions.cap {
            Some(cap) if cap.ends > now && cap.used >= cap.total => false,
            Some(cap) => {
                cap.used += 1;
                true
            }
            None => true,
        }
    }

    pub(crate) fn timelock_of(&self, account: PhoneNumber) -> Value {
        let known = self.accounts.get(&account).and_then(|account| {
            account.restrictions.timelock.clone().filter(|(until, _)| *until > self.now)
        });
        match known {
            Some((until, kind)) => json!({
                "is_active": true,
                "time_enforcement_ends": until.to_string(),
                "enforcement_type": kind,
            }),
            None => json!({ "is_active": false, "enforcement_type": "DEFAULT" }),
        }
    }

    pub(super) fn cap_of(&self, account: PhoneNumber) -> Value {
        let cap = self.accounts.get(&account).and_then(|account| account.restrictions.cap);
        match cap {
            Some(Cap { used, total, ends }) => json!({
                "total_quota": total,
                "used_quota": used,
                "cycle_end_timestamp": ends.to_string(),
                "capping_status": if used >= total { "CAPPED" } else { "NONE" },
            }),
            None => json!({ "capping_status": "NONE" }),
        }
    }
}
