//! `outbox`: what became of a message that was sent.

use serde_json::Value;
use wa_bridge::api::SentGet;

use crate::{args::OutboxArguments, failure::Failure, session::Session};

pub(crate) async fn run(arguments: &OutboxArguments, session: &Session<'_>) -> Result<(), Failure> {
    let view = session.call(SentGet { id: arguments.id.clone() }).await?;
    let status = match serde_json::to_value(view.status) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    };
    let reason = view.reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    let text = format!("{} to {}: {status}{reason}", view.id, view.chat);
    session.output.result(&view, &text)
}
