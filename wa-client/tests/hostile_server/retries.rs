//! Requests to send messages again, from those who never were to read them.

use wa_proto::Jid;
use wa_sim::Impostor;

use crate::{Scene, settle};

/// A message to Bob and one to the group, and then everybody asks for them.
async fn asked_for(seed: u64, who: impl Fn(&Scene) -> Jid) {
    let scene = Scene::new(seed).await;
    let to_bob = scene.ada.client.send(scene.bob.jid(), "for Bob alone").await.unwrap().id;
    let to_all = scene.ada.client.send(scene.group.clone(), "for the group").await.unwrap().id;
    settle().await;
    let mut impostor = Impostor::new(who(&scene), 5);
    for count in [1, 2, 3] {
        let now = scene.sim.now();
        let direct = impostor.retry(to_bob.as_str(), count, now);
        let mut in_group = impostor.retry(to_all.as_str(), count, now);
        for (name, value) in &mut in_group.attrs.0 {
            if name == "from" {
                *value = scene.group.clone().into();
            }
        }
        let in_group = in_group.attr("participant", impostor.jid());
        scene.say([direct, in_group]).await;
    }
    settle().await;
    for stanza in scene.sim.heard(&scene.ada.client.jid().unwrap()) {
        assert!(impostor.reads(&stanza).is_empty(), "a message was sent again to anybody");
    }
    scene.holds().await;
}

#[tokio::test(start_paused = true)]
async fn a_new_device_of_the_recipient_gets_nothing_sent_again() {
    asked_for(1201, |scene| scene.bob.lid().with_device(77)).await;
}

#[tokio::test(start_paused = true)]
async fn a_new_device_of_the_account_gets_nothing_sent_again() {
    asked_for(1202, |scene| scene.ada.phone.lid().with_device(77)).await;
}

#[tokio::test(start_paused = true)]
async fn a_stranger_gets_nothing_sent_again() {
    asked_for(1203, |_| Jid::lid("900000000000666")).await;
}

#[tokio::test(start_paused = true)]
async fn the_recipients_phone_with_other_keys_is_named_before_anything_is_sent_again() {
    let scene = Scene::new(1204).await;
    let id = scene.ada.client.send(scene.bob.jid(), "for Bob alone").await.unwrap().id;
    settle().await;
    let mut impostors = [Impostor::new(scene.bob.lid(), 5)];
    for count in [1, 2] {
        let retry = impostors[0].retry(id.as_str(), count, scene.sim.now());
        scene.say([retry]).await;
    }
    scene.holds_against(&mut impostors).await;
}
