//! What happens between the server's `<success>` and the first message, in strict order.

use wa_proto::OwnedNode;

use crate::{connection::Ending, event::Event, inner::State, stanza_handler::StanzaContext};

/// Logs in.
pub(crate) async fn run(cx: &StanzaContext, success: &OwnedNode) -> Result<(), Ending> {
    if let Some(t) = success.attrs.number("t") {
        cx.inner.clock.learn_server_time(t);
    }
    cx.inner.publish_link(Some(cx.link.clone()));
    cx.inner.enter(State::Connected);
    cx.inner.emit(Event::Connected);
    Ok(())
}
