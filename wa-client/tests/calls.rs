//! Calls: seen, turned down, missed.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod handmade;
mod parties;

use handmade::{all_said, device};
use parties::{Party, ada_and_bob, settle};
use wa_client::{CallEvent, CallState, Error, Event};
use wa_proto::{Jid, Node};

async fn call(party: &mut Party) -> CallEvent {
    party
        .until(|event| match event {
            Event::Call(call) => Some(call.clone()),
            _ => None,
        })
        .await
}

fn kinds(party: &[wa_store::ArchivedMessage]) -> Vec<String> {
    party.iter().map(|message| message.kind.as_str().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_call_that_rings_is_told_with_who_calls_by_lid() {
    let (sim, mut ada, bob) = ada_and_bob(601).await;
    let id = bob.phone.call(&ada.phone.jid(), true);
    let told = call(&mut ada).await;
    assert_eq!((told.id, told.caller), (id, bob.phone.lid()));
    assert!(told.is_video && !told.was_offline && told.group.is_none());
    assert_eq!((told.state, told.timestamp), (CallState::Ringing, sim.now()));
    settle().await;
    assert_eq!(ada.stats().acks_owed, 0, "each word about a call is acknowledged");
}

#[tokio::test(start_paused = true)]
async fn a_call_is_turned_down_without_a_token() {
    let (sim, mut ada, bob) = ada_and_bob(602).await;
    sim.listen();
    let id = bob.phone.call(&ada.phone.jid(), false);
    let told = call(&mut ada).await;
    ada.client.reject_call(&told.id, &told.caller).await.unwrap();
    settle().await;
    let answered = bob.phone.calls().pop().unwrap();
    assert_eq!((answered.id, answered.by, answered.word), (id, ada.phone.jid(), "reject"));
    let said = all_said(&ada, "call").remove(0);
    assert!(said.find("tctoken").is_none() && said.attrs.value("id").is_some());
    let reject = said.find("reject").unwrap();
    assert!(reject.nodes().is_empty());
    // What ends afterwards was not missed.
    bob.phone.end_call(&ada.phone.jid(), &told.id, None);
    let ended = call(&mut ada).await;
    assert_eq!(ended.state, CallState::Ended { reason: None, is_missed: false });
    assert!(ada.archive(&bob.phone.lid()).await.is_empty());
    let refused = ada.client.reject_call("x", &Jid::group("1")).await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))));
}

#[tokio::test(start_paused = true)]
async fn a_missed_call_stands_in_its_chat_once() {
    let (sim, mut ada, bob) = ada_and_bob(603).await;
    let id = bob.phone.call(&ada.phone.jid(), true);
    call(&mut ada).await;
    bob.phone.end_call(&ada.phone.jid(), &id, Some("timeout"));
    assert_eq!(ada.message().await.id, id);
    let ended = call(&mut ada).await;
    assert_eq!(
        ended.state,
        CallState::Ended { reason: Some("timeout".to_owned()), is_missed: true }
    );
    assert!(ended.is_video, "as it was when it rang");
    let archive = ada.archive(&bob.phone.lid()).await;
    assert_eq!(kinds(&archive), ["call-log"]);
    // The same call told again is the same row.
    for word in ["offer", "terminate"] {
        let word =
            Node::new(word).attr("call-id", id.clone()).attr("call-creator", bob.phone.lid());
        let stanza = Node::new("call")
            .attr("id", format!("again-{}", word.tag))
            .attr("from", bob.phone.lid())
            .attr("t", sim.now())
            .child(word);
        sim.deliver(&device(&ada), stanza);
    }
    settle().await;
    assert_eq!(ada.archive(&bob.phone.lid()).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_taken_on_the_phone_was_not_missed() {
    let (_sim, mut ada, bob) = ada_and_bob(604).await;
    let id = bob.phone.call(&ada.phone.jid(), false);
    call(&mut ada).await;
    ada.phone.accept_call(&bob.phone.jid(), &id);
    let ended = call(&mut ada).await;
    let reason = Some("accepted_elsewhere".to_owned());
    assert_eq!(ended.state, CallState::Ended { reason, is_missed: false });
    assert!(ada.archive(&bob.phone.lid()).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_came_while_this_device_was_away_is_told_as_such_and_archived() {
    let (_sim, ada, bob) = ada_and_bob(605).await;
    ada.client.disconnect().await;
    let id = bob.phone.call(&ada.phone.jid(), false);
    bob.phone.end_call(&ada.phone.jid(), &id, Some("timeout"));
    let mut ada = ada.restart(None).await;
    ada.client.connect().unwrap();
    assert!(call(&mut ada).await.was_offline);
    assert_eq!(ada.message().await.id, id);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_called_is_named() {
    let (sim, mut ada, bob) = ada_and_bob(606).await;
    let group = sim.create_group("two", &[&bob.phone, &ada.phone]).unwrap();
    let id = bob.phone.call(&group, true);
    let told = call(&mut ada).await;
    assert_eq!((told.id.clone(), told.group), (id.clone(), Some(group.clone())));
    assert!(told.is_video);
    bob.phone.end_call(&group, &id, Some("timeout"));
    assert_eq!(ada.message().await.chat, group);
}
