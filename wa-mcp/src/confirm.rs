//! Asking the person whether something may be sent, in the dialogue their client has for it.
//!
//! Two eras of the protocol do it in two ways: in the older one the server asks in the middle of a
//! call; in the newer one the answer of the call is the question, and the client calls again with
//! what the person said. What is carried from one call to the next is sealed, and bound to the
//! draft: to its recipient and its text. Clients without such a dialogue get a draft.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rand::Rng;
use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolRequestParams, CallToolResponse, ElicitRequest, ElicitRequestParams,
        ElicitationAction, InputRequest, InputRequests, InputRequiredResult, ProtocolVersion,
        RequestStateCodec, SealOptions,
    },
    service::RequestContext,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wa_bridge::{
    Cause, Failure,
    api::{Approval, DraftApprove, DraftCancel, DraftView},
};

use crate::{
    account::Account,
    text,
    tools::{self, Delivery},
    untrusted,
};

/// The question's name in the newer era.
const QUESTION: &str = "confirm";

/// How long a person has to answer.
const PATIENCE: Duration = Duration::from_secs(600);

/// The most questions that are remembered as answered.
const MAX_ANSWERED: usize = 1_000;

/// Asks the person.
pub(crate) struct Confirmer {
    codec: RequestStateCodec,
    /// Questions that were answered: each answer counts once.
    answered: Mutex<HashMap<String, ()>>,
}

/// What is carried from the question to the answer.
#[derive(Serialize, Deserialize)]
struct Carried {
    draft: String,
    digest: String,
}

impl Confirmer {
    /// With a key of its own, which ends with the process.
    pub(crate) fn new() -> Option<Self> {
        let mut key = [0; 32];
        rand::rng().fill_bytes(&mut key);
        let codec = RequestStateCodec::try_new(key).ok()?;
        Some(Self { codec, answered: Mutex::default() })
    }

    /// The answer to a question that was asked before, if the call brings one.
    pub(crate) async fn answered(
        &self,
        request: &CallToolRequestParams,
        account: &Account,
    ) -> Option<Result<CallToolResponse, Failure>> {
        let state = request.request_state.as_deref()?;
        Some(self.take_answer(state, request, account).await)
    }

    async fn take_answer(
        &self,
        state: &str,
        request: &CallToolRequestParams,
        account: &Account,
    ) -> Result<CallToolResponse, Failure> {
        let stale = || {
            Failure::new(Cause::Usage, "this answer belongs to no question of this server")
                .remedy("call the tool again without it")
        };
        let opened = self.codec.open_with(state, &bound_to(request)).map_err(|_| stale())?;
        let carried: Carried = serde_json::from_slice(&opened).map_err(|_| stale())?;
        if !self.first_time(&carried) {
            return Err(stale());
        }
        let answer = request.input_responses.as_ref().and_then(|answers| answers.get(QUESTION));
        settle(answer.map(said_yes), &carried, account).await
    }

    /// Whether a question is answered for the first time.
    fn first_time(&self, carried: &Carried) -> bool {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        if answered.len() >= MAX_ANSWERED {
            // Their states have long expired, or soon will; a draft is gone once it was sent.
            answered.clear();
        }
        answered.insert(carried.draft.clone(), ()).is_none()
    }

    /// Asks the person about a draft, in the way their client has; or leaves it as a draft.
    pub(crate) async fn ask(
        &self,
        draft: DraftView,
        request: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
        account: &Account,
    ) -> Result<CallToolResponse, Failure> {
        let has_dialogue =
            context.client_capabilities().is_some_and(|client| client.elicitation.is_some());
        if !has_dialogue {
            return Ok(tools::answer(Delivery::waiting(draft))?.into());
        }
        let carried = Carried { draft: draft.id.clone(), digest: draft.digest.clone() };
        let is_new_era = context
            .protocol_version()
            .is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str());
        if is_new_era {
            return self.question(&draft, &carried, request);
        }
        let asked = context.peer.create_elicitation_with_timeout(form(&draft)?, Some(PATIENCE));
        match asked.await {
            Ok(result) => {
                let yes = result.action == ElicitationAction::Accept
                    && result.content.as_ref().is_some_and(is_confirmed);
                settle(Some(yes), &carried, account).await
            }
            // A client that cannot ask after all, or nobody there: the draft waits.
            Err(_) => Ok(tools::answer(Delivery::waiting(draft))?.into()),
        }
    }

    /// The question as the answer of a call.
    fn question(
        &self,
        draft: &DraftView,
        carried: &Carried,
        request: &CallToolRequestParams,
    ) -> Result<CallToolResponse, Failure> {
        let mut asked = InputRequests::new();
        asked.insert(
            QUESTION.to_owned(),
            InputRequest::Elicitation(ElicitRequest::new(form(draft)?)),
        );
        let state = serde_json::to_vec(carried)
            .map_err(|error| Failure::new(Cause::Failed, error.to_string()))?;
        let bound = bound_to(request);
        let options = SealOptions::new().associated_data(&bound).ttl(PATIENCE);
        // Asked again, it may be answered again.
        self.answered.lock().unwrap_or_else(PoisonError::into_inner).remove(&carried.draft);
        let state = self.codec.seal_with(&state, &options);
        Ok(InputRequiredResult::new(Some(asked), Some(state)).into())
    }
}

/// What a state is bound to: the tool and its arguments.
fn bound_to(request: &CallToolRequestParams) -> Vec<u8> {
    let arguments = request.arguments.as_ref().map(|arguments| json!(arguments).to_string());
    format!("{}\n{}", request.name, arguments.unwrap_or_default()).into_bytes()
}

/// The dialogue: the draft's own text, as every frontend shows it, and a box to tick.
fn form(draft: &DraftView) -> Result<ElicitRequestParams, Failure> {
    let message = draft.shown.clone();
    let schema = json!({
        "type": "object",
        "properties": {
            "send": {
                "type": "boolean",
                "title": "Do it",
                "description": "Do exactly what is written above",
                "default": false,
            },
        },
        "required": ["send"],
    });
    let requested_schema = serde_json::from_value(schema)
        .map_err(|error| Failure::new(Cause::Failed, error.to_string()))?;
    Ok(ElicitRequestParams::FormElicitationParams { meta: None, message, requested_schema })
}

/// Whether an answer in the newer era says yes.
fn said_yes(answer: &Value) -> bool {
    answer.get("action").and_then(Value::as_str) == Some("accept")
        && answer.get("content").is_some_and(is_confirmed)
}

fn is_confirmed(content: &Value) -> bool {
    content.get("send").and_then(Value::as_bool) == Some(true)
}

/// Sends a draft the person agreed to, or drops one they declined. Without an answer it waits.
async fn settle(
    yes: Option<bool>,
    carried: &Carried,
    account: &Account,
) -> Result<CallToolResponse, Failure> {
    let bridge = account.bridge().await?;
    let id = carried.draft.clone();
    let delivery = match yes {
        Some(true) => {
            let digest = carried.digest.clone();
            let approve = DraftApprove { id, digest, by: Approval::Elicitation };
            let answer = bridge.call(approve).await?;
            return Ok(tools::approved(answer)?.into());
        }
        _ => {
            bridge.call(DraftCancel { id }).await?;
            Delivery::declined()
        }
    };
    Ok(tools::answer(delivery)?.into())
}

/// A failure as a tool's error: what happened, and what to do next.
pub(crate) fn refused(failure: &Failure) -> CallToolResponse {
    use rmcp::model::{CallToolResult, ContentBlock};
    let mut told = failure.message.clone();
    let remedy = failure.remedy.as_deref().unwrap_or(advice(failure.cause));
    told.push_str(&format!("\nWhat to do: {remedy}"));
    if failure.cause == Cause::NotLinked {
        told.push_str("\nHere: use link_device, and have the person scan the code.");
    }
    for candidate in &failure.candidates {
        let name = text::named(&candidate.name, candidate.self_chosen);
        let phone = candidate.phone.as_deref().unwrap_or_default();
        let kind = candidate.kind.as_str();
        told.push_str(&format!("\n- {name}  {kind}  {phone}  {}", candidate.jid));
        if let Some(saved) = &candidate.saved_as {
            told.push_str(&format!("  (in the address book: {})", untrusted::line(saved)));
        }
    }
    if let Some(at) = &failure.retry_at {
        told.push_str(&format!("\nNot before: {at}"));
    }
    CallToolResult::error(vec![ContentBlock::text(untrusted::plain(&told))]).into()
}

/// What to do about a failure that does not say so itself.
const fn advice(cause: Cause) -> &'static str {
    match cause {
        Cause::Usage => "correct the arguments and call the tool again",
        Cause::NotFound => "look for it with the tools that list and search",
        Cause::Ambiguous => "ask the person which one is meant, and name it by its jid",
        Cause::Forbidden => "leave it; a person can change policy.toml",
        Cause::Offline | Cause::TimedOut | Cause::Queued => {
            "try again later; get_status tells more"
        }
        Cause::Cancelled => "nothing; do not try again unless the person asks for it",
        _ => "look at get_status, and tell the person",
    }
}

/// A failure of something that is no tool.
pub(crate) fn error_of(failure: &Failure) -> ErrorData {
    let text = untrusted::plain(&failure.to_string());
    match failure.cause {
        Cause::NotFound => ErrorData::resource_not_found(text, None),
        Cause::Usage | Cause::Ambiguous | Cause::Forbidden => ErrorData::invalid_params(text, None),
        _ => ErrorData::internal_error(text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dialogue_shows_the_drafts_own_text_and_no_other() {
        let shown = "To Ben (+44)\ntext message\ntext, 2 characters, 1 line:\n> hi\nWhy: x";
        let draft: DraftView = serde_json::from_value(json!({
            "id": "1f0c9a3e", "call": "messages/send", "chat": "1@lid", "recipient": "Anna",
            "preview": "nothing", "shown": shown, "why": "y", "caller": "assistant: a",
            "created_at": "", "expires_at": "", "digest": "",
        }))
        .unwrap();
        let ElicitRequestParams::FormElicitationParams { message, requested_schema, .. } =
            form(&draft).unwrap()
        else {
            panic!("no form");
        };
        assert_eq!(message, shown);
        let asked = serde_json::to_string(&requested_schema).unwrap();
        assert!(!asked.contains("Anna"), "{asked}");
    }
}
