//! Rules about who people are, what they permit and which devices they have, each told by stanzas
//! made by hand.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod handmade;
mod parties;

use handmade::{
    ack, acquainted, all_said, bundle, content, device, enc, message, notification, rng, said,
    send_without_ack, session, text,
};
use parties::{Party, settle};
use prost::Message as _;
use wa_client::{Error, Event};
use wa_crypto::KeyPair;
use wa_proto::{Jid, Node, pb};
use wa_signal::{CiphertextMessage, LocalIdentity, RegistrationId, SessionRecord, padding};
use wa_store::{Change, Device, DeviceList, PrivacyToken, SecretBytes, Timestamp};

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
        // The records stay, for what they recognise; the sessions are gone.
        for device in ada.store.session_devices(&address).await.unwrap() {
            assert!(!session(&ada, &device).await.has_session(), "{device}");
        }
    }
    assert_eq!(ada.stats().acks_owed, 0);
}

/// Cleo lost her phone. Who kept a message of it, or has it, does not take her place again.
#[tokio::test(start_paused = true)]
async fn after_a_re_registration_no_message_of_the_old_phone_is_read() {
    let (sim, ada, _bob) = acquainted(121).await;
    let cleo = Jid::lid("99000077");
    let (mut old, mut held_back, mut new) = (
        Stranger::without_prekey(&ada, 31, 32).await,
        Stranger::without_prekey(&ada, 31, 33).await,
        Stranger::without_prekey(&ada, 34, 35).await,
    );
    let deliver = |id, enc| sim.deliver(&device(&ada), message(&cleo, id, sim.now()).child(enc));
    deliver("3EB0BA", old.seals("from the old phone"));
    settle().await;
    deliver("3EB0BB", new.seals("from the new phone"));
    settle().await;
    let texts = ["from the old phone", "from the new phone"];
    assert_eq!(ada.texts(&cleo).await, texts);
    deliver("3EB0BC", held_back.seals("pay 100"));
    settle().await;
    assert_eq!(ada.store.identity(&cleo).await.unwrap(), Some(new.identity.public));
    assert_eq!(session(&ada, &cleo).await.remote_identity(), Some(new.identity.public));
    assert!(!ada.texts(&cleo).await.iter().any(|text| text == "pay 100"));
}

/// The server's notice comes first, and the new phone has not written yet.
#[tokio::test(start_paused = true)]
async fn after_the_notice_of_a_re_registration_no_message_of_the_old_phone_is_read() {
    let (sim, ada, _bob) = acquainted(122).await;
    let cleo = Jid::lid("99000078");
    let mut old = Stranger::without_prekey(&ada, 41, 42).await;
    let mut held_back = Stranger::without_prekey(&ada, 41, 43).await;
    let deliver = |id, enc| sim.deliver(&device(&ada), message(&cleo, id, sim.now()).child(enc));
    deliver("3EB0CA", old.seals("from the old phone"));
    settle().await;
    sim.deliver(&device(&ada), notification(&cleo, "encrypt", "1").child(Node::new("identity")));
    settle().await;
    deliver("3EB0CB", held_back.seals("pay 100"));
    settle().await;
    assert!(!ada.texts(&cleo).await.iter().any(|text| text == "pay 100"));
    assert_eq!(ada.store.identity(&cleo).await.unwrap(), None);
    assert!(!session(&ada, &cleo).await.has_session());
}

#[tokio::test(start_paused = true)]
async fn a_message_under_a_new_identity_is_read_and_told() {
    let (_sim, mut ada, bob) = acquainted(120).await;
    let stranger = KeyPair::random(&mut rng(7)).public;
    let put = Change::PutIdentity { device: device(&bob), key: stranger };
    ada.store.commit(put.into()).await.unwrap();
    bob.store.commit(Change::DeleteSession(device(&ada)).into()).await.unwrap();
    bob.client.send(ada.phone.jid(), "set up anew").await.unwrap();
    let changed = |event: &Event| match event {
        Event::IdentityChanged { user, implicit } => Some((user.clone(), *implicit)),
        _ => None,
    };
    assert_eq!(ada.until(changed).await, (bob.phone.lid(), true));
    assert_eq!(ada.message().await.text.as_deref(), Some("set up anew"));
    assert_ne!(ada.store.identity(&device(&bob)).await.unwrap(), Some(stranger));
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
    assert_eq!(entry.state, wa_store::OutboxState::Failed(wa_store::SendFailure::Restricted));
    assert!(!matches!(
        ada.client.send(bob.phone.jid(), "x").await,
        Err(Error::AccountRestricted { .. })
    ));
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
        Self::with(party, 8, 9, Some(400)).await
    }

    /// With a session for which the server had no one-time prekey left, so that nothing of
    /// `party`'s is used up.
    async fn without_prekey(party: &Party, identity: u64, session: u64) -> Self {
        Self::with(party, identity, session, None).await
    }

    async fn with(party: &Party, identity: u64, seed: u64, prekey: Option<u32>) -> Self {
        let identity = KeyPair::random(&mut rng(identity));
        let bundle = bundle(party, prekey).await;
        let local = LocalIdentity::new(&identity, RegistrationId::new(Self::REGISTRATION));
        let session = SessionRecord::new().process_bundle(&local, &bundle, &mut rng(seed)).unwrap();
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
    assert_eq!(ada.store.session_devices(&phone).await.unwrap().len(), 1);

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
