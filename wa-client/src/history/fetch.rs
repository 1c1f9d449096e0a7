//! Older messages of one chat, asked of the phone.
//!
//! Owns the question, the match of answers with questions, and the waiting. The answer is a part of
//! the history like any other: also one that comes too late for whoever asked is kept.

use std::{
    collections::HashMap,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;
use wa_proto::{
    Content, Jid,
    content::Protocol,
    pb::{
        self,
        message::{
            HistorySyncNotification, PeerDataOperationRequestType as Operation,
            peer_data_operation_request_message::HistorySyncOnDemandRequest,
        },
    },
};
use wa_store::{ArchivedMessage, MessageQuery, Order};

use super::{apply::Applied, chat::End};
use crate::{error::Error, inner::Inner, keyed_locks::KeyedLocks, lid, send};

/// A question for older messages; awaiting it asks the phone and waits for the answer.
#[must_use = "nothing is asked until this is awaited"]
#[derive(Debug)]
pub struct FetchOlder {
    inner: Arc<Inner>,
    chat: Jid,
    count: u32,
    timeout: Duration,
}

/// What the phone gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FetchedHistory {
    /// How many messages are new in the archive.
    pub messages: u64,
    /// How many messages came, also those that were there already.
    pub received: u64,
    /// Whether the phone has more.
    pub older: OlderOnPhone,
}

/// Whether a phone has still older messages of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OlderOnPhone {
    /// It has.
    Yes,
    /// It has none: the archive reaches back to the chat's beginning.
    No,
    /// It has, and may not give them to this device.
    NoAccess,
    /// It does not say.
    Unknown,
}

impl FetchOlder {
    pub(super) fn new(inner: Arc<Inner>, chat: Jid) -> Self {
        Self { inner, chat, count: DEFAULT_COUNT, timeout: DEFAULT_TIMEOUT }
    }

    /// How many messages to ask for, 50 unless said otherwise and 500 at most. The phone may give
    /// fewer.
    pub fn count(mut self, count: u32) -> Self {
        self.count = count.clamp(1, MAX_COUNT);
        self
    }

    /// How long to wait for the phone, a minute unless said otherwise. What it gives later is kept
    /// all the same.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    async fn run(self) -> Result<FetchedHistory, Error> {
        let Self { inner, chat, count, timeout } = self;
        let chat = lid::canonical(&*inner.store, &chat.to_user()).await?;
        let fetches = &inner.history.fetches;
        let answered = async {
            // One question at a time for each chat: the next one goes on from what this one brings.
            let _turn = fetches.turns.lock(chat.clone()).await;
            let oldest = oldest(&inner, &chat).await?;
            let id = send::peer::fresh_id(&inner)?;
            let answer = fetches.wait(id.as_str(), &chat)?;
            let question = question(&inner, &chat, &oldest, count);
            if let Err(error) = send::peer::send_as(&inner, &id, &question).await {
                fetches.forget(id.as_str());
                return Err(error);
            }
            let answer = answer.await.unwrap_or(Answer::Failed);
            Ok(answer)
        };
        match tokio::time::timeout(timeout, answered).await {
            Ok(Ok(Answer::Came(fetched))) => Ok(fetched),
            Ok(Ok(Answer::Failed)) => Err(Error::UnreadableHistory),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Error::PhoneSilent(timeout)),
        }
    }
}

impl IntoFuture for FetchOlder {
    type Output = Result<FetchedHistory, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// The message to go on from.
async fn oldest(inner: &Inner, chat: &Jid) -> Result<ArchivedMessage, Error> {
    let mut query = MessageQuery::chat(chat.clone());
    query.order = Order::OldestFirst;
    query.limit = 1;
    let oldest = inner.store.messages(&query).await?.into_iter().next();
    oldest.ok_or(Error::InvalidInput("the archive has no message of this chat to go on from"))
}

fn question(inner: &Inner, chat: &Jid, oldest: &ArchivedMessage, count: u32) -> Content {
    let request = HistorySyncOnDemandRequest {
        chat_jid: Some(chat.to_string()),
        oldest_msg_id: Some(oldest.key.id.as_str().to_owned()),
        oldest_msg_from_me: Some(oldest.key.from_me),
        on_demand_msg_count: Some(i32::try_from(count).unwrap_or(i32::MAX)),
        // Phones take seconds here, whatever the field is called.
        oldest_msg_timestamp_ms: Some(oldest.timestamp.secs()),
        account_lid: inner.account().lid.as_ref().map(|lid| lid.to_user().to_string()),
        ..Default::default()
    };
    let request = pb::message::PeerDataOperationRequestMessage {
        peer_data_operation_request_type: Some(Operation::HistorySyncOnDemand.into()),
        history_sync_on_demand_request: Some(request),
        ..Default::default()
    };
    Content::Protocol(Protocol::PeerDataOperationRequest(Box::new(request)))
}

/// The questions that wait for an answer, by their id.
#[derive(Debug)]
pub(super) struct Fetches {
    turns: KeyedLocks<Jid>,
    waiting: Mutex<HashMap<String, Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    chat: Jid,
    answer: oneshot::Sender<Answer>,
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    Came(FetchedHistory),
    Failed,
}

impl Default for Fetches {
    fn default() -> Self {
        Self { turns: KeyedLocks::new(), waiting: Mutex::default() }
    }
}

impl Fetches {
    fn waiting<T>(&self, use_it: impl FnOnce(&mut HashMap<String, Waiting>) -> T) -> T {
        use_it(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn wait(&self, id: &str, chat: &Jid) -> Result<oneshot::Receiver<Answer>, Error> {
        let (answer, answered) = oneshot::channel();
        self.waiting(|waiting| {
            waiting.retain(|_, other| !other.answer.is_closed());
            if waiting.len() >= MAX_WAITING {
                return Err(Error::InvalidInput("too many questions to the phone at a time"));
            }
            waiting.insert(id.to_owned(), Waiting { chat: chat.clone(), answer });
            Ok(answered)
        })
    }

    fn forget(&self, id: &str) {
        self.waiting(|waiting| waiting.remove(id));
    }

    /// A part came that somebody asked for, and is stored.
    pub(super) fn settle(&self, notice: &HistorySyncNotification, applied: &Applied) {
        let chats: Vec<_> = applied.ends.iter().map(|(chat, _)| chat).collect();
        let Some(Waiting { chat, answer }) = self.take(notice, &chats) else { return };
        let end = applied.ends.iter().find(|(other, _)| *other == chat).map(|(_, end)| *end);
        let older = match end.unwrap_or(End::Unknown) {
            End::More => OlderOnPhone::Yes,
            End::Complete => OlderOnPhone::No,
            End::NoAccess => OlderOnPhone::NoAccess,
            End::Unknown => OlderOnPhone::Unknown,
        };
        let (messages, received) = (applied.messages, applied.received);
        // Whoever asked may have stopped waiting.
        let _ = answer.send(Answer::Came(FetchedHistory { messages, received, older }));
    }

    /// A part came that somebody asked for, and cannot be read.
    pub(super) fn fail(&self, notice: &HistorySyncNotification) {
        if let Some(waiting) = self.take(notice, &[]) {
            let _ = waiting.answer.send(Answer::Failed);
        }
    }

    /// The question that a part answers: the one it names, or where it names none, the one for a
    /// chat that it holds.
    fn take(&self, notice: &HistorySyncNotification, chats: &[&Jid]) -> Option<Waiting> {
        self.waiting(|waiting| match &notice.peer_data_request_session_id {
            Some(id) if !id.is_empty() => waiting.remove(id),
            _ => {
                let is_here = |(_, other): &(&String, &Waiting)| chats.contains(&&other.chat);
                let id = waiting.iter().find(is_here).map(|(id, _)| id.clone())?;
                waiting.remove(&id)
            }
        })
    }
}

/// How many messages are asked for unless said otherwise.
const DEFAULT_COUNT: u32 = 50;
/// How many messages are asked for at most.
const MAX_COUNT: u32 = 500;
/// How long the phone has unless said otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// How many questions may wait at a time.
const MAX_WAITING: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(session: Option<&str>) -> HistorySyncNotification {
        HistorySyncNotification {
            peer_data_request_session_id: session.map(str::to_owned),
            ..Default::default()
        }
    }

    #[test]
    fn an_answer_finds_its_own_question() {
        let fetches = Fetches::default();
        let mut first = fetches.wait("A", &Jid::lid("1")).unwrap();
        let mut second = fetches.wait("B", &Jid::lid("2")).unwrap();
        let ends = vec![(Jid::lid("2"), End::More)];
        let applied = Applied { messages: 3, received: 4, ends, ..Applied::default() };
        fetches.settle(&notice(Some("X")), &applied);
        assert!(first.try_recv().is_err() && second.try_recv().is_err());
        fetches.settle(&notice(None), &applied);
        assert!(first.try_recv().is_err());
        let Ok(Answer::Came(fetched)) = second.try_recv() else { panic!("no answer") };
        assert_eq!((fetched.messages, fetched.older), (3, OlderOnPhone::Yes));
        fetches.fail(&notice(Some("A")));
        assert!(matches!(first.try_recv(), Ok(Answer::Failed)));
    }

    #[test]
    fn only_so_many_questions_wait() {
        let fetches = Fetches::default();
        let answers: Vec<_> =
            (0..MAX_WAITING).map(|id| fetches.wait(&id.to_string(), &Jid::lid("1"))).collect();
        assert!(fetches.wait("one more", &Jid::lid("1")).is_err());
        drop(answers);
        assert!(fetches.wait("one more", &Jid::lid("1")).is_ok(), "nobody waits any more");
    }
}
