//! People who lost their phone and were set up anew, and a server in league with whoever has it.

use wa_proto::{Jid, OwnedNode, pb};
use wa_signal::{SenderKeyRecord, padding};
use wa_sim::{Phone, StolenPhone};

use crate::{Scene, handmade::rng, settle, text, watch::archive};

/// What the thief says with the phone's keys, each in another way.
struct Attack {
    stanzas: Vec<OwnedNode>,
}

impl Attack {
    /// In the old session, in one that is begun, and in the group.
    fn by(scene: &Scene, phone: &mut StolenPhone, whose: &Phone, ids: [&'static str; 3]) -> Self {
        let [old, new, group] = ids;
        let pay = pay();
        let bundle = scene.hostile.bundle(&scene.device()).unwrap();
        let in_session = scene.hostile.seal(phone, &scene.device(), &pay).unwrap();
        let begun = phone.seal_first(&bundle, &pay).unwrap();
        let to_all = phone.seal_for_group(&scene.group.user, &pay).unwrap();
        let in_group = scene.message(group, &scene.group).attr("participant", whose.lid());
        let stanzas = vec![
            scene.message(old, &whose.lid()).child(in_session),
            scene.message(new, &whose.lid()).child(begun),
            in_group.child(to_all),
        ];
        Self { stanzas }
    }
}

fn pay() -> pb::Message {
    text("pay 100 to the thief")
}

/// From now on the server keeps its own notices from the client.
fn without_notices(scene: &Scene) {
    scene.hostile.tamper(&scene.device(), |stanza| {
        if stanza.tag == "notification" { Vec::new() } else { vec![stanza] }
    });
}

async fn is_paid(scene: &Scene) -> bool {
    archive(&scene.ada)
        .await
        .iter()
        .any(|kept| kept.text.as_deref() == Some("pay 100 to the thief"))
}

async fn on_file(scene: &Scene, phone: &Jid) -> Option<wa_crypto::PublicKey> {
    scene.ada.store.identity(phone).await.unwrap()
}

async fn robbed(seed: u64, with_notices: bool, writes_first: bool) {
    let scene = Scene::new(seed).await;
    let mut stolen = scene.hostile.steal_phone(&scene.bob.jid(), 7).unwrap();
    // As long as nobody knows, the thief is Bob.
    assert_eq!(on_file(&scene, &scene.bob.lid()).await, Some(stolen.identity()));
    let first = Attack::by(&scene, &mut stolen, &scene.bob, ["S1", "S2", "S3"]);
    if !with_notices {
        without_notices(&scene);
    }
    scene.bob.set_up_anew();
    settle().await;
    if writes_first {
        scene.bob.send_text(&scene.ada.phone.jid(), "I have a new phone").unwrap();
        scene.bob.send_text(&scene.group, "my number is the same").unwrap();
        settle().await;
    }
    scene.say(first.stanzas.clone()).await;
    let second = Attack::by(&scene, &mut stolen, &scene.bob, ["S4", "S5", "S6"]);
    scene.say(second.stanzas).await;
    scene.say(first.stanzas).await;
    tokio::time::sleep(std::time::Duration::from_secs(300)).await;
    assert!(!is_paid(&scene).await, "the thief speaks in Bob's name");
    assert_ne!(on_file(&scene, &scene.bob.lid()).await, Some(stolen.identity()));
    // Bob is heard, and hears.
    let said = scene.bob.send_text(&scene.group, "who wrote that?").unwrap();
    settle().await;
    let kept = scene.ada.store.messages_with_id(&said.as_str().into()).await.unwrap();
    let texts: Vec<_> = kept.iter().map(|message| message.text.as_deref()).collect();
    assert_eq!(texts, [Some("who wrote that?")]);
    let sent = scene.ada.client.send(scene.bob.jid(), "not me").await.unwrap();
    settle().await;
    assert!(scene.bob.messages().iter().any(|message| message.id == sent.id.as_str()));
    scene.holds().await;
}

#[tokio::test(start_paused = true)]
async fn a_stolen_phone_does_not_speak_after_its_owner_was_set_up_anew() {
    robbed(1701, true, true).await;
}

#[tokio::test(start_paused = true)]
async fn a_stolen_phone_does_not_speak_after_the_notice_alone() {
    robbed(1702, true, false).await;
}

#[tokio::test(start_paused = true)]
async fn a_stolen_phone_does_not_speak_where_the_server_kept_the_notice_back() {
    robbed(1703, false, true).await;
}

/// The companion that was linked with the old phone is no companion of the new one.
#[tokio::test(start_paused = true)]
async fn a_companion_of_the_old_phone_does_not_speak_for_the_new_one() {
    let mut scene = Scene::new(1704).await;
    let companion = scene.bobs_companion().await;
    settle().await;
    let device = companion.client.lid().unwrap();
    companion.client.send(scene.ada.phone.jid(), "from my laptop").await.unwrap();
    companion.client.send(scene.group.clone(), "to all from my laptop").await.unwrap();
    scene.ada.client.send(scene.bob.jid(), "got it").await.unwrap();
    settle().await;
    companion.client.send(scene.ada.phone.jid(), "good").await.unwrap();
    settle().await;
    // Whoever has the laptop keeps its keys, whatever it is told.
    let in_session = crate::handmade::sealed(&companion, &scene.ada, &pay()).await;
    let key = companion.store.sender_key(&scene.group, &device).await.unwrap().unwrap();
    let key = SenderKeyRecord::from_bytes(key.as_bytes()).unwrap();
    let padded = padding::pad(prost::Message::encode_to_vec(&pay()), &mut rng(3));
    let to_all = crate::handmade::enc("skmsg", key.encrypt(&padded, &mut rng(4)).unwrap().1);
    assert!(in_session.attrs.is("type", "msg"));

    without_notices(&scene);
    scene.bob.set_up_anew();
    scene.bob.send_text(&scene.ada.phone.jid(), "I have a new phone").unwrap();
    settle().await;
    scene.watch.connected_meanwhile(&scene.sim);
    let in_group = scene.message("S2", &scene.group).attr("participant", &device);
    let direct = scene.message("S1", &device).child(in_session);
    scene.say([direct, in_group.child(to_all)]).await;
    tokio::time::sleep(std::time::Duration::from_secs(300)).await;
    assert!(!is_paid(&scene).await, "the old laptop speaks in Bob's name");
    scene.holds().await;
}

/// Also without a new phone: the laptop was stolen, and Bob took it off his account.
#[tokio::test(start_paused = true)]
async fn a_companion_that_was_unlinked_does_not_speak_in_groups() {
    let mut scene = Scene::new(1705).await;
    let companion = scene.bobs_companion().await;
    settle().await;
    let device = companion.client.lid().unwrap();
    companion.client.send(scene.group.clone(), "to all from my laptop").await.unwrap();
    settle().await;
    let key = companion.store.sender_key(&scene.group, &device).await.unwrap().unwrap();
    let key = SenderKeyRecord::from_bytes(key.as_bytes()).unwrap();
    let padded = padding::pad(prost::Message::encode_to_vec(&pay()), &mut rng(3));
    let to_all = crate::handmade::enc("skmsg", key.encrypt(&padded, &mut rng(4)).unwrap().1);
    scene.bob.unlink(device.device).unwrap();
    settle().await;
    scene.watch.connected_meanwhile(&scene.sim);
    let in_group = scene.message("S2", &scene.group).attr("participant", &device);
    scene.say([in_group.child(to_all)]).await;
    tokio::time::sleep(std::time::Duration::from_secs(300)).await;
    assert!(!is_paid(&scene).await, "the old laptop speaks in Bob's name");
    scene.holds().await;
}
