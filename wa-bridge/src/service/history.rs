//! The past of the chats.

use tokio::time::Instant;
use wa_client::OlderOnPhone;
use wa_store::{GapPlace, HistoryGap, Store};

use super::{Call, Perform, call::page};
use crate::{
    api::{FetchedView, GapView, HistoryFetch, HistoryGaps},
    failure::Failure,
    moment,
    view::chat_label,
};

/// How many messages are asked for unless that is said, and at most.
const COUNT: u32 = 50;
const MAX_COUNT: u32 = 500;

impl Perform for HistoryFetch {
    async fn perform(self, call: &Call<'_>) -> Result<FetchedView, Failure> {
        let chat = call.chat(&self.chat).await?;
        let client = call.online().await?;
        let left = call.deadline().saturating_duration_since(Instant::now());
        let count = self.count.unwrap_or(COUNT).clamp(1, MAX_COUNT);
        let history = client.history();
        let older = history.fetch_older(chat.clone()).count(count).timeout(left);
        let fetched = call.ask(older).await?;
        let older_on_phone = match fetched.older {
            OlderOnPhone::Yes => "yes",
            OlderOnPhone::No => "no",
            OlderOnPhone::NoAccess => "no-access",
            _ => "unknown",
        };
        Ok(FetchedView {
            chat: chat_label(&chat, call.store()).await?,
            messages: fetched.messages,
            received: fetched.received,
            older_on_phone: older_on_phone.to_owned(),
        })
    }
}

impl Perform for HistoryGaps {
    async fn perform(self, call: &Call<'_>) -> Result<Vec<GapView>, Failure> {
        let mut views = Vec::new();
        for gap in gaps(call, page(self.limit, 50)).await? {
            views.push(view(&gap, call.store()).await?);
        }
        Ok(views)
    }
}

/// The first so many gaps in chats that may be read.
pub(super) async fn gaps(call: &Call<'_>, limit: usize) -> Result<Vec<HistoryGap>, Failure> {
    let mut readable = Vec::new();
    for gap in call.store().history_gaps(usize::MAX).await? {
        let may_read = match &gap.place {
            GapPlace::Chat(chat) => call.may_read(chat).await?,
            _ => true,
        };
        if may_read {
            readable.push(gap);
        }
    }
    readable.truncate(limit);
    Ok(readable)
}

async fn view(gap: &HistoryGap, store: &dyn Store) -> Result<GapView, Failure> {
    let chat = match &gap.place {
        GapPlace::Chat(chat) => Some(chat),
        _ => None,
    };
    Ok(GapView {
        chat: match chat {
            Some(chat) => Some(chat_label(chat, store).await?),
            None => None,
        },
        jid: chat.map(ToString::to_string),
        from: gap.from.map(moment::rfc3339),
        to: gap.to.map(moment::rfc3339),
        reason: gap.reason.as_str().to_owned(),
        attempts: gap.attempts,
    })
}
