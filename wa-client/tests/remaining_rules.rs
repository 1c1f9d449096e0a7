//! Rules of keys, receipts and addresses that no other file tells, each by stanzas made by hand
//! or by a server that errs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod handmade;
mod parties;
mod script;

use std::{io::Write as _, sync::Arc};

use handmade::{
    acquainted, all_said, content, device, enc, group_message, message, notification,
    registration_id, retry, said, sealed, text,
};
use parties::{Party, settle, simulation};
use prost::Message as _;
use script::moody_store::MoodyStore;
use wa_proto::{
    Content, Jid, MessageId, Node, OwnedNode,
    content::{MessageContext, Protocol},
    pb,
};
use wa_signal::PreKeyMessageHeader;
use wa_store::{
    Change, DatabaseKey, Device, DeviceList, MemoryStore, MessageKey, MessageKind, MessageStatus,
    NewMessage, SentMessage, SqliteStore, Store, Timestamp,
};

/// A ciphertext of the session between two people, with its last byte altered on the way.
async fn damaged(from: &Party, to: &Party) -> OwnedNode {
    let mut bytes = content(&sealed(from, to, &text("never read")).await);
    *bytes.last_mut().unwrap() ^= 1;
    enc("msg", bytes)
}

/// Makes a party believe that a person has these devices.
async fn believe(party: &Party, person: &Jid, devices: impl IntoIterator<Item = u16>) {
    let device = |device| Device { device, key_index: None, hosted: false };
    let now = Timestamp::from_secs(i64::try_from(party.sim.now()).unwrap());
    let devices = devices.into_iter().map(device).collect();
    let list = DeviceList { devices, fetched_at: now, ..DeviceList::default() };
    let put = Change::PutDeviceList { user: person.clone(), list };
    party.store.commit(put.into()).await.unwrap();
}

/// For whom a stanza that was sent holds ciphertexts.
fn recipients(stanza: &OwnedNode) -> Vec<Jid> {
    let participants = stanza.find("participants").unwrap();
    participants.find_all("to").filter_map(|to| to.attrs.jid("jid")).collect()
}

// Keys and retries.

#[tokio::test(start_paused = true)]
async fn a_count_of_retries_that_is_not_on_disk_is_taken_from_the_stanza() {
    let (sim, ada, bob) = acquainted(201).await;
    for (id, count) in [("3EB0AA", 3_u32), ("3EB0AB", 4)] {
        let enc = damaged(&bob, &ada).await.attr("count", count);
        sim.deliver(&device(&ada), message(&device(&bob), id, sim.now()).child(enc));
        settle().await;
    }
    let asked = said(&ada, "receipt", "3EB0AA").remove(0);
    assert!(asked.find("retry").unwrap().attrs.is("count", "4"), "{asked:?}");
    assert!(said(&ada, "receipt", "3EB0AB").is_empty(), "it was asked for often enough");
    assert_eq!(said(&ada, "ack", "3EB0AB").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_second_retry_brings_keys_of_which_no_one_else_gets_the_prekey() {
    let (sim, ada, bob) = acquainted(202).await;
    for _ in 0..2 {
        let enc = damaged(&bob, &ada).await;
        sim.deliver(&device(&ada), message(&device(&bob), "3EB0AA", sim.now()).child(enc));
        settle().await;
    }
    let asked = said(&ada, "receipt", "3EB0AA");
    assert_eq!(asked.len(), 2);
    assert!(asked[0].find("keys").is_none(), "there is a session");
    let key = asked[1].find("keys").unwrap().find("key").unwrap();
    let id = content(key.find("id").unwrap());
    let id = id.iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
    let prekey = ada.store.prekey(id).await.unwrap().unwrap();
    assert_eq!(content(key.find("value").unwrap()), prekey.pair.public.as_bytes());
    assert!(prekey.uploaded);
}

#[tokio::test(start_paused = true)]
async fn a_used_prekey_goes_with_the_commit_that_brings_its_session() {
    let sim = simulation(203);
    let moody = MoodyStore::new();
    let ada = Party::join_with(&sim, "15550100", "Ada", Arc::new(moody.clone())).await;
    let bob = Party::join(&sim, "15550200", "Bob").await;
    settle().await;
    sim.listen();
    moody.hold();
    let id = bob.client.send(ada.phone.jid(), "the first").await.unwrap().id;
    settle().await;
    let sent = said(&bob, "message", id.as_str()).remove(0);
    let parts = sent.find("participants").unwrap();
    let part = parts.find_all("to").find(|to| to.attrs.jid("jid") == Some(device(&ada))).unwrap();
    let header = PreKeyMessageHeader::parse(&content(part.find("enc").unwrap())).unwrap();
    let prekey = header.prekey_id.unwrap().as_u32();
    let is_there = || async {
        let prekey = ada.store.prekey(prekey).await.unwrap().is_some();
        (prekey, ada.store.session(&device(&bob)).await.unwrap().is_some())
    };
    assert_eq!(is_there().await, (true, false), "nothing is committed yet");
    for _ in 0..5 {
        if is_there().await == (false, true) {
            break;
        }
        assert_eq!(is_there().await, (true, false));
        moody.release_one();
        settle().await;
    }
    assert_eq!(is_there().await, (false, true));
    moody.release();
}

#[tokio::test(start_paused = true)]
async fn a_device_without_keys_is_left_out_and_the_others_get_the_message() {
    let (sim, ada, mut bob) = acquainted(204).await;
    let mut second = Party::link(&sim, bob.phone.clone(), Arc::new(MemoryStore::new())).await;
    settle().await;
    let devices = [0, device(&bob).device, 77, device(&second).device];
    believe(&ada, &bob.phone.lid(), devices).await;
    sim.listen();
    let id = ada.client.send(bob.phone.jid(), "to whom it reaches").await.unwrap().id;
    assert_eq!(bob.message().await.text.as_deref(), Some("to whom it reaches"));
    assert_eq!(second.message().await.text.as_deref(), Some("to whom it reaches"));
    let reached = recipients(&said(&ada, "message", id.as_str())[0]);
    assert!(reached.contains(&device(&second)));
    assert!(!reached.contains(&bob.phone.lid().with_device(77)));
}

#[tokio::test(start_paused = true)]
async fn keys_of_many_devices_are_asked_for_in_parts() {
    let (sim, ada, bob) = acquainted(205).await;
    believe(&ada, &bob.phone.lid(), std::iter::once(0).chain(100..220)).await;
    sim.listen();
    ada.client.send(bob.phone.jid(), "to all").await.unwrap();
    let asked = all_said(&ada, "iq");
    let asked = asked.iter().filter(|iq| iq.attrs.is("xmlns", "encrypt"));
    let asked = asked.filter_map(|iq| iq.find("key")).map(|key| key.find_all("user").count());
    assert_eq!(asked.collect::<Vec<_>>(), [50, 50, 20]);
}

// Answers to the server and to senders.

#[tokio::test(start_paused = true)]
async fn a_copy_of_what_the_own_phone_sent_is_answered_as_by_the_sender() {
    let (_sim, ada, bob) = acquainted(206).await;
    let id = ada.phone.send_text(&bob.phone.jid(), "from the phone").unwrap();
    settle().await;
    let receipts = said(&ada, "receipt", &id);
    assert_eq!(receipts.len(), 1);
    assert!(receipts[0].attrs.is("type", "sender"), "{receipts:?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_own_phone_tells_a_device_is_answered_as_such() {
    let (sim, mut ada, bob) = acquainted(207).await;
    let mut plan = wa_sim::FaultPlan::default();
    plan.unavailable = wa_sim::Chance::times(1);
    sim.set_faults(plan);
    let id = bob.phone.send_text(&ada.phone.jid(), "only for phones").unwrap();
    ada.repaired().await;
    settle().await;
    let receipts = all_said(&ada, "receipt");
    assert_eq!(receipts.len(), 1, "the phone's copy and nothing else: {receipts:?}");
    assert!(receipts[0].attrs.is("type", "peer_msg") && !receipts[0].attrs.is("id", &id));
}

#[tokio::test(start_paused = true)]
async fn an_ack_repeats_who_and_what_and_the_type_of_all_but_messages() {
    let (sim, ada, bob) = acquainted(208).await;
    let group = sim.create_group("Tea", &[&ada.phone, &bob.phone]).unwrap();
    settle().await;
    let withheld = || Node::new("unavailable").attr("type", "view_once_unavailable_fanout");
    let own = message(&ada.phone.lid(), "3EB0AB", sim.now()).attr("recipient", bob.phone.lid());
    let read = Node::new("receipt").attr("id", "3EB0AD").attr("from", ada.phone.lid());
    let read = read.attr("recipient", bob.phone.lid()).attr("type", "read-self");
    for stanza in [
        group_message(&group, &device(&bob), "3EB0AA", sim.now()).child(withheld()),
        own.child(withheld()),
        retry(&group, "3EB0AC", 1, 1).attr("participant", device(&bob)),
        read.attr("t", sim.now()),
        notification(&bob.phone.jid(), "picture", "5"),
    ] {
        assert!(sim.deliver(&device(&ada), stanza));
    }
    settle().await;
    let (bobs, ada_lid, bob_lid) = (device(&bob), ada.phone.lid(), bob.phone.lid());
    let bob_phone = bob.phone.jid();
    for (id, class, to, participant, recipient, kind) in [
        ("3EB0AA", "message", &group, Some(&bobs), None, None),
        ("3EB0AB", "message", &ada_lid, None, Some(&bob_lid), None),
        ("3EB0AC", "receipt", &group, Some(&bobs), None, Some("retry")),
        ("3EB0AD", "receipt", &ada_lid, None, Some(&bob_lid), Some("read-self")),
        ("5", "notification", &bob_phone, None, None, Some("picture")),
    ] {
        let acks = said(&ada, "ack", id);
        assert_eq!(acks.len(), 1, "{id}");
        let attrs = &acks[0].attrs;
        assert!(attrs.is("class", class), "{acks:?}");
        assert_eq!(attrs.jid("to").as_ref(), Some(to), "{id}");
        assert_eq!(attrs.jid("participant").as_ref(), participant, "{id}");
        assert_eq!(attrs.jid("recipient").as_ref(), recipient, "{id}");
        assert_eq!(attrs.text("type").as_deref(), kind, "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_read_in_a_group_is_told_in_one_receipt_for_each_sender() {
    let (sim, mut ada, bob) = acquainted(209).await;
    let cleo = sim.add_account("15550300", "Cleo").unwrap();
    let group = sim.create_group("Tea", &[&ada.phone, &bob.phone, &cleo]).unwrap();
    let mut ids = Vec::new();
    for phone in [&bob.phone, &cleo, &bob.phone] {
        ids.push(MessageId::new(phone.send_text(&group, "tea?").unwrap()).unwrap());
        ada.message().await;
    }
    ada.client.mark_read(&group, &ids).await.unwrap();
    settle().await;
    let receipts = all_said(&ada, "receipt");
    let read: Vec<_> = receipts.iter().filter(|receipt| receipt.attrs.is("type", "read")).collect();
    assert_eq!(read.len(), 2);
    for (sender, expected) in [(bob.phone.lid(), vec![0, 2]), (cleo.lid(), vec![1])] {
        let of_sender =
            |receipt: &&&OwnedNode| receipt.attrs.jid("participant") == Some(sender.clone());
        let receipt = read.iter().find(of_sender).unwrap();
        assert_eq!(receipt.attrs.jid("to"), Some(group.clone()));
        let items = receipt.find("list").into_iter().flat_map(|list| list.find_all("item"));
        let told = std::iter::once(*receipt).chain(items);
        let told: Vec<_> = told.filter_map(|node| node.attrs.text("id")).collect();
        let expected: Vec<_> = expected.iter().map(|&index: &usize| ids[index].as_str()).collect();
        assert_eq!(told, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_for_a_message_is_acknowledged_after_the_message_left() {
    let (sim, ada, bob) = acquainted(210).await;
    let id = ada.client.send(bob.phone.jid(), "once more").await.unwrap().id;
    settle().await;
    sim.listen();
    let request = retry(&device(&bob), id.as_str(), 1, registration_id(&bob).await);
    sim.deliver(&device(&ada), request);
    settle().await;
    let heard = sim.heard(&ada.client.jid().unwrap());
    let of_id = |tag: &str| {
        heard.iter().position(|node| node.tag == tag && node.attrs.is("id", id.as_str()))
    };
    let (resent, acked) = (of_id("message").unwrap(), of_id("ack").unwrap());
    assert!(resent < acked);
}

#[tokio::test(start_paused = true)]
async fn what_is_called_withheld_and_comes_all_the_same_is_read() {
    let (sim, ada, bob) = acquainted(211).await;
    let stanza = message(&device(&bob), "3EB0AA", sim.now()).child(Node::new("unavailable"));
    let stanza = stanza.child(sealed(&bob, &ada, &text("here it is")).await);
    sim.deliver(&device(&ada), stanza);
    settle().await;
    assert_eq!(ada.texts(&bob.phone.jid()).await.last().unwrap(), "here it is");
    assert!(said(&ada, "receipt", "3EB0AA")[0].attrs.is("type", "inactive"));
    assert!(all_said(&ada, "message").is_empty(), "the phone is not asked");
}

#[tokio::test]
async fn a_message_is_sent_again_after_a_restart_to_whichever_address_asks() {
    let folder = tempfile::tempdir().unwrap();
    let open = || async {
        let key = DatabaseKey::from_bytes([7; 32]);
        let store = SqliteStore::open(folder.path().join("wa.db"), key).await.unwrap();
        Arc::new(store) as Arc<dyn Store>
    };
    let sim = simulation(212);
    let store = open().await;
    let ada = Party::join_with(&sim, "15550100", "Ada", Arc::clone(&store)).await;
    let mut bob = Party::join(&sim, "15550200", "Bob").await;
    let id = ada.client.send(bob.phone.jid(), "kept on disk").await.unwrap().id;
    bob.message().await;
    ada.client.disconnect().await;
    store.close().await.unwrap();
    drop(store);
    let mut ada = ada.restart(Some(open().await)).await;
    ada.client.connect().unwrap();
    ada.connected().await;
    sim.listen();
    let registration = registration_id(&bob).await;
    for (count, asker) in [device(&bob), bob.client.jid().unwrap()].into_iter().enumerate() {
        sim.deliver(&device(&ada), retry(&asker, id.as_str(), 1, registration));
        settle().await;
        let resent = said(&ada, "message", id.as_str());
        assert_eq!(resent.len(), count + 1);
        assert_eq!(resent[count].attrs.jid("to"), Some(asker));
    }
}

// Addresses.

#[tokio::test(start_paused = true)]
async fn a_receipt_under_the_phone_number_finds_the_message_kept_under_the_lid() {
    let (sim, ada, bob) = acquainted(213).await;
    let id = ada.client.send(bob.phone.jid(), "seen?").await.unwrap().id;
    settle().await;
    let status = || async { ada.archive(&bob.phone.lid()).await.last().unwrap().status };
    assert_eq!(status().await, MessageStatus::Delivered);
    let read = Node::new("receipt").attr("id", id.as_str().to_owned()).attr("type", "read");
    sim.deliver(&device(&ada), read.attr("from", bob.phone.jid()).attr("t", sim.now()));
    settle().await;
    assert_eq!(status().await, MessageStatus::Read);
}

/// Two addresses of somebody whom nobody knows.
fn stranger() -> (Jid, Jid) {
    (Jid::phone("15559999"), Jid::lid("99000099"))
}

#[tokio::test(start_paused = true)]
async fn a_message_tells_the_two_addresses_of_its_sender() {
    let (sim, ada, _bob) = acquainted(214).await;
    let (phone, lid) = stranger();
    let stanza = message(&lid, "3EB0AA", sim.now()).attr("sender_pn", &phone);
    sim.deliver(&device(&ada), stanza.child(enc("msg", vec![0x33; 60])));
    settle().await;
    assert_eq!(ada.store.lid_of(&phone).await.unwrap(), Some(lid));
}

#[tokio::test(start_paused = true)]
async fn the_question_for_devices_tells_the_lid_before_the_message_leaves() {
    let (sim, ada, _bob) = acquainted(215).await;
    let cleo = sim.add_account("15550300", "Cleo").unwrap();
    assert_eq!(ada.store.lid_of(&cleo.jid()).await.unwrap(), None);
    let id = ada.client.send(cleo.jid(), "hello").await.unwrap().id;
    let sent = said(&ada, "message", id.as_str()).remove(0);
    assert_eq!(sent.attrs.jid("to"), Some(cleo.lid()));
    assert_eq!(ada.store.lid_of(&cleo.jid()).await.unwrap(), Some(cleo.lid()));
}

#[tokio::test(start_paused = true)]
async fn a_notice_about_devices_tells_the_lid() {
    let (sim, ada, _bob) = acquainted(216).await;
    let (phone, lid) = stranger();
    let notice = notification(&phone, "devices", "1").attr("lid", &lid);
    sim.deliver(&device(&ada), notice.child(Node::new("update")));
    settle().await;
    assert_eq!(ada.store.lid_of(&phone).await.unwrap(), Some(lid));
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_to_a_phone_number_is_found_by_the_lid_that_was_told_later() {
    let (sim, ada, _bob) = acquainted(218).await;
    let (phone, lid) = stranger();
    let now = Timestamp::from_secs(i64::try_from(sim.now()).unwrap());
    let sent = SentMessage {
        chat: phone.clone(),
        id: "3EB0AA".into(),
        plaintext: text("by number").encode_to_vec().into(),
        envelope: Node::new("queued").attr("type", "text").encode(),
        sent_at: now,
    };
    let key = MessageKey::sent(phone.clone(), ada.phone.jid(), "3EB0AA");
    let archived = NewMessage::new(key, now, MessageKind::new("text"));
    ada.store.commit(Change::PutSentMessage(Box::new(sent)).into()).await.unwrap();
    ada.store.commit(Change::Archive(Box::new(archived)).into()).await.unwrap();
    let read = Node::new("receipt").attr("id", "3EB0AA").attr("type", "read");
    let read = read.attr("from", &lid).attr("sender_pn", &phone).attr("t", sim.now());
    sim.deliver(&device(&ada), read);
    settle().await;
    assert_eq!(ada.archive(&lid).await.last().unwrap().status, MessageStatus::Read);
    assert!(ada.store.sent_message(&lid, &"3EB0AA".into()).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_login_tells_the_own_lid() {
    let (mut server, _client, store) = script::scripted(true).await;
    server.accept().await.log_in().await;
    assert_eq!(store.lid_of(&Jid::phone("15550100")).await.unwrap(), Some(Jid::lid("9")));
}

#[tokio::test(start_paused = true)]
async fn the_own_phone_and_nobody_else_tells_a_table_of_lids() {
    let (_sim, ada, bob) = acquainted(217).await;
    let (phone, lid) = stranger();
    let mapping =
        pb::LidMigrationMapping { pn: 15_559_999, assigned_lid: 1, latest_lid: Some(99_000_099) };
    let table = pb::LidMigrationMappingSyncPayload {
        pn_to_lid_mappings: vec![mapping],
        chat_db_migration_timestamp: None,
    };
    let mut deflated = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    deflated.write_all(&table.encode_to_vec()).unwrap();
    let table = Content::Protocol(Protocol::LidMapping(deflated.finish().unwrap().into()));
    let table = table.to_message(&MessageContext::default()).unwrap();
    bob.phone.send(&ada.phone.jid(), table.clone()).unwrap();
    settle().await;
    assert_eq!(ada.store.lid_of(&phone).await.unwrap(), None);
    ada.phone.send(&ada.phone.jid(), table).unwrap();
    settle().await;
    assert_eq!(ada.store.lid_of(&phone).await.unwrap(), Some(lid));
}
