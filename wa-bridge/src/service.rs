//! Does the calls: what stands between a frontend and the client.
//!
//! Every call comes through [`Service::call`], which asks the policy, keeps the audit and hands the
//! call its [`Call`]. What a call does is in the module of its noun. Knows nothing of sockets.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use schemars::Schema;
use serde::Serialize;
use serde_json::Value;
use tokio::{
    sync::{Mutex, watch},
    time::{Instant, timeout_at},
};
use wa_store::{AuditEntry, AuditQuery, Change, Store};

use crate::{
    Caller, Clients, Profile,
    api::{self, Effect, LinkState, Operation},
    endpoint::Endpoint,
    failure::{Cause, Failure, remedy},
    line::{Line, LineState},
    link_page::LinkPage,
    policy::{HOUR, PolicySource, Sendings, Turn},
};

mod account;
mod audit;
mod call;
mod channels;
mod chats;
mod contacts;
mod counts;
mod downloads;
mod drafts;
mod events;
mod file_to_send;
mod gate;
mod groups;
mod history;
mod hold;
mod labels;
mod media;
mod messages;
mod names;
mod narrow;
mod outgoing;
mod passkey;
mod pictures;
mod polls;
mod privacy;
mod profile;
mod reach;
mod reading;
mod search;
mod send;
mod transmit;

pub use call::Call;
pub(crate) use counts::Counts;
pub use events::EventSource;

/// A call that can be done.
pub trait Perform: Operation {
    /// Does it.
    fn perform(self, call: &Call<'_>)
    -> impl Future<Output = Result<Self::Answer, Failure>> + Send;
}

/// One account: its archive, its connection and its policy.
pub struct Service {
    profile: Profile,
    store: Arc<dyn Store>,
    line: Line,
    policy: Arc<PolicySource>,
    /// The assistants that are let in.
    clients: Clients,
    /// Where a person can let drafts go, if the owner has such a page.
    page: Option<String>,
    /// The page for a link that demands a passkey.
    link_page: LinkPage,
    /// What was done in the last hour.
    sendings: Mutex<Sendings>,
    /// What assistants have read.
    readings: reading::Readings,
    /// Drafts that are being sent.
    approving: drafts::Approving,
    counters: counts::Counters,
    /// When the audit was last rid of what is old, in milliseconds since 1970.
    audit_pruned: AtomicI64,
    /// Whether streams of events are to end.
    ending: watch::Sender<bool>,
    /// Whether calls are to end that others wait for.
    ended: watch::Sender<bool>,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

impl Service {
    /// Serves an account whose lock the caller holds.
    ///
    /// # Errors
    /// [`Failure`] if the archive cannot be read, or the client not be made.
    pub async fn new(
        profile: Profile,
        store: Arc<dyn Store>,
        endpoint: Endpoint,
        policy: PolicySource,
        page: Option<String>,
    ) -> Result<Arc<Self>, Failure> {
        let sendings = Mutex::new(recent_sendings(store.as_ref()).await?);
        let policy = Arc::new(policy);
        let gate = transmit::PolicyGate { policy: Arc::clone(&policy), store: Arc::clone(&store) };
        let line = Line::new(Arc::clone(&store), endpoint, Arc::new(gate)).await?;
        let (ending, ended) = (watch::Sender::new(false), watch::Sender::new(false));
        Ok(Arc::new_cyclic(|service| Self {
            link_page: LinkPage::new(service.clone()),
            clients: Clients::of(&profile),
            profile,
            store,
            line,
            policy,
            page,
            sendings,
            readings: reading::Readings::default(),
            approving: drafts::Approving::default(),
            counters: counts::Counters::default(),
            audit_pruned: AtomicI64::new(0),
            ending,
            ended,
        }))
    }

    /// Does a call.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn call<O: Perform>(
        &self,
        operation: O,
        caller: &Caller,
    ) -> Result<O::Answer, Failure> {
        let request = request_of(&operation, caller);
        let call = Call::new(self, caller, O::PATH, O::EFFECT, request).await?;
        self.run(operation, &call).await
    }

    /// Does a call within what is allowed and in time, and puts it down.
    async fn run<O: Perform>(&self, operation: O, call: &Call<'_>) -> Result<O::Answer, Failure> {
        let deadline = call.deadline();
        let done = async {
            call.allowed_now(call.policy()).await?;
            // What waits on its own account knows the deadline; this is for what forgets it.
            match timeout_at(deadline + GRACE, operation.perform(call)).await {
                Ok(result) => result,
                Err(_) => {
                    Err(Failure::new(Cause::TimedOut, "it took too long").remedy(remedy::TIME))
                }
            }
        };
        let result = done.await;
        if let Err(failure) = &result {
            self.counters.refuse(failure.cause);
        }
        let is_refused = result.as_ref().is_err_and(|failure| failure.cause == Cause::Forbidden);
        if O::EFFECT != Effect::Read || is_refused {
            call.record_outcome(result.as_ref().err()).await?;
        }
        result
    }

    /// Keeps connected from now on; what keeps it from that is told by `account/status`.
    pub fn stay_connected(self: &Arc<Self>) {
        // Nobody is linked yet, or the server ended it: the status tells.
        let _ = self.line.connect();
        tokio::spawn(names::learn(Arc::clone(self)));
    }

    /// What happens from now on, with what happened after a message that was seen last.
    ///
    /// # Errors
    /// [`Failure`] if the archive cannot be read.
    pub async fn events(
        self: &Arc<Self>,
        caller: &Caller,
        after: Option<u64>,
    ) -> Result<EventSource, Failure> {
        EventSource::new(Arc::clone(self), caller, after).await
    }

    /// Ends every stream of events.
    pub(crate) fn end_events(&self) {
        self.ending.send_replace(true);
    }

    /// Ends every call that comes through a socket.
    pub(crate) fn end_calls(&self) {
        self.ended.send_replace(true);
    }

    /// Waits until calls are to end.
    pub(crate) async fn calls_ended(&self) {
        // The sender lives as long as this.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Sends what is still to be sent, says goodbye and closes the archive.
    ///
    /// # Errors
    /// [`Failure`] if the archive cannot be closed in order.
    pub async fn close(&self) -> Result<(), Failure> {
        self.link_page.close().await;
        self.line.close().await;
        Ok(self.store.close().await?)
    }

    /// The number of the attempt to link that is under way, or was last.
    pub(crate) fn attempt(&self) -> u64 {
        self.line.state().attempt
    }

    /// How linking stands, or why it came to nothing.
    pub(crate) fn linking(&self) -> Result<Option<LinkState>, Failure> {
        let state = self.line.state();
        match (state.shown(), state.ended) {
            (Some((_, state @ LinkState::Linked { .. })), _) => Ok(Some(state)),
            (_, Some(ended)) => Err(ended),
            (shown, None) => Ok(shown.map(|(_, state)| state)),
        }
    }

    /// Waits until linking stands otherwise than it does now; answers whether it does.
    pub(crate) async fn linking_changed(&self, deadline: Instant) -> bool {
        let revision = |state: &LineState| state.link.as_ref().map(|(revision, _)| *revision);
        let before = revision(&self.line.state());
        self.line.until(deadline, |state| revision(state) != before).await.is_ok()
    }

    /// What was let go and refused so far.
    pub(crate) fn counts(&self) -> Counts {
        self.counters.read()
    }

    /// The account's profile.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The account's archive, for what only looks.
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    async fn record_audit(&self, entry: AuditEntry) -> Result<(), Failure> {
        let now = now_ms();
        let mut changes = vec![Change::Audit(Box::new(entry))];
        let pruned = self.audit_pruned.swap(now, Ordering::Relaxed);
        if pruned <= now.saturating_sub(DAY_MS) {
            let mut query = AuditQuery::default();
            query.limit = 1;
            let last = self.store.audit(&query).await?.first().map(|entry| entry.at_ms);
            changes.push(Change::PruneAudit { before_ms: kept_since(now, last) });
        } else {
            self.audit_pruned.store(pruned, Ordering::Relaxed);
        }
        self.store.commit(changes.into_iter().collect()).await?;
        Ok(())
    }
}

/// From when on entries of the audit are kept, in milliseconds since 1970. A clock that runs ahead for
/// a moment takes nothing out: time goes on by a day at most from the last entry.
fn kept_since(now_ms: i64, last_ms: Option<i64>) -> i64 {
    let now = last_ms.map_or(now_ms, |last| now_ms.min(last.saturating_add(DAY_MS)));
    now.saturating_sub(AUDIT_DAYS * DAY_MS)
}

/// How long entries of the audit are kept, in days.
const AUDIT_DAYS: i64 = wa_store::AUDIT_RETENTION_SECS / (24 * 60 * 60);

/// A day in milliseconds.
const DAY_MS: i64 = 24 * HOUR;

/// How much later than its own deadline a call is given up.
const GRACE: std::time::Duration = std::time::Duration::from_secs(2);

/// The request itself, where it may become a draft.
fn request_of<O: Operation>(operation: &O, caller: &Caller) -> Option<Value> {
    let may_wait = matches!(O::EFFECT, Effect::Send | Effect::Delete)
        && caller.frontend == crate::Frontend::Assistant;
    may_wait.then(|| serde_json::to_value(operation).ok()).flatten()
}

/// What was authorized in the last hour. Refusals are put down too, and crowd nothing out.
async fn recent_sendings(store: &dyn Store) -> Result<Sendings, Failure> {
    let mut query = AuditQuery::default();
    query.since_ms = Some(now_ms() - HOUR);
    query.outcome = Some(gate::ACCEPTED.to_owned());
    query.limit = wa_store::MAX_PAGE;
    let mut accepted = Vec::new();
    loop {
        let page = store.audit(&query).await?;
        let is_last = page.len() < query.limit;
        query.before = page.last().map(|entry| entry.seq);
        accepted.extend(page);
        if is_last {
            break;
        }
    }
    let mut sendings = Sendings::default();
    for entry in accepted.iter().rev() {
        sendings.record(entry.at_ms, &Turn::of_entry(entry));
    }
    Ok(sendings)
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Value, Failure>> + Send + 'a>>;

/// A call that can be made by its path.
pub struct Route {
    /// Its path below `/v1/`.
    pub path: &'static str,
    /// What it does.
    pub about: &'static str,
    /// What it changes.
    pub effect: Effect,
    /// The schema of its request.
    pub request: fn() -> Schema,
    /// The schema of its answer.
    pub answer: fn() -> Schema,
    call: for<'a> fn(&'a Service, Value, Call<'a>) -> Answer<'a>,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Route").field(&self.path).finish()
    }
}

impl Route {
    fn of<O: Perform>() -> Self {
        Self {
            path: O::PATH,
            about: O::ABOUT,
            effect: O::EFFECT,
            request: || schemars::schema_for!(O),
            answer: || schemars::schema_for!(O::Answer),
            call: |service, body, call| Box::pin(answer::<O>(service, body, call)),
        }
    }
}

async fn answer<O: Perform>(
    service: &Service,
    body: Value,
    call: Call<'_>,
) -> Result<Value, Failure> {
    let wrong = |what: &str| {
        Failure::new(Cause::Usage, format!("{}: {what}", O::PATH))
            .remedy("see the API's description for what this call takes")
    };
    if !body.is_object() {
        return Err(wrong("the request is no object"));
    }
    let operation: O = serde_json::from_value(body).map_err(|error| wrong(&error.to_string()))?;
    to_value(&service.run(operation, &call).await?)
}

fn to_value(answer: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(answer)
        .map_err(|error| Failure::new(Cause::Failed, format!("the answer is no JSON: {error}")))
}

impl Service {
    /// Does a call by its path, with its request and answer as JSON.
    ///
    /// # Errors
    /// [`Failure`]; [`Cause::NotFound`] if there is no such call.
    pub async fn call_by_path(
        &self,
        path: &str,
        body: Value,
        caller: &Caller,
    ) -> Result<Value, Failure> {
        let route = find(path)?;
        let may_wait = caller.frontend == crate::Frontend::Assistant;
        let request = may_wait.then(|| body.clone());
        let call = Call::new(self, caller, route.path, route.effect, request).await?;
        (route.call)(self, body, call).await
    }
}

fn find(path: &str) -> Result<Route, Failure> {
    routes().into_iter().find(|route| route.path == path).ok_or_else(|| {
        Failure::new(Cause::NotFound, format!("there is no call {path:?}"))
            .remedy("see the API's description for the calls there are")
    })
}

/// Every call there is, in the order of the API's description.
macro_rules! routes {
    ($($operation:ty),* $(,)?) => {
        vec![$(Route::of::<$operation>()),*]
    };
}

/// Every call there is.
pub fn routes() -> Vec<Route> {
    routes![
        api::Status,
        api::CatchUp,
        api::Link,
        api::PasskeyAnswer,
        api::PasskeyCompared,
        api::Logout,
        api::ChatList,
        api::ChatGet,
        api::ChatArrange,
        api::ChatDelete,
        api::Disappearing,
        api::Typing,
        api::MessageList,
        api::MessageContext,
        api::MessageStar,
        api::MessageDelete,
        api::Search,
        api::SendMessage,
        api::React,
        api::Edit,
        api::Revoke,
        api::Forward,
        api::PinMessage,
        api::SentGet,
        api::PollGet,
        api::Vote,
        api::MediaDownload,
        api::MediaRead,
        api::ContactList,
        api::Resolve,
        api::ContactCheck,
        api::HistoryFetch,
        api::HistoryGaps,
        api::GroupList,
        api::GroupGet,
        api::GroupCreate,
        api::GroupUpdate,
        api::GroupMembers,
        api::GroupRequests,
        api::GroupAnswer,
        api::GroupInvite,
        api::GroupInviteReset,
        api::GroupLookUp,
        api::GroupJoin,
        api::GroupLeave,
        api::ChannelList,
        api::ChannelGet,
        api::ChannelFollow,
        api::ChannelPosts,
        api::ProfileGet,
        api::ProfileUpdate,
        api::PrivacyGet,
        api::PrivacySet,
        api::Block,
        api::BlockList,
        api::LabelList,
        api::LabelGet,
        api::DraftList,
        api::DraftApprove,
        api::DraftCancel,
        api::Hold,
        api::Release,
        api::Audit,
        api::AuditVerify,
        api::LastMessage,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::PaceClass;

    #[tokio::test]
    async fn refusals_push_nothing_out_of_the_hour() {
        let store = wa_store::MemoryStore::new();
        let entry = |outcome: &str| {
            let entry = AuditEntry::new(now_ms() - 1_000, "assistant: a", "messages/send", outcome);
            Change::Audit(Box::new(entry))
        };
        for outcome in ["accepted", "accepted"] {
            store.commit(entry(outcome).into()).await.unwrap();
        }
        for _ in 0..1_100 {
            store.commit(entry("forbidden").into()).await.unwrap();
        }
        let sendings = recent_sendings(&store).await.unwrap();
        let pace = crate::policy::Pace { per_hour: 2, ..Default::default() };
        let message = Turn { class: PaceClass::Message, count: 1, to_stranger: false };
        let (at, _) = sendings.earliest(&pace, now_ms(), &message);
        assert!(at > now_ms() + HOUR / 2, "two of two were sent in this hour");
    }

    #[test]
    fn the_audit_is_kept_for_400_days_whatever_a_clock_says_for_a_moment() {
        const DAY: i64 = 86_400_000;
        assert_eq!(kept_since(1_000 * DAY, None), 600 * DAY);
        assert_eq!(kept_since(1_000 * DAY, Some(1_000 * DAY - 5)), 600 * DAY);
        assert_eq!(kept_since(1_000 * DAY, Some(700 * DAY)), 301 * DAY);
        assert_eq!(kept_since(1_000 * DAY, Some(9_000 * DAY)), 600 * DAY);
    }

    #[test]
    fn every_call_has_a_path_of_its_own() {
        let mut paths: Vec<_> = routes().iter().map(|route| route.path).collect();
        paths.sort_unstable();
        let all = paths.len();
        paths.dedup();
        assert_eq!(paths.len(), all);
    }
}
