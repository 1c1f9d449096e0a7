//! How bytes travel to and from the media hosts.
//!
//! Owns the trait, and what is asked and answered over it: one HTTP exchange, whose bodies are
//! streams in both directions. Knows nothing of tokens, keys and retries.

use std::{fmt, io, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

/// Makes exchanges with media hosts: over HTTPS by default, in the process in simulations.
#[async_trait]
pub trait MediaTransport: fmt::Debug + Send + Sync {
    /// Sends one request and gives the head of its answer. Whoever drops the answer ends the
    /// exchange.
    ///
    /// # Errors
    /// [`TransportError`]; another host, or a later time, may do better.
    async fn exchange(&self, request: MediaRequest) -> Result<MediaResponse, TransportError>;
}

/// What is done on a media host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaMethod {
    /// Fetches a blob.
    Get,
    /// Uploads one, or asks how much of it is there.
    Post,
    /// Removes one.
    Delete,
}

/// A request to a media host.
#[non_exhaustive]
pub struct MediaRequest {
    /// What is done.
    pub method: MediaMethod,
    /// The host's name, with a port if it is not 443.
    pub host: String,
    /// Path and query, from the first slash on. It may hold a token: it is not to be logged.
    pub target: String,
    /// What is uploaded; `None` for an empty body.
    pub body: Option<MediaBody>,
}

impl MediaRequest {
    pub(crate) const fn new(method: MediaMethod, host: String, target: String) -> Self {
        Self { method, host, target, body: None }
    }
}

impl fmt::Debug for MediaRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaRequest").field("method", &self.method).finish_non_exhaustive()
    }
}

/// The body of an upload.
#[non_exhaustive]
pub struct MediaBody {
    /// Its length in bytes.
    pub length: u64,
    /// Its pieces, one after the other.
    pub pieces: BoxStream<'static, io::Result<Bytes>>,
}

impl fmt::Debug for MediaBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaBody").field("length", &self.length).finish_non_exhaustive()
    }
}

/// A media host's answer.
#[non_exhaustive]
pub struct MediaResponse {
    /// The HTTP status.
    pub status: u16,
    /// How long the host asks to wait (`Retry-After`, in seconds).
    pub retry_after: Option<Duration>,
    /// The length of the body in bytes, as far as the host tells it.
    pub length: Option<u64>,
    /// The pieces of the body.
    pub pieces: BoxStream<'static, Result<Bytes, TransportError>>,
}

impl MediaResponse {
    /// An answer with this status and body.
    pub fn new(
        status: u16,
        length: Option<u64>,
        pieces: BoxStream<'static, Result<Bytes, TransportError>>,
    ) -> Self {
        Self { status, retry_after: None, length, pieces }
    }

    /// With the time the host asks to wait.
    #[must_use]
    pub const fn retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }
}

impl fmt::Debug for MediaResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaResponse")
            .field("status", &self.status)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// A host cannot be reached, or the exchange broke off.
#[derive(Debug, thiserror::Error)]
#[error("the media host cannot be reached, or the exchange broke off")]
pub struct TransportError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl TransportError {
    /// With its cause, which must not tell the request's path.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}
