//! A message to one person: encrypted for each of their devices, and for the account's others.
//!
//! Owns the flow. Knows nothing of groups.

use std::sync::Arc;

use prost::Message as _;
use wa_proto::{
    Jid,
    content::device_sent,
    pb,
    stanza::{EncKind, OutgoingEnc},
};
use wa_store::{OutboxEntry, StoreError};

use super::{super::sealed::Sealed, Held, Prepared, Skeleton, prefetch};
use crate::{
    devices::{self, participant_hash::participant_hash},
    draft::Draft,
    encryption::{Keys, Turn},
    error::Error,
    inner::Inner,
    lid, privacy_token,
    receive::own_jids,
    send::{encrypt::encrypt_all, reporting},
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

impl Recipients {
    fn devices(&self) -> Vec<Jid> {
        [&self.theirs[..], &self.own[..]].concat()
    }

    /// The same, by the addresses under which their keys are kept during a turn.
    async fn in_turn(self, inner: &Inner, turn: &Turn) -> Result<Self, StoreError> {
        let names = |devices: Vec<Jid>| devices.iter().map(|device| turn.name(device)).collect();
        let person = lid::canonical(&*inner.store, &self.person).await?;
        Ok(Self { person, theirs: names(self.theirs), own: names(self.own) })
    }
}

/// Makes the stanza of an entry.
///
/// # Errors
/// [`Error::NotOnWhatsApp`], [`Error::NoDeviceReached`]; or the server could not be asked, or the
/// store failed.
pub(super) async fn prepare(
    inner: &Arc<Inner>,
    entry: OutboxEntry,
    skeleton: Skeleton,
) -> Result<Prepared, Error> {
    let recipients = recipients(inner, &entry.chat).await?;
    prefetch(inner, &recipients.devices()).await?;
    let mut keys = Keys::default();
    let turn = keys.turn(inner, &recipients.devices()).await?;
    // Their LIDs may have been learnt while the keys were fetched.
    let recipients = recipients.in_turn(inner, &turn).await?;
    let mut draft = Draft::new(&*inner.store);
    let mut stanza = skeleton.stanza(recipients.person.clone());
    let own = own_jids(&inner.account()).ok_or(Error::NotLinked)?;
    let person = &recipients.person;
    stanza.reporting_token =
        reporting::token(&own, person.is_lid(), person, skeleton.id.as_str(), &skeleton.message);
    let Skeleton { message, media_type, hide_failure, .. } = skeleton;
    stanza.participants = fan_out(&mut draft, inner, &recipients, &keys, message).await?;
    stanza.participant_hash = Some(participant_hash(&recipients.devices()).into());
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

    let sealed = Sealed { stanza: stanza.to_node(), sender_key: None };
    Ok(Prepared::new(entry, sealed, draft, Held { _turn: Some(turn), ..Held::default() }))
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
    keys: &Keys,
    message: pb::Message,
) -> Result<Vec<(Jid, OutgoingEnc)>, Error> {
    let plaintext: Arc<[u8]> = message.encode_to_vec().into();
    let copy: Arc<[u8]> = device_sent(&recipients.person, message).encode_to_vec().into();
    let theirs = recipients.theirs.iter().map(|device| (device.clone(), Arc::clone(&plaintext)));
    let own = recipients.own.iter().map(|device| (device.clone(), Arc::clone(&copy)));
    let parts = theirs.chain(own).collect();
    let participants = encrypt_all(draft, inner, parts, |device| keys.bundle(device)).await?;
    let primary = recipients.theirs.iter().find(|device| device.device == 0);
    let reached = |device: &Jid| participants.iter().any(|(reached, _)| reached == device);
    if !participants.is_empty() && primary.is_none_or(reached) {
        return Ok(participants);
    }
    let wanted = primary.or(recipients.theirs.first()).or(recipients.own.first());
    Err(wanted.map_or(Error::NoDeviceReached, |device| keys.unreached(device)))
}
