//! The history a phone uploads for a new companion: a chunk at a time, encrypted and left with the
//! media host, told in a message to that companion. Knows nothing of what is in a chunk.
//!
//! A few chunks are under way at a time: the next one is built when the companion has confirmed
//! one, so that neither memory nor time grow with the whole. A chunk that the companion has not
//! confirmed as stored is told again when it says that it could not have it, and when it is back.

mod chunk;
mod conversation;
mod on_demand;
mod past;
mod phrases;
mod tell;

use std::collections::{BTreeMap, BTreeSet};

use wa_proto::{Node, pb};

pub(crate) use self::past::Past;
use self::{chunk::Layout, tell::Source};
use super::{Endpoint, media::Uploaded};
use crate::{
    address::DeviceAddress,
    server::{Server, receipts::receipt_ids},
};

/// How many chunks a companion may leave unconfirmed before it gets the next.
const WINDOW: usize = 4;

/// How often a chunk is told that is never confirmed as stored.
const MAX_TOLD: u32 = 5;

/// How many chunks that are not confirmed as stored are remembered for a companion.
const MAX_REMEMBERED: usize = 256;

/// How far a companion has come with a history.
#[derive(Default)]
pub(crate) struct HistoryPush {
    /// What it is given of the phone's past; nothing of it if the phone had none.
    layout: Option<Layout>,
    /// A picture that messages of the past show.
    picture: Option<Uploaded>,
    /// The number of the chunk that is due next, from 0.
    next: u32,
    /// What was told and not confirmed in any way, by message id.
    unconfirmed: BTreeMap<String, pb::Message>,
    /// What was told and not confirmed as stored, by message id.
    told: BTreeMap<String, Told>,
    /// The orders of those confirmed by a `hist_sync` receipt.
    acknowledged: BTreeSet<u32>,
}

struct Told {
    source: Source,
    order: u32,
    /// How often it has been told.
    times: u32,
}

impl Endpoint {
    /// Begins to upload the history, if there is one, for a companion that is new.
    pub(crate) fn push_history(&mut self, server: &mut Server, to: DeviceAddress) {
        let Some(past) = self.past else { return };
        let wish = server.device(to).map(|device| device.history).unwrap_or_default();
        let picture = self.past_picture(server, past);
        let layout = Some(Layout::new(past, wish));
        self.history_pushes.insert(to, HistoryPush { layout, picture, ..HistoryPush::default() });
        self.continue_history(server, to);
    }

    /// A companion is back: what it has not confirmed as stored is told again.
    pub(crate) fn repeat_history(&mut self, server: &mut Server, to: DeviceAddress) {
        let Some(push) = self.history_pushes.get_mut(&to) else { return };
        for (_, told) in std::mem::take(&mut push.told) {
            self.tell(server, to, told.source, told.times);
        }
    }

    /// The orders of the chunks that a companion has confirmed with `hist_sync`.
    pub(crate) fn history_acknowledged(&self, companion: DeviceAddress) -> Vec<u32> {
        let push = self.history_pushes.get(&companion);
        push.into_iter().flat_map(|push| push.acknowledged.iter().copied()).collect()
    }

    /// A receipt of any kind but a retry: what it confirms makes room for further chunks.
    pub(super) fn take_history_receipt(&mut self, server: &mut Server, receipt: &Node<'_>) {
        let from = receipt.attrs.jid("from").and_then(|jid| server.address_of(&jid));
        let Some(from) = from else { return };
        let Some(push) = self.history_pushes.get_mut(&from) else { return };
        let mut missing = Vec::new();
        for id in receipt_ids(receipt) {
            push.unconfirmed.remove(&id);
            match receipt.attrs.text("type").as_deref() {
                Some("hist_sync") => {
                    let stored = push.told.remove(&id).map(|told| told.order);
                    push.acknowledged.extend(stored);
                }
                Some("server-error") => missing.extend(push.told.remove(&id)),
                _ => {}
            }
        }
        for told in missing {
            self.tell(server, from, told.source, told.times);
        }
        self.continue_history(server, from);
    }

    /// What a message told a companion of a chunk, for it to be told again.
    pub(super) fn unconfirmed_chunk(&self, to: DeviceAddress, id: &str) -> Option<pb::Message> {
        self.history_pushes.get(&to)?.unconfirmed.get(id).cloned()
    }

    fn continue_history(&mut self, server: &mut Server, to: DeviceAddress) {
        while let Some(push) = self.history_pushes.get_mut(&to)
            && push.unconfirmed.len() < WINDOW
            && let Some(layout) = push.layout
            && push.next < layout.chunk_count()
        {
            let number = push.next;
            push.next += 1;
            if self.tell(server, to, Source::Past(number), 0).is_none() {
                tracing::warn!(number, "a chunk of history could not be left with the media host");
                return;
            }
        }
    }
}
