//! The whole conversation, as one archive has it in the end.

use serde_json::json;
use wa_store::{Seq, Store};

use super::{
    person::Person,
    stage::{Stage, hold},
};
use crate::{failure::Failure, output::foreign};

/// Prints what two people wrote to each other, in the order in which it was archived.
pub(super) async fn show(whose: &Person, with: &Person, stage: &mut Stage) -> Result<(), Failure> {
    stage.begin("transcript", &format!("What {}'s archive has", whose.name))?;
    let messages = whose.store.messages_after(Seq::default(), 100).await?;
    hold(messages.len() == 6, "the archive has every message once")?;
    let width = whose.name.len().max(with.name.len());
    let mut lines = Vec::new();
    for message in &messages {
        let name = if message.key.from_me { &whose.name } else { &with.name };
        let text = foreign::plain(message.text.as_deref().unwrap_or_default(), " ");
        let state = if message.key.from_me { message.status.as_str() } else { "" };
        let state = stage.output().dim(state);
        stage.say(&format!(
            "{}  {text}  {state}",
            stage.output().bold(&format!("{name:>width$}"))
        ))?;
        lines
            .push(json!({ "from": name, "text": message.text, "status": message.status.as_str() }));
    }
    stage.done(json!({ "messages": lines }))
}
