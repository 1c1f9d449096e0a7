//! Somebody could not decrypt what this device sent, and asks for it again.
//!
//! Owns the decision who may ask and whether a session begins anew, and the resend to the one
//! device that asked. A retry receipt is a word of the server: it is answered to a device that
//! stands in its account's signed list, and to no key that this account does not vouch for.
//! Answers are bounded for each device and message, and a message that is not known gets none.

use prost::Message as _;
use wa_proto::{
    Jid, OwnedNode,
    content::device_sent,
    node, pb,
    stanza::{EncKind, OutgoingMessage, Receipt, RetryRequest},
};
use wa_signal::SessionRecord;
use wa_store::{Change, SentMessage, Timestamp};

use crate::{
    devices::{devices_of, vouching},
    draft::Draft,
    encryption::Turn,
    event::DeviceRefusal,
    groups, identity,
    inner::Inner,
    lid,
    outbox::prepare::{edit, hides_failure, meta},
    receive::own_jids,
    send::{
        bundle::{self, VerifiedBundle},
        encrypt::{begin, encrypt},
        sender_key, sessions,
    },
    stanza_handler::{HandleError, StanzaContext},
};

/// How often one device is answered about one message.
const MAX_ANSWERS: u32 = 10;
/// How often a session with a device is made anew without its keys in the request, in seconds.
const RECREATE_EVERY_SECS: i64 = 60 * 60;

/// Answers a retry receipt. The caller acknowledges it afterwards.
///
/// # Errors
/// The store's, or the end of the connection.
pub(crate) async fn answer(
    cx: &StanzaContext,
    receipt: &Receipt,
    request: &RetryRequest,
) -> Result<(), HandleError> {
    let inner = &*cx.inner;
    let Some(asker) = asker(inner, receipt).await? else { return Ok(()) };
    let id = request.id.as_str().into();
    if inner.store.retries_answered(&asker.device, &id).await? >= MAX_ANSWERS {
        tracing::warn!(id = %request.id, "a device asks too often for a message");
        return Ok(());
    }
    let Some(sent) = inner.store.sent_message(&asker.chat, &id).await? else {
        tracing::info!(id = %request.id, "a device asks for a message that is not known");
        return Ok(());
    };
    if !may_read(inner, &asker, &id).await? {
        tracing::warn!(id = %request.id, "a device asks for a message that was not for it");
        return Ok(());
    }
    if !is_listed(inner, &asker.device).await? {
        tracing::warn!(id = %request.id, "a device that its account does not have asks for a message");
        return Ok(());
    }
    let _turn = inner.retry_answers.acquire().await;
    let Some(stanza) = resend(cx, receipt, request, &asker, &sent).await? else { return Ok(()) };
    cx.link.send(&stanza).await?;
    Ok(())
}

/// Who asks, for which chat.
struct Asker {
    device: Jid,
    chat: Jid,
    is_own: bool,
}

async fn asker(inner: &Inner, receipt: &Receipt) -> Result<Option<Asker>, HandleError> {
    let Some(own) = own_jids(&inner.account()) else { return Ok(None) };
    let envelope = &receipt.envelope;
    let device = envelope.participant.as_ref().unwrap_or(&envelope.from);
    let is_own = own.is_me(device);
    let chat = match &envelope.recipient {
        Some(recipient) if is_own => recipient,
        _ => &envelope.from,
    };
    let store = &*inner.store;
    Ok(Some(Asker {
        device: lid::canonical(store, device).await?,
        chat: lid::canonical(store, &chat.to_user()).await?,
        is_own,
    }))
}

/// Whether the device is one that its account vouches for, by what the server last told and the
/// account signed.
async fn is_listed(inner: &Inner, device: &Jid) -> Result<bool, HandleError> {
    if !device.is_person() {
        return Ok(false);
    }
    match devices_of(inner, &[lid::person(device)]).await {
        Ok(lists) => Ok(lists.values().flatten().any(|listed| listed == device)),
        Err(crate::Error::Store(error)) => Err(error.into()),
        Err(error) => {
            tracing::info!(%error, "it is not known which devices somebody has");
            Ok(false)
        }
    }
}

/// Whether the device's person may have the message and, with it, the key to those that follow: in
/// a chat with a person that is this person; elsewhere whoever the message was sent to and would be
/// sent the next one too. Whoever came later was not sent it, whatever the server says of them now.
async fn may_read(
    inner: &Inner,
    asker: &Asker,
    id: &wa_store::MessageId,
) -> Result<bool, HandleError> {
    if asker.is_own {
        return Ok(true);
    }
    if asker.chat.is_person() {
        return Ok(lid::person(&asker.device) == lid::person(&asker.chat));
    }
    let sent_to = inner.store.sent_audience(&asker.chat, id).await?;
    let sent_to = lid::canonical_all(&*inner.store, &sent_to).await?;
    if !sent_to.iter().any(|person| person.is_same_user(&asker.device)) {
        return Ok(false);
    }
    if !asker.chat.is_group() {
        // Of a status post: whoever was told the key.
        let holders = inner.store.sender_key_holders(&asker.chat).await?;
        return Ok(holders.contains_key(&asker.device));
    }
    let info = match groups::cache::info(inner, &asker.chat).await {
        Ok(info) => info,
        Err(crate::Error::Store(error)) => return Err(error.into()),
        Err(error) => {
            tracing::info!(%error, "it is not known who is in a group");
            return Ok(false);
        }
    };
    let people: Vec<Jid> = info.participants.into_iter().map(|person| person.jid).collect();
    let people = lid::canonical_all(&*inner.store, &people).await?;
    Ok(people.iter().any(|person| person.is_same_user(&asker.device)))
}

/// What tells the own sender key of a chat, which is made if there is none.
async fn own_sender_key(
    draft: &mut Draft<'_>,
    inner: &Inner,
    chat: &Jid,
) -> Result<Option<pb::message::SenderKeyDistributionMessage>, HandleError> {
    let Some(own) = sender_key::own_device(inner).await? else { return Ok(None) };
    let record = sender_key::current(draft, inner, chat, &own, false).await?;
    Ok(sender_key::distribution(chat, &record).ok())
}

/// Encrypts the message for the device that asked, and commits what that took.
async fn resend(
    cx: &StanzaContext,
    receipt: &Receipt,
    request: &RetryRequest,
    asker: &Asker,
    sent: &SentMessage,
) -> Result<Option<OwnedNode>, HandleError> {
    let inner = &*cx.inner;
    let Ok(mut message) = pb::Message::decode(sent.plaintext.as_bytes()) else { return Ok(None) };
    let bundle = match bundle_in(inner, request, &asker.device).await? {
        Ok(Some(bundle)) => Some(bundle),
        Ok(None) => fetch_if_needed(inner, request, &asker.device).await?,
        Err(refusal) => {
            vouching::refuse(inner, &asker.device, refusal);
            return Ok(None);
        }
    };

    let _key = match asker.chat.is_person() {
        true => None,
        false => Some(inner.locks.sender_key(asker.chat.clone()).await),
    };
    let turn = Turn::take(inner, std::slice::from_ref(&asker.device)).await?;
    let device = &turn.name(&asker.device);
    let mut draft = Draft::new(&*inner.store);
    if !asker.chat.is_person() {
        message.sender_key_distribution_message =
            own_sender_key(&mut draft, inner, &asker.chat).await?;
    }
    let plaintext = match asker.is_own {
        true => device_sent(&asker.chat, message).encode_to_vec(),
        false => message.encode_to_vec(),
    };
    renew(&mut draft, inner, request, device, bundle.as_ref()).await?;
    let enc = encrypt(&mut draft, inner, device, bundle.as_ref(), &plaintext).await?;
    let Some(mut enc) = enc else {
        // That an old session is void holds all the same.
        inner.store.commit(draft.into_changes()).await?;
        return Ok(None);
    };
    enc.retry_count = request.count;
    let now = inner.now();
    let id: wa_store::MessageId = request.id.as_str().into();
    if request.count == 2
        && let Some(base_key) = draft.session(device).await?.base_key()
    {
        let (device, id) = (device.clone(), id.clone());
        draft.push(Change::RememberBaseKey { device, id, base_key, at: now });
    }
    draft.push(Change::CountRetryAnswer { device: device.clone(), id, at: now });
    if !asker.chat.is_person() {
        // It is told the key again with the next message, whether or not this one arrives.
        draft.push(Change::MarkSenderKeyHolders {
            group: asker.chat.clone(),
            devices: vec![device.clone()],
            has_key: false,
        });
    }
    let changed = draft.changed_people();
    inner.store.commit(draft.into_changes()).await?;
    tracing::info!(id = %request.id, device = device.device, "a message is sent again");
    identity::announce(inner, changed);

    let envelope = node::read(&sent.envelope).unwrap_or_else(|_| wa_proto::Node::new("message"));
    let kind = envelope.attrs.text("type").unwrap_or("text".into());
    let mut stanza =
        OutgoingMessage::new(receipt.envelope.from.clone(), request.id.clone(), &*kind);
    stanza.participant.clone_from(&receipt.envelope.participant);
    stanza.recipient.clone_from(&receipt.envelope.recipient);
    stanza.edit = edit(&envelope);
    stanza.extra.extend(meta(&envelope));
    if asker.chat.is_group() {
        let group = inner.store.group(&asker.chat).await?;
        stanza.addressing_mode = group.map(|group| group.addressing_mode);
    }
    stanza.is_resend = true;
    stanza.timestamp = u64::try_from(sent.sent_at.secs()).ok();
    enc.media_type = envelope.attrs.text("mediatype").map(Into::into);
    enc.hide_failure = hides_failure(&envelope);
    if enc.kind == EncKind::PreKeyMessage {
        stanza.device_identity = inner.account().device_identity.clone().map(Into::into);
    }
    stanza.encs.push(enc);
    Ok(Some(stanza.to_node()))
}

/// The keys that the request brought, if it did and they are its device's.
async fn bundle_in(
    inner: &Inner,
    request: &RetryRequest,
    device: &Jid,
) -> Result<Result<Option<VerifiedBundle>, DeviceRefusal>, HandleError> {
    let Some(wire) = &request.keys else { return Ok(Ok(None)) };
    let Some(keys) = bundle::read(request.registration_id, wire) else { return Ok(Ok(None)) };
    let draft = Draft::new(&*inner.store);
    let account = vouching::account_key(&draft, inner, device).await?;
    let shown = wire.device_identity.as_deref();
    let bundle = VerifiedBundle::verify(&draft, inner, device, keys, shown, account).await?;
    Ok(bundle.map(Some))
}

/// Fetches the device's keys if a session has to begin and the request brought none.
async fn fetch_if_needed(
    inner: &Inner,
    request: &RetryRequest,
    device: &Jid,
) -> Result<Option<VerifiedBundle>, HandleError> {
    let record = Draft::new(&*inner.store).session(device).await?;
    let recreated = inner.store.session_recreated_at(device).await?;
    let remembered = inner.store.base_key(device, &request.id.as_str().into()).await?;
    let collides = request.count > 2 && remembered.is_some() && remembered == record.base_key();
    if !needs_session(&record, request, collides, recreated, inner.now()) {
        return Ok(None);
    }
    let devices = std::slice::from_ref(device);
    match sessions::fetch(inner, devices, false).await {
        Ok(mut fetched) => Ok(fetched.bundles.remove(device)),
        Err(crate::Error::Store(error)) => Err(error.into()),
        Err(error) => {
            tracing::warn!(%error, "the keys for a retry cannot be fetched");
            Ok(None)
        }
    }
}

/// Whether a retry without keys calls for a new session: there is none, the device was set up
/// anew, both sides hold different sessions, or it failed twice; the last at most once an hour.
fn needs_session(
    record: &SessionRecord,
    request: &RetryRequest,
    collides: bool,
    recreated: Option<Timestamp>,
    now: Timestamp,
) -> bool {
    let is_other_device = record
        .remote_registration_id()
        .is_some_and(|known| known.as_u32() != request.registration_id);
    let is_due = recreated.is_none_or(|at| at.plus_secs(RECREATE_EVERY_SECS) <= now);
    !record.has_session() || is_other_device || collides || request.count >= 2 && is_due
}

/// Begins a new session if there are keys for one; a device that was set up anew loses the old.
async fn renew(
    draft: &mut Draft<'_>,
    inner: &Inner,
    request: &RetryRequest,
    device: &Jid,
    bundle: Option<&VerifiedBundle>,
) -> Result<(), HandleError> {
    let mut record = draft.session(device).await?;
    let known = record.remote_registration_id();
    if known.is_some_and(|known| known.as_u32() != request.registration_id) {
        record = record.end_sessions();
        draft.put_session(device, record.clone());
    }
    let Some(bundle) = bundle else { return Ok(()) };
    let account = inner.account();
    begin(draft, inner, &account, device, &record, bundle).await?;
    let at = inner.now();
    draft.push(Change::NoteSessionRecreated { device: device.clone(), at });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(count: u8, registration_id: u32) -> RetryRequest {
        let receipt = wa_proto::Node::new("receipt")
            .attr("id", "3EB0AA")
            .attr("from", Jid::lid("2"))
            .attr("type", "retry")
            .child(
                wa_proto::Node::new("retry")
                    .attr("count", u32::from(count))
                    .attr("id", "3EB0AA")
                    .attr("t", 1_700_000_000_u64),
            )
            .child(
                wa_proto::Node::new("registration").bytes(registration_id.to_be_bytes().to_vec()),
            );
        match wa_proto::Stanza::parse(receipt) {
            wa_proto::Stanza::Receipt(receipt) => match receipt.kind {
                wa_proto::stanza::ReceiptKind::Retry(request) => *request,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    fn record() -> SessionRecord {
        use rand_core::SeedableRng as _;
        use wa_crypto::KeyPair;
        use wa_signal::{
            LocalIdentity, PreKeyBundle, RegistrationId, SignedPreKey, SignedPreKeyId,
        };
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let (ours, theirs) = (KeyPair::random(&mut rng), KeyPair::random(&mut rng));
        let signed = SignedPreKey::generate(SignedPreKeyId::FIRST, &theirs, &mut rng);
        let bundle = PreKeyBundle {
            registration_id: RegistrationId::new(7),
            identity: theirs.public,
            signed_prekey: signed.public(),
            prekey: None,
        };
        let local = LocalIdentity::new(&ours, RegistrationId::new(1));
        SessionRecord::new().process_bundle(&local, &bundle, &mut rng).unwrap()
    }

    fn needs(record: &SessionRecord, request: &RetryRequest, recreated: Option<i64>) -> bool {
        let at = |secs: i64| Timestamp::from_secs(secs);
        needs_session(record, request, false, recreated.map(at), at(10_000))
    }

    #[test]
    fn a_session_is_made_anew_when_there_is_none_or_the_second_retry_comes() {
        assert!(needs(&SessionRecord::new(), &request(1, 7), None));
        assert!(!needs(&record(), &request(1, 7), None));
        assert!(needs(&record(), &request(2, 7), None));
    }

    #[test]
    fn a_session_is_made_anew_once_an_hour_at_most() {
        assert!(!needs(&record(), &request(2, 7), Some(10_000 - RECREATE_EVERY_SECS + 1)));
        assert!(needs(&record(), &request(2, 7), Some(10_000 - RECREATE_EVERY_SECS)));
    }

    #[test]
    fn another_registration_id_means_another_installation() {
        assert!(needs(&record(), &request(1, 8), Some(9_999)));
    }

    #[test]
    fn the_same_base_key_at_the_third_retry_forces_a_new_session() {
        let now = Timestamp::from_secs(10_000);
        assert!(needs_session(&record(), &request(3, 7), true, Some(now), now));
        assert!(!needs_session(&record(), &request(3, 7), false, Some(now), now));
    }
}
