//! `history`: what of the past is there, and what is not.

use serde::Serialize;
use wa_client::OlderOnPhone;
use wa_store::{GapPlace, HistoryGap, Store, StoreError};

use crate::{
    account::{Access, OpenAccount},
    args::{FetchArguments, GapsArguments, GlobalArguments, HistoryCommand},
    delivery::chat_label,
    failure::Failure,
    moment,
    output::Output,
    plan, session,
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
        HistoryCommand::Fetch(arguments) => fetch(arguments, global, output).await,
        HistoryCommand::Gaps(arguments) => {
            let account = OpenAccount::open(global, Access::Read).await?;
            let result = gaps(arguments, account.store.as_ref(), output).await;
            account.close_after(result).await
        }
    }
}

/// What the phone gave, in `--json`.
#[derive(Debug, Serialize)]
struct FetchedView {
    chat: String,
    /// Messages that are new in the archive.
    messages: u64,
    /// Messages that came.
    received: u64,
    /// Whether the phone has older ones: `yes`, `no`, `no-access` or `unknown`.
    older_on_phone: &'static str,
}

async fn fetch(
    arguments: &FetchArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let view = session::with(global, async |session, account| {
        let store = account.store.as_ref();
        let named = &arguments.chat;
        let chat = plan::known_chat(&named.chat, named.pick, store).await?;
        session.begin().await?;
        let history = session.client.history();
        let left = session.time_left();
        let older = history.fetch_older(chat.clone()).count(arguments.count).timeout(left);
        let fetched = session.ask(older).await?;
        Ok(FetchedView {
            chat: chat_label(&chat, store).await?,
            messages: fetched.messages,
            received: fetched.received,
            older_on_phone: match fetched.older {
                OlderOnPhone::Yes => "yes",
                OlderOnPhone::No => "no",
                OlderOnPhone::NoAccess => "no-access",
                _ => "unknown",
            },
        })
    });
    let view = view.await?;
    let older = match view.older_on_phone {
        "yes" => "; the phone has more",
        "no" => "; that is the chat's beginning",
        "no-access" => "; the phone has more and may not give it",
        _ => "",
    };
    let text = format!("{} new messages of {}{older}", view.messages, view.chat);
    Ok(output.result(&view, &text)?)
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
