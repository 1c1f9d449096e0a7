//! `status`: which account is linked, and how much is kept.

use serde::Serialize;
use wa_bridge::api::{AccountView, HealthView, Status, StatusView};

use crate::{
    args::StatusArguments,
    failure::{Cause, Failure},
    output::Output,
    session::Session,
    view::{account, media::bytes},
};

/// How a linked account stands, in `--json`.
#[derive(Debug, Serialize)]
struct LinkedView {
    profile: String,
    folder: String,
    #[serde(flatten)]
    account: AccountView,
    /// Whether the server let this device in; null if it was not asked.
    online: Option<bool>,
    /// Whether the process that owns the account is connected now.
    connected: bool,
    database_bytes: u64,
    messages: u64,
    chats: u64,
    contacts: u64,
    /// Messages that are still to be sent.
    outbox_pending: u64,
    /// Messages that could not be read yet.
    unreadable: u64,
    /// Places where the history is known to have gaps.
    gaps: u64,
    /// Messages that wait for a person to agree.
    drafts: u64,
    /// Since when nothing of assistants leaves; null where they may send.
    held_since: Option<String>,
    /// What keeps the connection away, if something does.
    problem: Option<String>,
    /// Why WhatsApp restricts whom this account may write to, if it does.
    restriction: Option<String>,
    /// What the policy allows, in short.
    policy: String,
    /// How the process that owns the account is doing.
    health: HealthView,
}

pub(crate) async fn run(arguments: &StatusArguments, session: &Session<'_>) -> Result<(), Failure> {
    let status = session.call(Status { online: arguments.online }).await?;
    let view = linked(status, arguments.online)?;
    session.output.result(&view, &lines(&view, session.output))
}

fn linked(status: StatusView, online: bool) -> Result<LinkedView, Failure> {
    let Some(account) = status.account else {
        let message = format!("no device is linked in {}", status.folder);
        return Err(Failure::new(Cause::NotLinked, message).remedy("run: wa-cli link"));
    };
    Ok(LinkedView {
        profile: status.profile,
        folder: status.folder,
        account,
        online: online.then_some(true),
        connected: status.connected,
        database_bytes: status.database_bytes,
        messages: status.messages,
        chats: status.chats,
        contacts: status.contacts,
        outbox_pending: status.outbox_pending,
        unreadable: status.unreadable,
        gaps: status.gaps,
        drafts: status.drafts,
        held_since: status.held_since,
        problem: status.problem,
        restriction: status.restriction,
        policy: status.policy,
        health: status.health,
    })
}

fn lines(view: &LinkedView, output: &Output) -> String {
    let mut lines = String::new();
    let mut line = |name: &str, value: &str| {
        lines.push_str(&format!("{}  {value}\n", output.dim(&format!("{name:>9}"))));
    };
    line("account", &output.bold(&account::who(&view.account)));
    if let Some(lid) = &view.account.lid {
        line("lid", lid);
    }
    if let Some(since) = &view.account.linked_at {
        line("linked", &format!("as device {} since {since}", view.account.device));
    }
    if view.online.is_some() {
        line("online", "yes, the link holds");
    }
    line("folder", &format!("{} ({})", view.folder, bytes(view.database_bytes)));
    let LinkedView { messages, chats, contacts, .. } = view;
    line("archive", &format!("{messages} messages, {chats} chats, {contacts} contacts"));
    line("policy", &view.policy);
    if view.outbox_pending > 0 {
        line("outbox", &format!("{} to be sent with the next connection", view.outbox_pending));
    }
    if view.unreadable > 0 {
        line("unread", &format!("{} not readable yet", view.unreadable));
    }
    if view.drafts > 0 {
        line("drafts", &format!("{} wait for you, see: wa-cli drafts list", view.drafts));
    }
    if let Some(since) = &view.held_since {
        line("hold", &format!("assistants send nothing since {since}; to end it: wa-cli release"));
    }
    for trouble in &view.health.troubles {
        line("trouble", trouble);
    }
    for task in &view.health.failed_tasks {
        let (part, failures) = (&task.name, task.failures);
        line("defect", &format!("{part} failed {failures} times; please report it"));
    }
    for (name, value) in [("problem", &view.problem), ("limits", &view.restriction)] {
        if let Some(value) = value {
            line(name, value);
        }
    }
    lines
}
