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
use wa_proto::Stanza;

use super::with;
use crate::{
    connection::{
        ending::Ending,
        lanes::{Lane, Lanes},
    },
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
        while let Some((lane, stanza)) = lanes.start() {
            running.push(handle(cx, lane, stanza));
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

async fn handle(cx: &StanzaContext, lane: Lane, stanza: Stanza) -> (Lane, Option<Ending>) {
    let started = Instant::now();
    let from_backlog = stanza.envelope().is_some();
    let ending = stanza_handler::handle(cx, stanza).await;
    if from_backlog {
        offline::backlog(cx, |backlog| backlog.handled(Instant::now()));
    }
    if started.elapsed() > SLOW {
        tracing::warn!(seconds = started.elapsed().as_secs(), "a stanza took long to deal with");
    }
    (lane, ending)
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
    let strict = Lane::Named(String::new());
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

/// From when on a handler is remarked upon.
const SLOW: Duration = Duration::from_secs(300);
