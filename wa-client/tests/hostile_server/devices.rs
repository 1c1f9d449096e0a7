//! Devices that the server makes up, or brings back.

use wa_proto::{Jid, Node, NodeContent, OwnedNode};
use wa_sim::Impostor;

use crate::{Scene, settle};

/// Changes the `<user>` about a person in an answer of usync.
fn change_user(answer: &mut OwnedNode, person: &Jid, change: &mut dyn FnMut(&mut OwnedNode)) {
    let is_them = |node: &OwnedNode| {
        node.tag == "user" && node.attrs.jid("jid").is_some_and(|jid| jid.is_same_user(person))
    };
    if is_them(answer) {
        change(answer);
    } else if let NodeContent::Nodes(children) = &mut answer.content {
        children.iter_mut().for_each(|child| change_user(child, person, change));
    }
}

/// Changes every node with this tag, wherever it stands.
fn change_tag(node: &mut OwnedNode, tag: &str, change: &mut dyn FnMut(&mut OwnedNode)) {
    if node.tag == tag {
        change(node);
    }
    if let NodeContent::Nodes(children) = &mut node.content {
        children.iter_mut().for_each(|child| change_tag(child, tag, change));
    }
}

/// The server's own words about a new device of somebody, in every answer: in the list, with this
/// signed list of indexes if any, and with keys where they are asked for.
fn smuggle(scene: &Scene, person: Jid, impostor: &Impostor, signed: Option<Option<Vec<u8>>>) {
    let (listed, bundle) = (impostor.listed(), impostor.bundle());
    let device = impostor.jid().clone();
    scene.hostile.answer(&scene.device(), move |question, mut answer| {
        if question.attrs.is("xmlns", "usync") {
            change_user(&mut answer, &person, &mut |user| {
                change_tag(user, "device-list", &mut |list| {
                    *list = list.clone().child(listed.clone());
                });
                if let Some(signed) = &signed {
                    change_tag(user, "devices", &mut |devices| {
                        let NodeContent::Nodes(parts) = &mut devices.content else { return };
                        parts.retain(|part| part.tag != "key-index-list");
                        parts.extend(signed.clone().map(|signed| {
                            Node::new("key-index-list").attr("ts", "1790000000").bytes(signed)
                        }));
                    });
                }
            });
        }
        if question.find("key").is_some() {
            change_tag(&mut answer, "user", &mut |user| {
                if user.attrs.jid("jid").as_ref() == Some(&device) {
                    *user = bundle.clone();
                }
            });
        }
        Some(answer)
    });
}

/// Makes the client ask for lists anew.
async fn forget_lists(scene: &Scene) {
    let update = Node::new("update").attr("hash", "abcd");
    let of = [scene.bob.jid(), scene.ada.phone.jid()];
    scene
        .say(of.iter().map(|person| {
            scene.stanza("notification", "U1", person).attr("type", "devices").child(update.clone())
        }))
        .await;
}

async fn smuggled(seed: u64, signed: fn(&Scene, &Impostor) -> Option<Option<Vec<u8>>>) {
    let scene = Scene::new(seed).await;
    for person in [scene.bob.lid(), scene.ada.phone.lid()] {
        let mut impostor = Impostor::new(person.with_device(77), 5);
        let signed = signed(&scene, &impostor);
        smuggle(&scene, person, &impostor, signed);
        forget_lists(&scene).await;
        scene.ada.client.send(scene.bob.jid(), "for Bob alone").await.unwrap();
        scene.ada.client.send(scene.group.clone(), "for the group alone").await.unwrap();
        settle().await;
        for stanza in scene.sim.heard(&scene.ada.client.jid().unwrap()) {
            assert!(impostor.reads(&stanza).is_empty(), "a device that was made up reads along");
        }
    }
    scene.holds().await;
}

#[tokio::test(start_paused = true)]
async fn a_device_that_is_merely_listed_is_not_written_to() {
    smuggled(1101, |_, _| None).await;
}

#[tokio::test(start_paused = true)]
async fn a_device_in_a_list_that_nobody_signed_is_not_written_to() {
    smuggled(1102, |_, _| Some(None)).await;
}

#[tokio::test(start_paused = true)]
async fn a_device_in_a_list_that_the_server_signed_is_not_written_to() {
    smuggled(1103, |_, impostor| Some(Some(impostor.key_index_list(1_790_000_000)))).await;
}

#[tokio::test(start_paused = true)]
async fn a_device_in_a_list_that_is_no_list_is_not_written_to() {
    smuggled(1104, |_, _| Some(Some(vec![0xff; 20]))).await;
}

#[tokio::test(start_paused = true)]
async fn a_device_that_a_notice_adds_is_not_written_to_for_that() {
    let scene = Scene::new(1105).await;
    let mut impostor = Impostor::new(scene.bob.lid().with_device(77), 5);
    smuggle(&scene, scene.bob.lid(), &impostor, None);
    let hash = participant_hash(&[scene.bob.lid(), impostor.jid().clone()]);
    let device = Node::new("device").attr("jid", impostor.jid()).attr("key-index", "66");
    for signed in [None, Some(impostor.key_index_list(1_790_000_000))] {
        let list =
            signed.map(|signed| Node::new("key-index-list").attr("ts", "1790000000").bytes(signed));
        let add = Node::new("add").attr("device_hash", hash.clone()).child(device.clone());
        let notice = scene.stanza("notification", "U1", &scene.bob.lid());
        scene.say([notice.attr("type", "devices").child(add.children(list))]).await;
        scene.ada.client.send(scene.bob.jid(), "for Bob alone").await.unwrap();
        settle().await;
    }
    for stanza in scene.sim.heard(&scene.ada.client.jid().unwrap()) {
        assert!(impostor.reads(&stanza).is_empty(), "a device that was made up reads along");
    }
    scene.holds().await;
}

/// `2:` and six bytes of SHA-256 over the sorted addresses.
fn participant_hash(devices: &[Jid]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
    let name = |jid: &Jid| format!("{}.{}:{}@{}", jid.user, jid.agent, jid.device, jid.server);
    let mut names: Vec<String> = devices.iter().map(name).collect();
    names.sort();
    let hash = wa_crypto::sha256(&[names.concat().as_bytes()]);
    format!("2:{}", STANDARD_NO_PAD.encode(&hash[..6]))
}

#[tokio::test(start_paused = true)]
async fn a_companion_that_was_unlinked_does_not_come_back_with_an_old_list() {
    let mut scene = Scene::new(1106).await;
    let companion = scene.bobs_companion().await;
    let device = companion.client.lid().unwrap();
    settle().await;
    scene.watch.connected_meanwhile(&scene.sim);
    scene.ada.client.send(scene.bob.jid(), "to phone and companion").await.unwrap();
    settle().await;
    assert_eq!(companion.texts(&scene.ada.phone.lid()).await, ["to phone and companion"]);
    let old = scene.hostile.key_index_list(&scene.bob.jid()).unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    scene.bob.unlink(device.device).unwrap();
    settle().await;
    // The new list is seen once.
    forget_lists(&scene).await;
    scene.ada.client.send(scene.bob.jid(), "to the phone alone").await.unwrap();
    settle().await;
    // Then the old one is told again, with the device in it.
    let (person, listed) = (scene.bob.lid(), device.clone());
    scene.hostile.answer(&scene.device(), move |question, mut answer| {
        if question.attrs.is("xmlns", "usync") {
            change_user(&mut answer, &person, &mut |user| {
                change_tag(user, "device-list", &mut |list| {
                    let device = Node::new("device").attr("id", listed.device);
                    *list = list.clone().child(device.attr("key-index", listed.device));
                });
                change_tag(user, "key-index-list", &mut |list| {
                    list.content = NodeContent::Bytes(old.clone().into());
                });
            });
        }
        Some(answer)
    });
    forget_lists(&scene).await;
    let last = scene.ada.client.send(scene.bob.jid(), "still to the phone alone").await.unwrap();
    settle().await;
    let said = scene.sim.heard(&scene.ada.client.jid().unwrap());
    let sent: Vec<_> =
        said.iter().filter(|stanza| stanza.attrs.is("id", last.id.as_str())).collect();
    let to = |stanza: &&OwnedNode| {
        let parts = stanza.find("participants").map(|parts| parts.nodes().to_vec());
        parts.unwrap_or_default().iter().any(|to| to.attrs.jid("jid") == Some(device.clone()))
    };
    assert!(!sent.is_empty() && !sent.iter().any(to), "an unlinked companion was written to");
    scene.holds().await;
}

#[tokio::test(start_paused = true)]
async fn whose_phone_has_other_keys_is_named_before_anything_is_written() {
    let scene = Scene::new(1107).await;
    let mut impostor = Impostor::new(scene.bob.lid(), 5);
    smuggle(&scene, Jid::lid("1"), &impostor, None);
    // The session is void, so that keys are asked for.
    let device = scene.bob.lid();
    scene.ada.store.commit(wa_store::Change::DeleteSession(device).into()).await.unwrap();
    let _sent = scene.ada.client.send(scene.bob.jid(), "is it you?").await;
    settle().await;
    let heard = scene.sim.heard(&scene.ada.client.jid().unwrap());
    let _reads: Vec<_> = heard.iter().map(|stanza| impostor.reads(stanza)).collect();
    let mut fresh = [Impostor::new(scene.bob.lid(), 5)];
    scene.holds_against(&mut fresh).await;
}

#[tokio::test(start_paused = true)]
async fn without_one_time_prekeys_a_message_is_sent_all_the_same() {
    let scene = Scene::new(1108).await;
    let cid = scene.sim.add_account("15550300", "Cid").unwrap();
    scene.hostile.answer(&scene.device(), |_, mut answer| {
        change_tag(&mut answer, "user", &mut |user| {
            if let NodeContent::Nodes(parts) = &mut user.content {
                parts.retain(|part| part.tag != "key");
            }
        });
        Some(answer)
    });
    let sent = scene.ada.client.send(cid.jid(), "without a one-time prekey").await.unwrap();
    settle().await;
    assert!(cid.messages().iter().any(|message| message.id == sent.id.as_str()));
    scene.holds().await;
}
