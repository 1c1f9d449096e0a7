//! A handle on one connection: what others send through and wait on.
//!
//! A link belongs to one connection and never outlives it. What was to be sent on an old one
//! fails instead of going out on the next, so no stanza is acknowledged on the wrong stream.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::Instant,
};
use wa_proto::{
    Node, OwnedNode, Request,
    stanza::{IqError, ParseError},
};

use crate::{
    health::UnreadableCounter,
    request::{
        RequestError,
        budget::{Budget, NoBudget},
    },
};

/// One connection, as the rest of the client sees it.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    generation: u64,
    outgoing: mpsc::Sender<Outgoing>,
    /// Who waits for the answer to which request; nothing once the connection has ended.
    waiters: Mutex<Option<HashMap<String, oneshot::Sender<Answer>>>>,
    awaited: Notify,
    unreadable: Arc<UnreadableCounter>,
    /// Told when the connection is of no use any more.
    abandoned: Notify,
    budget: Arc<Budget>,
}

/// A node on its way to the socket.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) frame: Bytes,
    /// Told once the bytes are handed to the network.
    pub(crate) written: oneshot::Sender<()>,
}

/// What the server says to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// An `iq` of type `result`.
    Result(OwnedNode),
    /// An `iq` of type `error`.
    Error(IqError),
    /// An `iq` that cannot be decoded.
    Undecodable,
}

/// The connection has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection has ended")]
pub(crate) struct LinkClosed;

impl Link {
    /// A link and the end that the connection serves.
    /// Every request spends from the budget.
    pub(crate) fn new(
        generation: u64,
        unreadable: Arc<UnreadableCounter>,
        budget: Arc<Budget>,
    ) -> (Self, mpsc::Receiver<Outgoing>) {
        let (outgoing, receiver) = mpsc::channel(OUTGOING_LEN);
        let shared = Shared {
            generation,
            outgoing,
            waiters: Mutex::new(Some(HashMap::new())),
            awaited: Notify::new(),
            unreadable,
            abandoned: Notify::new(),
            budget,
        };
        (Self { shared: Arc::new(shared) }, receiver)
    }

    /// Counts connections: a greater one is a later connection.
    pub(crate) fn generation(&self) -> u64 {
        self.shared.generation
    }

    /// Sends a node; returns when its bytes are with the network.
    ///
    /// # Errors
    /// [`LinkClosed`] if the connection ended first. The server may have got the node even so.
    pub(crate) async fn send(&self, node: &Node<'_>) -> Result<(), LinkClosed> {
        let (written, done) = oneshot::channel();
        let frame = Bytes::from(node.encode());
        self.shared.outgoing.send(Outgoing { frame, written }).await.map_err(|_| LinkClosed)?;
        done.await.map_err(|_| LinkClosed)
    }

    /// Sends nodes one behind the other; returns when the bytes of all are with the network.
    ///
    /// # Errors
    /// [`LinkClosed`] if the connection ended first. The server may have got some even so.
    pub(crate) async fn send_all(&self, nodes: &[OwnedNode]) -> Result<(), LinkClosed> {
        let mut last = None;
        for node in nodes {
            let (written, done) = oneshot::channel();
            let frame = Bytes::from(node.encode());
            self.shared.outgoing.send(Outgoing { frame, written }).await.map_err(|_| LinkClosed)?;
            last = Some(done);
        }
        match last {
            Some(done) => done.await.map_err(|_| LinkClosed),
            None => Ok(()),
        }
    }

    /// Asks the server something under this id.
    ///
    /// # Errors
    /// [`RequestError`]; it is [`RequestError::Disconnected`] if the connection ended first.
    pub(crate) async fn request<R: Request>(
        &self,
        id: &str,
        request: &R,
        deadline: Instant,
    ) -> Result<R::Response, RequestError> {
        match self.exchange(id, &request.to_node(id), deadline).await? {
            Answer::Result(node) => Ok(self.shared.unreadable.read(|| request.parse(&node))?),
            Answer::Error(error) => Err(error.into()),
            Answer::Undecodable => Err(ParseError::Undecodable.into()),
        }
    }

    async fn exchange(
        &self,
        id: &str,
        node: &Node<'_>,
        deadline: Instant,
    ) -> Result<Answer, RequestError> {
        let started = Instant::now();
        match tokio::time::timeout_at(deadline, self.shared.budget.spend()).await {
            Ok(Ok(())) => {}
            Ok(Err(NoBudget::NotAsked)) => return Err(RequestError::NotAsked),
            Ok(Err(NoBudget::TooMany)) => return Err(RequestError::TooMany),
            Err(_) => return Err(RequestError::Timeout(started.elapsed())),
        }
        // The wait for a part of the budget is not the server's.
        let deadline = deadline.max(Instant::now() + ANSWER_AT_LEAST);
        let (waiter, answer) = oneshot::channel();
        self.register(id, waiter).ok_or(RequestError::Disconnected)?;
        let _forget = Forget { link: self, id };
        let exchange = async {
            self.send(node).await.map_err(|LinkClosed| RequestError::Disconnected)?;
            answer.await.map_err(|_| RequestError::Disconnected)
        };
        tokio::time::timeout_at(deadline, exchange)
            .await
            .unwrap_or_else(|_| Err(RequestError::Timeout(started.elapsed())))
    }

    /// Hands an answer to whoever waits for it; gives it back if nobody does.
    pub(crate) fn answer(&self, id: &str, answer: Answer) -> Result<(), Answer> {
        let waiter = self.waiters(|waiters| waiters.as_mut()?.remove(id));
        match waiter {
            Some(waiter) => waiter.send(answer),
            None => Err(answer),
        }
    }

    /// Whether anybody waits for an answer.
    pub(crate) fn is_awaited(&self) -> bool {
        self.waiters(|waiters| waiters.as_ref().is_some_and(|waiters| !waiters.is_empty()))
    }

    /// Returns when somebody begins to wait for an answer.
    pub(crate) async fn awaited(&self) {
        self.shared.awaited.notified().await;
    }

    /// This connection is of no use any more: it ends, and another is made.
    pub(crate) fn abandon(&self) {
        self.shared.abandoned.notify_one();
    }

    /// Returns once the connection is of no use any more.
    pub(crate) async fn abandoned(&self) {
        self.shared.abandoned.notified().await;
    }

    /// The connection has ended: everybody who waits is told.
    pub(crate) fn close(&self) {
        self.waiters(Option::take);
    }

    fn register(&self, id: &str, waiter: oneshot::Sender<Answer>) -> Option<()> {
        self.waiters(|waiters| {
            waiters.as_mut()?.insert(id.to_owned(), waiter).map_or(Some(()), |_| Some(()))
        })?;
        self.shared.awaited.notify_one();
        Some(())
    }

    fn waiters<T>(
        &self,
        use_them: impl FnOnce(&mut Option<HashMap<String, oneshot::Sender<Answer>>>) -> T,
    ) -> T {
        use_them(&mut self.shared.waiters.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Takes a waiter away when its request is over, however it ended.
struct Forget<'a> {
    link: &'a Link,
    id: &'a str,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.link.waiters(|waiters| waiters.as_mut().and_then(|waiters| waiters.remove(self.id)));
    }
}

/// How long the server has for an answer in any case.
const ANSWER_AT_LEAST: Duration = Duration::from_secs(10);
/// How many nodes may wait for the socket before their senders wait too.
const OUTGOING_LEN: usize = 64;

#[cfg(test)]
mod tests {
    use wa_proto::request::Ping;

    use super::*;
    use crate::clock::Clock;

    fn result() -> Answer {
        Answer::Result(Node::new("iq"))
    }

    fn link() -> (Link, mpsc::Receiver<Outgoing>) {
        Link::new(1, Arc::new(UnreadableCounter::new(Clock::default())), Arc::default())
    }

    fn in_a_minute() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_reaches_whoever_asked() {
        let (link, mut outgoing) = link();
        let server = async {
            outgoing.recv().await.unwrap().written.send(()).unwrap();
            assert!(link.answer("2", result()).is_err());
            link.answer("1", result()).unwrap();
        };
        let (answer, ()) = tokio::join!(link.request("1", &Ping, in_a_minute()), server);
        assert_eq!(answer, Ok(()));
        assert!(!link.is_awaited());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_without_an_answer_times_out_and_is_forgotten() {
        let (link, mut outgoing) = link();
        let server = async { outgoing.recv().await.unwrap().written.send(()).unwrap() };
        let (answer, ()) = tokio::join!(link.request("1", &Ping, in_a_minute()), server);
        assert_eq!(answer, Err(RequestError::Timeout(Duration::from_secs(60))));
        assert!(!link.is_awaited());
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_connection_ends_its_requests() {
        let (link, mut outgoing) = link();
        let server = async {
            outgoing.recv().await.unwrap().written.send(()).unwrap();
            link.close();
        };
        let (answer, ()) = tokio::join!(link.request("1", &Ping, in_a_minute()), server);
        assert_eq!(answer, Err(RequestError::Disconnected));
        let late = link.request("2", &Ping, in_a_minute()).await;
        assert_eq!(late, Err(RequestError::Disconnected));
    }
}
