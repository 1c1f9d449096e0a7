//! What hangs on messages besides edits and reactions, in memory.

use wa_proto::Jid;

use super::state::{Place, State};
use crate::{
    Added, AddedKind, Addition, Alteration, Altered, ArchivedMessage, Change, Committed, MAX_PAGE,
    MAX_SEALED_PER_TARGET, MessageId, MessageKey, MessageKind, Pin, SealedAddition, Timestamp,
};

impl State {
    pub(super) fn apply_additions(&mut self, change: Change, committed: &mut Committed) {
        match change {
            Change::Add(addition) => self.add(*addition, committed),
            Change::PutSealed(sealed) => self.put_sealed(*sealed, committed),
            Change::RemoveSealed { target, author, id } => {
                self.sealed.remove(&(self.place(&target), self.person(&author), id));
            }
            Change::SetSealedTried { target, author, id } => {
                let key = (self.place(&target), self.person(&author), id);
                if let Some((_, tried)) = self.sealed.get_mut(&key) {
                    *tried = true;
                }
            }
            Change::ExpireMessages { now } => self.expire(now, committed),
            // Every other change was made before it came here.
            _ => {}
        }
    }

    fn add(&mut self, addition: Addition, committed: &mut Committed) {
        let place = self.place(&addition.target);
        if self.is_revoked(&place) {
            return;
        }
        let (by, alteration) = (self.person(&addition.author), addition.what.alteration());
        // A poll comes with its message, and is no news then.
        let is_poll = addition.what.kind() == AddedKind::Poll;
        let replaces = self.put_addition(addition);
        if replaces.is_some_and(|had_one| !is_poll || had_one) {
            self.note_altered(&place, Some(by), alteration, committed);
        }
    }

    /// Puts an addition into its slot if it is newer than what is there. Whether something was
    /// there; nothing if that stays.
    pub(super) fn put_addition(&mut self, addition: Addition) -> Option<bool> {
        let target = self.canonical(&addition.target);
        let author = self.person(&addition.author);
        let slot = addition.what.slot(&author);
        let key = (self.place(&target), addition.what.kind(), slot);
        let order = |one: &Addition| (one.what.rank(), one.moment.clone());
        let before = self.additions.get(&key);
        if before.is_some_and(|before| order(before) >= order(&addition)) {
            return None;
        }
        let had_one = before.is_some();
        self.additions.insert(key, Addition { target, author, ..addition });
        Some(had_one)
    }

    fn put_sealed(&mut self, sealed: SealedAddition, committed: &mut Committed) {
        let place = self.place(&sealed.target);
        if self.is_revoked(&place) {
            return;
        }
        self.keep_sealed(sealed, false);
        let mine: Vec<_> = self
            .sealed
            .iter()
            .filter(|((target, ..), _)| *target == place)
            .map(|(key, (sealed, _))| (sealed.moment.clone(), key.clone()))
            .collect();
        if mine.len() > MAX_SEALED_PER_TARGET
            && let Some((_, oldest)) = mine.iter().min()
        {
            self.sealed.remove(oldest);
        }
        self.note_openable(&place, committed);
    }

    pub(super) fn keep_sealed(&mut self, sealed: SealedAddition, tried: bool) {
        let target = self.canonical(&sealed.target);
        let author = self.person(&sealed.author);
        let key = (self.place(&target), author.clone(), sealed.moment.id.clone());
        let sealed = SealedAddition { target, author, ..sealed };
        self.sealed.entry(key).or_insert((sealed, tried));
    }

    /// Tells of a message whose sealed additions can be opened.
    pub(super) fn note_openable(&self, place: &Place, committed: &mut Committed) {
        if !self.secrets.contains_key(place) {
            return;
        }
        let waiting =
            self.sealed.iter().find(|((target, ..), (_, tried))| target == place && !tried);
        if let Some((_, (sealed, _))) = waiting
            && !committed.openable.contains(&sealed.target)
        {
            committed.openable.push(sealed.target.clone());
        }
    }

    /// Tells of something that happened to a message, if that has come.
    pub(super) fn note_altered(
        &self,
        place: &Place,
        by: Option<Jid>,
        what: Alteration,
        committed: &mut Committed,
    ) {
        if let Some(message) = self.message(place).filter(|message| message.is_readable()) {
            committed.altered.push(Altered { key: message.key.clone(), by, what });
        }
    }

    /// Tells of a comment on a message.
    pub(super) fn note_comment(
        &self,
        comment: &MessageKey,
        on: Option<&MessageId>,
        committed: &mut Committed,
    ) {
        let Some(on) = on else { return };
        for target in self.messages_by_id(&comment.chat, on) {
            let by = Some(comment.sender.clone());
            self.note_altered(&self.place(&target.key), by, Alteration::Commented, committed);
        }
    }

    fn expire(&mut self, now: Timestamp, committed: &mut Committed) {
        let due = |message: &ArchivedMessage| {
            message.expires_at.is_some_and(|expires_at| expires_at <= now)
        };
        let keys: Vec<_> = self
            .messages
            .values()
            .filter(|message| due(message))
            .map(|message| message.key.clone())
            .collect();
        for key in keys {
            let place = self.place(&key);
            if self.is_kept(&place) {
                continue;
            }
            self.delete(&place);
            committed.altered.push(Altered { key, by: None, what: Alteration::Expired });
        }
    }

    fn is_kept(&self, place: &Place) -> bool {
        let slot = (place.clone(), AddedKind::Keep, String::new());
        let keep = self.additions.get(&slot).map(|addition| &addition.what);
        matches!(keep, Some(Added::Keep { kept: true }))
    }

    pub(super) fn next_expiry(&self) -> Option<Timestamp> {
        let due = self.messages.values().filter(|message| message.expires_at.is_some());
        let due = due.filter(|message| !self.is_kept(&self.place(&message.key)));
        due.filter_map(|message| message.expires_at).min()
    }

    pub(super) fn additions_to(&self, target: &Place) -> Vec<Addition> {
        let first = (target.clone(), AddedKind::Poll, String::new());
        let range = self.additions.range(first..);
        range.take_while(|((place, ..), _)| place == target).map(|(_, one)| one.clone()).collect()
    }

    pub(super) fn pins_in(&self, chat: &Jid, now: Timestamp) -> Vec<Pin> {
        let chat = self.person(chat);
        let pins = self.additions.values().filter(|addition| addition.target.chat == chat);
        crate::addition::pins(pins.cloned(), now)
    }

    pub(super) fn comments_on(&self, target: &MessageKey) -> Vec<ArchivedMessage> {
        let chat = self.person(&target.chat);
        let mut comments: Vec<_> = self
            .messages
            .values()
            .filter(|message| {
                message.kind == MessageKind::COMMENT
                    && message.key.chat == chat
                    && message.reply_to.as_ref() == Some(&target.id)
            })
            .map(|message| message.as_ref().clone())
            .collect();
        comments.sort_by_key(|message| (message.timestamp, message.seq));
        comments.truncate(MAX_PAGE);
        comments
    }

    pub(super) fn sealed_on(&self, target: &Place) -> Vec<SealedAddition> {
        let mine = self.sealed.iter().filter(|((place, ..), _)| place == target);
        let mut mine: Vec<_> = mine.map(|(_, (sealed, _))| sealed.clone()).collect();
        mine.sort_by(|a, b| a.moment.cmp(&b.moment));
        mine
    }

    pub(super) fn openable(&self, limit: usize) -> Vec<MessageKey> {
        let mut keys = Vec::new();
        for ((place, ..), (sealed, tried)) in &self.sealed {
            if keys.len() == limit {
                break;
            }
            if !tried && self.secrets.contains_key(place) && !keys.contains(&sealed.target) {
                keys.push(sealed.target.clone());
            }
        }
        keys
    }

    /// Puts what stands under another name of a person where it belongs now.
    pub(super) fn merge_additions(&mut self, phone: &Jid, lid: &Jid) {
        let stands = |jid: &Jid| jid == phone;
        let concerned = |key: &MessageKey, author: &Jid| {
            stands(&key.chat) || stands(&key.sender) || stands(author)
        };
        let moved: Vec<_> = self
            .additions
            .iter()
            .filter(|(_, one)| concerned(&one.target, &one.author))
            .map(|(key, _)| key.clone())
            .collect();
        for key in moved {
            if let Some(addition) = self.additions.remove(&key) {
                self.put_addition(addition);
            }
        }
        let moved: Vec<_> = self
            .sealed
            .iter()
            .filter(|(_, (one, _))| concerned(&one.target, &one.author))
            .map(|(key, _)| key.clone())
            .collect();
        for key in moved {
            if let Some((sealed, tried)) = self.sealed.remove(&key) {
                self.keep_sealed(sealed, tried);
            }
        }
        // What did not open may open under the other name.
        for (sealed, tried) in self.sealed.values_mut() {
            *tried &= sealed.author != *lid && sealed.target.sender != *lid;
        }
    }
}
