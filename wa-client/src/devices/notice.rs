//! Notices about devices, identities and tokens.
//!
//! Owns what each changes in the cache of device lists. Knows nothing of how lists are fetched.

use wa_proto::{
    Jid,
    stanza::{DeviceEntry, DevicesChange, DevicesChangeKind, Notification, NotificationBody},
};
use wa_store::{Change, Changes, Device, DeviceList, StoreError};

use super::{advanced, listed, participant_hash::participant_hash};
use crate::{
    app_state,
    draft::end_sessions,
    groups, identity,
    inner::Inner,
    lid, privacy_token,
    stanza_handler::{HandleError, Outcome, StanzaContext},
};

/// Deals with a `<notification>` about anything but prekeys. Of what has no meaning here the
/// server is told that it arrived.
pub(crate) async fn handle_notification(
    cx: &StanzaContext,
    notification: Notification,
) -> Result<Outcome, HandleError> {
    let inner = &*cx.inner;
    match notification.body {
        NotificationBody::Devices(change) => devices_changed(inner, &change).await?,
        NotificationBody::Group(ref group) => {
            groups::notice::handle(inner, &notification, group).await?;
        }
        NotificationBody::ServerSync(news) => app_state::handle_news(cx, &news),
        NotificationBody::IdentityChanged { user, lid } => {
            if let Some(lid) = &lid {
                lid::learn(inner, &user, lid).await?;
            }
            identity::changed(&cx.inner, &user, &notification.envelope.from).await?;
        }
        NotificationBody::PrivacyTokens { sender_lid, tokens } => {
            let from = sender_lid.unwrap_or_else(|| notification.envelope.from.clone());
            privacy_token::keep(inner, &from, &tokens).await?;
        }
        _ => {}
    }
    Ok(Outcome::Ack)
}

/// Somebody linked or unlinked devices: the list is changed alike, and thrown away if it then is
/// not the one the server means.
async fn devices_changed(inner: &Inner, change: &DevicesChange) -> Result<(), StoreError> {
    if let Some(lid) = &change.lid {
        lid::learn(inner, &change.user, lid).await?;
    }
    for entry in &change.devices {
        if let Some(lid) = &entry.lid {
            lid::learn(inner, &entry.jid, lid).await?;
        }
    }
    let person = lid::canonical(&*inner.store, &change.user).await?;
    let mut changes = Changes::new();
    let _held = lid::lock_people(inner, std::slice::from_ref(&person)).await;
    if change.kind == DevicesChangeKind::Remove {
        for entry in &change.devices {
            let device = lid::canonical(&*inner.store, &entry.jid).await?;
            // A notice is about its own person's companions, and about no other's.
            if lid::person(&device) != lid::person(&person) || device.device == 0 {
                continue;
            }
            // It speaks in no group any more. (Own keys are this device's to end.)
            if !is_this_device(inner, &device) {
                changes.push(Change::DeleteSenderKeysOfDevice(device.clone()));
            }
            // The mark that it has sender keys stays: it ends them at the next message.
            let end = |record: &wa_signal::SessionRecord| record.end_sessions();
            changes.extend(end_sessions(&*inner.store, device, end).await?);
        }
    }
    let _lists = inner.vouching.lists.lock().await;
    let signed = change.key_index_list.as_ref().and_then(|list| list.signed.as_deref());
    let known = advanced(inner, &person, signed, &mut changes).await?;
    let list = inner.store.device_list(&person).await?;
    let list = list.and_then(|list| changed(list, change));
    changes.push(match list {
        Some(mut list) => {
            list.devices = listed(inner, &person, known.as_ref(), list.devices).await?;
            Change::PutDeviceList { user: person, list }
        }
        None => Change::DeleteDeviceList(person),
    });
    inner.store.commit(changes).await?;
    Ok(())
}

fn is_this_device(inner: &Inner, device: &Jid) -> bool {
    let account = inner.account();
    [&account.jid, &account.lid].into_iter().flatten().any(|own| own == device)
}

/// The list after the change; `None` if it has to be asked for again.
fn changed(mut list: DeviceList, change: &DevicesChange) -> Option<DeviceList> {
    let entry = |entry: &DeviceEntry| Device {
        device: entry.jid.device,
        key_index: entry.key_index,
        hosted: entry.jid.is_hosted(),
    };
    match change.kind {
        DevicesChangeKind::Add => {
            for device in change.devices.iter().map(entry) {
                list.devices.retain(|known| known.device != device.device);
                list.devices.push(device);
            }
        }
        DevicesChangeKind::Remove => {
            list.devices
                .retain(|known| change.devices.iter().all(|gone| gone.jid.device != known.device));
        }
        _ => return None,
    }
    let hash = change.hash.as_deref()?;
    (hash == hash_of(&change.user, &list)).then(|| {
        list.hash = Some(hash.to_owned());
        list
    })
}

/// The server's hash of a list, by the address it named the person by.
fn hash_of(user: &Jid, list: &DeviceList) -> String {
    let devices: Vec<Jid> =
        list.devices.iter().map(|device| user.with_device(device.device)).collect();
    participant_hash(&devices)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(devices: &[u16]) -> DeviceList {
        let device = |device: &u16| Device { device: *device, key_index: None, hosted: false };
        DeviceList { devices: devices.iter().map(device).collect(), ..DeviceList::default() }
    }

    fn change(kind: DevicesChangeKind, device: u16, hash: Option<String>) -> DevicesChange {
        let jid = Jid::lid("7").with_device(device);
        DevicesChange {
            user: Jid::lid("7"),
            lid: None,
            kind,
            devices: vec![DeviceEntry { jid, lid: None, key_index: None }],
            hash: hash.map(Into::into),
            key_index_list: None,
        }
    }

    #[test]
    fn a_list_that_hashes_as_the_server_says_is_kept() {
        let hash = hash_of(&Jid::lid("7"), &list(&[0, 2, 3]));
        let after = changed(list(&[0, 2]), &change(DevicesChangeKind::Add, 3, Some(hash))).unwrap();
        assert_eq!(after.devices.len(), 3);
        let hash = hash_of(&Jid::lid("7"), &list(&[0]));
        let after = changed(list(&[0, 2]), &change(DevicesChangeKind::Remove, 2, Some(hash)));
        assert_eq!(after.unwrap().devices.len(), 1);
    }

    #[test]
    fn a_list_that_disagrees_with_the_server_is_asked_for_again() {
        let stale = hash_of(&Jid::lid("7"), &list(&[0, 2, 3, 4]));
        assert_eq!(changed(list(&[0, 2]), &change(DevicesChangeKind::Add, 3, Some(stale))), None);
        assert_eq!(changed(list(&[0, 2]), &change(DevicesChangeKind::Add, 3, None)), None);
        let update = change(DevicesChangeKind::Update, 3, Some("2:x".into()));
        assert_eq!(changed(list(&[0, 2]), &update), None);
    }
}
