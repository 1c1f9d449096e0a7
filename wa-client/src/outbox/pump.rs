//! The one task that sends what waits.
//!
//! Owns which chat is looked at when: those that were named, all of them after a login, and those
//! that failed once their time has come. Each chat is served by one piece of work at a time, up to
//! [`PARALLEL_CHATS`] at once, so that none waits for another's keys. Knows nothing of how a chat is served.

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tokio::time::{Instant, sleep, sleep_until};
use wa_proto::Jid;
use wa_store::StoreError;

use super::{chat_turn, next_step::NextStep, overdue};
use crate::{
    inner::Inner,
    lid,
    locks::tracked,
    request::budget::{Urgency, with_urgency},
};

/// Something waits for a chat: it is sent, beside whatever else goes on.
pub(crate) fn wake(inner: &Arc<Inner>, chat: &Jid) {
    inner.outbox.want(chat);
    start(inner);
}

/// Looks at everything that waits.
pub(crate) fn wake_all(inner: &Arc<Inner>) {
    inner.outbox.want_all();
    start(inner);
}

/// Makes sure that the pump runs.
pub(super) fn start(inner: &Arc<Inner>) {
    if inner.outbox.has_pump.swap(true, Ordering::SeqCst) {
        return;
    }
    let shared = Arc::clone(inner);
    inner.supervise("outbox", move || {
        let shared = Arc::clone(&shared);
        // After a panic everything is looked at.
        shared.outbox.want_all();
        async move { run(&shared).await }
    });
}

/// The chats under way, and those whose turn comes.
#[derive(Default)]
struct Chats {
    busy: HashSet<Jid>,
    /// Those under way that are to be looked at again.
    again: HashSet<Jid>,
    waiting: VecDeque<Jid>,
}

impl Chats {
    fn add(&mut self, chats: impl IntoIterator<Item = Jid>) {
        for chat in chats {
            if self.busy.contains(&chat) {
                self.again.insert(chat);
            } else if !self.waiting.contains(&chat) {
                self.waiting.push_back(chat);
            }
        }
    }

    /// The next chat to be served, which is under way from then on.
    fn next(&mut self) -> Option<Jid> {
        if self.busy.len() >= PARALLEL_CHATS {
            return None;
        }
        let chat = self.waiting.pop_front()?;
        self.busy.insert(chat.clone());
        Some(chat)
    }

    fn ended(&mut self, chat: Jid) {
        self.busy.remove(&chat);
        if self.again.remove(&chat) {
            self.add([chat]);
        }
    }
}

/// Sends what waits. Ends by a panic alone.
async fn run(inner: &Arc<Inner>) {
    let mut chats = Chats::default();
    // Each ends with the chat that was served, if it was one.
    let mut under_way: FuturesUnordered<BoxFuture<'_, Option<Jid>>> = FuturesUnordered::new();
    loop {
        let now = Instant::now();
        under_way.extend(overdue::take(inner, now).map(|work| work.map(|()| None).boxed()));
        match wanted(inner, now).await {
            Ok(wanted) => chats.add(wanted),
            Err(error) => {
                tracing::error!(%error, "the outbox cannot be read");
                sleep(RESTART_AFTER).await;
                inner.outbox.want_all();
                continue;
            }
        }
        while let Some(chat) = chats.next() {
            under_way.push(serve(inner, chat).map(Some).boxed());
        }
        let next = inner.outbox.next_due();
        tokio::select! {
            () = inner.outbox.woken.notified() => {}
            Some(served) = under_way.next(), if !under_way.is_empty() => {
                served.into_iter().for_each(|chat| chats.ended(chat));
            }
            () = at(next) => {}
        }
    }
}

async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// The chats to be looked at, by canonical address, but for those whose time has not come.
async fn wanted(inner: &Inner, now: Instant) -> Result<Vec<Jid>, StoreError> {
    let (all, named) = inner.outbox.delays.take_wanted(now);
    let listed = match all {
        true => inner.store.outbox_chats().await?,
        false => Vec::new(),
    };
    let chats: Vec<Jid> = listed.into_iter().chain(named).collect();
    let mut seen = BTreeSet::new();
    let chats = lid::canonical_all(&*inner.store, &chats).await?.into_iter();
    let mut chats: Vec<Jid> = chats.filter(|chat| seen.insert(chat.clone())).collect();
    chats.retain(|chat| !inner.outbox.delays.is_delayed(chat, now));
    Ok(chats)
}

/// Sends what waits for a chat. A failure decides when it is looked at again.
async fn serve(inner: &Arc<Inner>, chat: Jid) -> Jid {
    // Whoever sent the message waits for it; for what failed before, nobody does any more.
    let urgency = match inner.outbox.delays.has_failed(&chat) {
        true => Urgency::Background,
        false => Urgency::Interactive,
    };
    if let Err(error) = with_urgency(urgency, tracked(chat_turn::take(inner, &chat))).await {
        let step = match NextStep::after_error(&error) {
            // What cannot be noted as given up is looked at again.
            NextStep::Never(_) | NextStep::Anew => NextStep::Again,
            step => step,
        };
        tracing::warn!(%error, ?step, "messages wait");
        inner.outbox.delay(&chat, step, inner.roll());
    }
    chat
}

/// How many chats are served at a time.
const PARALLEL_CHATS: usize = 8;
/// How long to wait after what should not happen: a panic, or a store that cannot be read.
const RESTART_AFTER: Duration = Duration::from_secs(10);
