//! One call: who asks, until when, within which policy; and how it finds chats and messages.

use std::{collections::HashMap, sync::PoisonError};

use jiff::tz::TimeZone;
use serde_json::Value;
use tokio::time::Instant;
use wa_client::Client;
use wa_proto::Jid;
use wa_store::{ArchivedMessage, AuditEntry, MAX_PAGE, Scope, Store, Timestamp};

use super::{Service, drafts::Approved, hold, now_ms};
use crate::{
    Archive, Caller, Frontend, Recipient,
    api::Effect,
    failure::{Cause, Failure, remedy},
    moment,
    policy::{Broadcasts, Policy},
    recipient::{Candidate, Resolution, SelfChosen},
    view::CandidateView,
};

/// One call: who asks, until when, and within which policy.
pub struct Call<'a> {
    pub(super) service: &'a Service,
    pub(super) caller: &'a Caller,
    pub(super) path: &'static str,
    /// What the call changes.
    effect: Effect,
    /// The request itself, for a draft.
    pub(super) request: Option<Value>,
    /// What a person agreed to, if this call is a draft's.
    pub(super) approved: Option<Approved>,
    /// The policy as it was when the call came.
    policy: Policy,
    deadline: Instant,
    /// What the audit is told of it.
    noted: std::sync::Mutex<Noted>,
    /// What may be read.
    readable_scope: Scope,
    /// Which chats may be read, as far as that was looked up.
    readable: std::sync::Mutex<HashMap<Jid, bool>>,
}

/// What the audit is told of a call besides its outcome.
#[derive(Debug, Clone, Default)]
struct Noted {
    chat: Option<Jid>,
    detail: Option<String>,
    digest: Option<[u8; 32]>,
    /// Whom it was found to be allowed to reach.
    reached: Vec<Jid>,
}

impl<'a> Call<'a> {
    pub(super) async fn new(
        service: &'a Service,
        caller: &'a Caller,
        path: &'static str,
        effect: Effect,
        request: Option<Value>,
    ) -> Result<Self, Failure> {
        if let Some(client) = &caller.client {
            // Also where its program owns the account: a revoked token ends that too.
            service.clients.check(client)?;
        }
        let policy = policy_for(service, caller).await?;
        Ok(Self {
            service,
            caller,
            path,
            effect,
            request,
            approved: None,
            readable_scope: policy.read.scope(Broadcasts::Allowed),
            policy,
            deadline: Instant::now() + caller.time_limit,
            noted: std::sync::Mutex::default(),
            readable: std::sync::Mutex::default(),
        })
    }

    /// The policy, as tight as the caller wants it.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The policy as it is by now.
    ///
    /// # Errors
    /// [`Cause::Forbidden`] if it cannot be read.
    pub(super) async fn policy_now(&self) -> Result<Policy, Failure> {
        policy_for(self.service, self.caller).await
    }

    /// Whether a policy allows what the call changes, and no hold is on it.
    ///
    /// # Errors
    /// [`Cause::Forbidden`].
    pub(super) async fn allowed_now(&self, policy: &Policy) -> Result<(), Failure> {
        policy.allow(self.effect)?;
        let is_assistants = matches!(self.effect, Effect::Arrange | Effect::Send | Effect::Delete)
            && !self.is_human();
        match is_assistants {
            true => hold::refuse_held(self.store()).await,
            false => Ok(()),
        }
    }

    /// When the call is given up.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The archive as the caller may see it: what the policy keeps out of reach is not there.
    pub fn archive(&self) -> Archive<'a> {
        Archive::within(self.store(), self.readable_scope.clone())
    }

    /// The store, for what says nothing of chats, people and messages to the caller.
    pub fn store(&self) -> &'a dyn Store {
        self.service.store.as_ref()
    }

    /// Whether a person asks, and not an assistant.
    pub fn is_human(&self) -> bool {
        self.caller.frontend == Frontend::Person
    }

    /// A client that can send.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn online(&self) -> Result<Client, Failure> {
        self.require_link().await?;
        let client = self.service.line.online(self.deadline).await?;
        self.still_allowed().await?;
        Ok(client)
    }

    /// After a wait, whether the call may still do what it changes.
    async fn still_allowed(&self) -> Result<(), Failure> {
        if self.effect == Effect::Read {
            return Ok(());
        }
        let policy = self.policy_now().await?;
        self.allowed_now(&policy).await?;
        let reached = self.noted.lock().unwrap_or_else(PoisonError::into_inner).reached.clone();
        for chat in reached {
            self.may_write_under(&policy, &chat).await?;
        }
        Ok(())
    }

    /// The same once all that waited on the server was taken in: what is changed then is not
    /// followed by older news of it.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn caught_up(&self) -> Result<Client, Failure> {
        self.require_link().await?;
        let client = self.service.line.caught_up(self.deadline).await?;
        self.still_allowed().await?;
        Ok(client)
    }

    /// Waits for the answer to what the client was asked.
    ///
    /// # Errors
    /// The answer's own, or why it cannot come.
    pub async fn ask<T, E: Into<Failure>>(
        &self,
        asked: impl IntoFuture<Output = Result<T, E>>,
    ) -> Result<T, Failure> {
        self.service.line.ask(self.deadline, asked).await
    }

    /// Makes sure that a device is linked.
    ///
    /// # Errors
    /// [`Cause::NotLinked`].
    pub async fn require_link(&self) -> Result<wa_store::Account, Failure> {
        let account = self.store().account().await?.filter(wa_store::Account::is_linked);
        account.ok_or_else(|| not_linked(self.service))
    }

    /// Tells the audit which chat the call is about.
    pub fn note_chat(&self, chat: &Jid) {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).chat = Some(chat.clone());
    }

    /// Tells the audit what came of it.
    pub fn note_detail(&self, detail: impl Into<String>) {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).detail = Some(detail.into());
    }

    /// Remembers whom the call may reach, to be looked at again after a wait.
    pub(super) fn note_reached(&self, reached: &[Jid]) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.reached = reached.to_vec();
    }

    /// Tells the audit what was sent, by its digest.
    pub(super) fn note_digest(&self, digest: [u8; 32]) {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).digest = Some(digest);
    }

    /// An entry of the audit about this call.
    pub(super) fn audit_entry(&self, outcome: &str) -> AuditEntry {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut entry = AuditEntry::new(now_ms(), self.caller.label(), self.path, outcome);
        entry.chat = noted.chat;
        entry.detail = noted.detail;
        entry.digest = noted.digest;
        entry
    }

    /// Puts down what came of the call.
    pub(super) async fn record_outcome(&self, failure: Option<&Failure>) -> Result<(), Failure> {
        let mut entry = self.audit_entry("done");
        if let Some(failure) = failure {
            entry.outcome = outcome(failure.cause);
            entry.detail = match &failure.draft {
                Some(draft) => Some(draft.id.clone()),
                // A message of a failure may quote what was typed.
                None => failure.message_id.as_deref().map(str::to_owned),
            };
        }
        self.service.record_audit(entry).await
    }

    /// The one person or chat that was named, whether or not anything was ever said there, if it
    /// may be read.
    ///
    /// # Errors
    /// [`Cause::Usage`], [`Cause::NotFound`], [`Cause::Ambiguous`], [`Cause::Forbidden`].
    pub async fn recipient(&self, named: &str) -> Result<Jid, Failure> {
        let jid = self.find(named, |_| true, &self.archive()).await?;
        if !self.may_read(&jid).await? {
            return Err(out_of_reach(named));
        }
        Ok(jid)
    }

    /// The one that was named, where only some can be meant; nothing if it means something else.
    async fn among(&self, named: &str, wanted: fn(&Jid) -> bool) -> Result<Option<Jid>, Failure> {
        let found = match self.find(named, wanted, &self.archive()).await {
            Err(failure) if failure.cause == Cause::NotFound => self.recipient(named).await?,
            found => found?,
        };
        if !self.may_read(&found).await? {
            return Err(out_of_reach(named));
        }
        Ok(Some(found).filter(wanted))
    }

    /// The one that was named, whatever the policy says of them: for a person who writes it.
    ///
    /// # Errors
    /// As [`Call::recipient`]; [`Cause::Forbidden`] for an assistant.
    pub(super) async fn anybody(&self, named: &str) -> Result<Jid, Failure> {
        if !self.is_human() {
            let message = "only a person sees what the policy keeps out of reach";
            return Err(Failure::new(Cause::Forbidden, message).remedy("leave it to the person"));
        }
        self.find(named, |_| true, &Archive::whole(self.store())).await
    }

    async fn find(
        &self,
        named: &str,
        wanted: fn(&Jid) -> bool,
        archive: &Archive<'_>,
    ) -> Result<Jid, Failure> {
        let recipient: Recipient =
            named.parse().map_err(|error| Failure::new(Cause::Usage, format!("{error}")))?;
        let self_chosen = match self.is_human() {
            true => SelfChosen::Decides,
            false => SelfChosen::IsOffered,
        };
        match recipient.resolve(archive, wanted, self_chosen).await? {
            Resolution::One(jid) => Ok(jid),
            Resolution::Several(candidates) => Err(ambiguous(named, &candidates)),
            Resolution::Nobody => Err(nobody(named)),
        }
    }

    /// A chat or person that is in the archive.
    ///
    /// # Errors
    /// As [`Call::recipient`]; [`Cause::NotFound`] if nothing is known of it.
    pub async fn chat(&self, named: &str) -> Result<Jid, Failure> {
        let jid = self.recipient(named).await?;
        let store = self.store();
        if self.archive().chat(&jid).await?.is_some() || store.contact(&jid).await?.is_some() {
            self.note_chat(&jid);
            return Ok(jid);
        }
        let message = format!("there is no chat with {named:?} in the archive");
        Err(Failure::new(Cause::NotFound, message).remedy(remedy::CHATS))
    }

    /// A person.
    ///
    /// # Errors
    /// As [`Call::recipient`]; [`Cause::Usage`] if it is no person.
    pub async fn person(&self, named: &str) -> Result<Jid, Failure> {
        // A group of the same name is not meant.
        self.among(named, Jid::is_person).await?.ok_or_else(|| {
            Failure::new(Cause::Usage, format!("{named:?} is no person"))
                .remedy("write the phone number with its country code")
        })
    }

    /// A group.
    ///
    /// # Errors
    /// As [`Call::recipient`]; [`Cause::Usage`] if it is no group.
    pub async fn group(&self, named: &str) -> Result<Jid, Failure> {
        let group = self.among(named, Jid::is_group).await?.ok_or_else(|| {
            Failure::new(Cause::Usage, format!("{named:?} is no group")).remedy(remedy::GROUPS)
        })?;
        self.note_chat(&group);
        Ok(group)
    }

    /// Several people, in the order in which they were named.
    ///
    /// # Errors
    /// As [`Call::person`].
    pub async fn people(&self, named: &[String]) -> Result<Vec<Jid>, Failure> {
        let mut people = Vec::with_capacity(named.len());
        for name in named {
            people.push(self.person(name).await?);
        }
        Ok(people)
    }

    /// A message that is in the archive.
    ///
    /// # Errors
    /// As [`Call::recipient`] for its chat; [`Cause::NotFound`] if it is not there.
    pub async fn message(&self, chat: &str, id: &str) -> Result<ArchivedMessage, Failure> {
        let jid = self.recipient(chat).await?;
        self.note_chat(&jid);
        self.message_in(&jid, chat, id).await
    }

    /// A message of a chat that was found already.
    ///
    /// # Errors
    /// [`Cause::NotFound`] if it is not there.
    pub async fn message_in(
        &self,
        chat: &Jid,
        named: &str,
        id: &str,
    ) -> Result<ArchivedMessage, Failure> {
        wa_proto::MessageId::new(id).map_err(|_| no_message_id(id))?;
        let mut found = self.archive().messages_by_id(chat, &id.into()).await?.into_iter();
        let message = found.next().ok_or_else(|| {
            Failure::new(Cause::NotFound, format!("there is no message {id:?} with {named:?}"))
                .remedy(remedy::MESSAGE_ID)
        })?;
        if found.next().is_some() {
            let message = format!("several messages of this chat have the id {id:?}");
            return Err(Failure::new(Cause::Ambiguous, message));
        }
        Ok(message)
    }

    /// Whether a chat may be read.
    ///
    /// # Errors
    /// [`Failure`] if the archive cannot be read.
    pub async fn may_read(&self, chat: &Jid) -> Result<bool, Failure> {
        if !self.archive().is_limited() {
            return Ok(true);
        }
        let known = self.readable.lock().unwrap_or_else(PoisonError::into_inner).get(chat).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let may = self.archive().has_chat(chat).await?;
        self.readable.lock().unwrap_or_else(PoisonError::into_inner).insert(chat.clone(), may);
        Ok(may)
    }
}

/// A name that does not say for sure who is meant.
fn ambiguous(named: &str, candidates: &[Candidate]) -> Failure {
    let message = match candidates {
        [_] => format!("{named:?} is a name that its bearer or others chose, and proves nothing"),
        _ => format!("{named:?} fits several"),
    };
    let mut failure = Failure::new(Cause::Ambiguous, message)
        .remedy("name the one that is meant by number or address");
    failure.candidates = candidates.iter().map(CandidateView::new).collect();
    failure
}

/// The policy as it is now, as tight as the caller wants it.
async fn policy_for(service: &Service, caller: &Caller) -> Result<Policy, Failure> {
    Ok(service.policy.now().await?.for_caller(caller))
}

/// A time as it was typed.
pub(super) fn time(text: Option<&str>) -> Result<Option<Timestamp>, Failure> {
    let zone = TimeZone::system();
    text.map(|text| moment::parse(text, &zone))
        .transpose()
        .map_err(|error| Failure::new(Cause::Usage, error.to_string()))
}

/// How many rows are wanted, within what is given at once.
pub(super) fn page(limit: Option<u32>, unless_said: usize) -> usize {
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    limit.unwrap_or(unless_said).clamp(1, MAX_PAGE)
}

pub(super) fn no_message_id(id: &str) -> Failure {
    Failure::new(Cause::Usage, format!("{id:?} is no message id")).remedy(remedy::MESSAGE_ID)
}

fn nobody(named: &str) -> Failure {
    Failure::new(Cause::NotFound, format!("nobody named {named:?} is known")).remedy(remedy::PEOPLE)
}

fn out_of_reach(named: &str) -> Failure {
    Failure::new(Cause::Forbidden, format!("the policy keeps the chat with {named:?} out of reach"))
        .remedy("leave it, or have a person change the section [read] of policy.toml")
}

/// No device is linked in this profile.
fn not_linked(service: &Service) -> Failure {
    let folder = service.profile.folder().display();
    Failure::new(Cause::NotLinked, format!("no device is linked in {folder}"))
        .remedy("run: wa-cli link")
}

/// A cause as a word.
fn outcome(cause: Cause) -> String {
    match serde_json::to_value(cause) {
        Ok(Value::String(word)) => word,
        _ => "failed".into(),
    }
}
