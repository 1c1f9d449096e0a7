//! What was really said, said again, elsewhere, or in another order.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use wa_proto::{Jid, OwnedNode};

use crate::{Scene, settle, watch::archive};

/// The stanza with another value in an attribute, which is added if it is not there.
fn with(mut stanza: OwnedNode, name: &'static str, value: &Jid) -> OwnedNode {
    stanza.attrs.0.retain(|(key, _)| key != name);
    stanza.attr(name, value)
}

fn with_id(mut stanza: OwnedNode, id: &'static str) -> OwnedNode {
    stanza.attrs.0.retain(|(key, _)| key != "id");
    stanza.attr("id", id)
}

/// The messages that were really said to Ada's client: one from Bob, one in the group.
async fn recorded(scene: &Scene) -> Vec<OwnedNode> {
    scene.hostile.remember(&scene.device());
    scene.bob.send_text(&scene.ada.phone.jid(), "said once").unwrap();
    scene.bob.send_text(&scene.group, "said once to all").unwrap();
    settle().await;
    let said = scene.hostile.said(&scene.device());
    let messages: Vec<_> = said.into_iter().filter(|stanza| stanza.tag == "message").collect();
    assert_eq!(messages.len(), 2);
    messages
}

#[tokio::test(start_paused = true)]
async fn what_is_said_again_was_said_once() {
    let scene = Scene::new(1301).await;
    let messages = recorded(&scene).await;
    let before = archive(&scene.ada).await.len();
    scene.say(messages.clone()).await;
    scene.say(messages.iter().rev().cloned()).await;
    scene.say(messages.iter().map(|message| with_id(message.clone(), "R1"))).await;
    let kept = archive(&scene.ada).await;
    let said = kept.iter().filter(|message| message.text.is_some()).count();
    assert_eq!(said, before, "nothing is archived twice");
    scene.holds().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_said_in_one_chat_is_not_said_in_another() {
    let scene = Scene::new(1302).await;
    let messages = recorded(&scene).await;
    let other = scene.sim.create_group("Other", &[&scene.bob, &scene.ada.phone]).unwrap();
    let cid = scene.sim.add_account("15550300", "Cid").unwrap();
    settle().await;
    let mut attacks = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let in_other = with(with(message.clone(), "from", &other), "participant", &scene.bob.lid());
        attacks.push(in_other.clone());
        attacks.push(with_id(in_other, ["R1", "R2"][at]));
        let by_cid = with(message.clone(), "participant", &cid.lid());
        attacks.push(with(by_cid, "from", &other));
        attacks.push(with(message.clone(), "from", &cid.lid()));
        attacks.push(with(message.clone(), "from", &scene.ada.phone.lid()));
    }
    scene.say(attacks).await;
    scene.holds().await;
}

#[tokio::test(start_paused = true)]
async fn messages_in_another_order_all_arrive_once() {
    let scene = Scene::new(1303).await;
    let kept: Arc<Mutex<Vec<OwnedNode>>> = Arc::default();
    let back = Arc::clone(&kept);
    scene.hostile.tamper(&scene.device(), move |stanza| {
        if stanza.tag != "message" {
            return vec![stanza];
        }
        back.lock().unwrap().push(stanza);
        Vec::new()
    });
    let mut expected = Vec::new();
    for number in 0..20 {
        let said = format!("number {number}");
        let to = if number % 3 == 0 { scene.group.clone() } else { scene.ada.phone.jid() };
        scene.bob.send_text(&to, said.clone()).unwrap();
        expected.push(said);
    }
    settle().await;
    scene.hostile.relent(&scene.device());
    let mut late = std::mem::take(&mut *kept.lock().unwrap());
    assert_eq!(late.len(), 20);
    late.reverse();
    scene.say(late).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let texts: Vec<_> =
        archive(&scene.ada).await.into_iter().filter_map(|kept| kept.text).collect();
    for said in expected {
        let count = texts.iter().filter(|text| **text == said).count();
        assert_eq!(count, 1, "{said}");
    }
    scene.holds().await;
}

#[tokio::test(start_paused = true)]
async fn an_own_message_stands_in_the_chat_that_the_own_device_named() {
    let scene = Scene::new(1304).await;
    let cid = scene.sim.add_account("15550300", "Cid").unwrap();
    let (to, number) = (cid.lid(), cid.jid());
    scene.hostile.tamper(&scene.device(), move |stanza| {
        if stanza.tag != "message" || stanza.attrs.value("recipient").is_none() {
            return vec![stanza];
        }
        let moved = with(with(stanza, "recipient", &to), "peer_recipient_pn", &number);
        vec![moved]
    });
    scene.ada.phone.send_text(&scene.bob.jid(), "for Bob").unwrap();
    settle().await;
    assert!(scene.ada.archive(&cid.lid()).await.is_empty());
    assert!(scene.ada.texts(&scene.bob.lid()).await.contains(&"for Bob".to_owned()));
    scene.holds().await;
}

#[tokio::test(start_paused = true)]
async fn words_about_what_is_not_there_leave_nothing_behind() {
    let scene = Scene::new(1305).await;
    let rows = async || {
        let store = &scene.ada.store;
        let chats = store.chats(&wa_store::ChatQuery::default()).await.unwrap().len();
        (archive(&scene.ada).await.len(), chats, store.groups().await.unwrap().len())
    };
    let before = rows().await;
    for number in 0..1_000_u32 {
        let stanza = |tag: &'static str| {
            wa_proto::Node::new(tag)
                .attr("id", format!("N{number}"))
                .attr("from", scene.bob.lid())
                .attr("t", scene.sim.now())
        };
        let subject = wa_proto::Node::new("subject").attr("subject", "x");
        let unknown = wa_proto::Node::new("ack")
            .attr("class", "message")
            .attr("id", format!("N{number}"))
            .attr("from", scene.bob.lid());
        for said in [
            stanza("receipt").attr("type", "read"),
            stanza("receipt").attr("type", "server-error"),
            stanza("notification").attr("type", "psa").child(subject),
            unknown,
        ] {
            assert!(scene.hostile.say(&scene.device(), said));
        }
    }
    settle().await;
    assert_eq!(rows().await, before);
    scene.holds().await;
}
