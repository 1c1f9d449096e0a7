//! Messages that wait for a person to agree.

use rmcp::schemars::{self, JsonSchema};
use serde::{Deserialize, Serialize};
use wa_bridge::{
    Cause, Failure,
    api::{Approval, DraftApprove, DraftCancel, DraftList, DraftView, SentView},
};

use super::{Delivery, Kind, Readable, Tool, Toolset};
use crate::{call::ToolCall, text};

/// Lists drafts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListDrafts {}

/// Drafts.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Drafts {
    /// The drafts, the oldest first.
    drafts: Vec<DraftView>,
}

impl Readable for Drafts {
    fn text(&self) -> String {
        text::lines(&self.drafts, "no drafts wait", draft)
    }
}

fn draft(draft: &DraftView) -> String {
    format!("draft {}, until {}:\n{}", draft.id, draft.expires_at, draft.shown)
}

impl Tool for ListDrafts {
    type Output = Drafts;
    const NAME: &'static str = "list_drafts";
    const TITLE: &'static str = "List drafts";
    const ABOUT: &'static str = "List messages that were not sent yet because a person has to agree first, and how they can.";
    const SET: Toolset = Toolset::Send;
    const KIND: Kind = Kind::Reads { outside: false };

    async fn run(self, call: &ToolCall<'_>) -> Result<Drafts, Failure> {
        Ok(Drafts { drafts: call.ask(DraftList {}).await? })
    }
}

/// Sends a draft.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmSend {
    /// The draft's id.
    draft_id: String,
}

impl Tool for ConfirmSend {
    type Output = Delivery;
    const NAME: &'static str = "confirm_send";
    const TITLE: &'static str = "Send a draft";
    const ABOUT: &'static str = "Send a draft after the person has seen its recipient and text in this chat and agreed to exactly that.";
    const SET: Toolset = Toolset::Send;
    const KIND: Kind = Kind::Sends;

    async fn run(self, call: &ToolCall<'_>) -> Result<Delivery, Failure> {
        let drafts = call.ask(DraftList {}).await?;
        let draft =
            drafts.into_iter().find(|draft| draft.id == self.draft_id).ok_or_else(|| {
                Failure::new(Cause::NotFound, format!("no draft {:?} waits", self.draft_id))
                    .remedy("see list_drafts")
            })?;
        let approve = DraftApprove { id: draft.id, digest: draft.digest, by: Approval::Assistant };
        Ok(match serde_json::from_value::<SentView>(call.ask(approve).await?) {
            Ok(sent) => Delivery::new(sent),
            Err(_) => Delivery::done(),
        })
    }
}

/// Drops a draft.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelSend {
    /// The draft's id.
    draft_id: String,
}

/// A draft that was dropped.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Cancelled {
    /// The draft, which is not sent any more.
    draft: DraftView,
}

impl Readable for Cancelled {
    fn text(&self) -> String {
        format!("dropped, not sent: {}", draft(&self.draft))
    }
}

impl Tool for CancelSend {
    type Output = Cancelled;
    const NAME: &'static str = "cancel_send";
    const TITLE: &'static str = "Drop a draft";
    const ABOUT: &'static str = "Drop a draft, so that it is not sent.";
    const SET: Toolset = Toolset::Send;
    const KIND: Kind = Kind::Arranges;

    async fn run(self, call: &ToolCall<'_>) -> Result<Cancelled, Failure> {
        Ok(Cancelled { draft: call.ask(DraftCancel { id: self.draft_id }).await? })
    }
}
