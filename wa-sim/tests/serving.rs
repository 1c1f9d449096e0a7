//! The simulation on ports: loopback only, and the control API.

#![expect(clippy::unwrap_used, reason = "for tests")]

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use wa_sim::{ServeError, Serving, Sim, SimConfig};

const LOOPBACK: &str = "127.0.0.1:0";

#[tokio::test]
async fn an_address_that_others_can_reach_is_refused() {
    let sim = Sim::new(SimConfig::default());
    for address in ["0.0.0.0:0", "192.168.1.2:0", "[::]:0"] {
        let address: SocketAddr = address.parse().unwrap();
        let refused = sim.serve(address).await;
        assert!(matches!(refused, Err(ServeError::NotLoopback(ip)) if ip == address.ip()));
    }
}

#[tokio::test]
async fn the_control_api_makes_accounts_and_sends() {
    let sim = Sim::new(SimConfig::default());
    let serving = sim.serve(LOOPBACK.parse().unwrap()).await.unwrap();
    let (status, alice) =
        call(&serving, "POST", "/accounts", Some(json!({"phone": "15550001", "name": "A"}))).await;
    assert_eq!((status, &alice["jid"]), (200, &json!("15550001@s.whatsapp.net")));
    call(&serving, "POST", "/accounts", Some(json!({"phone": "15550002", "name": "B"}))).await;
    let message = json!({"to": "15550002", "text": "hello"});
    let (_, sent) = call(&serving, "POST", "/accounts/15550001/messages", Some(message)).await;
    let (_, seen) = call(&serving, "GET", "/accounts/15550002/messages", None).await;
    assert_eq!(seen[0]["id"], sent["id"]);
    assert_eq!(seen[0]["text"], "hello");
    assert_eq!(seen[0]["chat"], "15550001@s.whatsapp.net");
    assert_eq!(seen[0]["from_me"], false);
    let image = json!({"to": "15550002", "image": {"base64": "iVBORw==", "caption": "look"}});
    let (_, sent) = call(&serving, "POST", "/accounts/15550001/messages", Some(image)).await;
    let (_, seen) = call(&serving, "GET", "/accounts/15550002/messages", None).await;
    assert_eq!((&seen[1]["id"], &seen[1]["kind"]), (&sent["id"], &json!("image")));
    assert_eq!(seen[1]["text"], "look");
    let participants = json!({"subject": "S", "participants": ["15550001", "15550002"]});
    let (_, group) = call(&serving, "POST", "/groups", Some(participants)).await;
    assert!(group["jid"].as_str().unwrap().ends_with("@g.us"));
    let (_, stats) = call(&serving, "GET", "/stats", None).await;
    assert_eq!(stats["devices"]["15550001:0"]["messages_in"], 2);
    serving.shutdown().await;
}

#[tokio::test]
async fn bad_calls_get_a_clear_error() {
    let sim = Sim::new(SimConfig::default());
    sim.add_account("15550001", "A").unwrap();
    let serving = sim.serve(LOOPBACK.parse().unwrap()).await.unwrap();
    let cases = [
        ("POST", "/accounts", Some(json!({"phone": "12", "name": "A"})), 422),
        ("POST", "/accounts", Some(json!({"phone": "15550001", "name": "A"})), 409),
        ("POST", "/accounts", Some(json!({"number": "15550001"})), 400),
        ("POST", "/accounts/15550009/messages", Some(json!({"to": "1", "text": ""})), 404),
        ("POST", "/accounts/15550001/messages", Some(json!({"to": "15550009", "text": ""})), 422),
        ("POST", "/accounts/15550001/link", Some(json!({"qr": "x"})), 422),
        ("DELETE", "/accounts/15550001/devices/3", None, 404),
        ("POST", "/faults", Some(json!({"dorp": {}})), 400),
        ("GET", "/nothing", None, 404),
        ("DELETE", "/stats", None, 405),
    ];
    for (method, path, body, expected) in cases {
        let (status, answer) = call(&serving, method, path, body).await;
        assert_eq!(status, expected, "{method} {path}");
        assert!(answer["error"].is_string(), "{method} {path}: {answer}");
    }
}

/// One call over a connection of its own: the status and the JSON.
async fn call(serving: &Serving, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let host = serving.control_url.strip_prefix("http://").unwrap();
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, json) = answer.split_once("\r\n\r\n").unwrap();
    (status, serde_json::from_str(json).unwrap())
}
