//! Messages of their own of every kind a client sends.

use wa_client::Error;
use wa_proto::{
    Content,
    content::{Contact, LinkPreview, LiveLocation, Location, Text},
    pb,
};

use super::{archived, key, parties::Party, parties::ada_and_bob, parties::settle, shown};

#[tokio::test(start_paused = true)]
async fn places_cards_and_previews_arrive_as_what_they_are() {
    let (_sim, ada, mut bob) = ada_and_bob(321).await;
    let place = Location {
        latitude: 48.5,
        longitude: -9.25,
        name: Some("The garden".to_owned()),
        ..Location::default()
    };
    let live = LiveLocation {
        latitude: 1.0,
        longitude: 2.0,
        sequence_number: Some(1),
        caption: Some("on my way".to_owned()),
        ..LiveLocation::default()
    };
    let card = Contact::card("Grace Hopper", ["15550300"]);
    assert!(card.vcard.contains("waid=15550300:+15550300"));
    let mut text = Text::new("see https://example.org");
    text.preview = Some(LinkPreview {
        url: "https://example.org".to_owned(),
        title: Some("Example".to_owned()),
        ..LinkPreview::default()
    });
    let contents = [
        (Content::Location(place), "location", Some("The garden")),
        (Content::LiveLocation(live), "live-location", Some("on my way")),
        (Content::Contact(card), "contact", Some("Grace Hopper")),
        (Content::Text(text), "text", Some("see https://example.org")),
    ];
    for (content, kind, text) in contents {
        let sent = ada.client.send(bob.phone.jid(), content.clone()).await.unwrap();
        let message = bob.message().await;
        assert_eq!((message.kind.as_str(), message.text.as_deref()), (kind, text));
        settle().await;
        for phone in [&ada.phone, &bob.phone] {
            let raw = phone.message(sent.id.as_str()).unwrap();
            let said = wa_proto::Unwrapped::from_message(raw).content;
            assert!(said == content, "{kind} as it was sent");
        }
    }
    let nowhere = Location { latitude: 91.0, ..Location::default() };
    let refused = ada.client.send(bob.phone.jid(), Content::Location(nowhere)).await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))));
}

#[tokio::test(start_paused = true)]
async fn an_answer_quotes_what_was_said_and_no_secret() {
    let (_sim, ada, mut bob) = ada_and_bob(322).await;
    let first = ada.client.send(bob.phone.jid(), "first").await.unwrap();
    bob.message().await;
    let second = bob.client.send(ada.phone.jid(), "second").quoting(first.id.clone());
    let second = second.await.unwrap();
    settle().await;
    let third = ada.client.send(bob.phone.jid(), "third").quoting(second.id.clone());
    let third = third.mentions([bob.phone.lid()]).mentions_everyone().await.unwrap();
    settle().await;
    let raw = bob.phone.message(third.id.as_str()).unwrap();
    let context = wa_proto::Unwrapped::from_message(raw).context;
    let quoted = context.quoted.unwrap();
    assert_eq!((&quoted.id, quoted.sender), (&second.id, Some(bob.phone.lid())));
    let expected = pb::Message { conversation: Some("second".to_owned()), ..Default::default() };
    assert_eq!(quoted.message.map(|message| *message), Some(expected), "without its own quote");
    assert_eq!((context.mentions, context.mentions_everyone), (vec![bob.phone.lid()], true));
    assert_eq!(shown(&bob.phone, third.id.as_str()).quotes.as_deref(), Some("second"));
    let reply = archived(&bob, third.id.as_str()).await.reply_to.unwrap();
    assert_eq!(reply.as_str(), second.id.as_str());
}

#[tokio::test(start_paused = true)]
async fn what_is_forwarded_says_so_and_forgets_whom_it_answered() {
    let (sim, ada, mut bob) = ada_and_bob(323).await;
    let mut eve = Party::join(&sim, "15550300", "Eve").await;
    let before = ada.client.send(bob.phone.jid(), "before").await.unwrap();
    bob.message().await;
    let answer = bob.client.send(ada.phone.jid(), "a joke").quoting(before.id).await.unwrap();
    settle().await;
    ada.phone.edit(&bob.phone.jid(), "none", "x").unwrap_err();
    bob.client.edit(&key(&bob, &answer.id).await, "a good joke").await.unwrap();
    settle().await;
    let once = ada.client.forward(&key(&ada, &answer.id).await, eve.phone.jid());
    let once = once.await.unwrap();
    let message = eve.message().await;
    assert_eq!(message.text.as_deref(), Some("a good joke"), "as it stands now");
    let archived_once = archived(&eve, once.id.as_str()).await;
    assert_eq!((archived_once.forwarding_score, archived_once.reply_to), (Some(1), None));
    let twice = eve.client.forward(&archived_once.key, bob.phone.jid()).await.unwrap();
    settle().await;
    assert_eq!(archived(&bob, twice.id.as_str()).await.forwarding_score, Some(2));
    assert_eq!(shown(&bob.phone, twice.id.as_str()).forwarded, 2);
    let secret = bob.store.message_secret(&key(&bob, &twice.id).await).await.unwrap().unwrap();
    let first = bob.store.message_secret(&key(&bob, &answer.id).await).await.unwrap().unwrap();
    assert_ne!(secret.secret, first.secret, "each message has a secret of its own");
    let poll = ada.client.send_poll(bob.phone.jid(), "?", ["a", "b"]).await.unwrap();
    let refused = ada.client.forward(&key(&ada, &poll.id).await, eve.phone.jid()).await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))));
}

#[tokio::test(start_paused = true)]
async fn a_picture_sent_by_phone_is_forwarded_without_being_uploaded_again() {
    let (sim, ada, mut bob) = ada_and_bob(324).await;
    let mut eve = Party::join(&sim, "15550300", "Eve").await;
    let picture = ada.phone.send_image(&bob.phone.jid(), &[7; 400], Some("tea".to_owned()));
    let picture = picture.unwrap();
    bob.message().await;
    let sent = bob.client.forward(&archived(&bob, &picture).await.key, eve.phone.jid());
    let sent = sent.await.unwrap();
    let message = eve.message().await;
    assert_eq!((message.kind.as_str(), message.text.as_deref()), ("image", Some("tea")));
    settle().await;
    let of = |phone: &wa_sim::Phone, id: &str| phone.message(id).unwrap().image_message.unwrap();
    let (first, second) = (of(&ada.phone, &picture), of(&eve.phone, sent.id.as_str()));
    assert!(first.media_key.is_some());
    assert_eq!(
        (first.media_key, first.direct_path, first.file_sha256, first.file_length),
        (second.media_key, second.direct_path, second.file_sha256, second.file_length)
    );
}
