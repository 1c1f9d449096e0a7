//! Every way to go wrong: one line on stderr, an exit code, and with `--json` an error object.

use std::fs::File;

use serde_json::Value;

use crate::support::{BORIS, Machine, World};

/// Runs twice, for people and for scripts, and gives the error object.
#[track_caller]
pub(crate) fn fails(machine: &Machine, arguments: &[&str], exit_code: i32, code: &str) -> Value {
    let plain = machine.run(arguments);
    assert_eq!(plain.code, Some(exit_code), "{}", plain.stderr);
    assert_eq!(plain.stdout, "");
    assert_one_line(&plain.stderr);

    let scripted = machine.run(&[arguments, &["--json"]].concat());
    assert_eq!(scripted.code, Some(exit_code), "{}", scripted.stderr);
    assert_one_line(&scripted.stderr);
    let mut envelope: Value = serde_json::from_str(scripted.stdout.trim()).unwrap();
    assert_eq!(envelope["ok"], false);
    assert_eq!(envelope["error"]["code"], code);
    assert_eq!(envelope["error"]["exit_code"], exit_code);
    let message = envelope["error"]["message"].as_str().unwrap();
    assert!(scripted.stderr.contains(message), "{message:?}");
    envelope["error"].take()
}

#[track_caller]
fn assert_one_line(stderr: &str) {
    assert!(stderr.starts_with("wa-cli: ") && stderr.ends_with('\n'), "{stderr:?}");
    assert_eq!(stderr.lines().count(), 1, "{stderr:?}");
}

#[track_caller]
fn assert_helps(error: &Value, part: &str) {
    let remedy = error["remedy"].as_str().unwrap_or_default();
    assert!(remedy.contains(part), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_works_before_a_device_is_linked() {
    let world = World::new().await;
    let machine = world.machine();
    let commands: [&[&str]; 7] = [
        &["send", BORIS, "hi"],
        &["chats"],
        &["chats", "--sync"],
        &["messages", BORIS],
        &["search", "hi"],
        &["status"],
        &["logout", "--yes"],
    ];
    for command in commands {
        assert_helps(&fails(&machine, command, 4, "not_linked"), "wa-cli link");
    }
    assert!(!machine.data().exists(), "asking leaves nothing behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_people_and_wrong_texts_are_told_before_anything_is_sent() {
    let world = World::new().await;
    let machine = world.linked();
    for number in ["07700 900123", "+44", "44 7700 900123 44 7700", "1@2@3"] {
        fails(&machine, &["send", number, "hi"], 2, "usage");
    }
    fails(&machine, &["send", "Nobody", "hi"], 1, "not_found");
    fails(&machine, &["messages", "Nobody"], 1, "not_found");
    fails(&machine, &["messages", "+44 7700 900999"], 1, "not_found");
    let long = "x".repeat(65_537);
    let error = fails(&machine, &["send", BORIS, &long], 2, "usage");
    assert!(error["message"].as_str().unwrap().contains("65536"), "{error}");
    fails(&machine, &["send", BORIS, " "], 2, "usage");
    fails(&machine, &["send", BORIS, "hi", "--reply-to", "3EB0FFFF"], 1, "not_found");
    fails(&machine, &["messages", BORIS, "--after", "tomorrow-ish"], 1, "not_found");
    fails(&machine, &["search", "hi", "--cursor", "x"], 2, "usage");
    fails(&machine, &["chats", "--profile", "a/b"], 2, "usage");
    assert_eq!(machine.json(&["status"])["outbox_pending"], 0);
    assert!(world.boris.messages().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_without_an_account_is_told() {
    let world = World::new().await;
    let machine = world.linked();
    let error = fails(&machine, &["send", "+44 7700 900999", "hi"], 1, "failed");
    assert!(error["message"].as_str().unwrap().contains("not on WhatsApp"), "{error}");
    assert_eq!(machine.json(&["status"])["outbox_pending"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_line_that_makes_no_sense_is_an_object_too() {
    let world = World::new().await;
    let machine = world.machine();
    let run = machine.run(&["send", "--json"]);
    assert_eq!(run.code, Some(2));
    let envelope: Value = serde_json::from_str(run.stdout.trim()).unwrap();
    assert_eq!(envelope["error"]["code"], "usage");
    assert_eq!(machine.run(&["frobnicate"]).code, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_scans_the_code() {
    let world = World::new().await;
    let machine = world.machine();
    let run = machine.run(&["link", "--timeout", "1", "--qr-format", "text", "--json"]);
    assert_eq!(run.code, Some(5), "{}", run.stdout);
    assert_one_line(&run.stderr);
    let last: Value = serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["error"]["code"], "timed_out");
    assert_helps(&last["error"], "wa-cli link");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_the_phone_has_ended_is_told() {
    let world = World::new().await;
    let machine = world.linked();
    world.anna.unlink(1).unwrap();
    let run = machine.run(&["send", BORIS, "hi", "--json"]);
    assert_eq!(run.code, Some(4), "{}{}", run.stdout, run.stderr);
    assert_one_line(&run.stderr);
    assert_helps(&fails(&machine, &["status"], 4, "not_linked"), "wa-cli link");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_leaves_the_message_queued() {
    let world = World::new().await;
    let mut machine = world.linked();
    let there = std::mem::replace(&mut machine.server, "ws://127.0.0.1:1/ws/chat".into());
    fails(&machine, &["status", "--online", "--timeout", "1"], 5, "offline");
    let error = fails(&machine, &["send", BORIS, "later", "--timeout", "1"], 5, "queued");
    assert!(error["message_id"].is_string(), "{error}");
    // `fails` ran twice.
    assert_eq!(machine.json(&["status"])["outbox_pending"], 2);
    machine.server = there;
    machine.json(&["chats", "--sync"]);
    assert_eq!(machine.json(&["status"])["outbox_pending"], 0);
    assert_eq!(world.boris.messages().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_a_stranger_ends_it_at_once() {
    let world = World::new().await;
    let mut machine = world.linked();
    machine.noise_root = "09".repeat(32);
    let error = fails(&machine, &["status", "--online"], 1, "failed");
    assert!(error["message"].as_str().unwrap().contains("certificate"), "{error}");
    machine.noise_root = "09".into();
    fails(&machine, &["status", "--online"], 2, "usage");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_its_key_or_with_another_stays_closed() {
    let world = World::new().await;
    let machine = world.linked();
    let key = machine.config().join("wa/default.key");
    let other = machine.config().join("other.key");
    std::fs::write(&other, "42".repeat(32)).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(
        &other,
        <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o600),
    )
    .unwrap();
    let other = other.to_str().unwrap();
    assert_helps(&fails(&machine, &["chats", "--key-file", other], 1, "failed"), "--key-file");
    std::fs::remove_file(&key).unwrap();
    let error = fails(&machine, &["chats"], 1, "failed");
    assert!(error["message"].as_str().unwrap().contains("default.key"), "{error}");
    assert!(!key.exists(), "no new key is made for an old database");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_whose_owner_does_not_listen_is_left_alone() {
    let world = World::new().await;
    let machine = world.linked();
    let lock = File::options().write(true).open(machine.data().join("lock")).unwrap();
    lock.lock().unwrap();
    let run = machine.run(&["send", BORIS, "hi", "--json"]);
    assert_eq!(run.code, Some(6), "{}{}", run.stdout, run.stderr);
    assert_one_line(&run.stderr);
    let envelope: Value = serde_json::from_str(run.stdout.trim()).unwrap();
    assert_eq!(envelope["error"]["code"], "locked");
    drop(lock);
    assert_eq!(machine.json(&["status"])["outbox_pending"], 0);
}
