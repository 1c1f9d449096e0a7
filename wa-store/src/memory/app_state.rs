//! The app state in memory: keys, collections, what waits to be told, labels and answers.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use wa_proto::{Jid, app_state::Collection};

use super::state::State;
use crate::{
    CollectionUpdate, CollectionVersion, Committed, Label, Labelled, MessageKey, PendingSync,
    QuickReply, SyncChange, SyncKey, SyncMac, Timestamp,
};

/// Everything of the app state. What it says outlives the link.
#[derive(Clone, Default)]
pub(super) struct SyncState {
    keys: BTreeMap<Vec<u8>, SyncKey>,
    requested: BTreeMap<Vec<u8>, Timestamp>,
    collections: BTreeMap<Collection, CollectionVersion>,
    macs: BTreeMap<(Collection, SyncMac), SyncMac>,
    pending: Vec<PendingSync>,
    labels: BTreeMap<String, Label>,
    labelled: BTreeSet<(Labelled, String)>,
    replies: BTreeMap<String, QuickReply>,
    muted_status: BTreeSet<Jid>,
    locked: BTreeSet<Jid>,
}

impl SyncState {
    /// What stays of it when the device is unlinked.
    pub(super) fn unlinked(self) -> Self {
        let Self { labels, labelled, replies, muted_status, locked, .. } = self;
        Self { labels, labelled, replies, muted_status, locked, ..Self::default() }
    }

    pub(super) fn keys(&self) -> Vec<SyncKey> {
        let mut keys: Vec<_> = self.keys.values().cloned().collect();
        keys.sort_by(|a, b| (a.timestamp, &a.id).cmp(&(b.timestamp, &b.id)));
        keys
    }

    pub(super) fn requested_at(&self, id: &[u8]) -> Option<Timestamp> {
        self.requested.get(id).copied()
    }

    pub(super) fn collection(&self, collection: Collection) -> Option<CollectionVersion> {
        self.collections.get(&collection).cloned()
    }

    pub(super) fn macs(
        &self,
        collection: Collection,
        indexes: &[SyncMac],
    ) -> HashMap<SyncMac, SyncMac> {
        let found = |index: &SyncMac| Some((*index, *self.macs.get(&(collection, *index))?));
        indexes.iter().filter_map(found).collect()
    }

    pub(super) fn pending(&self) -> Vec<PendingSync> {
        self.pending.clone()
    }

    pub(super) fn labels(&self) -> Vec<Label> {
        let mut labels: Vec<_> = self.labels.values().cloned().collect();
        labels.sort_by(|a, b| {
            (a.position.is_none(), a.position, &a.id).cmp(&(
                b.position.is_none(),
                b.position,
                &b.id,
            ))
        });
        labels
    }

    pub(super) fn quick_replies(&self) -> Vec<QuickReply> {
        self.replies.values().cloned().collect()
    }

    pub(super) fn labelled(&self, label: &str) -> Vec<Labelled> {
        let on = self.labelled.iter().filter(|(_, other)| other == label);
        on.map(|(on, _)| on.clone()).collect()
    }

    fn advance(&mut self, update: CollectionUpdate) {
        if update.anew {
            self.macs.retain(|(collection, _), _| *collection != update.collection);
        }
        for (index, value) in update.macs {
            let place = (update.collection, index);
            match value {
                Some(value) => drop(self.macs.insert(place, value)),
                None => drop(self.macs.remove(&place)),
            }
        }
        self.collections.insert(update.collection, update.version);
    }

    fn put_pending(&mut self, pending: PendingSync) {
        match self.pending.iter_mut().find(|other| other.id == pending.id) {
            Some(other) => *other = pending,
            None => self.pending.push(pending),
        }
    }

    /// A phone number was found to be a LID.
    pub(super) fn learn_lid(&mut self, phone: &Jid, lid: &Jid) {
        for jids in [&mut self.muted_status, &mut self.locked] {
            if jids.remove(phone) {
                jids.insert(lid.clone());
            }
        }
        let renamed = |jid: Jid| if jid == *phone { lid.clone() } else { jid };
        self.labelled = std::mem::take(&mut self.labelled)
            .into_iter()
            .map(|(on, label)| {
                let on = match on {
                    Labelled::Chat(chat) => Labelled::Chat(renamed(chat)),
                    Labelled::Message(key) => Labelled::Message(MessageKey {
                        chat: renamed(key.chat),
                        sender: renamed(key.sender),
                        ..key
                    }),
                };
                (on, label)
            })
            .collect();
    }
}

impl State {
    fn canonical_labelled(&self, on: &Labelled) -> Labelled {
        match on {
            Labelled::Chat(chat) => Labelled::Chat(self.person(chat)),
            Labelled::Message(key) => Labelled::Message(self.canonical(key)),
        }
    }

    pub(super) fn labels_on(&self, on: &Labelled) -> Vec<String> {
        let on = self.canonical_labelled(on);
        let is_same = |other: &Labelled| match (other, &on) {
            (Labelled::Message(a), Labelled::Message(b)) => self.place(a) == self.place(b),
            (a, b) => a == b,
        };
        let found = self.sync.labelled.iter().filter(|(other, _)| is_same(other));
        let mut labels: Vec<_> = found.map(|(_, label)| label.clone()).collect();
        labels.sort();
        labels
    }

    pub(super) fn is_status_muted(&self, person: &Jid) -> bool {
        self.sync.muted_status.contains(&self.person(person))
    }

    pub(super) fn is_locked(&self, chat: &Jid) -> bool {
        self.sync.locked.contains(&self.person(chat))
    }

    pub(super) fn settings_with_prefix(&self, prefix: &str) -> Vec<(String, Vec<u8>)> {
        let found = self.settings.iter().filter(|(name, _)| name.starts_with(prefix));
        found.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    pub(super) fn apply_sync(&mut self, change: SyncChange, committed: &mut Committed) {
        match change {
            SyncChange::PutKeys(keys) => {
                for key in keys {
                    self.sync.keys.entry(key.id.clone()).or_insert(key);
                }
            }
            SyncChange::NoteKeysRequested { ids, at } => {
                self.sync.requested.extend(ids.into_iter().map(|id| (id, at)));
            }
            SyncChange::Advance(update) => self.sync.advance(*update),
            SyncChange::PutPending(pending) => self.sync.put_pending(*pending),
            SyncChange::RemovePending(id) => {
                self.sync.pending.retain(|pending| pending.id != id);
            }
            SyncChange::PutLabel(label) => {
                self.sync.labels.insert(label.id.clone(), *label);
            }
            SyncChange::DeleteLabel(id) => {
                self.sync.labelled.retain(|(_, label)| *label != id);
                self.sync.labels.remove(&id);
            }
            SyncChange::SetLabel { label, on, labelled } => {
                let place = (self.canonical_labelled(&on), label);
                if labelled {
                    self.sync.labelled.insert(place);
                } else {
                    self.sync.labelled.remove(&place);
                }
            }
            SyncChange::PutQuickReply(reply) => {
                self.sync.replies.insert(reply.id.clone(), *reply);
            }
            SyncChange::DeleteQuickReply(id) => drop(self.sync.replies.remove(&id)),
            other => self.apply_people(other, committed),
        }
    }

    fn apply_people(&mut self, change: SyncChange, committed: &mut Committed) {
        match change {
            SyncChange::SetStatusMuted { person, muted } => {
                let person = self.person(&person);
                set_flag(&mut self.sync.muted_status, person, muted);
            }
            SyncChange::SetLocked { chat, locked } => {
                let chat = self.person(&chat);
                set_flag(&mut self.sync.locked, chat, locked);
            }
            SyncChange::RemoveContactNames(jid) => {
                let jid = self.person(&jid);
                let Some(contact) = self.contacts.get_mut(&jid) else { return };
                let names = (contact.full_name.take(), contact.first_name.take());
                if names != (None, None) && !committed.contacts_changed.contains(&jid) {
                    committed.contacts_changed.push(jid);
                }
            }
            SyncChange::ClearChat { chat, until, keep_starred } => {
                let chat = self.person(&chat);
                let until = until.unwrap_or(Timestamp::MAX);
                self.delete_where(|message| {
                    message.key.chat == chat
                        && message.timestamp <= until
                        && !(keep_starred && message.starred)
                });
            }
            // Every other change was made before it came here.
            _ => {}
        }
    }
}

fn set_flag(jids: &mut BTreeSet<Jid>, jid: Jid, on: bool) {
    if on {
        jids.insert(jid);
    } else {
        jids.remove(&jid);
    }
}
