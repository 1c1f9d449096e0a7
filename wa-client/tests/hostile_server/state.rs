//! Old app state, and what is none.

use wa_proto::{Node, NodeContent, OwnedNode, app_state::Collection};

use crate::{Scene, settle};

async fn version(scene: &Scene) -> u64 {
    let held = scene.ada.store.collection(Collection::RegularLow).await.unwrap();
    held.map_or(0, |held| held.version)
}

async fn is_pinned(scene: &Scene) -> bool {
    let chat = scene.ada.store.chat(&scene.bob.lid()).await.unwrap();
    chat.is_some_and(|chat| chat.pinned_at.is_some())
}

/// A notice that there is something new.
fn news(scene: &Scene, id: &'static str) -> OwnedNode {
    let collection = Node::new("collection").attr("name", "regular_low").attr("version", "99");
    scene
        .stanza("notification", id, &wa_proto::Jid::server())
        .attr("type", "server_sync")
        .child(collection)
}

/// Puts these parts into the answer about the collection, whatever was asked.
fn answer_with(scene: &Scene, version: u64, parts: Vec<OwnedNode>) {
    scene.hostile.answer(&scene.device(), move |question, mut answer| {
        let asks = question.find("sync").and_then(|sync| sync.find("collection"));
        if asks.is_some_and(|asked| asked.attrs.is("name", "regular_low"))
            && let NodeContent::Nodes(syncs) = &mut answer.content
            && let Some(NodeContent::Nodes(collections)) =
                syncs.first_mut().map(|sync| &mut sync.content)
        {
            for collection in collections {
                *collection = Node::new("collection")
                    .attr("name", "regular_low")
                    .attr("version", version)
                    .children(parts.clone());
            }
        }
        Some(answer)
    });
}

#[tokio::test(start_paused = true)]
async fn an_older_state_never_takes_the_place_of_a_newer() {
    let scene = Scene::new(1701).await;
    let bob = scene.bob.lid();
    scene.hostile.remember(&scene.device());
    scene.ada.phone.pin_chat(&bob, true);
    settle().await;
    assert!(is_pinned(&scene).await);
    let old_version = version(&scene).await;
    let snapshot = scene.hostile.snapshot(&scene.ada.phone.jid(), Collection::RegularLow).unwrap();
    let patches: Vec<_> = scene
        .hostile
        .said(&scene.device())
        .into_iter()
        .filter(|stanza| stanza.find("sync").is_some())
        .flat_map(|stanza| {
            let collections = stanza.find("sync").unwrap().nodes().to_vec();
            collections.into_iter().filter_map(|one| one.find("patches").cloned())
        })
        .collect();
    assert!(!patches.is_empty());
    scene.ada.phone.pin_chat(&bob, false);
    settle().await;
    let newest = version(&scene).await;
    assert!(!is_pinned(&scene).await && newest > old_version);

    let attacks = [vec![snapshot.clone()], patches.clone(), [vec![snapshot], patches].concat()];
    for (attack, parts) in attacks.into_iter().enumerate() {
        for told in [old_version, newest, 99] {
            answer_with(&scene, told, parts.clone());
            scene.say([news(&scene, "S1")]).await;
            assert!(!is_pinned(&scene).await, "attack {attack}: an old state came back");
            assert_eq!(version(&scene).await, newest, "attack {attack}");
        }
    }
    scene.hostile.relent(&scene.device());
    scene.ada.phone.mute_chat(&bob, None);
    scene.ada.phone.pin_chat(&bob, true);
    settle().await;
    assert!(is_pinned(&scene).await, "what comes next is taken");
    scene.holds().await;
}

#[tokio::test(start_paused = true)]
async fn the_state_of_another_collection_or_another_account_is_none() {
    let scene = Scene::new(1702).await;
    let bob = scene.bob.lid();
    scene.bob.pin_chat(&scene.ada.phone.lid(), true);
    scene.ada.phone.set_contact(&bob, Some("Robert"));
    scene.ada.phone.pin_chat(&bob, true);
    settle().await;
    let newest = version(&scene).await;
    let hostile = &scene.hostile;
    let foreign = [
        hostile.snapshot(&scene.bob.jid(), Collection::RegularLow),
        hostile.snapshot(&scene.ada.phone.jid(), Collection::CriticalUnblockLow),
    ];
    for snapshot in foreign.into_iter().flatten() {
        answer_with(&scene, 99, vec![snapshot]);
        scene.say([news(&scene, "S1")]).await;
        assert_eq!(version(&scene).await, newest);
        assert!(is_pinned(&scene).await);
    }
    scene.holds().await;
}
