//! Which chats may be read or written to.

use serde::{Deserialize, Serialize};
use wa_proto::Jid;
use wa_store::{MessageQuery, Store, StoreError};

use crate::Recipient;

/// Which chats are meant. A chat is named by its address, its number, or its whole name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reach {
    /// These and no others; all where this is not given.
    pub chats: Option<Vec<String>>,
    /// Not these, whatever else is said.
    pub except: Vec<String>,
    /// Of single persons only those in the address book.
    pub contacts_only: bool,
    /// Single persons to whom this account never wrote and who are in no address book.
    pub unknown_senders: UnknownSenders,
    /// Groups.
    pub groups: bool,
    /// What a chat has to be within besides: of two policies that hold together, the other's.
    #[serde(skip)]
    also: Vec<Reach>,
}

/// What becomes of people who are in no address book and to whom this account never wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownSenders {
    /// They are treated like everybody else.
    #[default]
    Shown,
    /// They are out of reach.
    Withheld,
}

impl Default for Reach {
    fn default() -> Self {
        Self {
            chats: None,
            except: Vec::new(),
            contacts_only: false,
            unknown_senders: UnknownSenders::Shown,
            groups: true,
            also: Vec::new(),
        }
    }
}

/// What a policy needs to know of a chat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Standing {
    /// The addresses of the chat: its own, and a person's other one.
    pub addresses: Vec<Jid>,
    /// Its names: the chat's own, and those of the person.
    pub names: Vec<String>,
    /// Whether the person is in the address book.
    pub in_address_book: bool,
    /// Whether this account has written there.
    pub written_to: bool,
    /// Whether the other side has written there.
    pub wrote_here: bool,
}

impl Standing {
    /// Looks up what is known of a chat.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub async fn look_up(chat: &Jid, store: &dyn Store) -> Result<Self, StoreError> {
        let chat = chat.to_user();
        let mut standing = Self { addresses: vec![chat.clone()], ..Self::default() };
        if let Some(known) = store.chat(&chat).await? {
            // A name people give themselves is no reason to trust them, nor to keep them out; a
            // chat with one person bears it where nothing better is known.
            if !known.jid.is_person() {
                standing.names.extend(known.name);
            }
            standing.addresses.extend([known.jid].into_iter().chain(known.phone));
        }
        if let Some(contact) = store.contact(&chat).await? {
            let jids = [Some(contact.jid), contact.phone, contact.lid];
            standing.addresses.extend(jids.into_iter().flatten());
            standing.in_address_book = contact.full_name.is_some() || contact.first_name.is_some();
            standing.names.extend([contact.full_name, contact.first_name].into_iter().flatten());
        }
        standing.written_to = any_message(&chat, true, store).await?;
        standing.wrote_here = any_message(&chat, false, store).await?;
        Ok(standing)
    }

    fn is_group(&self) -> bool {
        self.addresses.iter().any(Jid::is_group)
    }

    fn is_person(&self) -> bool {
        self.addresses.iter().any(Jid::is_person)
    }

    /// Whether a name of the policy means this chat.
    fn is_named(&self, named: &str) -> bool {
        if named == "*" {
            return true;
        }
        let named = named.trim();
        match named.parse() {
            Ok(Recipient::Jid(jid)) => self.addresses.contains(&jid.to_user()),
            Ok(Recipient::Phone(digits)) => self.addresses.contains(&Jid::phone(digits.as_str())),
            _ => {
                let wanted = named.to_lowercase();
                self.names.iter().any(|name| name.trim().to_lowercase() == wanted)
            }
        }
    }
}

async fn any_message(chat: &Jid, from_me: bool, store: &dyn Store) -> Result<bool, StoreError> {
    let mut query = MessageQuery::chat(chat.clone());
    query.filter.from_me = Some(from_me);
    query.limit = 1;
    Ok(!store.messages(&query).await?.is_empty())
}

impl Reach {
    /// What is within reach of both.
    pub(super) fn meet(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for one in other.also.iter().chain([other]) {
            let alone = Self { also: Vec::new(), ..one.clone() };
            let is_there =
                both.also.contains(&alone) || Self { also: Vec::new(), ..both.clone() } == alone;
            if !is_there {
                both.also.push(alone);
            }
        }
        both
    }

    /// Whether a chat is within reach.
    pub fn holds(&self, chat: &Standing) -> bool {
        self.also.iter().all(|also| also.holds_alone(chat)) && self.holds_alone(chat)
    }

    fn holds_alone(&self, chat: &Standing) -> bool {
        let is_named = |list: &[String]| list.iter().any(|named| chat.is_named(named));
        if is_named(&self.except) {
            return false;
        }
        if let Some(chats) = &self.chats {
            return is_named(chats);
        }
        if chat.is_group() {
            return self.groups;
        }
        if !chat.is_person() {
            return true;
        }
        let is_unknown = !chat.in_address_book && !chat.written_to;
        !(self.contacts_only && !chat.in_address_book
            || self.unknown_senders == UnknownSenders::Withheld && is_unknown)
    }

    /// Whether any chat at all is out of reach.
    pub fn is_limited(&self) -> bool {
        *self != Self::default()
    }

    /// Finds names that can mean no chat.
    pub(super) fn check(&self) -> Result<(), String> {
        for named in self.chats.iter().flatten().chain(&self.except) {
            if named != "*"
                && let Err(error) = named.parse::<Recipient>()
            {
                return Err(error.to_string());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(lid: &str, phone: &str, name: Option<&str>) -> Standing {
        Standing {
            addresses: vec![Jid::lid(lid), Jid::phone(phone)],
            names: name.map(str::to_owned).into_iter().collect(),
            in_address_book: name.is_some(),
            ..Standing::default()
        }
    }

    fn reach(toml: &str) -> Reach {
        let reach: Reach = toml::from_str(toml).unwrap();
        reach.check().unwrap();
        reach
    }

    #[test]
    fn a_chat_is_named_by_either_address_by_number_or_by_its_whole_name() {
        let anna = person("77", "447700900123", Some("Anna"));
        for named in ["77@lid", "447700900123@s.whatsapp.net", "+44 7700 900123", "anna", "*"] {
            assert!(reach(&format!("chats = [{named:?}]")).holds(&anna), "{named}");
            assert!(!reach(&format!("except = [{named:?}]")).holds(&anna), "{named}");
        }
        assert!(!reach("chats = ['Ann']").holds(&anna), "a part of a name means nobody");
        assert!(!reach("chats = ['*']\nexcept = ['Anna']").holds(&anna), "an exception wins");
    }

    #[test]
    fn strangers_can_be_kept_out() {
        let friend = person("77", "447700900123", Some("Anna"));
        let stranger = person("78", "447700900124", None);
        let answered = Standing { written_to: true, ..stranger.clone() };
        let contacts = reach("contacts_only = true");
        assert!(contacts.holds(&friend) && !contacts.holds(&answered));
        let withheld = reach("unknown_senders = 'withheld'");
        assert!(withheld.holds(&answered) && !withheld.holds(&stranger));
    }

    #[test]
    fn groups_can_be_kept_out() {
        let group = Standing { addresses: vec![Jid::group("1203")], ..Standing::default() };
        assert!(Reach::default().holds(&group));
        assert!(!reach("groups = false").holds(&group));
        assert!(reach("groups = false\nchats = ['1203@g.us']").holds(&group));
    }

    #[test]
    fn a_name_that_can_mean_nobody_is_an_error() {
        for named in ["", "07700 900123", "a b@lid"] {
            let reach: Reach = toml::from_str(&format!("except = [{named:?}]")).unwrap();
            assert!(reach.check().is_err(), "{named:?}");
        }
    }
}
