//! Messages of the backlog that share a transaction.
//!
//! Owns the choice of those that may, and what follows their commit. Each is decrypted on copies,
//! over what those before it changed, and joins them only once it is sure that it is to be kept
//! and concerns nothing but the archive and its sender's keys. Receipts and events come after the
//! commit, in the order of the messages.

use tokio::time::Instant;
use wa_proto::{
    Jid,
    stanza::{ChatKind, IncomingMessage, MessageSource},
};
use wa_store::StoreError;

use super::{
    arrival, note_usernames, own_jids, read_plain, receipt_kind, settle, verdict::Verdict,
};
use crate::{
    draft::{Draft, Gathered},
    event::{Event, Repair},
    inner::Inner,
    lid,
    locks::Guard,
    placeholder,
    receipts::{self, Owed},
    stanza_handler::{HandleError, StanzaContext},
};

/// Messages that share a transaction, not committed yet. Dropped, they were never read.
#[derive(Default)]
pub(crate) struct Shared {
    changes: Gathered,
    messages: Vec<Kept>,
    /// The senders whose sessions advance; nobody else may use these meanwhile.
    senders: Vec<(Jid, Guard)>,
    /// When the first was taken.
    since: Option<Instant>,
}

/// A message that is to be kept.
struct Kept {
    message: IncomingMessage,
    owed: Owed,
    /// The sender, if they proved another identity key than before.
    changed: Option<Jid>,
}

/// Why messages that share a transaction are not done with.
pub(crate) enum NotShared {
    /// Nothing of them could be committed; here they are.
    Commit(Vec<IncomingMessage>),
    /// They are committed. What could not be answered is answered with the next connection.
    Answer(HandleError),
}

impl Shared {
    /// Takes a message in, if it may share the transaction; else nothing of it has happened.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn take(
        &mut self,
        cx: &StanzaContext,
        message: &IncomingMessage,
    ) -> Result<bool, StoreError> {
        let inner = &*cx.inner;
        let Some(own) = own_jids(&inner.account()) else { return Ok(false) };
        let Ok(source) = message.source(&own) else { return Ok(false) };
        let is_plain = !message.is_peer
            && message.unavailable.is_none()
            && message.plaintext.is_none()
            && source.kind != ChatKind::Newsletter;
        if !is_plain || !knows_addresses(inner, &source).await? {
            return Ok(false);
        }
        let sender = lid::canonical(&*inner.store, &source.sender).await?;
        // Held, the address stays what it is, unless it became another before.
        if !self.hold(inner, &sender)
            || lid::canonical(&*inner.store, &source.sender).await? != sender
        {
            return Ok(false);
        }
        let arrival = arrival(inner, message, &source, sender, own).await?;
        let mut draft = Draft::over(&*inner.store, &self.changes);
        note_usernames(&mut draft, message, &arrival);
        let Some(reading) = read_plain(&mut draft, inner, message, &arrival).await? else {
            return Ok(false);
        };
        if reading.verdict(message) != Verdict::Keep {
            return Ok(false);
        }
        let kind = receipt_kind(inner, &arrival, message);
        let receipt = message.envelope.receipt(message.id.clone(), kind);
        let owed = receipts::owe(inner, &mut draft, &receipt);
        let changed = reading.identity_changed.then(|| arrival.sender.to_user());
        let changes = draft.into_gathered();
        self.changes.join(changes);
        self.messages.push(Kept { message: message.clone(), owed, changed });
        self.since.get_or_insert_with(Instant::now);
        Ok(true)
    }

    /// Whether those that wait for the commit have waited long enough.
    pub(crate) fn is_due(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() >= MAX_WAIT)
    }

    /// Sees to it that nobody else uses the sessions of a sender. Whoever holds some does not wait
    /// for others, so that two never wait for each other: false if somebody uses them now.
    fn hold(&mut self, inner: &Inner, sender: &Jid) -> bool {
        let person = lid::person(sender);
        if self.senders.iter().any(|(held, _)| *held == person) {
            return true;
        }
        let Some(guard) = inner.locks.try_session(person.clone()) else { return false };
        self.senders.push((person, guard));
        true
    }

    /// Commits what was taken, and answers and tells it. Gives how many messages that were.
    ///
    /// # Errors
    /// [`NotShared`].
    pub(crate) async fn commit(self, cx: &StanzaContext) -> Result<usize, NotShared> {
        let Self { changes, messages, senders, .. } = self;
        if messages.is_empty() {
            return Ok(0);
        }
        let inner = &*cx.inner;
        let committed = match inner.store.commit(changes.into_changes()).await {
            Ok(committed) => committed,
            Err(error) => {
                tracing::warn!(%error, "messages cannot be kept together; trying one by one");
                return Err(NotShared::Commit(
                    messages.into_iter().map(|kept| kept.message).collect(),
                ));
            }
        };
        drop(senders);
        let count = messages.len();
        placeholder::arrived(inner, &committed);
        for kept in &messages {
            placeholder::was_read(inner, kept.message.id.as_str());
            if let Some(user) = &kept.changed {
                inner.emit(Event::IdentityChanged { user: user.clone(), implicit: true });
            }
        }
        let told = settle::settle(inner, &committed, Repair::Retry).await;
        told.map_err(|error| NotShared::Answer(error.into()))?;
        for kept in messages {
            let sent = receipts::deliver(cx, kept.owed).await;
            sent.map_err(|closed| NotShared::Answer(closed.into()))?;
        }
        Ok(count)
    }
}

/// Whether all addresses of a message are known to be whose they are: to learn that moves keys.
async fn knows_addresses(inner: &Inner, source: &MessageSource) -> Result<bool, StoreError> {
    for (one, other) in [(&source.sender, &source.sender_alt), (&source.chat, &source.chat_alt)] {
        if let Some(other) = other
            && !lid::is_known(&*inner.store, one, other).await?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How long the first may wait for its commit.
const MAX_WAIT: std::time::Duration = std::time::Duration::from_millis(500);
