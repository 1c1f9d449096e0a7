//! A client of a few lines: one request after the other, answers by their ids.

use std::{
    io::{BufRead, BufReader, Write},
    net::Ipv4Addr,
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use wa_sim::{Phone, Serving, Sim, SimConfig};

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const ADA: &str = "447700900100";

/// A WhatsApp, with Ada on her phone.
pub(crate) struct World {
    pub(crate) sim: Sim,
    pub(crate) serving: Serving,
    pub(crate) ada: Phone,
}

impl World {
    /// Needs a runtime of several threads: the binary is waited for on the test's own.
    pub(crate) async fn new() -> Self {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let sim = Sim::new(SimConfig::seeded(1).starting_at(now));
        let serving = sim.serve((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let ada = sim.add_account(ADA, "Ada").unwrap();
        Self { sim, serving, ada }
    }

    /// A machine with this policy.
    pub(crate) fn machine(&self, policy: &str) -> Machine {
        let machine = Machine::new(policy);
        std::fs::write(machine.path("media-ca.pem"), &self.serving.media_ca).unwrap();
        let root = self.serving.noise_root.as_bytes().map(|byte| format!("{byte:02x}")).concat();
        Machine { server: Some((self.serving.ws_url.clone(), root)), ..machine }
    }
}

/// Folders of its own, and the server it is pointed at.
pub(crate) struct Machine {
    folder: TempDir,
    server: Option<(String, String)>,
}

impl Machine {
    /// A machine without a network.
    pub(crate) fn new(policy: &str) -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap(), server: None };
        std::fs::create_dir_all(machine.path("config/wa")).unwrap();
        // As the system makes it for each user.
        let mut private = std::fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut private, 0o700);
        private.create(machine.path("run")).unwrap();
        std::fs::write(machine.path("config/wa/policy.toml"), policy).unwrap();
        machine
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Client {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wa-mcp"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_DATA_HOME", self.path("data"))
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if let Some((url, root)) = &self.server {
            command.env("WA_SERVER_URL", url).env("WA_NOISE_ROOT", root);
            command.env("WA_MEDIA_CA", self.path("media-ca.pem"));
        } else {
            // A port of this machine on which nobody listens.
            command.env("WA_SERVER_URL", "ws://127.0.0.1:9/");
        }
        Client::new(command.spawn().unwrap())
    }
}

/// A server that was started, and what it answers.
pub(crate) struct Client {
    child: Child,
    stdin: ChildStdin,
    answers: Receiver<Value>,
    next: u64,
    /// Every line it wrote.
    pub(crate) heard: Vec<String>,
}

impl Client {
    fn new(mut child: Child) -> Self {
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (told, answers) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                // Standard output carries the protocol and nothing else.
                let message: Value = serde_json::from_str(&line.unwrap()).unwrap();
                if told.send(message).is_err() {
                    return;
                }
            }
        });
        let mut client = Self { child, stdin, answers, next: 0, heard: Vec::new() };
        let about = json!({ "name": "test", "version": "1" });
        let hello =
            json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": about });
        assert_eq!(client.request("initialize", hello)["protocolVersion"], "2025-11-25");
        client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        client
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.stdin, "{message}").unwrap();
    }

    /// The answer to a request: its result, or its error.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.next += 1;
        let id = self.next;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let mut message = self.answers.recv_timeout(PATIENCE).unwrap();
            self.heard.push(message.to_string());
            if message["id"] == id {
                return match message.get_mut("result") {
                    Some(result) => Ok(result.take()),
                    None => Err(message["error"].take()),
                };
            }
        }
    }

    pub(crate) fn request(&mut self, method: &str, params: Value) -> Value {
        self.ask(method, params).unwrap()
    }

    /// A tool's structured answer and its text; it must not refuse.
    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> (Value, String) {
        let mut result =
            self.request("tools/call", json!({ "name": tool, "arguments": arguments }));
        let text = result["content"][0]["text"].as_str().unwrap().to_owned();
        assert_eq!(result["isError"], false, "{tool}: {text}");
        (result["structuredContent"].take(), text)
    }

    /// What a tool says that refuses.
    pub(crate) fn refusal(&mut self, tool: &str, arguments: Value) -> String {
        let shown = arguments.to_string();
        let result = self.request("tools/call", json!({ "name": tool, "arguments": arguments }));
        let text = result["content"][0]["text"].as_str().unwrap().to_owned();
        assert_eq!(result["isError"], true, "{tool} did not refuse {shown}: {text}");
        assert!(text.contains("What to do:"), "{tool}: {text}");
        text
    }

    /// Links the device by a code that is typed into the phone.
    pub(crate) fn link(&mut self, phone: &Phone) {
        let (answer, _) = self.call("link_device", json!({ "phone": format!("+{ADA}") }));
        phone.enter_code(answer["code"].as_str().unwrap()).unwrap();
        let mut revision = answer["revision"].clone();
        for _ in 0..10 {
            let (answer, _) =
                self.call("link_device", json!({ "phone": format!("+{ADA}"), "after": revision }));
            if answer["linked"] == true {
                return;
            }
            revision = answer["revision"].clone();
        }
        panic!("the device was not linked");
    }

    /// Calls a tool until its answer is as it should be.
    pub(crate) fn until(
        &mut self,
        tool: &str,
        arguments: &Value,
        wanted: impl Fn(&Value) -> bool,
    ) -> (Value, String) {
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let call = json!({ "name": tool, "arguments": arguments });
            let mut result = self.request("tools/call", call);
            let text = result["content"][0]["text"].as_str().unwrap().to_owned();
            let answer = result["structuredContent"].take();
            if result["isError"] == false && wanted(&answer) {
                return (answer, text);
            }
            assert!(std::time::Instant::now() < deadline, "{tool}: {text}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
