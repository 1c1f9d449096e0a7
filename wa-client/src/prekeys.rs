//! The stock of prekeys: what others need to begin a session with this device while it sleeps.

use crate::stanza_handler::StanzaContext;

/// The server told how few one-time prekeys it has left.
pub(crate) fn server_has_few(cx: &StanzaContext, count: usize) {
    tracing::info!(count, state = ?cx.inner.state(), "prekeys left");
}
