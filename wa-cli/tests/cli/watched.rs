//! `serve --http`: whoever watches the process asks it over TCP.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::Child,
};

use serde_json::Value;

use crate::support::{Machine, World, until};

struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn start(machine: &Machine, arguments: &[&str]) -> Self {
        let arguments = [&["serve", "--json"], arguments].concat();
        let mut child = machine.command(&arguments).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let serving: Value = serde_json::from_str(&line).unwrap();
        let address = serving["http"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
        Self { child, address }
    }

    /// The status and the answer.
    fn get(&self, path: &str, token: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let host = &self.address;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().to_owned(), body.to_owned())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_serving_process_tells_over_http_how_it_is() {
    let world = World::new().await;
    let machine = world.linked();
    let serving = Serving::start(&machine, &["--http", "127.0.0.1:0"]);
    assert_eq!(serving.get("/healthz", "").0, "200");
    until("ready", || (serving.get("/readyz", "").0 == "200").then_some(()));
    assert_eq!(serving.get("/metrics", "guessed").0, "401");
    let token = machine.config().join("wa/default.http-token");
    let token = std::fs::read_to_string(token).unwrap();
    let (status, metrics) = serving.get("/metrics", token.trim());
    assert!(status == "200" && metrics.contains("\nwa_connected 1\n"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_address_of_this_machine_is_taken() {
    let world = World::new().await;
    let machine = world.linked();
    let run = machine.run(&["serve", "--http", "0.0.0.0:0"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("this machine"), "{}", run.stderr);
    let run = machine.run(&["serve", "--token-file", "token"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
}
