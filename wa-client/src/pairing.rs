//! Linking this device with an account: the phone scans a code, signs this device, and the device
//! signs back.
//!
//! Owns the flow by QR code. What is signed is checked by [`wa_adv`], what is shown is scheduled
//! in [`qr`]; linking by a typed code is in [`by_code`], by a passkey in [`by_passkey`].

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use rand_core::CryptoRng;
use wa_adv::{AccountKey, DeviceIdentityError, SealError, SignedDeviceIdentity, open_identity};
use wa_crypto::KeyPair;
use wa_proto::{
    Jid,
    stanza::{PairDevice, PairSuccess, iq_error, iq_result, pair_device_sign},
};
use wa_store::{Change, Changes};

mod attempt;
mod by_code;
mod by_passkey;
pub mod code;
mod passkey;
mod passkey_request;
mod qr;
#[cfg(test)]
mod vectors;

pub(crate) use attempt::Attempt;
pub use by_code::PairWithCode;
pub(crate) use by_code::{primary_answered, refresh as refresh_code};
pub(crate) use by_passkey::{continued as passkey_continued, requested as passkey_requested};
pub use passkey::PasskeyAssertion;
pub use passkey_request::{PASSKEY_ORIGIN, PasskeyProblem, PasskeyRequest};
pub(crate) use qr::{QrSchedule, QrStep};

use crate::{
    event::{Event, PairingFailure},
    stanza_handler::{HandleError, StanzaContext},
};
use qr::{QrIdentity, qr_text};

/// `pair-device`: the server gives references for codes. A device that is linked shows none: its
/// secrets are no server's to ask for, and codes that run out would end its connection.
pub(crate) async fn begin(
    cx: &StanzaContext,
    id: &str,
    pair: PairDevice,
) -> Result<(), HandleError> {
    cx.link.send(&iq_result(id, &Jid::server())).await?;
    if cx.inner.account().is_linked() {
        tracing::warn!("the server offers codes to a device that is linked");
        return Ok(());
    }
    let schedule = QrSchedule::new(pair.refs);
    *cx.session.qr.lock().unwrap_or_else(PoisonError::into_inner) = Some(schedule);
    cx.session.changed.notify_one();
    cx.inner.attempt.opened(cx.link.clone(), Arc::clone(&cx.session));
    Ok(())
}

/// Tells the user to show the code for a reference.
pub(crate) fn show(cx: &StanzaContext, reference: &str, expires_in: Duration) {
    let account = cx.inner.account();
    let device = QrIdentity {
        noise: &account.noise.public,
        identity: &account.identity.public,
        adv_secret: account.adv_secret.as_bytes(),
        client_type: cx.inner.settings.description.platform.qr_client_type(),
    };
    cx.inner.emit(Event::Qr { code: qr_text(reference, &device), expires_in });
}

/// `pair-success`: a phone scanned a code and signed this device. The account is saved before the
/// phone is told, so that it never shows a device that does not know itself to be linked.
pub(crate) async fn complete(
    cx: &StanzaContext,
    id: &str,
    success: PairSuccess,
) -> Result<(), HandleError> {
    *cx.session.qr.lock().unwrap_or_else(PoisonError::into_inner) = None;
    cx.inner.attempt.decided();
    let account = cx.inner.account();
    let secret = account.adv_secret.as_bytes();
    let signed = cx
        .inner
        .with_rng(|rng| accept_identity(&success.device_identity, secret, &account.identity, rng));
    // The server may say it twice, but a device does not change hands.
    let is_ours = account.jid.as_ref().is_none_or(|jid| *jid == success.jid);
    let signed = match signed {
        Ok(signed) if is_ours => signed,
        Ok(_) => return refuse(cx, id, SealError::Malformed("another account")).await,
        Err(error) => return refuse(cx, id, error).await,
    };
    if let Err(error) = save(cx, &success, &signed).await {
        tracing::error!(%error, "cannot save the account that was linked");
        cx.link.send(&iq_error(id, &Jid::server(), 500, "internal-error")).await?;
        cx.inner.emit(Event::PairingFailed { reason: PairingFailure::Storage });
        return Ok(());
    }
    let key_index = signed.identity.claimed_details().key_index;
    let reply = signed.identity.encode_for_phone();
    cx.link.send(&pair_device_sign(id, key_index, reply.into())).await?;
    let PairSuccess { jid, lid, platform, .. } = success;
    cx.inner.emit(Event::PairingSucceeded { jid, lid, platform });
    Ok(())
}

/// What a phone said of this device, with this device's signature.
struct Linked {
    identity: SignedDeviceIdentity,
    account: AccountKey,
}

/// Checks the `device-identity` of a `pair-success` and signs it.
fn accept_identity(
    sealed: &[u8],
    adv_secret: &[u8; 32],
    device: &KeyPair,
    rng: &mut impl CryptoRng,
) -> Result<Linked, SealError> {
    let opened = open_identity(sealed, adv_secret)?;
    let account = opened.claimed_account_key().ok_or(SealError::Malformed("the account's key"))?;
    Ok(Linked { identity: opened.countersign(device, rng)?, account })
}

async fn save(
    cx: &StanzaContext,
    success: &PairSuccess,
    signed: &Linked,
) -> Result<(), wa_store::StoreError> {
    let now = cx.inner.now();
    cx.inner
        .update_account(|account, changes: &mut Changes| {
            account.jid = Some(success.jid.clone());
            account.lid = success.lid.clone();
            account.platform = success.platform.clone();
            account.business_name = success.business_name.clone();
            account.device_identity = Some(signed.identity.encode());
            account.linked_at = Some(now);
            // The phone's identity key is the account's, by either of its names.
            for name in [Some(&success.jid), success.lid.as_ref()].into_iter().flatten() {
                let device = name.to_user();
                changes.push(Change::PutIdentity { device, key: *signed.account.public() });
            }
            if let Some(lid) = &success.lid {
                let (phone, lid) = (success.jid.to_user(), lid.to_user());
                changes.push(Change::LearnLid { phone, lid });
            }
        })
        .await
}

/// A `pair-device` or `pair-success` that lacks what it is about.
pub(crate) async fn refuse_unreadable(cx: &StanzaContext, id: &str) -> Result<(), HandleError> {
    refuse(cx, id, SealError::Malformed("the stanza around it")).await
}

async fn refuse(cx: &StanzaContext, id: &str, error: SealError) -> Result<(), HandleError> {
    tracing::warn!(%error, "a phone's attempt to link this device is refused");
    let (code, text, reason) = match error {
        SealError::Hmac => (401, "hmac-mismatch", PairingFailure::WrongSecret),
        SealError::Identity(
            DeviceIdentityError::AccountSignature | DeviceIdentityError::DeviceSignature,
        ) => (401, "signature-mismatch", PairingFailure::WrongSignature),
        _ => (500, "internal-error", PairingFailure::Malformed),
    };
    cx.link.send(&iq_error(id, &Jid::server(), code, text)).await?;
    cx.inner.emit(Event::PairingFailed { reason });
    Ok(())
}
