//! The audit: what was done and refused, by whom, and nothing of what was said.

use std::fs;

use serde_json::json;
use wa_bridge::{
    Bridge, Cause,
    api::{
        Approval, Audit, AuditVerify, AuditView, ChatArrange, ChatChange, ChatGet, DraftApprove,
        Revoke, SentGet,
    },
};

use crate::support::{ANNA, BEN, World, refused, send};

async fn audit(bridge: &Bridge) -> Vec<AuditView> {
    let mut entries = bridge.call(Audit::default()).await.unwrap();
    entries.reverse();
    entries
}

/// Caller, call and outcome of each entry after a number.
async fn since(bridge: &Bridge, seq: u64) -> Vec<(String, String, String)> {
    let entries = audit(bridge).await.into_iter().filter(|entry| entry.seq > seq);
    entries.map(|entry| (entry.caller, entry.call, entry.outcome)).collect()
}

fn entry(caller: &str, call: &str, outcome: &str) -> (String, String, String) {
    (caller.into(), call.into(), outcome.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_refusal_and_deletion_is_put_down_with_who_asked() {
    const PERSON: &str = "person: terminal";
    const ROBOT: &str = "assistant: robot";
    let world = World::linked().await;
    let (person, robot) = (world.person().await, world.assistant().await);
    let before = audit(&person).await.last().map_or(0, |entry| entry.seq);
    let sent = send(&person, ANNA, "a secret text").await.unwrap();
    let draft = *send(&robot, BEN, "another secret").await.unwrap_err().draft.unwrap();
    let approve = DraftApprove { id: draft.id, digest: draft.digest, by: Approval::Assistant };
    robot.call(approve.clone()).await.unwrap_err();
    let approve = DraftApprove { by: Approval::Person, ..approve };
    person.call(approve).await.unwrap();
    person.call(Revoke { chat: ANNA.into(), id: sent.id.clone() }).await.unwrap();
    let arrange = ChatArrange { chat: ANNA.into(), change: ChatChange::Archive };
    robot.call(arrange).await.unwrap();
    send(&person, "nobody of this name secret", "text").await.unwrap_err();
    // Looking is not put down.
    person.call(SentGet { id: sent.id.clone() }).await.unwrap();

    assert_eq!(
        since(&person, before).await,
        [
            entry(PERSON, "messages/send", "accepted"),
            entry(PERSON, "messages/send", "done"),
            entry(ROBOT, "messages/send", "confirmation_required"),
            entry(ROBOT, "drafts/approve", "forbidden"),
            entry(ROBOT, "messages/send", "accepted"),
            entry(ROBOT, "messages/send", "done"),
            entry(PERSON, "drafts/approve", "done"),
            entry(PERSON, "messages/revoke", "accepted"),
            entry(PERSON, "messages/revoke", "done"),
            entry(ROBOT, "chats/arrange", "done"),
            entry(PERSON, "messages/send", "not_found"),
        ]
    );
    let entries = audit(&person).await;
    assert!(entries.iter().any(|entry| {
        entry.detail.as_deref() == Some(&sent.id) && entry.chat == Some(sent.jid.clone())
    }));
    let all = serde_json::to_string(&entries).unwrap();
    assert!(!all.contains("secret"), "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_read_only_and_the_reach_refuse_is_put_down_too_and_outlives_the_owner() {
    let world = World::linked().await;
    world.set_policy("read_only = true");
    let person = world.person().await;
    let before = audit(&person).await.last().map_or(0, |entry| entry.seq);
    send(&person, ANNA, "a secret text").await.unwrap_err();
    person.close().await.unwrap();
    world.set_policy("[write]\nexcept = ['447700900102']");
    let robot = world.assistant().await;
    send(&robot, BEN, "a secret text").await.unwrap_err();
    assert_eq!(
        since(&robot, before).await,
        [
            entry("person: terminal", "messages/send", "forbidden"),
            entry("assistant: robot", "messages/send", "forbidden"),
        ]
    );
    robot.close().await.unwrap();
    for file in fs::read_dir(world.path("account")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            assert!(!bytes.windows(8).any(|part| part == b"a secret"), "{}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_several_lines_or_of_any_length_is_put_down_as_one_short_line() {
    let world = World::linked().await;
    let person = world.person().await;
    let caller = wa_bridge::Caller::assistant("a\nperson: root\r\n\u{1b}[2J");
    let robot = world.open(caller).await;
    send(&robot, ANNA, "hello").await.unwrap();
    let headers = format!("wa-caller: {}\r\n", "long ".repeat(100));
    let body = json!({ "chat": ANNA, "what": { "kind": "text", "text": "hi" } }).to_string();
    let (status, answer) =
        world.request("POST", "/v1/messages/send", &headers, body.as_bytes()).await;
    assert_eq!(status, 200, "{answer}");
    for entry in audit(&person).await {
        assert!(entry.caller.chars().all(|c| !c.is_control()), "{:?}", entry.caller);
        assert!(entry.caller.chars().count() <= 80, "{:?}", entry.caller);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_known_by_its_digest_and_no_entry_can_go_missing() {
    let world = World::linked().await;
    let person = world.person().await;
    for says in ["one", "two", "one"] {
        send(&person, ANNA, says).await.unwrap();
    }
    let entries = audit(&person).await;
    let sent: Vec<_> = entries
        .iter()
        .filter(|entry| entry.call == "messages/send" && entry.outcome == "accepted")
        .map(|entry| entry.digest.clone().unwrap())
        .collect();
    assert_eq!(sent.len(), 3);
    assert!(sent[0] == sent[2] && sent[0] != sent[1], "{sent:?}");
    let proof = person.call(AuditVerify::default()).await.unwrap();
    assert!(proof.whole, "{proof:?}");
    assert_eq!(
        (proof.entries, proof.newest),
        (entries.len() as u64, entries.last().map(|e| e.seq))
    );
    send(&person, ANNA, "three").await.unwrap();
    let later = person.call(AuditVerify { kept: proof.hash.clone() }).await.unwrap();
    assert!(later.whole && later.hash != proof.hash);
    let gone = person.call(AuditVerify { kept: Some("0a".repeat(32)) }).await.unwrap();
    assert!(!gone.whole && gone.problem.unwrap().contains("gone"));
    refused(person.call(AuditVerify { kept: Some("no hash".into()) }).await, Cause::Usage);
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_where_one_may_not_is_put_down() {
    let world = World::linked().await;
    world.set_policy("[read]\nexcept = ['447700900102']");
    let robot = world.assistant().await;
    let before = audit(&robot).await.last().map_or(0, |entry| entry.seq);
    robot.call(ChatGet { chat: BEN.into() }).await.unwrap_err();
    robot.call(ChatGet { chat: ANNA.into() }).await.unwrap();
    assert_eq!(since(&robot, before).await, [entry("assistant: robot", "chats/get", "forbidden")]);
}
