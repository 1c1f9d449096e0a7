//! Which devices people have.
//!
//! Owns the cache of device lists, its refreshing, and the notices that change it. A list is asked
//! for in chunks, checked against what the account signed, and kept until a notice, a disagreement
//! with the server or its age takes it away. Knows nothing of sessions.

mod notice;
pub(crate) mod participant_hash;
pub(crate) mod vouching;

use std::collections::BTreeMap;

use wa_adv::{KeyIndexList, KnownDevices, NotVouched};
use wa_proto::{
    Jid, Server,
    request::{
        Usync, UsyncContext, UsyncDevices, UsyncMode, UsyncProtocol, UsyncQuery, UsyncResult,
    },
};
use wa_store::{Change, Changes, Device, DeviceList, StoreError, Timestamp};

use crate::{draft::Draft, error::Error, inner::Inner, lid, request::RequestError};
pub(crate) use notice::handle_notification;

/// How many people one question names: more make the server give up.
pub(crate) const MAX_PEOPLE: usize = 256;
/// How long a list is believed without a notice, in seconds.
const LIST_TTL_SECS: i64 = 60 * 60;

/// The devices of these people, by canonical address, from the cache where it is fresh. People of
/// whom the server knows no device are missing.
///
/// # Errors
/// If the server could not be asked, or the store failed.
pub(crate) async fn devices_of(
    inner: &Inner,
    people: &[Jid],
) -> Result<BTreeMap<Jid, Vec<Jid>>, Error> {
    let users: Vec<Jid> = people.iter().map(Jid::to_user).collect();
    let people = lid::canonical_all(&*inner.store, &users).await?;
    let mut lists = inner.store.device_lists(&people).await?;
    let mut found = BTreeMap::new();
    let mut missing = Vec::new();
    for person in people {
        match lists.remove(&person).filter(|list| is_fresh(list, inner.now())) {
            Some(list) => drop(found.insert(person.clone(), jids(&person, &list))),
            None => missing.push(person),
        }
    }
    missing.retain(|person| !found.contains_key(person));
    missing.sort();
    missing.dedup();
    for question in questions(&missing) {
        for (person, list) in fetch(inner, &question).await? {
            let devices = jids(&person, &list);
            found.insert(person, devices);
        }
    }
    Ok(found)
}

fn is_fresh(list: &DeviceList, now: Timestamp) -> bool {
    list.fetched_at.plus_secs(LIST_TTL_SECS) > now
}

/// The devices of a list as addresses.
fn jids(person: &Jid, list: &DeviceList) -> Vec<Jid> {
    list.devices.iter().map(|device| device_jid(person, device)).collect()
}

fn device_jid(person: &Jid, device: &Device) -> Jid {
    let server = match (&person.server, device.hosted) {
        (Server::Lid, true) => Server::HostedLid,
        (Server::User, true) => Server::Hosted,
        (server, _) => server.clone(),
    };
    Jid::new(person.user.clone(), server).with_device(device.device)
}

/// What to ask about these people: as few questions as may be.
fn questions(people: &[Jid]) -> impl Iterator<Item = Usync> {
    people.chunks(MAX_PEOPLE).map(|chunk| Usync {
        context: UsyncContext::Message,
        mode: UsyncMode::Query,
        protocols: vec![UsyncProtocol::Devices, UsyncProtocol::Lid],
        users: chunk.iter().cloned().map(UsyncQuery::Jid).collect(),
    })
}

/// Asks the server for the lists of some people, keeps them, and learns their LIDs.
async fn fetch(inner: &Inner, question: &Usync) -> Result<Vec<(Jid, DeviceList)>, Error> {
    let answer = inner.request(question).await?;
    Ok(keep(inner, &answer.users).await?)
}

/// Keeps what the server told of people, in one commit; those of whom it told no devices are
/// missing in the answer.
async fn keep(
    inner: &Inner,
    results: &[UsyncResult],
) -> Result<Vec<(Jid, DeviceList)>, StoreError> {
    let mut pairs = Vec::new();
    for result in results {
        let lid = result.lid.as_ref().and_then(|lid| lid.as_ref().ok());
        pairs.extend(lid.into_iter().chain(&result.phone).map(|other| (&result.jid, other)));
    }
    lid::learn_all(inner, &pairs).await?;
    let _lists = inner.vouching.lists.lock().await;
    let (mut lists, mut changes) = (Vec::new(), Changes::new());
    for result in results {
        let Some(Ok(devices)) = &result.devices else { continue };
        let user = lid::canonical(&*inner.store, &result.jid.to_user()).await?;
        let list = checked(inner, &user, devices, &mut changes).await?;
        changes.push(Change::PutDeviceList { user: user.clone(), list: list.clone() });
        lists.push((user, list));
    }
    inner.store.commit(changes).await?;
    Ok(lists)
}

/// Learns the other name of a person, if the server told it.
///
/// # Errors
/// The store's.
pub(crate) async fn learn_address(inner: &Inner, result: &UsyncResult) -> Result<(), StoreError> {
    if let Some(Ok(other)) = &result.lid {
        lid::learn(inner, &result.jid, other).await?;
    }
    if let Some(phone) = &result.phone {
        lid::learn(inner, &result.jid, phone).await?;
    }
    Ok(())
}

/// Keeps the devices that the server told of one person, and gives them.
///
/// # Errors
/// The store's.
pub(crate) async fn told_devices(
    inner: &Inner,
    result: &UsyncResult,
) -> Result<Vec<Jid>, StoreError> {
    let kept = keep(inner, std::slice::from_ref(result)).await?;
    Ok(kept.iter().flat_map(|(person, list)| jids(person, list)).collect())
}

/// The devices that the account has by its newest signed list, among those that the server told.
async fn checked(
    inner: &Inner,
    person: &Jid,
    told: &UsyncDevices,
    changes: &mut Changes,
) -> Result<DeviceList, StoreError> {
    let signed = told.key_index_list.as_ref().and_then(|list| list.signed.as_deref());
    let known = advanced(inner, person, signed, changes).await?;
    let told = told.devices.iter().map(|device| Device {
        device: device.id,
        key_index: device.key_index,
        hosted: device.is_hosted,
    });
    let mut devices = listed(inner, person, known.as_ref(), told.collect()).await?;
    // A companion is verified by the key that its phone has now.
    devices.sort_by_key(|device| device.device);
    devices.dedup_by_key(|device| device.device);
    Ok(DeviceList { devices, hash: None, fetched_at: inner.now() })
}

/// What is known of an account's devices after its signed list came, which goes on file if it is
/// newer than the one there. `None` if nothing at all is known of the account. The caller holds
/// the lock of lists until the commit.
async fn advanced(
    inner: &Inner,
    person: &Jid,
    signed: Option<&[u8]>,
    changes: &mut Changes,
) -> Result<Option<KnownDevices>, StoreError> {
    let draft = Draft::new(&*inner.store);
    let account = match vouching::account_key(&draft, inner, person).await? {
        Some(account) => Some(account),
        // Whose phone was never met is taken at their word: it has to come with the same key.
        None => signed.and_then(|signed| KeyIndexList::claimed_account_key(signed).ok()),
    };
    let Some(account) = account else { return Ok(None) };
    let known = vouching::known(&draft, account, person).await?;
    let Some(signed) = signed else { return Ok(Some(known)) };
    let list = match KeyIndexList::verify(signed, &account) {
        Ok(list) => list,
        Err(error) => {
            tracing::warn!(%error, "a list of devices is not vouched for");
            return Ok(Some(known));
        }
    };
    let bytes = list.to_bytes();
    match known.advanced(list) {
        Ok(advanced) => {
            changes.push(Change::PutKeyIndexList { user: person.clone(), list: bytes });
            Ok(Some(advanced))
        }
        Err(error) => {
            tracing::warn!(%error, "a list of devices is not used");
            Ok(Some(known))
        }
    }
}

/// Those of the devices that stand in the account's list; of the others the user is told. Without
/// a list, which servers leave out for accounts that never linked a device, that is the phone
/// alone. A hosted device may be listed without a key index: its keys have to prove what it is.
async fn listed(
    inner: &Inner,
    person: &Jid,
    known: Option<&KnownDevices>,
    devices: Vec<Device>,
) -> Result<Vec<Device>, StoreError> {
    let jids: Vec<Jid> = devices.iter().map(|device| device_jid(person, device)).collect();
    let vouchers = inner.store.device_vouchers(&jids).await?;
    let mut kept = Vec::new();
    for (device, jid) in devices.into_iter().zip(jids) {
        // What a device has proved counts more than what the server says of it.
        let proved = vouchers.get(&jid).filter(|voucher| {
            known.is_some_and(|known| *known.account().public() == voucher.account_key)
        });
        let key_index = proved.map(|voucher| voucher.key_index).or(device.key_index);
        let is_listed = match known.map_or(Err(NotVouched::NoList), |known| known.lists(key_index))
        {
            _ if device.device == 0 => Ok(()),
            Err(NotVouched::NoList) if device.hosted => Ok(()),
            Err(_) if device.hosted && key_index.is_none() => Ok(()),
            is_listed => is_listed,
        };
        match is_listed {
            Ok(()) => kept.push(Device { key_index, ..device }),
            Err(reason) => vouching::refuse(inner, &jid, reason.into()),
        }
    }
    Ok(kept)
}

/// Finds the LID of somebody known by phone number, and whether they are on WhatsApp at all.
///
/// # Errors
/// [`Error::NotOnWhatsApp`]; or the server could not be asked, or the store failed.
pub(crate) async fn resolve(inner: &Inner, phone: &Jid) -> Result<Jid, Error> {
    let known = lid::canonical(&*inner.store, &phone.to_user()).await?;
    if known.is_lid() || inner.store.device_list(&known).await?.is_some() {
        return Ok(known);
    }
    let question = Usync {
        context: UsyncContext::Interactive,
        mode: UsyncMode::Query,
        protocols: vec![UsyncProtocol::Contact, UsyncProtocol::Lid, UsyncProtocol::Devices],
        users: vec![UsyncQuery::Phone(known.user.clone())],
    };
    let answer = inner.request(&question).await.map_err(|error| match error {
        // The server leaves out the address of a number that it does not know.
        RequestError::Answer(wa_proto::stanza::ParseError::MissingAttr("jid")) => {
            Error::NotOnWhatsApp
        }
        error => error.into(),
    })?;
    let found = answer.users.iter().find(|user| !matches!(user.is_registered, Some(Ok(false))));
    let found = found.ok_or(Error::NotOnWhatsApp)?;
    keep(inner, std::slice::from_ref(found)).await?;
    Ok(lid::canonical(&*inner.store, &found.jid.to_user()).await?)
}

/// Forgets the account's own list.
///
/// # Errors
/// The store's.
pub(crate) async fn forget_own(inner: &Inner) -> Result<(), StoreError> {
    let account = inner.account();
    let own = [account.jid.as_ref(), account.lid.as_ref()];
    inner.store.commit(forget(own.into_iter().flatten())).await?;
    Ok(())
}

/// Forgets the lists of these people, so that they are asked for before the next message.
pub(crate) fn forget<'a>(people: impl IntoIterator<Item = &'a Jid>) -> Changes {
    people.into_iter().map(|person| Change::DeleteDeviceList(person.to_user())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosted_device_is_addressed_on_its_own_server() {
        let device = Device { device: 99, key_index: None, hosted: true };
        let jid = device_jid(&Jid::lid("7"), &device);
        assert_eq!(jid, Jid::new("7", Server::HostedLid).with_device(99));
    }

    #[test]
    fn many_people_are_asked_about_in_parts() {
        let people: Vec<Jid> = (0..600).map(|user| Jid::lid(user.to_string())).collect();
        let asked: Vec<usize> = questions(&people).map(|question| question.users.len()).collect();
        assert_eq!(asked, [256, 256, 88]);
        assert_eq!(questions(&[]).count(), 0);
    }

    #[test]
    fn a_list_is_believed_for_an_hour() {
        let list = DeviceList { fetched_at: Timestamp::from_secs(1000), ..DeviceList::default() };
        assert!(is_fresh(&list, Timestamp::from_secs(1000 + LIST_TTL_SECS - 1)));
        assert!(!is_fresh(&list, Timestamp::from_secs(1000 + LIST_TTL_SECS)));
    }
}
