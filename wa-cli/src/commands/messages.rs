//! `messages`: what was said in a chat, oldest at the top.

use jiff::tz::TimeZone;
use wa_bridge::api::{MessageList, MessageView};

use crate::{args::MessagesArguments, failure::Failure, session::Session, view::message};

/// How many messages are given at once.
const PAGE: u64 = 1_000;

pub(crate) async fn run(
    arguments: &MessagesArguments,
    session: &Session<'_>,
) -> Result<(), Failure> {
    session.sync(arguments.sync).await?;
    let (output, zone) = (session.output, TimeZone::system());
    let mut views = newest(arguments, session).await?;
    views.reverse();
    let mut lines = String::new();
    for view in &views {
        let text = message::shown_text(view);
        lines.push_str(&match arguments.ids {
            true => message::line_with_id(view, &text, output, &zone),
            false => message::line(view, &text, output, &zone),
        });
    }
    if views.is_empty() {
        output.note("no messages");
    }
    output.result(&views, &lines)
}

/// The newest first, page after page.
async fn newest(
    arguments: &MessagesArguments,
    session: &Session<'_>,
) -> Result<Vec<MessageView>, Failure> {
    let chat = session.chat(&arguments.chat).await?;
    let mut views: Vec<MessageView> = Vec::new();
    loop {
        let have = u64::try_from(views.len()).unwrap_or(u64::MAX);
        let wanted = arguments.limit.saturating_sub(have).min(PAGE);
        if wanted == 0 {
            return Ok(views);
        }
        let page = session
            .call(MessageList {
                chat: Some(chat.clone()),
                after: arguments.after.clone(),
                before: arguments.before.clone(),
                before_seq: views.last().map(|oldest| oldest.seq),
                limit: u32::try_from(wanted).ok(),
                ..MessageList::default()
            })
            .await?;
        let is_last = u64::try_from(page.len()).unwrap_or(u64::MAX) < wanted;
        views.extend(page);
        if is_last {
            return Ok(views);
        }
    }
}
