//! Which phone number and which LID are the same person, and the address that keys hang on.
//!
//! Owns the choice of the canonical address and the act of learning a pair. Knows nothing of where
//! a pair was told. The LID is canonical: sessions, identities and sender keys are kept under it
//! as soon as it is known, and what was kept under the phone number before moves over once.

use std::collections::BTreeSet;

use wa_proto::{Jid, Server};
use wa_store::{Change, Changes, Store, StoreError};

use crate::{event::Event, inner::Inner, locks::Guard};

/// The address under which a device's keys are kept: by LID where it is known, else as given.
/// Whatever is no person stays as it is.
///
/// # Errors
/// The store's.
pub(crate) async fn canonical(store: &dyn Store, jid: &Jid) -> Result<Jid, StoreError> {
    if !jid.is_phone() {
        return Ok(Jid { agent: 0, ..jid.clone() });
    }
    let phone = Jid::phone(jid.user.clone());
    Ok(match store.lid_of(&phone).await? {
        Some(lid) => as_lid(jid, &lid),
        None => Jid { server: phone_server(&jid.server), agent: 0, ..jid.clone() },
    })
}

/// The addresses under which the keys of several devices are kept, in the same order.
///
/// # Errors
/// The store's.
pub(crate) async fn canonical_all(store: &dyn Store, jids: &[Jid]) -> Result<Vec<Jid>, StoreError> {
    let phones: Vec<Jid> =
        jids.iter().filter(|jid| jid.is_phone()).map(|jid| Jid::phone(jid.user.clone())).collect();
    let lids = match phones.is_empty() {
        true => std::collections::HashMap::new(),
        false => store.lids_of(&phones).await?,
    };
    let one = |jid: &Jid| match lids.get(&Jid::phone(jid.user.clone())) {
        Some(lid) if jid.is_phone() => as_lid(jid, lid),
        _ if jid.is_phone() => Jid { server: phone_server(&jid.server), agent: 0, ..jid.clone() },
        _ => Jid { agent: 0, ..jid.clone() },
    };
    Ok(jids.iter().map(one).collect())
}

/// The same device by LID.
fn as_lid(device: &Jid, lid: &Jid) -> Jid {
    let hosted = device.server == Server::Hosted;
    let server = if hosted { Server::HostedLid } else { Server::Lid };
    Jid::new(lid.user.clone(), server).with_device(device.device)
}

fn phone_server(server: &Server) -> Server {
    match server {
        Server::Hosted => Server::Hosted,
        _ => Server::User,
    }
}

/// A person without device, in the name space of ordinary people: the name of the lock under
/// which their sessions advance.
pub(crate) fn person(jid: &Jid) -> Jid {
    let server = if jid.is_lid() { Server::Lid } else { Server::User };
    Jid::new(jid.user.clone(), server)
}

/// The two name spaces in which a person's devices stand: ordinary ones, and those that are hosted.
pub(crate) fn with_hosted(person: &Jid) -> [Jid; 2] {
    let hosted = if person.is_lid() { Server::HostedLid } else { Server::Hosted };
    [self::person(person), Jid::new(person.user.clone(), hosted)]
}

/// Sorts two addresses of one person into phone number and LID; `None` if they are not that.
pub(crate) fn pair(one: &Jid, other: &Jid) -> Option<(Jid, Jid)> {
    let is_pair = |phone: &Jid, lid: &Jid| phone.is_phone() && lid.is_lid();
    let (phone, lid) = match (one, other) {
        (phone, lid) if is_pair(phone, lid) => (phone, lid),
        (lid, phone) if is_pair(phone, lid) => (phone, lid),
        _ => return None,
    };
    Some((person(phone), person(lid)))
}

/// Notes that two addresses are one person's. The first time, everything under the phone number
/// moves to the LID, in one commit and while no session of theirs advances; what the LID already
/// has wins. Whether it was news.
///
/// # Errors
/// The store's.
pub(crate) async fn learn(inner: &Inner, one: &Jid, other: &Jid) -> Result<bool, StoreError> {
    let Some((phone, lid)) = pair(one, other) else { return Ok(false) };
    if is_known(&*inner.store, &phone, &lid).await? {
        return Ok(false);
    }
    let _unused = lock_people(inner, &[phone.clone(), lid.clone()]).await;
    let earlier = inner.store.lid_of(&phone).await?;
    let changes = Changes::from(Change::LearnLid { phone: phone.clone(), lid: lid.clone() })
        .with(Change::MigrateToLid { phone: phone.clone(), lid });
    inner.store.commit(changes).await?;
    tracing::debug!("learnt the LID of a person");
    announce_if_moved(inner, phone, earlier.is_some());
    Ok(true)
}

/// Whether [`learn`] would have nothing to do.
///
/// # Errors
/// The store's.
pub(crate) async fn is_known(
    store: &dyn Store,
    one: &Jid,
    other: &Jid,
) -> Result<bool, StoreError> {
    match pair(one, other) {
        Some((phone, lid)) => Ok(store.lid_of(&phone).await?.as_ref() == Some(&lid)),
        None => Ok(true),
    }
}

/// Notes of many people at once which addresses are theirs, some at a time in one commit; otherwise
/// as [`learn`]. Whether any was news.
///
/// # Errors
/// The store's.
pub(crate) async fn learn_all(inner: &Inner, pairs: &[(&Jid, &Jid)]) -> Result<bool, StoreError> {
    let learnt = learn_some(inner, pairs, Waiting::Allowed).await?;
    Ok(learnt == Learnt::News)
}

/// The same for whoever holds some people's sessions and must not wait for others: false if somebody
/// uses sessions that would have to move.
///
/// # Errors
/// The store's.
pub(crate) async fn try_learn_all(
    inner: &Inner,
    pairs: &[(&Jid, &Jid)],
) -> Result<bool, StoreError> {
    Ok(learn_some(inner, pairs, Waiting::Forbidden).await? != Learnt::Busy)
}

/// Whether sessions may be waited for that somebody uses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waiting {
    Allowed,
    Forbidden,
}

/// What became of pairs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Learnt {
    News,
    Nothing,
    /// Somebody uses sessions that would have to move.
    Busy,
}

async fn learn_some(
    inner: &Inner,
    pairs: &[(&Jid, &Jid)],
    waiting: Waiting,
) -> Result<Learnt, StoreError> {
    let pairs: Vec<(Jid, Jid)> = pairs.iter().filter_map(|(one, other)| pair(one, other)).collect();
    let mut learnt = Learnt::Nothing;
    for some in pairs.chunks(LEARNT_AT_ONCE) {
        let phones: Vec<Jid> = some.iter().map(|(phone, _)| phone.clone()).collect();
        let known = inner.store.lids_of(&phones).await?;
        let news: Vec<_> =
            some.iter().filter(|(phone, lid)| known.get(phone) != Some(lid)).cloned().collect();
        if news.is_empty() {
            continue;
        }
        let moved: Vec<Jid> = news
            .iter()
            .map(|(phone, _)| phone)
            .filter(|phone| known.contains_key(*phone))
            .cloned()
            .collect();
        let mut people = Vec::with_capacity(news.len() * 2);
        for (phone, lid) in &news {
            people.extend([phone.clone(), lid.clone()]);
        }
        let _unused = match waiting {
            Waiting::Allowed => vec![lock_people(inner, &people).await],
            Waiting::Forbidden => match try_people(inner, &people) {
                Some(unused) => unused,
                None => return Ok(Learnt::Busy),
            },
        };
        let mut changes = Changes::new();
        for (phone, lid) in news {
            changes.push(Change::LearnLid { phone: phone.clone(), lid: lid.clone() });
            changes.push(Change::MigrateToLid { phone, lid });
        }
        inner.store.commit(changes).await?;
        moved.into_iter().for_each(|phone| announce_if_moved(inner, phone, true));
        learnt = Learnt::News;
    }
    Ok(learnt)
}

/// The session locks of these people, if nobody has any of them.
fn try_people(inner: &Inner, people: &[Jid]) -> Option<Vec<Guard>> {
    let people: BTreeSet<Jid> = people.iter().map(person).collect();
    people.into_iter().map(|person| inner.locks.try_session(person)).collect()
}

/// Tells that a phone number is somebody else's from now on: what is written to it is encrypted for
/// them, and of whom they are, the server's word is all there is.
fn announce_if_moved(inner: &Inner, phone: Jid, had_lid: bool) {
    if had_lid {
        tracing::warn!("a phone number belongs to another LID than before");
        inner.emit(Event::IdentityChanged { user: phone, implicit: false });
    }
}

/// How many pairs are learnt in one commit.
const LEARNT_AT_ONCE: usize = 100;

/// Takes the session locks of these people. Whoever uses a session takes a [`crate::encryption::Turn`]
/// instead, in which addresses stay what they are.
pub(crate) async fn lock_people(inner: &Inner, people: &[Jid]) -> Guard {
    inner.locks.sessions(people.iter().map(person).collect()).await
}

#[cfg(test)]
mod tests {
    use wa_store::MemoryStore;

    use super::*;

    #[test]
    fn a_pair_is_recognised_whichever_comes_first() {
        let (phone, lid) = (Jid::phone("1555").with_device(2), Jid::lid("77").with_device(2));
        let expected = Some((Jid::phone("1555"), Jid::lid("77")));
        assert_eq!(pair(&phone, &lid), expected);
        assert_eq!(pair(&lid, &phone), expected);
        assert_eq!(pair(&lid, &lid), None);
        assert_eq!(pair(&phone, &Jid::group("9")), None);
    }

    #[tokio::test]
    async fn keys_hang_on_the_lid_where_it_is_known() {
        let store = MemoryStore::new();
        let phone = Jid::phone("1555").with_device(2);
        assert_eq!(canonical(&store, &phone).await.unwrap(), phone);
        let learnt = Change::LearnLid { phone: Jid::phone("1555"), lid: Jid::lid("77") };
        store.commit(learnt.into()).await.unwrap();
        assert_eq!(canonical(&store, &phone).await.unwrap(), Jid::lid("77").with_device(2));
        let hosted = Jid::new("1555", Server::Hosted).with_device(99);
        let hosted_lid = Jid::new("77", Server::HostedLid).with_device(99);
        assert_eq!(canonical(&store, &hosted).await.unwrap(), hosted_lid);
        let group = Jid::group("1555");
        assert_eq!(canonical(&store, &group).await.unwrap(), group);
    }
}
