//! The task that deals with stanzas, each in its lane.
//!
//! Knows nothing of sockets, nor of what a stanza means.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
    time::Instant,
};
use wa_proto::{Jid, Stanza, stanza::IncomingMessage};
use wa_store::Store;

use super::with;
use crate::{
    connection::{
        ending::Ending,
        lanes::{Lane, Lanes},
    },
    lid,
    locks::tracked,
    receive::pipeline::Pipeline,
    stanza_handler::{self, StanzaContext},
};

/// The task that deals with stanzas.
pub(super) struct Worker {
    task: JoinHandle<()>,
    pub(super) ended: oneshot::Receiver<Ending>,
}

impl Worker {
    pub(super) fn start(cx: StanzaContext, queue: mpsc::Receiver<Stanza>) -> Self {
        let (end, ended) = oneshot::channel();
        let task = tokio::spawn(async move {
            let ending = work(&cx, queue).await;
            // The session may be ending for another reason.
            let _ = end.send(ending);
        });
        Self { task, ended }
    }

    /// Cancels what is under way, and waits until it is gone. What is cancelled stays without an
    /// answer and comes again.
    pub(super) async fn stop(&mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The stanzas that wait, at which both the worker and the lanes at work look.
struct Waiting {
    lanes: Mutex<Lanes<Stanza>>,
    /// Told whenever one came.
    came: Notify,
}

impl Waiting {
    fn with<T>(&self, use_them: impl FnOnce(&mut Lanes<Stanza>) -> T) -> T {
        with(&self.lanes, use_them)
    }

    /// The message that is next in a lane, if one is.
    fn join(&self, lane: &Lane) -> Option<IncomingMessage> {
        let is_message = |stanza: &Stanza| matches!(stanza, Stanza::Message(_));
        match self.with(|lanes| lanes.join(lane, is_message)) {
            Some(Stanza::Message(message)) => Some(*message),
            _ => None,
        }
    }
}

async fn work(cx: &StanzaContext, mut queue: mpsc::Receiver<Stanza>) -> Ending {
    let waiting = Waiting { lanes: Mutex::new(Lanes::new()), came: Notify::new() };
    let mut running = FuturesUnordered::new();
    loop {
        // What is there already may be dealt with together.
        while waiting.with(|lanes| lanes.has_room())
            && let Ok(stanza) = queue.try_recv()
        {
            push(cx, &waiting, stanza).await;
        }
        while let Some((lane, stanza)) = waiting.with(Lanes::start) {
            running.push(tracked(handle(cx, &waiting, lane, stanza)));
        }
        let has_room = waiting.with(|lanes| lanes.has_room());
        tokio::select! {
            biased;
            Some((lane, ending)) = running.next(), if !running.is_empty() => {
                if let Some(ending) = ending {
                    return ending;
                }
                waiting.with(|lanes| lanes.done(&lane));
            }
            stanza = queue.recv(), if has_room => match stanza {
                Some(stanza) => push(cx, &waiting, stanza).await,
                // The reading has ended, and says why.
                None => std::future::pending().await,
            }
        }
    }
}

/// Deals with a stanza, and with messages that wait behind it in its lane.
async fn handle(
    cx: &StanzaContext,
    waiting: &Waiting,
    lane: Lane,
    stanza: Stanza,
) -> (Lane, Option<Ending>) {
    let started = Instant::now();
    let ending = match stanza {
        Stanza::Message(message) => Box::pin(handle_messages(cx, waiting, &lane, *message)).await,
        other => stanza_handler::handle(cx, other).await,
    };
    if started.elapsed() > SLOW {
        tracing::warn!(seconds = started.elapsed().as_secs(), "a lane was at work for long");
    }
    (lane, ending)
}

/// Deals with messages of a lane for as long as some wait there, many at a time.
async fn handle_messages(
    cx: &StanzaContext,
    waiting: &Waiting,
    lane: &Lane,
    first: IncomingMessage,
) -> Option<Ending> {
    let mut pipeline = Pipeline::new(cx);
    let mut next = vec![first];
    loop {
        gather(waiting, lane, &mut next);
        // While a batch lands, the next one grows.
        if pipeline.is_landing() && next.len() < WORTH_READING_AHEAD {
            tokio::select! {
                () = waiting.came.notified() => {}
                () = pipeline.landed() => {
                    if let Some(ending) = pipeline.drain().await {
                        return Some(ending);
                    }
                }
            }
            continue;
        }
        if next.is_empty() {
            return None;
        }
        let ending = pipeline.take(std::mem::take(&mut next)).await;
        if ending.is_some() {
            return ending;
        }
    }
}

/// Adds to messages those that wait behind them.
fn gather(waiting: &Waiting, lane: &Lane, messages: &mut Vec<IncomingMessage>) {
    let mut length: usize = messages.iter().map(ciphertext_len).sum();
    while messages.len() < MAX_TOGETHER
        && length < MAX_TOGETHER_LEN
        && let Some(message) = waiting.join(lane)
    {
        length += ciphertext_len(&message);
        messages.push(message);
    }
}

/// How many bytes of ciphertext a message has.
fn ciphertext_len(message: &IncomingMessage) -> usize {
    message.encs.iter().map(|enc| enc.ciphertext.len()).sum()
}

/// The lane for everything while the backlog drains.
fn strict() -> Lane {
    Lane::Named(String::new())
}

/// Queues a stanza. One lane for everything while the backlog drains, then one for each person; a
/// stream's own announcements and pairing wait for everything before them.
async fn push(cx: &StanzaContext, waiting: &Waiting, stanza: Stanza) {
    let lane = match &stanza {
        Stanza::Info(_) | Stanza::Iq(_) => Lane::Barrier,
        // A handler may wait for the ack of what it sent.
        Stanza::Ack(_) => Lane::Named("ack".into()),
        _ => {
            let is_strict = is_strict(cx, &stanza);
            // Nothing overtakes what still waits there.
            match is_strict || waiting.with(|lanes| lanes.holds(&strict())) {
                true => strict(),
                false => {
                    let store = Arc::clone(&cx.inner.store);
                    let told = named(&stanza);
                    let names = AssertUnwindSafe(all_names(store, told)).catch_unwind().await;
                    // Whoever looks up what panics meets it where the stanza is dealt with.
                    let names = names.unwrap_or_else(|_panic| {
                        named(&stanza).iter().map(ToString::to_string).collect()
                    });
                    waiting.with(|lanes| lanes.of_person(names))
                }
            }
        }
    };
    waiting.with(|lanes| lanes.push(lane, stanza));
    waiting.came.notify_waiters();
}

/// Whether a stanza has to wait for all before it.
fn is_strict(cx: &StanzaContext, stanza: &Stanza) -> bool {
    let now = Instant::now();
    with(&cx.session.backlog, |backlog| {
        if is_from_backlog(stanza) && backlog.came(now) {
            cx.session.changed.notify_one();
        }
        backlog.is_strict(now)
    })
}

/// Whoever a stanza is from, by the names that it tells.
fn named(stanza: &Stanza) -> Vec<Jid> {
    let Some(envelope) = stanza.envelope() else { return Vec::new() };
    let mut names = vec![envelope.participant.as_ref().unwrap_or(&envelope.from)];
    if let Stanza::Message(message) = stanza {
        let alternatives = &message.alternatives;
        names.extend(match &envelope.participant {
            Some(_) => &alternatives.participant,
            None => &alternatives.sender,
        });
    }
    let name = |jid: &Jid| if jid.is_person() { lid::person(jid) } else { jid.to_user() };
    names.into_iter().map(name).collect()
}

/// The same with the name that the store knows besides, the LID first.
async fn all_names(store: Arc<dyn Store>, mut names: Vec<Jid>) -> Vec<String> {
    let Some(person) = names.first().cloned() else { return vec!["nobody".to_owned()] };
    // A store that fails here fails where the stanza is dealt with too, and is met there.
    let known = match (person.is_lid(), person.is_phone()) {
        (true, _) => store.phone_of(&person).await,
        (_, true) => store.lid_of(&person).await,
        _ => Ok(None),
    };
    names.extend(known.ok().flatten());
    names.sort_by_key(|name| !name.is_lid());
    names.dedup();
    names.iter().map(ToString::to_string).collect()
}

/// Whether the server kept the stanza while this device was away.
fn is_from_backlog(stanza: &Stanza) -> bool {
    match stanza {
        Stanza::Message(message) => message.offline.is_some(),
        Stanza::Receipt(receipt) => receipt.offline.is_some(),
        Stanza::Notification(notification) => notification.offline.is_some(),
        Stanza::Call(call) => call.offline.is_some(),
        _ => false,
    }
}

/// How many messages are dealt with together, and how many bytes of ciphertext.
pub(super) const MAX_TOGETHER: usize = 128;
const MAX_TOGETHER_LEN: usize = 1 << 20;
/// How many messages are worth being read before the batch ahead has landed: fewer wait for it, and
/// for others.
const WORTH_READING_AHEAD: usize = MAX_TOGETHER / 2;
/// Warn threshold for slow lanes.
const SLOW: Duration = Duration::from_secs(300);
