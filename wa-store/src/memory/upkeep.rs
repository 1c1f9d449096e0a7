//! What the memory store forgets with time. Everything at once: nothing waits for it.

use wa_proto::{Jid, Server};

use super::state::{Place, State};
use crate::{
    AuditAnchor, AuditEntry, LEFT_GROUP_RETENTION_SECS, LIST_RETENTION_SECS, MessageId,
    MessageStatus, ORPHAN_RETENTION_SECS, OUTBOX_PATIENCE_SECS, OutboxState,
    PLACEHOLDER_RETENTION_SECS, RETRY_RETENTION_SECS, SEALED_RETENTION_SECS, SEEN_RETENTION_SECS,
    SENT_RETENTION_SECS, SendFailure, Timestamp, audit::kept_since_ms,
};

impl State {
    pub(super) fn upkeep(&mut self, now: Timestamp) {
        let since = |secs| move |at: Timestamp| at >= now.minus_secs(secs);
        let (seen, retry) = (since(SEEN_RETENTION_SECS), since(RETRY_RETENTION_SECS));
        self.seen.retain(|_, at| seen(*at));
        self.retries_sent.retain(|_, (_, at)| retry(*at));
        self.retries_answered.retain(|_, (_, at)| retry(*at));
        self.recreated.retain(|_, at| retry(*at));
        self.base_keys.retain(|_, (_, at)| retry(*at));
        let (sealed, list) = (since(SEALED_RETENTION_SECS), since(LIST_RETENTION_SECS));
        self.sealed.retain(|_, (addition, _)| sealed(addition.moment.at));
        self.device_lists.retain(|_, device_list| list(device_list.fetched_at));
        let unread = since(PLACEHOLDER_RETENTION_SECS);
        self.placeholders.retain(|_, placeholder| unread(placeholder.timestamp));
        let cutoff = crate::contact::token_cutoff(now);
        self.tokens.retain(|_, token| {
            token.timestamp >= cutoff || token.issued_at.is_some_and(|at| at >= cutoff)
        });
        self.forget_outbox(now);
        self.forget_left_groups(now);
        self.forget_orphans(now);
        if let Some(last) = self.audit.last() {
            self.prune_audit(kept_since_ms(now, last.at_ms));
        }
    }

    fn forget_outbox(&mut self, now: Timestamp) {
        let (sent, patience) =
            (now.minus_secs(SENT_RETENTION_SECS), now.minus_secs(OUTBOX_PATIENCE_SECS));
        let mut given_up = Vec::new();
        for entry in &mut self.outbox {
            if entry.state.is_pending() && entry.created_at < patience {
                entry.state = OutboxState::Failed(SendFailure::WaitedTooLong);
                given_up.push((entry.chat.clone(), entry.id.clone()));
            }
            if entry.state.is_pending() {
                self.waited_until.insert(entry.id.clone(), now);
            }
        }
        for (chat, id) in given_up {
            let chat = self.person(&chat);
            let own = self.messages.values_mut().filter(|message| {
                message.key.from_me && message.key.chat == chat && message.key.id == id
            });
            for message in own {
                let message = std::sync::Arc::make_mut(message);
                message.status = message.status.max(MessageStatus::Failed);
            }
        }
        let waited = std::mem::take(&mut self.waited_until);
        let is_young = |id: &MessageId, at: Timestamp| {
            at >= sent || waited.get(id).is_some_and(|at| *at >= sent)
        };
        self.outbox
            .retain(|entry| entry.state.is_pending() || is_young(&entry.id, entry.created_at));
        self.sent.retain(|(_, id), message| is_young(id, message.sent_at));
        let kept = &self.sent;
        self.audiences.retain(|place, _| kept.contains_key(place));
        let outbox = &self.outbox;
        self.outbox_places.retain(|id, _| outbox.iter().any(|entry| entry.id == *id));
        self.waited_until = waited;
        self.waited_until.retain(|_, at| *at >= sent);
    }

    fn forget_left_groups(&mut self, now: Timestamp) {
        let groups = &self.groups;
        self.left_groups.retain(|group, _| !groups.contains_key(group));
        let unknown = self
            .sender_keys
            .keys()
            .map(|(group, _)| group)
            .filter(|group| group.server == Server::Group && !groups.contains_key(group));
        for group in unknown {
            self.left_groups.entry(group.clone()).or_insert(now);
        }
        let before = now.minus_secs(LEFT_GROUP_RETENTION_SECS);
        let gone = |groups: &std::collections::BTreeMap<Jid, Timestamp>, group: &Jid| {
            groups.get(group).is_some_and(|since| *since < before)
        };
        let left = &self.left_groups;
        self.sender_keys.retain(|(group, _), _| !gone(left, group));
        self.holders.retain(|(group, _), _| !gone(left, group));
        self.left_groups.retain(|_, since| *since >= before);
    }

    fn forget_orphans(&mut self, now: Timestamp) {
        let before = now.minus_secs(ORPHAN_RETENTION_SECS);
        let places = &self.places;
        let is_orphan = |place: &Place| !places.contains_key(place);
        for (place, edits) in &mut self.edits {
            edits.retain(|edit| edit.edited_at >= before || !is_orphan(place));
        }
        self.edits.retain(|_, edits| !edits.is_empty());
        self.reactions
            .retain(|(place, _), reaction| reaction.timestamp >= before || !is_orphan(place));
        self.additions
            .retain(|(place, ..), addition| addition.moment.at >= before || !is_orphan(place));
    }

    /// Takes out the oldest entries up to the first that is young enough.
    pub(super) fn prune_audit(&mut self, before_ms: i64) {
        let young = self.audit.iter().position(|entry| entry.at_ms >= before_ms);
        let mut old = self.audit.drain(..young.unwrap_or(self.audit.len()));
        if let Some(AuditEntry { seq, at_ms, hash: Some(hash), .. }) = old.next_back() {
            self.audit_anchor = AuditAnchor { seq, at_ms: Some(at_ms), hash };
        }
    }
}
