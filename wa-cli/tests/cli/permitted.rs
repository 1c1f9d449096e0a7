//! What may be done with the account: policies, what waits for a person to agree, and what was
//! done.

use serde_json::Value;
use wa_bridge::{
    Bridge, BridgeOptions, Caller, Cause, Environment, Failure,
    api::{Outgoing, SendMessage},
};

use crate::{
    bad_input::fails,
    owning::Running,
    support::{BORIS, Machine, PACE, PATIENCE, World},
};

/// What an assistant gets that wants to send a text.
async fn assistant_sends(machine: &Machine, text: &str) -> Failure {
    let mut environment = Environment::default();
    environment.config_home = Some(machine.config());
    environment.data_home = Some(machine.path("data"));
    let caller = Caller::assistant("test");
    let mut options = BridgeOptions::new("default".parse().unwrap(), caller).unwrap();
    options.environment = environment;
    let bridge = Bridge::open(options).await.unwrap();
    assert!(!bridge.is_owner().await);
    let message = SendMessage {
        chat: format!("+{BORIS}"),
        what: Outgoing::Text { text: text.to_owned() },
        reply_to: None,
        mention: Vec::new(),
        idempotency_key: None,
        wait: None,
    };
    let failure = bridge.call(message).await.unwrap_err();
    bridge.close().await.unwrap();
    failure
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_assistant_sends_to_somebody_new_waits_for_a_person() {
    let world = World::new().await;
    let machine = world.linked();
    let serving = Running::serving(&machine);
    let failure = assistant_sends(&machine, "Dear Boris\u{202e}!").await;
    assert_eq!(failure.cause, Cause::ConfirmationRequired);
    let id = failure.draft.unwrap().id;

    let waiting = machine.json(&["drafts", "list"]);
    assert_eq!(waiting[0]["id"], id.as_str());
    // What no screen shows is shown, because it would leave.
    let preview = waiting[0]["preview"].as_str().unwrap();
    assert!(preview.ends_with("\n> Dear Boris⟨U+202E⟩!"), "{preview}");
    assert_eq!(machine.json(&["status"])["drafts"], 1);
    // Nobody is at a terminal: it is shown, and nothing happens.
    let asked = machine.run(&["drafts", "approve", &id]);
    assert_eq!(asked.code, Some(3), "{}", asked.stderr);
    assert!(asked.stderr.contains(&format!("+{BORIS}")), "{}", asked.stderr);
    assert!(asked.stderr.contains("> Dear Boris⟨U+202E⟩!"), "{}", asked.stderr);
    assert!(world.boris.messages().is_empty());

    let sent = machine.json(&["drafts", "approve", &id, "--yes"]);
    assert_eq!(sent["status"], "sent");
    let is_it = |message: &wa_sim::PhoneMessage| sent["id"] == message.id.as_str();
    assert!(world.boris.wait_for_message(is_it, PATIENCE).await.is_some());
    fails(&machine, &["drafts", "approve", &id, "--yes"], 1, "not_found");
    assert_eq!(machine.json(&["drafts", "list"]).as_array().unwrap().len(), 0);
    assert_eq!(serving.end("-TERM"), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_is_dropped_is_not_sent() {
    let world = World::new().await;
    let machine = world.linked();
    let serving = Running::serving(&machine);
    let id = assistant_sends(&machine, "better not").await.draft.unwrap().id;
    assert_eq!(machine.json(&["drafts", "cancel", &id])["id"], id.as_str());
    fails(&machine, &["drafts", "approve", &id, "--yes"], 1, "not_found");
    assert_eq!(serving.end("-TERM"), Some(0));
    assert_eq!(machine.json(&["status"])["outbox_pending"], 0);
    assert!(world.boris.messages().is_empty());

    let audit = machine.json(&["audit"]);
    let entries = audit.as_array().unwrap();
    let of = |call: &str| entries.iter().find(|entry| entry["call"] == call).unwrap();
    assert_eq!(of("messages/send")["outcome"], "confirmation_required");
    assert_eq!(of("messages/send")["caller"], "assistant: test");
    assert_eq!(of("drafts/cancel")["outcome"], "done");
    assert_eq!(of("drafts/cancel")["caller"], "person: wa-cli");
    assert!(!audit.to_string().contains("better not"), "no text stands in it");
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_policy_that_only_reads_nothing_is_sent() {
    let world = World::new().await;
    let machine = world.linked();
    world.boris.send_text(&world.anna.jid(), "hello").unwrap();
    machine.json(&["sync"]);
    machine.policy(&format!("read_only = true\n{PACE}"));
    let group = ["groups", "create", "Book club", BORIS];
    let id = machine.json(&["messages", BORIS])[0]["id"].as_str().unwrap().to_owned();
    for command in [
        ["send", BORIS, "hi"].as_slice(),
        &["react", BORIS, &id, "👍"],
        &["chats", "archive", BORIS],
        &["profile", "about", "away"],
        &["block", BORIS],
        &group,
    ] {
        let error = fails(&machine, command, 1, "forbidden");
        assert!(error["message"].as_str().unwrap().contains("read-only"), "{error}");
        assert!(error["remedy"].as_str().unwrap().contains("policy.toml"), "{error}");
    }
    assert_eq!(machine.json(&["status"])["outbox_pending"], 0);
    assert!(!world.boris.messages().iter().any(|message| message.text.as_deref() == Some("hi")));
    let policy = machine.json(&["policy"]);
    let file = machine.config().join("wa/policy.toml");
    assert_eq!(policy["file"], file.to_str().unwrap());
    assert_eq!(policy["policy"]["read_only"], true);
    assert!(policy["summary"].as_str().unwrap().contains("read-only"), "{policy}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_cannot_be_read_keeps_the_account_closed() {
    let world = World::new().await;
    let machine = world.linked();
    machine.policy("readonly = true");
    for command in [["send", BORIS, "hi"].as_slice(), &["chats"], &["policy"]] {
        let error = fails(&machine, command, 1, "forbidden");
        assert!(error["message"].as_str().unwrap().contains("policy.toml"), "{error}");
    }
    assert!(world.boris.messages().is_empty());
    std::fs::remove_file(machine.config().join("wa/policy.toml")).unwrap();
    assert_eq!(machine.json(&["policy"])["file"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_too_soon_is_refused_with_the_time_when_it_may_go() {
    let world = World::new().await;
    let machine = world.linked();
    machine.policy("[pace]\nstrangers_per_hour = 1\npatience_seconds = 0");
    machine.json(&["send", BORIS, "first"]);
    let error = fails(&machine, &["send", BORIS, "second"], 5, "paced");
    assert!(error["retry_at"].is_string(), "{error}");
    assert_eq!(machine.json(&["status"])["outbox_pending"], 0);
    assert_eq!(world.boris.messages().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_a_message_is_told_by_its_id_or_its_key() {
    let world = World::new().await;
    let machine = world.linked();
    let sent = machine.json(&["send", BORIS, "hi", "--id-key", "order-7"]);
    let id = sent["id"].as_str().unwrap();
    for name in [id, "order-7"] {
        let told = machine.json(&["outbox", name]);
        assert_eq!(told["id"], id);
        assert!(
            ["sent", "delivered", "read"].contains(&told["status"].as_str().unwrap()),
            "{told}"
        );
    }
    fails(&machine, &["outbox", "3EB0FFFF"], 1, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_of_one_name_one_is_picked() {
    let world = World::new().await;
    let machine = world.linked();
    let twins = ["447700900111", "447700900112"].map(|number| {
        let twin = world.sim.add_account(number, "Carla").unwrap();
        twin.send_text(&world.anna.jid(), "it is me").unwrap();
        twin
    });
    machine.json(&["sync"]);
    let error = fails(&machine, &["send", "Carla", "which one?"], 2, "ambiguous");
    assert_eq!(error["candidates"].as_array().unwrap().len(), 2, "{error}");
    assert!(
        error["message"].as_str().unwrap().contains("2) ~Carla (not in the address book)"),
        "{error}"
    );
    fails(&machine, &["send", "Carla", "which one?", "--pick", "3"], 2, "ambiguous");
    let sent = machine.json(&["send", "Carla", "you!", "--pick", "2"]);
    assert_eq!(sent["chat"], error["candidates"][1]["phone"]);
    let got = |twin: &&wa_sim::Phone| {
        twin.messages().iter().any(|message| message.text.as_deref() == Some("you!"))
    };
    assert_eq!(twins.iter().filter(got).count(), 1);
    // Whom a text mentions is nobody to be picked for the chat.
    let mention = ["send", BORIS, "Ask @Carla", "--mention", "Carla", "--pick", "1"];
    fails(&machine, &mention, 2, "ambiguous");
    assert!(world.boris.messages().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_stands_in_a_policy_by_address_and_never_by_the_subject_that_others_can_take() {
    let world = World::new().await;
    let machine = world.linked();
    let group = world.sim.create_group("Allotment", &[&world.anna, &world.boris]).unwrap();
    world.boris.send_text(&group, "who waters?").unwrap();
    machine.json(&["sync"]);
    // By subject it is an error that says how to write it, and nothing is done.
    machine.policy(&format!("[write]\nchats = [\"Allotment\"]\n{PACE}"));
    let error = fails(&machine, &["send", BORIS, "hi"], 1, "forbidden");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("wa-cli policy add write.chats \"Allotment\""), "{error}");

    machine.policy(PACE);
    let added = machine.json(&["policy", "add", "write.chats", "Allotment"]);
    assert_eq!((&added["entry"], &added["name"]), (&group.to_string().into(), &"Allotment".into()));
    let text = std::fs::read_to_string(machine.config().join("wa/policy.toml")).unwrap();
    assert!(text.contains(&format!("    # Allotment\n    \"{group}\",\n")), "{text}");
    assert_eq!(machine.json(&["policy"])["policy"]["write"]["chats"][0], group.to_string());
    fails(&machine, &["send", BORIS, "hi"], 1, "forbidden");
    machine.json(&["send", &group.to_string(), "I do"]);
    let again = machine.json(&["policy", "add", "write.chats", "Allotment"]);
    assert_eq!(again["was_there"], true);
    // A number needs nobody to look it up, and one that is out of reach is found by its name.
    machine.json(&["policy", "add", "read.except", BORIS]);
    let policy = machine.json(&["policy"]);
    assert_eq!(policy["policy"]["read"]["except"], serde_json::json!([format!("+{BORIS}")]));
    let wrong = machine.run(&["policy", "add", "files.send_from", BORIS]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("use read.chats"), "{}", wrong.stderr);
    fails(&machine, &["policy", "add", "read.except", "Nobody Atall"], 1, "not_found");
}
