//! Several processes and one account: one of them owns it, the others go through it, and when it
//! ends another takes over.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command},
    sync::mpsc::{Receiver, channel},
};

use serde_json::Value;

use crate::{
    bad_input::fails,
    support::{BORIS, Machine, PATIENCE, World, until},
};

/// A process that runs on and tells what happens, one object a line.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    pub(crate) fn start(machine: &Machine, arguments: &[&str]) -> Self {
        let mut child = machine.command(&[arguments, &["--json"]].concat()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (teller, lines) = channel();
        std::thread::spawn(move || {
            // It ends with the process, or when nobody listens any more.
            stdout.lines().map_while(Result::ok).try_for_each(|line| teller.send(line))
        });
        Self { child, lines }
    }

    /// One that owns the account, once it does.
    pub(crate) fn serving(machine: &Machine) -> Self {
        let serving = Self::start(machine, &["serve"]);
        serving.told("serving");
        serving
    }

    /// The next object of this name.
    fn told(&self, event: &str) -> Value {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|error| panic!("no {event}: {error}"));
            let object: Value = serde_json::from_str(&line).unwrap();
            if object["event"] == event {
                return object;
            }
        }
    }

    /// Sends it a signal; how it ended.
    pub(crate) fn end(mut self, signal: &str) -> Option<i32> {
        let signal = [signal, &self.child.id().to_string()];
        assert!(Command::new("kill").args(signal).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    /// A test that fails leaves nobody behind.
    fn drop(&mut self) {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        drop(killed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_goes_through_the_one_that_serves() {
    let world = World::new().await;
    let machine = world.linked();
    let serving = Running::start(&machine, &["serve"]);
    let socket = machine.data().join("wa.sock");
    assert_eq!(serving.told("serving")["socket"], socket.to_str().unwrap());
    #[cfg(unix)]
    {
        use std::os::unix::fs::{FileTypeExt, PermissionsExt};
        let metadata = |path: &std::path::Path| std::fs::metadata(path).unwrap();
        assert!(metadata(&socket).file_type().is_socket());
        assert_eq!(metadata(&socket).permissions().mode() & 0o777, 0o600);
        let folder = socket.parent().unwrap();
        assert_eq!(metadata(folder).permissions().mode() & 0o777, 0o700);
    }
    // It connects by itself, and takes in what others write meanwhile.
    world.boris.send_text(&world.anna.jid(), "hello").unwrap();
    until("the message in the archive", || {
        (machine.json(&["status"])["messages"] == 1).then_some(())
    });
    assert_eq!(machine.json(&["status"])["connected"], true);
    assert_eq!(machine.json(&["messages", BORIS])[0]["text"], "hello");
    let sent = machine.json(&["send", BORIS, "through the socket"]);
    assert_eq!(sent["status"], "sent");
    let id = sent["id"].as_str().unwrap().to_owned();
    assert!(world.boris.wait_for_message(|message| message.id == id, PATIENCE).await.is_some());
    let group = machine.json(&["groups", "create", "Book club", &format!("+{BORIS}")]);
    let info = machine.json(&["groups", "info", "Book club"]);
    assert_eq!((&info["jid"], info["size"].as_u64()), (&group["jid"], Some(2)));
    assert_eq!(machine.json(&["search", "socket"])["hits"][0]["id"], id.as_str());
    // A path is the caller's, whatever folder the owner runs in.
    std::fs::write(machine.path("notes.pdf"), "%PDF-1.7 or so").unwrap();
    machine.json(&["send", BORIS, "--file", "notes.pdf"]);

    let second = fails(&machine, &["serve"], 6, "locked");
    assert!(second["message"].as_str().unwrap().contains("already"), "{second}");
    assert_eq!(serving.end("-TERM"), Some(0));
    assert!(!socket.exists(), "nothing is left of it");
    assert_eq!(machine.json(&["status"])["connected"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_meanwhile_goes_through_the_one_that_follows() {
    let world = World::new().await;
    let machine = world.linked();
    let following = Running::start(&machine, &["sync", "--follow"]);
    following.told("drained");
    let sent = machine.json(&["send", BORIS, "beside it"]);
    let told = following.told("message");
    assert_eq!(
        (&told["message"]["id"], &told["message"]["text"]),
        (&sent["id"], &"beside it".into())
    );
    assert_eq!(following.end("-INT"), Some(130));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_command_takes_over_from_an_owner_that_was_killed() {
    let world = World::new().await;
    let machine = world.linked();
    let serving = Running::serving(&machine);
    machine.json(&["send", BORIS, "before"]);
    assert_eq!(serving.end("-KILL"), None);
    assert!(machine.data().join("wa.sock").exists(), "it could not tidy up");
    machine.json(&["send", BORIS, "after"]);
    // Which of the two comes first is a matter of clocks: the server's runs a second ahead here.
    let messages = machine.json(&["messages", BORIS]);
    let texts =
        messages.as_array().unwrap().iter().map(|message| message["text"].as_str().unwrap());
    assert_eq!(texts.collect::<std::collections::BTreeSet<_>>(), ["after", "before"].into());
    assert_eq!(messages.as_array().unwrap().len(), 2);
    let received = world.boris.messages();
    assert_eq!(received.len(), 2, "{received:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn following_goes_on_when_the_owner_is_killed() {
    let world = World::new().await;
    let machine = world.linked();
    let serving = Running::serving(&machine);
    let following = Running::start(&machine, &["sync", "--follow"]);
    following.told("following");
    let sent = machine.json(&["send", BORIS, "where is everybody?"]);
    assert_eq!(following.told("message")["message"]["id"], sent["id"]);
    world.boris.send_text(&world.anna.jid(), "one").unwrap();
    assert_eq!(following.told("message")["message"]["text"], "one");
    assert_eq!(serving.end("-KILL"), None);
    world.boris.send_text(&world.anna.jid(), "two").unwrap();
    assert_eq!(
        following.told("message")["message"]["text"],
        "two",
        "each once, by whoever owns it"
    );
    assert_eq!(machine.json(&["messages", BORIS]).as_array().unwrap().len(), 3);
    assert_eq!(following.end("-INT"), Some(130));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_another_process_uses_is_not_deleted() {
    let world = World::new().await;
    let machine = world.linked();
    let serving = Running::serving(&machine);
    let run = machine.run(&["logout", "--yes", "--delete-archive", "--json"]);
    assert_eq!(run.code, Some(6), "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("stop that process"), "{}", run.stderr);
    assert!(machine.data().join("wa.db").exists());
    assert_eq!(world.anna.devices().len(), 1, "the device is unlinked all the same");
    assert_eq!(serving.end("-TERM"), Some(0));
    machine.json(&["logout", "--yes", "--delete-archive"]);
    assert!(!machine.data().join("wa.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_linked_through_the_one_that_serves() {
    let world = World::new().await;
    let machine = world.linked();
    let serving = Running::serving(&machine);
    machine.json(&["logout", "--yes"]);
    machine.link(&world.anna);
    assert_eq!(machine.json(&["send", BORIS, "linked anew"])["status"], "sent");
    assert_eq!(serving.end("-TERM"), Some(0));
}
