//! `poll`: questions with options to choose from.

use wa_store::{PollTally, Store};

use super::message::say;
use crate::{
    args::{GlobalArguments, NamedMessage, PollCreateArguments, PollVoteArguments},
    delivery::{self, with_options},
    failure::{Cause, Failure},
    output::{Output, foreign},
    plan, session,
    view::PollView,
};

pub(crate) async fn create(
    arguments: &PollCreateArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let sent = session::with(global, async |session, account| {
        let chat = plan::chat(&arguments.chat, account.store.as_ref()).await?;
        let (question, choices) = (arguments.question.as_str(), arguments.choices.iter());
        let mut poll = session.client.send_poll(chat.clone(), question, choices);
        if let Some(selectable) = arguments.selectable {
            poll = poll.selectable(selectable);
        }
        let message = with_options(poll, &arguments.options)?;
        delivery::deliver(session, &chat, message, account).await
    });
    sent.await?.print(output)
}

pub(crate) async fn vote(
    arguments: &PollVoteArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    say(&arguments.message, global, output, |client, message| {
        client.vote(&message.key, arguments.choices.iter())
    })
    .await
}

/// Shows how a poll stands.
pub(crate) async fn show(
    named: &NamedMessage,
    store: &dyn Store,
    output: &Output,
) -> Result<(), Failure> {
    let view = PollView::new(&tally(named, store).await?, store).await?;
    let mut lines = format!("{}\n", output.bold(&foreign::plain(&view.question, " ")));
    for line in view.lines() {
        lines.push_str(&format!("{line}\n"));
    }
    Ok(output.result(&view, &lines)?)
}

async fn tally(named: &NamedMessage, store: &dyn Store) -> Result<PollTally, Failure> {
    let message = plan::message(named, store).await?;
    store.poll(&message.key).await?.ok_or_else(|| {
        Failure::new(Cause::Usage, format!("the message {:?} is no poll", named.id))
            .remedy("see: wa-cli messages CHAT --ids")
    })
}
