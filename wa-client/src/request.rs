//! Requests to the server: an `iq`, and the `iq` that answers it.
//!
//! Owns ids, time-outs and the errors. What is asked is said by the typed requests of `wa-proto`;
//! how bytes travel is the connection's business.

pub(crate) mod budget;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use wa_proto::stanza::{IqError, ParseError};

/// A request got no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// There is no connection, and none is being made.
    #[error("not connected")]
    NotConnected,
    /// The connection ended before the answer came, twice.
    #[error("the connection ended before the answer came")]
    Disconnected,
    /// No answer came in time.
    #[error("no answer within {} seconds", .0.as_secs())]
    Timeout(Duration),
    /// This device is no longer linked.
    #[error("this device is no longer linked")]
    LoggedOut,
    /// The work at hand is to do without the server's answers.
    #[error("the server is not to be asked now")]
    NotAsked,
    /// Too many requests of this client wait for their turn already.
    #[error("too many requests of this client wait for their turn already")]
    TooMany,
    /// The server refuses the request.
    #[error(transparent)]
    Refused(#[from] IqError),
    /// The answer is not what the protocol says.
    #[error("the answer cannot be read: {0}")]
    Answer(#[from] ParseError),
}

/// Makes ids that no other client instance makes: a random prefix and a counter.
#[derive(Debug)]
pub(crate) struct RequestIds {
    prefix: String,
    next: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new(random: u32) -> Self {
        let [a, b] = [random >> 16, random & 0xffff];
        Self { prefix: format!("{a}.{b}-"), next: AtomicU64::new(1) }
    }

    pub(crate) fn next(&self) -> String {
        format!("{}{}", self.prefix, self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// How long an answer may take.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(75);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_never_repeat_within_a_client() {
        let ids = RequestIds::new(0x0001_0002);
        assert_eq!([ids.next(), ids.next()], ["1.2-1", "1.2-2"]);
    }
}
