//! The task that deals with stanzas, each in its lane.
//!
//! Knows nothing of sockets, nor of what a stanza means.

use std::time::Duration;

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::Instant,
};
use wa_proto::{Stanza, stanza::IncomingMessage};

use super::with;
use crate::{
    connection::{
        ending::Ending,
        lanes::{Lane, Lanes},
    },
    locks::tracked,
    offline,
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

async fn work(cx: &StanzaContext, mut queue: mpsc::Receiver<Stanza>) -> Ending {
    let mut lanes = Lanes::new();
    let mut running = FuturesUnordered::new();
    loop {
        // What is there already may be dealt with together.
        while lanes.has_room()
            && let Ok(stanza) = queue.try_recv()
        {
            lanes.push(lane_of(cx, &lanes, &stanza), stanza);
        }
        while let Some((lane, stanza)) = lanes.start() {
            let work = gather(&mut lanes, &lane, stanza);
            running.push(tracked(handle(cx, lane, work)));
        }
        tokio::select! {
            biased;
            Some((lane, ending)) = running.next(), if !running.is_empty() => {
                if let Some(ending) = ending {
                    return ending;
                }
                lanes.done(&lane);
            }
            stanza = queue.recv(), if lanes.has_room() => match stanza {
                Some(stanza) => lanes.push(lane_of(cx, &lanes, &stanza), stanza),
                // The reading has ended, and says why.
                None => std::future::pending().await,
            }
        }
    }
}

/// What is dealt with at a time.
enum Work {
    Stanza(Box<Stanza>),
    /// Messages of the backlog, which may share transactions.
    Messages(Vec<IncomingMessage>),
}

/// A stanza, with those that wait behind it if all are messages of the backlog.
fn gather(lanes: &mut Lanes<Stanza>, lane: &Lane, stanza: Stanza) -> Work {
    let first = match stanza {
        Stanza::Message(message) if *lane == strict() && message.offline.is_some() => *message,
        other => return Work::Stanza(Box::new(other)),
    };
    let mut length = ciphertext_len(&first);
    let mut messages = vec![first];
    while messages.len() < MAX_TOGETHER && length < MAX_TOGETHER_LEN {
        let fits = |stanza: &Stanza| matches!(stanza, Stanza::Message(message) if message.offline.is_some());
        let Some(Stanza::Message(message)) = lanes.join(lane, fits) else { break };
        length += ciphertext_len(&message);
        messages.push(*message);
    }
    Work::Messages(messages)
}

/// How many bytes of ciphertext a message has.
fn ciphertext_len(message: &IncomingMessage) -> usize {
    message.encs.iter().map(|enc| enc.ciphertext.len()).sum()
}

async fn handle(cx: &StanzaContext, lane: Lane, work: Work) -> (Lane, Option<Ending>) {
    let started = Instant::now();
    let ending = match work {
        Work::Stanza(stanza) => {
            let from_backlog = stanza.envelope().is_some();
            let ending = stanza_handler::handle(cx, *stanza).await;
            if from_backlog {
                offline::backlog(cx, |backlog| backlog.handled(Instant::now()));
            }
            ending
        }
        Work::Messages(messages) => Box::pin(stanza_handler::handle_messages(cx, messages)).await,
    };
    if started.elapsed() > SLOW {
        tracing::warn!(seconds = started.elapsed().as_secs(), "a stanza took long to deal with");
    }
    (lane, ending)
}

/// The lane for everything while the backlog drains.
fn strict() -> Lane {
    Lane::Named(String::new())
}

/// One lane for everything while the backlog drains, then one for each person; a stream's own
/// announcements and pairing wait for everything before them.
fn lane_of(cx: &StanzaContext, lanes: &Lanes<Stanza>, stanza: &Stanza) -> Lane {
    if matches!(stanza, Stanza::Info(_) | Stanza::Iq(_)) {
        return Lane::Barrier;
    }
    if matches!(stanza, Stanza::Ack(_)) {
        // A handler may wait for the ack of what it sent.
        return Lane::Named("ack".into());
    }
    let strict = strict();
    let now = Instant::now();
    let is_strict = with(&cx.session.backlog, |backlog| {
        if is_from_backlog(stanza) {
            backlog.came(now);
        }
        backlog.is_strict(now)
    });
    // Nothing overtakes what still waits there.
    if is_strict || lanes.holds(&strict) {
        return strict;
    }
    let person = stanza.envelope().map(|envelope| {
        envelope.participant.as_ref().unwrap_or(&envelope.from).to_user().to_string()
    });
    Lane::Named(person.unwrap_or_else(|| "nobody".into()))
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

/// How many messages of the backlog are dealt with together, and how many bytes of ciphertext.
pub(super) const MAX_TOGETHER: usize = 64;
const MAX_TOGETHER_LEN: usize = 1 << 20;
/// From when on a handler is remarked upon.
const SLOW: Duration = Duration::from_secs(300);
