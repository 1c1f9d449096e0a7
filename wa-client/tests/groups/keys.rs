//! The own sender key: who is told it, when it counts as told, and when it ends.

use std::sync::Arc;

use wa_client::{Error, Event};
use wa_proto::stanza::ParticipantChangeKind;
use wa_sim::{Addressing, Chance, FaultPlan, GroupAction};
use wa_store::{Change, MemoryStore, OutboxState};

use super::{
    Circle, handmade, members_changed,
    parties::{Party, settle, simulation},
    sent, shows, told,
};

fn faults(set: impl FnOnce(&mut FaultPlan)) -> FaultPlan {
    let mut plan = FaultPlan::default();
    set(&mut plan);
    plan
}

#[tokio::test(start_paused = true)]
async fn everybody_reads_and_the_key_is_told_once() {
    let Circle { ada, mut bob, cid, group, .. } = Circle::new(301).await;
    let first = ada.client.send(group.clone(), "first").await.unwrap();
    assert_eq!(bob.message().await.text.as_deref(), Some("first"));
    settle().await;
    let second = ada.client.send(group.clone(), "second").await.unwrap();
    settle().await;
    for party in [&bob, &cid] {
        assert_eq!(party.texts(&group).await, ["first", "second"]);
        assert!(shows(&party.phone, "first") && shows(&party.phone, "second"));
        assert_eq!(party.stats().counters.retries, 0);
    }
    assert!(shows(&ada.phone, "second"), "one's own other devices read along");
    // Ada's phone, and the phones and companions of the others.
    assert_eq!((told(&sent(&ada, &first.id)), told(&sent(&ada, &second.id))), (5, 0));
    let stanza = sent(&ada, &second.id);
    assert!(stanza.attrs.is("addressing_mode", "lid") && stanza.attrs.value("phash").is_some());
}

#[tokio::test(start_paused = true)]
async fn phones_and_clients_read_each_other_in_groups_of_both_kinds() {
    for (seed, addressing) in [(302, Addressing::Lid), (303, Addressing::Phone)] {
        let sim = simulation(seed);
        let ada = Party::join(&sim, "15550100", "Ada").await;
        let mut bob = Party::join(&sim, "15550200", "Bob").await;
        let people = [&ada.phone, &bob.phone];
        let group = sim.create_group_addressed("Tea", &people, addressing).unwrap();
        settle().await;
        sim.listen();
        let written = ada.client.send(group.clone(), "from a client").await.unwrap();
        assert_eq!(bob.message().await.text.as_deref(), Some("from a client"));
        bob.phone.send_text(&group, "from a phone").unwrap();
        settle().await;
        assert_eq!(ada.texts(&group).await, ["from a client", "from a phone"]);
        assert!(shows(&bob.phone, "from a client"));
        let stanza = sent(&ada, &written.id);
        let mode = if addressing == Addressing::Lid { "lid" } else { "pn" };
        assert!(stanza.attrs.is("addressing_mode", mode));
        let to = stanza.find("participants").unwrap().nodes()[0].attrs.jid("jid").unwrap();
        assert_eq!(to.is_lid(), addressing == Addressing::Lid);
        // The key stands under the own LID in either.
        let own = ada.client.lid().unwrap();
        assert!(ada.store.sender_key(&group, &own).await.unwrap().is_some());
        assert_eq!((ada.stats().counters.retries, bob.stats().counters.retries), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_is_removed_does_not_get_the_next_key() {
    let Circle { ada, bob, mut cid, group, sim } = Circle::new(304).await;
    ada.client.send(group.clone(), "for all").await.unwrap();
    settle().await;
    let key = async || {
        let own = ada.client.lid().unwrap();
        let record = ada.store.sender_key(&group, &own).await.unwrap().unwrap();
        wa_signal::SenderKeyRecord::from_bytes(record.as_bytes()).unwrap().key_id().unwrap()
    };
    let before = key().await;
    let results = ada.client.groups().remove(&group, &[cid.phone.jid()]).await.unwrap();
    assert!(results[0].is_done());
    assert_eq!(members_changed(&mut cid).await, ParticipantChangeKind::Remove);
    let next = ada.client.send(group.clone(), "without cid").await.unwrap();
    settle().await;
    assert_ne!(key().await, before);
    assert_eq!(told(&sent(&ada, &next.id)), 3, "Ada's phone, and Bob's two devices");
    assert_eq!(bob.texts(&group).await, ["for all", "without cid"]);
    assert_eq!(cid.texts(&group).await, ["for all"]);
    // Even who gets hold of the ciphertext cannot read it.
    let ciphertext = sent(&ada, &next.id).find("enc").unwrap().clone();
    let stolen = handmade::group_message(&group, &handmade::device(&ada), "3EB0AA", sim.now());
    sim.deliver(&handmade::device(&cid), stolen.child(ciphertext));
    settle().await;
    assert_eq!(cid.texts(&group).await, ["for all"]);
}

#[tokio::test(start_paused = true)]
async fn who_is_not_in_the_group_is_not_answered_when_they_ask_for_a_message_of_it() {
    let Circle { ada, mut cid, group, sim, .. } = Circle::new(305).await;
    let old = ada.client.send(group.clone(), "for all").await.unwrap();
    settle().await;
    ada.client.groups().remove(&group, &[cid.phone.jid()]).await.unwrap();
    assert_eq!(members_changed(&mut cid).await, ParticipantChangeKind::Remove);
    let next = ada.client.send(group.clone(), "without cid").await.unwrap();
    settle().await;
    sim.listen();
    for id in [&old.id, &next.id] {
        let registration = handmade::registration_id(&cid).await;
        let ask = handmade::retry(&group, id.as_str(), 1, registration);
        let ask = ask.attr("participant", handmade::device(&cid));
        sim.deliver(&handmade::device(&ada), ask);
        settle().await;
        assert!(handmade::said(&ada, "message", id.as_str()).is_empty());
        assert_eq!(handmade::said(&ada, "ack", id.as_str()).len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_in_reads_from_the_next_message_on() {
    let Circle { ada, bob, cid, group, sim } = Circle::new(306).await;
    ada.client.send(group.clone(), "before").await.unwrap();
    settle().await;
    let mut dan = Party::join(&sim, "15550400", "Dan").await;
    ada.client.groups().add(&group, &[dan.phone.jid()]).await.unwrap();
    let next = ada.client.send(group.clone(), "welcome").await.unwrap();
    assert_eq!(dan.message().await.text.as_deref(), Some("welcome"));
    settle().await;
    assert_eq!(told(&sent(&ada, &next.id)), 2, "only the new member's devices");
    assert_eq!(dan.texts(&group).await, ["welcome"]);
    assert_eq!(bob.texts(&group).await, ["before", "welcome"]);
    bob.client.send(group.clone(), "hello").await.unwrap();
    settle().await;
    for party in [&ada, &cid, &dan] {
        assert_eq!(party.texts(&group).await.last().unwrap(), "hello");
        assert_eq!(party.stats().counters.retries, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_counts_as_told_only_after_the_ack() {
    let Circle { ada, bob, cid, group, .. } = Circle::new(307).await;
    let id = handmade::send_without_ack(&ada, &group, "no ack").await;
    let holders = ada.store.sender_key_holders(&group).await.unwrap();
    assert!(holders.len() == 5 && holders.values().all(|has_key| !has_key), "{holders:?}");
    // The next message tells it again, because nobody knows whether the first arrived.
    let next = ada.client.send(group.clone(), "next").await.unwrap();
    settle().await;
    assert_eq!(told(&sent(&ada, &next.id)), 5);
    let holders = ada.store.sender_key_holders(&group).await.unwrap();
    assert!(holders.values().all(|has_key| *has_key));
    // After the connection is cut the first leaves again as it was, and is read once.
    ada.line.cut();
    settle().await;
    tokio::time::sleep(std::time::Duration::from_secs(30)).await;
    assert!(ada.store.outbox_entry(&id.as_str().into()).await.unwrap().is_none());
    for party in [&bob, &cid] {
        assert_eq!(party.texts(&group).await, ["no ack", "next"]);
    }
}

#[tokio::test(start_paused = true)]
async fn killed_before_the_ack_the_message_leaves_once_more_and_the_key_is_marked_then() {
    let Circle { ada, bob, group, .. } = Circle::new(308).await;
    let id = handmade::send_without_ack(&ada, &group, "survives").await;
    let mut ada = ada.restart(None).await;
    ada.client.connect().unwrap();
    ada.connected().await;
    settle().await;
    assert!(ada.store.outbox_entry(&id.as_str().into()).await.unwrap().is_none());
    let holders = ada.store.sender_key_holders(&group).await.unwrap();
    assert!(holders.len() == 5 && holders.values().all(|has_key| *has_key), "{holders:?}");
    assert_eq!(bob.texts(&group).await, ["survives"]);
}

#[tokio::test(start_paused = true)]
async fn the_key_is_on_disk_before_its_message_leaves() {
    let Circle { ada, bob, group, .. } = Circle::new(309).await;
    handmade::send_without_ack(&ada, &group, "one").await;
    let ada = ada.restart(None).await;
    ada.client.connect().unwrap();
    settle().await;
    ada.client.send(group.clone(), "two").await.unwrap();
    settle().await;
    // The same step of the key twice would be a duplicate to everybody.
    assert_eq!(bob.texts(&group).await, ["one", "two"]);
    assert_eq!(bob.stats().counters.retries, 0);
}

#[tokio::test(start_paused = true)]
async fn many_messages_at_once_never_use_a_step_of_the_key_twice() {
    let Circle { ada, bob, cid, group, .. } = Circle::new(310).await;
    let texts: Vec<String> = (0..20).map(|n| format!("message {n}")).collect();
    let sends = texts.iter().map(|text| ada.client.send(group.clone(), text.clone()).into_future());
    for sent in futures_util::future::join_all(sends).await {
        sent.unwrap();
    }
    settle().await;
    for party in [&bob, &cid] {
        let mut read = party.texts(&group).await;
        read.sort();
        let mut expected = texts.clone();
        expected.sort();
        assert_eq!(read, expected);
        assert_eq!(party.stats().counters.retries, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_unlinked_device_ends_the_key() {
    let Circle { ada, bob, cid, group, sim } = Circle::new(311).await;
    ada.client.send(group.clone(), "first").await.unwrap();
    settle().await;
    cid.phone.unlink(cid.client.jid().unwrap().device).unwrap();
    settle().await;
    sim.listen();
    let next = ada.client.send(group.clone(), "second").await.unwrap();
    settle().await;
    assert_eq!(told(&sent(&ada, &next.id)), 4, "all but the unlinked one, with a new key");
    assert!(shows(&cid.phone, "second"));
    assert_eq!(bob.texts(&group).await, ["first", "second"]);
    let holders = ada.store.sender_key_holders(&group).await.unwrap();
    assert_eq!(holders.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_linked_device_is_told_the_key_with_the_next_message() {
    let Circle { ada, bob, group, sim, .. } = Circle::new(312).await;
    ada.client.send(group.clone(), "first").await.unwrap();
    settle().await;
    let second = Party::link(&sim, bob.phone.clone(), Arc::new(MemoryStore::new())).await;
    settle().await;
    sim.listen();
    let next = ada.client.send(group.clone(), "second").await.unwrap();
    settle().await;
    assert_eq!(told(&sent(&ada, &next.id)), 1);
    assert_eq!(second.texts(&group).await, ["second"]);
}

#[tokio::test(start_paused = true)]
async fn a_group_whose_members_changed_unseen_is_asked_for_again_after_the_ack() {
    let Circle { ada, bob, cid, group, sim } = Circle::new(313).await;
    ada.client.send(group.clone(), "first").await.unwrap();
    settle().await;
    let own = ada.client.lid().unwrap();
    let old_key = ada.store.sender_key(&group, &own).await.unwrap().unwrap();
    // What is known is stale, as if a notice had been lost.
    let stale = ada.store.group(&group).await.unwrap().unwrap();
    let dan = Party::join(&sim, "15550400", "Dan").await;
    ada.phone.change_members(&group, GroupAction::Add, &[dan.phone.lid()]).unwrap();
    settle().await;
    ada.store.commit(Change::PutGroup(Box::new(stale)).into()).await.unwrap();
    ada.client.send(group.clone(), "second").await.unwrap();
    settle().await;
    // Ada asked who is in the group, and nobody lost the key for that.
    assert_eq!(ada.store.group(&group).await.unwrap().unwrap().participants.len(), 4);
    let holders = ada.store.sender_key_holders(&group).await.unwrap();
    assert!(holders.values().all(|has_key| *has_key), "{holders:?}");
    sim.listen();
    let next = ada.client.send(group.clone(), "third").await.unwrap();
    settle().await;
    assert_eq!(told(&sent(&ada, &next.id)), 2, "Dan's devices alone");
    let key_id = |record: wa_store::SecretBytes| {
        wa_signal::SenderKeyRecord::from_bytes(record.as_bytes()).unwrap().key_id()
    };
    let new_key = ada.store.sender_key(&group, &own).await.unwrap().unwrap();
    assert_eq!(key_id(new_key), key_id(old_key));
    for party in [&bob, &cid] {
        assert_eq!(party.texts(&group).await, ["first", "second", "third"]);
    }
    // The second was sent to those whom Ada knew of.
    assert_eq!(dan.texts(&group).await, ["third"]);
}

#[tokio::test(start_paused = true)]
async fn a_retry_in_a_group_is_healed_and_tells_the_key() {
    let Circle { ada, mut bob, group, sim, .. } = Circle::new(314).await;
    ada.client.send(group.clone(), "first").await.unwrap();
    settle().await;
    // Bob has lost Ada's key.
    let sender = handmade::device(&ada);
    let lose = Change::DeleteSenderKey { group: group.clone(), sender: sender.clone() };
    bob.store.commit(lose.into()).await.unwrap();
    sim.listen();
    let damaged = ada.client.send(group.clone(), "second").await.unwrap();
    // Without any key of hers both Ada and Bob's phone are asked; whoever is faster heals it.
    let (message, _) = bob.repaired().await;
    assert_eq!(message.text.as_deref(), Some("second"));
    settle().await;
    let answers = handmade::said(&ada, "message", damaged.id.as_str());
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[1].attrs.jid("participant"), Some(handmade::device(&bob)));
    assert_eq!(answers[1].attrs.jid("to"), Some(group.clone()));
    assert!(bob.store.sender_key(&group, &sender).await.unwrap().is_some());
    // It is told the key once more with the next message.
    let holders = ada.store.sender_key_holders(&group).await.unwrap();
    assert_eq!(holders.get(&handmade::device(&bob)), Some(&false));
    let next = ada.client.send(group.clone(), "third").await.unwrap();
    settle().await;
    assert_eq!(told(&sent(&ada, &next.id)), 1);
    assert_eq!(bob.texts(&group).await, ["first", "second", "third"]);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_message_of_a_phone_in_a_group_is_healed() {
    let Circle { ada, mut bob, cid, group, sim } = Circle::new(315).await;
    sim.set_faults(faults(|plan| plan.corrupt = Chance::times(1)));
    ada.phone.send_text(&group, "damaged on its way").unwrap();
    let readable = |event: &Event| {
        matches!(event, Event::MessageRepaired { .. } | Event::Message(_)).then_some(())
    };
    bob.until(readable).await;
    settle().await;
    // Whoever got the damaged one has asked for it again.
    for party in [&ada, &bob, &cid] {
        assert_eq!(party.texts(&group).await, ["damaged on its way"]);
    }
    let asked = [&ada, &bob, &cid].map(|party| party.stats().counters.retries);
    assert_eq!(asked.iter().sum::<u64>(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_broken_group_half_is_asked_for_and_healed() {
    let Circle { ada, bob, group, sim, .. } = Circle::new(316).await;
    // The first message carries the key to each and the text to all; what is damaged is the text.
    let id = handmade::send_without_ack(&ada, &group, "both halves").await;
    let stanza = handmade::said(&ada, "message", &id).remove(0);
    settle().await;
    assert_eq!(bob.texts(&group).await, ["both halves"]);
    let mut damaged = handmade::content(stanza.find("enc").unwrap());
    *damaged.last_mut().unwrap() ^= 1;
    let sender = handmade::device(&ada);
    let broken = handmade::group_message(&group, &sender, "3EB0BB", sim.now());
    sim.deliver(&handmade::device(&bob), broken.child(handmade::enc("skmsg", damaged)));
    settle().await;
    let asked = handmade::said(&bob, "receipt", "3EB0BB");
    assert!(asked[0].attrs.is("type", "retry"), "{asked:?}");
    assert_eq!(asked[0].attrs.jid("to"), Some(group.clone()));
}

#[tokio::test(start_paused = true)]
async fn one_companion_without_keys_does_not_hold_up_the_others() {
    let Circle { ada, bob, cid, group, sim } = Circle::new(317).await;
    // A device that the server has no keys of.
    let mut list = wa_store::DeviceList { fetched_at: now(&sim), ..Default::default() };
    let device = |device| wa_store::Device { device, key_index: Some(9), hosted: false };
    list.devices = vec![device(0), device(bob.client.jid().unwrap().device), device(77)];
    let put = Change::PutDeviceList { user: bob.phone.lid(), list };
    ada.store.commit(put.into()).await.unwrap();
    ada.client.send(group.clone(), "for whom there are keys").await.unwrap();
    settle().await;
    for party in [&bob, &cid] {
        assert_eq!(party.texts(&group).await, ["for whom there are keys"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_reaches_nobody_is_an_error() {
    let Circle { ada, bob, cid, group, sim } = Circle::new(318).await;
    for person in [ada.phone.lid(), bob.phone.lid(), cid.phone.lid()] {
        let mut list = wa_store::DeviceList { fetched_at: now(&sim), ..Default::default() };
        list.devices = vec![wa_store::Device { device: 77, key_index: Some(9), hosted: false }];
        ada.store.commit(Change::PutDeviceList { user: person, list }.into()).await.unwrap();
    }
    let failed = ada.client.send(group.clone(), "for nobody").await;
    assert!(matches!(failed, Err(Error::NoDeviceReached)), "{failed:?}");
}

#[tokio::test(start_paused = true)]
async fn devices_on_metas_servers_get_nothing_of_groups() {
    let Circle { ada, bob, group, sim, .. } = Circle::new(319).await;
    let mut list = wa_store::DeviceList { fetched_at: now(&sim), ..Default::default() };
    let device = |device, hosted| wa_store::Device { device, key_index: Some(1), hosted };
    list.devices = vec![device(0, false), device(99, true)];
    let put = Change::PutDeviceList { user: bob.phone.lid(), list };
    ada.store.commit(put.into()).await.unwrap();
    let written = ada.client.send(group.clone(), "no clouds").await.unwrap();
    settle().await;
    let stanza = sent(&ada, &written.id);
    let to: Vec<_> = stanza
        .find("participants")
        .unwrap()
        .nodes()
        .iter()
        .filter_map(|part| part.attrs.jid("jid"))
        .collect();
    assert!(to.iter().all(|device| device.device != 99), "{to:?}");
    assert!(to.contains(&bob.phone.lid()));
}

#[tokio::test(start_paused = true)]
async fn a_group_that_this_account_is_not_in_is_a_clear_error() {
    let Circle { ada, cid, group, .. } = Circle::new(320).await;
    ada.phone.change_members(&group, GroupAction::Remove, &[cid.phone.jid()]).unwrap();
    settle().await;
    let failed = cid.client.send(group.clone(), "still here?").await;
    assert!(matches!(failed, Err(Error::NotInGroup)), "{failed:?}");
    let nowhere = wa_proto::Jid::group("120363999999999999");
    let failed = cid.client.send(nowhere, "anybody?").await;
    assert!(matches!(failed, Err(Error::NotInGroup)), "{failed:?}");
}

#[tokio::test(start_paused = true)]
async fn the_servers_refusal_of_a_group_message_is_told() {
    let Circle { ada, cid, group, .. } = Circle::new(321).await;
    let known = cid.client.groups().info(&group).await.unwrap();
    ada.phone.change_members(&group, GroupAction::Remove, &[cid.phone.jid()]).unwrap();
    settle().await;
    cid.store.commit(Change::PutGroup(Box::new(known)).into()).await.unwrap();
    let failed = cid.client.send(group.clone(), "still here?").await;
    assert!(matches!(failed, Err(Error::NotInGroup)), "{failed:?}");
    let entries = cid.store.outbox_pending().await.unwrap();
    assert!(entries.iter().all(|entry| entry.state != OutboxState::Transmitted));
}

fn now(sim: &wa_sim::Sim) -> wa_store::Timestamp {
    wa_store::Timestamp::from_secs(i64::try_from(sim.now()).unwrap())
}

/// How often a party asked for what is known of groups.
fn group_questions(party: &Party) -> usize {
    let asked = handmade::all_said(party, "iq");
    asked.iter().filter(|iq| iq.attrs.is("xmlns", "w:g2")).count()
}

#[tokio::test(start_paused = true)]
async fn a_server_that_counts_the_sending_device_agrees_with_every_message() {
    for (seed, addressing) in [(330, Addressing::Lid), (331, Addressing::Phone)] {
        let sim = simulation(seed);
        let ada = Party::join(&sim, "15550100", "Ada").await;
        let bob = Party::join(&sim, "15550200", "Bob").await;
        let people = [&ada.phone, &bob.phone];
        let group = sim.create_group_addressed("Tea", &people, addressing).unwrap();
        settle().await;
        ada.client.send(group.clone(), "first").await.unwrap();
        settle().await;
        sim.listen();
        sim.hostile().remember(&handmade::device(&ada));
        for text in ["second", "third"] {
            let next = ada.client.send(group.clone(), text).await.unwrap();
            settle().await;
            assert_eq!(told(&sent(&ada, &next.id)), 0);
        }
        let heard = sim.hostile().said(&handmade::device(&ada));
        assert!(heard.iter().all(|stanza| stanza.attrs.value("phash").is_none()));
        assert_eq!(group_questions(&ada), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn another_hash_has_the_group_asked_for_once_and_tells_nobody_the_key_again() {
    let Circle { ada, group, sim, .. } = Circle::new(332).await;
    ada.client.send(group.clone(), "first").await.unwrap();
    settle().await;
    sim.listen();
    for text in ["second", "third", "fourth"] {
        let id = handmade::send_without_ack(&ada, &group, text).await;
        let id = wa_proto::MessageId::new(id.as_str()).unwrap();
        let ack = handmade::ack(&group, id.as_str()).attr("phash", "2:AAAAAAAA");
        sim.deliver(&handmade::device(&ada), ack);
        settle().await;
        assert_eq!(told(&sent(&ada, &id)), 0);
    }
    assert_eq!(group_questions(&ada), 1);
    let holders = ada.store.sender_key_holders(&group).await.unwrap();
    assert!(holders.len() == 5 && holders.values().all(|has_key| *has_key), "{holders:?}");
}

/// What a group message is encrypted as.
fn ciphertext(stanza: &wa_proto::OwnedNode) -> Vec<u8> {
    handmade::content(stanza.find("enc").unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_group_that_names_its_people_otherwise_gets_the_message_anew_under_its_id() {
    let Circle { ada, bob, group, sim, .. } = Circle::new(333).await;
    ada.client.send(group.clone(), "first").await.unwrap();
    settle().await;
    let mut stale = ada.store.group(&group).await.unwrap().unwrap();
    stale.addressing_mode = wa_proto::stanza::AddressingMode::Phone;
    ada.store.commit(Change::PutGroup(Box::new(stale)).into()).await.unwrap();
    sim.listen();
    let id = ada.client.send(group.clone(), "by other names").await.unwrap().id;
    settle().await;
    let stanzas = handmade::said(&ada, "message", id.as_str());
    assert_eq!(stanzas.len(), 2);
    let modes = ["pn", "lid"].into_iter().zip(&stanzas);
    assert!(modes.into_iter().all(|(mode, stanza)| stanza.attrs.is("addressing_mode", mode)));
    assert_ne!(ciphertext(&stanzas[0]), ciphertext(&stanzas[1]), "no step of the key twice");
    assert_eq!(group_questions(&ada), 1);
    assert_eq!(bob.texts(&group).await, ["first", "by other names"]);
    assert_eq!(bob.stats().counters.retries, 0);
}

#[tokio::test(start_paused = true)]
async fn an_ack_that_names_the_other_kind_of_address_has_the_message_made_anew_and_read_once() {
    let Circle { ada, bob, group, sim, .. } = Circle::new(334).await;
    ada.client.send(group.clone(), "first").await.unwrap();
    settle().await;
    let id = handmade::send_without_ack(&ada, &group, "twice on its way").await;
    let ack = handmade::ack(&group, &id).attr("addressing_mode", "pn");
    sim.deliver(&handmade::device(&ada), ack);
    settle().await;
    let stanzas = handmade::said(&ada, "message", &id);
    assert_eq!(stanzas.len(), 2);
    assert_ne!(ciphertext(&stanzas[0]), ciphertext(&stanzas[1]), "no step of the key twice");
    assert!(ada.store.outbox_pending().await.unwrap().is_empty());
    assert_eq!(bob.texts(&group).await, ["first", "twice on its way"]);
    assert_eq!(bob.stats().counters.retries, 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_always_names_another_kind_of_address_is_not_obeyed_for_ever() {
    let Circle { mut ada, group, sim, .. } = Circle::new(335).await;
    ada.client.send(group.clone(), "first").await.unwrap();
    settle().await;
    sim.hostile().tamper(&handmade::device(&ada), |stanza| match stanza.tag == "ack" {
        true => vec![stanza.attr("error", "421")],
        false => vec![stanza],
    });
    sim.listen();
    let id = ada.client.send(group.clone(), "never right").queue().await.unwrap().id;
    let failed = |event: &Event| match event {
        Event::SendStatus { state: wa_client::SendState::Failed { reason }, .. } => Some(*reason),
        _ => None,
    };
    let reason = ada.until(failed).await;
    assert_eq!(reason, wa_store::SendFailure::Refused { code: 421 });
    assert_eq!(handmade::said(&ada, "message", id.as_str()).len(), 6);
}

#[tokio::test(start_paused = true)]
async fn whoever_came_later_is_not_given_an_earlier_message_however_they_ask() {
    let Circle { ada, bob, group, sim, .. } = Circle::new(336).await;
    let old = ada.client.send(group.clone(), "before Dan").await.unwrap().id;
    settle().await;
    let mut dan = Party::join(&sim, "15550400", "Dan").await;
    ada.client.groups().add(&group, &[dan.phone.jid()]).await.unwrap();
    ada.client.send(group.clone(), "welcome").await.unwrap();
    assert_eq!(dan.message().await.text.as_deref(), Some("welcome"));
    settle().await;
    sim.listen();
    let ask = async |party: &Party, count| {
        let registration = handmade::registration_id(party).await;
        let ask = handmade::retry(&group, old.as_str(), count, registration);
        sim.deliver(&handmade::device(&ada), ask.attr("participant", handmade::device(party)));
        settle().await;
    };
    for count in [1, 2, 3] {
        ask(&dan, count).await;
    }
    assert!(handmade::said(&ada, "message", old.as_str()).is_empty());
    assert_eq!(dan.texts(&group).await, ["welcome"]);
    ask(&bob, 1).await;
    assert_eq!(handmade::said(&ada, "message", old.as_str()).len(), 1, "who was sent it gets it");
}
