//! A message to many: encrypted once with the own sender key, which those devices are told that do
//! not have it yet.
//!
//! Owns the flow for groups and whatever else has an audience. Knows nothing of how the audience is
//! found out.

use std::{collections::HashMap, sync::Arc};

use prost::Message as _;
use wa_proto::{
    Jid, OwnedNode, pb,
    stanza::{AddressingMode, EncKind, OutgoingEnc, OutgoingMessage},
};
use wa_signal::PreKeyBundle;
use wa_store::{Change, OutboxEntry};

use super::{super::sealed::Sealed, Skeleton};
use crate::{
    devices::{self, participant_hash::participant_hash},
    draft::Draft,
    error::Error,
    groups, identity,
    inner::Inner,
    lid,
    receive::own_jids,
    send::{encrypt::encrypt, reporting, sender_key, sessions},
};

/// Whom a message is for.
#[derive(Debug)]
pub(in crate::outbox) struct Audience {
    /// The chat: a group, or the address of status posts.
    pub(in crate::outbox) chat: Jid,
    /// By which kind of address it names its people, if it says so.
    pub(in crate::outbox) addressing: Option<AddressingMode>,
    /// The people, by that kind of address; this account among them, for its other devices.
    pub(in crate::outbox) people: Vec<Jid>,
    /// After how many seconds its messages disappear, if they do.
    pub(in crate::outbox) expiration: Option<u32>,
}

impl Audience {
    /// Everybody in a group.
    ///
    /// # Errors
    /// [`Error::NotInGroup`]; or the server could not be asked, or the store failed.
    pub(super) async fn of_group(inner: &Inner, group: &Jid) -> Result<Self, Error> {
        let own = own_jids(&inner.account()).ok_or(Error::NotLinked)?;
        let mut info = groups::cache::info(inner, group).await?;
        if !groups::cache::is_in(&info, &own) {
            // What was known may have been the outside alone.
            info = groups::cache::refresh(inner, group).await?;
        }
        if !groups::cache::is_in(&info, &own) {
            return Err(Error::NotInGroup);
        }
        Ok(Self {
            chat: info.jid,
            addressing: Some(info.addressing_mode),
            people: info.participants.into_iter().map(|person| person.jid).collect(),
            expiration: Some(info.ephemeral).filter(|seconds| *seconds != 0),
        })
    }
}

/// A device that gets the message.
struct Target {
    /// By the address its keys are kept under.
    device: Jid,
    /// By the chat's kind of address.
    address: Jid,
}

/// Makes the stanza of a queued entry, and commits it with the advanced keys as about to leave.
///
/// # Errors
/// [`Error::NoDeviceReached`]; or the server could not be asked, or the store failed, and then the
/// entry stays as it is.
pub(super) async fn prepare(
    inner: &Arc<Inner>,
    entry: OutboxEntry,
    skeleton: Skeleton,
    audience: Audience,
) -> Result<OwnedNode, Error> {
    let chat = &audience.chat;
    let targets = targets(inner, &audience).await?;
    let devices: Vec<Jid> = targets.iter().map(|target| target.device.clone()).collect();
    let bundles = bundles(inner, chat, &devices).await?;

    let _key = inner.locks.sender_keys.lock(chat.clone()).await;
    let own = sender_key::own_device(inner).await?.ok_or(Error::NotLinked)?;
    let mut draft = Draft::new(&*inner.store);
    let holders = inner.store.sender_key_holders(chat).await?;
    let ends = sender_key::has_left(&devices, &holders);
    let record = sender_key::current(&mut draft, inner, chat, &own, ends).await?;
    let holders = if ends { HashMap::new() } else { holders };
    let lacking = to_be_told(chat, &devices, &holders);
    let _sessions = lid::lock_people(inner, lacking.iter().map(|device| (*device).clone())).await;
    let told = tell(&mut draft, inner, chat, &record, &lacking, &bundles).await?;
    if told.is_empty() && !lacking.is_empty() && lacking.len() == devices.len() {
        return Err(Error::NoDeviceReached);
    }
    draft.push(Change::MarkSenderKeyHolders {
        group: chat.clone(),
        devices: told.iter().map(|(device, _)| device.clone()).collect(),
        has_key: false,
    });
    let ciphertext = sender_key::seal(&mut draft, inner, chat, &own, &record, &skeleton.message)?;

    let stanza = stanza(inner, &skeleton, &audience, &targets, told, ciphertext);
    let sealed = Sealed { stanza, sender_key: record.key_id() };
    let id = entry.id.clone();
    draft.push(Change::PutOutbox(Box::new(OutboxEntry {
        payload: sealed.to_node().encode().into(),
        ..entry
    })));
    draft.push(Change::CountOutboxAttempt(id));
    let changed = draft.changed_people();
    inner.store.commit(draft.into_changes()).await?;
    identity::announce(inner, changed);
    Ok(sealed.stanza)
}

/// Every device of the audience but this one. Devices on Meta's servers get nothing of groups.
async fn targets(inner: &Inner, audience: &Audience) -> Result<Vec<Target>, Error> {
    let own = sender_key::own_device(inner).await?.ok_or(Error::NotLinked)?;
    let lists = devices::devices_of(inner, &audience.people).await?;
    let mut targets = Vec::new();
    // Asking may have told LIDs, so people are named only now.
    let people = lid::canonical_all(&*inner.store, &audience.people).await?;
    for (address, person) in audience.people.iter().zip(people) {
        let devices = lists.get(&person).into_iter().flatten();
        for device in devices.filter(|device| !device.is_hosted() && **device != own) {
            let address = address.to_user().with_device(device.device);
            targets.push(Target { device: device.clone(), address });
        }
    }
    targets.sort_by(|one, other| one.device.cmp(&other.device));
    targets.dedup_by(|one, other| one.device == other.device);
    Ok(targets)
}

/// The devices that are told the sender key with this message. Of status posts the server knows no
/// readers but those whom a post names, so each post tells them all.
fn to_be_told<'d>(chat: &Jid, devices: &'d [Jid], holders: &HashMap<Jid, bool>) -> Vec<&'d Jid> {
    match chat.is_status() {
        true => devices.iter().collect(),
        false => sender_key::lacking(devices, holders),
    }
}

/// The keys with which sessions begin, for those that have to be told the sender key.
async fn bundles(
    inner: &Inner,
    chat: &Jid,
    devices: &[Jid],
) -> Result<HashMap<Jid, PreKeyBundle>, Error> {
    let holders = inner.store.sender_key_holders(chat).await?;
    let lacking: Vec<Jid> = match sender_key::has_left(devices, &holders) {
        true => devices.to_vec(),
        false => to_be_told(chat, devices, &holders).into_iter().cloned().collect(),
    };
    sessions::missing_bundles(inner, &lacking).await
}

/// Encrypts the sender key for each of these devices. One that cannot be reached is left out, and
/// gets the key with a later message.
async fn tell(
    draft: &mut Draft<'_>,
    inner: &Inner,
    chat: &Jid,
    record: &wa_signal::SenderKeyRecord,
    lacking: &[&Jid],
    bundles: &HashMap<Jid, PreKeyBundle>,
) -> Result<Vec<(Jid, OutgoingEnc)>, Error> {
    let distribution = pb::Message {
        sender_key_distribution_message: Some(sender_key::distribution(chat, record)?),
        ..pb::Message::default()
    };
    let plaintext = distribution.encode_to_vec();
    let mut told = Vec::new();
    for &device in lacking {
        match encrypt(draft, inner, device, bundles.get(device), &plaintext).await? {
            Some(enc) => told.push((device.clone(), enc)),
            None => tracing::info!("a device is left out: there are no keys for it"),
        }
    }
    Ok(told)
}

fn stanza(
    inner: &Inner,
    skeleton: &Skeleton,
    audience: &Audience,
    targets: &[Target],
    told: Vec<(Jid, OutgoingEnc)>,
    ciphertext: Vec<u8>,
) -> OwnedNode {
    let mut stanza = skeleton.stanza(audience.chat.clone());
    let addresses: HashMap<&Jid, &Jid> =
        targets.iter().map(|target| (&target.device, &target.address)).collect();
    stanza.participant_hash =
        Some(participant_hash(targets.iter().map(|target| &target.address)).into());
    stanza.addressing_mode = audience.addressing;
    stanza.expiration = audience.expiration;
    let by_lid = audience.addressing == Some(AddressingMode::Lid);
    stanza.reporting_token = own_jids(&inner.account()).and_then(|own| {
        reporting::token(&own, by_lid, &audience.chat, skeleton.id.as_str(), &skeleton.message)
    });
    if told.iter().any(|(_, enc)| enc.kind == EncKind::PreKeyMessage) {
        stanza.device_identity = inner.account().device_identity.clone().map(Into::into);
    }
    let addressed = told
        .into_iter()
        .filter_map(|(device, enc)| Some(((*addresses.get(&device)?).clone(), enc)));
    stanza.participants = addressed.collect();
    let mut enc = OutgoingEnc::new(EncKind::SenderKeyMessage, ciphertext);
    enc.media_type = skeleton.media_type.as_deref().map(Into::into);
    enc.hide_failure = skeleton.hide_failure;
    stanza.encs.push(enc);
    OutgoingMessage::to_node(&stanza)
}
