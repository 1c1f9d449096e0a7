//! Rules of answering those who could not decrypt, each told by retry receipts made by hand.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod handmade;
mod parties;

use std::{sync::Arc, time::Duration};

use handmade::{acquainted, all_said, device, opened, registration_id, retry, said, session, text};
use parties::{Party, settle};
use prost::Message as _;
use wa_proto::Node;
use wa_store::{Change, Changes, MemoryStore, SentMessage, Timestamp};

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
async fn what_the_stanza_says_in_the_clear_is_said_again() {
    let (sim, ada, bob) = acquainted(115).await;
    let poll = ada.client.send_poll(bob.phone.jid(), "Lunch?", ["noon", "one"]).await.unwrap().id;
    let of_poll = wa_store::MessageKey::sent(bob.phone.lid(), ada.phone.lid(), poll.as_str());
    let vote = ada.client.vote(&of_poll, ["one"]).await.unwrap().id;
    let registration = registration_id(&bob).await;
    for id in [&poll, &vote] {
        sim.deliver(&device(&ada), retry(&device(&bob), id.as_str(), 1, registration));
    }
    settle().await;
    for (id, kind) in [(&poll, "creation"), (&vote, "vote")] {
        let [first, again] = &said(&ada, "message", id.as_str())[..] else { panic!("two of each") };
        assert!(again.find("meta").unwrap().attrs.is("polltype", kind));
        let hidden = first.find("participants").unwrap().nodes()[0].find("enc").unwrap();
        let hidden = hidden.attrs.is("decrypt-fail", "hide");
        assert_eq!(again.find("enc").unwrap().attrs.is("decrypt-fail", "hide"), hidden);
        assert_eq!(hidden, kind == "vote");
    }
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
async fn only_the_device_that_asks_gets_it_again_and_counts_as_without_the_group_key() {
    let (sim, ada, bob) = acquainted(119).await;
    let group = sim.create_group("Tea", &[&ada.phone, &bob.phone]).unwrap();
    let sent = SentMessage {
        chat: group.clone(),
        id: "3EB0AA".into(),
        plaintext: text("to the group").encode_to_vec().into(),
        envelope: Node::new("queued").attr("type", "text").attr("edit", "1").encode(),
        sent_at: Timestamp::from_secs(1_780_000_000),
    };
    let holder = Change::MarkSenderKeyHolders {
        group: group.clone(),
        devices: vec![device(&bob)],
        has_key: true,
    };
    let audience = Change::SetSentAudience {
        chat: group.clone(),
        id: "3EB0AA".into(),
        people: vec![bob.phone.lid()],
    };
    ada.store.commit(Change::PutSentMessage(Box::new(sent)).into()).await.unwrap();
    ada.store.commit(Changes::from(holder).with(audience)).await.unwrap();
    let request = retry(&group, "3EB0AA", 1, registration_id(&bob).await);
    sim.deliver(&device(&ada), request.attr("participant", device(&bob)));
    settle().await;
    let resent = said(&ada, "message", "3EB0AA").remove(0);
    assert_eq!(resent.attrs.jid("to"), Some(group.clone()));
    assert_eq!(resent.attrs.jid("participant"), Some(device(&bob)));
    assert!(resent.attrs.is("device_fanout", "false") && resent.attrs.is("edit", "1"));
    assert!(resent.attrs.is("t", "1780000000"));
    let enc = resent.find("enc").unwrap();
    assert!(enc.attrs.is("count", "1") && !enc.attrs.is("type", "skmsg"));
    assert!(resent.find("participants").is_none());
    let holders = ada.store.sender_key_holders(&group).await.unwrap();
    assert_eq!(holders.get(&device(&bob)), Some(&false));
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
