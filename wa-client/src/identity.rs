//! People who were set up anew: their sessions are void.
//!
//! Owns what is forgotten then, and the damping of repeated notices. Knows nothing of how a new
//! session begins.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use wa_proto::Jid;
use wa_store::{Change, StoreError};

use crate::{
    draft::end_sessions, event::Event, inner::Inner, lid, privacy_token, receive::own_jids,
    send::sender_key,
};

/// Repeated notices about the same person within this time count as one.
const DEBOUNCE: Duration = Duration::from_secs(10);
/// How many people the damping remembers.
const MAX_REMEMBERED: usize = 256;

/// When whose identity changed last.
#[derive(Debug, Default)]
pub(crate) struct IdentityNotices {
    last: Mutex<HashMap<Jid, Instant>>,
}

impl IdentityNotices {
    /// Whether a notice about this person is news now.
    pub(crate) fn is_news(&self, person: &Jid, now: Instant) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.retain(|_, at| now.duration_since(*at) < DEBOUNCE);
        if last.contains_key(person) || last.len() >= MAX_REMEMBERED {
            return !last.contains_key(person);
        }
        last.insert(person.clone(), now);
        true
    }
}

/// The server tells that somebody was set up anew: the sessions with all their devices go, under
/// phone number and LID alike. A notice from a companion device, or about this account, says
/// nothing about anybody's phone.
///
/// # Errors
/// The store's.
pub(crate) async fn changed(inner: &Arc<Inner>, user: &Jid, from: &Jid) -> Result<(), StoreError> {
    let Some(own) = own_jids(&inner.account()) else { return Ok(()) };
    if from.device != 0 || own.is_me(user) || !user.is_person() {
        return Ok(());
    }
    let person = lid::canonical(&*inner.store, &user.to_user()).await?;
    if !inner.identity_notices.is_news(&person, Instant::now()) {
        return Ok(());
    }
    let alternative = match person.is_lid() {
        true => inner.store.phone_of(&person).await?,
        false => None,
    };
    let people: Vec<Jid> = [person.clone()].into_iter().chain(alternative.clone()).collect();
    let status = Jid::status();
    let _key = inner.locks.sender_key(status.clone()).await;
    let _held = lid::lock_people(inner, &people).await;
    // Who was set up anew, or took somebody's place, is to read no earlier key's posts.
    let mut changes = sender_key::end(inner, &status).await?;
    for address in [Some(&person), alternative.as_ref()].into_iter().flatten() {
        for device in inner.store.session_devices(address).await? {
            let ended =
                end_sessions(&*inner.store, device.clone(), |record| record.replace_identity());
            changes.extend(ended.await?);
            changes.push(Change::ForgetSenderKeyHolder(device));
        }
        changes.push(Change::VoidIdentitiesOfUser(address.clone()));
        changes.push(Change::DeleteDeviceList(address.clone()));
    }
    inner.store.commit(changes).await?;
    inner.emit(Event::IdentityChanged { user: person.clone(), implicit: false });
    privacy_token::issue_again(inner, person);
    Ok(())
}

/// Tells the user whose identity a commit replaced.
pub(crate) fn announce(inner: &Inner, people: impl IntoIterator<Item = Jid>) {
    for user in people {
        inner.emit(Event::IdentityChanged { user, implicit: true });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_notices_within_moments_are_one() {
        let notices = IdentityNotices::default();
        let (ada, now) = (Jid::lid("7"), Instant::now());
        assert!(notices.is_news(&ada, now));
        assert!(!notices.is_news(&ada, now + Duration::from_secs(1)));
        assert!(notices.is_news(&Jid::lid("8"), now + Duration::from_secs(1)));
        assert!(notices.is_news(&ada, now + DEBOUNCE));
    }
}
