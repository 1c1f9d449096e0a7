//! The history a phone uploads for a new companion: a chunk at a time, encrypted and left with the
//! media host, told in a message to that companion. Knows nothing of what is in a chunk.
//!
//! A few chunks are under way at a time: the next one is built when the companion has confirmed
//! one, so that neither memory nor time grow with the whole.

mod chunk;
mod past;
mod phrases;

use std::collections::{BTreeMap, BTreeSet};

use wa_media::MediaType;
use wa_proto::{Node, pb};

pub(crate) use self::past::Past;
use super::{
    Endpoint,
    media::{Uploaded, upload},
    send::fresh_message_id,
};
use crate::{
    address::DeviceAddress,
    server::{Server, receipts::receipt_ids},
};

/// How many chunks a companion may leave unconfirmed before it gets the next.
const WINDOW: usize = 4;

/// How far a companion has come with a history.
pub(crate) struct HistoryPush {
    past: Past,
    /// The number of the chunk that is due next, from 0.
    next: u32,
    /// What was told and not confirmed in any way, by message id.
    unconfirmed: BTreeMap<String, pb::Message>,
    /// The order of each chunk by the id of the message that told of it.
    orders: BTreeMap<String, u32>,
    /// The orders of those confirmed by a `hist_sync` receipt.
    acknowledged: BTreeSet<u32>,
}

impl Endpoint {
    /// Begins to upload the history, if there is one, for a companion that is new.
    pub(crate) fn push_history(&mut self, server: &mut Server, to: DeviceAddress) {
        let Some(past) = self.past else { return };
        let push = HistoryPush {
            past,
            next: 0,
            unconfirmed: BTreeMap::new(),
            orders: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
        };
        self.history_pushes.insert(to, push);
        self.continue_history(server, to);
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
        let acknowledges = receipt.attrs.is("type", "hist_sync");
        for id in receipt_ids(receipt) {
            push.unconfirmed.remove(&id);
            if let (true, Some(&order)) = (acknowledges, push.orders.get(&id)) {
                push.acknowledged.insert(order);
            }
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
            && push.next < push.past.chunk_count()
        {
            let (past, number) = (push.past, push.next);
            push.next += 1;
            let Some(message) = self.upload_chunk(server, past, number) else {
                tracing::warn!(number, "a chunk of history could not be left with the media host");
                return;
            };
            let id = fresh_message_id(server);
            if let Some(push) = self.history_pushes.get_mut(&to) {
                push.unconfirmed.insert(id.clone(), message.clone());
                push.orders.insert(id.clone(), number + 1);
            }
            self.send_to_companion(server, to, id, &message);
        }
    }

    /// Leaves a chunk with the media host and makes the message that tells of it.
    fn upload_chunk(&self, server: &mut Server, past: Past, number: u32) -> Option<pb::Message> {
        use pb::message::{HistorySyncNotification, ProtocolMessage, protocol_message::Type};
        let chunk = past.chunk(number).ok()?;
        let Uploaded { direct_path, media_key, file_sha256, file_enc_sha256, file_length, .. } =
            upload(&mut server.rng, &self.media, MediaType::History, &chunk.compressed).ok()?;
        let notification = HistorySyncNotification {
            file_sha256: Some(file_sha256.to_vec().into()),
            file_length: Some(file_length),
            media_key: Some(media_key.to_vec().into()),
            file_enc_sha256: Some(file_enc_sha256.to_vec().into()),
            direct_path: Some(direct_path),
            // The chunk and its notification number their types alike.
            sync_type: Some(chunk.kind.into()),
            chunk_order: Some(chunk.order),
            progress: chunk.progress,
            oldest_msg_in_chunk_timestamp_sec: chunk
                .oldest
                .and_then(|oldest| i64::try_from(oldest).ok()),
            ..Default::default()
        };
        Some(pb::Message {
            protocol_message: Some(Box::new(ProtocolMessage {
                r#type: Some(Type::HistorySyncNotification.into()),
                history_sync_notification: Some(notification),
                ..Default::default()
            })),
            ..Default::default()
        })
    }
}
