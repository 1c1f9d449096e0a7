//! `poll`: questions with options to choose from.

use wa_store::Store;

use crate::{
    args::NamedMessage,
    failure::{Cause, Failure},
    output::{Output, foreign},
    plan,
    view::PollView,
};

/// Shows how a poll stands.
pub(crate) async fn show(
    named: &NamedMessage,
    store: &dyn Store,
    output: &Output,
) -> Result<(), Failure> {
    let message = plan::message(named, store).await?;
    let Some(tally) = store.poll(&message.key).await? else {
        return Err(no_poll(&named.id));
    };
    let view = PollView::new(&tally, store).await?;
    let mut lines = format!("{}\n", output.bold(&foreign::plain(&view.question, " ")));
    for line in view.lines() {
        lines.push_str(&format!("{line}\n"));
    }
    Ok(output.result(&view, &lines)?)
}

fn no_poll(id: &str) -> Failure {
    Failure::new(Cause::Usage, format!("the message {id:?} is no poll"))
        .remedy("see: wa-cli messages CHAT --ids")
}
