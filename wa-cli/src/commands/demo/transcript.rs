//! The whole conversation, as one archive has it in the end.

use serde_json::json;
use wa_bridge::{Archive, api::MessageView, foreign};
use wa_store::{Seq, Store};

use super::{
    MESSAGES,
    group::Group,
    person::Person,
    stage::{Stage, hold},
};
use crate::{failure::Failure, view::message};

/// Prints what an archive made of all that was written, in the order in which it came.
pub(super) async fn show(
    whose: &Person,
    with: &Person,
    group: &Group,
    stage: &mut Stage,
) -> Result<(), Failure> {
    stage.begin("transcript", &format!("What {}'s archive has", whose.name))?;
    let store: &dyn Store = whose.store.as_ref();
    let messages = store.messages_after(Seq::default(), 100).await?;
    hold(u64::try_from(messages.len()) == Ok(MESSAGES), "the archive has every message once")?;
    let names = [&whose.name, &with.name, group.third_name];
    let width = names.iter().map(|name| name.len()).max().unwrap_or_default();
    let mut views = Vec::new();
    for archived in &messages {
        let view = MessageView::new(archived, &Archive::whole(store)).await?;
        let name = match &view.sender_name {
            _ if view.from_me => whose.name.clone(),
            Some(name) => foreign::plain(name, " "),
            None => "?".to_owned(),
        };
        let state = if view.from_me { view.status.as_str() } else { "" };
        let place = if archived.key.chat == group.jid { "group" } else { "" };
        let (name, dim) = (stage.output().bold(&format!("{name:>width$}")), stage.output());
        let text = message::shown_text(&view);
        stage.say(&format!(
            "{}  {name}  {text}  {}",
            dim.dim(&format!("{place:>5}")),
            dim.dim(state)
        ))?;
        for added in message::added(&view) {
            stage.say(&format!("{:indent$}{}", "", dim.dim(&added), indent = width + 9))?;
        }
        views.push(view);
    }
    let edited = views.iter().filter(|view| view.edited).count();
    let reactions: usize = views.iter().map(|view| view.reactions.len()).sum();
    let polls = views.iter().filter(|view| view.poll.is_some()).count();
    hold(
        [edited, reactions, polls] == [1, 2, 1],
        "edit, reactions and poll are where they belong",
    )?;
    stage.done(json!({ "messages": views }))
}
