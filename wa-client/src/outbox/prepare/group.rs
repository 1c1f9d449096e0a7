//! A message to many: encrypted once with the own sender key, which those devices are told that do
//! not have it yet.
//!
//! Owns the flow for groups and whatever else has an audience. Knows nothing of how the audience is
//! found out.

use std::{collections::HashMap, sync::Arc};

use prost::Message as _;
use wa_proto::{
    Jid, Node, OwnedNode, pb,
    stanza::{AddressingMode, Edit, EncKind, OutgoingEnc, OutgoingMessage},
};
use wa_store::{Change, OutboxEntry, StoreError};

use super::{super::sealed::Sealed, Held, Prepared, Skeleton, prefetch};
use crate::{
    devices::{self, participant_hash::participant_hash},
    draft::Draft,
    encryption::{Keys, Turn},
    error::Error,
    groups,
    inner::Inner,
    lid,
    receive::own_jids,
    send::{encrypt::encrypt_all, reporting, sender_key},
};

/// Whom a message is for.
#[derive(Debug)]
pub(in crate::outbox) struct Audience {
    /// The chat: a group, or the address of status posts.
    pub(in crate::outbox) chat: Jid,
    /// By which kind of address its people are named.
    pub(in crate::outbox) addressing: AddressingMode,
    /// The people, by that kind of address; this account among them, for its other devices.
    pub(in crate::outbox) people: Vec<Jid>,
    /// After how many seconds its messages disappear, if they do.
    pub(in crate::outbox) expiration: Option<u32>,
    /// Of status posts: what the server is told of who sees them.
    pub(in crate::outbox) status_setting: Option<&'static str>,
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
            addressing: info.addressing_mode,
            people: info.participants.into_iter().map(|person| person.jid).collect(),
            expiration: Some(info.ephemeral).filter(|seconds| *seconds != 0),
            status_setting: None,
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

/// Makes the stanza of an entry, and notes whom it is for.
///
/// # Errors
/// [`Error::NoDeviceReached`]; or the server could not be asked, or the store failed.
pub(super) async fn prepare(
    inner: &Arc<Inner>,
    entry: OutboxEntry,
    skeleton: Skeleton,
    audience: Audience,
) -> Result<Prepared, Error> {
    let chat = &audience.chat;
    let asked = targets(inner, &audience).await?;
    let own = sender_key::own_device(inner).await?.ok_or(Error::NotLinked)?;
    let mut keys = Keys::default();
    let (key, turn, targets, to_be_told) = loop {
        let key = inner.locks.sender_key(chat.clone()).await;
        let targets = named_anew(inner, &asked).await?;
        let to_be_told = ToBeTold::of(inner, chat, &targets).await?;
        prefetch(inner, &to_be_told.devices).await?;
        let turn = Turn::take(inner, &to_be_told.devices).await?;
        let missing = keys.missing(inner, &turn).await?;
        if missing.is_empty() {
            let devices = to_be_told.devices.iter().map(|device| turn.name(device)).collect();
            break (key, turn, targets, ToBeTold { devices, ..to_be_told });
        }
        drop((turn, key));
        keys.fetch(inner, &missing).await?;
    };
    let mut draft = Draft::new(&*inner.store);
    let record = sender_key::current(&mut draft, inner, chat, &own, to_be_told.ends).await?;
    let lacking = to_be_told.devices;
    let told = tell(&mut draft, inner, chat, &record, &lacking, &keys).await?;
    if told.is_empty()
        && lacking.len() == targets.len()
        && let Some(device) = lacking.first()
    {
        // One that a later attempt may reach makes the message wait.
        let later = lacking.iter().find(|device| !keys.is_absent(device));
        return Err(keys.unreached(later.unwrap_or(device)));
    }
    draft.push(Change::MarkSenderKeyHolders {
        group: chat.clone(),
        devices: told.iter().map(|(device, _)| device.clone()).collect(),
        has_key: false,
    });
    let key_id = record.key_id();
    let ciphertext =
        sender_key::seal(&mut draft, inner, chat, &own, record, &skeleton.message).await?;

    draft.push(Change::SetSentAudience {
        chat: entry.chat.clone(),
        id: entry.id.clone(),
        people: targets.iter().map(|target| lid::person(&target.device)).collect(),
    });
    let stanza = stanza(inner, &skeleton, &audience, &targets, told, ciphertext);
    let sealed = Sealed { stanza, sender_key: key_id };
    Ok(Prepared::new(entry, sealed, draft, Held { _turn: Some(turn), _key: Some(key) }))
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

/// The same devices, by the addresses under which their keys are kept now.
async fn named_anew(inner: &Inner, targets: &[Target]) -> Result<Vec<Target>, StoreError> {
    let devices: Vec<Jid> = targets.iter().map(|target| target.device.clone()).collect();
    let devices = lid::canonical_all(&*inner.store, &devices).await?;
    let targets = targets.iter().zip(devices);
    Ok(targets.map(|(target, device)| Target { device, address: target.address.clone() }).collect())
}

/// The devices that are told the sender key with a message.
struct ToBeTold {
    devices: Vec<Jid>,
    /// Whether the key ends before, because somebody may have it who is not written to any more.
    ends: bool,
}

impl ToBeTold {
    /// Of status posts the server knows no readers but those whom a post names, so each post tells
    /// them all. The caller holds the lock of the sender key.
    async fn of(inner: &Inner, chat: &Jid, targets: &[Target]) -> Result<Self, StoreError> {
        let devices: Vec<Jid> = targets.iter().map(|target| target.device.clone()).collect();
        let holders = inner.store.sender_key_holders(chat).await?;
        let ends = sender_key::has_left(&devices, &holders);
        if ends || chat.is_status() {
            return Ok(Self { devices, ends });
        }
        let lacking = sender_key::lacking(&devices, &holders);
        Ok(Self { devices: lacking.into_iter().cloned().collect(), ends })
    }
}

/// Encrypts the sender key for each of these devices. One that cannot be reached is left out, and
/// gets the key with a later message.
async fn tell(
    draft: &mut Draft<'_>,
    inner: &Inner,
    chat: &Jid,
    record: &wa_signal::SenderKeyRecord,
    lacking: &[Jid],
    keys: &Keys,
) -> Result<Vec<(Jid, OutgoingEnc)>, Error> {
    let distribution = pb::Message {
        sender_key_distribution_message: Some(sender_key::distribution(chat, record)?),
        ..pb::Message::default()
    };
    let plaintext: Arc<[u8]> = distribution.encode_to_vec().into();
    let parts = lacking.iter().map(|device| (device.clone(), Arc::clone(&plaintext))).collect();
    Ok(encrypt_all(draft, inner, parts, |device| keys.bundle(device)).await?)
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
    stanza.expiration = audience.expiration;
    match audience.status_setting {
        None => {
            let own = this_device(inner, audience.addressing);
            let devices = targets.iter().map(|target| &target.address).chain(&own);
            stanza.participant_hash = Some(participant_hash(devices).into());
            stanza.addressing_mode = Some(audience.addressing);
        }
        Some(setting) => mark_status(&mut stanza, skeleton, setting),
    }
    let by_lid = audience.addressing == AddressingMode::Lid;
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

/// This device by a group's kind of address. The hash that server and client compare is over every
/// device of the group, the sending one among them: WhatsApp Web's captures and code as
/// whatsapp-rust's pull request 678 tells them, zapo, and whatsmeow, which hashes the list before it
/// takes itself out.
fn this_device(inner: &Inner, addressing: AddressingMode) -> Option<Jid> {
    let account = inner.account();
    let phone = account.jid.as_ref()?;
    match addressing {
        AddressingMode::Lid => Some(account.lid.as_ref()?.with_device(phone.device)),
        AddressingMode::Phone => Some(phone.clone()),
    }
}

/// A status post has neither a hash nor a kind of address, and the server refuses it (479) with
/// either (whatsapp-rust, pull request 925). A post says to whom the account shows its posts;
/// what changes one or answers it must not (569).
fn mark_status(stanza: &mut OutgoingMessage, skeleton: &Skeleton, setting: &'static str) {
    if skeleton.edit != Edit::None || skeleton.kind == "reaction" {
        return;
    }
    let meta = match stanza.extra.iter().position(|part| part.tag == "meta") {
        Some(at) => stanza.extra.remove(at),
        None => Node::new("meta"),
    };
    stanza.extra.push(meta.attr("status_setting", setting));
}
