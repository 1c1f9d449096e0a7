//! `sync`: takes in what waits on the server, and on request stays and tells what happens.

use serde::Serialize;
use wa_client::Event;

use crate::{
    account::OpenAccount,
    args::{GlobalArguments, SyncArguments},
    failure::{Cause, Failure},
    output::Output,
    session::{self, Session},
};

mod messages;
mod told;

use messages::NewMessages;

/// What a sync brought, in `--json`.
#[derive(Debug, Serialize)]
struct SyncView {
    /// Messages that are new in the archive.
    messages: u64,
    /// Messages that are still to be sent.
    outbox_pending: u64,
    /// Messages that could not be read yet.
    unreadable: u64,
}

pub(crate) async fn run(
    arguments: &SyncArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    if arguments.follow {
        return session::with(global, async |session, account| {
            follow(session, account, output).await
        })
        .await;
    }
    let view = session::with(global, async |session, account| once(session, account).await).await?;
    let text = match view.messages {
        0 => "nothing new".to_owned(),
        1 => "1 new message".to_owned(),
        messages => format!("{messages} new messages"),
    };
    Ok(output.result(&view, &text)?)
}

async fn once(session: &mut Session, account: &OpenAccount) -> Result<SyncView, Failure> {
    let before = account.store.stats().await?;
    session.take_in(account).await?;
    let after = account.store.stats().await?;
    Ok(SyncView {
        messages: after.messages.saturating_sub(before.messages),
        outbox_pending: after.outbox_pending,
        unreadable: after.placeholders,
    })
}

/// Tells what happens until the keyboard says stop; then the connection is closed in order.
async fn follow(
    session: &mut Session,
    account: &OpenAccount,
    output: &Output,
) -> Result<(), Failure> {
    let store = account.store.as_ref();
    let mut new = NewMessages::after(store.stats().await?.last_seq);
    session.connect()?;
    loop {
        let event = tokio::select! {
            event = session.next() => event?,
            _ = tokio::signal::ctrl_c() => {
                return Err(Failure::new(Cause::Interrupted, "interrupted"));
            }
        };
        match &event {
            Event::Connected => session.lift_limit(),
            Event::Disconnected { .. } => output.note("the connection ended"),
            Event::Reconnecting { delay, .. } => {
                output.note(&format!("connecting again in {} seconds", delay.as_secs()));
            }
            _ => {}
        }
        if brings_messages(&event) {
            new.print(store, output).await?;
        }
        if let (true, Some(object)) = (output.json, told::object(&event)) {
            output.object(&object)?;
        }
    }
}

/// Whether the archive has something after this that it had not before. Events may be missed, the
/// archive's numbers not.
const fn brings_messages(event: &Event) -> bool {
    matches!(
        event,
        Event::Message(_)
            | Event::MessageRepaired { .. }
            | Event::OfflineSyncCompleted { .. }
            | Event::Lagged { .. }
    )
}
