//! From the items of a part to commits.
//!
//! Owns a batch: who is who is learnt first, then everything else lands in one transaction. Knows
//! nothing of bytes, and leaves messages and chats to files of their own.

use std::{collections::HashMap, sync::Arc};

use wa_proto::{Jid, history::HistoryItem, pb, stanza::OwnJids};
use wa_store::{Change, Committed, ContactUpdate, StoreError, Timestamp};

use super::{HistoryDepth, chat, message};
use crate::{
    draft::Draft,
    event::{Event, HistoryKind},
    inner::Inner,
    lid, placeholder,
    publisher::Announcement,
    receive::{provenance::OwnPhone, settle},
};

/// Takes the items of one part.
pub(super) struct Applier<'a> {
    pub(super) inner: &'a Arc<Inner>,
    pub(super) own: OwnJids,
    /// Whose words the part is.
    pub(super) phone: OwnPhone,
    pub(super) kind: HistoryKind,
    /// Whether messages are kept, and not only what comes with them.
    pub(super) keeps_messages: bool,
    /// When the oldest message of the chat was sent whose entry is being read.
    pub(super) oldest: Option<Timestamp>,
    names: HashMap<Jid, Jid>,
    applied: Applied,
}

/// What a part brought.
#[derive(Debug, Default)]
pub(super) struct Applied {
    pub(super) chats: u64,
    /// Messages that were not in the archive before.
    pub(super) messages: u64,
    /// Messages, also those that were.
    pub(super) received: u64,
    pub(super) unreadable: u64,
    /// The first chats, each with what is left of it on the phone.
    pub(super) ends: Vec<(Jid, chat::End)>,
}

impl<'a> Applier<'a> {
    pub(super) fn new(
        inner: &'a Arc<Inner>,
        own: OwnJids,
        phone: OwnPhone,
        kind: HistoryKind,
    ) -> Self {
        // What was asked for one by one is wanted in any case.
        let keeps_messages = inner.settings.description.history != HistoryDepth::None
            || kind == HistoryKind::OnDemand;
        Self {
            inner,
            own,
            phone,
            kind,
            keeps_messages,
            oldest: None,
            names: HashMap::new(),
            applied: Applied::default(),
        }
    }

    /// All of the part has been applied.
    pub(super) fn finish(self) -> Applied {
        self.applied
    }

    /// Commits a batch.
    ///
    /// # Errors
    /// The store's; then only who is who may have been learnt.
    pub(super) async fn apply(&mut self, items: Vec<HistoryItem>) -> Result<(), StoreError> {
        if items.is_empty() {
            return Ok(());
        }
        let pairs: Vec<_> = items.iter().filter_map(pair).collect();
        let pairs: Vec<_> = pairs.iter().map(|(one, other)| (one, other)).collect();
        if lid::learn_all(self.inner, &pairs).await? {
            self.names.clear();
        }
        let inner = self.inner;
        let mut draft = Draft::new(&*inner.store);
        for item in items {
            self.take(&mut draft, item).await?;
        }
        let announcement = Announcement::of_past();
        let committed = inner.publisher.commit(draft.into_changes(), announcement).landed().await?;
        self.told(&committed).await
    }

    async fn take(&mut self, draft: &mut Draft<'_>, item: HistoryItem) -> Result<(), StoreError> {
        match item {
            HistoryItem::Message(entry) => {
                self.applied.received += 1;
                if !message::put(self, draft, *entry).await? {
                    self.applied.unreadable += 1;
                }
            }
            HistoryItem::Chat(entry) => {
                let oldest = self.oldest.take();
                if let Some((chat, end)) = chat::put(self, draft, &entry, oldest).await? {
                    self.count_chat(chat, end);
                } else {
                    self.applied.unreadable += 1;
                }
            }
            HistoryItem::PushName(entry) => put_push_name(draft, &entry),
            HistoryItem::Contact(entry) => put_contact(draft, &entry),
            // Learnt before.
            HistoryItem::LidMapping(_) => {}
            _ => self.applied.unreadable += 1,
        }
        Ok(())
    }

    fn count_chat(&mut self, chat: Jid, end: chat::End) {
        self.applied.chats += 1;
        if self.kind != HistoryKind::OnDemand {
            self.inner.history.progress(|progress| progress.count_chat(&chat));
        }
        if self.applied.ends.len() < MAX_ENDS {
            self.applied.ends.push((chat, end));
        }
    }

    /// What a commit brought is counted and told.
    async fn told(&mut self, committed: &Committed) -> Result<(), StoreError> {
        let inner = self.inner;
        let count = committed.archived.len() as u64;
        self.applied.messages += count;
        placeholder::arrived(inner, committed);
        settle::open_past(inner, committed.openable.clone()).await?;
        if self.kind != HistoryKind::OnDemand && count > 0 {
            let event = inner.history.progress(|progress| progress.count_messages(count));
            inner.emit(Event::History(event));
        }
        Ok(())
    }

    /// The address under which somebody or something is kept; see [`lid::canonical`].
    pub(super) async fn canonical(&mut self, jid: &Jid) -> Result<Jid, StoreError> {
        let user = jid.to_user();
        if let Some(known) = self.names.get(&user) {
            return Ok(known.clone());
        }
        let canonical = lid::canonical(&*self.inner.store, &user).await?;
        if self.names.len() >= MAX_NAMES {
            self.names.clear();
        }
        self.names.insert(user, canonical.clone());
        Ok(canonical)
    }
}

/// The two addresses of one person that an item tells.
fn pair(item: &HistoryItem) -> Option<(Jid, Jid)> {
    let (one, other) = match item {
        HistoryItem::LidMapping(mapping) => (mapping.pn_jid.as_ref(), mapping.lid_jid.as_ref()),
        HistoryItem::Contact(contact) => (contact.pn_jid.as_ref(), contact.lid_jid.as_ref()),
        HistoryItem::Chat(chat) => (Some(&chat.id), chat.pn_jid.as_ref().or(chat.lid_jid.as_ref())),
        _ => return None,
    };
    Some((one?.parse().ok()?, other?.parse().ok()?))
}

fn put_push_name(draft: &mut Draft<'_>, entry: &pb::Pushname) {
    let (Some(id), Some(name)) = (&entry.id, &entry.pushname) else { return };
    let Ok(person) = id.parse::<Jid>() else { return };
    // A dash stands for somebody who has no name.
    if person.is_person() && !name.is_empty() && name != "-" {
        let mut contact = ContactUpdate::new(person.to_user());
        contact.push_name = Some(name.clone());
        draft.push(Change::PutContact(Box::new(contact)));
    }
}

fn put_contact(draft: &mut Draft<'_>, entry: &pb::InlineContact) {
    let named = entry.lid_jid.as_ref().or(entry.pn_jid.as_ref());
    let Some(Ok(person)) = named.map(|jid| jid.parse::<Jid>()) else { return };
    let mut contact = ContactUpdate::new(person.to_user());
    contact.full_name.clone_from(&entry.full_name);
    contact.first_name.clone_from(&entry.first_name);
    contact.username = entry.username.clone().filter(|name| !name.is_empty());
    draft.push(Change::PutContact(Box::new(contact)));
}

/// How many names are remembered between messages.
const MAX_NAMES: usize = 4096;
/// How many chats' ends are remembered of a part, for whoever asked for it.
const MAX_ENDS: usize = 16;
