//! The journal of what is to be announced, in memory.

use super::state::State;
use crate::{Archived, Committed, JournalEntry, journal::JournalRow};

impl State {
    /// Notes what a commit did, if that is to be announced.
    pub(super) fn journalize(&mut self, committed: &mut Committed) {
        let Some(announce) = self.announce.take() else { return };
        let id = self.journal.last().map_or(1, |row| row.id + 1);
        if let Some(row) = JournalRow::of(id, announce, committed) {
            self.journal.push(row);
            committed.announcement = Some(id);
        }
    }

    /// What was not announced yet, the oldest first.
    pub(super) fn journal(&self) -> Vec<JournalEntry> {
        let entry = |row: &JournalRow| {
            let archived = row.archived.iter().filter_map(|(seq, filled)| {
                let message = self.messages.get(seq)?.as_ref().clone();
                let sender = &message.key.sender;
                let names = if sender.is_lid() { &self.phones } else { &self.lids };
                let sender_alt = names.get(sender).cloned();
                Some(Archived { message, sender_alt, filled: *filled })
            });
            row.clone().into_entry(archived.collect())
        };
        self.journal.iter().map(entry).collect()
    }
}
