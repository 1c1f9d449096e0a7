//! Which devices people have.
//!
//! Owns the cache of device lists, its refreshing, and the notices that change it. A list is asked
//! for in chunks, checked against what the account signed, and kept until a notice, a disagreement
//! with the server or its age takes it away. Knows nothing of sessions.

mod key_index;
mod notice;
pub(crate) mod participant_hash;

use std::collections::BTreeMap;

use wa_proto::{
    Jid, Server,
    request::{
        Usync, UsyncContext, UsyncDevices, UsyncMode, UsyncProtocol, UsyncQuery, UsyncResult,
    },
};
use wa_store::{Change, Changes, Device, DeviceList, StoreError, Timestamp};

use crate::{error::Error, inner::Inner, lid, request::RequestError};
use key_index::KeyIndexList;
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
    let mut lists = Vec::new();
    for result in results {
        let Some(Ok(devices)) = &result.devices else { continue };
        let person = lid::canonical(&*inner.store, &result.jid.to_user()).await?;
        let list = checked(inner, &person, devices).await?;
        lists.push((person, list));
    }
    let put = |(user, list): &(Jid, DeviceList)| Change::PutDeviceList {
        user: user.clone(),
        list: list.clone(),
    };
    inner.store.commit(lists.iter().map(put).collect()).await?;
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

/// Drops the devices that the account does not vouch for.
async fn checked(
    inner: &Inner,
    person: &Jid,
    told: &UsyncDevices,
) -> Result<DeviceList, StoreError> {
    let signed = told.key_index_list.as_ref().and_then(|list| list.signed.clone());
    let account_key = inner.store.identity(person).await?;
    let vouched = signed.as_ref().map(|signed| KeyIndexList::verify(signed, account_key.as_ref()));
    let vouched = match vouched {
        None => None,
        Some(Ok(list)) => Some(Ok(list)),
        Some(Err(error)) => {
            tracing::warn!(%error, "a device list is not vouched for; only the phone is written to");
            Some(Err(error))
        }
    };
    let is_vouched = |key_index: Option<u32>| match (&vouched, key_index) {
        // Servers leave the list out for accounts that never linked a device; the index says that
        // the device was registered with one.
        (None, index) => index.is_some(),
        (Some(Ok(list)), Some(index)) => list.allows(index),
        _ => false,
    };
    let devices = told
        .devices
        .iter()
        .filter(|device| device.id == 0 || device.is_hosted || is_vouched(device.key_index))
        .map(|device| Device {
            device: device.id,
            key_index: device.key_index,
            hosted: device.is_hosted,
        })
        .collect();
    let timestamp = match &vouched {
        Some(Ok(list)) => crate::receipts::timestamp(list.timestamp),
        _ => Timestamp::MIN,
    };
    Ok(DeviceList {
        devices,
        timestamp,
        key_index_list: signed.map(|signed| signed.to_vec()),
        hash: None,
        fetched_at: inner.now(),
    })
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
