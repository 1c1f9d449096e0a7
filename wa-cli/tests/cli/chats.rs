//! What is done with chats; all devices of the account follow.

use serde_json::Value;

use crate::{
    bad_input::fails,
    support::{BORIS, Machine, World},
};

/// The message with this id, as the archive has it.
fn message(machine: &Machine, id: &str) -> Value {
    let messages = machine.json(&["messages", BORIS, "--sync"]);
    let found = messages.as_array().unwrap().iter().find(|message| message["id"] == id);
    found.unwrap_or_else(|| panic!("no {id} in {messages}")).clone()
}

/// Whoever calls themself Boris is told from the Boris of the address book.
#[tokio::test(flavor = "multi_thread")]
async fn names_that_people_chose_themselves_are_marked_wherever_they_are_shown() {
    let world = World::new().await;
    let machine = world.linked();
    let me = world.anna.jid();
    let impostor = world.sim.add_account("447700900103", "Boris Ivanov").unwrap();
    world.anna.set_contact(&world.boris.jid(), Some("Boris Ivanov"));
    world.boris.send_text(&me, "it is me").unwrap();
    impostor.send_text(&me, "no, it is me").unwrap();
    let group = world.sim.create_group("Boris Ivanov", &[&world.anna, &impostor]).unwrap();
    impostor.send_text(&group, "and in a group").unwrap();
    machine.json(&["sync"]);
    let plain = |arguments: &[&str]| {
        let run = machine.run(arguments);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run.stdout
    };
    let line = |text: &str, holds: &str| {
        let found = text.lines().find(|line| line.contains(holds));
        found.unwrap_or_else(|| panic!("no {holds:?} in {text}")).to_owned()
    };
    for list in [plain(&["chats"]), plain(&["contacts"])] {
        let (known, unknown) = (line(&list, "900102"), line(&list, "900103"));
        assert!(known.contains("Boris Ivanov") && !known.contains('~'), "{list}");
        assert!(unknown.contains("~Boris Ivanov"), "{list}");
    }
    let chats = plain(&["chats"]);
    assert_eq!(chats.matches("~Boris Ivanov").count(), 2, "the person and the group: {chats}");
    let known = plain(&["messages", BORIS]);
    assert!(known.contains("Boris Ivanov  it is me") && !known.contains('~'), "{known}");
    let unknown = plain(&["messages", "+447700900103"]);
    assert!(unknown.contains("~Boris Ivanov"), "{unknown}");
    assert!(plain(&["--help"]).contains("A name with a ~ before it"), "what it means is said");
}

#[tokio::test(flavor = "multi_thread")]
async fn chats_are_changed_for_all_devices_of_the_account() {
    let world = World::new().await;
    let machine = world.linked();
    let boris = world.boris.jid();
    let id = world.boris.send_text(&world.anna.jid(), "hello").unwrap();
    machine.json(&["sync"]);
    assert_eq!(machine.json(&["chats", "mute", BORIS, "--for", "8h"])["state"], "done");
    machine.json(&["chats", "pin", BORIS]);
    let settings = machine.json(&["chats"])[0].clone();
    assert_eq!((&settings["muted"], &settings["pinned"]), (&true.into(), &true.into()));
    assert!(world.anna.chat_settings(&boris).pinned, "the phone follows");
    machine.json(&["chats", "unmute", BORIS]);
    machine.json(&["chats", "archive", BORIS]);
    machine.json(&["chats", "read", BORIS]);
    machine.json(&["chats", "star", BORIS, &id]);
    let settings = machine.json(&["chats"])[0].clone();
    assert_eq!((&settings["muted"], &settings["archived"]), (&false.into(), &true.into()));
    assert_eq!(settings["unread"], 0);
    assert_eq!(message(&machine, &id)["starred"], true);

    // The other way round: what the phone sets is known after the next connection.
    world.anna.archive_chat(&boris, false);
    world.anna.pin_chat(&boris, true);
    let settings = machine.json(&["chats", "--sync"])[0].clone();
    assert_eq!((&settings["archived"], &settings["pinned"]), (&false.into(), &true.into()));

    let asked = machine.run(&["chats", "clear", BORIS]);
    assert_eq!(asked.code, Some(3), "{}", asked.stderr);
    machine.json(&["chats", "clear", BORIS, "--yes"]);
    assert_eq!(machine.json(&["messages", BORIS]).as_array().unwrap().len(), 0);
    machine.json(&["chats", "delete", BORIS, "--yes"]);
    assert_eq!(machine.json(&["chats"]).as_array().unwrap().len(), 0);
    fails(&machine, &["chats", "mute", "Nobody"], 1, "not_found");
    fails(&machine, &["chats", "label", BORIS, "urgent"], 1, "not_found");
}
