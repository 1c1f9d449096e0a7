//! Taking in what waits, once or for as long as one likes, and what is known of the past.

use std::io::{BufRead, BufReader, Lines};
use std::process::ChildStdout;

use serde_json::Value;

use crate::{
    bad_input::fails,
    support::{BORIS, World},
};

/// The next object of this name.
fn told(lines: &mut Lines<BufReader<ChildStdout>>, event: &str) -> Value {
    loop {
        let line = lines.next().unwrap_or_else(|| panic!("no {event}")).unwrap();
        let object: Value = serde_json::from_str(&line).unwrap();
        if object["event"] == event {
            return object;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_says_how_much_is_new() {
    let world = World::new().await;
    let machine = world.linked();
    for text in ["one", "two"] {
        world.boris.send_text(&world.anna.jid(), text).unwrap();
    }
    assert_eq!(machine.json(&["sync"])["messages"], 2);
    let again = machine.run(&["sync"]);
    assert_eq!((again.code, again.stdout.as_str()), (Some(0), "nothing new\n"));
    assert_eq!(machine.json(&["contacts", "boris"])[0]["phone"], format!("+{BORIS}"));
    assert_eq!(machine.json(&["contacts", "nobody"]).as_array().unwrap().len(), 0);
    assert_eq!(machine.json(&["labels"]).as_array().unwrap().len(), 0);
    assert_eq!(machine.run(&["labels", "urgent"]).code, Some(1));
    assert_eq!(machine.run(&["history", "gaps"]).code, Some(0));
    fails(&machine, &["history", "fetch", "Nobody"], 1, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn following_tells_what_happens_until_it_is_interrupted() {
    let world = World::new().await;
    let machine = world.linked();
    world.boris.send_text(&world.anna.jid(), "waited").unwrap();
    let mut child = machine.command(&["sync", "--follow", "--json"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(told(&mut lines, "message")["message"]["text"], "waited");
    told(&mut lines, "drained");
    world.boris.send_text(&world.anna.jid(), "live").unwrap();
    assert_eq!(told(&mut lines, "message")["message"]["text"], "live");

    let interrupt = ["-INT", &child.id().to_string()];
    assert!(std::process::Command::new("kill").args(interrupt).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let last = lines.map_while(Result::ok).last().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&last).unwrap()["error"]["code"], "interrupted");
    assert_eq!(machine.json(&["messages", BORIS]).as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_link_gets_the_phones_past_and_asks_for_more() {
    let world = World::new().await;
    world.anna.fill_history(wa_sim::HistoryPlan::new(2, 30, 1).giving(10)).unwrap();
    let machine = world.linked();
    machine.json(&["sync"]);
    let chats = machine.json(&["chats"]);
    assert_eq!(chats.as_array().unwrap().len(), 2, "{chats}");
    let chat = chats[0]["jid"].as_str().unwrap();
    let messages = machine.json(&["messages", chat, "--limit", "100"]);
    assert_eq!(messages.as_array().unwrap().len(), 10);
    let fetched = machine.json(&["history", "fetch", chat, "--count", "5"]);
    assert_eq!((&fetched["messages"], &fetched["older_on_phone"]), (&5.into(), &"yes".into()));

    let other = world.machine();
    let mut child =
        other.command(&["link", "--qr-format", "text", "--history", "none"]).spawn().unwrap();
    let mut code = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut code).unwrap();
    world.anna.scan_qr(code.trim()).unwrap();
    assert_eq!(crate::support::finish(child, stdout).code, Some(0));
    other.json(&["sync"]);
    assert_eq!(other.json(&["status"])["messages"], 0);
}
