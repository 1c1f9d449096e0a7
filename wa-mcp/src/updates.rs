//! Subscriptions: who wants to know that a chat has something new.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use rmcp::{
    ErrorData, Peer, RoleServer, model::ResourceUpdatedNotificationParam,
    service::SubscriptionContext,
};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    task::AbortHandle,
};

use crate::{
    account::{Account, Changed},
    resources,
};

/// The most resources a session subscribes to.
const MOST: usize = 1_000;

/// What one session has subscribed to in the older era.
#[derive(Clone, Default)]
pub(crate) struct Subscriptions {
    wanted: Arc<Mutex<Wanted>>,
}

#[derive(Default)]
struct Wanted {
    uris: HashSet<String>,
    teller: Option<AbortHandle>,
}

impl Drop for Wanted {
    fn drop(&mut self) {
        if let Some(teller) = &self.teller {
            teller.abort();
        }
    }
}

impl Subscriptions {
    /// Subscribes to a resource; the account is as whoever began the session may read it.
    pub(crate) fn add(
        &self,
        uri: String,
        peer: &Peer<RoleServer>,
        account: &Account,
    ) -> Result<(), ErrorData> {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted.uris.len() >= MOST {
            let message = format!("a session subscribes to {MOST} resources at most");
            return Err(ErrorData::invalid_params(message, None));
        }
        wanted.uris.insert(uri);
        if wanted.teller.is_none() {
            let changes = account.changes();
            let teller = tokio::spawn(tell(changes, Arc::downgrade(&self.wanted), peer.clone()));
            wanted.teller = Some(teller.abort_handle());
        }
        Ok(())
    }

    /// Subscribes to a resource no longer.
    pub(crate) fn remove(&self, uri: &str) {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).uris.remove(uri);
    }

    /// Tells one subscription of the newer era, until it is cancelled.
    pub(crate) async fn listen(context: SubscriptionContext, account: &Account) {
        let mut changes = account.changes();
        let wanted: HashSet<String> = context
            .accepted()
            .resource_subscriptions
            .clone()
            .unwrap_or_default()
            .into_iter()
            .collect();
        let lists = context.accepted().resources_list_changed == Some(true);
        loop {
            let changed = tokio::select! {
                changed = changes.recv() => changed,
                () = context.cancelled() => return,
            };
            let changed = match changed {
                Ok(changed) => changed,
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            };
            for uri in resources::touched(&changed).into_iter().filter(|uri| wanted.contains(uri)) {
                if context.sink().notify_resource_updated(uri).await.is_err() {
                    return;
                }
            }
            if lists
                && changed.is_message
                && context.sink().notify_resource_list_changed().await.is_err()
            {
                return;
            }
        }
    }
}

/// Tells a client of what it subscribed to, for as long as it is there.
async fn tell(
    mut changes: Receiver<Changed>,
    wanted: std::sync::Weak<Mutex<Wanted>>,
    peer: Peer<RoleServer>,
) {
    loop {
        let changed: Changed = match changes.recv().await {
            Ok(changed) => changed,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        let touched: Vec<String> = {
            let Some(wanted) = wanted.upgrade() else { return };
            let wanted = wanted.lock().unwrap_or_else(PoisonError::into_inner);
            resources::touched(&changed)
                .into_iter()
                .filter(|uri| wanted.uris.contains(uri))
                .collect()
        };
        for uri in touched {
            let updated = ResourceUpdatedNotificationParam::new(uri);
            if peer.notify_resource_updated(updated).await.is_err() {
                return;
            }
        }
    }
}
