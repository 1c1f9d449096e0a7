//! Every known stanza with each of its parts missing, doubled, of another type, or huge.
//!
//! One answer each: an ack, a receipt or a nack under the stanza's id; what asks the sender to send
//! again (a retry receipt) is none, and comes beside it. None goes to stanzas that
//! nobody answers (`presence`, `chatstate`, `ib`, `ack`, answers to questions), and none can go to
//! those that do not say whom to answer: without a readable `id` and `from`. What is no stanza at
//! all is not said here; it ends the connection, as does the server's own word that it is over.

use std::time::Duration;

use wa_client::Event;
use wa_proto::{OwnedNode, samples::Damaged};

use crate::{Scene, log::Log, settle};

/// How many answers a stanza gets.
fn answers_due(stanza: &OwnedNode) -> usize {
    let has_id = stanza.attrs.value("id").is_some();
    let has_sender = stanza.attrs.jid("from").is_some();
    // One of an unreadable type is refused.
    let is_question = !stanza.attrs.is("type", "result") && !stanza.attrs.is("type", "error");
    let is_answered = match stanza.tag.as_ref() {
        "message" | "receipt" | "notification" | "call" | "novelty" => has_id && has_sender,
        "iq" => has_id && is_question,
        _ => false,
    };
    usize::from(is_answered)
}

/// How often a stanza was answered.
fn answers(heard: &[OwnedNode], stanza: &OwnedNode) -> usize {
    let Some(id) = stanza.attrs.text("id") else { return 0 };
    let is_answer = |said: &&OwnedNode| match said.tag.as_ref() {
        "ack" => said.attrs.text("id") == Some(id.clone()),
        "receipt" => said.attrs.text("id") == Some(id.clone()) && !said.attrs.is("type", "retry"),
        "iq" => {
            let is_result = said.attrs.is("type", "result") || said.attrs.is("type", "error");
            is_result && said.attrs.text("id") == Some(id.clone())
        }
        _ => false,
    };
    heard.iter().filter(is_answer).count()
}

#[tokio::test(start_paused = true)]
async fn a_damaged_stanza_gets_one_answer_and_stops_nothing() {
    let scene = Scene::new(1501).await;
    let (log, _listening) = Log::listen();
    let device = scene.device();
    let jid = scene.ada.client.jid().unwrap();
    // They are about Cid, and Bob writes: of a person who is said to be set up anew, the keys that
    // were known are refused from then on.
    let cid = scene.sim.add_account("15550300", "Cid").unwrap();
    cid.send_text(&scene.ada.phone.jid(), "hello").unwrap();
    settle().await;
    let mut count = 0;
    for (sample, damaged) in scene.hostile.damaged(&device, &cid.lid(), &scene.group) {
        let name = sample.name;
        let connections = scene.sim.stats().connections_accepted;
        // A few at a time, so that their answers fit what is remembered.
        for some in damaged.chunks(200) {
            scene.sim.listen();
            for Damaged { stanza, .. } in some {
                count += 1;
                assert!(scene.hostile.say(&device, stanza.clone()), "{name}: not connected");
            }
            settle().await;
            let heard = scene.sim.heard(&jid);
            for Damaged { what, stanza } in some {
                let (due, given) = (answers_due(stanza), answers(&heard, stanza));
                let is_shared = shares_id(some, stanza);
                // What the server does not keep until it is answered may also stay without one.
                let is_kept = wa_proto::stanza::Class::of(&stanza.tag).is_some();
                let is_right = given == due || is_shared || !is_kept && given <= 1;
                let said = || {
                    let is_it =
                        |said: &&OwnedNode| said.attrs.text("id") == stanza.attrs.text("id");
                    heard.iter().filter(is_it).collect::<Vec<_>>()
                };
                assert!(is_right, "{name}, {what}: {given} answers, not {due}: {:?}", said());
            }
        }
        let text = log.take();
        assert!(!text.contains("panicked"), "{name}: {text}");
        let now = scene.sim.stats().connections_accepted;
        assert_eq!(now, connections, "{name}: the client connected again");
        let id = scene.bob.send_text(&scene.ada.phone.jid(), name).unwrap();
        settle().await;
        let kept = scene.ada.store.messages_with_id(&id.as_str().into()).await.unwrap();
        assert_eq!(kept.len(), 1, "{name}: a message is not received afterwards");
        assert_eq!(kept[0].text.as_deref(), Some(name));
    }
    assert!(count > 3_000, "{count}");
    scene.holds().await;
}

/// Whether the id is no stanza's own, because it is what was damaged.
fn shares_id(all: &[Damaged], stanza: &OwnedNode) -> bool {
    // A question without an id is answered as one whose id is empty.
    let id = |stanza: &OwnedNode| stanza.attrs.text("id").unwrap_or_default().into_owned();
    all.iter().filter(|other| id(&other.stanza) == id(stanza)).count() > 1
}

#[tokio::test(start_paused = true)]
async fn a_damaged_end_of_a_connection_unlinks_nobody_and_the_client_can_come_back() {
    let mut scene = Scene::new(1502).await;
    let (log, _listening) = Log::listen();
    let cast = scene.hostile.cast(&scene.device(), &scene.bob.lid(), &scene.group).unwrap();
    for sample in wa_proto::samples::endings(&cast) {
        for Damaged { what, stanza } in wa_proto::samples::damage(&sample.stanza) {
            let what = format!("{}, {what}", sample.name);
            assert!(scene.hostile.say(&scene.device(), stanza), "{what}");
            tokio::time::sleep(Duration::from_secs(1800)).await;
            // A server can refuse to serve a device; that is no reason to forget the account.
            if !scene.ada.stats().connected {
                scene.ada.client.connect().unwrap();
                settle().await;
            }
            assert!(scene.ada.stats().connected, "{what}: it cannot come back");
            while let Some(event) = scene.ada.events.try_next() {
                assert!(!matches!(event, Event::LoggedOut { .. }), "{what}: it logged out");
            }
        }
        let text = log.take();
        assert!(!text.contains("panicked"), "{}: {text}", sample.name);
    }
    scene.watch.connected_meanwhile(&scene.sim);
    scene.holds().await;
}
