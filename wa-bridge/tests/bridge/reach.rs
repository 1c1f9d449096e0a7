//! Which chats may be read and written to: what is out of reach is nowhere to be found.

use serde_json::{Value, json};
use wa_bridge::{
    Bridge, Caller, Cause, Failure,
    api::{
        ChatGet, ChatList, ContactList, EventView, MessageContext, MessageList, Resolve, Search,
        SentGet,
    },
};

use crate::support::{ANNA, BEN, MALLORY, World, arrives, last, refused, send, shown};

async fn search(bridge: &Bridge, words: &str) -> Vec<String> {
    let search: Search = serde_json::from_value(json!({ "query": words })).unwrap();
    let found = bridge.call(search).await.unwrap();
    found.hits.into_iter().filter_map(|hit| hit.message.text).collect()
}

async fn chats(bridge: &Bridge) -> Vec<String> {
    let chats = bridge.call(ChatList::default()).await.unwrap();
    chats.into_iter().filter_map(|chat| chat.chat.phone).collect()
}

async fn resolve(bridge: &Bridge, named: &str) -> Result<String, Failure> {
    let resolved =
        bridge.call(Resolve { named: named.into(), only: None, beyond_policy: false }).await?;
    Ok(resolved.phone.unwrap_or(resolved.jid))
}

/// The message a phone sent in the beginning.
async fn id_of(world: &World, says: &str) -> String {
    let phones = [&world.anna, &world.ben, &world.mallory];
    let messages = phones.into_iter().flat_map(|phone| phone.messages());
    messages.into_iter().find(|message| message.text.as_deref() == Some(says)).unwrap().id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_out_of_reach_is_not_listed_found_resolved_or_read() {
    let world = World::linked().await;
    let hidden = id_of(&world, "tomatoes from Ben").await;
    let shown = id_of(&world, "tomatoes from Anna").await;
    world.set_policy("[read]\nexcept = ['447700900102']");
    for caller in [Caller::person("terminal"), Caller::assistant("robot")] {
        let bridge = world.open(caller).await;
        let listed = chats(&bridge).await;
        assert!(listed.contains(&format!("+{ANNA}")) && !listed.contains(&format!("+{BEN}")));
        let mut found = search(&bridge, "tomatoes").await;
        found.sort();
        assert_eq!(found, ["tomatoes from Anna", "tomatoes from Mallory"]);
        let all = bridge.call(MessageList::default()).await.unwrap();
        assert!(!all.is_empty());
        assert!(all.iter().all(|message| message.text.as_deref() != Some("tomatoes from Ben")));
        let people = bridge.call(ContactList::default()).await.unwrap();
        assert!(people.iter().any(|person| person.name.as_deref() == Some("Anna Berg")));
        assert!(people.iter().all(|person| person.name.as_deref() != Some("Ben Okafor")));

        for named in
            ["Ben Okafor", "Ben", BEN, &world.ben.jid().to_string(), &world.ben.lid().to_string()]
        {
            let failure = resolve(&bridge, named).await.unwrap_err();
            assert!(matches!(failure.cause, Cause::Forbidden | Cause::NotFound), "{failure}");
            bridge.call(ChatGet { chat: named.into() }).await.unwrap_err();
            let list = MessageList { chat: Some(named.into()), ..MessageList::default() };
            bridge.call(list).await.unwrap_err();
            refused(send(&bridge, named, "no").await, failure.cause);
        }
        let by_id = |id: &str, chat: Option<&str>| MessageContext {
            id: id.into(),
            chat: chat.map(str::to_owned),
            before: None,
            after: None,
        };
        bridge.call(by_id(&shown, None)).await.unwrap();
        refused(bridge.call(by_id(&hidden, None)).await, Cause::NotFound);
        refused(bridge.call(by_id(&hidden, Some(BEN))).await, Cause::Forbidden);
        bridge.close().await.unwrap();
    }
    assert_eq!(crate::support::shown(&world.ben, "no"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_leave_out_what_is_out_of_reach() {
    let world = World::linked().await;
    world.set_policy("[read]\nexcept = ['447700900102']");
    let (owner, guest) = (world.person().await, world.assistant().await);
    let mut streams =
        [owner.events(Some(last(&owner).await)), guest.events(Some(last(&guest).await))];
    world.ben.send_text(&world.ada.jid(), "out of reach").unwrap();
    world.anna.send_text(&world.ada.jid(), "within reach").unwrap();
    let ben = [world.ben.lid().to_string(), world.ben.jid().to_string()];
    for events in &mut streams {
        loop {
            let event = events.next().await.unwrap().unwrap();
            let told = serde_json::to_string(&event).unwrap();
            assert!(!told.contains("out of reach"), "{told}");
            assert!(ben.iter().all(|jid| !told.contains(jid.as_str())), "{told}");
            if let EventView::Message { message } = event {
                // An assistant is told that it came, and reads it by a call.
                assert!(message.text.is_none_or(|text| text == "within reach"));
                assert_ne!(message.chat, world.ben.lid().to_string());
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_out_of_reach_is_no_candidate() {
    let world = World::new().await;
    let other = world.sim.add_account("447700900109", "Anna C").unwrap();
    world.ada.set_contact(&other.jid(), Some("Anna Claes"));
    let bridge = world.person().await;
    world.link(&bridge).await;
    let both = crate::support::until("both names", async || {
        bridge
            .call(Resolve { named: "Anna".into(), only: None, beyond_policy: false })
            .await
            .err()
            .filter(|failure| failure.cause == Cause::Ambiguous)
    })
    .await;
    assert_eq!(both.candidates.len(), 2);
    bridge.close().await.unwrap();

    world.set_policy("[read]\nexcept = ['+44 7700 900109']");
    let bridge = world.person().await;
    assert_eq!(resolve(&bridge, "Anna").await.unwrap(), format!("+{ANNA}"));
    refused(resolve(&bridge, "Anna Claes").await, Cause::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_chats_of_the_list_are_read_and_strangers_can_be_withheld() {
    let world = World::linked().await;
    world.set_policy("[read]\nchats = ['+44 7700 900101']");
    let bridge = world.person().await;
    assert_eq!(search(&bridge, "tomatoes").await, ["tomatoes from Anna"]);
    assert_eq!(chats(&bridge).await, [format!("+{ANNA}")]);
    bridge.close().await.unwrap();

    world.set_policy("[read]\nunknown_senders = 'withheld'");
    let bridge = world.person().await;
    let mut found = search(&bridge, "tomatoes").await;
    found.sort();
    assert_eq!(found, ["tomatoes from Anna", "tomatoes from Ben"]);
    refused(send(&bridge, MALLORY, "no").await, Cause::Forbidden);
    assert_eq!(shown(&world.mallory, "no"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_be_read_may_still_not_be_written_to() {
    let world = World::linked().await;
    let group = world.sim.create_group("Allotment", &[&world.ada, &world.anna]).unwrap();
    world.set_policy("[write]\nchats = ['447700900101']");
    let bridge = world.person().await;
    send(&bridge, ANNA, "to Anna").await.unwrap();
    arrives(&world.anna, "to Anna").await;
    let tomatoes = id_of(&world, "tomatoes from Ben").await;
    let at_ben = |more: Value| {
        let mut request = json!({ "chat": BEN, "id": tomatoes });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    world.sim.listen();
    for (path, request) in [
        ("messages/send", json!({ "chat": BEN, "what": { "kind": "text", "text": "no" } })),
        (
            "messages/send",
            json!({ "chat": group.to_string(), "what": { "kind": "text", "text": "no" } }),
        ),
        ("messages/react", at_ben(json!({ "emoji": "👍" }))),
        ("messages/revoke", at_ben(json!({}))),
        ("messages/edit", at_ben(json!({ "text": "no" }))),
        ("messages/pin", at_ben(json!({ "seconds": 86400 }))),
        (
            "messages/forward",
            json!({ "chat": ANNA, "id": id_of(&world, "tomatoes from Anna").await, "to": BEN }),
        ),
        ("chats/typing", json!({ "chat": BEN, "seconds": 1 })),
        ("chats/disappearing", json!({ "chat": BEN, "seconds": 86400 })),
        ("groups/members", json!({ "group": group.to_string(), "action": "add", "people": [BEN] })),
        ("groups/leave", json!({ "group": group.to_string() })),
        ("groups/create", json!({ "subject": "Us", "people": [BEN] })),
    ] {
        let (status, answer) = world.post(path, &request).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (403, &json!("forbidden")),
            "{path}: {answer}"
        );
    }
    assert_eq!(world.ben.messages().iter().filter(|message| !message.from_me).count(), 0);
    let nothing = bridge.call(SentGet { id: "none".into() }).await;
    refused(nothing, Cause::NotFound);
    assert_eq!(search(&bridge, "tomatoes").await.len(), 3, "all may be read");
}
