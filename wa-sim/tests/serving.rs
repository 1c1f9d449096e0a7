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

#[tokio::test]
async fn every_kind_of_message_is_sent_and_shown() {
    let sim = Sim::new(SimConfig::default());
    for (phone, name) in [("15550001", "A"), ("15550002", "B")] {
        sim.add_account(phone, name).unwrap();
    }
    let serving = sim.serve(LOOPBACK.parse().unwrap()).await.unwrap();
    let path = "/accounts/15550001/messages";
    let text = json!({"to": "15550002", "text": "first"});
    let (_, first) = call(&serving, "POST", path, Some(text)).await;
    let id = first["id"].clone();
    let data = "b2dn";
    let kinds = [
        ("audio", json!({"base64": data, "seconds": 2, "ptt": true}), "voice-note", None),
        ("audio", json!({"base64": data, "seconds": 2}), "audio", None),
        ("video", json!({"base64": data, "caption": "moves"}), "video", Some("moves")),
        (
            "document",
            json!({"base64": data, "file_name": "a.pdf", "mimetype": "application/pdf"}),
            "document",
            None,
        ),
        ("sticker", json!({"base64": data}), "sticker", None),
        (
            "location",
            json!({"latitude": 1.5, "longitude": -2.5, "name": "there"}),
            "location",
            Some("there"),
        ),
        ("contact", json!({"name": "Carol", "vcard": "BEGIN:VCARD"}), "contact", Some("Carol")),
        ("reaction", json!({"id": id, "emoji": "\u{1f44d}"}), "reaction", Some("\u{1f44d}")),
        ("edit", json!({"id": id, "text": "second"}), "edit", Some("second")),
        ("reply", json!({"id": id, "text": "indeed"}), "text", Some("indeed")),
        (
            "poll",
            json!({"name": "Tea?", "options": ["yes", "no"], "selectable": 1}),
            "poll",
            Some("Tea?"),
        ),
        ("revoke", json!({"id": id}), "revoke", None),
    ];
    for (kind, body, shown, text) in kinds {
        let message = json!({"to": "15550002", kind: body});
        let (status, sent) = call(&serving, "POST", path, Some(message)).await;
        assert_eq!(status, 200, "{kind}: {sent}");
        for phone in ["15550001", "15550002"] {
            let path = format!("/accounts/{phone}/messages");
            let (_, seen) = call(&serving, "GET", &path, None).await;
            let last = seen.as_array().unwrap().last().unwrap();
            assert_eq!((&last["id"], &last["kind"]), (&sent["id"], &json!(shown)), "{phone}");
            assert_eq!(last["text"], json!(text), "{kind} at {phone}");
        }
    }
}

#[tokio::test]
async fn what_a_message_lacks_is_named() {
    let sim = Sim::new(SimConfig::default());
    let alice = sim.add_account("15550001", "A").unwrap();
    let bob = sim.add_account("15550002", "B").unwrap();
    let theirs = bob.send_text(&alice.jid(), "mine").unwrap();
    let serving = sim.serve(LOOPBACK.parse().unwrap()).await.unwrap();
    let cases = [
        (json!({"text": "x"}), 400, "\"to\""),
        (json!({"to": "15550002"}), 400, "exactly one kind"),
        (json!({"to": "15550002", "text": "x", "poll": {}}), 400, "exactly one kind"),
        (json!({"to": "15550002", "hologram": {}}), 400, "hologram"),
        (json!({"to": "15550002", "audio": {"seconds": 1}}), 400, "base64"),
        (json!({"to": "15550002", "document": {"base64": ""}}), 400, "file_name"),
        (json!({"to": "15550002", "location": {"latitude": 1.0}}), 400, "longitude"),
        (json!({"to": "15550002", "contact": {"name": "C"}}), 400, "vcard"),
        (json!({"to": "15550002", "reaction": {"id": "A"}}), 400, "emoji"),
        (json!({"to": "15550002", "sticker": {"base64": "*"}}), 422, "base64"),
        (
            json!({"to": "15550002", "location": {"latitude": 91, "longitude": 0}}),
            422,
            "90 degrees",
        ),
        (json!({"to": "15550002", "revoke": {"id": "NONE"}}), 422, "no message with this id"),
        (json!({"to": "15550002", "revoke": {"id": theirs}}), 422, "one's own"),
        (json!({"to": "15550002", "edit": {"id": theirs, "text": "x"}}), 422, "one's own"),
        (json!({"to": "15550002", "poll": {"name": "?", "options": ["a"]}}), 422, "2 to 12"),
        (
            json!({"to": "15550002", "poll": {"name": "?", "options": ["a", "b"], "selectable": 3}}),
            422,
            "no more options",
        ),
    ];
    for (body, expected, named) in cases {
        let path = "/accounts/15550001/messages";
        let (status, answer) = call(&serving, "POST", path, Some(body)).await;
        assert_eq!(status, expected, "{named}: {answer}");
        assert!(answer["error"].as_str().unwrap().contains(named), "{named}: {answer}");
    }
    assert_eq!(alice.messages().len(), 1, "nothing was sent");
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
