//! One connection, from its handshake to its end.
//!
//! Four loops run side by side and the first to end ends them all: bytes in, bytes out, the
//! timers, and the login. A worker beside them deals with the stanzas; it is gone before the
//! session is, so that no stanza of an old connection is dealt with on a new one.

mod incoming;
mod worker;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::{Instant, sleep, sleep_until, timeout},
};
use wa_noise::{Sealer, encode_frame};
use wa_proto::{
    Request,
    request::Ping,
    stanza::{Success, offline_batch},
};

use super::{
    connector::WireWriter,
    ending::Ending,
    handshake::Secured,
    keepalive::{Keepalive, KeepaliveAction},
    link::{Link, Outgoing},
};
use incoming::Incoming;
use worker::Worker;

use crate::{
    event::{Event, PairingFailure},
    expiry,
    inner::Inner,
    login,
    offline::{self, Backlog},
    pairing::{self, QrSchedule, QrStep},
    prekeys,
    stanza_handler::StanzaContext,
};

/// What a connection's loops and handlers share.
#[derive(Debug)]
pub(crate) struct Session {
    /// The codes for a phone to scan, once the server gave references.
    pub(crate) qr: Mutex<Option<QrSchedule>>,
    /// The backlog.
    pub(crate) backlog: Mutex<Backlog>,
    /// Told whenever `qr` or `backlog` changed.
    pub(crate) changed: Notify,
    keepalive: Mutex<Keepalive>,
    /// Whether nothing is read because what came before is not dealt with yet.
    holds_back: AtomicBool,
}

impl Session {
    /// Something that came was dealt with. What the server says is held back here meanwhile, so that
    /// this is no silence of its own.
    pub(crate) fn went_on(&self) {
        if self.holds_back.load(Ordering::Relaxed) {
            with(&self.keepalive, |keepalive| keepalive.heard(Instant::now()));
        }
    }
}

/// Serves one connection until it ends. `stop` becomes true when the user wants the end.
/// `logged_in` is told when the login is complete.
pub(crate) async fn serve(
    inner: &Arc<Inner>,
    secured: Secured,
    generation: u64,
    stop: &mut watch::Receiver<bool>,
    logged_in: impl FnOnce() + Send,
) -> Ending {
    let Secured { reader, writer, frames, sealer, opener } = secured;
    let (unreadable, budget) = (Arc::clone(&inner.unreadable), Arc::clone(&inner.budget));
    let (link, outgoing) = Link::new(generation, unreadable, budget);
    let session = Arc::new(Session {
        qr: Mutex::default(),
        backlog: Mutex::new(Backlog::new(Instant::now())),
        changed: Notify::new(),
        keepalive: Mutex::new(Keepalive::new(Instant::now(), inner.roll())),
        holds_back: AtomicBool::new(false),
    });
    let cx = StanzaContext { inner: Arc::clone(inner), link: link.clone(), session };
    let (stanzas, queue) = mpsc::channel(worker::MAX_TOGETHER);
    let (success, succeeded) = oneshot::channel();
    let mut worker = Worker::start(cx.clone(), queue);
    let incoming = Incoming::new(&cx, frames, opener, stanzas, success);
    let (flush, flushed) = watch::channel(false);

    let mut writing = Box::pin(write_out(writer, sealer, outgoing, flushed));
    let running = async {
        tokio::select! {
            ending = incoming.run(reader) => ending,
            ending = &mut writing => ending,
            ending = inner.tasks.supervised("keepalive", || timers(&cx)) => ending,
            () = link.abandoned() => Ending::Silence,
            ending = log_in(&cx, succeeded, logged_in) => ending,
            ending = &mut worker.ended => ending.unwrap_or_else(|_| {
                inner.tasks.panicked("stanzas");
                Ending::Panicked
            }),
            _ = stop.wait_for(|stop| *stop) => Ending::Requested,
        }
    };
    let ending = inner.tasks.caught("connection", running).await.unwrap_or(Ending::Panicked);
    inner.publish_link(None);
    inner.attempt.ended();
    worker.stop().await;
    link.close();
    if ending == Ending::Requested {
        // Acks and receipts that wait for the socket leave before the goodbye.
        flush.send_replace(true);
        let _ = timeout(FLUSH_TIMEOUT, writing).await;
    }
    ending
}

/// Waits for the server's `<success>` and logs in; never ends by itself after that.
async fn log_in(
    cx: &StanzaContext,
    succeeded: oneshot::Receiver<Success>,
    logged_in: impl FnOnce() + Send,
) -> Ending {
    if let Ok(success) = succeeded.await {
        if let Err(ending) = login::run(cx, &success).await {
            return ending;
        }
        logged_in();
        let tasks = &cx.inner.tasks;
        return tokio::select! {
            ending = tasks.supervised("upkeep", || upkeep(cx)) => ending,
            failed = tasks.supervised("expiry", || expiry::run(&cx.inner)) => {
                let Err(error) = failed;
                tracing::error!(%error, "what is past its time cannot be removed");
                Ending::Storage
            }
        };
    }
    std::future::pending().await
}

/// What is due now and then for as long as the connection lasts.
async fn upkeep(cx: &StanzaContext) -> Ending {
    loop {
        sleep(ROTATION_CHECK).await;
        if let Err(error) = prekeys::rotate_when_due(&cx.inner, &cx.link).await {
            tracing::warn!(%error, "cannot rotate the signed prekey");
        }
    }
}

/// Pings, QR codes and offline batches, each when it is due.
async fn timers(cx: &StanzaContext) -> Ending {
    loop {
        let now = Instant::now();
        while let Some(action) = keepalive(cx, |keepalive| keepalive.poll(now, cx.inner.roll())) {
            match action {
                KeepaliveAction::Ping => ping(cx),
                KeepaliveAction::TimedOut { silent_for } => {
                    cx.inner.emit(Event::KeepAliveTimeout { silent_for });
                }
                KeepaliveAction::Restored => cx.inner.emit(Event::KeepAliveRestored),
                KeepaliveAction::GiveUp => return Ending::Silence,
            }
        }
        match with(&cx.session.qr, |qr| qr.as_mut().and_then(|qr| qr.poll(now))) {
            Some(QrStep::Show { reference, expires_in }) => {
                pairing::show(cx, &reference, expires_in);
            }
            Some(QrStep::Expired) => {
                cx.inner.emit(Event::PairingFailed { reason: PairingFailure::Timeout });
                return Ending::PairingTimeout;
            }
            None => {}
        }
        if with(&cx.session.backlog, |backlog| backlog.poll(now))
            && cx.link.send(&offline_batch(offline::BATCH)).await.is_err()
        {
            return Ending::SocketLost;
        }
        let next = [
            Some(keepalive(cx, |keepalive| keepalive.timeout())),
            with(&cx.session.qr, |qr| qr.as_ref().and_then(QrSchedule::timeout)),
            with(&cx.session.backlog, |backlog| backlog.timeout(now)),
        ];
        let next = next.into_iter().flatten().min().unwrap_or(now + IDLE);
        tokio::select! {
            () = sleep_until(next) => {}
            () = cx.session.changed.notified() => {}
        }
    }
}

/// Pings without waiting: the answer counts like every other sign of life.
fn ping(cx: &StanzaContext) {
    let ping = Ping.to_node(&cx.inner.request_id());
    let link = cx.link.clone();
    cx.inner.spawn(async move {
        // A closed link needs no ping.
        let _ = link.send(&ping).await;
    });
}

fn keepalive<T>(cx: &StanzaContext, use_it: impl FnOnce(&mut Keepalive) -> T) -> T {
    with(&cx.session.keepalive, use_it)
}

fn with<V, T>(mutex: &Mutex<V>, use_it: impl FnOnce(&mut V) -> T) -> T {
    use_it(&mut mutex.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Seals and writes what others send; ends with the socket, or once flushed after the end.
async fn write_out(
    mut writer: Box<dyn WireWriter>,
    mut sealer: Sealer,
    mut outgoing: mpsc::Receiver<Outgoing>,
    mut flush: watch::Receiver<bool>,
) -> Ending {
    loop {
        let next = tokio::select! {
            biased;
            next = outgoing.recv() => next,
            _ = flush.wait_for(|flush| *flush) => None,
        };
        let Some(next) = next else {
            writer.close().await;
            return Ending::Requested;
        };
        // What is there already leaves together.
        let (mut frames, mut senders) = (Vec::new(), Vec::new());
        let mut next = Some(next);
        while let Some(Outgoing { frame, written }) = next {
            match sealer.seal(&frame) {
                Ok(sealed) => {
                    let Ok(bytes) = encode_frame(&sealed) else { return Ending::Protocol };
                    frames.push(bytes.into());
                    senders.push(written);
                }
                Err(error) => tracing::error!(%error, "a node cannot be sealed"),
            }
            next = (frames.len() < MAX_WRITTEN).then(|| outgoing.try_recv().ok()).flatten();
        }
        match timeout(WRITE_TIMEOUT, writer.write_all(frames)).await {
            // Whoever sent one may have stopped waiting.
            Ok(Ok(())) => senders.into_iter().for_each(|written| {
                let _ = written.send(());
            }),
            Ok(Err(_)) | Err(_) => return Ending::SocketLost,
        }
    }
}

/// How many frames are written together at most.
const MAX_WRITTEN: usize = 64;

/// How long a write may take. A socket that takes no bytes for so long is dead.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the last acks may take to leave.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// How often it is looked whether the signed prekey is too old.
const ROTATION_CHECK: Duration = Duration::from_secs(6 * 60 * 60);
/// How long nothing may be due.
const IDLE: Duration = Duration::from_secs(60);
