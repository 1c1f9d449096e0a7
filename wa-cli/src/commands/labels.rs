//! `labels`: the labels there are, or what has one.

use wa_bridge::{
    api::{LabelGet, LabelList, LabelView, LabelledView},
    foreign,
};

use crate::{args::LabelsArguments, failure::Failure, session::Session};

pub(crate) async fn run(arguments: &LabelsArguments, session: &Session<'_>) -> Result<(), Failure> {
    match &arguments.label {
        None => list(session).await,
        Some(named) => labelled(named, session).await,
    }
}

async fn list(session: &Session<'_>) -> Result<(), Failure> {
    let output = session.output;
    let views = session.call(LabelList {}).await?;
    if views.is_empty() {
        output.note("no labels");
    }
    let line = |view: &LabelView| {
        let name = output.bold(&foreign::plain(&view.name, " "));
        format!("{:>3}  {name}  ({})\n", foreign::plain(&view.id, " "), view.count)
    };
    let lines: String = views.iter().map(line).collect();
    output.result(&views, &lines)
}

async fn labelled(named: &str, session: &Session<'_>) -> Result<(), Failure> {
    let views = session.call(LabelGet { label: named.to_owned() }).await?;
    if views.is_empty() {
        session.output.note("nothing has this label");
    }
    let line = |view: &LabelledView| match &view.message_id {
        Some(id) => format!("{}  {}\n", view.chat, foreign::plain(id, " ")),
        None => format!("{}\n", view.chat),
    };
    let lines: String = views.iter().map(line).collect();
    session.output.result(&views, &lines)
}
