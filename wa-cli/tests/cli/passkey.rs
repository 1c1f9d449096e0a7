//! Linking where WhatsApp demands a passkey: a person is told what to do, and what was signed comes
//! as a file or over standard input.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdout, Stdio},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::support::{ANNA, Machine, World, finish};

const WEB: &str = "https://web.whatsapp.com";

/// A link that has come to where the passkey is to sign.
struct Demand {
    child: Child,
    stdout: BufReader<ChildStdout>,
    event: Value,
}

impl Demand {
    fn new(world: &World, machine: &Machine, arguments: &[&str]) -> Self {
        world.anna.set_demands_passkey(true);
        let mut command = machine.command(&[&["link", "--json"], arguments].concat());
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut demand = Self { child, stdout, event: Value::Null };
        loop {
            demand.event = demand.next();
            match demand.event["event"].as_str().unwrap() {
                "qr" => {
                    let _ = world.anna.scan_qr(demand.event["code"].as_str().unwrap());
                }
                "pairing_code" => {
                    let code = demand.event["code"].as_str().unwrap();
                    world.anna.enter_code(code).unwrap();
                }
                event => {
                    assert_eq!(event, "passkey");
                    return demand;
                }
            }
        }
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// What is to be signed.
    fn options(&self) -> String {
        let request = self.event["request"].as_str().unwrap();
        String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(request).unwrap()).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_what_the_passkey_signed_links_and_a_wrong_one_is_named() {
    let world = World::new().await;
    let passkey = world.anna.create_passkey();
    let machine = world.machine();
    let file = machine.path("answer");
    // Left over from another attempt.
    std::fs::write(&file, "eyJ9").unwrap();
    let mut demand = Demand::new(&world, &machine, &["--passkey-answer", file.to_str().unwrap()]);
    let page = demand.event["page"].as_str().unwrap();
    assert!(page.starts_with("http://127.0.0.1:"), "{page}");
    assert_eq!(demand.event["check"].as_str().unwrap().len(), 7);
    let refused = demand.next();
    assert_eq!(refused["event"], "passkey_refused");
    assert!(refused["error"]["remedy"].as_str().unwrap().contains("whole answer"), "{refused}");

    let elsewhere = passkey.sign(&demand.options(), "https://evil.example").unwrap();
    std::fs::write(&file, elsewhere).unwrap();
    let refused = demand.next();
    assert!(refused["error"]["message"].as_str().unwrap().contains("another page"), "{refused}");

    std::fs::write(&file, passkey.sign(&demand.options(), WEB).unwrap()).unwrap();
    let run = finish(demand.child, demand.stdout);
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    assert_eq!(machine.json(&["status"])["phone"], format!("+{ANNA}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_pasted_in_lines_after_a_typed_code() {
    let world = World::new().await;
    let passkey = world.anna.create_passkey();
    let machine = world.machine();
    let number = format!("+{ANNA}");
    let mut demand = Demand::new(&world, &machine, &["--phone", &number, "--passkey-answer", "-"]);
    let signed = passkey.sign(&demand.options(), WEB).unwrap();
    let text = BASE64_URL_SAFE_NO_PAD.encode(signed);
    let mut stdin = demand.child.stdin.take().unwrap();
    for line in text.as_bytes().chunks(64) {
        stdin.write_all(line).unwrap();
        stdin.write_all(b"\n").unwrap();
    }
    // Ends also an answer whose last line is full.
    stdin.write_all(b"\n").unwrap();
    let run = finish(demand.child, demand.stdout);
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    assert_eq!(world.anna.devices().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_reads_in_plain_words_what_to_do_and_why_it_came_to_nothing() {
    let world = World::new().await;
    world.anna.set_demands_passkey(true);
    let machine = world.machine();
    let mut child =
        machine.command(&["link", "--qr-format", "text", "--timeout", "4"]).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut code = String::new();
    stdout.read_line(&mut code).unwrap();
    let _ = world.anna.scan_qr(code.trim());
    let run = finish(child, stdout);
    for said in [
        "WhatsApp asks for the passkey of this account",
        "http://127.0.0.1:",
        "wa-cli generate passkey-helper",
        "check code",
        "Give the answer to nobody else",
        "the passkey did not sign within 4 seconds",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    assert_ne!(run.code, Some(0));
    assert_eq!(world.anna.devices().len(), 1);

    let helper = machine.run(&["generate", "passkey-helper"]);
    assert!(helper.stdout.contains("navigator.credentials.get"), "{}", helper.stdout);
}
