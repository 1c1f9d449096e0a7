//! `chats`: the conversations, the latest first, and what is done with one.

use jiff::tz::TimeZone;
use wa_bridge::api::{ChatList, ListedChat};

pub(super) mod change;

use crate::{args::ChatsArguments, failure::Failure, session::Session, view::chat};

/// How many chats are given at once.
const PAGE: u64 = 1_000;

pub(crate) async fn run(arguments: &ChatsArguments, session: &Session<'_>) -> Result<(), Failure> {
    session.sync(arguments.sync).await?;
    let views = latest(arguments, session).await?;
    let (output, zone) = (session.output, TimeZone::system());
    let lines: String = views.iter().map(|view| chat::line(&view.chat, output, &zone)).collect();
    if views.is_empty() {
        output.note("no chats yet");
    }
    output.result(&views, &lines)
}

/// The latest, page after page.
async fn latest(
    arguments: &ChatsArguments,
    session: &Session<'_>,
) -> Result<Vec<ListedChat>, Failure> {
    let mut views: Vec<ListedChat> = Vec::new();
    loop {
        let have = u64::try_from(views.len()).unwrap_or(u64::MAX);
        let wanted = arguments.limit.saturating_sub(have).min(PAGE);
        if wanted == 0 {
            return Ok(views);
        }
        let page = session
            .call(ChatList {
                query: arguments.query.clone(),
                offset: u32::try_from(have).unwrap_or(u32::MAX),
                limit: u32::try_from(wanted).ok(),
                ..ChatList::default()
            })
            .await?;
        let is_last = u64::try_from(page.len()).unwrap_or(u64::MAX) < wanted;
        views.extend(page);
        if is_last {
            return Ok(views);
        }
    }
}
