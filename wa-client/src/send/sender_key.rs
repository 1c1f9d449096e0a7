//! The own sender key of a group: who has it, who needs it, and when it ends.
//!
//! A device counts as having the key only once the server has the message that told it, and as
//! warm only if the phone of its user has it too. Every device that may have the key leaves a row;
//! a row of a device that is not written to any more ends the key, so that whoever left reads
//! nothing further. Whoever changes the key or the rows holds the group's lock
//! ([`crate::inner::Locks::sender_keys`]). Knows nothing of stanzas and of who is in a group.

use std::collections::{HashMap, HashSet};

use prost::Message as _;
use wa_proto::{Jid, pb};
use wa_signal::{SenderKeyRecord, padding};
use wa_store::{Change, Changes, MessageId, StoreError};

use crate::{draft::Draft, encryption::off_thread, error::Error, inner::Inner, lid};

/// This device, under the address by which its own sender keys are kept: by LID if it has one.
///
/// # Errors
/// The store's.
pub(crate) async fn own_device(inner: &Inner) -> Result<Option<Jid>, StoreError> {
    let account = inner.account();
    let Some(phone) = &account.jid else { return Ok(None) };
    Ok(Some(match &account.lid {
        Some(lid) => lid.with_device(phone.device),
        None => lid::canonical(&*inner.store, phone).await?,
    }))
}

/// The devices that have to be told the key. `holders` are the rows as they are kept.
pub(crate) fn lacking<'d>(devices: &'d [Jid], holders: &HashMap<Jid, bool>) -> Vec<&'d Jid> {
    let has = |device: &Jid| holders.get(device) == Some(&true);
    let phones: HashSet<Jid> =
        devices.iter().filter(|device| device.device == 0).cloned().collect();
    let is_warm = |device: &Jid| {
        let phone = device.to_user();
        has(device) && (!phones.contains(&phone) || has(&phone))
    };
    devices.iter().filter(|device| !is_warm(device)).collect()
}

/// Whether somebody may have the key who is not written to any more.
pub(crate) fn has_left(devices: &[Jid], holders: &HashMap<Jid, bool>) -> bool {
    let devices: HashSet<&Jid> = devices.iter().collect();
    holders.keys().any(|holder| !devices.contains(holder))
}

/// The own key as it is before the next message: made anew if there is none or it has ended.
pub(crate) async fn current(
    draft: &mut Draft<'_>,
    inner: &Inner,
    group: &Jid,
    own: &Jid,
    ends: bool,
) -> Result<SenderKeyRecord, StoreError> {
    let record = draft.sender_key(group, own).await?;
    if !ends && record.distribution_message().is_ok() {
        return Ok(record);
    }
    draft.push(Change::ForgetSenderKeyHolders(group.clone()));
    let mut rng = inner.fork_rng();
    let record = off_thread(move || SenderKeyRecord::create(&mut rng)).await;
    draft.put_sender_key(group, own, record.clone());
    Ok(record)
}

/// What tells a device the key, from the next message on.
pub(crate) fn distribution(
    group: &Jid,
    record: &SenderKeyRecord,
) -> Result<pb::message::SenderKeyDistributionMessage, Error> {
    let bytes = record
        .distribution_message()
        .map_err(|_| Error::Internal("an own sender key cannot be told"))?;
    Ok(pb::message::SenderKeyDistributionMessage {
        group_id: Some(group.to_string()),
        axolotl_sender_key_distribution_message: Some(bytes.into()),
    })
}

/// Encrypts a message for everybody who has the key, and puts the key that follows into the draft.
pub(crate) async fn seal(
    draft: &mut Draft<'_>,
    inner: &Inner,
    group: &Jid,
    own: &Jid,
    record: SenderKeyRecord,
    message: &pb::Message,
) -> Result<Vec<u8>, Error> {
    let (plaintext, mut rng) = (message.encode_to_vec(), inner.fork_rng());
    let sealed = off_thread(move || {
        let padded = padding::pad(plaintext, &mut rng);
        record.encrypt(&padded, &mut rng)
    });
    let (record, ciphertext) =
        sealed.await.map_err(|_| Error::Internal("an own sender key cannot be used"))?;
    draft.put_sender_key(group, own, record);
    Ok(ciphertext)
}

/// The server has a message that told these devices the key of this id: they have it now, unless
/// the key has ended meanwhile, or a device asked for this very message again.
///
/// # Errors
/// The store's.
pub(crate) async fn told(
    inner: &Inner,
    group: &Jid,
    key: u32,
    devices: Vec<Jid>,
    message: &MessageId,
) -> Result<Changes, StoreError> {
    let Some(own) = own_device(inner).await? else { return Ok(Changes::new()) };
    let record = Draft::new(&*inner.store).sender_key(group, &own).await?;
    if record.key_id() != Some(key) || devices.is_empty() {
        return Ok(Changes::new());
    }
    let mut holders = Vec::with_capacity(devices.len());
    for device in lid::canonical_all(&*inner.store, &devices).await? {
        if inner.store.retries_answered(&device, message).await? == 0 {
            holders.push(device);
        }
    }
    Ok(Change::MarkSenderKeyHolders { group: group.clone(), devices: holders, has_key: true }
        .into())
}

/// Ends the key of a group: the next message goes with another one, which everybody is told.
///
/// # Errors
/// The store's.
pub(crate) async fn end(inner: &Inner, group: &Jid) -> Result<Changes, StoreError> {
    let Some(sender) = own_device(inner).await? else { return Ok(Changes::new()) };
    Ok(Changes::from(Change::DeleteSenderKey { group: group.clone(), sender })
        .with(Change::ForgetSenderKeyHolders(group.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holders(rows: &[(&Jid, bool)]) -> HashMap<Jid, bool> {
        rows.iter().map(|(device, has)| ((*device).clone(), *has)).collect()
    }

    #[test]
    fn a_device_is_warm_only_if_its_users_phone_is() {
        let (phone, companion) = (Jid::lid("7"), Jid::lid("7").with_device(3));
        let devices = [phone.clone(), companion.clone()];
        let both = holders(&[(&phone, true), (&companion, true)]);
        assert!(lacking(&devices, &both).is_empty());
        let no_phone = holders(&[(&phone, false), (&companion, true)]);
        assert_eq!(lacking(&devices, &no_phone), [&phone, &companion]);
        let no_companion = holders(&[(&phone, true)]);
        assert_eq!(lacking(&devices, &no_companion), [&companion]);
    }

    #[test]
    fn a_key_ends_when_somebody_who_may_have_it_is_not_written_to_any_more() {
        let (one, two) = (Jid::lid("7"), Jid::lid("8"));
        let rows = holders(&[(&one, true), (&two, false)]);
        assert!(!has_left(&[one.clone(), two.clone(), Jid::lid("9")], &rows));
        assert!(has_left(std::slice::from_ref(&one), &rows), "it was told, if not confirmed");
        assert!(has_left(&[two], &rows));
    }
}
