//! What of the state is within a scope.
//!
//! Knows nothing of the rules; see [`crate::scope`].

use wa_proto::Jid;

use super::state::State;
use crate::{
    ArchivedMessage, Chat, Contact, Scope, Seq, Stats,
    scope::{ChatKey, Known, Visible, VisibleMessages},
    store::Result,
};

impl Known for State {
    fn key(&self, jid: &Jid) -> Result<ChatKey> {
        ChatKey::new(jid, |phone| Ok(self.lids.get(phone).cloned()))
    }

    fn own(&self) -> Result<Vec<ChatKey>> {
        let account = self.account.iter().flat_map(|account| [&account.jid, &account.lid]);
        account.flatten().map(|own| self.key(own)).collect()
    }

    fn address_book(&self) -> Result<Vec<ChatKey>> {
        let people = self.contacts.values().filter(|contact| contact.is_in_address_book());
        people.map(|contact| self.key(&contact.jid)).collect()
    }

    fn written_to(&self) -> Result<Vec<ChatKey>> {
        let own = self.messages.values();
        let own = own.filter(|message| message.key.from_me && !message.by_assistant);
        own.map(|message| self.key(&message.key.chat)).collect()
    }

    fn chats(&self) -> Result<Vec<ChatKey>> {
        self.chats.keys().map(|chat| self.key(chat)).collect()
    }

    fn has_author(&self, chat: &ChatKey, passes: &dyn Fn(&ChatKey) -> bool) -> Result<bool> {
        let mut messages = self.messages.values();
        messages.try_fold(false, |found, message| {
            let is_there = message.key.chat == *chat.jid();
            Ok(found || is_there && passes(&self.key(&message.key.sender)?))
        })
    }

    fn creator(&self, group: &ChatKey) -> Result<Option<ChatKey>> {
        let creator = self.groups.get(group.jid()).and_then(|group| group.creator.as_ref());
        creator.map(|creator| self.key(creator)).transpose()
    }
}

impl State {
    /// What messages have to pass, if they have to.
    pub(super) fn visible(&self, scope: Option<&Scope>) -> Result<Option<VisibleMessages>> {
        let scope = scope.filter(|scope| !scope.is_everything());
        scope.map(|scope| VisibleMessages::new(scope, self)).transpose()
    }

    pub(super) fn chats_within(&self, scope: &Scope) -> Result<Vec<Chat>> {
        let Some(visible) = self.visible(Some(scope))? else {
            return Ok(self.chats.values().map(|chat| self.shown_chat(chat)).collect());
        };
        let mut chats = Vec::new();
        for key in visible.chats() {
            let Some(chat) = self.chats.get(key.jid()) else { continue };
            let mut chat = self.shown_chat(chat);
            let mut messages: Vec<&ArchivedMessage> = self
                .messages
                .values()
                .map(AsRef::as_ref)
                .filter(|message| message.key.chat == chat.jid)
                .collect();
            messages.sort_by_key(|message| (message.timestamp, message.seq));
            let last = messages.iter().rev().find(|message| visible.has(&message.key));
            chat.last_message = last.map(|message| (message.seq, message.timestamp));
            let unread = usize::try_from(chat.unread).unwrap_or(usize::MAX);
            let received = messages.iter().rev().filter(|message| !message.key.from_me);
            let hidden = received.take(unread).filter(|message| !visible.has(&message.key)).count();
            chat.unread = chat.unread.saturating_sub(u32::try_from(hidden).unwrap_or(u32::MAX));
            chats.push(chat);
        }
        Ok(chats)
    }

    pub(super) fn contacts_within(&self, scope: Option<&Scope>) -> Result<Vec<&Contact>> {
        let Some(scope) = scope.filter(|scope| !scope.is_everything()) else {
            return Ok(self.contacts.values().collect());
        };
        let visible = Visible::new(scope, self)?;
        let mut contacts = Vec::new();
        for (jid, contact) in &self.contacts {
            if visible.has_chat(&self.key(jid)?, self)? {
                contacts.push(contact);
            }
        }
        Ok(contacts)
    }

    pub(super) fn stats_within(&self, scope: &Scope) -> Result<Stats> {
        let Some(visible) = self.visible(Some(scope))? else { return Ok(self.stats()) };
        let messages = self.messages.values().filter(|message| visible.has(&message.key));
        let mut pending = 0;
        for entry in self.outbox.iter().filter(|entry| entry.state.is_pending()) {
            pending += u64::from(visible.visible().has_chat(&self.key(&entry.chat)?, self)?);
        }
        let placeholders = self.placeholders.values();
        Ok(Stats {
            last_seq: messages.clone().map(|message| message.seq).max().unwrap_or(Seq(0)),
            messages: messages.count() as u64,
            chats: visible.chats().len() as u64,
            contacts: self.contacts_within(Some(scope))?.len() as u64,
            outbox_pending: pending,
            placeholders: placeholders.filter(|one| visible.has(&one.key)).count() as u64,
            ..self.stats()
        })
    }
}
