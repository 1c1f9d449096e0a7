//! What people do every day: link, send, receive, read, search, log out.

use crate::support::{ANNA, BORIS, PATIENCE, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_links_by_a_code_and_says_who_it_is() {
    let world = World::new().await;
    let machine = world.linked();
    let devices = world.anna.devices();
    assert_eq!(devices.len(), 2, "the phone lists the new device");

    let status = machine.json(&["status"]);
    assert_eq!(status["phone"], format!("+{ANNA}"));
    assert_eq!(status["device"], 1);
    assert_eq!(status["online"], serde_json::Value::Null);
    assert_eq!(machine.json(&["status", "--online"])["online"], true);

    let again = machine.run(&["link"]);
    assert_eq!((again.code, again.stdout), (Some(0), format!("already linked as +{ANNA}\n")));
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_for_scripts_come_as_events() {
    let world = World::new().await;
    let machine = world.machine();
    let mut child = machine.command(&["link", "--json"]).spawn().unwrap();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    let event: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&event["event"], event["expires_in"].as_u64()), (&"qr".into(), Some(60)));
    world.anna.scan_qr(event["code"].as_str().unwrap()).unwrap();
    let run = crate::support::finish(child, stdout);
    let last: serde_json::Value = serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap();
    assert_eq!((run.code, &last["ok"]), (Some(0), &true.into()));
    assert_eq!(last["data"]["account"]["phone"], format!("+{ANNA}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_can_be_typed_into_the_phone_instead() {
    let world = World::new().await;
    let machine = world.machine();
    let number = format!("+{ANNA}");
    let mut child = machine.command(&["link", "--phone", &number, "--json"]).spawn().unwrap();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    let event: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(event["event"], "pairing_code", "no code to scan comes before it");
    world.anna.enter_code(event["code"].as_str().unwrap()).unwrap();
    let run = crate::support::finish(child, stdout);
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    assert_eq!(machine.json(&["status"])["phone"], number);

    let stranger = world.machine().run(&["link", "--phone", "0123", "--json"]);
    assert_eq!(stranger.code, Some(2), "{}", stranger.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_goes_out_and_its_answer_is_found() {
    let world = World::new().await;
    let machine = world.linked();
    let sent = machine.json(&["send", "+44 7700 900102", "Tea at the café?"]);
    assert_eq!((&sent["status"], &sent["chat"]), (&"sent".into(), &format!("+{BORIS}").into()));
    let id = sent["id"].as_str().unwrap().to_owned();
    let shown = world.boris.wait_for_message(|message| message.id == id, PATIENCE).await.unwrap();
    assert_eq!(shown.text.as_deref(), Some("Tea at the café?"));

    // The answer waits on the server until the next command connects.
    world.boris.send_text(&world.anna.jid(), "Coffee, please").unwrap();
    assert_eq!(machine.json(&["messages", BORIS]).as_array().unwrap().len(), 1);
    let chats = machine.json(&["chats", "--sync"]);
    assert_eq!(chats[0]["phone"], format!("+{BORIS}"));
    let messages = machine.json(&["messages", BORIS]);
    let texts: Vec<_> = messages.as_array().unwrap().iter().map(|m| m["text"].clone()).collect();
    assert_eq!(texts, ["Tea at the café?", "Coffee, please"]);
    assert_eq!((&messages[0]["from_me"], &messages[1]["from_me"]), (&true.into(), &false.into()));
    assert!(["delivered", "read"].contains(&messages[0]["status"].as_str().unwrap()));

    let found = machine.json(&["search", "cafe"]);
    assert_eq!(found["hits"][0]["id"], id);
    let found = machine.run(&["search", "coffee", "--received"]);
    assert!(found.stdout.contains("Coffee, please"), "{}", found.stdout);
    let none = machine.run(&["search", "nothing like it", "--exit-status"]);
    assert_eq!(none.code, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_comes_from_standard_input_and_a_name_stands_for_a_number() {
    let world = World::new().await;
    let machine = world.linked();
    world.boris.send_text(&world.anna.jid(), "hello").unwrap();
    machine.json(&["messages", BORIS, "--sync"]);
    let mut child = machine
        .command(&["send", "boris", "-"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"two\nlines\n").unwrap();
    let run: crate::support::Run = child.wait_with_output().unwrap().into();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let is_it = |message: &wa_sim::PhoneMessage| message.text.as_deref() == Some("two\nlines");
    assert!(world.boris.wait_for_message(is_it, PATIENCE).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_sends_once() {
    let world = World::new().await;
    let machine = world.linked();
    let first = machine.json(&["send", BORIS, "once", "--id-key", "order-7"]);
    let second = machine.json(&["send", BORIS, "once", "--id-key", "order-7"]);
    assert_eq!(first["id"], second["id"]);
    let shown = world.boris.messages();
    assert_eq!(shown.iter().filter(|message| message.text.as_deref() == Some("once")).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_asks_first_and_keeps_the_archive() {
    let world = World::new().await;
    let machine = world.linked();
    machine.json(&["send", BORIS, "keep this"]);
    let asked = machine.run(&["logout"]);
    assert_eq!(asked.code, Some(3), "{}", asked.stderr);
    assert_eq!(world.anna.devices().len(), 2);

    assert_eq!(machine.json(&["logout", "--yes"])["archive"], "kept");
    assert_eq!(world.anna.devices().len(), 1, "the phone no longer lists it");
    assert_eq!(machine.run(&["status"]).code, Some(4));
    assert_eq!(machine.json(&["search", "keep"])["hits"].as_array().unwrap().len(), 1);

    machine.link(&world.anna);
    assert_eq!(machine.json(&["logout", "--yes", "--delete-archive"])["archive"], "deleted");
    assert!(!machine.data().join("wa.db").exists());
}
