//! Messages as they come into the archive, each once.

use jiff::tz::TimeZone;
use serde::Serialize;
use wa_store::{Seq, Store};

use crate::{failure::Failure, output::Output, view::MessageView};

/// A new message in `--json`.
#[derive(Debug, Serialize)]
struct MessageTold {
    event: &'static str,
    message: MessageView,
}

/// What the archive has that was not shown yet.
pub(super) struct NewMessages {
    shown: Seq,
    zone: TimeZone,
}

impl NewMessages {
    /// Everything after this one.
    pub(super) fn after(shown: Seq) -> Self {
        Self { shown, zone: TimeZone::system() }
    }

    /// Shows what is new.
    pub(super) async fn print(
        &mut self,
        store: &dyn Store,
        output: &Output,
    ) -> Result<(), Failure> {
        loop {
            let messages = store.messages_after(self.shown, PAGE).await?;
            let Some(last) = messages.last().map(|message| message.seq) else { return Ok(()) };
            for message in &messages {
                let view = MessageView::new(message, store).await?;
                if output.json {
                    output.object(&MessageTold { event: "message", message: view })?;
                } else {
                    output.text(&view.line(message, &view.shown_text(), output, &self.zone))?;
                }
            }
            self.shown = last;
        }
    }
}

/// How many messages are read at once.
const PAGE: usize = 100;
