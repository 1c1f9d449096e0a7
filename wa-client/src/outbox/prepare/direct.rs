//! A message to one person: encrypted for each of their devices, and for the account's others.
//!
//! Owns the flow. Knows nothing of groups.

use std::{collections::HashMap, sync::Arc};

use prost::Message as _;
use wa_proto::{
    Jid, OwnedNode,
    content::device_sent,
    pb,
    stanza::{EncKind, OutgoingEnc},
};
use wa_signal::PreKeyBundle;
use wa_store::{Change, OutboxEntry};

use super::Skeleton;
use crate::{
    devices::{self, participant_hash::participant_hash},
    draft::Draft,
    error::Error,
    identity,
    inner::Inner,
    lid, privacy_token,
    receive::own_jids,
    send::{encrypt::encrypt, reporting, sessions},
};

/// Who gets a message.
struct Recipients {
    /// The person, by LID where it is known.
    person: Jid,
    /// Their devices.
    theirs: Vec<Jid>,
    /// The account's other devices.
    own: Vec<Jid>,
}

/// Makes the stanza of a queued entry, and commits it with the advanced sessions as about to
/// leave.
///
/// # Errors
/// [`Error::NotOnWhatsApp`], [`Error::NoDeviceReached`]; or the server could not be asked, or the
/// store failed, and then the entry stays as it is.
pub(super) async fn prepare(
    inner: &Arc<Inner>,
    entry: OutboxEntry,
    skeleton: Skeleton,
) -> Result<OwnedNode, Error> {
    let recipients = recipients(inner, &entry.chat).await?;
    let devices = [&recipients.theirs[..], &recipients.own[..]].concat();
    let bundles = sessions::missing_bundles(inner, &devices).await?;

    let _held = lid::lock_people(inner, devices.iter().cloned()).await;
    let mut draft = Draft::new(&*inner.store);
    let mut stanza = skeleton.stanza(recipients.person.clone());
    let own = own_jids(&inner.account()).ok_or(Error::NotLinked)?;
    let person = &recipients.person;
    stanza.reporting_token =
        reporting::token(&own, person.is_lid(), person, skeleton.id.as_str(), &skeleton.message);
    let Skeleton { message, media_type, hide_failure, .. } = skeleton;
    stanza.participants = fan_out(&mut draft, inner, &recipients, &bundles, message).await?;
    stanza.participant_hash = Some(participant_hash(&devices).into());
    if stanza.participants.iter().any(|(_, enc)| enc.kind == EncKind::PreKeyMessage) {
        stanza.device_identity = inner.account().device_identity.clone().map(Into::into);
    }
    for (_, enc) in &mut stanza.participants {
        enc.media_type = media_type.as_deref().map(Into::into);
        enc.hide_failure = hide_failure;
    }
    if recipients.person.is_lid() {
        stanza.peer_recipient_phone = inner.store.phone_of(&recipients.person).await?;
    }
    let token = privacy_token::of(inner, &recipients.person).await?;
    if token.is_none() {
        let stand_in = privacy_token::stand_in(inner, &recipients.person).await?;
        stanza.cstoken = stand_in.map(Into::into);
    }
    stanza.tctoken = token.map(Into::into);

    let stanza = stanza.to_node();
    let id = entry.id.clone();
    draft.push(Change::PutOutbox(Box::new(OutboxEntry {
        payload: stanza.encode().into(),
        ..entry
    })));
    draft.push(Change::CountOutboxAttempt(id));
    let changed = draft.changed_people();
    inner.store.commit(draft.into_changes()).await?;
    identity::announce(inner, changed);
    Ok(stanza)
}

/// Finds the person and every device the message is for: not this one.
async fn recipients(inner: &Inner, chat: &Jid) -> Result<Recipients, Error> {
    let account = inner.account();
    let phone = account.jid.as_ref().ok_or(Error::NotLinked)?;
    let this = lid::canonical(&*inner.store, phone).await?;
    let person = devices::resolve(inner, chat).await?;
    let me = this.to_user();
    let mut lists = devices::devices_of(inner, &[person.clone(), me.clone()]).await?;
    // The question may have told the LID.
    let person = lid::canonical(&*inner.store, &person).await?;
    let me = lid::canonical(&*inner.store, &me).await?;
    let mut own = lists.remove(&me).unwrap_or_default();
    own.retain(|device| device.device != this.device);
    if person == me {
        return Ok(Recipients { person, theirs: Vec::new(), own });
    }
    let theirs = lists.remove(&person).filter(|devices| !devices.is_empty());
    Ok(Recipients { person, theirs: theirs.ok_or(Error::NotOnWhatsApp)?, own })
}

/// Encrypts for every device. A companion that cannot be reached is left out; the phone of the
/// recipient has to be.
async fn fan_out(
    draft: &mut Draft<'_>,
    inner: &Inner,
    recipients: &Recipients,
    bundles: &HashMap<Jid, PreKeyBundle>,
    message: pb::Message,
) -> Result<Vec<(Jid, OutgoingEnc)>, Error> {
    let plaintext = message.encode_to_vec();
    let copy = device_sent(&recipients.person, message).encode_to_vec();
    let theirs = recipients.theirs.iter().map(|device| (device, &plaintext));
    let own = recipients.own.iter().map(|device| (device, &copy));
    let mut participants = Vec::new();
    for (device, plaintext) in theirs.chain(own) {
        let enc = encrypt(draft, inner, device, bundles.get(device), plaintext).await?;
        match enc {
            Some(enc) => participants.push((device.clone(), enc)),
            None => tracing::info!("a device is left out: there are no keys for it"),
        }
    }
    let primary = recipients.theirs.iter().find(|device| device.device == 0);
    let reached = |device: &Jid| participants.iter().any(|(reached, _)| reached == device);
    if participants.is_empty() || primary.is_some_and(|primary| !reached(primary)) {
        return Err(Error::NoDeviceReached);
    }
    Ok(participants)
}
