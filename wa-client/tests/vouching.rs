//! What a lying server gets that makes up devices: nothing, and the user is told.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod handmade;
mod parties;

use std::{slice, sync::Arc};

use handmade::{
    acquainted, all_said, bundle, device, enc, message, notification, registration_id, retry, rng,
    said, text,
};
use parties::{Party, settle};
use prost::Message as _;
use wa_adv::{DeviceDetails, SignedDeviceIdentity};
use wa_client::{DeviceRefusal, Event};
use wa_crypto::KeyPair;
use wa_proto::{Jid, Node, OwnedNode};
use wa_signal::{
    LocalIdentity, RegistrationId, SessionRecord, SignedPreKey, SignedPreKeyId, padding,
};
use wa_store::{Change, MemoryStore};

/// A device of the server's making: it has keys of its own, and those of an account of its own.
struct Impostor {
    account: KeyPair,
    identity: KeyPair,
}

impl Impostor {
    const REGISTRATION: u32 = 77;

    fn new() -> Self {
        Self { account: KeyPair::random(&mut rng(21)), identity: KeyPair::random(&mut rng(22)) }
    }

    /// An identity that its own account signed.
    fn device_identity(&self) -> OwnedNode {
        let details = DeviceDetails { key_index: 1, ..DeviceDetails::default() };
        let key = &self.identity.public;
        let signed = SignedDeviceIdentity::sign(&details, key, &self.account, &mut rng(23));
        let signed = signed.countersign(&self.identity, &mut rng(24)).unwrap();
        Node::new("device-identity").bytes(signed.encode())
    }

    /// The `<keys>` of a retry receipt.
    fn keys(&self, with_identity: bool) -> OwnedNode {
        let signed = SignedPreKey::generate(SignedPreKeyId::FIRST, &self.identity, &mut rng(25));
        let skey = Node::new("skey")
            .child(Node::new("id").bytes(vec![0, 0, 1]))
            .child(Node::new("value").bytes(signed.pair.public.as_bytes().to_vec()))
            .child(Node::new("signature").bytes(signed.signature.as_bytes().to_vec()));
        Node::new("keys")
            .child(Node::new("type").bytes(vec![5]))
            .child(Node::new("identity").bytes(self.identity.public.as_bytes().to_vec()))
            .child(skey)
            .children(with_identity.then(|| self.device_identity()))
    }

    /// A first message for a party's linked device.
    async fn seals(&self, to: &Party, what: &str) -> OwnedNode {
        let bundle = bundle(to, None).await;
        let local = LocalIdentity::new(&self.identity, RegistrationId::new(Self::REGISTRATION));
        let session = SessionRecord::new().process_bundle(&local, &bundle, &mut rng(26)).unwrap();
        let padded = padding::pad(text(what).encode_to_vec(), &mut rng(27));
        let (_, sealed) = session.encrypt(&local, &padded).unwrap();
        enc("pkmsg", sealed.into_bytes())
    }
}

/// The next device that the user is told is nobody's.
async fn unverified(party: &mut Party) -> (Jid, DeviceRefusal) {
    let refusal = |event: &Event| match event {
        Event::DeviceUnverified { device, reason } => Some((device.clone(), *reason)),
        _ => None,
    };
    party.until(refusal).await
}

fn announced(party: &mut Party) -> Vec<Jid> {
    let mut people = Vec::new();
    while let Some(event) = party.events.try_next() {
        if let Event::IdentityChanged { user, .. } = event {
            people.push(user);
        }
    }
    people
}

/// For whom the newest message holds ciphertexts.
fn recipients(party: &Party, id: &str) -> Vec<Jid> {
    let stanza = said(party, "message", id).remove(0);
    let participants = stanza.find("participants").unwrap();
    participants.find_all("to").filter_map(|to| to.attrs.jid("jid")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_companion_that_another_account_signed_is_not_written_to() {
    let (_sim, mut ada, bob) = acquainted(501).await;
    // To Ada, Bob's phone has another key than the one that signed his companion.
    let stranger = KeyPair::random(&mut rng(7)).public;
    let put = Change::PutIdentity { device: bob.phone.lid(), key: stranger };
    ada.store.commit(put.into()).await.unwrap();
    let id = ada.client.send(bob.phone.jid(), "to whom?").await.unwrap().id;
    let refused = (device(&bob), DeviceRefusal::OtherAccount);
    assert_eq!(unverified(&mut ada).await, refused);
    let reached = recipients(&ada, id.as_str());
    assert!(reached.contains(&bob.phone.lid()), "{reached:?}");
    assert!(!reached.contains(&device(&bob)), "{reached:?}");
}

#[tokio::test(start_paused = true)]
async fn a_first_message_of_a_device_that_the_server_made_up_is_not_read() {
    let (sim, mut ada, bob) = acquainted(502).await;
    let impostor = Impostor::new();
    let from = bob.phone.lid().with_device(66);
    let bare = impostor.seals(&ada, "believe me").await;
    sim.deliver(&device(&ada), message(&from, "3EB0A1", sim.now()).child(bare.clone()));
    assert_eq!(unverified(&mut ada).await, (from.clone(), DeviceRefusal::NoIdentity));
    let signed = message(&from, "3EB0A2", sim.now()).child(bare);
    sim.deliver(&device(&ada), signed.child(impostor.device_identity()));
    assert_eq!(unverified(&mut ada).await, (from.clone(), DeviceRefusal::OtherAccount));
    settle().await;
    assert_eq!(ada.texts(&bob.phone.lid()).await, ["hello", "hello back"]);
    assert_eq!(ada.store.session(&from).await.unwrap(), None);
    assert_eq!(ada.store.identity(&from).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn no_companion_brings_back_the_account_that_was_set_up_anew() {
    let (sim, mut ada, _bob) = acquainted(507).await;
    let dora = Jid::lid("99000077");
    let (first, mut second) = (Impostor::new(), Impostor::new());
    second.identity = KeyPair::random(&mut rng(31));
    let from = |number, id| message(&dora.clone().with_device(number), id, sim.now());
    let said = first.seals(&ada, "before").await;
    let said = from(3, "3EB0A1").child(said).child(first.device_identity());
    sim.deliver(&device(&ada), said);
    settle().await;
    assert_eq!(ada.store.identity(&dora).await.unwrap(), Some(first.account.public));
    let notice = notification(&dora, "encrypt", "1").child(Node::new("identity"));
    sim.deliver(&device(&ada), notice);
    settle().await;
    assert_eq!(announced(&mut ada), slice::from_ref(&dora));
    // Another of the old account's companions, which was never met.
    let said = second.seals(&ada, "after").await;
    let said = from(4, "3EB0A2").child(said).child(second.device_identity());
    sim.deliver(&device(&ada), said);
    settle().await;
    assert_eq!(ada.texts(&dora).await, ["before"]);
    assert_eq!(ada.store.identity(&dora).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn nobody_takes_the_place_of_the_own_phone() {
    let (sim, mut ada, _bob) = acquainted(503).await;
    let impostor = Impostor::new();
    let phone = ada.phone.lid();
    let before = ada.store.identity(&phone).await.unwrap();
    let sealed = impostor.seals(&ada, "obey").await;
    let forged = message(&phone, "3EB0A1", sim.now()).attr("category", "peer").child(sealed);
    sim.deliver(&device(&ada), forged);
    assert_eq!(unverified(&mut ada).await, (phone.clone(), DeviceRefusal::OtherPhone));
    settle().await;
    assert_eq!(ada.store.identity(&phone).await.unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn a_forged_retry_receipt_gets_nothing() {
    let (sim, mut ada, bob) = acquainted(504).await;
    let impostor = Impostor::new();
    let id = ada.client.send(bob.phone.jid(), "for Bob alone").await.unwrap().id;
    settle().await;
    let registration = registration_id(&bob).await;
    let unknown = Jid::lid("99000099");
    let unlisted = bob.phone.lid().with_device(66);
    for with_identity in [false, true] {
        for from in [&unknown, &unlisted, &device(&bob)] {
            for registration in [registration, Impostor::REGISTRATION] {
                let asked = retry(from, id.as_str(), 1, registration);
                sim.deliver(&device(&ada), asked.child(impostor.keys(with_identity)));
                settle().await;
            }
        }
    }
    assert_eq!(said(&ada, "message", id.as_str()).len(), 1, "it is sent once and to Bob");
    let known = ada.store.identity(&device(&bob)).await.unwrap();
    assert_ne!(known, Some(impostor.identity.public));
    let mut refused = Vec::new();
    while let Some(event) = ada.events.try_next() {
        if let Event::DeviceUnverified { device, reason } = event {
            refused.push((device, reason));
        }
    }
    let of_bob = |reason| (device(&bob), reason);
    let expected = [DeviceRefusal::NoIdentity, DeviceRefusal::OtherAccount].map(of_bob);
    assert_eq!(refused, expected);
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_was_set_up_anew_is_answered_and_the_user_is_told() {
    let (sim, mut ada, bob) = acquainted(505).await;
    let id = ada.client.send(bob.phone.jid(), "are you there?").await.unwrap().id;
    settle().await;
    assert!(announced(&mut ada).is_empty());
    let anew = Impostor::new();
    let asked = retry(&bob.phone.lid(), id.as_str(), 1, Impostor::REGISTRATION);
    sim.deliver(&device(&ada), asked.child(anew.keys(false)));
    settle().await;
    // The true phone cannot read that, and asks in its turn: its key comes back, announced too.
    let resent = said(&ada, "message", id.as_str()).split_off(1);
    assert!(resent.iter().all(|again| again.find("enc").unwrap().attrs.is("type", "pkmsg")));
    assert_eq!(resent.len(), 2);
    assert_eq!(announced(&mut ada), [bob.phone.lid(), bob.phone.lid()]);
}

#[tokio::test(start_paused = true)]
async fn an_old_list_of_devices_does_not_bring_an_unlinked_one_back() {
    let (sim, ada, bob) = acquainted(506).await;
    let second = Party::link(&sim, bob.phone.clone(), Arc::new(MemoryStore::new())).await;
    settle().await;
    ada.client.send(bob.phone.jid(), "to three").await.unwrap();
    settle().await;
    let person = bob.phone.lid();
    let kept = async || {
        let mut lists = ada.store.key_index_lists(slice::from_ref(&person)).await.unwrap();
        lists.remove(&person).unwrap()
    };
    let gone = device(&second);
    let old = kept().await;
    second.phone.unlink(gone.device).unwrap();
    settle().await;
    let newest = kept().await;
    assert_ne!(old, newest);

    let list = Node::new("key-index-list").attr("ts", 1_u64).bytes(old);
    let entry = Node::new("device").attr("jid", &gone).attr("key-index", u32::from(gone.device));
    let add = Node::new("add").attr("device_hash", "2:AAAAAAAA").child(entry).child(list);
    sim.deliver(&device(&ada), notification(&person, "devices", "77").child(add));
    settle().await;
    assert_eq!(kept().await, newest);
    let id = ada.client.send(bob.phone.jid(), "to two").await.unwrap().id;
    assert!(!recipients(&ada, id.as_str()).contains(&gone));
    assert!(!all_said(&ada, "message").is_empty());
}
