//! `check`, `block`, `unblock`, `blocked`, `typing`: other people.

use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use wa_client::Typing;
use wa_proto::Jid;

use crate::{
    args::{BlockArguments, CheckArguments, GlobalArguments, TypingArguments},
    failure::Failure,
    output::Output,
    plan, session,
    view::{PersonView, number},
};

/// A number that was asked about, in `--json`.
#[derive(Debug, Serialize)]
struct CheckedView {
    number: String,
    on_whatsapp: bool,
    phone: Option<String>,
    lid: Option<String>,
}

pub(crate) async fn check(
    arguments: &CheckArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let found = session::with(global, async |session, _| {
        session.begin().await?;
        let people = session.client.people();
        session.ask(people.on_whatsapp(&arguments.numbers)).await
    });
    let views = found.await?.into_iter().map(|found| CheckedView {
        on_whatsapp: found.jid.is_some() || found.lid.is_some(),
        phone: found.jid.as_ref().and_then(number),
        lid: found.lid.map(|lid| lid.to_string()),
        number: found.asked,
    });
    let views: Vec<_> = views.collect();
    let line = |view: &CheckedView| {
        let answer = if view.on_whatsapp { "is on WhatsApp" } else { "is not on WhatsApp" };
        format!("{}  {answer}\n", view.number)
    };
    let lines: String = views.iter().map(line).collect();
    Ok(output.result(&views, &lines)?)
}

/// Blocks people, or no longer.
pub(crate) async fn block(
    arguments: &BlockArguments,
    blocks: bool,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let views = session::with(global, async |session, account| {
        let store = account.store.as_ref();
        let named = plan::people(&arguments.people, store).await?;
        session.begin().await?;
        let people = session.client.people();
        for person in &named {
            match blocks {
                true => session.ask(people.block(person)).await?,
                false => session.ask(people.unblock(person)).await?,
            }
        }
        Ok(PersonView::all(&named, store).await?)
    });
    let views = views.await?;
    let done = if blocks { "blocked" } else { "no longer blocked" };
    let text = format!("{done}: {}", PersonView::labels(&views));
    Ok(output.result(&json!({ "blocked": blocks, "people": views }), &text)?)
}

pub(crate) async fn blocked(global: &GlobalArguments, output: &Output) -> Result<(), Failure> {
    let views = session::with(global, async |session, account| {
        session.begin().await?;
        let people = session.client.people();
        let blocked: Vec<Jid> = session.ask(people.blocked()).await?;
        Ok(PersonView::all(&blocked, account.store.as_ref()).await?)
    });
    let views = views.await?;
    if views.is_empty() {
        output.note("nobody is blocked");
    }
    let lines: String = views.iter().map(|view| format!("{}\n", view.line())).collect();
    Ok(output.result(&views, &lines)?)
}

/// Shows in a chat that somebody writes. That takes being available for as long.
pub(crate) async fn typing(
    arguments: &TypingArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let typing = if arguments.recording { Typing::Recording } else { Typing::Composing };
    session::with(global, async |session, account| {
        let chat = plan::chat(&arguments.chat, account.store.as_ref()).await?;
        session.begin().await?;
        let client = session.client.clone();
        session.ask(client.set_available(true)).await?;
        session.ask(client.set_typing(&chat, typing)).await?;
        let shown = async {
            tokio::time::sleep(Duration::from_secs(arguments.seconds)).await;
            Ok::<_, wa_client::Error>(())
        };
        session.ask(shown).await?;
        session.ask(client.set_typing(&chat, Typing::Paused)).await?;
        session.ask(client.set_available(false)).await
    })
    .await?;
    let text = format!("shown for {} seconds", arguments.seconds);
    Ok(output.result(&json!({ "seconds": arguments.seconds }), &text)?)
}
