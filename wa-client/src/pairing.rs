//! Linking this device with an account: the phone scans a code, signs this device, and the device
//! signs back.
//!
//! Owns the flow. What is signed is checked in [`identity`], what is shown is scheduled in [`qr`].

use std::{sync::PoisonError, time::Duration};

use wa_proto::{Jid, Node, OwnedNode};
use wa_store::{Change, Changes};

pub mod code;
mod identity;
mod qr;

pub(crate) use qr::{QrSchedule, QrStep};

use crate::{
    event::{Event, PairingFailure},
    stanza_handler::{HandleError, Outcome, StanzaContext},
};
use identity::{IdentityError, SignedIdentity, accept_identity};
use qr::{QrIdentity, qr_text};

/// `pair-device`: the server gives references for codes.
pub(crate) async fn begin(cx: &StanzaContext, iq: &OwnedNode) -> Result<Outcome, HandleError> {
    cx.link.send(&result(iq)).await?;
    let references: Vec<_> = iq
        .find("pair-device")
        .into_iter()
        .flat_map(|pair| pair.find_all("ref"))
        .filter_map(|reference| reference.content_text().map(str::to_owned))
        .collect();
    let schedule = QrSchedule::new(references);
    *cx.session.qr.lock().unwrap_or_else(PoisonError::into_inner) = Some(schedule);
    cx.session.changed.notify_one();
    Ok(Outcome::Answered)
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
pub(crate) async fn complete(cx: &StanzaContext, iq: &OwnedNode) -> Result<Outcome, HandleError> {
    *cx.session.qr.lock().unwrap_or_else(PoisonError::into_inner) = None;
    let account = cx.inner.account();
    let accepted = PairSuccess::parse(iq).and_then(|success| {
        let signed = cx.inner.with_rng(|rng| {
            accept_identity(
                &success.device_identity,
                account.adv_secret.as_bytes(),
                &account.identity,
                rng,
            )
        })?;
        Ok((success, signed))
    });
    let (success, signed) = match accepted {
        Ok(accepted) => accepted,
        Err(error) => return refuse(cx, iq, error).await,
    };
    if let Err(error) = save(cx, &success, &signed).await {
        tracing::error!(%error, "cannot save the account that was linked");
        cx.link.send(&error_reply(iq, 500, "internal-error")).await?;
        cx.inner.emit(Event::PairingFailed { reason: PairingFailure::Storage });
        return Ok(Outcome::Answered);
    }
    let reply =
        Node::new("device-identity").attr("key-index", signed.key_index).bytes(signed.for_reply());
    cx.link.send(&result(iq).child(Node::new("pair-device-sign").child(reply))).await?;
    cx.inner.emit(Event::PairingSucceeded {
        jid: success.jid,
        lid: success.lid,
        platform: success.platform,
    });
    Ok(Outcome::Answered)
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

async fn refuse(
    cx: &StanzaContext,
    iq: &OwnedNode,
    error: IdentityError,
) -> Result<Outcome, HandleError> {
    tracing::warn!(%error, "a phone's attempt to link this device is refused");
    let (code, text, reason) = match error {
        IdentityError::Malformed(_) => (500, "internal-error", PairingFailure::Malformed),
        IdentityError::Hmac => (401, "hmac-mismatch", PairingFailure::WrongSecret),
        IdentityError::AccountSignature => {
            (401, "signature-mismatch", PairingFailure::WrongSignature)
        }
    };
    cx.link.send(&error_reply(iq, code, text)).await?;
    cx.inner.emit(Event::PairingFailed { reason });
    Ok(Outcome::Answered)
}

/// What a `pair-success` says.
struct PairSuccess {
    device_identity: Vec<u8>,
    jid: Jid,
    lid: Option<Jid>,
    platform: Option<String>,
    business_name: Option<String>,
}

impl PairSuccess {
    fn parse(iq: &OwnedNode) -> Result<Self, IdentityError> {
        use IdentityError::Malformed;
        let success = iq.find("pair-success").ok_or(Malformed("no pair-success"))?;
        let device = success.find("device").ok_or(Malformed("no device"))?;
        let identity = success.find("device-identity").and_then(Node::content_bytes);
        let attr = |tag: &str, name: &str| {
            success.find(tag).and_then(|child| child.attrs.text(name)).map(|text| text.into_owned())
        };
        Ok(Self {
            device_identity: identity.ok_or(Malformed("no device-identity"))?.to_vec(),
            jid: device.attrs.jid("jid").ok_or(Malformed("no JID"))?,
            lid: device.attrs.jid("lid"),
            platform: attr("platform", "name"),
            business_name: attr("biz", "name"),
        })
    }
}

fn result(iq: &OwnedNode) -> OwnedNode {
    reply(iq, "result")
}

fn error_reply(iq: &OwnedNode, code: u32, text: &'static str) -> OwnedNode {
    reply(iq, "error").child(Node::new("error").attr("code", code).attr("text", text))
}

fn reply(iq: &OwnedNode, kind: &'static str) -> OwnedNode {
    Node::new("iq")
        .attr("type", kind)
        .attr("to", Jid::server())
        .attr_opt("id", iq.attrs.value("id").cloned())
}
