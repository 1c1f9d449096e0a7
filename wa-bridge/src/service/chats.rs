//! Conversations: listing them and changing how they are shown.

use std::{collections::HashMap, time::Duration};

use wa_client::{Client, Error, MuteFor, Synced};
use wa_proto::{Jid, MessageId};
use wa_store::{Chat, ChatQuery, Label, MessageQuery, Seq, Store};

use super::{
    Call, Perform,
    account::{Quiet, settle},
    call::page,
};
use crate::{
    Archive,
    api::{ArrangedView, ChatArrange, ChatChange, ChatDelete, ChatGet, ChatList, ListedChat},
    failure::{Cause, Failure, remedy},
    shown::Shown,
    view::{ChatView, chat_label},
};

/// How long a change waits for the account's other devices to be told.
pub(super) const SYNC_TIME: Duration = Duration::from_secs(10);

impl Perform for ChatList {
    async fn perform(self, call: &Call<'_>) -> Result<Vec<ListedChat>, Failure> {
        let with = match &self.with {
            Some(person) => Some(call.person(person).await?),
            None => None,
        };
        let (archive, limit) = (call.archive(), page(self.limit, 50));
        let mut skip = usize::try_from(self.offset).unwrap_or(usize::MAX);
        let mut query = ChatQuery::default();
        query.text.clone_from(&self.query);
        query.archived = self.archived;
        query.unread_only = self.unread_only;
        query.limit = wa_store::MAX_PAGE;
        let mut listed = Vec::new();
        'pages: loop {
            let chats = archive.chats(query.clone()).await?;
            let is_last = chats.len() < query.limit;
            query.offset += chats.len();
            for chat in chats {
                if listed.len() >= limit {
                    break 'pages;
                }
                let wanted = match &with {
                    Some(person) => is_with(&chat, person, &archive).await?,
                    None => true,
                };
                if wanted && skip > 0 {
                    skip -= 1;
                } else if wanted {
                    listed.push(chat);
                }
            }
            if is_last {
                break;
            }
        }
        views(&listed, self.last_message, call).await
    }
}

/// Whether a person is in a chat: it is their own, or a group that is known to have them.
async fn is_with(chat: &Chat, person: &Jid, archive: &Archive<'_>) -> Result<bool, Failure> {
    if !chat.jid.is_group() {
        return Ok(chat.jid == *person || chat.phone.as_ref() == Some(person));
    }
    if let Some(group) = archive.store().group(&chat.jid).await? {
        return Ok(group.participants.iter().any(|participant| {
            participant.jid == *person || participant.phone.as_ref() == Some(person)
        }));
    }
    let mut query = MessageQuery::chat(chat.jid.clone());
    query.filter.sender = Some(person.clone());
    query.limit = 1;
    Ok(!archive.messages(query).await?.is_empty())
}

/// Chats as they are given, with their newest messages if those are wanted.
async fn views(
    chats: &[Chat],
    last_messages: bool,
    call: &Call<'_>,
) -> Result<Vec<ListedChat>, Failure> {
    let store = call.store();
    let newest: Vec<Seq> = match last_messages {
        true => chats.iter().filter_map(|chat| chat.last_message).map(|(seq, _)| seq).collect(),
        false => Vec::new(),
    };
    let messages = call.hand_out(&store.messages_at(&newest).await?).await?;
    let mut messages: HashMap<u64, _> =
        messages.into_iter().map(|message| (message.seq, Box::new(message))).collect();
    let views = ChatView::all(chats, store).await?.into_iter().zip(chats);
    Ok(views
        .map(|(view, chat)| ListedChat {
            chat: view,
            last_message: chat.last_message.and_then(|(seq, _)| messages.remove(&seq.0)),
        })
        .collect())
}

impl Perform for ChatGet {
    async fn perform(self, call: &Call<'_>) -> Result<ListedChat, Failure> {
        let jid = call.chat(&self.chat).await?;
        let (store, archive) = (call.store(), call.archive());
        let chat = archive.chat(&jid).await?.unwrap_or_else(|| Chat::new(jid));
        let newest: Vec<Seq> = chat.last_message.map(|(seq, _)| seq).into_iter().collect();
        let mut messages = call.hand_out(&store.messages_at(&newest).await?).await?;
        let last_message = messages.pop().map(Box::new);
        Ok(ListedChat { chat: ChatView::new(&chat, store).await?, last_message })
    }
}

impl Perform for ChatArrange {
    async fn perform(self, call: &Call<'_>) -> Result<ArrangedView, Failure> {
        let chat = call.chat(&self.chat).await?;
        let label = match &self.change {
            ChatChange::Label { label } | ChatChange::Unlabel { label } => {
                find_label(label, call.store()).await?.id
            }
            _ => String::new(),
        };
        if let ChatChange::Read { quietly: false } = self.change {
            // Whoever wrote there is told that it was read.
            call.may_write_to_all(std::slice::from_ref(&chat)).await?;
        }
        let unread = match self.change {
            ChatChange::Read { quietly: false } => unread(&chat, call.store()).await?,
            _ => Vec::new(),
        };
        let client = call.online().await?;
        if !unread.is_empty() {
            call.ask(client.mark_read(&chat, &unread)).await?;
        }
        let synced = call.ask(change(&client, &chat, &self.change, &label)).await?;
        arranged(call, &chat, done(&self.change), synced).await
    }
}

async fn change(
    client: &Client,
    chat: &Jid,
    change: &ChatChange,
    label: &str,
) -> Result<Synced, Error> {
    let chats = client.chats();
    match change {
        ChatChange::Mute { seconds: None } => chats.mute(chat, MuteFor::Ever).await,
        ChatChange::Mute { seconds: Some(seconds) } => {
            chats.mute(chat, MuteFor::Time(Duration::from_secs(*seconds))).await
        }
        ChatChange::Unmute => chats.unmute(chat).await,
        ChatChange::Pin => chats.pin(chat).await,
        ChatChange::Unpin => chats.unpin(chat).await,
        ChatChange::Archive => chats.archive(chat).await,
        ChatChange::Unarchive => chats.unarchive(chat).await,
        ChatChange::Read { .. } => chats.mark_read(chat).await,
        ChatChange::Unread => chats.mark_unread(chat).await,
        ChatChange::Label { .. } => chats.label(chat, label).await,
        ChatChange::Unlabel { .. } => chats.unlabel(chat, label).await,
    }
}

const fn done(change: &ChatChange) -> &'static str {
    match change {
        ChatChange::Mute { .. } => "muted",
        ChatChange::Unmute => "unmuted",
        ChatChange::Pin => "pinned",
        ChatChange::Unpin => "unpinned",
        ChatChange::Archive => "archived",
        ChatChange::Unarchive => "unarchived",
        ChatChange::Read { .. } => "read",
        ChatChange::Unread => "marked as unread",
        ChatChange::Label { .. } => "labelled",
        ChatChange::Unlabel { .. } => "unlabelled",
    }
}

impl Perform for ChatDelete {
    async fn perform(self, call: &Call<'_>) -> Result<ArrangedView, Failure> {
        if self.keep_starred && !self.keep_chat {
            return Err(Failure::new(Cause::Usage, "a chat that is deleted keeps no messages")
                .remedy("set keep_chat besides keep_starred"));
        }
        let chat = call.chat(&self.chat).await?;
        let what = if self.keep_chat { "empty the chat" } else { "delete the chat" };
        let bound = [u8::from(self.keep_chat), u8::from(self.keep_starred)];
        call.agree_to_delete(&chat, Shown::new(what), bound.to_vec()).await?;
        let client = call.online().await?;
        let chats = client.chats();
        let (synced, done) = match self.keep_chat {
            true => (call.ask(chats.clear(&chat, self.keep_starred)).await?, "cleared"),
            false => (call.ask(chats.delete(&chat)).await?, "deleted"),
        };
        arranged(call, &chat, done, synced).await
    }
}

/// Tells of a change, after waiting a short while until the other devices know of it.
pub(super) async fn arranged(
    call: &Call<'_>,
    chat: &Jid,
    done: &str,
    synced: Synced,
) -> Result<ArrangedView, Failure> {
    let store = call.store();
    if synced != Synced::Done {
        settle(call, SYNC_TIME, Quiet::Settings).await?;
    }
    let is_told = synced == Synced::Done || Quiet::Settings.holds(store).await?;
    let state = if is_told { "done" } else { "queued" };
    Ok(ArrangedView {
        chat: chat_label(chat, store).await?,
        jid: chat.to_string(),
        change: done.to_owned(),
        state: state.to_owned(),
    })
}

/// A label by its id or its name.
pub(super) async fn find_label(named: &str, store: &dyn Store) -> Result<Label, Failure> {
    let labels = store.labels().await?;
    let wanted = named.to_lowercase();
    let by_id = labels.iter().find(|label| label.id == named);
    let found = by_id.or_else(|| labels.iter().find(|label| label.name.to_lowercase() == wanted));
    found.cloned().ok_or_else(|| {
        Failure::new(Cause::NotFound, format!("there is no label {named:?}")).remedy(remedy::LABELS)
    })
}

/// The messages of a chat that wait to be read.
async fn unread(chat: &Jid, store: &dyn Store) -> Result<Vec<MessageId>, Failure> {
    let count = store.chat(chat).await?.map(|chat| chat.unread).unwrap_or_default();
    if count == 0 {
        return Ok(Vec::new());
    }
    let mut query = MessageQuery::chat(chat.clone());
    query.filter.from_me = Some(false);
    query.limit = usize::try_from(count).unwrap_or(usize::MAX);
    let messages = store.messages(&query).await?.into_iter();
    Ok(messages.filter_map(|message| MessageId::new(message.key.id.as_str()).ok()).collect())
}
