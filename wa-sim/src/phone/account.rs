//! What a phone's user sets of the account: "about", picture, privacy, whom to block. And what is
//! done to the account: restrictions, marks. Knows nothing of messages.

use serde_json::json;
use wa_proto::{Jid, Node};

use super::Phone;
use crate::server::{Server, directory::Addressing, restrictions::Cap};

/// Who sees the status posts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusAudience {
    /// All contacts, as nobody ever chose otherwise.
    Unset,
    /// All contacts but these.
    Except(Vec<Jid>),
    /// These alone.
    Only(Vec<Jid>),
}

impl Phone {
    /// Sets the "about" text.
    pub fn set_about(&self, text: &str) {
        self.act(|phone, server| server.change_about(phone.address, text));
    }

    /// The "about" text.
    pub fn about(&self) -> String {
        self.account(|account| account.about.clone()).unwrap_or_default()
    }

    /// Sets the picture, or takes it away; answers its id.
    pub fn set_picture(&self, jpeg: Option<Vec<u8>>) -> Option<String> {
        self.act(|phone, server| {
            let address = phone.address;
            server.change_picture(address.account, Some(address), jpeg)
        })?
    }

    /// The picture's bytes.
    pub fn picture(&self) -> Option<Vec<u8>> {
        self.account(|account| account.picture.as_ref().map(|picture| picture.jpeg.clone()))?
    }

    /// Sets the timer that new chats begin with, in seconds.
    pub fn set_disappearing_timer(&self, seconds: u32) {
        self.act(|phone, server| server.change_disappearing_mode(phone.address, seconds));
    }

    /// Makes the account a business that says this of itself.
    pub fn set_business(&self, description: &str) {
        self.act(|phone, server| {
            let account = phone.address.account;
            if let Some(account) = server.accounts.get_mut(&account) {
                account.business = Some(description.to_owned());
            }
            server.tell_contacts(account, "business", &Node::new("profile"));
        });
    }

    /// Sets a privacy setting by its name at the server; answers whether there is such a one.
    pub fn set_privacy(&self, name: &str, value: &str) -> bool {
        let set = |server: &mut Server| {
            let account = self.number();
            let kept = server.accounts.get_mut(&account)?.privacy.get_mut(name)?;
            value.clone_into(kept);
            let category =
                Node::new("category").attr("name", name.to_owned()).attr("value", value.to_owned());
            server.tell_account(account, None, &Node::new("privacy").child(category));
            Some(())
        };
        self.act(|_, server| set(server)).flatten().is_some()
    }

    /// A privacy setting by its name at the server.
    pub fn privacy(&self, name: &str) -> Option<String> {
        self.account(|account| account.privacy.get(name).cloned())?
    }

    /// Blocks somebody, or no longer; answers whether there is such an account.
    pub fn set_blocked(&self, person: &Jid, blocked: bool) -> bool {
        self.act(|phone, server| {
            let person = server.account_of(person)?;
            server.change_blocked(phone.address, person, blocked);
            Some(())
        })
        .flatten()
        .is_some()
    }

    /// Whom the account blocks, by phone number.
    pub fn blocked(&self) -> Vec<Jid> {
        self.act(|phone, server| {
            let account = server.accounts.get(&phone.address.account);
            let blocked = account.map(|account| account.blocked.clone()).unwrap_or_default();
            blocked.into_iter().map(|one| server.user_jid(one, Addressing::Phone)).collect()
        })
        .unwrap_or_default()
    }

    /// Says who sees the status posts.
    pub fn set_status_audience(&self, audience: StatusAudience) {
        self.act(|phone, server| {
            let accounts = |people: Vec<Jid>, server: &Server| {
                people.iter().filter_map(|jid| server.account_of(jid)).collect()
            };
            let audience = match audience {
                StatusAudience::Unset => None,
                StatusAudience::Except(people) => Some(("blacklist", accounts(people, server))),
                StatusAudience::Only(people) => Some(("whitelist", accounts(people, server))),
            };
            if let Some(account) = server.accounts.get_mut(&phone.address.account) {
                account.status_audience = audience;
            }
        });
    }

    /// From now on strangers need a token of this account's to write to it, or not.
    pub fn demand_tokens(&self, demand: bool) {
        self.act(|phone, server| {
            if let Some(account) = server.accounts.get_mut(&phone.address.account) {
                account.restrictions.demands_tokens = demand;
            }
        });
    }

    /// Gives the account the salt of which its companions make what they show in place of tokens.
    pub fn set_nct_salt(&self, salt: Vec<u8>) {
        self.act(|phone, server| {
            if let Some(account) = server.accounts.get_mut(&phone.address.account) {
                account.nct_salt = Some(salt);
            }
        });
    }

    /// Lets the account begin no new chats until this time, in unix seconds, or lifts that; its
    /// devices are told.
    pub fn set_timelock(&self, until: Option<u64>) {
        self.act(|phone, server| {
            let account = phone.address.account;
            if let Some(account) = server.accounts.get_mut(&account) {
                account.restrictions.timelock = until.map(|until| (until, TIMELOCK.to_owned()));
            }
            let timelock = server.timelock_of(account);
            let news = json!({ "xwa2_notify_account_reachout_timelock": timelock });
            server.tell_mex(account, "NotificationUserReachoutTimelockUpdate", &news);
        });
    }

    /// Lets the account begin so many new chats until this time, in unix seconds; its devices are
    /// not told.
    pub fn set_message_cap(&self, total: u64, ends: u64) {
        self.act(|phone, server| {
            if let Some(account) = server.accounts.get_mut(&phone.address.account) {
                account.restrictions.cap = Some(Cap { used: 0, total, ends });
            }
        });
    }

    /// Marks something of the account as changed (`account_sync`, `groups`): its companions are
    /// told at every login until they take the mark away.
    pub fn mark_dirty(&self, kind: &str) {
        self.act(|phone, server| server.mark_dirty(phone.address.account, kind));
    }

    /// The marks that a companion has not taken away.
    pub fn dirty(&self, device: u16) -> Vec<String> {
        self.account(|account| {
            let device = account.devices.get(&device);
            device.map(|device| device.dirty.keys().cloned().collect()).unwrap_or_default()
        })
        .unwrap_or_default()
    }

    fn account<T>(&self, look: impl FnOnce(&crate::server::account::Account) -> T) -> Option<T> {
        self.act(|phone, server| server.accounts.get(&phone.address.account).map(look)).flatten()
    }
}

const TIMELOCK: &str = "BIZ_QUALITY";
