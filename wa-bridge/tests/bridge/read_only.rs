//! Read-only: nothing that other people or the account's other devices would notice is done.

use std::time::Duration;

use serde_json::json;
use wa_bridge::{
    Bridge, Caller, Cause,
    api::{ChatList, Effect, Status},
    policy::{Confirm, Tightening},
    routes,
};

use crate::{
    schema::plainest,
    support::{ANNA, World, arrives, refused, send, shown},
};

#[tokio::test(flavor = "multi_thread")]
async fn no_call_that_changes_anything_gets_through() {
    let world = World::linked().await;
    world.set_policy("read_only = true");
    let mut options = world.options(Caller::person("terminal"));
    options.stay_connected = false;
    let owner = Bridge::open(options).await.unwrap();
    let device = world.device();
    world.sim.listen();
    let mut tried = 0;
    for route in
        routes().iter().filter(|route| !matches!(route.effect, Effect::Read | Effect::Guard))
    {
        let (status, answer) = world.post(route.path, &plainest(route)).await;
        assert_eq!((status, &answer["error"]["code"]), (403, &json!("forbidden")), "{answer}");
        tried += 1;
    }
    assert!(tried >= 20, "{tried} calls");
    assert!(world.sim.heard(&device).is_empty());
    assert!(!owner.call(Status::default()).await.unwrap().connected);
    assert!(!owner.call(ChatList::default()).await.unwrap().is_empty(), "reading goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_can_forbid_itself_more_and_never_less() {
    let world = World::linked().await;
    let tight = |read_only, confirm, contacts_only| {
        let mut caller = Caller::assistant("robot");
        caller.tightening = Tightening { read_only, confirm, contacts_only };
        caller
    };
    let owner = world.person().await;
    let careful = world.open(tight(true, None, false)).await;
    refused(send(&careful, ANNA, "no").await, Cause::Forbidden);
    let asking = world.open(tight(false, Some(Confirm::Always), false)).await;
    refused(send(&asking, ANNA, "no").await, Cause::ConfirmationRequired);
    let friends = world.open(tight(false, None, true)).await;
    refused(send(&friends, crate::support::MALLORY, "no").await, Cause::Forbidden);
    send(&friends, ANNA, "yes").await.unwrap();
    arrives(&world.anna, "yes").await;
    assert_eq!(shown(&world.anna, "no") + shown(&world.mallory, "no"), 0);
    owner.close().await.unwrap();
    for bridge in [careful, asking, friends] {
        bridge.close().await.unwrap();
    }

    world.set_policy("read_only = true\nconfirm = \"always\"");
    let loose = world.open(tight(false, Some(Confirm::Never), false)).await;
    refused(send(&loose, ANNA, "no").await, Cause::Forbidden);
    assert!(loose.call(Status::default()).await.unwrap().policy.contains("every message"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_caller_forbids_itself_is_never_passed_over() {
    let world = World::linked().await;
    let _owner = world.person().await;
    let body = json!({ "chat": ANNA, "what": { "kind": "text", "text": "no" } }).to_string();
    for tighten in
        ["{\"read_only\":true,\"what\":1}", "read_only", "", "{\"read_only\":true}\u{e9}"]
    {
        let headers = format!("{}wa-tighten: {tighten}\r\n", world.persons_header());
        let (status, answer) =
            world.request("POST", "/v1/messages/send", &headers, body.as_bytes()).await;
        assert_eq!(status, 400, "{tighten:?}: {answer}");
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(shown(&world.anna, "no"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_cannot_be_read_stops_everything() {
    let world = World::linked().await;
    for broken in ["read_only = ", "readonly = true", "[read]\nchats = ['07700 900123']", "\0"] {
        world.set_policy(broken);
        let failure = refused(
            Bridge::open(world.options(Caller::person("terminal"))).await,
            Cause::Forbidden,
        );
        assert!(failure.message.contains("policy.toml"), "{failure}");
    }
    std::fs::write(world.path("config/wa/policy.toml"), [0xff, 0xfe]).unwrap();
    refused(Bridge::open(world.options(Caller::person("terminal"))).await, Cause::Forbidden);
    world.set_policy("");
    assert!(world.person().await.is_owner().await, "mended, it is read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_is_changed_holds_from_the_next_call_on() {
    let world = World::linked().await;
    let owner = world.person().await;
    let guest = world.assistant().await;
    for bridge in [&owner, &guest] {
        world.set_policy("read_only = true");
        refused(send(bridge, ANNA, "no").await, Cause::Forbidden);
        world.set_policy("confirm = \"never\"");
        send(bridge, ANNA, "yes").await.unwrap();
        world.set_policy("confirm = \"sometimes\"");
        let failure = refused(bridge.call(ChatList::default()).await, Cause::Forbidden);
        assert!(failure.message.contains("policy.toml"), "{failure}");
    }
    std::fs::remove_file(world.path("config/wa/policy.toml")).unwrap();
    owner.call(ChatList::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_not_read_while_it_is_being_written() {
    let world = World::linked().await;
    world.set_policy("read_only = true");
    let owner = world.person().await;
    for _ in 0..5 {
        // As an editor does it: emptied or taken away, and written anew a moment later.
        world.set_policy("");
        let asked = send(&owner, ANNA, "no");
        let saved = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            world.set_policy("read_only = true");
        };
        let (answer, ()) = tokio::join!(asked, saved);
        refused(answer, Cause::Forbidden);
        std::fs::remove_file(world.path("config/wa/policy.toml")).unwrap();
        let (answer, ()) = tokio::join!(send(&owner, ANNA, "no"), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            world.set_policy("read_only = true");
        });
        refused(answer, Cause::Forbidden);
    }
    assert_eq!(shown(&world.anna, "no"), 0);
}
