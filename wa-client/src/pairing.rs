//! Linking this device with an account: the phone scans a code, signs this device, and the device
//! signs back.
//!
//! Owns the flow by QR code. What is signed is checked in [`identity`], what is shown is scheduled in
//! [`qr`]; linking by a typed code is in [`by_code`], by a passkey in [`by_passkey`].

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use wa_proto::{
    Jid,
    stanza::{PairDevice, PairSuccess, iq_error, iq_result, pair_device_sign},
};
use wa_store::{Change, Changes};

mod attempt;
mod by_code;
mod by_passkey;
pub mod code;
mod identity;
mod passkey;
mod qr;
#[cfg(test)]
mod vectors;

pub(crate) use attempt::Attempt;
pub use by_code::PairWithCode;
pub(crate) use by_code::{primary_answered, refresh as refresh_code};
pub(crate) use by_passkey::{continued as passkey_continued, requested as passkey_requested};
pub use passkey::PasskeyAssertion;
pub(crate) use qr::{QrSchedule, QrStep};

use crate::{
    event::{Event, PairingFailure},
    stanza_handler::{HandleError, StanzaContext},
};
use identity::{IdentityError, SignedIdentity, accept_identity};
use qr::{QrIdentity, qr_text};

/// `pair-device`: the server gives references for codes.
pub(crate) async fn begin(
    cx: &StanzaContext,
    id: &str,
    pair: PairDevice,
) -> Result<(), HandleError> {
    cx.link.send(&iq_result(id, &Jid::server())).await?;
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
        Ok(_) => return refuse(cx, id, IdentityError::Malformed("another account")).await,
        Err(error) => return refuse(cx, id, error).await,
    };
    if let Err(error) = save(cx, &success, &signed).await {
        tracing::error!(%error, "cannot save the account that was linked");
        cx.link.send(&iq_error(id, &Jid::server(), 500, "internal-error")).await?;
        cx.inner.emit(Event::PairingFailed { reason: PairingFailure::Storage });
        return Ok(());
    }
    cx.link.send(&pair_device_sign(id, signed.key_index, signed.for_reply().into())).await?;
    let PairSuccess { jid, lid, platform, .. } = success;
    cx.inner.emit(Event::PairingSucceeded { jid, lid, platform });
    Ok(())
}

async fn save(
    cx: &StanzaContext,
    success: &PairSuccess,
    signed: &SignedIdentity,
) -> Result<(), wa_store::StoreError> {
    use prost::Message as _;
    let now = cx.inner.now();
    cx.inner
        .update_account(|account, changes: &mut Changes| {
            account.jid = Some(success.jid.clone());
            account.lid = success.lid.clone();
            account.platform = success.platform.clone();
            account.business_name = success.business_name.clone();
            account.device_identity = Some(signed.full.encode_to_vec());
            account.linked_at = Some(now);
            // The phone's identity key is the account's, by either of its names.
            for name in [Some(&success.jid), success.lid.as_ref()].into_iter().flatten() {
                let device = name.to_user();
                changes.push(Change::PutIdentity { device, key: signed.account_key });
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
    refuse(cx, id, IdentityError::Malformed("the stanza around it")).await
}

async fn refuse(cx: &StanzaContext, id: &str, error: IdentityError) -> Result<(), HandleError> {
    tracing::warn!(%error, "a phone's attempt to link this device is refused");
    let (code, text, reason) = match error {
        IdentityError::Malformed(_) => (500, "internal-error", PairingFailure::Malformed),
        IdentityError::Hmac => (401, "hmac-mismatch", PairingFailure::WrongSecret),
        IdentityError::AccountSignature => {
            (401, "signature-mismatch", PairingFailure::WrongSignature)
        }
    };
    cx.link.send(&iq_error(id, &Jid::server(), code, text)).await?;
    cx.inner.emit(Event::PairingFailed { reason });
    Ok(())
}
