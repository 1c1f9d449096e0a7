//! A WhatsApp in the test's process, and machines on which the binary runs.

use std::{
    io::{BufRead, BufReader, Read},
    net::Ipv4Addr,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;
use wa_sim::{Phone, Serving, Sim, SimConfig};

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A policy that holds nobody up.
pub(crate) const PACE: &str = "\
[pace]
between_ms = 0
per_hour = 10000
strangers_between_ms = 0
strangers_per_hour = 10000
";

/// A WhatsApp, with Anna and Boris on their phones.
pub(crate) struct World {
    pub(crate) sim: Sim,
    pub(crate) serving: Serving,
    pub(crate) anna: Phone,
    pub(crate) boris: Phone,
}

pub(crate) const ANNA: &str = "447700900101";
pub(crate) const BORIS: &str = "447700900102";

impl World {
    /// Needs a runtime of several threads: the binary is waited for on the test's own.
    pub(crate) async fn new() -> Self {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        // A second that has not begun yet: what the phones say comes after what was said before.
        let sim = Sim::new(SimConfig::seeded(1).starting_at(now + 1));
        let serving = sim.serve((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let anna = sim.add_account(ANNA, "Anna").unwrap();
        let boris = sim.add_account(BORIS, "Boris").unwrap();
        Self { sim, serving, anna, boris }
    }

    /// A machine that is not linked yet.
    pub(crate) fn machine(&self) -> Machine {
        let root = self.serving.noise_root.as_bytes().map(|byte| format!("{byte:02x}")).concat();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("media-ca.pem"), &self.serving.media_ca).unwrap();
        let machine = Machine { folder, server: self.serving.ws_url.clone(), noise_root: root };
        // Tests write to people who never wrote before, one message after the other.
        machine.policy(PACE);
        machine
    }

    /// A machine that is linked to Anna's phone.
    pub(crate) fn linked(&self) -> Machine {
        let machine = self.machine();
        machine.link(&self.anna);
        machine
    }
}

/// Folders of its own, and the server it is pointed at.
pub(crate) struct Machine {
    folder: TempDir,
    pub(crate) server: String,
    pub(crate) noise_root: String,
}

/// How a run ended.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Machine {
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wa-cli"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("XDG_CONFIG_HOME", self.config())
            .env("XDG_DATA_HOME", self.folder.path().join("data"))
            .env("WA_SERVER_URL", &self.server)
            .env("WA_NOISE_ROOT", &self.noise_root)
            .env("WA_MEDIA_CA", self.path("media-ca.pem"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs with `--json`, and gives the data of what must succeed.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let run = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(run.code, Some(0), "{arguments:?}: {}{}", run.stdout, run.stderr);
        assert_eq!(run.stderr, "", "{arguments:?}");
        let mut envelope: Value = serde_json::from_str(run.stdout.trim()).unwrap();
        assert_eq!(envelope["ok"], true);
        envelope["data"].take()
    }

    /// Writes the policy that holds from the next owner of the account on.
    pub(crate) fn policy(&self, text: &str) {
        let folder = self.config().join("wa");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("policy.toml");
        std::fs::write(&file, text).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(
            &file,
            <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o600),
        )
        .unwrap();
    }

    /// A place in the folder in which everything runs.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data/wa/default")
    }

    /// Links by the text of the first code.
    pub(crate) fn link(&self, phone: &Phone) {
        let mut child = self.command(&["link", "--qr-format", "text"]).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut code = String::new();
        stdout.read_line(&mut code).unwrap();
        phone.scan_qr(code.trim()).unwrap();
        let run = finish(child, stdout);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert!(run.stdout.contains("linked as +"), "{}", run.stdout);
    }
}

/// Reads what is left, and waits for the end.
pub(crate) fn finish(child: Child, mut stdout: impl Read) -> Run {
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    let mut run = Run::from(child.wait_with_output().unwrap());
    run.stdout = rest;
    run
}

/// Looks again and again, for as long as patience lasts.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(30));
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
