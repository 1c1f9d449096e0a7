//! What happens to the files of an account: damage, loss, and a key that a passphrase opens.

use std::fs;

use crate::{
    bad_input::fails,
    support::{Machine, Run, World},
};

/// Runs `doctor`, and gives what it found of these things.
fn examined(machine: &Machine) -> Run {
    machine.run(&["doctor"])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_nothing_wrong_and_then_the_damage_in_the_middle() {
    let world = World::new().await;
    let machine = world.linked();
    let run = examined(&machine);
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("every page is as it was written"), "{}", run.stdout);
    assert!(run.stdout.contains("this device is linked"), "{}", run.stdout);

    let database = machine.data().join("wa.db");
    let mut bytes = fs::read(&database).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&database, bytes).unwrap();
    let run = examined(&machine);
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("the archive is damaged in"), "{}", run.stdout);
    assert!(run.stdout.contains("backup"), "the remedy is told: {}", run.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_each_thing_that_is_wrong_and_leaves_an_account_in_use_alone() {
    let world = World::new().await;
    let machine = world.machine();
    let run = examined(&machine);
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.contains("run: wa-cli link"), "{}", run.stdout);
    machine.link(&world.anna);
    machine.policy("read_only = \"perhaps\"");
    let run = machine.run(&["doctor", "--json"]);
    assert_eq!(run.code, Some(1));
    let first: serde_json::Value =
        serde_json::from_str(run.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(first["data"]["healthy"], false);
    let checks = first["data"]["checks"].as_array().unwrap();
    let verdict =
        |what: &str| checks.iter().find(|check| check["what"] == what).unwrap()["verdict"].clone();
    assert_eq!(verdict("policy"), "bad");
    assert_eq!(verdict("archive"), "good");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_was_emptied_is_an_error_and_never_a_new_account() {
    let world = World::new().await;
    let machine = world.linked();
    let database = machine.data().join("wa.db");
    fs::write(&database, "").unwrap();
    for command in [&["link", "--qr-format", "text"][..], &["status"], &["doctor"]] {
        let run = machine.run(command);
        assert_eq!(run.code, Some(1), "{command:?}: {}{}", run.stdout, run.stderr);
        let said = run.stdout + &run.stderr;
        assert!(said.contains("it was emptied or written over"), "{command:?}: {said}");
    }
    assert_eq!(fs::metadata(&database).unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_sealed_opens_the_account_with_its_passphrase_alone() {
    let world = World::new().await;
    let machine = world.linked();
    let write = |name: &str, text: &str| {
        let path = machine.path(name);
        fs::write(&path, text).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        path.display().to_string()
    };
    let (right, wrong) = (write("right", "correct horse\n"), write("wrong", "wrong horse\n"));
    let sealed = machine.json(&["key", "passphrase", "--new-passphrase-file", &right]);
    assert!(sealed["key"].as_str().unwrap().contains("sealed with a passphrase"), "{sealed}");
    assert!(!machine.config().join("wa/default.key").exists());

    let status = machine.json(&["status", "--passphrase-file", &right]);
    assert_eq!(status["profile"], "default");
    let refused = machine.run(&["status", "--passphrase-file", &wrong]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("this passphrase does not open"), "{}", refused.stderr);
    fails(&machine, &["key", "file", "--passphrase-file", &wrong], 1, "failed");

    machine.json(&["key", "file", "--passphrase-file", &right]);
    assert_eq!(machine.json(&["status"])["profile"], "default");
}
