//! People who were set up anew: their sessions are void.
//!
//! Owns what is forgotten then. Knows nothing of how a new session begins.

use std::sync::Arc;

use tokio::time::Instant;
use wa_proto::Jid;
use wa_store::{Change, StoreError};

use crate::{
    draft::end_sessions, event::Event, inner::Inner, lid, privacy_token, receive::own_jids,
    send::sender_key,
};

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
    for address in people.iter().flat_map(lid::with_hosted) {
        for device in inner.store.session_devices(&address).await? {
            let ended =
                end_sessions(&*inner.store, device.clone(), |record| record.replace_identity());
            changes.extend(ended.await?);
            changes.push(Change::ForgetSenderKeyHolder(device));
        }
        changes.push(Change::VoidIdentitiesOfUser(address.clone()));
        changes.push(Change::DeleteDeviceList(address));
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
