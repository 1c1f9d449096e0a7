//! Whom the user blocks.
//!
//! Owns the list: asked for at login, changed by notices and here, and on disk. People are blocked
//! by LID, with their phone number beside it.

use std::sync::Arc;

use wa_proto::{
    Jid,
    request::{Blocklist, BlocklistAnswer, UpdateBlocklist},
    stanza::BlocklistChange,
};
use wa_store::{Change, StoreError};

use super::People;
use crate::{
    connection::Link,
    devices,
    error::Error,
    event::{AccountEvent, Event},
    inner::Inner,
    lid,
    request::REQUEST_TIMEOUT,
};

/// The setting of the store that holds the list.
const SETTING: &str = "block-list";
/// The most people that are kept.
const MAX_BLOCKED: usize = 20_000;

/// The list as it is kept.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct Known {
    hash: Option<String>,
    people: Vec<String>,
}

impl People {
    /// Whom the user blocks, by LID where it is known: asked for at every login, and kept by
    /// notices since.
    ///
    /// # Errors
    /// The store's; those of a request where the list was never told.
    pub async fn blocked(&self) -> Result<Vec<Jid>, Error> {
        if self.inner.store.setting(SETTING).await?.is_none() {
            let link = self.inner.wait_for_link(REQUEST_TIMEOUT).await?;
            refresh(&self.inner, &link).await?;
        }
        let known = known(&self.inner).await?;
        Ok(known.people.iter().filter_map(|jid| jid.parse().ok()).collect())
    }

    /// Blocks somebody, on all devices of the account.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if it is no person; [`Error::NotOnWhatsApp`]; as every request.
    pub async fn block(&self, person: &Jid) -> Result<(), Error> {
        update(&self.inner, person, true).await
    }

    /// Blocks somebody no longer.
    ///
    /// # Errors
    /// As [`People::block`].
    pub async fn unblock(&self, person: &Jid) -> Result<(), Error> {
        update(&self.inner, person, false).await
    }
}

async fn update(inner: &Inner, person: &Jid, block: bool) -> Result<(), Error> {
    if !person.is_person() {
        return Err(Error::InvalidInput("only people can be blocked"));
    }
    let jid = devices::resolve(inner, &person.to_user()).await?;
    let phone = match jid.is_lid() {
        true => inner.store.phone_of(&jid).await?,
        false => None,
    };
    let answer = inner.request(&UpdateBlocklist { jid: jid.clone(), phone, block }).await?;
    // Some servers answer with the whole list, others with nothing.
    if answer.hash.is_some() || !answer.blocked.is_empty() {
        keep(inner, answer).await?;
    } else {
        let mut now = known(inner).await?;
        apply(&mut now, &jid, block);
        put(inner, &now).await?;
    }
    Ok(())
}

/// Asks the server and keeps the answer.
///
/// # Errors
/// The server's or the store's.
pub(crate) async fn refresh(inner: &Inner, link: &Link) -> Result<(), Error> {
    let answer = inner.request_on(link, &Blocklist).await?;
    keep(inner, answer).await?;
    Ok(())
}

async fn keep(inner: &Inner, answer: BlocklistAnswer) -> Result<(), StoreError> {
    let mut now = Known { hash: answer.hash.map(Into::into), people: Vec::new() };
    for person in answer.blocked {
        let person = lid::canonical(&*inner.store, &person.to_user()).await?;
        apply(&mut now, &person, true);
    }
    let before = inner.store.setting(SETTING).await?;
    let old = known(inner).await?;
    if answer.unreadable > 0 {
        // Any of those who were blocked may be among those who cannot be read.
        for person in old.people.iter().filter_map(|person| person.parse().ok()) {
            apply(&mut now, &person, true);
        }
    }
    put(inner, &now).await?;
    // What is learnt for the first time is no change.
    if before.is_some() {
        let gone = old.people.iter().filter(|person| !now.people.contains(person));
        let come = now.people.iter().filter(|person| !old.people.contains(person));
        tell(inner, gone, false);
        tell(inner, come, true);
    }
    Ok(())
}

fn tell<'a>(inner: &Inner, people: impl Iterator<Item = &'a String>, is_blocked: bool) {
    for person in people.filter_map(|person| person.parse().ok()) {
        inner.emit(Event::Account(AccountEvent::Blocked { person, is_blocked }));
    }
}

/// Another device of the account blocked people, or no longer. Where the list here is not the one
/// that changed, it is asked for again.
///
/// # Errors
/// The store's.
pub(crate) async fn told(inner: &Arc<Inner>, change: &BlocklistChange) -> Result<(), StoreError> {
    if changed(inner, change).await? {
        return Ok(());
    }
    let shared = Arc::clone(inner);
    inner.spawn(async move {
        let Some(link) = shared.link() else { return };
        if let Err(error) = refresh(&shared, &link).await {
            tracing::warn!(%error, "the block list is not known anew");
        }
    });
    Ok(())
}

async fn changed(inner: &Inner, change: &BlocklistChange) -> Result<bool, StoreError> {
    let mut now = known(inner).await?;
    let is_same =
        change.previous_hash.is_none() || now.hash.as_deref() == change.previous_hash.as_deref();
    if change.items.is_empty() || !is_same {
        return Ok(false);
    }
    for (person, is_blocked) in &change.items {
        let person = lid::canonical(&*inner.store, &person.to_user()).await?;
        if apply(&mut now, &person, *is_blocked) {
            let is_blocked = *is_blocked;
            inner.emit(Event::Account(AccountEvent::Blocked { person, is_blocked }));
        }
    }
    now.hash = change.hash.as_ref().map(ToString::to_string);
    put(inner, &now).await?;
    Ok(true)
}

/// Adds or removes a person; whether that changed anything.
fn apply(known: &mut Known, person: &Jid, block: bool) -> bool {
    let name = person.to_string();
    let before = known.people.len();
    known.people.retain(|other| *other != name);
    let was_there = known.people.len() != before;
    if block && known.people.len() < MAX_BLOCKED {
        known.people.push(name);
    }
    was_there != block
}

async fn known(inner: &Inner) -> Result<Known, StoreError> {
    let kept = inner.store.setting(SETTING).await?;
    Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default())
}

async fn put(inner: &Inner, known: &Known) -> Result<(), StoreError> {
    let value = serde_json::to_vec(known).ok();
    inner.store.commit(Change::PutSetting { name: SETTING.to_owned(), value }.into()).await?;
    Ok(())
}
