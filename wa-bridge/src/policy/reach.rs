//! Which chats may be read or written to.
//!
//! Owns what the file says of it, and turns it into a [`Scope`]; what a scope means in an archive is
//! the archive's to say, so that there is one answer for lists, searches, counts and recipients.

use serde::{Deserialize, Serialize};
use wa_proto::Jid;
use wa_store::{MessageQuery, Scope, Store, StoreError, Strangers};

use crate::{ChatKind, Recipient};

/// Which chats are meant. A person is named by number or address, everything else by its address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reach {
    /// These and no others; all where this is not given. `*` stands for every person and group.
    pub chats: Option<Vec<String>>,
    /// Not these, and of these people nothing, wherever they wrote it.
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

/// What is neither a person nor a group: status posts, broadcast lists, channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broadcasts {
    /// Within reach, unless strangers are not.
    Allowed,
    /// Within reach only where the policy names them.
    Named,
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

/// What an entry of a list means.
#[derive(Debug, PartialEq, Eq)]
enum Entry {
    /// Every person and group.
    Everybody,
    /// A person or chat.
    Chat(Jid),
}

impl Entry {
    /// Reads an entry. A name is none: whoever bears it can change it, and so can others.
    fn parse(text: &str, list: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "*" {
            return Ok(Self::Everybody);
        }
        match text.parse() {
            Ok(Recipient::Jid(jid)) => Ok(Self::Chat(jid)),
            Ok(Recipient::Phone(digits)) => Ok(Self::Chat(Jid::phone(digits.as_str()))),
            Ok(Recipient::Name(name)) => Err(format!(
                "{list} has the name {name:?}, and names change: people stand there by number, groups \
                 by address (…@g.us). Take it out, then run: wa-cli policy add {list} {name:?}"
            )),
            Err(error) => Err(format!("{list}: {error}")),
        }
    }
}

/// What a policy needs to know of a chat before something is sent there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Standing {
    /// Who or what is reached.
    pub kind: ChatKind,
    /// Whether the person is in the address book.
    pub in_address_book: bool,
    /// Whether the person has written there themselves. What an assistant sent does not count, also
    /// not what the person agreed to.
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
        let contact = store.contact(&chat).await?;
        let by_person = |query: &mut MessageQuery| {
            query.filter.from_me = Some(true);
            query.filter.by_assistant = Some(false);
        };
        let by_others = |query: &mut MessageQuery| query.filter.from_me = Some(false);
        Ok(Self {
            kind: ChatKind::of(&chat),
            in_address_book: contact.is_some_and(|contact| contact.is_in_address_book()),
            written_to: any_message(&chat, by_person, store).await?,
            wrote_here: any_message(&chat, by_others, store).await?,
        })
    }
}

async fn any_message(
    chat: &Jid,
    narrow: impl FnOnce(&mut MessageQuery),
    store: &dyn Store,
) -> Result<bool, StoreError> {
    let mut query = MessageQuery::chat(chat.clone());
    narrow(&mut query);
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

    /// What is within reach, for the archive to go by.
    pub fn scope(&self, broadcasts: Broadcasts) -> Scope {
        let strangers = match (self.contacts_only, self.unknown_senders) {
            (true, _) => Strangers::Hidden,
            (false, UnknownSenders::Withheld) => Strangers::UntilWrittenTo,
            (false, UnknownSenders::Shown) => Strangers::Shown,
        };
        let mut scope = Scope::default();
        scope.also = self.also.iter().map(|also| also.scope(broadcasts)).collect();
        scope.strangers = strangers;
        scope.groups = self.groups;
        scope.broadcasts = broadcasts == Broadcasts::Allowed && strangers == Strangers::Shown;
        scope.only_named = self.chats.is_some();
        for entry in entries(self.chats.iter().flatten()) {
            match entry {
                Entry::Everybody => scope.only_named = false,
                Entry::Chat(jid) => scope.named.push(jid),
            }
        }
        for entry in entries(&self.except) {
            match entry {
                Entry::Everybody => {
                    scope.only_named = true;
                    scope.named.clear();
                }
                Entry::Chat(jid) => scope.except.push(jid),
            }
        }
        scope
    }

    /// Whether a chat is named one by one, and not merely held because nobody is named.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub async fn names(&self, chat: &Jid, store: &dyn Store) -> Result<bool, StoreError> {
        let mut named = Scope::default();
        named.only_named = true;
        named.named = self.scope(Broadcasts::Named).named;
        Ok(store.chats_within(&named, std::slice::from_ref(chat)).await?.contains(chat))
    }

    /// Whether any chat at all is out of reach.
    pub fn is_limited(&self) -> bool {
        *self != Self::default()
    }

    /// Finds entries that can mean no chat, in the section of this name.
    pub(super) fn check(&self, section: &str) -> Result<(), String> {
        for (list, named) in [("chats", self.chats.as_ref()), ("except", Some(&self.except))] {
            for text in named.into_iter().flatten() {
                Entry::parse(text, &format!("{section}.{list}"))?;
            }
        }
        Ok(())
    }
}

/// What the entries of a list mean; a policy with one that means nothing was not taken.
fn entries<'a>(texts: impl IntoIterator<Item = &'a String>) -> impl Iterator<Item = Entry> {
    texts.into_iter().filter_map(|text| Entry::parse(text, "").ok())
}

#[cfg(test)]
impl Reach {
    /// Whether a chat is within reach of an account that knows nobody.
    pub(super) fn holds(&self, chat: &Jid) -> bool {
        use futures_util::FutureExt;
        let (store, scope) = (wa_store::MemoryStore::new(), self.scope(Broadcasts::Allowed));
        let within = store.chats_within(&scope, std::slice::from_ref(chat));
        within.now_or_never().unwrap().unwrap().contains(chat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(toml: &str) -> Reach {
        let reach: Reach = toml::from_str(toml).unwrap();
        reach.check("read").unwrap();
        reach
    }

    #[test]
    fn people_stand_in_a_policy_by_number_and_groups_by_address() {
        let scope = reach(
            "chats = ['77@lid', '+44 7700 900123', '1203@g.us']
             except = ['447700900124@s.whatsapp.net', ' 44 7700 900125 ']",
        )
        .scope(Broadcasts::Allowed);
        assert!(scope.only_named);
        assert_eq!(scope.named, [Jid::lid("77"), Jid::phone("447700900123"), Jid::group("1203")]);
        assert_eq!(scope.except, [Jid::phone("447700900124"), Jid::phone("447700900125")]);
        assert!(Reach::default().scope(Broadcasts::Allowed).is_everything());
    }

    #[test]
    fn a_name_in_a_policy_is_an_error_that_says_how_to_write_it() {
        for named in ["Allotment", "Anna Berg", "@anna.b", "Mum", "Ann*"] {
            for list in ["chats", "except"] {
                let reach: Reach = toml::from_str(&format!("{list} = [{named:?}]")).unwrap();
                let error = reach.check("write").unwrap_err();
                let command = format!("wa-cli policy add write.{list}");
                assert!(error.contains(&command), "{named}: {error}");
            }
        }
        for named in ["", "07700 900123", "a b@lid", "+44"] {
            let reach: Reach = toml::from_str(&format!("except = [{named:?}]")).unwrap();
            assert!(reach.check("read").is_err(), "{named:?}");
        }
    }

    #[test]
    fn everybody_does_not_mean_whoever_follows_a_channel() {
        let scope = reach("chats = ['*']").scope(Broadcasts::Named);
        assert!(!scope.only_named && !scope.broadcasts);
        let scope = reach("chats = ['*', 'status@broadcast']").scope(Broadcasts::Named);
        assert_eq!((scope.named, scope.broadcasts), (vec![Jid::status()], false));
        assert!(!reach("contacts_only = true").scope(Broadcasts::Allowed).broadcasts);
        let nobody = reach("chats = ['77@lid']\nexcept = ['*']").scope(Broadcasts::Allowed);
        assert!(nobody.only_named && nobody.named.is_empty());
    }

    #[tokio::test]
    async fn only_an_entry_of_its_own_names_a_chat() {
        let store = wa_store::MemoryStore::new();
        let reach = reach("chats = ['*', '+44 7700 900123']");
        assert!(reach.names(&"447700900123@c.us".parse().unwrap(), &store).await.unwrap());
        assert!(!reach.names(&Jid::phone("447700900124"), &store).await.unwrap());
        assert!(!Reach::default().names(&Jid::lid("1"), &store).await.unwrap());
    }

    #[test]
    fn strangers_can_be_kept_out() {
        let strangers = |toml| reach(toml).scope(Broadcasts::Allowed).strangers;
        assert_eq!(strangers(""), Strangers::Shown);
        assert_eq!(strangers("unknown_senders = 'withheld'"), Strangers::UntilWrittenTo);
        assert_eq!(strangers("contacts_only = true"), Strangers::Hidden);
        assert!(!reach("groups = false").scope(Broadcasts::Allowed).groups);
    }
}
