//! Opening what was added to a message, once its secret is known.
//!
//! Owns the search for the names under which a key was derived. Whoever sealed may have written
//! either name of either person, phone number or LID, so each is tried.

use wa_addon::{MESSAGE_SECRET_LEN, SecretContext, SecretUse};
use wa_proto::{Jid, Unwrapped, stanza::ChatKind};
use wa_store::{Change, Committed, MessageKey, SealedAddition, StoreError};

use super::{
    own_jids,
    record::{
        Arrival, Recorded, Way,
        sealed::{opened, sealed_in},
    },
};
use crate::{draft::Draft, inner::Inner, publisher::Announcement};

/// Opens what can be opened of what is added to a message, and commits it.
///
/// # Errors
/// The store's; then nothing changed.
pub(super) async fn open(
    inner: &Inner,
    target: &MessageKey,
    announcement: Announcement,
) -> Result<Option<Committed>, StoreError> {
    let Some(own) = own_jids(&inner.account()) else { return Ok(None) };
    let Some(secret) = inner.store.message_secret(target).await? else { return Ok(None) };
    let Ok(key) = <[u8; MESSAGE_SECRET_LEN]>::try_from(secret.secret.as_bytes()) else {
        tracing::warn!(id = target.id.as_str(), "a message's secret has another length");
        return Ok(None);
    };
    let mut originals = names(inner, &[&secret.sender, &target.sender]).await?;
    if target.from_me {
        originals.extend(own.lid.iter().chain([&own.phone]).map(Jid::to_user));
        distinct(&mut originals);
    }
    let mut draft = Draft::new(&*inner.store);
    for sealed in inner.store.sealed(target).await? {
        let mut authors = names(inner, &[&sealed.author]).await?;
        if sealed.from_me {
            authors.extend(own.lid.iter().chain([&own.phone]).map(Jid::to_user));
            distinct(&mut authors);
        }
        let arrival = arrival(&sealed, own.clone());
        let seal = Seal { secret: &key, id: target.id.as_str(), originals: &originals };
        let is_done = apply(&mut draft, &arrival, &sealed, &seal, &authors);
        let (target, author) = (sealed.target, sealed.author);
        let id = sealed.moment.id;
        draft.push(match is_done {
            true => Change::RemoveSealed { target, author, id },
            false => Change::SetSealedTried { target, author, id },
        });
    }
    let changes = draft.into_changes();
    match changes.is_empty() {
        true => Ok(None),
        false => Ok(Some(inner.publisher.commit(changes, announcement).landed().await?)),
    }
}

/// The secret of a message, and under which names it may have been used.
struct Seal<'a> {
    secret: &'a [u8; MESSAGE_SECRET_LEN],
    id: &'a str,
    originals: &'a [Jid],
}

/// Opens one addition and does what it says; whether that is done with.
fn apply(
    draft: &mut Draft<'_>,
    arrival: &Arrival,
    sealed: &SealedAddition,
    seal: &Seal<'_>,
    authors: &[Jid],
) -> bool {
    let Ok(unwrapped) = Unwrapped::decode(sealed.raw.as_bytes().to_vec()) else { return false };
    let Some((payload, uses)) = sealed_in(&unwrapped.content) else { return false };
    let Ok(iv) = <[u8; 12]>::try_from(&*payload.iv) else { return false };
    let plaintext =
        uses.iter().find_map(|secret_use| seal.open(*secret_use, authors, &iv, &payload.payload));
    let Some(plaintext) = plaintext else {
        tracing::info!(id = %arrival.id, "an addition does not open with its message's secret");
        return false;
    };
    let target = sealed.target.clone();
    match opened(draft, arrival, target, &unwrapped, &plaintext) {
        Recorded::Malformed => {
            tracing::info!(id = %arrival.id, "an opened addition says nothing this version knows");
            false
        }
        _ => true,
    }
}

impl Seal<'_> {
    fn open(
        &self,
        secret_use: SecretUse,
        authors: &[Jid],
        iv: &[u8; 12],
        payload: &[u8],
    ) -> Option<Vec<u8>> {
        self.originals.iter().find_map(|original| {
            authors.iter().find_map(|author| {
                let context = SecretContext {
                    secret: self.secret,
                    message_id: self.id,
                    original_sender: original,
                    modification_sender: author,
                    secret_use,
                };
                context.open(iv, payload).ok()
            })
        })
    }
}

/// Every name these people are known by, each once.
async fn names(inner: &Inner, people: &[&Jid]) -> Result<Vec<Jid>, StoreError> {
    let mut names = Vec::new();
    for person in people {
        names.push(person.to_user());
        let other = match person.is_lid() {
            true => inner.store.phone_of(person).await?,
            false => inner.store.lid_of(person).await?,
        };
        names.extend(other);
    }
    distinct(&mut names);
    Ok(names)
}

fn distinct(names: &mut Vec<Jid>) {
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
}

/// The message that brought a sealed addition, as it arrived.
fn arrival(sealed: &SealedAddition, own: wa_proto::stanza::OwnJids) -> Arrival {
    let chat = sealed.target.chat.clone();
    Arrival {
        id: sealed.moment.id.as_str().to_owned(),
        kind: ChatKind::of(&chat),
        chat,
        sender: sealed.author.clone(),
        from_me: sealed.from_me,
        way: Way::Live,
        deletes_as_admin: false,
        timestamp: sealed.moment.at,
        push_name: None,
        own,
    }
}

#[cfg(test)]
mod tests;
