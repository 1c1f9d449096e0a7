//! What comes through the socket and is no sound request.

use serde_json::{Value, json};
use wa_bridge::routes;

use crate::{
    schema::{fields, plainest},
    support::World,
};

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_no_sound_request_is_refused_and_the_service_stays_up() {
    let world = World::new().await;
    let _owner = world.person().await;
    for route in routes() {
        for garbage in ["", "{", "nonsense", "[1]", "\"text\"", "\u{0}\u{ff}", "null", "7"] {
            let path = format!("/v1/{}", route.path);
            let (status, answer) = world.request("POST", &path, "", garbage.as_bytes()).await;
            if garbage.is_empty() && plainest(&route) == json!({}) {
                continue;
            }
            let answer: Value = serde_json::from_str(&answer).unwrap();
            assert_eq!(answer["error"]["code"], "usage", "{path} {garbage:?}: {status} {answer}");
            assert_eq!(status, 400);
        }
        for name in fields(&route) {
            let mut wrong = plainest(&route);
            wrong[&name] = json!({ "no": ["such", "thing"] });
            let (_, answer) = world.post(route.path, &wrong).await;
            assert_eq!(answer["error"]["code"], "usage", "{} {wrong}: {answer}", route.path);
        }
        let mut unknown = plainest(&route);
        unknown["no_such_field"] = json!(1);
        let (_, answer) = world.post(route.path, &unknown).await;
        assert_eq!(answer["error"]["code"], "usage", "{} {unknown}: {answer}", route.path);
    }
    assert_eq!(world.post("account/status", &json!({})).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_field_of_what_is_sent_or_changed_is_refused_too() {
    let world = World::new().await;
    let _owner = world.person().await;
    for (path, request) in [
        ("messages/send", json!({ "chat": "1", "what": { "kind": "text", "text": "a", "b": 1 } })),
        ("messages/send", json!({ "chat": "1", "what": { "kind": "file", "path": "a", "b": 1 } })),
        ("chats/arrange", json!({ "chat": "1", "change": { "mute": { "hours": 1 } } })),
    ] {
        let (_, answer) = world.post(path, &request).await;
        assert_eq!(answer["error"]["code"], "usage", "{path} {request}: {answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains("unknown field"), "{path} {request}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_too_large_is_refused() {
    let world = World::new().await;
    let _owner = world.person().await;
    let large = vec![b' '; (1 << 20) + 1];
    let (status, _) = world.request("POST", "/v1/account/status", "", &large).await;
    assert_eq!(status, 413);
    assert_eq!(world.post("account/status", &json!({})).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_nothing_under_other_paths() {
    let world = World::new().await;
    let _owner = world.person().await;
    for path in ["/", "/v1/no/such", "/v1/account", "/v2/account/status", "/v1/../etc/passwd"] {
        let (status, _) = world.request("POST", path, "", b"{}").await;
        assert!(status == 404 || status == 405, "{path}: {status}");
    }
    let (status, answer) = world.post("no/such", &json!({})).await;
    assert_eq!((status, &answer["error"]["code"]), (404, &json!("not_found")));
    let (status, _) = world.request("GET", "/v1/account/status", "", b"").await;
    assert_eq!(status, 405);
    let (status, _) = world.request("GET", "/v1/events?after=soon", "", b"").await;
    assert_eq!(status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_names_every_call() {
    let world = World::new().await;
    let _owner = world.person().await;
    let (status, answer) = world.request("GET", "/v1/openapi.json", "", b"").await;
    assert_eq!(status, 200);
    let document: Value = serde_json::from_str(&answer).unwrap();
    for route in routes() {
        let described = &document["paths"][format!("/v1/{}", route.path)]["post"];
        assert_eq!(described["summary"], route.about, "{}", route.path);
    }
}
