//! A WhatsApp in the test's process, and an account on it that bridges share.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::UnixStream,
    time::{Instant, sleep},
};
use wa_bridge::{
    Bridge, BridgeOptions, Caller, Cause, Clients, Endpoint, Failure, Profile,
    api::{ContactList, Link, LinkState, Outgoing, SendMessage, SentView},
};
use wa_sim::{LinkedDevice, Phone, PhoneMessage, Serving, Sim, SimConfig};

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const ANNA: &str = "447700900101";
pub(crate) const BEN: &str = "447700900102";
pub(crate) const MALLORY: &str = "447700900103";

/// A WhatsApp, with Ada whose account it is, Anna and Ben in her address book, and Mallory who is
/// not. Ada has written to Anna before.
pub(crate) struct World {
    pub(crate) sim: Sim,
    pub(crate) serving: Serving,
    pub(crate) ada: Phone,
    pub(crate) anna: Phone,
    pub(crate) ben: Phone,
    pub(crate) mallory: Phone,
    folder: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let sim = Sim::new(SimConfig::seeded(1).starting_at(now));
        let serving = sim.serve((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let ada = sim.add_account("447700900100", "Ada").unwrap();
        let anna = sim.add_account(ANNA, "Anna").unwrap();
        let ben = sim.add_account(BEN, "Ben").unwrap();
        let mallory = sim.add_account(MALLORY, "Mallory").unwrap();
        ada.set_contact(&anna.jid(), Some("Anna Berg"));
        ada.set_contact(&ben.jid(), Some("Ben Okafor"));
        let folder = tempfile::tempdir().unwrap();
        let world = Self { sim, serving, ada, anna, ben, mallory, folder };
        world.write_key();
        world
    }

    /// The same with the account linked and everything received: Ada's message to Anna, and what
    /// Anna, Ben and Mallory wrote. Nobody owns the account.
    pub(crate) async fn linked() -> Self {
        let world = Self::new().await;
        let bridge = world.open(Caller::person("setup")).await;
        world.link(&bridge).await;
        world.ada.send_text(&world.anna.jid(), "the first word").unwrap();
        for (phone, text) in [
            (&world.anna, "tomatoes from Anna"),
            (&world.ben, "tomatoes from Ben"),
            (&world.mallory, "tomatoes from Mallory"),
        ] {
            phone.send_text(&world.ada.jid(), text).unwrap();
        }
        until("everything received", async || {
            let people = bridge.call(ContactList::default()).await.unwrap();
            let named = people.iter().filter(|person| person.full_name.is_some()).count();
            (named >= 2 && last(&bridge).await >= 4).then_some(())
        })
        .await;
        bridge.close().await.unwrap();
        world
    }

    /// Options for this account, as the caller, connected at once.
    pub(crate) fn options(&self, caller: Caller) -> BridgeOptions {
        let endpoint = Endpoint::at(
            self.serving.ws_url.as_str(),
            self.serving.noise_root,
            self.serving.media_ca.as_str(),
        );
        options(self.folder.path(), endpoint, caller)
    }

    pub(crate) async fn open(&self, caller: Caller) -> Bridge {
        Bridge::open(self.options(caller)).await.unwrap()
    }

    pub(crate) async fn person(&self) -> Bridge {
        self.open(Caller::person("terminal")).await
    }

    pub(crate) async fn assistant(&self) -> Bridge {
        self.open(Caller::assistant("robot")).await
    }

    /// Another assistant, that was let in under a name of its own.
    pub(crate) async fn client(&self, name: &str) -> Bridge {
        self.let_in(name);
        self.open(Caller::client(name.parse().unwrap())).await
    }

    /// A person's bridge that owns the account and listens over TCP, and where.
    pub(crate) async fn listening(&self) -> (Bridge, SocketAddr) {
        let mut options = self.options(Caller::person("server"));
        options.health = Some("127.0.0.1:0".parse().unwrap());
        let bridge = Bridge::open(options).await.unwrap();
        let address = bridge.health_address().await.unwrap();
        (bridge, address)
    }

    /// The token for what is behind one there.
    pub(crate) fn http_token(&self) -> String {
        let token = fs::read_to_string(self.path("config/wa/default.http-token")).unwrap();
        token.trim().to_owned()
    }

    /// A header with the person's own token, which the owner of the account has made.
    pub(crate) fn persons_header(&self) -> String {
        let token = fs::read_to_string(self.path("account/person-token")).unwrap();
        format!("authorization: Bearer {}\r\n", token.trim())
    }

    /// The assistants that are let in.
    pub(crate) fn clients(&self) -> Clients {
        let options = self.options(Caller::person("setup"));
        let profile =
            Profile::locate(&options.profile, options.store.as_deref(), &options.environment);
        Clients::of(&profile.unwrap())
    }

    /// Lets an assistant in; a header with its token.
    pub(crate) fn let_in(&self, name: &str) -> String {
        let file = self.clients().register(&name.parse().unwrap()).unwrap();
        let token = fs::read_to_string(file).unwrap();
        format!("authorization: Bearer {}\r\n", token.trim())
    }

    /// What may be done with the account from now on.
    pub(crate) fn set_policy(&self, toml: &str) {
        let path = self.path("config/wa/policy.toml");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, toml).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("account/wa.sock")
    }

    /// The linked device of the account, by its JID.
    pub(crate) fn device(&self) -> wa_proto::Jid {
        self.linked_device().jid
    }

    /// The number of the linked device.
    pub(crate) fn device_id(&self) -> u16 {
        self.linked_device().id
    }

    fn linked_device(&self) -> LinkedDevice {
        self.ada.devices().into_iter().find(|device| device.id != 0).unwrap()
    }

    pub(crate) async fn link(&self, bridge: &Bridge) {
        let mut after = None;
        loop {
            let view = bridge.call(Link { after, ..Link::default() }).await.unwrap();
            match view.state {
                LinkState::Scan { code, .. } if after.is_none() => {
                    self.ada.scan_qr(&code).unwrap();
                }
                LinkState::Linked { .. } => return,
                _ => {}
            }
            after = Some(view.revision);
        }
    }

    fn write_key(&self) {
        use std::io::Write;
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(self.path("key")).unwrap();
        writeln!(file, "{}", "5a".repeat(32)).unwrap();
    }

    /// A request over the socket, with these headers; the status and the answer.
    pub(crate) async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> (u16, String) {
        let stream = UnixStream::connect(self.socket()).await.unwrap();
        exchange(stream, method, path, headers, body).await
    }

    /// A call over the socket by a person; the status and the object of the answer.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let body = serde_json::to_vec(body).unwrap();
        let headers = self.persons_header();
        let (status, answer) = self.request("POST", &format!("/v1/{path}"), &headers, &body).await;
        (status, serde_json::from_str(&answer).unwrap())
    }
}

/// Options for the account in a folder.
pub(crate) fn options(folder: &Path, endpoint: Endpoint, caller: Caller) -> BridgeOptions {
    let mut options = BridgeOptions::new("default".parse().unwrap(), caller).unwrap();
    options.store = Some(folder.join("account"));
    options.key_file = Some(folder.join("key"));
    options.environment.config_home = Some(folder.join("config"));
    options.environment.state_directory = None;
    options.environment.credentials_directory = None;
    options.endpoint = endpoint;
    options.create = true;
    options.stay_connected = true;
    options
}

/// One request and its answer, over a stream of its own.
pub(crate) async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    method: &str,
    path: &str,
    headers: &str,
    body: &[u8],
) -> (u16, String) {
    let host = if headers.to_lowercase().contains("host:") { "" } else { "host: localhost\r\n" };
    let head = format!(
        "{method} {path} HTTP/1.1\r\n{host}connection: close\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // A body that is too large is refused before it is read to its end.
    let _ = stream.write_all(body).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    let _ = read.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.unwrap_or_else(|| panic!("no answer to {method} {path}: {answer:?}")), body.to_owned())
}

/// Looks again and again, for as long as patience lasts.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come about");
        sleep(Duration::from_millis(10)).await;
    }
}

/// The number of the last message in the archive.
pub(crate) async fn last(bridge: &Bridge) -> u64 {
    bridge.call(wa_bridge::api::LastMessage::default()).await.unwrap()
}

/// A text for a chat.
pub(crate) fn text(chat: &str, text: &str) -> SendMessage {
    SendMessage {
        chat: chat.into(),
        what: Outgoing::Text { text: text.into() },
        reply_to: None,
        mention: Vec::new(),
        idempotency_key: None,
        wait: None,
    }
}

pub(crate) async fn send(bridge: &Bridge, chat: &str, says: &str) -> Result<SentView, Failure> {
    bridge.call(text(chat, says)).await
}

/// The cause of what must fail.
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, Failure>, cause: Cause) -> Failure {
    let failure = result.unwrap_err();
    assert_eq!(failure.cause, cause, "{failure}");
    failure
}

/// How often a phone has shown this text.
pub(crate) fn shown(phone: &Phone, says: &str) -> usize {
    phone.messages().iter().filter(|message| is_text(message, says)).count()
}

/// Waits until a phone shows this text.
pub(crate) async fn arrives(phone: &Phone, says: &str) {
    let found = phone.wait_for_message(|message| is_text(message, says), PATIENCE).await;
    assert!(found.is_some(), "{says:?} did not arrive");
}

fn is_text(message: &PhoneMessage, says: &str) -> bool {
    message.text.as_deref() == Some(says)
}
