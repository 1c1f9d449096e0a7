use serde_json::json;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use wa_bridge::{BridgeOptions, Caller};

use super::*;
use crate::{
    account::Account,
    offer::{Offer, Offering},
};

/// A server without a network on a port of its own, and what opens it.
struct Served {
    address: SocketAddr,
    _folder: TempDir,
    clients: Clients,
    own: String,
    stop: CancellationToken,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

const LIMITS: Limits = Limits {
    connections: 8,
    head: Duration::from_millis(300),
    body: Duration::from_secs(5),
    body_bytes: 4 << 20,
};

async fn served() -> Served {
    let folder = tempfile::tempdir().unwrap();
    let caller = Caller::assistant("wa-mcp");
    let mut options = BridgeOptions::new("default".parse().unwrap(), caller).unwrap();
    options.store = Some(folder.path().join("account"));
    options.environment.config_home = Some(folder.path().join("config"));
    options.environment.state_directory = None;
    options.environment.credentials_directory = None;
    options.create = true;
    let profile =
        Profile::locate(&options.profile, options.store.as_deref(), &options.environment).unwrap();
    let clients = Clients::of(&profile);
    let file = folder.path().join("token");
    let token = Token::load_or_create(&file).unwrap();
    let own = std::fs::read_to_string(file).unwrap().trim().to_owned();
    let offering = Offering::new(Offer::default(), profile.clone(), options.caller.clone());
    let server = Server::new(Account::new(options), offering).unwrap();
    let (told, address) = tokio::sync::oneshot::channel();
    let (keys, stop) = (Keys::new(token, clients.clone()), CancellationToken::new());
    let stopped = stop.clone();
    tokio::spawn(async move {
        let ready = |address| told.send(address).unwrap();
        serve(server, "127.0.0.1:0".parse().unwrap(), keys, LIMITS, stopped, ready).await
    });
    Served { address: address.await.unwrap(), _folder: folder, clients, own, stop }
}

impl Served {
    /// The token of an assistant that is let in.
    fn let_in(&self, name: &str) -> String {
        let file = self.clients.register(&name.parse().unwrap()).unwrap();
        std::fs::read_to_string(file).unwrap().trim().to_owned()
    }

    /// Asks something in a session, or begins one; the status, and the session that the answer names.
    async fn ask(&self, token: &str, session: Option<&str>) -> (u16, Option<String>) {
        let method = if session.is_some() { "tools/list" } else { "initialize" };
        let about = json!({ "name": "test", "version": "1" });
        let hello =
            json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": about });
        let params = if session.is_some() { json!({}) } else { hello };
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let body = body.to_string();
        let session = session.map(|id| format!("mcp-session-id: {id}\r\n")).unwrap_or_default();
        let request = format!(
            "POST {PATH} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\
             accept: application/json, text/event-stream\r\ncontent-type: application/json\r\n\
             {session}connection: close\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len(),
        );
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let head = loop {
            let read = tokio::time::timeout(PATIENCE, stream.read_buf(&mut answer)).await;
            assert!(read.unwrap().unwrap() > 0, "{}", String::from_utf8_lossy(&answer));
            let text = String::from_utf8_lossy(&answer).into_owned();
            if let Some((head, _)) = text.split_once("\r\n\r\n") {
                break head.to_lowercase();
            }
        };
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let named = head.lines().find_map(|line| line.strip_prefix("mcp-session-id: "));
        (status, named.map(str::to_owned))
    }

    async fn begin(&self, token: &str) -> String {
        let (status, session) = self.ask(token, None).await;
        assert_eq!(status, 200);
        session.unwrap()
    }
}

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_keep_no_client_out() {
    let served = served().await;
    let mut idle = Vec::new();
    for _ in 0..58 {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(b"POST /mcp HTTP/1.1\r\n").await.unwrap();
        idle.push(stream);
    }
    served.begin(&served.own).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assistant_that_begins_sessions_without_end_ends_its_own_and_nobody_elses() {
    let served = served().await;
    let (greedy, modest) = (served.let_in("greedy"), served.let_in("modest"));
    let kept = served.begin(&modest).await;
    let mut begun = Vec::new();
    for _ in 0..80 {
        begun.push(served.begin(&greedy).await);
    }
    for (place, session) in begun.iter().enumerate() {
        let expected = if place < 64 { 404 } else { 200 };
        assert_eq!(served.ask(&greedy, Some(session)).await.0, expected, "{place}");
    }
    assert_eq!(served.ask(&modest, Some(&kept)).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_for_whoever_began_it() {
    let served = served().await;
    let (first, second) = (served.let_in("first"), served.let_in("second"));
    let session = served.begin(&first).await;
    for other in [&second, &served.own] {
        assert_eq!(served.ask(other, Some(&session)).await.0, 404);
    }
    assert_eq!(served.ask(&first, Some(&session)).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_opens_nothing_from_the_next_request_on() {
    let served = served().await;
    let token = served.let_in("first");
    let session = served.begin(&token).await;
    served.clients.revoke(&"first".parse().unwrap()).unwrap();
    assert_eq!(served.ask(&token, Some(&session)).await.0, 401);
    assert_eq!(served.ask(&token, None).await.0, 401);
    assert_eq!(served.ask("first.0000000000000000", None).await.0, 401);
}
