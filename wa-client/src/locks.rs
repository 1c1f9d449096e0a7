//! The locks by name, and the one order in which they are taken.
//!
//! Owns which locks there are and who may wait for which while holding another: [`Rank`] says it,
//! and debug builds check it. Knows nothing of what is done under them.

mod order;

use std::collections::BTreeSet;

use tokio::sync::OwnedMutexGuard;
use wa_proto::Jid;

use crate::keyed_locks::KeyedLocks;
pub(crate) use order::{Place, Rank, enter, tracked};

/// The locks that several parts of the client share. Those of the app state are its own
/// ([`crate::app_state`]), and stand in the same order.
#[derive(Debug)]
pub(crate) struct Locks {
    chats: KeyedLocks<Jid>,
    groups: KeyedLocks<Jid>,
    sender_keys: KeyedLocks<Jid>,
    sessions: KeyedLocks<Jid>,
    tokens: KeyedLocks<()>,
    prekeys: KeyedLocks<()>,
}

/// Locks that are held: free again when this is dropped.
#[derive(Debug)]
#[must_use = "the lock is free as soon as this is dropped"]
pub(crate) struct Guard {
    _locks: Vec<OwnedMutexGuard<()>>,
    _place: Place,
}

impl Guard {
    /// Hands the locks to somebody else, who lets go of them without waiting for this work: it may
    /// wait for further locks from now on.
    pub(crate) fn handed_over(mut self) -> Self {
        self._place = Place::nowhere();
        self
    }
}

impl Locks {
    pub(crate) fn new() -> Self {
        Self {
            chats: KeyedLocks::new(),
            groups: KeyedLocks::new(),
            sender_keys: KeyedLocks::new(),
            sessions: KeyedLocks::new(),
            tokens: KeyedLocks::new(),
            prekeys: KeyedLocks::new(),
        }
    }

    /// By chat: messages leave in the order they were handed over.
    pub(crate) async fn chat(&self, chat: Jid) -> Guard {
        let place = enter(Rank::Chat);
        Guard { _locks: vec![self.chats.lock(chat).await], _place: place }
    }

    /// The same if nobody else has it: for whoever does without.
    pub(crate) fn try_chat(&self, chat: Jid) -> Option<Guard> {
        let lock = self.chats.try_lock(chat)?;
        Some(Guard { _locks: vec![lock], _place: Place::beside(Rank::Chat) })
    }

    /// By group: what is known of it changes by one answer or notice at a time.
    pub(crate) async fn group(&self, group: Jid) -> Guard {
        let place = enter(Rank::Group);
        Guard { _locks: vec![self.groups.lock(group).await], _place: place }
    }

    /// By group: the own sender key, and who has it, change for one message at a time.
    pub(crate) async fn sender_key(&self, group: Jid) -> Guard {
        let place = enter(Rank::SenderKey);
        Guard { _locks: vec![self.sender_keys.lock(group).await], _place: place }
    }

    /// By person: a session with one of their devices advances for one message at a time. Of
    /// several people in one order for everybody, so that two who want several never wait for
    /// each other.
    pub(crate) async fn sessions(&self, people: BTreeSet<Jid>) -> Guard {
        let place = enter(Rank::Session);
        let mut locks = Vec::with_capacity(people.len());
        for person in people {
            locks.push(self.sessions.lock(person).await);
        }
        Guard { _locks: locks, _place: place }
    }

    /// The same, each to be let go of by itself.
    pub(crate) async fn each_session(&self, people: BTreeSet<Jid>) -> Vec<(Jid, Guard)> {
        let mut place = Some(enter(Rank::Session));
        let mut held = Vec::with_capacity(people.len());
        // In the order of their names, as whoever waits for several does.
        for person in people {
            let lock = self.sessions.lock(person.clone()).await;
            let place = place.take().unwrap_or_else(|| Place::beside(Rank::Session));
            held.push((person, Guard { _locks: vec![lock], _place: place }));
        }
        held
    }

    /// The same of one more person, if nobody else has it: for whoever holds some and must not
    /// wait for others.
    pub(crate) fn try_session(&self, person: Jid) -> Option<Guard> {
        let lock = self.sessions.try_lock(person)?;
        Some(Guard { _locks: vec![lock], _place: Place::beside(Rank::Session) })
    }

    /// The tokens that are given to people.
    pub(crate) async fn tokens(&self) -> Guard {
        let place = enter(Rank::Tokens);
        Guard { _locks: vec![self.tokens.lock(()).await], _place: place }
    }

    /// The stock of prekeys.
    pub(crate) async fn prekeys(&self) -> Guard {
        let place = enter(Rank::PreKeys);
        Guard { _locks: vec![self.prekeys.lock(()).await], _place: place }
    }
}
