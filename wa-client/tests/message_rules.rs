//! Rules of receiving, repairing and sending, each told by stanzas made by hand.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it fails"
)]

mod handmade;
mod parties;

use std::{sync::Arc, time::Duration};

use handmade::{
    ack, all_said, content, device, enc, group_message, message, notification, opened, retry, rng,
    said, sealed, send_without_ack, session, text,
};
use parties::{Party, ada_and_bob, settle};
use prost::Message as _;
use wa_client::{Error, Event};
use wa_crypto::KeyPair;
use wa_proto::{Jid, Node, content::device_sent, pb};
use wa_signal::{
    CiphertextMessage, LocalIdentity, PreKeyBundle, PreKeyId, PreKeyPublic, RegistrationId,
    SenderKeyRecord, SessionRecord, SignedPreKeyId, SignedPreKeyPublic, padding,
};
use wa_store::{
    Change, Device, DeviceList, MemoryStore, MessageKey, MessageKind, Placeholder, PrivacyToken,
    SecretBytes, Timestamp,
};

const DAY: u64 = 24 * 60 * 60;

async fn acquainted(seed: u64) -> (wa_sim::Sim, Party, Party) {
    let (sim, mut ada, mut bob) = ada_and_bob(seed).await;
    ada.client.send(bob.phone.jid(), "hello").await.unwrap();
    bob.message().await;
    bob.client.send(ada.phone.jid(), "hello back").await.unwrap();
    ada.message().await;
    settle().await;
    sim.listen();
    (sim, ada, bob)
}

async fn registration_id(party: &Party) -> u32 {
    party.store.account().await.unwrap().unwrap().registration_id
}

fn key(chat: &Jid, id: &str) -> MessageKey {
    MessageKey { chat: chat.clone(), sender: chat.clone(), id: id.into(), from_me: false }
}

#[tokio::test(start_paused = true)]
async fn the_same_stanza_three_times_is_one_message_and_three_receipts() {
    let (sim, ada, bob) = acquainted(101).await;
    let sealed = sealed(&bob, &ada, &text("once")).await;
    let stanza = message(&device(&bob), "3EB0AA", sim.now()).child(sealed.clone());
    for _ in 0..3 {
        assert!(sim.deliver(&device(&ada), stanza.clone()));
        settle().await;
    }
    assert_eq!(ada.texts(&bob.phone.jid()).await, ["hello", "hello back", "once"]);
    let receipts = said(&ada, "receipt", "3EB0AA");
    assert_eq!(receipts.len(), 3);
    assert!(receipts.iter().all(|receipt| receipt.attrs.is("type", "inactive")), "{receipts:?}");
    // Nor is it the id that makes the same ciphertext another message.
    let again = message(&device(&bob), "3EB0AB", sim.now()).child(sealed);
    sim.deliver(&device(&ada), again);
    settle().await;
    assert_eq!(ada.texts(&bob.phone.jid()).await.len(), 3);
    assert_eq!(said(&ada, "receipt", "3EB0AB").len(), 1);
    assert_eq!(ada.stats().acks_owed, 0);
}

#[tokio::test(start_paused = true)]
async fn a_broken_half_of_a_stanza_does_not_take_the_other_with_it() {
    let (sim, ada, bob) = acquainted(102).await;
    let group = sim.create_group("Tea", &[&ada.phone, &bob.phone]).unwrap();
    let (key, mut rng) = (SenderKeyRecord::create(&mut rng(3)), rng(4));
    let distribution = pb::message::SenderKeyDistributionMessage {
        group_id: Some(group.to_string()),
        axolotl_sender_key_distribution_message: Some(key.distribution_message().unwrap().into()),
    };
    let carrier = pb::Message {
        sender_key_distribution_message: Some(distribution),
        ..pb::Message::default()
    };
    let direct = sealed(&bob, &ada, &carrier).await;
    let mut padded = |what: &str| padding::pad(text(what).encode_to_vec(), &mut rng);
    let (first, second) = (padded("first"), padded("second"));
    let (key, first) = key.encrypt(&first, &mut handmade::rng(5)).unwrap();
    let (_, second) = key.encrypt(&second, &mut handmade::rng(6)).unwrap();
    let mut damaged = first.clone();
    *damaged.last_mut().unwrap() ^= 1;

    // The group half is broken: the key in the other is kept, and the message is asked for.
    let stanza = group_message(&group, &device(&bob), "3EB0AA", sim.now());
    sim.deliver(&device(&ada), stanza.child(direct).child(enc("skmsg", damaged)));
    settle().await;
    assert!(ada.store.sender_key(&group, &device(&bob)).await.unwrap().is_some());
    assert!(said(&ada, "receipt", "3EB0AA")[0].attrs.is("type", "retry"));

    // The direct half is broken: the message is read with the key that was kept.
    let stanza = group_message(&group, &device(&bob), "3EB0AB", sim.now());
    sim.deliver(
        &device(&ada),
        stanza.child(enc("msg", vec![0x33; 60])).child(enc("skmsg", second)),
    );
    settle().await;
    assert_eq!(ada.texts(&group).await, ["second"]);
    let receipts = said(&ada, "receipt", "3EB0AB");
    assert!(receipts.len() == 1 && !receipts[0].attrs.is("type", "retry"), "{receipts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_status_post_older_than_a_day_is_not_asked_for() {
    let (sim, ada, bob) = acquainted(103).await;
    for (id, at) in [("3EB0AA", sim.now() - DAY - 3600), ("3EB0AB", sim.now() - 3600)] {
        let stanza = group_message(&Jid::status(), &device(&bob), id, at);
        sim.deliver(&device(&ada), stanza.child(enc("skmsg", vec![0x33; 90])));
    }
    settle().await;
    assert!(said(&ada, "receipt", "3EB0AA").is_empty());
    assert_eq!(said(&ada, "ack", "3EB0AA").len(), 1);
    assert!(said(&ada, "receipt", "3EB0AB")[0].attrs.is("type", "retry"));
}

#[tokio::test(start_paused = true)]
async fn what_only_own_devices_may_say_is_not_believed_from_others() {
    let (sim, ada, bob) = acquainted(104).await;
    let second = Party::link(&sim, ada.phone.clone(), Arc::new(MemoryStore::new())).await;
    ada.client.send(ada.phone.jid(), "hello, other device").await.unwrap();
    settle().await;
    sim.listen();

    let wrapped = device_sent(&bob.phone.lid(), text("as if from ada"));
    bob.phone.send(&ada.phone.jid(), wrapped).unwrap();

    let share = |id: u8| pb::Message {
        protocol_message: Some(Box::new(pb::message::ProtocolMessage {
            r#type: Some(pb::message::protocol_message::Type::AppStateSyncKeyShare.into()),
            app_state_sync_key_share: Some(pb::message::AppStateSyncKeyShare {
                keys: vec![pb::message::AppStateSyncKey {
                    key_id: Some(pb::message::AppStateSyncKeyId { key_id: Some(vec![id].into()) }),
                    ..Default::default()
                }],
            }),
            ..Default::default()
        })),
        ..pb::Message::default()
    };
    bob.phone.send(&ada.phone.jid(), share(0xbb)).unwrap();
    let own = message(&device(&second), "3EB0AA", sim.now()).attr("recipient", ada.phone.lid());
    sim.deliver(&device(&ada), own.child(sealed(&second, &ada, &share(0xaa)).await));

    let gap = Placeholder {
        key: key(&bob.phone.lid(), "3EB0CC"),
        timestamp: Timestamp::from_secs(i64::try_from(sim.now()).unwrap()),
        push_name: None,
        reason: "no-session".to_owned(),
        requested_at: None,
        attempts: 0,
    };
    ada.store.commit(Change::PutPlaceholder(Box::new(gap)).into()).await.unwrap();
    let poison = phone_copy(&bob.phone.lid(), "3EB0CC", "poison");
    bob.phone.send(&ada.phone.jid(), poison.clone()).unwrap();
    let own = message(&device(&second), "3EB0AB", sim.now()).attr("recipient", ada.phone.lid());
    sim.deliver(&device(&ada), own.child(sealed(&second, &ada, &poison).await));
    settle().await;

    let kept = ada.archive(&bob.phone.lid()).await;
    assert_eq!(ada.texts(&bob.phone.lid()).await, ["hello", "hello back"]);
    assert_eq!(kept.last().unwrap().kind, MessageKind::UNREADABLE, "nobody but the phone fills it");
    assert!(ada.store.setting("app-state-key/bb").await.unwrap().is_none());
    assert!(ada.store.setting("app-state-key/aa").await.unwrap().is_some());
    assert_eq!((ada.stats().acks_owed, ada.stats().counters.retries), (0, 0));
}

/// What a phone answers when it is asked for a message.
fn phone_copy(chat: &Jid, id: &str, what: &str) -> pb::Message {
    use pb::message::{
        PeerDataOperationRequestResponseMessage as Response,
        peer_data_operation_request_response_message::{
            PeerDataOperationResult, peer_data_operation_result::PlaceholderMessageResendResponse,
        },
    };
    let copy = pb::WebMessageInfo {
        key: pb::MessageKey {
            remote_jid: Some(chat.to_string()),
            from_me: Some(false),
            id: Some(id.to_owned()),
            participant: None,
        },
        message: Some(text(what)),
        ..Default::default()
    };
    let result = PeerDataOperationResult {
        placeholder_message_resend_response: Some(PlaceholderMessageResendResponse {
            web_message_info_bytes: Some(copy.encode_to_vec().into()),
        }),
        ..Default::default()
    };
    pb::Message {
        protocol_message: Some(Box::new(pb::message::ProtocolMessage {
            r#type: Some(
                pb::message::protocol_message::Type::PeerDataOperationRequestResponseMessage.into(),
            ),
            peer_data_operation_request_response_message: Some(Response {
                peer_data_operation_result: vec![result],
                ..Default::default()
            }),
            ..Default::default()
        })),
        ..pb::Message::default()
    }
}

#[tokio::test(start_paused = true)]
async fn one_device_is_answered_ten_times_at_most_about_one_message() {
    let (sim, ada, bob) = acquainted(105).await;
    let id = ada.client.send(bob.phone.jid(), "again and again").await.unwrap().id;
    let registration = registration_id(&bob).await;
    for _ in 0..12 {
        sim.deliver(&device(&ada), retry(&device(&bob), id.as_str(), 1, registration));
        settle().await;
    }
    let resent = said(&ada, "message", id.as_str()).len() - 1;
    assert_eq!(resent, 10);
    let acks = said(&ada, "ack", id.as_str());
    let acks = acks.iter().filter(|ack| ack.attrs.is("type", "retry")).count();
    assert_eq!(acks, 12, "each request is acknowledged");
}

#[tokio::test(start_paused = true)]
async fn a_request_for_an_unknown_message_gets_an_ack_and_nothing_else() {
    let (sim, ada, bob) = acquainted(106).await;
    let registration = registration_id(&bob).await;
    sim.deliver(&device(&ada), retry(&device(&bob), "3EB0FF", 1, registration));
    settle().await;
    assert!(all_said(&ada, "message").is_empty());
    assert_eq!(said(&ada, "ack", "3EB0FF").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_own_device_that_asks_gets_what_was_sent_and_to_whom() {
    let (sim, ada, bob) = acquainted(107).await;
    let mut second = Party::link(&sim, ada.phone.clone(), Arc::new(MemoryStore::new())).await;
    settle().await;
    let id = ada.client.send(bob.phone.jid(), "for bob").await.unwrap().id;
    second.message().await;
    second.client.send(ada.phone.jid(), "so that both have a session").await.unwrap();
    ada.client.send(bob.phone.jid(), "and more").await.unwrap();
    settle().await;
    second.client.disconnect().await;
    sim.listen();
    let registration = registration_id(&second).await;
    let request = retry(&device(&second), id.as_str(), 1, registration);
    sim.deliver(&device(&ada), request.attr("recipient", bob.phone.lid()));
    settle().await;
    let resent = said(&ada, "message", id.as_str());
    assert_eq!(resent.len(), 1);
    let sealed = resent[0].find("enc").unwrap();
    let inner = opened(&second, &device(&ada), sealed).await.device_sent_message.unwrap();
    assert_eq!(inner.destination_jid.as_deref(), Some(&*bob.phone.lid().to_string()));
    assert_eq!(inner.message.unwrap().conversation.as_deref(), Some("for bob"));
}

#[tokio::test(start_paused = true)]
async fn a_device_set_up_anew_loses_the_session_it_no_longer_has() {
    let (sim, ada, bob) = acquainted(108).await;
    let id = ada.client.send(bob.phone.jid(), "who are you?").await.unwrap().id;
    let before = session(&ada, &device(&bob)).await;
    let other = registration_id(&bob).await + 1;
    sim.deliver(&device(&ada), retry(&device(&bob), id.as_str(), 1, other));
    settle().await;
    let after = session(&ada, &device(&bob)).await;
    assert_ne!(after.base_key(), before.base_key());
    assert_eq!(after.archived_count(), 0, "the old one is gone, not kept aside");
    let resent = said(&ada, "message", id.as_str());
    assert!(resent[1].find("enc").unwrap().attrs.is("type", "pkmsg"));
}

#[tokio::test(start_paused = true)]
async fn without_keys_a_session_is_made_anew_once_an_hour() {
    let (sim, ada, bob) = acquainted(109).await;
    bob.client.disconnect().await;
    let registration = registration_id(&bob).await;
    let mut base_keys = vec![session(&ada, &device(&bob)).await.base_key()];
    for (id, wait) in [("one", 0), ("two", 600), ("three", 3600)] {
        tokio::time::sleep(Duration::from_secs(wait)).await;
        let id = ada.client.send(bob.phone.jid(), id).await.unwrap().id;
        sim.deliver(&device(&ada), retry(&device(&bob), id.as_str(), 2, registration));
        settle().await;
        base_keys.push(session(&ada, &device(&bob)).await.base_key());
    }
    assert_ne!(base_keys[0], base_keys[1]);
    assert_eq!(base_keys[1], base_keys[2], "ten minutes later");
    assert_ne!(base_keys[2], base_keys[3], "an hour later");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_fails_twice_with_one_base_key_is_replaced() {
    let (sim, ada, bob) = acquainted(110).await;
    bob.client.disconnect().await;
    let registration = registration_id(&bob).await;
    let id = ada.client.send(bob.phone.jid(), "still not?").await.unwrap().id;
    sim.deliver(&device(&ada), retry(&device(&bob), id.as_str(), 2, registration));
    settle().await;
    let second = session(&ada, &device(&bob)).await.base_key();
    // Another message's third retry says nothing about this session.
    let other = ada.client.send(bob.phone.jid(), "and this?").await.unwrap().id;
    sim.deliver(&device(&ada), retry(&device(&bob), other.as_str(), 3, registration));
    settle().await;
    assert_eq!(session(&ada, &device(&bob)).await.base_key(), second);
    sim.deliver(&device(&ada), retry(&device(&bob), id.as_str(), 3, registration));
    settle().await;
    assert_ne!(session(&ada, &device(&bob)).await.base_key(), second);
}

#[tokio::test(start_paused = true)]
async fn a_new_identity_voids_the_sessions_of_all_devices_under_both_addresses() {
    let (sim, mut ada, bob) = acquainted(111).await;
    for device in [bob.phone.jid(), bob.phone.jid().with_device(7)] {
        let record = SecretBytes::from(vec![1]);
        ada.store.commit(Change::PutSession { device, record }.into()).await.unwrap();
    }
    assert!(ada.store.session_devices(&bob.phone.lid()).await.unwrap().len() > 1);
    let notice = |from: &Jid, id| notification(from, "encrypt", id).child(Node::new("identity"));
    let own = ada.store.session_devices(&ada.phone.lid()).await.unwrap();
    assert!(!own.is_empty());
    sim.deliver(&device(&ada), notice(&ada.phone.jid(), "1"));
    sim.deliver(&device(&ada), notice(&bob.phone.jid().with_device(3), "2"));
    settle().await;
    assert_eq!(ada.store.session_devices(&ada.phone.lid()).await.unwrap(), own);
    assert!(!ada.store.session_devices(&bob.phone.lid()).await.unwrap().is_empty());

    sim.deliver(&device(&ada), notice(&bob.phone.jid(), "3"));
    let changed = |event: &Event| match event {
        Event::IdentityChanged { user, implicit } => Some((user.clone(), *implicit)),
        _ => None,
    };
    assert_eq!(ada.until(changed).await, (bob.phone.lid(), false));
    for address in [bob.phone.lid(), bob.phone.jid()] {
        assert!(ada.store.session_devices(&address).await.unwrap().is_empty());
    }
    assert_eq!(ada.stats().acks_owed, 0);
}

#[tokio::test(start_paused = true)]
async fn a_new_identity_met_while_sending_is_told() {
    let (_sim, mut ada, bob) = acquainted(112).await;
    let stranger = KeyPair::random(&mut rng(7)).public;
    let put = Change::PutIdentity { device: device(&bob), key: stranger };
    ada.store.commit(put.into()).await.unwrap();
    ada.store.commit(Change::DeleteSession(device(&bob)).into()).await.unwrap();
    ada.client.send(bob.phone.jid(), "is it still you?").await.unwrap();
    let changed = |event: &Event| match event {
        Event::IdentityChanged { user, implicit } => Some((user.clone(), *implicit)),
        _ => None,
    };
    assert_eq!(ada.until(changed).await, (bob.phone.lid(), true));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_knows_other_devices_makes_the_lists_be_asked_for_again() {
    let (sim, ada, bob) = acquainted(113).await;
    let id = send_without_ack(&ada, &bob.phone.jid(), "to whom?").await;
    let people = [bob.phone.lid(), ada.phone.lid()];
    for person in &people {
        assert!(ada.store.device_list(person).await.unwrap().is_some());
    }
    sim.deliver(&device(&ada), ack(&bob.phone.lid(), &id).attr("phash", "2:AAAAAAAA"));
    settle().await;
    for person in &people {
        assert!(ada.store.device_list(person).await.unwrap().is_none());
    }
    assert!(ada.store.outbox_pending().await.unwrap().is_empty());
}

fn usyncs(party: &Party) -> usize {
    all_said(party, "iq").iter().filter(|iq| iq.attrs.is("xmlns", "usync")).count()
}

#[tokio::test(start_paused = true)]
async fn a_stale_lid_is_asked_for_again() {
    let (sim, ada, bob) = acquainted(114).await;
    let id = send_without_ack(&ada, &bob.phone.jid(), "one").await;
    sim.deliver(&device(&ada), ack(&bob.phone.lid(), &id));
    settle().await;
    assert_eq!(usyncs(&ada), 0);
    let id = send_without_ack(&ada, &bob.phone.jid(), "two").await;
    sim.deliver(&device(&ada), ack(&bob.phone.lid(), &id).attr("refresh_lid", "true"));
    settle().await;
    assert_eq!(usyncs(&ada), 1);
    assert_eq!(ada.store.lid_of(&bob.phone.jid()).await.unwrap(), Some(bob.phone.lid()));
}

#[tokio::test(start_paused = true)]
async fn a_restricted_account_is_told_and_the_message_never_sent_again() {
    let (sim, mut ada, bob) = acquainted(115).await;
    let id = send_without_ack(&ada, &bob.phone.jid(), "too many").await;
    sim.deliver(&device(&ada), ack(&bob.phone.lid(), &id).attr("error", "463"));
    let code = |event: &Event| match event {
        Event::AccountRestricted { code, .. } => Some(*code),
        _ => None,
    };
    assert_eq!(ada.until(code).await, 463);
    ada.line.cut();
    ada.connected().await;
    settle().await;
    let mut ada = ada.restart(None).await;
    ada.client.connect().unwrap();
    ada.connected().await;
    settle().await;
    assert_eq!(said(&ada, "message", &id).len(), 1);
    let entry = ada.store.outbox_entry(&id.as_str().into()).await.unwrap().unwrap();
    assert_eq!(entry.state, wa_store::OutboxState::Failed("463".to_owned()));
    assert!(!matches!(ada.client.send(bob.phone.jid(), "x").await, Err(Error::AccountRestricted)));
}

fn token(given: &'static [u8], at: u64) -> wa_proto::OwnedNode {
    let token = Node::new("token").attr("type", "trusted_contact").attr("t", at);
    Node::new("tokens").child(token.bytes(given.to_vec()))
}

#[tokio::test(start_paused = true)]
async fn a_token_is_kept_under_the_lid_and_goes_with_direct_messages_only() {
    let (sim, mut ada, bob) = acquainted(116).await;
    let given = notification(&bob.phone.jid(), "privacy_token", "1");
    sim.deliver(&device(&ada), given.child(token(b"let ada write", sim.now())));
    settle().await;
    let kept = ada.store.privacy_token(&bob.phone.lid()).await.unwrap().unwrap();
    assert_eq!(kept.token.as_bytes(), b"let ada write");
    let id = ada.client.send(bob.phone.jid(), "with a token").await.unwrap().id;
    let sent = said(&ada, "message", id.as_str());
    assert_eq!(content(sent[0].find("tctoken").unwrap()), b"let ada write");

    // A request to the own phone has none, even if there is one for oneself.
    let own = PrivacyToken {
        token: b"never".to_vec().into(),
        timestamp: kept.timestamp,
        issued_at: None,
    };
    let put = Change::PutPrivacyToken { jid: ada.phone.lid(), token: own };
    ada.store.commit(put.into()).await.unwrap();
    let mut plan = wa_sim::FaultPlan::default();
    plan.unavailable = wa_sim::Chance::times(1);
    sim.set_faults(plan);
    bob.phone.send_text(&ada.phone.jid(), "only for phones").unwrap();
    ada.repaired().await;
    let sent = all_said(&ada, "message");
    let peer: Vec<_> = sent.iter().filter(|sent| sent.attrs.is("category", "peer")).collect();
    assert_eq!(peer.len(), 1);
    assert!(peer[0].find("tctoken").is_none());
}

/// How often a client gave tokens.
fn given(party: &Party) -> usize {
    let is_token = |iq: &&wa_proto::OwnedNode| iq.find("tokens").is_some();
    all_said(party, "iq").iter().filter(is_token).count()
}

#[tokio::test(start_paused = true)]
async fn a_token_is_given_once_in_each_week() {
    let (sim, ada, bob) = acquainted(117).await;
    let kept = ada.store.privacy_token(&bob.phone.lid()).await.unwrap().unwrap();
    let issued_at = kept.issued_at.unwrap();
    for text in ["one", "two"] {
        ada.client.send(bob.phone.jid(), text).await.unwrap();
        settle().await;
    }
    assert_eq!(given(&ada), 0, "the first message gave one");
    let week_before = issued_at.plus_secs(-7 * 24 * 60 * 60);
    let token = PrivacyToken { issued_at: Some(week_before), ..kept };
    let put = Change::PutPrivacyToken { jid: bob.phone.lid(), token };
    ada.store.commit(put.into()).await.unwrap();
    for text in ["three", "four"] {
        ada.client.send(bob.phone.jid(), text).await.unwrap();
        settle().await;
    }
    assert_eq!(given(&ada), 1);
    // Somebody set up anew lost it.
    let anew = notification(&bob.phone.jid(), "encrypt", "1").child(Node::new("identity"));
    sim.deliver(&device(&ada), anew);
    settle().await;
    assert_eq!(given(&ada), 2);
}

/// Somebody who exists only in this test.
struct Stranger {
    identity: KeyPair,
    session: SessionRecord,
}

impl Stranger {
    const REGISTRATION: u32 = 77;

    /// With a session made from the keys that `party` published.
    async fn meets(party: &Party) -> Self {
        let identity = KeyPair::random(&mut rng(8));
        let account = party.store.account().await.unwrap().unwrap();
        let signed = party.store.signed_prekeys().await.unwrap().remove(0);
        let prekey = party.store.prekey(400).await.unwrap().unwrap();
        let bundle = PreKeyBundle {
            registration_id: RegistrationId::new(account.registration_id),
            identity: account.identity.public,
            signed_prekey: SignedPreKeyPublic {
                id: SignedPreKeyId::new(signed.id).unwrap(),
                key: signed.pair.public,
                signature: signed.signature,
            },
            prekey: Some(PreKeyPublic { id: PreKeyId::new(400).unwrap(), key: prekey.pair.public }),
        };
        let local = LocalIdentity::new(&identity, RegistrationId::new(Self::REGISTRATION));
        let session = SessionRecord::new().process_bundle(&local, &bundle, &mut rng(9)).unwrap();
        Self { identity, session }
    }

    fn seals(&mut self, what: &str) -> wa_proto::OwnedNode {
        let local = LocalIdentity::new(&self.identity, RegistrationId::new(Self::REGISTRATION));
        let padded = padding::pad(text(what).encode_to_vec(), &mut rng(10));
        let (session, sealed) = self.session.encrypt(&local, &padded).unwrap();
        self.session = session;
        match sealed {
            CiphertextMessage::PreKey(bytes) => enc("pkmsg", bytes),
            CiphertextMessage::Signal(bytes) => enc("msg", bytes),
        }
    }

    fn opens(&mut self, enc: &wa_proto::OwnedNode) -> Option<String> {
        assert!(enc.attrs.is("type", "msg"), "a session was begun anew");
        let local = LocalIdentity::new(&self.identity, RegistrationId::new(Self::REGISTRATION));
        let opened = self.session.decrypt_signal(&local, &content(enc), &mut rng(11)).unwrap();
        self.session = opened.session;
        let plaintext = padding::unpad(&opened.plaintext).unwrap();
        pb::Message::decode(plaintext).unwrap().conversation
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_begun_by_phone_number_goes_on_by_lid_both_ways() {
    let (sim, mut ada, _bob) = acquainted(118).await;
    let (phone, lid) = (Jid::phone("15559999"), Jid::lid("99000099"));
    let mut cleo = Stranger::meets(&ada).await;
    let first = message(&phone, "3EB0AA", sim.now()).child(cleo.seals("by number"));
    sim.deliver(&device(&ada), first);
    assert_eq!(ada.message().await.text.as_deref(), Some("by number"));
    assert_eq!(ada.store.session_devices(&phone).await.unwrap(), [phone.clone()]);

    // Its prekey is used up, so that only the same session can read the next.
    let next = message(&lid, "3EB0AB", sim.now()).attr("sender_pn", &phone);
    sim.deliver(&device(&ada), next.child(cleo.seals("by lid")));
    assert_eq!(ada.message().await.text.as_deref(), Some("by lid"));
    assert!(ada.store.session_devices(&phone).await.unwrap().is_empty());
    assert_eq!(ada.texts(&lid).await, ["by number", "by lid"]);
    assert_eq!(ada.texts(&phone).await, ["by number", "by lid"]);

    let now = Timestamp::from_secs(i64::try_from(sim.now()).unwrap());
    let devices = vec![Device { device: 0, key_index: None, hosted: false }];
    let list = DeviceList { devices, fetched_at: now, ..DeviceList::default() };
    ada.store.commit(Change::PutDeviceList { user: lid.clone(), list }.into()).await.unwrap();
    let id = ada.client.send(phone, "answer").queue().await.unwrap().id;
    settle().await;
    let sent = said(&ada, "message", id.as_str()).remove(0);
    assert_eq!(sent.attrs.jid("to"), Some(lid.clone()));
    let participants = sent.find("participants").unwrap();
    let part = participants.find_all("to").find(|to| to.attrs.jid("jid").as_ref() == Some(&lid));
    assert_eq!(cleo.opens(part.unwrap().find("enc").unwrap()).as_deref(), Some("answer"));
}
