//! What can be sent besides plain texts, and what is refused before anything is.

use serde_json::Value;
use wa_proto::content::{Content, Unwrapped};
use wa_sim::Phone;

use crate::{
    bad_input::fails,
    support::{BORIS, PATIENCE, World},
};

/// What the phone has under this id.
async fn content(phone: &Phone, sent: &Value) -> Unwrapped {
    let id = sent["id"].as_str().unwrap();
    phone.wait_for_message(|message| message.id == id, PATIENCE).await.unwrap();
    Unwrapped::from_message(phone.message(id).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_and_a_card_are_sent() {
    let world = World::new().await;
    let machine = world.linked();
    let sent = machine.json(&["location", BORIS, "-33.8568", "151.2153", "--name", "Opera"]);
    let Content::Location(place) = content(&world.boris, &sent).await.content else {
        panic!("no place")
    };
    assert_eq!((place.latitude, place.longitude), (-33.8568, 151.2153));
    assert_eq!(place.name.as_deref(), Some("Opera"));

    let sent = machine.json(&["contact", BORIS, "Ada L.", "+44 7700 900123"]);
    let Content::Contact(card) = content(&world.boris, &sent).await.content else {
        panic!("no card")
    };
    assert!(card.vcard.contains("waid=447700900123"), "{}", card.vcard);
    let shown = machine.run(&["messages", BORIS, "--ids"]);
    assert!(shown.stdout.contains("[contact] Ada L."), "{}", shown.stdout);
    assert!(shown.stdout.contains(sent["id"].as_str().unwrap()), "{}", shown.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mention_is_written_where_the_text_names_the_person() {
    let world = World::new().await;
    let machine = world.linked();
    let named = format!("+{BORIS}");
    let text = format!("Ask @{named}!");
    let sent = machine.json(&["send", BORIS, &text, "--mention", &named]);
    let received = content(&world.boris, &sent).await;
    let mentioned = received.context.mentions.first().unwrap();
    assert_eq!(received.content.text(), Some(format!("Ask @{}!", mentioned.user).as_str()));

    let error = fails(&machine, &["send", BORIS, "Ask him", "--mention", &named], 2, "usage");
    assert!(error["remedy"].as_str().unwrap().contains("@+"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_places_cards_and_polls_are_told_before_anything_is_sent() {
    let world = World::new().await;
    let machine = world.linked();
    fails(&machine, &["location", BORIS, "91", "0"], 2, "usage");
    fails(&machine, &["location", BORIS, "0", "NaN"], 2, "usage");
    fails(&machine, &["contact", BORIS, "Ada", "no number"], 2, "usage");
    fails(&machine, &["contact", BORIS, " ", "+44 7700 900123"], 2, "usage");
    let error = fails(&machine, &["poll", "show", BORIS, "3EB0FFFF"], 1, "not_found");
    assert!(error["remedy"].as_str().unwrap().contains("--ids"), "{error}");
    let text = machine.json(&["send", BORIS, "no poll"]);
    fails(&machine, &["poll", "show", BORIS, text["id"].as_str().unwrap()], 2, "usage");
    assert_eq!(world.boris.messages().len(), 1);
}
