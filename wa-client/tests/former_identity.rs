//! A server that plays back what people said before they were set up anew: an old identity does not
//! come back.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod handmade;
mod parties;

use handmade::{acquainted, bundle, device, enc, message, notification, rng, said, text};
use parties::{Party, settle};
use prost::Message as _;
use wa_client::Event;
use wa_crypto::KeyPair;
use wa_proto::{Jid, Node};
use wa_signal::{LocalIdentity, RegistrationId, SessionRecord, padding};

/// Somebody with keys made by hand, at their phone.
struct Dora {
    lid: Jid,
    keys: KeyPair,
    seed: u64,
}

impl Dora {
    /// As she is set up for the first, second, … time.
    fn set_up(time: u64) -> Self {
        Self { lid: Jid::lid("99000077"), keys: KeyPair::random(&mut rng(time)), seed: 100 * time }
    }

    /// A first message to Ada's device, with a one-time prekey of hers or without.
    async fn first(&mut self, ada: &Party, words: &str, prekey: Option<u32>) -> Vec<u8> {
        self.seed += 1;
        let bundle = bundle(ada, prekey).await;
        let local = LocalIdentity::new(&self.keys, RegistrationId::new(77));
        let mut rng = rng(self.seed);
        let record = SessionRecord::new().process_bundle(&local, &bundle, &mut rng).unwrap();
        let padded = padding::pad(text(words).encode_to_vec(), &mut rng);
        record.encrypt(&local, &padded).unwrap().1.into_bytes()
    }
}

/// Delivers a first message of Dora's.
async fn deliver(ada: &Party, dora: &Dora, id: &'static str, sealed: Vec<u8>) {
    let stanza = message(&dora.lid, id, ada.sim.now()).child(enc("pkmsg", sealed));
    assert!(ada.sim.deliver(&device(ada), stanza));
    settle().await;
}

/// The same message in another encoding: a field more that nobody knows, outside of what is
/// authenticated.
fn encoded_anew(mut sealed: Vec<u8>) -> Vec<u8> {
    sealed.extend([0x78, 0x01]);
    sealed
}

async fn changed(ada: &mut Party) -> Jid {
    let changed = |event: &Event| match event {
        Event::IdentityChanged { user, .. } => Some(user.clone()),
        _ => None,
    };
    ada.until(changed).await
}

async fn on_file(ada: &Party, dora: &Dora) -> bool {
    ada.store.identity(&dora.lid).await.unwrap() == Some(dora.keys.public)
}

#[tokio::test(start_paused = true)]
async fn an_identity_that_was_replaced_does_not_come_back_through_an_old_message() {
    let (_sim, mut ada, _bob) = acquainted(961).await;
    let (mut before, mut after) = (Dora::set_up(1), Dora::set_up(2));
    let read = before.first(&ada, "what I said then", None).await;
    // The server kept this one back, which may have any prekey.
    let withheld = before.first(&ada, "what I never sent", Some(9)).await;
    deliver(&ada, &before, "3EB0A1", read.clone()).await;
    let anew = after.first(&ada, "set up anew", None).await;
    deliver(&ada, &after, "3EB0A2", anew).await;
    assert_eq!(changed(&mut ada).await, after.lid);
    for (id, old) in
        [("3EB0A3", read.clone()), ("3EB0A4", encoded_anew(read)), ("3EB0A5", withheld)]
    {
        deliver(&ada, &before, id, old).await;
        assert!(on_file(&ada, &after).await, "{id}");
    }
    assert_eq!(ada.texts(&after.lid).await, ["what I said then", "set up anew"]);
    assert_eq!(ada.stats().acks_owed, 0);
    // She is still heard.
    let more = after.first(&ada, "once more", None).await;
    deliver(&ada, &after, "3EB0A6", more).await;
    assert_eq!(ada.texts(&after.lid).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn of_several_messages_at_once_none_brings_an_identity_back() {
    let (_sim, ada, _bob) = acquainted(962).await;
    let (mut before, mut after) = (Dora::set_up(1), Dora::set_up(2));
    let read = before.first(&ada, "what I said then", None).await;
    let anew = after.first(&ada, "set up anew", None).await;
    for (id, sealed) in [("3EB0A1", read.clone()), ("3EB0A2", anew), ("3EB0A3", encoded_anew(read))]
    {
        // As from the backlog, where messages share a transaction.
        let stanza = message(&after.lid, id, ada.sim.now()).attr("offline", 1_u64);
        assert!(ada.sim.deliver(&device(&ada), stanza.child(enc("pkmsg", sealed))));
    }
    settle().await;
    assert!(on_file(&ada, &after).await);
    assert_eq!(ada.texts(&after.lid).await, ["what I said then", "set up anew"]);
}

#[tokio::test(start_paused = true)]
async fn an_identity_that_is_void_does_not_come_back_through_a_message() {
    let (sim, mut ada, _bob) = acquainted(963).await;
    let mut dora = Dora::set_up(1);
    let read = dora.first(&ada, "what I said then", None).await;
    deliver(&ada, &dora, "3EB0A1", read.clone()).await;
    let notice = notification(&dora.lid, "encrypt", "1").child(Node::new("identity"));
    sim.deliver(&device(&ada), notice);
    assert_eq!(changed(&mut ada).await, dora.lid);

    deliver(&ada, &dora, "3EB0A2", encoded_anew(read)).await;
    assert_eq!(ada.texts(&dora.lid).await, ["what I said then"]);
    // She is asked to begin anew.
    let retry = said(&ada, "receipt", "3EB0A2");
    assert!(retry.iter().any(|receipt| receipt.find("keys").is_some()), "{retry:?}");
    let withheld = dora.first(&ada, "what I never sent", Some(9)).await;
    deliver(&ada, &dora, "3EB0A3", withheld).await;
    assert_eq!(ada.texts(&dora.lid).await, ["what I said then"]);
    assert!(!on_file(&ada, &dora).await);

    let mut after = Dora::set_up(2);
    let anew = after.first(&ada, "set up anew", None).await;
    deliver(&ada, &after, "3EB0A4", anew).await;
    assert!(on_file(&ada, &after).await);
    assert_eq!(ada.texts(&dora.lid).await, ["what I said then", "set up anew"]);
}
