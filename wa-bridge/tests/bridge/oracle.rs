//! Counters, cursors and pages say nothing of chats that are out of reach.

use serde_json::{Value, json};
use wa_bridge::{
    Bridge, Cause,
    api::{CatchUp, LastMessage, MessageList, Resolve, Search, Status},
};

use crate::support::{BEN, World, refused, until};

async fn search(bridge: &Bridge, request: Value) -> wa_bridge::api::FoundView {
    let search: Search = serde_json::from_value(request).unwrap();
    bridge.call(search).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_counted_tells_that_an_excluded_person_wrote() {
    let world = World::linked().await;
    world.set_policy(&format!("[read]\nexcept = ['{BEN}']"));
    let (robot, whole) = (world.assistant().await, world.path("account"));
    assert!(whole.exists());
    let counts = async || {
        let status = robot.call(Status::default()).await.unwrap();
        let last = robot.call(LastMessage::default()).await.unwrap();
        (status.messages, status.chats, status.contacts, status.unreadable, status.gaps, last)
    };
    let before = counts().await;
    for _ in 0..3 {
        world.ben.send_text(&world.ada.jid(), "tomatoes, once more").unwrap();
    }
    // Anna's message comes after Ben's, so that his are in the archive when hers is.
    world.anna.send_text(&world.ada.jid(), "tomatoes at last").unwrap();
    let after = until("Anna's message", async || {
        let now = counts().await;
        (now.0 == before.0 + 1).then_some(now)
    })
    .await;
    assert_eq!((before.1, before.2, before.3, before.4), (after.1, after.2, after.3, after.4));
    let taken_in = robot.call(CatchUp {}).await.unwrap();
    assert_eq!((taken_in.messages, taken_in.unreadable), (0, 0));

    for ranked in [false, true] {
        // There are three to see, and as many pages of one.
        let mut request = json!({ "query": "tomatoes", "limit": 1, "ranked": ranked });
        let mut pages = 0;
        loop {
            let page = search(&robot, request.clone()).await;
            assert_eq!(page.hits.len(), 1, "no page is shorter for what it leaves out");
            pages += 1;
            let Some(cursor) = page.cursor else { break };
            request["cursor"] = Value::String(cursor);
        }
        assert_eq!(pages, 3);
    }
    // A word that Ben alone wrote is found no differently from one that nobody did.
    let his = search(&robot, json!({ "query": "once more", "limit": 1 })).await;
    let nobodys = search(&robot, json!({ "query": "zucchini", "limit": 1 })).await;
    assert_eq!((his.hits.len(), his.cursor), (nobodys.hits.len(), nobodys.cursor));
    let mut list = MessageList { limit: Some(1), ..MessageList::default() };
    let mut seen = 0;
    while let [message] = robot.call(list.clone()).await.unwrap().as_slice() {
        seen += 1;
        list.before_seq = Some(message.seq);
    }
    assert_eq!(seen, after.0);
    // His name is as unknown as any.
    let resolve = |named: &str| Resolve { named: named.into(), only: None, beyond_policy: false };
    refused(robot.call(resolve("Ben Okafor")).await, Cause::NotFound);
    refused(robot.call(resolve("Nobody Atall")).await, Cause::NotFound);
}
