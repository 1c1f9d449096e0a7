//! One person, two names: what happens when a phone number and a LID are found to be the same.

use std::{collections::BTreeMap, sync::Arc};

use wa_proto::Jid;

use super::state::{Place, State};
use crate::{
    GapPlace, MessageKey, Seq,
    id::{bare, device_under_lid},
};

impl State {
    pub(super) fn migrate_to_lid(&mut self, phone: &Jid, lid: &Jid) {
        let (phone, lid) = (bare(phone), bare(lid));
        if !phone.is_phone() || !lid.is_lid() {
            return;
        }
        let moved = |device: &Jid| (bare(device) == phone).then(|| device_under_lid(device, &lid));
        rename(&mut self.sessions, &moved);
        rename(&mut self.identities, &moved);
        rename(&mut self.device_lists, &moved);
        rename(&mut self.device_vouchers, &moved);
        rename(&mut self.key_index_lists, &moved);
        for (device, ..) in &mut self.former {
            if let Some(moved) = moved(device) {
                *device = moved;
            }
        }
        let moved = |(group, device): &(Jid, Jid)| Some((group.clone(), moved(device)?));
        rename(&mut self.sender_keys, &moved);
        rename(&mut self.holders, &moved);
    }

    pub(super) fn learn_lid(&mut self, phone: &Jid, lid: &Jid) {
        let (phone, lid) = (bare(phone), bare(lid));
        if !phone.is_phone() || !lid.is_lid() || self.lids.get(&phone) == Some(&lid) {
            return;
        }
        if let Some(old) = self.lids.insert(phone.clone(), lid.clone()) {
            self.phones.remove(&old);
        }
        if let Some(old) = self.phones.insert(lid.clone(), phone.clone()) {
            self.lids.remove(&old);
        }
        self.merge_people(&phone, &lid);
    }

    fn merge_people(&mut self, phone: &Jid, lid: &Jid) {
        if let Some(other) = self.chats.remove(phone) {
            match self.chats.get_mut(lid) {
                Some(chat) => chat.merge(&other),
                None => {
                    drop(self.chats.insert(lid.clone(), crate::Chat { jid: lid.clone(), ..other }))
                }
            }
        }
        if let Some(other) = self.contacts.remove(phone) {
            match self.contacts.get_mut(lid) {
                Some(contact) => contact.fill_from(&other),
                None => {
                    let contact = crate::Contact { jid: lid.clone(), ..other };
                    self.contacts.insert(lid.clone(), contact);
                }
            }
        }
        let person = |jid: &Jid| if jid == phone { lid.clone() } else { jid.clone() };
        let one = |jid: &Jid| (jid == phone).then(|| lid.clone());
        let device = |jid: &Jid| jid.is_same_user(phone).then(|| lid.with_device(jid.device));
        let place = |(chat, sender, id): &Place| {
            (chat == phone || sender == phone).then(|| (person(chat), person(sender), id.clone()))
        };
        self.merge_messages(&place);
        self.sync.learn_lid(phone, lid);
        rename(&mut self.tokens, &one);
        rename(&mut self.sent, &|(chat, id)| Some((one(chat)?, id.clone())));
        rename(&mut self.audiences, &|(chat, id)| Some((one(chat)?, id.clone())));
        self.sent.iter_mut().for_each(|((chat, _), message)| message.chat.clone_from(chat));
        rename(&mut self.retries_sent, &place);
        rename(&mut self.retries_answered, &|(of, id)| Some((device(of)?, id.clone())));
        rename(&mut self.recreated, &device);
        rename(&mut self.base_keys, &|(of, id)| Some((device(of)?, id.clone())));
        let gap = |place: &GapPlace| match place {
            GapPlace::Chat(chat) => one(chat).map(GapPlace::Chat),
            GapPlace::Chunk { .. } => None,
        };
        rename(&mut self.history_gaps, &gap);
        self.history_gaps.iter_mut().for_each(|(place, gap)| gap.place.clone_from(place));
        rename(&mut self.secrets, &place);
        rename(&mut self.placeholders, &place);
        for ((chat, sender, _), placeholder) in &mut self.placeholders {
            placeholder.key.chat.clone_from(chat);
            placeholder.key.sender.clone_from(sender);
        }
        rename(&mut self.originals, &place);
        rename(&mut self.edits, &place);
        rename(&mut self.reactions, &|(target, sender)| {
            let moved = place(target);
            (moved.is_some() || sender == phone)
                .then(|| (moved.unwrap_or_else(|| target.clone()), person(sender)))
        });
        for ((target, sender), reaction) in &mut self.reactions {
            reaction.target.chat.clone_from(&target.0);
            reaction.target.sender.clone_from(&target.1);
            reaction.sender.clone_from(sender);
        }
        self.merge_additions(phone, lid);
    }

    /// Moves messages; of one that stood under both names the first that could be read stays.
    fn merge_messages(&mut self, moved: &impl Fn(&Place) -> Option<Place>) {
        let places: Vec<_> = self
            .places
            .iter()
            .filter_map(|(place, seq)| Some((place.clone(), moved(place)?, *seq)))
            .collect();
        for (old, new, seq) in places {
            self.places.remove(&old);
            let kept = match self.places.get(&new).copied() {
                Some(other) => {
                    let (kept, worse) =
                        if self.is_better(other, seq) { (other, seq) } else { (seq, other) };
                    self.messages.remove(&worse);
                    kept
                }
                None => seq,
            };
            if let Some(message) = self.messages.get_mut(&kept) {
                let message = Arc::make_mut(message);
                let (chat, sender, id) = new.clone();
                message.key = MessageKey { chat, sender, id, from_me: message.key.from_me };
            }
            if self.messages.get(&kept).is_some_and(|message| message.is_readable()) {
                self.placeholders.remove(&old);
                self.placeholders.remove(&new);
            }
            self.places.insert(new, kept);
        }
    }

    /// Whether the first of two copies of a message is the one to keep.
    fn is_better(&self, first: Seq, second: Seq) -> bool {
        let readable = |seq| self.messages.get(&seq).is_some_and(|message| message.is_readable());
        (!readable(first), first) <= (!readable(second), second)
    }
}

/// Moves entries to other keys; where the other key has a value already, that one stays.
fn rename<K: Ord + Clone, V>(map: &mut BTreeMap<K, V>, moved: &impl Fn(&K) -> Option<K>) {
    let keys: Vec<_> = map.keys().filter_map(|key| Some((key.clone(), moved(key)?))).collect();
    for (old, new) in keys {
        if let Some(value) = map.remove(&old) {
            map.entry(new).or_insert(value);
        }
    }
}
