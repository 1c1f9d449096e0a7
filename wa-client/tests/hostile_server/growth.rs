//! A server that says very much: what is kept of it has bounds, in memory and on disk.

use std::time::Duration;

use wa_proto::{Jid, Node, OwnedNode};
use wa_sim::Impostor;
use wa_store::{ChatQuery, ContactQuery};

use crate::{Scene, settle, text, watch::archive};

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// Says many stanzas, and lets the client deal with some at a time.
async fn say_all(scene: &Scene, stanzas: impl IntoIterator<Item = OwnedNode>) {
    for (at, stanza) in stanzas.into_iter().enumerate() {
        assert!(scene.hostile.say(&scene.device(), stanza));
        if at % 200 == 199 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn unreadable(scene: &Scene, from: &Jid, id: String) -> OwnedNode {
    let stanza = Node::new("message").attr("id", id).attr("from", from).attr("type", "text");
    let enc = Node::new("enc").attr("v", "2").attr("type", "msg").bytes(vec![0x33; 60]);
    stanza.attr("t", scene.sim.now()).child(enc)
}

#[tokio::test(start_paused = true)]
async fn thousands_of_unreadable_messages_ask_the_phone_for_512_at_a_time() {
    let scene = Scene::new(1801).await;
    let (rows, before) = (archive(&scene.ada).await.len(), tasks());
    let bob = scene.bob.lid();
    // Every one of them twice.
    let ids = || (0..700).map(|number| format!("U{number}"));
    say_all(&scene, ids().chain(ids()).map(|id| unreadable(&scene, &bob, id))).await;
    settle().await;
    assert!(tasks() <= before + 512 + 8, "{} tasks, {before} before", tasks());
    let kept = archive(&scene.ada).await.len();
    assert_eq!(kept, rows + 700, "one row for each message that may be missing");
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert!(scene.ada.store.placeholders(10_000).await.unwrap().len() <= 700);
    scene.holds().await;
}

#[tokio::test(start_paused = true)]
async fn devices_that_nobody_vouches_for_leave_no_keys_behind() {
    let scene = Scene::new(1802).await;
    let bundle = scene.hostile.bundle(&scene.device()).unwrap();
    let mut impostor = Impostor::new(scene.bob.lid().with_device(77), 5);
    let sealed = impostor.seal(&bundle, &text("it is me, on another device")).unwrap();
    let devices = || (100..1_600).map(|device| scene.bob.lid().with_device(device));
    let from = |device: Jid| {
        let id = format!("V{}", device.device);
        let stanza = Node::new("message").attr("id", id).attr("from", device).attr("type", "text");
        stanza.attr("t", scene.sim.now()).child(sealed.clone())
    };
    let before = scene.ada.store.session_devices(&scene.bob.lid()).await.unwrap();
    say_all(&scene, devices().map(from)).await;
    settle().await;
    assert_eq!(scene.ada.store.session_devices(&scene.bob.lid()).await.unwrap(), before);
    let devices: Vec<Jid> = devices().collect();
    assert!(scene.ada.store.identities(&devices).await.unwrap().is_empty());
    assert!(scene.ada.store.device_vouchers(&devices).await.unwrap().is_empty());
    tokio::time::sleep(Duration::from_secs(300)).await;
    scene.holds().await;
}

/// Whoever has Bob's phone can say anything as Bob, but not make the client's record of him large.
#[tokio::test(start_paused = true)]
async fn sessions_and_skipped_keys_of_one_device_stay_below_150_kilobytes() {
    let scene = Scene::new(1803).await;
    let mut thief = scene.hostile.steal_phone(&scene.bob.jid(), 7).unwrap();
    let bundle = scene.hostile.bundle(&scene.device()).unwrap();
    let hello = text("hello");
    let mut stanzas = Vec::new();
    for number in 0..40 {
        // 250 messages that never come, then one that does.
        for _ in 0..250 {
            scene.hostile.seal(&mut thief, &scene.device(), &hello).unwrap();
        }
        let late = scene.hostile.seal(&mut thief, &scene.device(), &hello).unwrap();
        let first = thief.seal_first(&bundle, &hello).unwrap();
        for (kind, enc) in [("L", late), ("F", first)] {
            let id = format!("{kind}{number}");
            let stanza = Node::new("message").attr("id", id).attr("from", scene.bob.lid());
            stanzas.push(stanza.attr("type", "text").attr("t", scene.sim.now()).child(enc));
        }
    }
    say_all(&scene, stanzas).await;
    settle().await;
    let read =
        archive(&scene.ada).await.iter().filter(|kept| kept.key.id.as_str() == "L39").count();
    assert_eq!(read, 1, "the thief is Bob, as far as anybody knows");
    let record = scene.ada.store.session(&scene.bob.lid()).await.unwrap().unwrap();
    assert!(record.as_bytes().len() < 150_000, "{} bytes", record.as_bytes().len());
}

#[tokio::test(start_paused = true)]
async fn a_number_that_moves_a_thousand_times_is_one_persons() {
    let scene = Scene::new(1804).await;
    let phone = Jid::phone("15559999");
    let lid = |number: u32| Jid::lid(format!("8{number:09}"));
    let counts = async || {
        let store = &scene.ada.store;
        let chats = store.chats(&ChatQuery::default()).await.unwrap().len();
        (chats, store.contacts(&ContactQuery::default()).await.unwrap().len())
    };
    let before = counts().await;
    let moved = |number: u32| {
        Node::new("notification")
            .attr("id", format!("M{number}"))
            .attr("from", &phone)
            .attr("type", "devices")
            .attr("t", scene.sim.now())
            .attr("lid", lid(number))
            .child(Node::new("update").attr("hash", "abcd"))
    };
    say_all(&scene, (0..1_000).map(moved)).await;
    settle().await;
    let last = scene.ada.store.lid_of(&phone).await.unwrap().unwrap();
    let lids: Vec<Jid> = (0..1_000).map(lid).collect();
    let named = scene.ada.store.phones_of(&lids).await.unwrap();
    assert_eq!(named.into_keys().collect::<Vec<_>>(), [last], "a number is one person's");
    let after = counts().await;
    assert!(after.0 == before.0 && after.1 <= before.1 + 1, "{before:?}, then {after:?}");
    scene.holds().await;
}
