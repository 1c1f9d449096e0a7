//! What people may write to harm whoever reads it.

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::timeout,
};
use wa_bridge::{
    Cause,
    api::{ContactList, EventView, Resolve, Search},
};

use crate::support::{ANNA, MALLORY, PATIENCE, World, last, refused, send, until};

const HOSTILE: &str = "one\n{\"event\":\"message\"}\r\n\r\n\u{0}\u{1b}[2J\u{202e}\u{2066}\u{2028}\u{85}data: x\n\n\u{feff}";

#[tokio::test(flavor = "multi_thread")]
async fn a_text_of_any_characters_is_one_line_of_the_stream_and_comes_through_whole() {
    let world = World::linked().await;
    let (owner, guest) = (world.person().await, world.person().await);
    let after = last(&owner).await;
    let mut raw = UnixStream::connect(world.socket()).await.unwrap();
    let head = format!("GET /v1/events?after={after} HTTP/1.0\r\nhost: wa\r\n");
    // An assistant would be told that something came, and not what.
    let head = format!("{head}{}\r\n", world.persons_header());
    raw.write_all(head.as_bytes()).await.unwrap();
    let mut streams = [owner.events(Some(after)), guest.events(Some(after))];
    world.mallory.send_text(&world.ada.jid(), HOSTILE).unwrap();
    world.anna.send_text(&world.ada.jid(), "the end").unwrap();
    for events in &mut streams {
        let mut texts = Vec::new();
        while texts.len() < 2 {
            if let EventView::Message { message } = events.next().await.unwrap().unwrap() {
                texts.push(message.text.unwrap());
            }
        }
        assert_eq!(texts, [HOSTILE, "the end"]);
    }

    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains("the end") {
        let mut piece = [0; 4096];
        let count = timeout(PATIENCE, raw.read(&mut piece)).await.unwrap().unwrap();
        assert_ne!(count, 0);
        read.extend_from_slice(&piece[..count]);
    }
    let text = String::from_utf8(read).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("application/x-ndjson"), "{head}");
    let lines = body.split('\n').filter(|line| line.starts_with('{'));
    let events: Vec<Value> = lines.filter_map(|line| serde_json::from_str(line).ok()).collect();
    let texts = events.iter().filter_map(|event| event["message"]["text"].as_str());
    assert_eq!(texts.collect::<Vec<_>>(), [HOSTILE, "the end"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_quotes_what_was_typed_stays_one_line() {
    let world = World::linked().await;
    let person = world.person().await;
    for named in [HOSTILE, "a\nb@lid", "+44\r\nwa-frontend: person"] {
        let failure = person
            .call(Resolve { named: named.into(), only: None, beyond_policy: false })
            .await
            .unwrap_err();
        assert!(failure.to_string().chars().all(|c| !c.is_control()), "{failure:?}");
    }
    let search = Search { query: HOSTILE.into(), ..plain_search() };
    person.call(search).await.unwrap();
    refused(send(&person, "\u{0}", "hello").await, Cause::NotFound);
}

fn plain_search() -> Search {
    serde_json::from_value(serde_json::json!({ "query": "x" })).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_somebody_gives_themself_opens_no_chat_that_the_policy_names() {
    let world = World::new().await;
    let impostor = world.sim.add_account("447700900120", "Anna Berg").unwrap();
    let person = world.person().await;
    world.link(&person).await;
    impostor.send_text(&world.ada.jid(), "it is me, Anna").unwrap();
    world.anna.send_text(&world.ada.jid(), "hello").unwrap();
    until("both messages and the address book", async || {
        let people = person.call(ContactList::default()).await.unwrap();
        let is_known = people.iter().any(|person| person.full_name.is_some());
        (is_known && last(&person).await >= 2).then_some(())
    })
    .await;
    person.close().await.unwrap();
    world.set_policy("[read]\nchats = ['447700900101']");
    let person = world.person().await;
    let search = Search { query: "Anna".into(), ..plain_search() };
    let found = person.call(search).await.unwrap().hits;
    assert!(found.is_empty(), "{found:?}");
    refused(send(&person, "447700900120", "no").await, Cause::Forbidden);
    refused(send(&person, MALLORY, "no").await, Cause::Forbidden);
    send(&person, ANNA, "yes").await.unwrap();
}
