//! Stanzas that the store does not take, although it takes others.
//!
//! Owns the count of the attempts, over all connections, and what is done when it is used up: the
//! stanza is refused, so that nothing behind it waits for it any longer, a placeholder shows that
//! something is missing, and the user is told. Knows nothing of why the store refuses.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use wa_proto::{
    Stanza,
    stanza::{IncomingMessage, NackReason},
};
use wa_store::StoreError;

use crate::{
    draft::Draft,
    event::{Event, LossReason},
    inner::Inner,
    publisher::Announcement,
    receive, retry,
    stanza_handler::{self, Outcome, StanzaContext},
};

/// How often it was tried to keep which stanza.
#[derive(Debug, Default)]
pub(crate) struct Unkept {
    attempts: Mutex<HashMap<String, u32>>,
}

impl Unkept {
    /// Counts one more attempt at a stanza that failed; gives how many there were.
    pub(crate) fn count(&self, stanza: &Stanza) -> u32 {
        // What has no name cannot be told apart.
        let Some(name) = name(stanza) else { return u32::MAX };
        self.with(|attempts| {
            if attempts.len() >= MAX_COUNTED && !attempts.contains_key(&name) {
                attempts.clear();
            }
            let count = attempts.entry(name).or_default();
            *count = count.saturating_add(1);
            *count
        })
    }

    /// A stanza was dealt with.
    pub(crate) fn forget(&self, stanza: &Stanza) {
        self.with(|attempts| {
            if !attempts.is_empty()
                && let Some(name) = name(stanza)
            {
                attempts.remove(&name);
            }
        });
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut HashMap<String, u32>) -> T) -> T {
        use_it(&mut self.attempts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// By what a stanza is known on every connection.
fn name(stanza: &Stanza) -> Option<String> {
    let envelope = stanza.envelope()?;
    let person = envelope.participant.as_ref().unwrap_or(&envelope.from);
    Some(format!("{:?}/{}/{person}/{}", envelope.class, envelope.from, envelope.id))
}

/// Refuses a stanza that cannot be kept. Of a message, a placeholder is kept if the store takes at
/// least that.
pub(crate) async fn give_up(cx: &StanzaContext, stanza: Stanza) {
    cx.inner.unkept.forget(&stanza);
    let envelope = stanza.envelope().cloned();
    if let Stanza::Message(message) = stanza
        && let Err(error) = leave_gap(&cx.inner, &message).await
    {
        tracing::error!(%error, "not even that a message is missing can be kept");
    }
    let nack = Outcome::Nack(NackReason::DatabaseFailed);
    stanza_handler::answer(cx, nack, envelope, None).await;
}

/// Notes that a message is missing, and tells the user.
async fn leave_gap(inner: &Inner, message: &IncomingMessage) -> Result<(), StoreError> {
    let Some(arrival) = receive::arrival_of(inner, message).await? else { return Ok(()) };
    let lost = Event::MessageLost {
        chat: arrival.chat.clone(),
        sender: arrival.sender.to_user(),
        id: arrival.id.clone(),
        reason: LossReason::NotKept,
    };
    if message.is_peer {
        return Ok(());
    }
    let mut draft = Draft::new(&*inner.store);
    draft.push(retry::put_placeholder(&arrival, NOT_KEPT));
    let announcement = Announcement::alterations().then(lost.clone());
    let noted = inner.publisher.commit(draft.into_changes(), announcement).landed().await;
    if noted.is_err() {
        inner.emit(lost);
    }
    noted.map(drop)
}

/// The reason of a placeholder for what the store did not take.
const NOT_KEPT: &str = "not-kept";
/// How many stanzas are counted at a time.
const MAX_COUNTED: usize = 1024;
