//! Which chats may be given, and whose messages: what a question leaves out as if it were not there.
//!
//! Owns the rules, one for both stores. Knows nothing of policies and of who asks. What is compared
//! is never an address but a [`ChatKey`], which every form of one person's address leads to.

use std::{
    collections::{BTreeSet, HashSet},
    fmt,
};

use wa_proto::{Jid, Server};

use crate::{MessageKey, id::bare, store::Result};

/// Which chats may be given, and whose messages. The default leaves nothing out.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scope {
    /// Chats that are meant one by one, in any form of their address.
    pub named: Vec<Jid>,
    /// Whether chats that are not named are left out.
    pub only_named: bool,
    /// Chats that are left out, and people whose messages are left out wherever they stand.
    pub except: Vec<Jid>,
    /// What becomes of strangers, of what they write, and of groups in which only they wrote.
    pub strangers: Strangers,
    /// Whether groups are given that are not named.
    pub groups: bool,
    /// Whether broadcast lists, status posts, channels and whatever else is neither a person nor a
    /// group are given where they are not named.
    pub broadcasts: bool,
    /// What has to be within these too: of several rules that hold together, the others.
    pub also: Vec<Scope>,
}

/// What becomes of people who are in no address book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Strangers {
    /// They are like everybody else.
    #[default]
    Shown,
    /// They are left out until this account has written to them.
    UntilWrittenTo,
    /// They are left out.
    Hidden,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            named: Vec::new(),
            only_named: false,
            except: Vec::new(),
            strangers: Strangers::Shown,
            groups: true,
            broadcasts: true,
            also: Vec::new(),
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("strangers", &self.strangers).finish_non_exhaustive()
    }
}

impl Scope {
    /// Whether nothing is left out.
    pub fn is_everything(&self) -> bool {
        let Self { named: _, only_named, except, strangers, groups, broadcasts, also } = self;
        also.iter().all(Self::is_everything)
            && !only_named
            && except.is_empty()
            && *strangers == Strangers::Shown
            && *groups
            && *broadcasts
    }
}

/// A person or chat as the archive knows it, whichever form of the address was given: by LID where
/// it is known, without device, and in the ordinary name space.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ChatKey(Jid);

impl ChatKey {
    /// Leads an address to its key; `lid_of` knows the LIDs of phone numbers.
    pub(crate) fn new(jid: &Jid, lid_of: impl FnOnce(&Jid) -> Result<Option<Jid>>) -> Result<Self> {
        let jid = bare(jid);
        if !jid.is_phone() {
            return Ok(Self(jid));
        }
        Ok(Self(lid_of(&jid)?.unwrap_or(jid)))
    }

    pub(crate) fn jid(&self) -> &Jid {
        &self.0
    }
}

/// What a store knows, as far as a scope depends on it.
pub(crate) trait Known {
    /// The key of an address.
    fn key(&self, jid: &Jid) -> Result<ChatKey>;
    /// The account itself, by every address it has.
    fn own(&self) -> Result<Vec<ChatKey>>;
    /// Everybody in the address book.
    fn address_book(&self) -> Result<Vec<ChatKey>>;
    /// The chats in which the person wrote, not an assistant in their name.
    fn written_to(&self) -> Result<Vec<ChatKey>>;
    /// All chats.
    fn chats(&self) -> Result<Vec<ChatKey>>;
    /// Whether a message of a chat was written by somebody who passes.
    fn has_author(&self, chat: &ChatKey, passes: &dyn Fn(&ChatKey) -> bool) -> Result<bool>;
    /// Who made a group, if that is known.
    fn creator(&self, group: &ChatKey) -> Result<Option<ChatKey>>;
}

/// A scope as it comes out in one archive at one moment.
pub(crate) struct Visible {
    scope: Scope,
    named: BTreeSet<ChatKey>,
    except: BTreeSet<ChatKey>,
    own: BTreeSet<ChatKey>,
    /// People who are no strangers.
    familiar: BTreeSet<ChatKey>,
    also: Vec<Visible>,
}

/// Whose messages may be given in a chat that may be.
pub(crate) enum Authors<'a> {
    /// All but these.
    AllBut(&'a BTreeSet<ChatKey>),
    /// These, and whoever stands for the chat itself.
    These(BTreeSet<&'a ChatKey>),
}

impl Visible {
    pub(crate) fn new(scope: &Scope, known: &impl Known) -> Result<Self> {
        let keys = |jids: &[Jid]| jids.iter().map(|jid| known.key(jid)).collect::<Result<_>>();
        let own: BTreeSet<_> = known.own()?.into_iter().collect();
        let mut familiar = BTreeSet::new();
        if scope.strangers != Strangers::Shown {
            familiar.extend(known.address_book()?);
        }
        if scope.strangers == Strangers::UntilWrittenTo {
            familiar.extend(known.written_to()?.into_iter().filter(|chat| chat.0.is_person()));
        }
        let named: BTreeSet<_> = keys(&scope.named)?;
        familiar.extend(named.iter().filter(|chat| chat.0.is_person()).cloned());
        familiar.extend(own.iter().cloned());
        let except = keys(&scope.except)?;
        let also = scope.also.iter().map(|scope| Self::new(scope, known));
        let also = also.collect::<Result<_>>()?;
        Ok(Self { scope: scope.clone(), named, except, own, familiar, also })
    }

    /// Whether a chat may be given.
    pub(crate) fn has_chat(&self, chat: &ChatKey, known: &impl Known) -> Result<bool> {
        for one in self.each() {
            if !one.has_chat_alone(chat, known)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Each of the scopes that hold together.
    fn each(&self) -> impl Iterator<Item = &Self> {
        let mut all = vec![self];
        let mut next = 0;
        while let Some(one) = all.get(next).copied() {
            all.extend(&one.also);
            next += 1;
        }
        all.into_iter()
    }

    fn has_chat_alone(&self, chat: &ChatKey, known: &impl Known) -> Result<bool> {
        if self.except.contains(chat) {
            return Ok(false);
        }
        if self.named.contains(chat) {
            return Ok(true);
        }
        if self.scope.only_named {
            return Ok(false);
        }
        if chat.0.is_person() {
            return Ok(!self.is_stranger(chat));
        }
        if chat.0.server != Server::Group {
            return Ok(self.scope.broadcasts);
        }
        Ok(self.scope.groups && self.knows_group(chat, known)?)
    }

    /// A stranger can put this account into a group. That group is left out until somebody wrote
    /// there who is none.
    fn knows_group(&self, group: &ChatKey, known: &impl Known) -> Result<bool> {
        if self.scope.strangers == Strangers::Shown {
            return Ok(true);
        }
        if known.creator(group)?.is_some_and(|creator| self.own.contains(&creator)) {
            return Ok(true);
        }
        known.has_author(group, &|author| self.has_author_alone(author))
    }

    fn is_stranger(&self, person: &ChatKey) -> bool {
        self.scope.strangers != Strangers::Shown && !self.familiar.contains(person)
    }

    /// Whether what somebody wrote may be given, in a chat that may be.
    pub(crate) fn has_author(&self, author: &ChatKey) -> bool {
        self.each().all(|one| one.has_author_alone(author))
    }

    fn has_author_alone(&self, author: &ChatKey) -> bool {
        !self.except.contains(author) && !self.is_stranger(author)
    }

    /// Whether a message may be given, in a chat that may be. Who stands for the chat itself may
    /// be read where the chat may.
    pub(crate) fn has_message_of(&self, chat: &ChatKey, author: &ChatKey, from_me: bool) -> bool {
        from_me || author == chat || self.has_author(author)
    }

    /// Whose messages may be given: those who pass each of these.
    pub(crate) fn authors(&self) -> impl Iterator<Item = Authors<'_>> {
        self.each().map(|one| match one.scope.strangers {
            Strangers::Shown => Authors::AllBut(&one.except),
            _ => Authors::These(one.familiar.difference(&one.except).collect()),
        })
    }

    /// Whether authors do not matter: all are given.
    pub(crate) fn has_all_authors(&self) -> bool {
        self.each().all(|one| one.scope.strangers == Strangers::Shown && one.except.is_empty())
    }

    /// The chats there are that may be given.
    pub(crate) fn chats(&self, known: &impl Known) -> Result<BTreeSet<ChatKey>> {
        let mut chats = BTreeSet::new();
        for chat in known.chats()? {
            if self.has_chat(&chat, known)? {
                chats.insert(chat);
            }
        }
        Ok(chats)
    }

    /// Which of these chats may be given, whether or not anything was ever said there.
    pub(crate) fn chats_among(&self, jids: &[Jid], known: &impl Known) -> Result<HashSet<Jid>> {
        let mut among = HashSet::new();
        for jid in jids {
            if self.has_chat(&known.key(jid)?, known)? {
                among.insert(jid.clone());
            }
        }
        Ok(among)
    }

    /// Which of these people may be heard.
    pub(crate) fn authors_among(&self, jids: &[Jid], known: &impl Known) -> Result<HashSet<Jid>> {
        let mut among = HashSet::new();
        for jid in jids {
            let key = known.key(jid)?;
            if self.own.contains(&key) || self.has_author(&key) {
                among.insert(jid.clone());
            }
        }
        Ok(among)
    }
}

/// A scope's chats and authors, to hold messages against.
pub(crate) struct VisibleMessages {
    visible: Visible,
    chats: BTreeSet<ChatKey>,
}

impl VisibleMessages {
    pub(crate) fn new(scope: &Scope, known: &impl Known) -> Result<Self> {
        let visible = Visible::new(scope, known)?;
        let chats = visible.chats(known)?;
        Ok(Self { visible, chats })
    }

    pub(crate) const fn visible(&self) -> &Visible {
        &self.visible
    }

    pub(crate) const fn chats(&self) -> &BTreeSet<ChatKey> {
        &self.chats
    }

    /// Whether a message may be given. Its key is in the archive's own form.
    pub(crate) fn has(&self, key: &MessageKey) -> bool {
        let (chat, author) = (ChatKey(key.chat.clone()), ChatKey(key.sender.clone()));
        self.chats.contains(&chat) && self.visible.has_message_of(&chat, &author, key.from_me)
    }
}
