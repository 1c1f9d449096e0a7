//! `policy`: what may be done with the account, and where that is written.

use serde::Serialize;
use wa_bridge::{
    Recipient, foreign,
    policy::{AddedEntry, Policy},
};

use crate::{
    args::{GlobalArguments, NamedChat, PolicyAddArguments, PolicyArguments, PolicyCommand},
    failure::{Cause, Failure},
    output::Output,
    session::{self, Session},
};

/// The policy in `--json`.
#[derive(Debug, Serialize)]
struct PolicyView {
    /// Where the policy is looked for; the first file that is there counts.
    places: Vec<String>,
    /// The file that counts; null where there is none and the defaults hold.
    file: Option<String>,
    /// What it allows, in a line.
    summary: String,
    /// All of it.
    policy: Policy,
}

/// Somebody was put into a list, in `--json`.
#[derive(Debug, Serialize)]
struct AddedView {
    /// The file.
    file: String,
    /// The list.
    list: String,
    /// The number or address that stands in it now.
    entry: String,
    /// The name that stands beside it.
    name: Option<String>,
    /// Whether it stood there before.
    was_there: bool,
}

/// Shows the policy, or puts somebody into a list of it.
pub(crate) async fn run(
    arguments: &PolicyArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    match &arguments.command {
        Some(PolicyCommand::Add(arguments)) => add(arguments, global, output).await,
        None => show(global, output),
    }
}

async fn add(
    arguments: &PolicyAddArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let PolicyAddArguments { list, chat } = arguments;
    let (entry, name) = entry(chat, global, output).await?;
    let added = Policy::add(&session::profile(global)?.1, *list, &entry, name.as_deref())?;
    let AddedEntry { file, was_there, is_first, .. } = added;
    let view = AddedView {
        file: file.display().to_string(),
        list: list.to_string(),
        entry,
        name,
        was_there,
    };
    let shown = name_and_entry(&view);
    let mut lines = match was_there {
        true => format!("{list} has {shown} already\n"),
        false => format!("{list} has {shown} now, in {}\n", view.file),
    };
    if is_first && !was_there && list.is_exclusive() {
        lines.push_str("it is the first of its list: all others are out of reach from now on\n");
    }
    output.result(&view, &lines)
}

fn name_and_entry(view: &AddedView) -> String {
    match &view.name {
        Some(name) => format!("{} ({})", foreign::plain(name, " "), view.entry),
        None => view.entry.clone(),
    }
}

/// The number or address of whoever was named, and their name if one was looked up.
async fn entry(
    chat: &NamedChat,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(String, Option<String>), Failure> {
    let recipient: Recipient =
        chat.chat.parse().map_err(|error| Failure::new(Cause::Usage, format!("{error}")))?;
    match recipient {
        Recipient::Phone(digits) => return Ok((format!("+{digits}"), None)),
        Recipient::Jid(jid) => return Ok((jid.to_string(), None)),
        _ => {}
    }
    let session = Session::open(session::options(global)?, global, output).await?;
    let found = session.beyond_policy(chat).await;
    session.close_after(Ok(())).await?;
    let found = found?;
    Ok((found.phone.unwrap_or(found.jid), Some(found.name)))
}

/// Reads the files itself: a policy that keeps the account closed is to be seen too.
fn show(global: &GlobalArguments, output: &Output) -> Result<(), Failure> {
    let profile = session::profile(global)?.1;
    let policy = Policy::load(&profile)?;
    let places = Policy::places(&profile);
    let file = places.iter().find(|place| place.exists()).map(|file| file.display().to_string());
    let view = PolicyView {
        places: places.iter().map(|place| place.display().to_string()).collect(),
        summary: policy.summary(),
        file,
        policy,
    };
    output.result(&view, &lines(&view, output))
}

fn lines(view: &PolicyView, output: &Output) -> String {
    let mut lines = format!("{}\n", output.bold(&view.summary));
    for place in &view.places {
        let counts = view.file.as_ref() == Some(place);
        let note = if counts { "this one counts" } else { "not used" };
        lines.push_str(&format!("    {place}  {}\n", output.dim(note)));
    }
    if view.file.is_none() {
        lines.push_str("    neither is there: the defaults hold\n");
    }
    lines
}
