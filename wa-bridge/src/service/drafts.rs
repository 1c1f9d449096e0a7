//! Messages that wait for a person to agree: kept in the archive, bound to recipient and content.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wa_proto::Jid;
use wa_store::{Change, Changes, Store, Timestamp};

use super::{Call, Perform, Service, find, gate::OutgoingAction, now_ms, send::said_now};
use crate::{
    Caller, ClientName, Frontend,
    api::{Approval, DraftApprove, DraftCancel, DraftList, DraftView, Operation, SendMessage},
    failure::{Cause, Failure},
    moment,
    policy::ActionKind,
    shown::{Shown, confirmation, one_line},
    view::{ChatTitle, now},
};

/// How long a draft waits.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The most drafts of one caller that wait at once; one more takes the place of its own oldest.
const MAX_PER_CALLER: usize = 20;

/// The most drafts that wait at once.
const MAX_DRAFTS: usize = 400;

/// Where drafts stand among the settings of the archive.
const PREFIX: &str = "wa-bridge/draft/";

/// A draft with what it takes to send it.
#[derive(Serialize, Deserialize)]
struct Draft {
    view: DraftView,
    request: Value,
    expires: i64,
    caller_name: String,
    from_assistant: bool,
    /// The assistant that was let in and asked for it.
    #[serde(default)]
    client: Option<ClientName>,
    /// By what the act of sending is known again; drafts of earlier versions have none.
    #[serde(default)]
    asked_for: String,
    /// Among whose drafts it is counted.
    #[serde(default)]
    account: String,
    /// When it was made, more exactly than people are told.
    #[serde(default)]
    created_ms: i64,
}

/// What a person agreed to.
#[derive(Debug, Clone)]
pub(super) struct Approved {
    digest: String,
}

impl Approved {
    /// Whether it is this that the person agreed to.
    pub(super) fn covers(&self, digest: &str) -> Result<(), Failure> {
        if self.digest == digest {
            return Ok(());
        }
        Err(Failure::new(Cause::Forbidden, "what would be sent is not what the person agreed to")
            .remedy("the message, the file or the recipient has changed since; make a new draft"))
    }
}

impl Call<'_> {
    /// Makes a draft of the call; the failure that says so.
    pub(super) async fn draft(
        &self,
        action: &OutgoingAction<'_>,
        digest: String,
        why: &str,
    ) -> Result<Failure, Failure> {
        let store = self.store();
        let waiting = drafts(store).await?;
        // Asked for again, it is the same draft.
        let same = waiting.iter().find(|draft| draft.view.digest == digest);
        let mut view = match same {
            Some(draft) => draft.view.clone(),
            None => {
                self.make_room(&waiting).await?;
                self.put_draft(action, digest, why).await?
            }
        };
        let mut failure = Failure::new(
            Cause::ConfirmationRequired,
            format!("nothing was sent: {why}, so a person has to agree first"),
        )
        .remedy(self.how_to_agree(&view.id));
        view.page.clone_from(&self.service.page);
        failure.draft = Some(Box::new(view));
        Ok(failure)
    }

    /// Sees to it that one more draft of this caller finds a place, at the expense of nobody else.
    async fn make_room(&self, waiting: &[Draft]) -> Result<(), Failure> {
        let account = self.caller.account();
        // The oldest come first.
        let own: Vec<_> = waiting.iter().filter(|draft| draft.account == account).collect();
        let too_many = own.len().saturating_sub(MAX_PER_CALLER - 1);
        for draft in own.iter().take(too_many) {
            put(self.store(), &draft.view.id, None).await?;
        }
        if waiting.len() - too_many >= MAX_DRAFTS {
            let message = format!("{MAX_DRAFTS} drafts wait for a person already");
            return Err(Failure::new(Cause::Forbidden, message)
                .remedy("have a person look at them: wa-cli drafts list"));
        }
        Ok(())
    }

    /// Makes sure that a person agreed, where one has to, to something being deleted for this
    /// account alone.
    ///
    /// # Errors
    /// [`Cause::ConfirmationRequired`] with the draft that was made of it.
    pub(super) async fn agree_to_delete(
        &self,
        chat: &Jid,
        shown: Shown,
        content: Vec<u8>,
    ) -> Result<(), Failure> {
        let action = OutgoingAction {
            chat,
            field: Some("chat"),
            kind: ActionKind::Delete,
            shown,
            content,
            context: Vec::new(),
        };
        self.agree_to(&action).await
    }

    fn how_to_agree(&self, id: &str) -> String {
        let mut how = format!("have the person run: wa-cli drafts approve {id}");
        if let Some(page) = &self.service.page {
            how.push_str(&format!("; or open {page}"));
        }
        how
    }

    async fn put_draft(
        &self,
        action: &OutgoingAction<'_>,
        digest: String,
        why: &str,
    ) -> Result<DraftView, Failure> {
        let no_request = || Failure::new(Cause::Failed, "the request was not kept for a draft");
        let mut request = self.request.clone().ok_or_else(no_request)?;
        if let Some(field) = action.field {
            let recipient = request.get_mut(field).ok_or_else(no_request)?;
            // A name may fit somebody else tomorrow.
            *recipient = Value::String(action.chat.to_string());
        }
        let created = now();
        let expires = created.secs().saturating_add(i64::try_from(LIFETIME.as_secs()).unwrap_or(0));
        let recipient = recipient_label(action.chat, self.store()).await?;
        let view = DraftView {
            id: new_id(),
            call: self.path.to_owned(),
            chat: action.chat.to_string(),
            shown: confirmation(&recipient, &action.shown, why, &self.caller.label()),
            recipient,
            preview: action.shown.as_str().to_owned(),
            why: why.to_owned(),
            caller: self.caller.label(),
            created_at: moment::rfc3339(created),
            expires_at: moment::rfc3339(Timestamp::from_secs(expires)),
            digest,
            page: None,
        };
        let draft = Draft {
            view: view.clone(),
            request,
            expires,
            caller_name: self.caller.name.clone(),
            from_assistant: self.caller.frontend == Frontend::Assistant,
            client: self.caller.client.clone(),
            asked_for: action.asked_for(self.path),
            account: self.caller.account(),
            created_ms: now_ms(),
        };
        draft.keep(self.store()).await?;
        Ok(view)
    }
}

impl Perform for DraftList {
    async fn perform(self, call: &Call<'_>) -> Result<Vec<DraftView>, Failure> {
        let drafts = readable(call).await?.into_iter();
        let page = &call.service.page;
        Ok(drafts.map(|draft| DraftView { page: page.clone(), ..draft.view }).collect())
    }
}

impl Perform for DraftCancel {
    async fn perform(self, call: &Call<'_>) -> Result<DraftView, Failure> {
        let draft = waiting(call.store(), &self.id).await?;
        call.note_detail(draft.view.id.clone());
        put(call.store(), &draft.view.id, None).await?;
        Ok(draft.view)
    }
}

impl Perform for DraftApprove {
    async fn perform(self, call: &Call<'_>) -> Result<Value, Failure> {
        let person_was_asked = self.by == Approval::Elicitation && call.caller.asks_person;
        if !call.is_human() && !person_was_asked && !call.policy().confirm_in_chat {
            return Err(Failure::new(
                Cause::Forbidden,
                "only a person can agree to a draft, and the policy takes no assistant's word for it",
            )
            .remedy(call.how_to_agree(&self.id)));
        }
        let _turn = Turn::take(&call.service.approving, &self.id)?;
        let mut draft = waiting(call.store(), &self.id).await?;
        call.note_detail(draft.view.id.clone());
        if draft.view.digest != self.digest {
            return Err(Failure::new(Cause::Forbidden, "the draft is not what the person saw")
                .remedy("show the draft again and have it confirmed anew"));
        }
        let unnamed = draft.request.clone();
        if draft.name_sending() {
            // Should this process end before the draft is removed, it is not sent again.
            draft.keep(call.store()).await?;
        }
        match call.service.release(&draft, call).await {
            Ok(answer) => {
                put(call.store(), &draft.view.id, None).await?;
                Ok(answer)
            }
            Err(failure) => {
                draft.request = unnamed;
                draft.keep(call.store()).await?;
                Err(failure)
            }
        }
    }
}

/// The ids of the drafts that are being sent.
pub(super) type Approving = Mutex<BTreeSet<String>>;

/// A draft's turn to be sent, which nobody else has at the same time.
struct Turn<'a> {
    approving: &'a Approving,
    id: String,
}

impl<'a> Turn<'a> {
    fn take(approving: &'a Approving, id: &str) -> Result<Self, Failure> {
        let id = id.to_owned();
        if !approving.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone()) {
            return Err(Failure::new(Cause::NotFound, format!("the draft {id:?} is being sent"))
                .remedy("see the list of drafts in a moment"));
        }
        Ok(Self { approving, id })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.approving.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl Draft {
    /// Gives the act of sending the name it would get if it were asked for now; whether it needed
    /// one.
    fn name_sending(&mut self) -> bool {
        let Some(request) = self.request.as_object_mut() else { return false };
        let is_named = request.get("idempotency_key").is_some_and(|key| !key.is_null());
        if self.view.call != SendMessage::PATH || is_named {
            return false;
        }
        let name = said_now(&self.caller_name, &self.view.chat, &self.asked_for);
        request.insert("idempotency_key".into(), Value::String(name));
        true
    }

    async fn keep(&self, store: &dyn Store) -> Result<(), Failure> {
        let value = serde_json::to_vec(self).map_err(|error| {
            Failure::new(Cause::Failed, format!("cannot keep a draft: {error}"))
        })?;
        put(store, &self.view.id, Some(value)).await
    }
}

impl Service {
    /// Does what the draft asked for, in the name of whoever asked.
    async fn release(&self, draft: &Draft, call: &Call<'_>) -> Result<Value, Failure> {
        let mut asked_by = match (&draft.client, draft.from_assistant) {
            (Some(client), _) => Caller::client(client.clone()),
            (None, true) => Caller::assistant(draft.caller_name.as_str()),
            (None, false) => Caller::person(draft.caller_name.as_str()),
        };
        // Whoever agrees cannot agree to what they forbid themselves.
        asked_by.tightening = call.caller.tightening.clone();
        asked_by.time_limit = call.caller.time_limit;
        let route = find(&draft.view.call)?;
        let mut inner = Call::new(self, &asked_by, route.path, route.effect, None).await?;
        inner.approved = Some(Approved { digest: draft.view.digest.clone() });
        (route.call)(self, draft.request.clone(), inner).await
    }
}

/// A draft that still waits.
async fn waiting(store: &dyn Store, id: &str) -> Result<Draft, Failure> {
    drafts(store).await?.into_iter().find(|draft| draft.view.id == id).ok_or_else(|| {
        Failure::new(Cause::NotFound, format!("no draft {id:?} waits"))
            .remedy("it was sent, dropped, or waited for more than a day; see the list of drafts")
    })
}

/// The drafts that still wait, the oldest first. Those that waited too long are removed.
async fn drafts(store: &dyn Store) -> Result<Vec<Draft>, Failure> {
    let mut waiting = Vec::new();
    for (name, value) in store.settings_with_prefix(PREFIX).await? {
        match serde_json::from_slice::<Draft>(&value) {
            Ok(draft) if draft.expires > now().secs() => waiting.push(draft),
            _ => put(store, name.trim_start_matches(PREFIX), None).await?,
        }
    }
    waiting.sort_by(|a, b| {
        let place = |draft: &Draft| (draft.view.created_at.clone(), draft.created_ms);
        place(a).cmp(&place(b)).then_with(|| a.view.id.cmp(&b.view.id))
    });
    Ok(waiting)
}

/// The drafts for chats that may be read.
async fn readable(call: &Call<'_>) -> Result<Vec<Draft>, Failure> {
    let mut readable = Vec::new();
    for draft in drafts(call.store()).await? {
        if let Ok(chat) = draft.view.chat.parse::<Jid>()
            && call.may_read(&chat).await?
        {
            readable.push(draft);
        }
    }
    Ok(readable)
}

/// How many drafts wait.
pub(super) async fn count(call: &Call<'_>) -> Result<u64, Failure> {
    Ok(readable(call).await?.len().try_into().unwrap_or(u64::MAX))
}

async fn put(store: &dyn Store, id: &str, value: Option<Vec<u8>>) -> Result<(), Failure> {
    let setting = Change::PutSetting { name: format!("{PREFIX}{id}"), value };
    store.commit(Changes::from(setting)).await?;
    Ok(())
}

/// Eight hexadecimal digits: short enough to type.
fn new_id() -> String {
    let mut bytes = [0; 4];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}

/// What a chat is called, and its number or address, as a person is shown it before they agree. A
/// name that others chose is marked: anybody can call themselves anything.
pub(super) async fn recipient_label(chat: &Jid, store: &dyn Store) -> Result<String, Failure> {
    let title = ChatTitle::look_up(chat, store).await?;
    let address = title.phone.unwrap_or_else(|| chat.to_string());
    let Some(name) = title.name.map(|name| one_line(&name)) else { return Ok(address) };
    Ok(match (title.self_chosen, chat.is_person()) {
        (false, _) => format!("{name} ({address})"),
        (true, true) => format!("{address}, who chose the name “{name}”"),
        (true, false) => format!("{address}, whose members chose the name “{name}”"),
    })
}
