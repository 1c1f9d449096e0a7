//! One call of a tool: the account it is about, and the client that waits for it.

use std::{future::Future, time::Duration};

use rmcp::{
    RoleServer,
    model::{ProgressNotificationParam, RequestMetaObject},
    service::RequestContext,
};
use wa_bridge::{Bridge, Failure, Perform, api::Operation};

use crate::account::Account;

/// One call of a tool.
pub(crate) struct ToolCall<'a> {
    pub(crate) account: &'a Account,
    pub(crate) context: &'a RequestContext<RoleServer>,
}

/// How often a client that wants to know is told that something is still under way.
const TICK: Duration = Duration::from_secs(1);

impl ToolCall<'_> {
    /// The way to the account.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn bridge(&self) -> Result<Bridge, Failure> {
        self.account.bridge().await
    }

    /// Asks the account's owner for something.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) async fn ask<O: Perform>(
        &self,
        operation: O,
    ) -> Result<<O as Operation>::Answer, Failure> {
        self.bridge().await?.call(operation).await
    }

    /// Asks for something that takes long: for up to so long, and telling the client that it is
    /// still under way.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) async fn ask_long<O: Perform>(
        &self,
        operation: O,
        limit: Duration,
        what: &str,
    ) -> Result<<O as Operation>::Answer, Failure> {
        let bridge = self.bridge().await?;
        self.with_progress(what, bridge.call_within(operation, limit)).await
    }

    /// Tells the client every second that something is still under way, if it wants to know.
    async fn with_progress<T>(&self, what: &str, work: impl Future<Output = T>) -> T {
        let Some(token) = progress_token(&self.context.meta) else { return work.await };
        let mut work = std::pin::pin!(work);
        let mut ticks = tokio::time::interval(TICK);
        let mut count = 0.0;
        loop {
            tokio::select! {
                done = &mut work => return done,
                _ = ticks.tick() => {
                    let mut progress = ProgressNotificationParam::new(token.clone(), count);
                    progress.message = Some(format!("{what}: {count} s"));
                    count += 1.0;
                    // A client that no longer listens waits for the answer at most.
                    let _ = self.context.peer.notify_progress(progress).await;
                }
            }
        }
    }
}

fn progress_token(meta: &RequestMetaObject) -> Option<rmcp::model::ProgressToken> {
    meta.get_progress_token()
}
