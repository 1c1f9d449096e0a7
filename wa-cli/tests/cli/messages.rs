//! What is said about messages that are there.

use serde_json::Value;

use crate::{
    bad_input::fails,
    support::{BORIS, Machine, PATIENCE, World},
};

/// The message with this id, as the archive has it.
fn message(machine: &Machine, id: &str) -> Value {
    let messages = machine.json(&["messages", BORIS, "--sync"]);
    let found = messages.as_array().unwrap().iter().find(|message| message["id"] == id);
    found.unwrap_or_else(|| panic!("no {id} in {messages}")).clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_reacted_to_edited_forwarded_and_deleted() {
    let world = World::new().await;
    let machine = world.linked();
    let anna = world.anna.jid();
    let theirs = world.boris.send_text(&anna, "Six o'clock?").unwrap();
    let sent = machine.json(&["send", BORIS, "Fife is better"]);
    let id = sent["id"].as_str().unwrap();
    machine.json(&["sync"]);

    machine.json(&["react", BORIS, &theirs, "👍"]);
    assert_eq!(message(&machine, &theirs)["reactions"][0]["emoji"], "👍");
    machine.json(&["react", BORIS, &theirs, "--remove"]);
    assert_eq!(message(&machine, &theirs)["reactions"].as_array().unwrap().len(), 0);

    machine.json(&["edit", BORIS, id, "Five is better"]);
    let edited = message(&machine, id);
    assert_eq!((&edited["text"], &edited["edited"]), (&"Five is better".into(), &true.into()));
    assert_eq!(edited["earlier_texts"][0], "Fife is better");
    let is_edit = |message: &wa_sim::PhoneMessage| message.kind == "edit";
    assert!(world.boris.wait_for_message(is_edit, PATIENCE).await.is_some());

    machine.json(&["pin", BORIS, id, "--for", "24h"]);
    machine.json(&["unpin", BORIS, id]);
    let forwarded = machine.json(&["forward", BORIS, &theirs, BORIS]);
    assert_eq!(message(&machine, forwarded["id"].as_str().unwrap())["text"], "Six o'clock?");
    machine.json(&["delete", BORIS, id]);
    let deleted = message(&machine, id);
    assert_eq!((&deleted["revoked"], &deleted["text"]), (&true.into(), &Value::Null));
    machine.json(&["disappearing", BORIS, "7d"]);
    assert_eq!(machine.json(&["chats"])[0]["disappearing"], 604_800);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_is_asked_voted_on_and_counted() {
    let world = World::new().await;
    let machine = world.linked();
    let asked = machine.json(&["poll", "create", BORIS, "Tea?", "yes", "no", "--selectable", "1"]);
    let id = asked["id"].as_str().unwrap();
    let shows = |message: &wa_sim::PhoneMessage| message.id == id;
    assert!(world.boris.wait_for_message(shows, PATIENCE).await.is_some());
    world.boris.vote(&world.anna.jid(), id, &["no"]).unwrap();
    machine.json(&["poll", "vote", BORIS, id, "yes"]);
    machine.json(&["sync"]);
    let poll = machine.json(&["poll", "show", BORIS, id]);
    let votes: Vec<_> =
        poll["options"].as_array().unwrap().iter().map(|it| it["votes"].as_u64()).collect();
    assert_eq!(votes, [Some(1), Some(1)]);
    machine.json(&["poll", "vote", BORIS, id, "--none"]);
    assert_eq!(machine.json(&["poll", "show", BORIS, id])["voters"], 1);
    fails(&machine, &["poll", "vote", BORIS, id, "perhaps"], 2, "usage");
    fails(&machine, &["poll", "create", BORIS, "Tea?", "yes"], 2, "usage");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_said_about_a_message_is_told() {
    let world = World::new().await;
    let machine = world.linked();
    let theirs = world.boris.send_text(&world.anna.jid(), "mine").unwrap();
    machine.json(&["sync"]);
    let before = world.boris.messages().len();
    for emoji in ["ok", "", "👍 and more"] {
        let error = fails(&machine, &["react", BORIS, &theirs, emoji], 2, "usage");
        assert!(error["remedy"].as_str().unwrap().contains("--remove"), "{error}");
    }
    fails(&machine, &["react", BORIS, "3EB0FFFF", "👍"], 1, "not_found");
    fails(&machine, &["edit", BORIS, &theirs, "yours"], 2, "usage");
    fails(&machine, &["edit", BORIS, &theirs, " "], 2, "usage");
    fails(&machine, &["delete", BORIS, "no such id"], 1, "not_found");
    fails(&machine, &["forward", BORIS, &theirs, "Nobody"], 1, "not_found");
    assert_eq!(world.boris.messages().len(), before);
}
