//! What groups are called: a new device knows the groups that write to it by address alone.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use wa_store::{ChatQuery, Store};

use super::Service;
use crate::failure::{Failure, ending};

/// How long the first connection is waited for; a device may be linked later.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// Once the account is up to date, asks the server what its groups are called, if one is there
/// without a name.
pub(super) async fn learn(service: Arc<Service>) {
    let mut ending = service.ending.subscribe();
    tokio::select! {
        learnt = learn_once(&service) => {
            if let Err(failure) = learnt {
                tracing::info!(cause = ?failure.cause, "the names of groups are not known");
            }
        }
        _ = ending.wait_for(|ending| *ending) => {}
    }
}

async fn learn_once(service: &Service) -> Result<(), Failure> {
    let deadline = Instant::now() + PATIENCE;
    service.line.until(deadline, |state| state.connected && state.drained).await?;
    if unnamed_group(service.store.as_ref()).await? {
        // What is told is kept, for whoever asks for a chat from now on.
        service.line.client().groups().list().await.map_err(ending::of_error)?;
    }
    Ok(())
}

async fn unnamed_group(store: &dyn Store) -> Result<bool, Failure> {
    let mut query = ChatQuery::default();
    query.limit = wa_store::MAX_PAGE;
    for chat in store.chats(&query).await? {
        if chat.jid.is_group() && chat.name.is_none() && store.group(&chat.jid).await?.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}
