//! What phones say, as a client's archive has it.

use wa_proto::{Content, MessageId, content::LiveLocation, pb};
use wa_store::{Added, Alteration};

use super::{archived, changed, parties::ada_and_bob, parties::settle, tally};

#[tokio::test(start_paused = true)]
async fn what_a_phone_says_about_a_message_is_applied_to_it() {
    let (_sim, ada, mut bob) = ada_and_bob(331).await;
    let to = bob.phone.jid();
    let id = ada.phone.send_text(&to, "helo").unwrap();
    bob.message().await;
    ada.phone.edit(&to, &id, "hello").unwrap();
    changed(&mut bob, Alteration::Edited).await;
    bob.phone.react(&ada.phone.jid(), &id, "👍").unwrap();
    ada.phone.pin(&to, &id, Some(3600)).unwrap();
    ada.phone.comment(&to, &id, "and more").unwrap();
    settle().await;
    for party in [&ada, &bob] {
        let message = archived(party, &id).await;
        assert_eq!(message.text.as_deref(), Some("hello"));
        assert_eq!(party.store.reactions(&message.key).await.unwrap()[0].emoji, "👍");
        assert_eq!(party.store.comments(&message.key).await.unwrap().len(), 1);
        let now = message.timestamp;
        assert_eq!(party.store.pins(&message.key.chat, now).await.unwrap().len(), 1);
    }
    ada.phone.revoke(&to, &id).unwrap();
    changed(&mut bob, Alteration::Revoked).await;
    let message = archived(&bob, &id).await;
    assert!(message.text.is_none());
    assert!(bob.store.additions(&message.key).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn polls_of_phones_are_counted_in_groups_too() {
    let (sim, ada, mut bob) = ada_and_bob(332).await;
    let group = sim.create_group("Tea", &[&ada.phone, &bob.phone]).unwrap();
    let options = vec!["tea".to_owned(), "coffee".to_owned()];
    let id = ada.phone.send_poll(&group, "What?", options, 0).unwrap();
    bob.message().await;
    ada.phone.vote(&group, &id, &["tea"]).unwrap();
    bob.phone.vote(&group, &id, &["tea", "coffee"]).unwrap();
    settle().await;
    for party in [&ada, &bob] {
        let expected = [("tea".to_owned(), 2), ("coffee".to_owned(), 1)];
        assert_eq!(tally(party, &id).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_else_edits_or_deletes_a_message() {
    let (_sim, ada, mut bob) = ada_and_bob(333).await;
    let sent = bob.client.send(ada.phone.jid(), "mine").await.unwrap();
    settle().await;
    let key = wa_proto::MessageKey {
        chat: Some(bob.phone.lid()),
        from_me: false,
        id: MessageId::new(sent.id.as_str()).unwrap(),
        sender: None,
    };
    let edit = wa_proto::content::Edit {
        target: Some(key.clone()),
        content: Box::new(Content::from("forged")),
        at_ms: None,
    };
    ada.phone.send_content(&bob.phone.jid(), &Content::Edit(edit)).unwrap();
    let revoke = wa_proto::content::Revoke { target: Some(key) };
    ada.phone.send_content(&bob.phone.jid(), &Content::Revoke(revoke)).unwrap();
    ada.phone.send_text(&bob.phone.jid(), "after").unwrap();
    while bob.message().await.text.as_deref() != Some("after") {}
    let message = archived(&bob, sent.id.as_str()).await;
    assert_eq!((message.text.as_deref(), message.revoked), (Some("mine"), None));
    assert_eq!(bob.stats().counters.nacks, 0, "it is acknowledged all the same");
}

#[tokio::test(start_paused = true)]
async fn a_live_location_moves() {
    let (_sim, ada, mut bob) = ada_and_bob(334).await;
    let at = |latitude, sequence| {
        Content::LiveLocation(LiveLocation {
            latitude,
            longitude: 2.0,
            sequence_number: Some(sequence),
            ..LiveLocation::default()
        })
    };
    let id = ada.phone.send_content(&bob.phone.jid(), &at(1.0, 1)).unwrap();
    bob.message().await;
    let additions = bob.store.additions(&archived(&bob, &id).await.key).await.unwrap();
    let Added::Position(position) = &additions[0].what else { panic!("no position") };
    assert!((position.latitude - 1.0).abs() < f64::EPSILON);
}

#[tokio::test(start_paused = true)]
async fn hostile_messages_are_kept_and_the_connection_lives() {
    let (_sim, ada, mut bob) = ada_and_bob(335).await;
    let to = bob.phone.jid();
    // A poll of a thousand options.
    let option = |n: u32| pb::message::poll_creation_message::Option {
        option_name: Some(format!("option {n}")),
        option_hash: None,
    };
    let poll = pb::message::PollCreationMessage {
        name: Some("Which?".to_owned()),
        options: (0..1_000).map(option).collect(),
        ..Default::default()
    };
    let poll = pb::Message { poll_creation_message: Some(Box::new(poll)), ..Default::default() };
    let id = ada.phone.send(&to, poll).unwrap();
    bob.message().await;
    assert_eq!(tally(&bob, &id).await.len(), 1_000);
    // Messages wrapped deeper than anybody wraps them.
    let mut deep = pb::Message { conversation: Some("deep".to_owned()), ..Default::default() };
    for _ in 0..40 {
        let wrapper = pb::message::FutureProofMessage { message: Some(Box::new(deep)) };
        deep = pb::Message { ephemeral_message: Some(Box::new(wrapper)), ..Default::default() };
    }
    let id = ada.phone.send(&to, deep).unwrap();
    bob.message().await;
    let kept = archived(&bob, &id).await;
    assert_eq!(kept.kind.as_str(), "unknown");
    assert!(!kept.raw.is_empty());
    // Additions to what is not there, with seals that are none.
    let key = wa_proto::MessageKey {
        chat: Some(ada.phone.lid()),
        from_me: true,
        id: MessageId::new("NOSUCH").unwrap(),
        sender: None,
    };
    let sealed = wa_proto::content::Sealed {
        target: Some(key.clone()),
        payload: vec![1; 40].into(),
        iv: vec![2; 3].into(),
    };
    for content in [
        Content::EventResponse(sealed.clone()),
        Content::EncryptedReaction(sealed.clone()),
        Content::EncryptedComment(sealed),
        Content::Reaction(wa_proto::content::Reaction {
            target: Some(key),
            emoji: "x".repeat(5_000),
            at_ms: Some(i64::MIN),
        }),
    ] {
        ada.phone.send_content(&to, &content).unwrap();
    }
    ada.phone.send_text(&to, "after").unwrap();
    assert_eq!(bob.message().await.text.as_deref(), Some("after"));
    settle().await;
    let stats = bob.stats();
    assert_eq!((stats.acks_owed, stats.counters.nacks), (0, 0));
}
