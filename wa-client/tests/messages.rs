//! Messages between clients and phones on a simulated server: both ways, once, in order, also
//! after a lost connection.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod parties;

use std::time::Duration;

use parties::{Party, ada_and_bob, settle, simulation};
use wa_client::{Error, Event, SendState};
use wa_proto::{Jid, MessageId};
use wa_sim::{Chance, FaultPlan};
use wa_store::{MessageStatus, OutboxState};

fn faults(set: impl FnOnce(&mut FaultPlan)) -> FaultPlan {
    let mut plan = FaultPlan::default();
    set(&mut plan);
    plan
}

#[tokio::test(start_paused = true)]
async fn a_direct_message_goes_both_ways() {
    let (_sim, mut ada, mut bob) = ada_and_bob(1).await;
    let sent = ada.client.send(bob.phone.jid(), "orange garden").await.unwrap();
    let message = bob.message().await;
    assert_eq!(message.id, sent.id.as_str());
    assert_eq!(message.text.as_deref(), Some("orange garden"));
    assert!(!message.from_me);
    assert_eq!((message.sender, message.sender_alt), (ada.phone.lid(), Some(ada.phone.jid())));

    bob.client.send(ada.phone.lid(), "yellow rocket").await.unwrap();
    let answer = ada.message().await;
    assert_eq!(answer.text.as_deref(), Some("yellow rocket"));
    settle().await;
    for phone in [&ada.phone, &bob.phone] {
        let texts: Vec<_> = phone.messages().into_iter().filter_map(|kept| kept.text).collect();
        assert_eq!(texts, ["orange garden", "yellow rocket"]);
    }
    assert_eq!(ada.texts(&bob.phone.jid()).await, ["orange garden", "yellow rocket"]);
    for party in [&ada, &bob] {
        let stats = party.stats();
        assert_eq!((stats.acks_owed, stats.counters.retries, stats.counters.nacks), (0, 0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_sent_is_archived_and_its_status_moves_forward() {
    let (_sim, mut ada, bob) = ada_and_bob(2).await;
    let sent = ada.client.send(bob.phone.jid(), "tea?").await.unwrap();
    ada.until(|event| match event {
        Event::StatusChanged(change) if change.state == SendState::Delivered => Some(()),
        _ => None,
    })
    .await;
    let kept = ada.archive(&bob.phone.lid()).await;
    assert_eq!(kept[0].key.id.as_str(), sent.id.as_str());
    assert_eq!(kept[0].status, MessageStatus::Delivered);
    assert!(kept[0].server_timestamp.is_some() && !kept[0].raw.is_empty());
    bob.phone.mark_read(&ada.phone.jid());
    ada.until(|event| match event {
        Event::StatusChanged(change) if change.state == SendState::Read => Some(()),
        _ => None,
    })
    .await;
    assert_eq!(ada.archive(&bob.phone.lid()).await[0].status, MessageStatus::Read);
}

#[tokio::test(start_paused = true)]
async fn what_the_own_phone_sends_is_archived_as_ones_own() {
    let (_sim, mut ada, bob) = ada_and_bob(3).await;
    ada.phone.send_text(&bob.phone.jid(), "from my phone").unwrap();
    let message = ada.message().await;
    assert!(message.from_me);
    assert_eq!(message.chat, bob.phone.lid());
    assert_eq!(ada.texts(&bob.phone.jid()).await, ["from my phone"]);
    settle().await;
    assert_eq!(ada.stats().acks_owed, 0);
}

#[tokio::test(start_paused = true)]
async fn keys_hang_on_the_lid_and_not_on_the_phone_number() {
    let (_sim, ada, mut bob) = ada_and_bob(4).await;
    ada.client.send(bob.phone.jid(), "hello").await.unwrap();
    bob.message().await;
    assert!(!ada.store.session_devices(&bob.phone.lid()).await.unwrap().is_empty());
    assert!(ada.store.session_devices(&bob.phone.jid()).await.unwrap().is_empty());
    assert_eq!(ada.store.lid_of(&bob.phone.jid()).await.unwrap(), Some(bob.phone.lid()));
    assert!(bob.store.session_devices(&ada.phone.jid()).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stanza_that_comes_twice_is_archived_once_and_never_asked_for() {
    let (sim, _ada, mut bob) = ada_and_bob(5).await;
    sim.set_faults(faults(|plan| plan.duplicate = Chance::with_probability(1.0)));
    let phone = sim.phone("15550100").unwrap();
    for text in ["one", "two", "three"] {
        phone.send_text(&bob.phone.jid(), text).unwrap();
    }
    for _ in 0..3 {
        bob.message().await;
    }
    settle().await;
    assert_eq!(bob.texts(&phone.jid()).await, ["one", "two", "three"]);
    let stats = bob.stats();
    assert_eq!((stats.counters.retries, stats.acks_owed), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_says_why() {
    let (_sim, ada, bob) = ada_and_bob(6).await;
    let too_long = ada.client.send(bob.phone.jid(), "x".repeat(65_537)).await;
    assert!(matches!(too_long, Err(Error::TextTooLong { .. })));
    let nobody = ada.client.send(Jid::phone("15559999"), "hello?").await;
    assert!(matches!(nobody, Err(Error::NotOnWhatsApp)), "{nobody:?}");
    let list = Jid::new("1700000000", wa_proto::Server::Broadcast);
    let unsupported = ada.client.send(list, "hello all").await;
    assert!(matches!(unsupported, Err(Error::Unsupported(_))));
}

#[tokio::test(start_paused = true)]
async fn what_is_queued_without_a_connection_leaves_with_the_next_once_and_in_order() {
    let (_sim, ada, mut bob) = ada_and_bob(7).await;
    ada.client.disconnect().await;
    for text in ["first", "second", "third"] {
        let queued = ada.client.send(bob.phone.jid(), text).queue().await.unwrap();
        assert_eq!(queued.timestamp, None);
    }
    let refused = ada.client.send(bob.phone.jid(), "fourth").await;
    assert!(matches!(refused, Err(Error::NotConnected)));
    let mut ada = ada.restart(None).await;
    ada.client.connect().unwrap();
    ada.connected().await;
    for text in ["first", "second", "third", "fourth"] {
        assert_eq!(bob.message().await.text.as_deref(), Some(text));
    }
    settle().await;
    assert!(ada.store.outbox_pending().await.unwrap().is_empty());
    assert_eq!(bob.texts(&ada.phone.jid()).await.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_message_without_an_ack_is_sent_again_as_it_was() {
    let (sim, mut ada, mut bob) = ada_and_bob(8).await;
    sim.set_faults(faults(|plan| plan.withhold_acks = Chance::times(1)));
    let limit = Duration::from_secs(5);
    let waiting = ada.client.send(bob.phone.jid(), "are you there?").timeout(limit).await;
    assert!(matches!(waiting, Err(Error::Timeout(_))), "{waiting:?}");
    let before = ada.store.outbox_pending().await.unwrap();
    assert_eq!(before[0].state, OutboxState::Transmitted);
    bob.message().await;
    ada.line.cut();
    ada.connected().await;
    settle().await;
    assert!(ada.store.outbox_pending().await.unwrap().is_empty());
    assert_eq!(bob.texts(&ada.phone.jid()).await, ["are you there?"]);
    assert_eq!(bob.stats().counters.retries, 0);
    assert_eq!(ada.archive(&bob.phone.jid()).await[0].status, MessageStatus::Delivered);
}

#[tokio::test(start_paused = true)]
async fn what_was_queued_can_be_waited_for_and_says_why_it_was_refused() {
    let (sim, mut ada, bob) = ada_and_bob(16).await;
    sim.set_faults(faults(|plan| plan.withhold_acks = Chance::times(1)));
    let queued = ada.client.send(bob.phone.jid(), "later").queue().await.unwrap();
    let limit = Duration::from_secs(5);
    let waiting = ada.client.wait_for_ack(&queued.id).timeout(limit).await;
    assert!(matches!(waiting, Err(Error::Timeout(_))), "{waiting:?}");
    ada.line.cut();
    ada.connected().await;
    assert_eq!(ada.client.wait_for_ack(&queued.id).await.unwrap().id, queued.id);
    // From then on the outbox knows nothing of it.
    assert!(ada.store.outbox_pending().await.unwrap().is_empty());
    assert_eq!(ada.client.wait_for_ack(&queued.id).await.unwrap().timestamp, None);
    let channel = bob.phone.create_newsletter("Harbour", "").unwrap();
    let queued = ada.client.send(channel, "me too").queue().await.unwrap();
    for _ in 0..2 {
        let refused = ada.client.wait_for_ack(&queued.id).await;
        assert!(matches!(refused, Err(Error::SendRefused { code: 403 })), "{refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_act_of_sending_happens_once() {
    let (_sim, ada, mut bob) = ada_and_bob(9).await;
    let first = ada.client.send(bob.phone.jid(), "once").idempotency_key("k").await.unwrap();
    let again = ada.client.send(bob.phone.jid(), "once").idempotency_key("k").await.unwrap();
    assert_eq!(first.id, again.id);
    bob.message().await;
    settle().await;
    assert_eq!(bob.texts(&ada.phone.jid()).await, ["once"]);
}

#[tokio::test(start_paused = true)]
async fn reading_is_told_to_the_sender() {
    let (_sim, mut ada, mut bob) = ada_and_bob(10).await;
    ada.client.send(bob.phone.jid(), "read me").await.unwrap();
    let message = bob.message().await;
    let id = MessageId::new(message.id.as_str()).unwrap();
    bob.client.mark_read(&message.chat, &[id]).await.unwrap();
    ada.until(|event| match event {
        Event::StatusChanged(change) if change.state == SendState::Read => Some(()),
        _ => None,
    })
    .await;
    assert_eq!(bob.store.chat(&message.chat).await.unwrap().unwrap().unread, 0);
}

#[tokio::test(start_paused = true)]
async fn a_backlog_is_archived_in_order_and_answered_whole() {
    let (sim, ada, mut bob) = ada_and_bob(11).await;
    let group = sim.create_group("Tea", &[&ada.phone, &bob.phone]).unwrap();
    bob.client.disconnect().await;
    for number in 0..1000 {
        let to = if number % 3 == 0 { &group } else { &bob.phone.jid() };
        ada.phone.send_text(to, format!("message {number}")).unwrap();
    }
    bob.client.connect().unwrap();
    bob.until(|event| matches!(event, Event::OfflineSyncCompleted { .. }).then_some(())).await;
    settle().await;
    let mut texts = bob.texts(&ada.phone.jid()).await;
    texts.extend(bob.texts(&group).await);
    assert_eq!(texts.len(), 1000);
    let all = bob.store.messages_after(wa_store::Seq(0), 1000).await.unwrap();
    let order: Vec<_> = all.into_iter().filter_map(|message| message.text).collect();
    assert_eq!(order, (0..1000).map(|number| format!("message {number}")).collect::<Vec<_>>());
    let stats = bob.stats();
    assert_eq!((stats.acks_owed, stats.counters.retries), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_group_message_is_read_with_the_key_that_came_with_it() {
    let (sim, ada, mut bob) = ada_and_bob(12).await;
    let group = sim.create_group("Tea", &[&ada.phone, &bob.phone]).unwrap();
    for text in ["hello all", "still here"] {
        ada.phone.send_text(&group, text).unwrap();
        let message = bob.message().await;
        assert_eq!(message.text.as_deref(), Some(text));
        assert_eq!(message.chat, group);
        assert_eq!(message.sender, ada.phone.lid());
    }
    settle().await;
    assert_eq!((bob.stats().acks_owed, bob.stats().counters.retries), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_quotation_names_and_repeats_what_it_answers() {
    let (_sim, ada, mut bob) = ada_and_bob(13).await;
    let asked = ada.client.send(bob.phone.jid(), "tea or coffee?").await.unwrap();
    let question = bob.message().await;
    bob.client.send(question.chat, "tea").quoting(asked.id.clone()).await.unwrap();
    settle().await;
    let kept = ada.archive(&bob.phone.jid()).await;
    assert_eq!(kept[1].reply_to.as_ref().map(wa_store::MessageId::as_str), Some(asked.id.as_str()));
    let unwrapped = wa_proto::Unwrapped::decode(kept[1].raw.as_bytes().to_vec()).unwrap();
    let quoted = unwrapped.context.quoted.unwrap();
    assert_eq!(quoted.content().unwrap().text(), Some("tea or coffee?"));
}

#[tokio::test(start_paused = true)]
async fn a_chat_with_oneself_reaches_the_own_phone() {
    let sim = simulation(15);
    let ada = Party::join(&sim, "15550100", "Ada").await;
    ada.client.send(ada.phone.jid(), "buy tea").await.unwrap();
    let seen = ada
        .phone
        .wait_for_message(|kept| kept.text.as_deref() == Some("buy tea"), Duration::from_secs(60))
        .await;
    assert!(seen.expect("the phone has it").from_me);
}
