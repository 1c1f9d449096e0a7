//! `labels`: the labels there are, or what has one.

use serde::Serialize;
use wa_store::{Label, Labelled, Store};

use crate::{
    args::LabelsArguments,
    delivery::chat_label,
    failure::{Cause, Failure},
    output::{Output, foreign},
};

/// A label in `--json`.
#[derive(Debug, Serialize)]
struct LabelView {
    id: String,
    name: String,
    color: Option<i32>,
    /// On how many chats and messages it is.
    count: usize,
}

/// What has a label, in `--json`.
#[derive(Debug, Serialize)]
struct LabelledView {
    chat: String,
    jid: String,
    /// The message, where it is not the chat itself.
    message_id: Option<String>,
}

pub(crate) async fn run(
    arguments: &LabelsArguments,
    store: &dyn Store,
    output: &Output,
) -> Result<(), Failure> {
    match &arguments.label {
        None => list(store, output).await,
        Some(named) => labelled(named, store, output).await,
    }
}

async fn list(store: &dyn Store, output: &Output) -> Result<(), Failure> {
    let mut views = Vec::new();
    for Label { id, name, color, .. } in store.labels().await? {
        let count = store.labelled(&id).await?.len();
        views.push(LabelView { id, name, color, count });
    }
    if views.is_empty() {
        output.note("no labels");
    }
    let line = |view: &LabelView| {
        let name = output.bold(&foreign::plain(&view.name, " "));
        format!("{:>3}  {name}  ({})\n", view.id, view.count)
    };
    let lines: String = views.iter().map(line).collect();
    Ok(output.result(&views, &lines)?)
}

async fn labelled(named: &str, store: &dyn Store, output: &Output) -> Result<(), Failure> {
    let label = find(named, store).await?;
    let mut views = Vec::new();
    for on in store.labelled(&label.id).await? {
        let (chat, message_id) = match on {
            Labelled::Chat(chat) => (chat, None),
            Labelled::Message(key) => (key.chat, Some(key.id.to_string())),
        };
        views.push(LabelledView {
            chat: chat_label(&chat, store).await?,
            jid: chat.to_string(),
            message_id,
        });
    }
    if views.is_empty() {
        output.note("nothing has this label");
    }
    let line = |view: &LabelledView| match &view.message_id {
        Some(id) => format!("{}  {}\n", view.chat, foreign::plain(id, " ")),
        None => format!("{}\n", view.chat),
    };
    let lines: String = views.iter().map(line).collect();
    Ok(output.result(&views, &lines)?)
}

/// The label of this id or name.
pub(crate) async fn find(named: &str, store: &dyn Store) -> Result<Label, Failure> {
    let labels = store.labels().await?;
    let wanted = named.to_lowercase();
    let fits = |label: &&Label| label.id == named || label.name.to_lowercase() == wanted;
    labels.iter().find(fits).cloned().ok_or_else(|| {
        Failure::new(Cause::Failed, format!("there is no label {named:?}"))
            .remedy("see: wa-cli labels")
    })
}
