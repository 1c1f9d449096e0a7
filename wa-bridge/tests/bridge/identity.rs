//! Who asks: a person and each assistant by what they prove, and nobody by what they say.

use serde_json::{Value, json};
use tokio::net::TcpStream;
use wa_bridge::{
    Bridge, Caller, Cause,
    api::{Approval, Audit, ChatList, DraftApprove, DraftList, Status},
};

use crate::support::{ANNA, BEN, World, arrives, exchange, refused, send, shown};

async fn post(world: &World, path: &str, headers: &str, body: &Value) -> (u16, Value) {
    let body = body.to_string();
    let (status, answer) =
        world.request("POST", &format!("/v1/{path}"), headers, body.as_bytes()).await;
    (status, serde_json::from_str(&answer).unwrap())
}

fn hello(chat: &str, text: &str) -> Value {
    json!({ "chat": chat, "what": { "kind": "text", "text": text } })
}

fn robot() -> Caller {
    Caller::client("robot".parse().unwrap())
}

async fn callers(person: &Bridge) -> Vec<String> {
    let entries = person.call(Audit::default()).await.unwrap();
    entries.into_iter().map(|entry| entry.caller).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_header_makes_an_assistant_a_person() {
    let world = World::linked().await;
    let person = world.person().await;
    let before = callers(&person).await.len();
    let token = world.let_in("robot");
    for (token, claims) in [
        (token.as_str(), "wa-frontend: person\r\nwa-caller: wa-cli\r\n"),
        (token.as_str(), "wa-frontend: Person\r\nwa-frontend-proven: yes\r\n"),
        (token.as_str(), "wa-caller: person: wa-cli\r\n"),
        ("", "wa-caller: client: robot\r\n"),
    ] {
        let headers = format!("{token}{claims}");
        let (status, answer) = post(&world, "messages/send", &headers, &hello(BEN, "forged")).await;
        assert_eq!(status, 428, "{headers:?}: {answer}");
        let view = &answer["error"]["draft"];
        let approve = json!({ "id": view["id"], "digest": view["digest"], "by": "person" });
        let (status, answer) = post(&world, "drafts/approve", &headers, &approve).await;
        assert_eq!(status, 403, "{headers:?}: {answer}");
    }
    let claims = "wa-frontend: person\r\n";
    let (status, answer) = post(&world, "messages/send", claims, &hello(BEN, "forged")).await;
    assert_eq!(status, 403, "{answer}");
    assert!(answer["error"]["remedy"].as_str().unwrap().contains("person-token"), "{answer}");
    assert_eq!(shown(&world.ben, "forged"), 0);
    let callers = callers(&person).await;
    // The newest come first.
    for caller in &callers[..callers.len() - before] {
        assert!(
            ["client: robot", "assistant: client: robot"].contains(&caller.as_str()),
            "{caller}"
        );
    }
    // The person proves it, and need not do anything for it.
    let (status, answer) =
        post(&world, "messages/send", &world.persons_header(), &hello(BEN, "from me")).await;
    assert_eq!(status, 200, "{answer}");
    let guest = world.person().await;
    assert!(!guest.is_owner().await);
    send(&guest, BEN, "from me too").await.unwrap();
    arrives(&world.ben, "from me too").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_token_is_refused_and_not_taken_for_none() {
    let world = World::linked().await;
    let _owner = world.person().await;
    let token = world.let_in("robot");
    let forged = token.replace("robot.", "other.");
    let twice = format!("{token}{}", world.persons_header());
    for headers in [forged.as_str(), &twice, "authorization: Basic abc\r\n"] {
        let (status, answer) = post(&world, "account/status", headers, &json!({})).await;
        assert_eq!((status, &answer["error"]["code"]), (401, &json!("forbidden")), "{headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tcp_a_token_is_all_that_counts_and_no_assistant_speaks_for_the_person() {
    let world = World::linked().await;
    let (owner, address) = world.listening().await;
    let over_tcp = async |path: &str, headers: &str, body: &Value| {
        let stream = TcpStream::connect(address).await.unwrap();
        let path = format!("/v1/{path}");
        exchange(stream, "POST", &path, headers, body.to_string().as_bytes()).await
    };
    let (robot, opens) =
        (world.let_in("robot"), format!("authorization: Bearer {}\r\n", world.http_token()));
    let claims = format!("{opens}wa-frontend: person\r\n");
    assert_eq!(over_tcp("messages/send", &claims, &hello(BEN, "forged")).await.0, 403);
    let (status, answer) = over_tcp("messages/send", &robot, &hello(BEN, "forged")).await;
    assert_eq!(status, 428, "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let view = &answer["error"]["draft"];
    // Whoever holds an assistant's token could say anything of what the person said.
    let approve = json!({ "id": view["id"], "digest": view["digest"], "by": "elicitation" });
    for headers in [&robot, &opens] {
        assert_eq!(over_tcp("drafts/approve", headers, &approve).await.0, 403);
    }
    assert_eq!(over_tcp("account/status", "", &json!({})).await.0, 401);
    assert_eq!(shown(&world.ben, "forged"), 0);
    let (status, _) =
        over_tcp("messages/send", &world.persons_header(), &hello(BEN, "from me")).await;
    assert_eq!(status, 200);
    let get = |headers: String| async move {
        let stream = TcpStream::connect(address).await.unwrap();
        exchange(stream, "GET", "/metrics", &headers, b"").await.0
    };
    assert_eq!(get(robot).await, 403, "an assistant may not count what it may not read");
    assert_eq!(get(opens).await, 200);
    owner.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assistants_section_holds_for_it_whoever_owns_the_account() {
    let world = World::linked().await;
    world.let_in("robot");
    world.set_policy(
        "[client.robot.read]\nchats = ['447700900101']\n[client.other]\nread_only = true",
    );
    for person_owns in [true, false] {
        let (person, assistant);
        if person_owns {
            person = world.person().await;
            assistant = world.open(robot()).await;
        } else {
            assistant = world.open(robot()).await;
            person = world.person().await;
        }
        let chats = assistant.call(ChatList::default()).await.unwrap();
        assert_eq!(chats.len(), 1, "{chats:?}");
        refused(send(&assistant, BEN, "out of reach").await, Cause::Forbidden);
        send(&assistant, ANNA, "within reach").await.unwrap();
        assert!(person.call(ChatList::default()).await.unwrap().len() >= 3);
        // Without its token it gains nothing: the strictest of all holds.
        let nobody = world.assistant().await;
        assert_eq!(nobody.call(ChatList::default()).await.unwrap().len(), 1);
        refused(send(&nobody, ANNA, "read-only").await, Cause::Forbidden);
        assert!(callers(&person).await.contains(&"client: robot".to_owned()));
        for bridge in [nobody, assistant, person] {
            bridge.close().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_assistant_is_shut_out_from_the_next_call_on_with_what_it_left_behind() {
    let world = World::linked().await;
    let header = world.let_in("robot");
    let person = world.person().await;
    let guest = world.open(robot()).await;
    refused(send(&guest, BEN, "left behind").await, Cause::ConfirmationRequired);
    let waiting = person.call(DraftList::default()).await.unwrap();
    assert_eq!(waiting[0].caller, "client: robot");
    world.clients().revoke(&"robot".parse().unwrap()).unwrap();

    let failure = refused(guest.call(Status::default()).await, Cause::Forbidden);
    assert!(failure.message.contains("robot"), "{failure}");
    assert_eq!(post(&world, "account/status", &header, &json!({})).await.0, 401);
    let approve = DraftApprove {
        id: waiting[0].id.clone(),
        digest: waiting[0].digest.clone(),
        by: Approval::Person,
    };
    refused(person.call(approve).await, Cause::Forbidden);
    person.close().await.unwrap();
    // Owning the account does not help.
    let failure = refused(guest.call(Status::default()).await, Cause::Forbidden);
    assert!(failure.message.contains("revoked"), "{failure}");
    assert_eq!(shown(&world.ben, "left behind"), 0);
}
