//! Stopping all that assistants send, at once: a mark in the archive that every process and every
//! start sees.
//!
//! Owns the mark and the calls that set it. Knows nothing of how a message waits.

use wa_store::{Change, Changes, Store};

use super::{Call, Perform};
use crate::{
    api::{Hold, HoldView, Release},
    failure::{Cause, Failure},
    moment,
    view::now,
};

/// The setting that holds since when.
const HELD: &str = "wa-bridge/held-since";

/// Since when nothing of assistants leaves (RFC 3339), if that is so.
pub(super) async fn since(store: &dyn Store) -> Result<Option<String>, Failure> {
    let since = store.setting(HELD).await?;
    Ok(since.map(|since| String::from_utf8_lossy(&since).into_owned()))
}

/// Refuses what an assistant wants to do while all of theirs is held.
pub(super) async fn refuse_held(store: &dyn Store) -> Result<(), Failure> {
    match since(store).await? {
        None => Ok(()),
        Some(since) => {
            let message = format!("a person stopped all that assistants send, at {since}");
            Err(Failure::new(Cause::Forbidden, message)
                .remedy("leave it until the person has run: wa-cli release"))
        }
    }
}

/// Whether nothing is left in the outbox that may leave.
pub(super) async fn is_outbox_quiet(store: &dyn Store) -> Result<bool, Failure> {
    if store.outbox_chats().await?.is_empty() {
        return Ok(true);
    }
    Ok(since(store).await?.is_some() && store.outbox_pending().await?.iter().all(is_assistants))
}

fn is_assistants(entry: &wa_store::OutboxEntry) -> bool {
    entry.origin.as_ref().is_some_and(|origin| origin.by_assistant)
}

impl Perform for Hold {
    async fn perform(self, call: &Call<'_>) -> Result<HoldView, Failure> {
        only_a_person(call)?;
        if since(call.store()).await?.is_none() {
            put(call.store(), Some(moment::rfc3339(now()))).await?;
        }
        view(call.store()).await
    }
}

impl Perform for Release {
    async fn perform(self, call: &Call<'_>) -> Result<HoldView, Failure> {
        only_a_person(call)?;
        put(call.store(), None).await?;
        let view = view(call.store()).await?;
        if view.waiting > 0 {
            // Nobody connected is no failure: it leaves with the next connection.
            call.service.line.client().flush_outbox();
        }
        Ok(view)
    }
}

fn only_a_person(call: &Call<'_>) -> Result<(), Failure> {
    if call.is_human() {
        return Ok(());
    }
    Err(Failure::new(Cause::Forbidden, "only a person stops and releases what assistants send")
        .remedy("have the person run: wa-cli hold, or wa-cli release"))
}

async fn view(store: &dyn Store) -> Result<HoldView, Failure> {
    let waiting = store.outbox_pending().await?.iter().filter(|entry| is_assistants(entry)).count();
    Ok(HoldView {
        held_since: since(store).await?,
        waiting: u64::try_from(waiting).unwrap_or(u64::MAX),
    })
}

async fn put(store: &dyn Store, since: Option<String>) -> Result<(), Failure> {
    let value = since.map(String::into_bytes);
    store.commit(Changes::from(Change::PutSetting { name: HELD.into(), value })).await?;
    Ok(())
}
