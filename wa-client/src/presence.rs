//! Who is there and who writes: this account's own state, and that of the people it watches.
//!
//! Owns the telling and the asking, which end with each connection and are said again on the next.
//! Knows nothing of what being available changes in receipts.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use wa_proto::{
    Jid,
    stanza::{Activity, ChatState, Presence, chat_state, presence, subscribe_presence},
};
use wa_store::StoreError;

use crate::{
    Client,
    connection::Link,
    error::Error,
    event::{ChatPresenceEvent, Event, PresenceEvent, Typing},
    inner::Inner,
    lid, privacy_token,
};

impl Client {
    /// Shows the account as available (`true`) or not (`false`, as every client begins), now and
    /// after every reconnect of this client.
    ///
    /// While it is available, WhatsApp takes the user to sit in front of this client: **the phone
    /// stops notifying of new messages**, and messages that arrive here count as delivered to the
    /// user. So be available only while somebody looks. Without a connection it takes effect with
    /// the next.
    ///
    /// # Errors
    /// [`Error::NotLinked`]; [`Error::InvalidInput`] while the account has no name known
    /// here, because presence is told under a name.
    pub async fn set_available(&self, available: bool) -> Result<(), Error> {
        set_available(self.inner(), available).await
    }

    /// Asks to be told, by [`Event::Presence`], when somebody comes and goes: now and after every
    /// reconnect of this client. The server tells it only while this account is available itself,
    /// see [`Client::set_available`], and only what the person lets be seen.
    ///
    /// # Errors
    /// [`Error::NotLinked`]; [`Error::InvalidInput`] if it is no person, or more than 1,000 are
    /// watched; the store's.
    pub async fn subscribe_presence(&self, person: &Jid) -> Result<(), Error> {
        subscribe(self.inner(), person).await
    }

    /// Tells a chat that the user writes, records or stopped. It shows there only while this
    /// account is available, and for some seconds unless it is told again.
    ///
    /// # Errors
    /// [`Error::NotLinked`]; [`Error::NotConnected`]; [`Error::InvalidInput`] if nobody can see it
    /// in such a chat; the store's.
    pub async fn set_typing(&self, chat: &Jid, typing: Typing) -> Result<(), Error> {
        set_typing(self.inner(), chat, typing).await
    }
}

/// The people that are watched, the latest last.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    people: Mutex<VecDeque<Jid>>,
}

impl Watched {
    /// Adds a person; false if there is no room.
    fn add(&self, person: &Jid) -> bool {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        if people.contains(person) {
            return true;
        }
        if people.len() >= MAX_WATCHED {
            return false;
        }
        people.push_back(person.clone());
        true
    }

    fn all(&self) -> Vec<Jid> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

async fn set_available(inner: &Inner, available: bool) -> Result<(), Error> {
    let account = inner.account();
    if account.jid.is_none() {
        return Err(Error::NotLinked);
    }
    let Some(name) = account.push_name.as_deref().filter(|name| !name.is_empty()) else {
        return Err(Error::InvalidInput("an account without a name cannot show as available"));
    };
    inner.receipts.set_available(available);
    if let Some(link) = inner.link() {
        // A closed link means that the next login tells it.
        let _ = link.send(&presence(available, name)).await;
    }
    Ok(())
}

/// Tells and asks the server again after a login, which begins every connection as unavailable and
/// with nobody watched.
///
/// # Errors
/// The store's.
pub(crate) async fn restore(inner: &Inner, link: &Link) -> Result<(), StoreError> {
    let account = inner.account();
    if let (true, Some(name)) = (inner.receipts.is_available(), account.push_name.as_deref()) {
        // A closed link shows by itself.
        let _ = link.send(&presence(true, name)).await;
    }
    for person in inner.watched.all() {
        ask(inner, link, &person).await?;
    }
    Ok(())
}

async fn subscribe(inner: &Inner, person: &Jid) -> Result<(), Error> {
    if inner.account().jid.is_none() {
        return Err(Error::NotLinked);
    }
    if !person.is_person() {
        return Err(Error::InvalidInput("only people come and go"));
    }
    let person = lid::canonical(&*inner.store, &person.to_user()).await?;
    if !inner.watched.add(&person) {
        return Err(Error::InvalidInput("1,000 people are watched already"));
    }
    if let Some(link) = inner.link() {
        ask(inner, &link, &person).await?;
    }
    Ok(())
}

async fn ask(inner: &Inner, link: &Link, person: &Jid) -> Result<(), StoreError> {
    // Their LID may have been learnt since.
    let person = lid::canonical(&*inner.store, person).await?;
    let token = privacy_token::of(inner, &person).await?;
    // A closed link means that the next login asks.
    let _ = link.send(&subscribe_presence(&inner.request_id(), &person, token.as_deref())).await;
    Ok(())
}

async fn set_typing(inner: &Inner, chat: &Jid, typing: Typing) -> Result<(), Error> {
    let account = inner.account();
    let phone = account.jid.as_ref().ok_or(Error::NotLinked)?;
    if !chat.is_person() && !chat.is_group() {
        return Err(Error::InvalidInput("nobody sees typing in such a chat"));
    }
    let chat = lid::canonical(&*inner.store, &chat.to_user()).await?;
    let own = account.lid.as_ref().filter(|_| !chat.is_phone()).unwrap_or(phone);
    let activity = match typing {
        Typing::Composing => Activity::Composing,
        Typing::Recording => Activity::Recording,
        Typing::Paused => Activity::Paused,
    };
    let node = chat_state(own, &chat, activity);
    inner.send_node(&node).await.map_err(|_| Error::NotConnected)
}

/// Somebody came or went.
///
/// # Errors
/// The store's.
pub(crate) async fn told(inner: &Inner, presence: Presence) -> Result<(), StoreError> {
    let user = lid::canonical(&*inner.store, &presence.from.to_user()).await?;
    if user.is_person() {
        let Presence { is_available, last_seen, .. } = presence;
        inner.emit(Event::Presence(PresenceEvent { user, is_available, last_seen }));
    }
    Ok(())
}

/// Somebody writes, or stopped.
///
/// # Errors
/// The store's.
pub(crate) async fn typing_told(inner: &Inner, state: ChatState) -> Result<(), StoreError> {
    let chat = lid::canonical(&*inner.store, &state.from.to_user()).await?;
    let by = state.participant.as_ref().unwrap_or(&state.from);
    let by = lid::canonical(&*inner.store, &by.to_user()).await?;
    let typing = match state.activity {
        Activity::Composing => Typing::Composing,
        Activity::Recording => Typing::Recording,
        _ => Typing::Paused,
    };
    inner.emit(Event::ChatPresence(ChatPresenceEvent { chat, by, typing }));
    Ok(())
}

/// The most people that are watched.
const MAX_WATCHED: usize = 1_000;
