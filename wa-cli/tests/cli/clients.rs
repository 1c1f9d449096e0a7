//! The assistants that are let in, and what they did.

use serde_json::json;
use wa_bridge::{
    Bridge, BridgeOptions, Caller, Cause, Environment, Failure,
    api::{Outgoing, SendMessage},
};

use crate::{
    bad_input::fails,
    owning::Running,
    support::{BORIS, Machine, PACE, World},
};

/// What an assistant that was let in gets for a text to Boris.
async fn sends(machine: &Machine, name: &str, text: &str) -> Result<(), Failure> {
    let mut options =
        BridgeOptions::new("default".parse().unwrap(), Caller::client(name.parse().unwrap()))?;
    let mut environment = Environment::default();
    environment.config_home = Some(machine.config());
    environment.data_home = Some(machine.path("data"));
    options.environment = environment;
    let bridge = Bridge::open(options).await?;
    assert!(!bridge.is_owner().await);
    let message = SendMessage {
        chat: format!("+{BORIS}"),
        what: Outgoing::Text { text: text.to_owned() },
        reply_to: None,
        mention: Vec::new(),
        idempotency_key: None,
        wait: None,
    };
    let sent = bridge.call(message).await;
    bridge.close().await?;
    sent.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assistant_is_let_in_held_to_its_section_named_in_the_audit_and_shut_out() {
    let world = World::new().await;
    let machine = world.linked();
    machine.policy(&format!("confirm = 'never'\n{PACE}[client.robot]\nread_only = true\n"));
    assert_eq!(machine.json(&["clients"]), json!([]));
    for name in ["robot", "other"] {
        let added = machine.json(&["clients", "add", name]);
        let file = added["token_file"].as_str().unwrap();
        let token = std::fs::read_to_string(file).unwrap();
        assert!(!added.to_string().contains(token.trim()), "the token itself is not shown");
    }
    let listed = machine.json(&["clients", "list"]);
    assert_eq!((&listed[0]["name"], &listed[0]["in_policy"]), (&json!("other"), &json!(false)));
    assert_eq!((&listed[1]["name"], &listed[1]["in_policy"]), (&json!("robot"), &json!(true)));

    let serving = Running::serving(&machine);
    let failure = sends(&machine, "robot", "no").await.unwrap_err();
    assert_eq!(failure.cause, Cause::Forbidden, "{failure}");
    assert!(failure.message.contains("read-only"), "{failure}");
    sends(&machine, "other", "yes").await.unwrap();
    assert_eq!(machine.json(&["clients", "revoke", "other"])["name"], "other");
    let failure = sends(&machine, "other", "no more").await.unwrap_err();
    assert!(failure.message.contains("revoked"), "{failure}");
    fails(&machine, &["clients", "revoke", "other"], 1, "not_found");
    assert_eq!(machine.run(&["clients", "revoke", "unnamed"]).code, Some(2));

    let audit = machine.json(&["audit"]);
    let entries = audit.as_array().unwrap();
    let of = |caller: &str, outcome: &str| {
        entries.iter().filter(|e| e["caller"] == caller && e["outcome"] == outcome).count()
    };
    assert_eq!(of("client: robot", "forbidden"), 1, "{audit}");
    assert_eq!(of("client: other", "done"), 1, "{audit}");
    assert_eq!(of("client: other", "accepted"), 1, "{audit}");
    assert_eq!(serving.end("-TERM"), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_is_whole_and_says_so() {
    let world = World::new().await;
    let machine = world.linked();
    machine.json(&["send", BORIS, "one"]);
    let proof = machine.json(&["audit", "verify"]);
    assert_eq!((&proof["whole"], &proof["problem"]), (&json!(true), &json!(null)));
    assert!(proof["entries"].as_u64().unwrap() >= 2, "{proof}");
    let hash = proof["hash"].as_str().unwrap();
    machine.json(&["send", BORIS, "two"]);
    assert_eq!(machine.json(&["audit", "verify", "--holds", hash])["whole"], true);
    let told = machine.run(&["audit", "verify"]);
    assert!(told.stdout.contains("entries hold together"), "{}", told.stdout);
    let unknown = "0a".repeat(32);
    let error = fails(&machine, &["audit", "verify", "--holds", &unknown], 1, "failed");
    assert!(error["message"].as_str().unwrap().contains("gone"), "{error}");
    fails(&machine, &["audit", "verify", "--holds", "no hash"], 2, "usage");
}
