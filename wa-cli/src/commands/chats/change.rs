//! `chats …`: what a person does with chats; all devices of the account follow.

use std::time::Duration;

use serde_json::json;
use wa_client::{Chats, Error, MuteFor, Synced};
use wa_proto::{Jid, MessageId};
use wa_store::{MessageQuery, Store};

use crate::{
    account::OpenAccount,
    args::{
        ChatsCommand, ClearArguments, DeleteChatArguments, GlobalArguments, LabelArguments,
        MuteTime, NamedChat, NamedMessage, ReadArguments,
    },
    commands::labels,
    confirm,
    delivery::chat_label,
    failure::Failure,
    output::Output,
    plan,
    session::{self, Session},
};

pub(crate) async fn run(
    command: &ChatsCommand,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    use ChatsCommand as Command;
    let setting = Setting { global, output };
    match command {
        Command::Mute(arguments) => {
            let time = match arguments.time {
                MuteTime::Hours => MuteFor::Time(Duration::from_secs(8 * 60 * 60)),
                MuteTime::Week => MuteFor::Time(Duration::from_secs(7 * 24 * 60 * 60)),
                MuteTime::Always => MuteFor::Ever,
            };
            setting.chat(&arguments.chat, "muted", Change::Mute(time)).await
        }
        Command::Unmute(chat) => setting.chat(chat, "unmuted", Change::Unmute).await,
        Command::Pin(chat) => setting.chat(chat, "pinned", Change::Pin).await,
        Command::Unpin(chat) => setting.chat(chat, "unpinned", Change::Unpin).await,
        Command::Archive(chat) => setting.chat(chat, "archived", Change::Archive).await,
        Command::Unarchive(chat) => setting.chat(chat, "unarchived", Change::Unarchive).await,
        Command::Unread(chat) => setting.chat(chat, "marked as unread", Change::Unread).await,
        Command::Read(arguments) => setting.read(arguments).await,
        Command::Star(message) => setting.star(message, true).await,
        Command::Unstar(message) => setting.star(message, false).await,
        Command::Label(arguments) => setting.label(arguments, true).await,
        Command::Unlabel(arguments) => setting.label(arguments, false).await,
        Command::Clear(arguments) => setting.clear(arguments).await,
        Command::Delete(arguments) => setting.delete(arguments).await,
    }
}

/// What is changed about a whole chat.
#[derive(Debug, Clone, Copy)]
enum Change {
    Mute(MuteFor),
    Unmute,
    Pin,
    Unpin,
    Archive,
    Unarchive,
    Unread,
    Clear { keep_starred: bool },
    Delete,
}

impl Change {
    async fn make(self, chats: &Chats, chat: &Jid) -> Result<Synced, Error> {
        match self {
            Self::Mute(time) => chats.mute(chat, time).await,
            Self::Unmute => chats.unmute(chat).await,
            Self::Pin => chats.pin(chat).await,
            Self::Unpin => chats.unpin(chat).await,
            Self::Archive => chats.archive(chat).await,
            Self::Unarchive => chats.unarchive(chat).await,
            Self::Unread => chats.mark_unread(chat).await,
            Self::Clear { keep_starred } => chats.clear(chat, keep_starred).await,
            Self::Delete => chats.delete(chat).await,
        }
    }
}

/// One change of one chat, and where to tell of it.
struct Setting<'a> {
    global: &'a GlobalArguments,
    output: &'a Output,
}

impl Setting<'_> {
    /// Finds the chat, connects, makes the change and tells of it.
    async fn chat(&self, named: &NamedChat, done: &str, change: Change) -> Result<(), Failure> {
        self.planned(done, async |session, account| {
            let store = account.store.as_ref();
            let chat = plan::known_chat(&named.chat, named.pick, store).await?;
            session.begin().await?;
            let chats = session.client.chats();
            let synced = session.ask(change.make(&chats, &chat)).await?;
            Ok((chat, synced))
        })
        .await
    }

    async fn planned(
        &self,
        done: &str,
        work: impl AsyncFnOnce(&mut Session, &OpenAccount) -> Result<(Jid, Synced), Failure>,
    ) -> Result<(), Failure> {
        let changed = session::with(self.global, async |session, account| {
            let (chat, synced) = work(session, account).await?;
            let state = match synced {
                Synced::Done => "done",
                _ => session.until_synced(account).await?,
            };
            Ok((chat_label(&chat, account.store.as_ref()).await?, chat, state))
        });
        let (label, chat, state) = changed.await?;
        let later = if state == "done" { "" } else { ", as soon as the phone gives the keys" };
        let view =
            json!({ "chat": label, "jid": chat.to_string(), "change": done, "state": state });
        Ok(self.output.result(&view, &format!("{label}: {done}{later}"))?)
    }

    /// Marks a chat as read on all own devices, and tells the senders.
    async fn read(&self, arguments: &ReadArguments) -> Result<(), Failure> {
        self.planned("read", async |session, account| {
            let store = account.store.as_ref();
            let named = &arguments.chat;
            let chat = plan::known_chat(&named.chat, named.pick, store).await?;
            let unread = unread(&chat, store).await?;
            session.begin().await?;
            let client = session.client.clone();
            if !arguments.quietly && !unread.is_empty() {
                session.ask(client.mark_read(&chat, &unread)).await?;
            }
            let chats = client.chats();
            let synced = session.ask(chats.mark_read(&chat)).await?;
            Ok((chat, synced))
        })
        .await
    }

    async fn star(&self, named: &NamedMessage, starred: bool) -> Result<(), Failure> {
        let done = if starred { "starred" } else { "unstarred" };
        self.planned(done, async |session, account| {
            let message = plan::message(named, account.store.as_ref()).await?;
            session.begin().await?;
            let chats = session.client.chats();
            let synced = match starred {
                true => session.ask(chats.star(&message.key)).await?,
                false => session.ask(chats.unstar(&message.key)).await?,
            };
            Ok((message.key.chat, synced))
        })
        .await
    }

    async fn label(&self, arguments: &LabelArguments, labelled: bool) -> Result<(), Failure> {
        let done = if labelled { "labelled" } else { "unlabelled" };
        self.planned(done, async |session, account| {
            let store = account.store.as_ref();
            let named = &arguments.chat;
            let chat = plan::known_chat(&named.chat, named.pick, store).await?;
            let label = labels::find(&arguments.label, store).await?;
            session.begin().await?;
            let chats = session.client.chats();
            let synced = match labelled {
                true => session.ask(chats.label(&chat, &label.id)).await?,
                false => session.ask(chats.unlabel(&chat, &label.id)).await?,
            };
            Ok((chat, synced))
        })
        .await
    }

    async fn clear(&self, arguments: &ClearArguments) -> Result<(), Failure> {
        if !arguments.yes {
            let what = format!("Delete the messages with {}", arguments.chat.chat);
            confirm::ask(&what, self.output).await?;
        }
        let change = Change::Clear { keep_starred: arguments.keep_starred };
        self.chat(&arguments.chat, "cleared", change).await
    }

    async fn delete(&self, arguments: &DeleteChatArguments) -> Result<(), Failure> {
        if !arguments.yes {
            let what = format!("Delete the chat with {}", arguments.chat.chat);
            confirm::ask(&what, self.output).await?;
        }
        self.chat(&arguments.chat, "deleted", Change::Delete).await
    }
}

/// The messages of a chat that wait to be read.
async fn unread(chat: &Jid, store: &dyn Store) -> Result<Vec<MessageId>, Failure> {
    let count = store.chat(chat).await?.map(|chat| chat.unread).unwrap_or_default();
    let mut query = MessageQuery::chat(chat.clone());
    query.filter.from_me = Some(false);
    query.limit = usize::try_from(count).unwrap_or(usize::MAX);
    let messages = store.messages(&query).await?.into_iter();
    Ok(messages.filter_map(|message| MessageId::new(message.key.id.as_str()).ok()).collect())
}
