//! What happens between the server's `<success>` and the first message, in strict order: the
//! server's time, the own LID, the prekeys, `active`, and only then is anybody told.
//!
//! A client that sends before its prekeys are in order makes sessions nobody can answer, and one
//! that never becomes active is deaf. Knows nothing of what is sent afterwards.

use std::sync::Arc;

use tokio::time::Instant;
use wa_proto::{
    request::SetActive,
    stanza::{Success, unified_session},
};
use wa_store::{Change, StoreError};

use crate::{
    app_state,
    connection::{Ending, Link},
    event::Event,
    history,
    inner::{Inner, State},
    outbox, people,
    prekeys::{self, PreKeysError},
    presence, privacy, receipts, receive,
    request::{REQUEST_TIMEOUT, RequestError},
    server_settings,
    stanza_handler::{HandleError, StanzaContext},
};

/// Logs in.
///
/// # Errors
/// How the connection must end.
pub(crate) async fn run(cx: &StanzaContext, success: &Success) -> Result<(), Ending> {
    let inner = &cx.inner;
    inner.clock.learn(success.timestamp, &*inner.store).await.map_err(storage)?;
    learn_about_ourselves(cx, success).await.map_err(storage)?;
    match prekeys::put_in_order(inner, &cx.link).await {
        Ok(()) => {}
        Err(PreKeysError::Store(error)) => return Err(storage(error)),
        // Those who have a session with this device can still write to it.
        Err(
            error @ (PreKeysError::NoSignedPreKey
            | PreKeysError::Request(RequestError::Refused(_) | RequestError::Answer(_))),
        ) => {
            tracing::warn!(%error, "the prekeys are not in order");
        }
        Err(PreKeysError::Request(error)) => return Err(lost(&error)),
    }
    let deadline = Instant::now() + REQUEST_TIMEOUT;
    cx.link
        .request(&inner.request_id(), &SetActive, deadline)
        .await
        .map_err(|error| lost(&error))?;
    inner.publish_link(Some(cx.link.clone()));
    inner.enter(State::Connected);
    inner.emit(Event::Connected);
    inner.outbox.reconnected();
    outbox::wake_all(inner);
    history::wake(inner);
    resume_told(inner);
    app_state::connected(inner);
    match receipts::flush(inner, &cx.link).await {
        Err(HandleError::Store(error)) => return Err(storage(error)),
        // A closed link shows by itself.
        Ok(()) | Err(HandleError::Link(_)) => {}
    }
    presence::restore(inner, &cx.link).await.map_err(storage)?;
    refresh_in_background(inner, cx.link.clone());
    let session = unified_session(unified_session_id(inner.clock.unix_ms()));
    // A closed link shows by itself.
    let _ = cx.link.send(&session).await;
    Ok(())
}

/// Sees to what the phone told and an earlier run of this client did not see to.
fn resume_told(inner: &Arc<Inner>) {
    let shared = Arc::clone(inner);
    inner.spawn(async move {
        if let Err(error) = receive::later::resume(&shared).await {
            tracing::error!(%error, "what the phone told waits for the next login");
        }
    });
}

/// Asks for what may have changed while nobody was connected. Without an answer, what was known
/// before stays in force.
fn refresh_in_background(inner: &Arc<Inner>, link: Link) {
    let shared = Arc::clone(inner);
    inner.spawn(async move {
        let outcomes = [
            ("privacy settings", privacy::refresh(&shared, &link).await),
            ("the block list", people::block_list::refresh(&shared, &link).await),
            ("the server's settings", server_settings::refresh(&shared, &link).await),
        ];
        for (what, outcome) in outcomes {
            if let Err(error) = outcome {
                tracing::warn!(%error, "not known anew: {what}");
            }
        }
    });
}

/// Keeps the LID and the name, if they are news.
async fn learn_about_ourselves(cx: &StanzaContext, success: &Success) -> Result<(), StoreError> {
    let account = cx.inner.account();
    let lid = success.lid.as_ref().filter(|lid| account.lid.as_ref() != Some(*lid));
    let name = success.display_name.as_ref().filter(|_| account.push_name.is_none());
    if lid.is_none() && name.is_none() {
        return Ok(());
    }
    cx.inner
        .update_account(|account, changes| {
            if let Some(lid) = lid {
                account.lid = Some(lid.clone());
                if let Some(jid) = &account.jid {
                    let (phone, lid) = (jid.to_user(), lid.to_user());
                    changes.push(Change::LearnLid { phone, lid });
                }
            }
            if let Some(name) = name {
                account.push_name = Some(name.clone());
            }
        })
        .await
}

fn storage(error: StoreError) -> Ending {
    tracing::error!(%error, "the login cannot be kept");
    Ending::Storage
}

fn lost(error: &RequestError) -> Ending {
    tracing::warn!(%error, "the login did not complete");
    let rate_limited = matches!(error, RequestError::Refused(refusal) if refusal.code == 429);
    Ending::LoginIncomplete { rate_limited }
}

/// Which of the app's sessions this is: the server's time, three days ahead, within its week.
fn unified_session_id(server_ms: u64) -> u64 {
    server_ms.saturating_add(3 * DAY_MS) % (7 * DAY_MS)
}

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unified_session_counts_within_a_week() {
        assert_eq!(unified_session_id(0), 3 * DAY_MS);
        assert_eq!(unified_session_id(4 * DAY_MS), 0);
        assert_eq!(unified_session_id(4 * DAY_MS + 5), 5);
        assert!(unified_session_id(u64::MAX) < 7 * DAY_MS);
    }
}
