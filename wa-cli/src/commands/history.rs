//! `history`: what of the past is there, and what is not.

use serde::Serialize;
use wa_store::{GapPlace, HistoryGap, Store, StoreError};

use crate::{
    account::{Access, OpenAccount},
    args::{GapsArguments, GlobalArguments, HistoryCommand},
    delivery::chat_label,
    failure::Failure,
    moment,
    output::Output,
};

/// A gap in `--json`.
#[derive(Debug, Serialize)]
struct GapView {
    /// The chat whose beginning is missing; null if it is a part of the history that the phone sent.
    chat: Option<String>,
    jid: Option<String>,
    from: Option<String>,
    to: Option<String>,
    reason: &'static str,
    /// How often the phone was asked to close it.
    attempts: u32,
}

pub(crate) async fn run(
    command: &HistoryCommand,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        HistoryCommand::Gaps(arguments) => {
            let account = OpenAccount::open(global, Access::Read).await?;
            let result = gaps(arguments, account.store.as_ref(), output).await;
            account.close_after(result).await
        }
    }
}

async fn gaps(
    arguments: &GapsArguments,
    store: &dyn Store,
    output: &Output,
) -> Result<(), Failure> {
    let limit = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    let mut views = Vec::new();
    for gap in store.history_gaps(limit).await? {
        views.push(view(&gap, store).await?);
    }
    if views.is_empty() {
        output.note("nothing is known to be missing");
    }
    let line = |view: &GapView| {
        let place = view.chat.as_deref().unwrap_or("a part of the phone's history");
        let to = view.to.as_deref().map(|to| format!(" before {to}")).unwrap_or_default();
        format!("{place}{to}: {}\n", view.reason)
    };
    let lines: String = views.iter().map(line).collect();
    Ok(output.result(&views, &lines)?)
}

async fn view(gap: &HistoryGap, store: &dyn Store) -> Result<GapView, StoreError> {
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
        reason: gap.reason.as_str(),
        attempts: gap.attempts,
    })
}
