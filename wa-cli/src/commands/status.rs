//! `status`: which account is linked, and how much is kept.

use std::{fs, path::Path, time::Duration};

use serde::Serialize;

use crate::{
    account::{Access, OpenAccount},
    args::{GlobalArguments, StatusArguments},
    failure::Failure,
    output::Output,
    session,
    view::{AccountView, bytes},
};

#[derive(Debug, Serialize)]
struct StatusView {
    profile: String,
    folder: String,
    #[serde(flatten)]
    account: AccountView,
    /// Whether the server let this device in; null if it was not asked.
    online: Option<bool>,
    database_bytes: u64,
    messages: u64,
    chats: u64,
    contacts: u64,
    /// Messages that are still to be sent.
    outbox_pending: u64,
    /// Messages that could not be read yet.
    unreadable: u64,
}

pub(crate) async fn run(
    arguments: &StatusArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let access = if arguments.online { Access::Own } else { Access::Read };
    let account = OpenAccount::open(global, access).await?;
    let result = status(&account, arguments.online.then(|| global.timeout()), output).await;
    account.close_after(result).await
}

async fn status(
    account: &OpenAccount,
    online: Option<Duration>,
    output: &Output,
) -> Result<(), Failure> {
    account.require_link().await?;
    if let Some(limit) = online {
        session::sync(account, limit).await?;
    }
    let stats = account.store.stats().await?;
    let view = StatusView {
        profile: account.profile.name().to_string(),
        folder: account.profile.folder().display().to_string(),
        account: AccountView::new(&account.require_link().await?),
        online: online.map(|_| true),
        database_bytes: size(&account.profile.database()),
        messages: stats.messages,
        chats: stats.chats,
        contacts: stats.contacts,
        outbox_pending: stats.outbox_pending,
        unreadable: stats.placeholders,
    };
    Ok(output.result(&view, &lines(&view, output))?)
}

fn lines(view: &StatusView, output: &Output) -> String {
    let mut lines = String::new();
    let mut line = |name: &str, value: &str| {
        lines.push_str(&format!("{}  {value}\n", output.dim(&format!("{name:>9}"))));
    };
    line("account", &output.bold(&view.account.who()));
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
    let StatusView { messages, chats, contacts, .. } = view;
    line("archive", &format!("{messages} messages, {chats} chats, {contacts} contacts"));
    if view.outbox_pending > 0 {
        line("outbox", &format!("{} to be sent with the next connection", view.outbox_pending));
    }
    if view.unreadable > 0 {
        line("unread", &format!("{} not readable yet", view.unreadable));
    }
    lines
}

/// The database and what is still in its log.
fn size(database: &Path) -> u64 {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    let len = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
    len(database) + len(Path::new(&log))
}
