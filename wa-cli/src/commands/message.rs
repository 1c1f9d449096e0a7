//! `react`, `edit`, `delete`, `forward`, `pin`, `unpin`: something about a message that is there.

use std::time::Duration;

use serde_json::json;
use wa_client::{Client, SendMessage, Synced};
use wa_proto::Jid;
use wa_store::{ArchivedMessage, Store};

use super::send::text;
use crate::{
    args::{
        DeleteArguments, DisappearingArguments, EditArguments, ForwardArguments, GlobalArguments,
        NamedMessage, PinArguments, ReactArguments,
    },
    delivery,
    failure::{Cause, Failure},
    output::Output,
    plan, session,
};

pub(crate) async fn react(
    arguments: &ReactArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let emoji = arguments.emoji.as_deref().unwrap_or_default();
    if !arguments.remove && !is_emoji(emoji) {
        return Err(Failure::new(Cause::Usage, format!("{emoji:?} is no emoji"))
            .remedy("write one emoji, such as 👍, or --remove to take a reaction back"));
    }
    say(&arguments.message, global, output, |client, message| client.react(&message.key, emoji))
        .await
}

pub(crate) async fn edit(
    arguments: &EditArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let text = text::read(&arguments.text)?;
    say(&arguments.message, global, output, |client, message| {
        let edit = client.edit(&message.key, text);
        if arguments.even_if_late { edit.even_if_late() } else { edit }
    })
    .await
}

pub(crate) async fn delete(
    arguments: &DeleteArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    if !arguments.for_me {
        let named = &arguments.message;
        return say(named, global, output, |client, message| client.revoke(&message.key)).await;
    }
    let (id, state) = session::with(global, async |session, account| {
        let message = plan::message(&arguments.message, account.store.as_ref()).await?;
        session.begin().await?;
        let chats = session.client.chats();
        let state = match session.ask(chats.delete_for_me(&message.key, true)).await? {
            Synced::Done => "done",
            _ => session.until_synced(account).await?,
        };
        Ok((message.key.id.to_string(), state))
    })
    .await?;
    let view = json!({ "id": id, "change": "deleted", "state": state });
    Ok(output.result(&view, &format!("deleted {id} for this account"))?)
}

pub(crate) async fn pin(
    arguments: &PinArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let lifetime = Duration::from_secs(arguments.lifetime.seconds());
    say(&arguments.message, global, output, |client, message| client.pin(&message.key, lifetime))
        .await
}

pub(crate) async fn unpin(
    message: &NamedMessage,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    say(message, global, output, |client, message| client.unpin(&message.key)).await
}

pub(crate) async fn forward(
    arguments: &ForwardArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let sent = session::with(global, async |session, account| {
        let store = account.store.as_ref();
        let source = plan::message(&arguments.message, store).await?;
        let to: Jid = plan::recipient(&arguments.to, None, store).await?;
        let message = session.client.forward(&source.key, to.clone());
        delivery::deliver(session, &to, message, account).await
    });
    sent.await?.print(output)
}

pub(crate) async fn disappearing(
    arguments: &DisappearingArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let seconds = arguments.lifetime.seconds();
    let sent = session::with(global, async |session, account| {
        let store: &dyn Store = account.store.as_ref();
        let chat = plan::chat(&arguments.chat, store).await?;
        if chat.is_group() {
            return Err(Failure::new(Cause::Usage, "this chat is a group")
                .remedy("use: wa-cli groups settings GROUP --disappearing TIME"));
        }
        let after = (seconds > 0).then(|| Duration::from_secs(seconds.into()));
        let message = session.client.set_disappearing(chat.clone(), after);
        delivery::deliver(session, &chat, message, account).await
    });
    sent.await?.print(output)
}

/// Finds a message and sends something about it, in its chat.
pub(super) async fn say(
    named: &NamedMessage,
    global: &GlobalArguments,
    output: &Output,
    what: impl FnOnce(&Client, &ArchivedMessage) -> SendMessage,
) -> Result<(), Failure> {
    let sent = session::with(global, async |session, account| {
        let target = plan::message(named, account.store.as_ref()).await?;
        let message = what(&session.client, &target);
        delivery::deliver(session, &target.key.chat, message, account).await
    });
    sent.await?.print(output)
}

/// Whether it looks like one emoji: short, and made of none of what words are made of. Digits and
/// signs are parts of some, with the mark that makes an emoji of them.
fn is_emoji(text: &str) -> bool {
    let looks_like_one = |c: char| !c.is_alphabetic() && !c.is_whitespace() && !c.is_control();
    !text.is_empty()
        && text.len() <= MAX_EMOJI_LEN
        && text.chars().all(looks_like_one)
        && !text.is_ascii()
}

/// The longest emoji have some 35 bytes: families, and people of two skin colours.
const MAX_EMOJI_LEN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_signs_are_no_emoji() {
        for emoji in ["👍", "👩‍🚀", "❤️", "1️⃣", "🇬🇧", "👨‍👩‍👧‍👦"]
        {
            assert!(is_emoji(emoji), "{emoji}");
        }
        for text in ["", "ok", "+1", ":)", "👍 yes", "é", "\n", &"👍".repeat(20)] {
            assert!(!is_emoji(text), "{text}");
        }
    }
}
