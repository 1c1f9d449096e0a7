//! The verb `wait_for_ack`: what became of a message that was queued before.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use wa_proto::MessageId;

use super::builder::{ACK_TIMEOUT, Sent};
use crate::{Client, error::Error, inner::Inner, outbox};

impl Client {
    /// Waits until the server has a message that was handed over before, as with
    /// [`SendMessage::queue`](crate::SendMessage::queue), also by an earlier process:
    /// `client.wait_for_ack(&id).timeout(limit).await`.
    ///
    /// The outbox forgets what the server took, so an id that it does not know counts as taken.
    /// The errors are those of [`Client::send`]: the server's reason if it refused the message,
    /// and [`Error::Timeout`], [`Error::NotConnected`] and [`Error::Disconnected`] if it still
    /// waits.
    pub fn wait_for_ack(&self, id: &MessageId) -> WaitForAck {
        WaitForAck { inner: Arc::clone(self.inner()), id: id.clone(), timeout: ACK_TIMEOUT }
    }
}

/// A wait for the server's ack; awaiting it waits.
#[must_use = "nothing is waited for until this is awaited"]
pub struct WaitForAck {
    inner: Arc<Inner>,
    id: MessageId,
    timeout: Duration,
}

impl WaitForAck {
    /// How long to wait; a minute unless said otherwise.
    pub const fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    async fn run(self) -> Result<Sent, Error> {
        let timestamp = outbox::wait_for_ack(&self.inner, &self.id, self.timeout).await?;
        Ok(Sent { id: self.id, timestamp })
    }
}

impl IntoFuture for WaitForAck {
    type Output = Result<Sent, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl std::fmt::Debug for WaitForAck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WaitForAck").field("id", &self.id).finish_non_exhaustive()
    }
}
