//! Whether a device is the account's whose it claims to be.
//!
//! Owns what is known of an account when that is decided, and tells the user of a device that is
//! refused. The rules are [`wa_adv`]'s. Knows nothing of how keys and lists arrive.
//!
//! An account's key is the identity key of its phone. The own account's was proved when this device
//! was linked and never changes; another's is the one that its phone was first met with, and a new
//! one is announced as a changed identity.

use std::{
    collections::HashSet,
    slice,
    sync::{Mutex, PoisonError},
};

use wa_adv::{
    AccountKey, Address, DeviceIdentityError, KeyIndexList, KnownDevices, NotVouched,
    SignedDeviceIdentity, VerifiedDevice, VouchedDevice,
};
use wa_crypto::PublicKey;
use wa_proto::Jid;
use wa_store::{Account, DeviceVoucher, StoreError};

use crate::{
    draft::Draft,
    event::{DeviceRefusal, Event},
    inner::Inner,
    lid,
    receive::own_jids,
};

/// What the decisions of one client have in common.
#[derive(Debug, Default)]
pub(crate) struct Vouching {
    /// One list at a time is compared with the one on file and takes its place. No other lock is
    /// taken while it is held.
    pub(super) lists: tokio::sync::Mutex<()>,
    /// What the user was told: the server names the same devices again and again.
    told: Mutex<HashSet<(Jid, DeviceRefusal)>>,
}

/// How many refusals are remembered.
const MAX_TOLD: usize = 1024;

/// An identity key for which its account vouches: that of its phone, or of a companion that proved
/// to be one. Made in this file alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Proven {
    identity: PublicKey,
    companion: Option<VouchedDevice>,
}

impl Proven {
    pub(crate) const fn identity(&self) -> &PublicKey {
        &self.identity
    }

    /// The companion; none for a phone.
    pub(crate) const fn companion(&self) -> Option<&VouchedDevice> {
        self.companion.as_ref()
    }
}

/// Who a first message is from, to be kept once the message is found to be that device's.
#[derive(Debug)]
pub(crate) struct ProvenSender {
    companion: Option<VerifiedDevice>,
    /// Whether nothing was known of the account before.
    is_first: bool,
}

impl ProvenSender {
    /// Keeps what the sender proved.
    pub(crate) fn keep(&self, draft: &mut Draft<'_>, sender: &Jid) {
        let Some(device) = &self.companion else { return };
        if self.is_first {
            draft.put_identity(&lid::person(sender), *device.account().public());
        }
        draft.put_voucher(sender, voucher(device));
    }
}

/// What to put on file of a companion.
pub(crate) fn voucher(device: &VerifiedDevice) -> DeviceVoucher {
    DeviceVoucher {
        identity: *device.identity(),
        account_key: *device.account().public(),
        key_index: device.key_index(),
        hosted: device.is_hosted(),
    }
}

/// The key of the account that a device belongs to, if its phone was ever met.
///
/// # Errors
/// The store's.
pub(crate) async fn account_key(
    draft: &Draft<'_>,
    inner: &Inner,
    device: &Jid,
) -> Result<Option<AccountKey>, StoreError> {
    let account = inner.account();
    if is_own(&account, device)
        && let Some(key) = own_account_key(&account)
    {
        return Ok(Some(key));
    }
    Ok(draft.identity(&lid::person(device)).await?.map(AccountKey::new))
}

fn is_own(account: &Account, device: &Jid) -> bool {
    own_jids(account).is_some_and(|own| own.is_me(&lid::person(device)))
}

/// The own account's key, as the phone proved it when it linked this device.
fn own_account_key(account: &Account) -> Option<AccountKey> {
    let signed = account.device_identity.as_deref()?;
    SignedDeviceIdentity::decode(signed).ok()?.claimed_account_key()
}

/// What is on file of an account's devices.
///
/// # Errors
/// The store's.
pub(crate) async fn known(
    draft: &Draft<'_>,
    account: AccountKey,
    device: &Jid,
) -> Result<KnownDevices, StoreError> {
    let person = lid::person(device);
    let mut lists = draft.store().key_index_lists(slice::from_ref(&person)).await?;
    let list = lists.remove(&person).and_then(|bytes| KeyIndexList::from_file(&bytes).ok());
    Ok(KnownDevices::with_file(account, list))
}

/// Whether the account vouches for a device with this identity key. `shown` is the signed device
/// identity that came with the key; a companion that is on file with the same key needs none.
/// `account` is the account's key, [`account_key`] where nothing newer came at the same time.
///
/// # Errors
/// The store's.
pub(crate) async fn prove(
    draft: &Draft<'_>,
    inner: &Inner,
    device: &Jid,
    identity: &PublicKey,
    shown: Option<&[u8]>,
    account: Option<AccountKey>,
) -> Result<Result<Proven, DeviceRefusal>, StoreError> {
    if device.device == 0 {
        let phone = Proven { identity: *identity, companion: None };
        return Ok(is_phone(inner, device, identity).map(|()| phone));
    }
    let Some(account) = account else { return Ok(Err(DeviceRefusal::UnknownAccount)) };
    let verified = match verified(draft, device, identity, shown, account).await? {
        Ok(verified) => verified,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let vouched = known(draft, account, device).await?.vouch(verified);
    Ok(vouched
        .map(|companion| Proven { identity: *identity, companion: Some(companion) })
        .map_err(Into::into))
}

/// Whether the session with a device is with one for which its account vouches to this day.
///
/// # Errors
/// The store's.
pub(crate) async fn still_proven(
    draft: &Draft<'_>,
    inner: &Inner,
    device: &Jid,
    identity: &PublicKey,
) -> Result<Result<(), DeviceRefusal>, StoreError> {
    let account = account_key(draft, inner, device).await?;
    Ok(prove(draft, inner, device, identity, None, account).await?.map(drop))
}

/// Whether the sender of a first message is who they claim to be. The account's newest list need
/// not be there to hear somebody, but what it has is believed; an account that was never met is
/// taken at its word.
///
/// # Errors
/// The store's.
pub(crate) async fn prove_sender(
    draft: &Draft<'_>,
    inner: &Inner,
    sender: &Jid,
    identity: &PublicKey,
    shown: Option<&[u8]>,
) -> Result<Result<ProvenSender, DeviceRefusal>, StoreError> {
    if sender.device == 0 {
        let phone = ProvenSender { companion: None, is_first: false };
        return Ok(is_phone(inner, sender, identity).map(|()| phone));
    }
    let on_file = account_key(draft, inner, sender).await?;
    let claimed = || SignedDeviceIdentity::decode(shown?).ok()?.claimed_account_key();
    let Some(account) = on_file.or_else(claimed) else {
        return Ok(Err(DeviceRefusal::NoIdentity));
    };
    let device = match verified(draft, sender, identity, shown, account).await? {
        Ok(device) => device,
        Err(refusal) => return Ok(Err(refusal)),
    };
    Ok(match known(draft, account, sender).await?.vouch(device) {
        Ok(_) | Err(NotVouched::NoList) => {
            Ok(ProvenSender { companion: Some(device), is_first: on_file.is_none() })
        }
        Err(refusal) => Err(refusal.into()),
    })
}

/// A phone's key is its account's, so that nothing can vouch for it; but the own phone is known.
fn is_phone(inner: &Inner, device: &Jid, identity: &PublicKey) -> Result<(), DeviceRefusal> {
    let account = inner.account();
    let pinned = own_account_key(&account).filter(|_| is_own(&account, device));
    match pinned {
        Some(pinned) if pinned.public() != identity => Err(DeviceRefusal::OtherPhone),
        _ => Ok(()),
    }
}

/// What a companion proves, or has proved before with the same key.
async fn verified(
    draft: &Draft<'_>,
    device: &Jid,
    identity: &PublicKey,
    shown: Option<&[u8]>,
    account: AccountKey,
) -> Result<Result<VerifiedDevice, DeviceRefusal>, StoreError> {
    if let Some(kept) = draft.voucher(device).await?
        && (&kept.identity, &kept.account_key) == (identity, account.public())
    {
        let (index, hosted) = (kept.key_index, kept.hosted);
        return Ok(Ok(VerifiedDevice::from_file(kept.identity, account, index, hosted)));
    }
    let Some(shown) = shown else { return Ok(Err(DeviceRefusal::NoIdentity)) };
    let address = if device.is_hosted() { Address::Hosted } else { Address::Ordinary };
    let verified = SignedDeviceIdentity::decode(shown)
        .and_then(|signed| signed.verify(identity, address, &account));
    Ok(verified.map_err(Into::into))
}

/// Tells the user of a device that is not taken for its account's, once for each reason.
pub(crate) fn refuse(inner: &Inner, device: &Jid, reason: DeviceRefusal) {
    tracing::warn!(%reason, device = device.device, "a device is not vouched for");
    let mut told = inner.vouching.told.lock().unwrap_or_else(PoisonError::into_inner);
    if told.len() >= MAX_TOLD {
        told.clear();
    }
    if told.insert((device.clone(), reason)) {
        inner.emit(Event::DeviceUnverified { device: device.clone(), reason });
    }
}

impl From<DeviceIdentityError> for DeviceRefusal {
    fn from(error: DeviceIdentityError) -> Self {
        match error {
            DeviceIdentityError::OtherAccount => Self::OtherAccount,
            DeviceIdentityError::AccountSignature => Self::AccountSignature,
            DeviceIdentityError::DeviceSignature => Self::DeviceSignature,
            _ => Self::Malformed,
        }
    }
}

impl From<NotVouched> for DeviceRefusal {
    fn from(reason: NotVouched) -> Self {
        match reason {
            NotVouched::OtherAccount => Self::OtherAccount,
            NotVouched::NoList => Self::NoList,
            _ => Self::NotListed,
        }
    }
}
