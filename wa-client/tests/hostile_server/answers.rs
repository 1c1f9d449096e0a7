//! Answers about somebody else than was asked about, and damaged ones.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::timeout;
use wa_client::Client;
use wa_proto::{Jid, Node, NodeContent, OwnedNode, samples::damage};

use crate::{Scene, log::Log, settle};

/// Adds to every node with this tag.
fn add_to(node: &mut OwnedNode, tag: &str, add: &OwnedNode) {
    if node.tag == tag {
        *node = node.clone().child(add.clone());
    } else if let NodeContent::Nodes(children) = &mut node.content {
        children.iter_mut().for_each(|child| add_to(child, tag, add));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_about_one_person_changes_nothing_about_another() {
    let scene = Scene::new(1401).await;
    let cid = scene.sim.add_account("15550300", "Cid").unwrap();
    let devices = scene.ada.store.device_list(&scene.bob.lid()).await.unwrap();
    let listed = Node::new("device").attr("id", "77").attr("key-index", "66");
    let about_bob = Node::new("user")
        .attr("jid", scene.bob.jid())
        .attr("pn_jid", scene.bob.jid())
        .child(Node::new("lid").attr("val", Jid::lid("900000000000666")))
        .child(Node::new("username").bytes(b"mallory".to_vec()))
        .child(Node::new("contact").attr("type", "in").bytes(b"+15550200".to_vec()))
        .child(Node::new("devices").child(Node::new("device-list").child(listed)));
    scene.hostile.answer(&scene.device(), move |question, mut answer| {
        if question.attrs.is("xmlns", "usync") {
            add_to(&mut answer, "list", &about_bob);
        }
        Some(answer)
    });
    let infos = scene.ada.client.people().info(&[cid.jid()]).await.unwrap();
    assert_eq!(infos.len(), 1);
    assert!(infos[0].phone == Some(cid.jid()) && infos[0].username.is_none());
    let found = scene.ada.client.people().on_whatsapp(["+1 555 0300"]).await.unwrap();
    assert_eq!(found[0].lid, Some(cid.lid()));
    scene.ada.client.send(cid.jid(), "to Cid").await.unwrap();
    let store = &scene.ada.store;
    assert_eq!(store.lid_of(&scene.bob.jid()).await.unwrap(), Some(scene.bob.lid()));
    assert_eq!(store.device_list(&scene.bob.lid()).await.unwrap(), devices);
    let bob = store.contact(&scene.bob.lid()).await.unwrap();
    assert!(bob.is_none_or(|bob| bob.username.is_none()));
    scene.holds().await;
}

#[tokio::test(start_paused = true)]
async fn whoever_is_asked_about_is_not_replaced_by_another() {
    let scene = Scene::new(1402).await;
    let cid = scene.sim.add_account("15550300", "Cid").unwrap();
    let mallory = scene.sim.add_account("15550666", "Mallory").unwrap();
    let (wanted, others) = (cid.jid(), [mallory.jid(), mallory.lid()]);
    scene.hostile.answer(&scene.device(), move |question, answer| {
        let mut answer = answer;
        if question.attrs.is("xmlns", "usync")
            && let NodeContent::Nodes(parts) = &mut answer.content
        {
            rename(parts, &wanted, &others);
        }
        Some(answer)
    });
    assert!(scene.ada.client.people().info(&[cid.jid()]).await.unwrap().is_empty());
    let refused = scene.ada.client.send(cid.jid(), "to Cid alone").await;
    settle().await;
    assert!(mallory.messages().is_empty(), "somebody else got it: {refused:?}");
    scene.hostile.relent(&scene.device());
    scene.ada.client.send(cid.jid(), "to Cid after all").await.unwrap();
    scene.holds().await;
}

/// Names somebody else in each `<user>` about a person.
fn rename(nodes: &mut [OwnedNode], wanted: &Jid, others: &[Jid; 2]) {
    for node in nodes {
        let [phone, lid] = others;
        if node.tag == "user" && node.attrs.jid("jid").is_some_and(|jid| jid.is_same_user(wanted)) {
            node.attrs.0.retain(|(name, _)| name != "jid");
            *node = node.clone().attr("jid", phone);
            if let NodeContent::Nodes(parts) = &mut node.content {
                parts.retain(|part| !matches!(part.tag.as_ref(), "lid" | "contact"));
                parts.push(Node::new("lid").attr("val", lid));
            }
        } else if let NodeContent::Nodes(children) = &mut node.content {
            rename(children, wanted, others);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_for_one_group_does_not_go_to_another() {
    let scene = Scene::new(1403).await;
    let mallory = scene.sim.add_account("15550666", "Mallory").unwrap();
    let other = scene.sim.create_group("Other", &[&mallory, &scene.ada.phone]).unwrap();
    settle().await;
    let store = &scene.ada.store;
    store.commit(wa_store::Change::DeleteGroup(scene.group.clone()).into()).await.unwrap();
    let told = store.group(&other).await.unwrap();
    let id = other.user.to_string();
    scene.hostile.answer(&scene.device(), move |question, mut answer| {
        if question.attrs.is("xmlns", "w:g2")
            && let NodeContent::Nodes(parts) = &mut answer.content
        {
            for group in parts {
                group.attrs.0.retain(|(name, _)| name != "id");
                *group = group.clone().attr("id", id.clone());
            }
        }
        Some(answer)
    });
    let refused = scene.ada.client.send(scene.group.clone(), "for this group").await;
    settle().await;
    assert!(mallory.messages().is_empty(), "another group got it: {refused:?}");
    assert_eq!(
        store.group(&other).await.unwrap(),
        told,
        "and nothing is known of it that is not so"
    );
    scene.hostile.relent(&scene.device());
    scene.ada.client.send(scene.group.clone(), "for this group after all").await.unwrap();
    scene.holds().await;
}

/// Something that a user does, and for which the server is asked.
type Deed = fn(Client, People) -> Pin<Box<dyn Future<Output = bool> + Send>>;

/// Whom it is about.
#[derive(Clone)]
struct People {
    bob: Jid,
    group: Jid,
    number: usize,
}

/// The deeds, each with whether it succeeded as its outcome.
fn deeds() -> Vec<(&'static str, Deed)> {
    fn boxed(
        deed: impl Future<Output = bool> + Send + 'static,
    ) -> Pin<Box<dyn Future<Output = bool> + Send>> {
        Box::pin(deed)
    }
    vec![
        ("asks about a person", |ada, who| {
            boxed(async move { ada.people().info(&[who.bob]).await.is_ok() })
        }),
        ("asks about a number", |ada, _| {
            boxed(async move { ada.people().on_whatsapp(["+1 555 0200"]).await.is_ok() })
        }),
        ("asks for a picture", |ada, who| {
            boxed(async move { ada.profile().picture(&who.bob).await.is_ok() })
        }),
        ("asks for its own text", |ada, _| {
            boxed(async move { ada.profile().about().await.is_ok() })
        }),
        ("asks about a business", |ada, who| {
            boxed(async move { ada.profile().business(&who.bob).await.is_ok() })
        }),
        ("asks about a group", |ada, who| {
            boxed(async move { ada.groups().refresh(&who.group).await.is_ok() })
        }),
        ("asks about all groups", |ada, _| boxed(async move { ada.groups().list().await.is_ok() })),
        ("asks for a link", |ada, who| {
            boxed(async move { ada.groups().invite_link(&who.group).await.is_ok() })
        }),
        ("asks who sees its status posts", |ada, _| {
            boxed(async move { ada.privacy().status_audience().await.is_ok() })
        }),
        ("mutes a chat", |ada, who| {
            boxed(async move {
                match who.number % 2 {
                    0 => ada.chats().mute(&who.bob, wa_client::MuteFor::Ever).await.is_ok(),
                    _ => ada.chats().unmute(&who.bob).await.is_ok(),
                }
            })
        }),
        ("names a group", |ada, who| {
            boxed(async move {
                ada.groups().set_subject(&who.group, &format!("Tea {}", who.number)).await.is_ok()
            })
        }),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_damaged_answer_costs_the_question_and_nothing_else() {
    let scene = Scene::new(1404).await;
    let (log, _listening) = Log::listen();
    let mut count = 0;
    for (name, deed) in deeds() {
        let people = |number| People { bob: scene.bob.jid(), group: scene.group.clone(), number };
        let answers = honest_answers(&scene, || deed(scene.ada.client.clone(), people(0))).await;
        assert!(!answers.is_empty(), "{name}: nothing was asked");
        for (at, answer) in answers.into_iter().enumerate() {
            for damaged in damage(&answer) {
                count += 1;
                answer_with(&scene, at, &answer, damaged.stanza);
                let done = deed(scene.ada.client.clone(), people(count));
                let done = timeout(Duration::from_secs(600), done).await;
                assert!(done.is_ok(), "{name}, {}: no end", damaged.what);
            }
        }
        scene.hostile.relent(&scene.device());
        let text = log.take();
        assert!(!text.contains("panicked"), "{name}: {text}");
        assert!(deed(scene.ada.client.clone(), people(1)).await, "{name}: not well afterwards");
    }
    assert!(count > 1_500, "{count}");
    scene.holds().await;
}

/// The answers that a deed gets from an honest server, in order.
async fn honest_answers<T>(
    scene: &Scene,
    deed: impl FnOnce() -> Pin<Box<dyn Future<Output = T> + Send>>,
) -> Vec<OwnedNode> {
    let answers: Arc<Mutex<Vec<OwnedNode>>> = Arc::default();
    let kept = Arc::clone(&answers);
    scene.hostile.answer(&scene.device(), move |question, answer| {
        if !is_ping(question) {
            kept.lock().unwrap().push(answer.clone());
        }
        Some(answer)
    });
    deed().await;
    scene.hostile.relent(&scene.device());
    std::mem::take(&mut *answers.lock().unwrap())
}

/// Answers the question at this place with a damaged form of the answer, under the question's id.
fn answer_with(scene: &Scene, at: usize, whole: &OwnedNode, damaged: OwnedNode) {
    let whole_id = whole.attrs.value("id").cloned();
    let mut asked = 0;
    scene.hostile.answer(&scene.device(), move |question, answer| {
        if is_ping(question) {
            return Some(answer);
        }
        asked += 1;
        if asked != at + 1 {
            return Some(answer);
        }
        let mut damaged = damaged.clone();
        for (name, value) in &mut damaged.attrs.0 {
            if name == "id"
                && Some(&*value) == whole_id.as_ref()
                && let Some(id) = question.attrs.value("id")
            {
                *value = id.clone();
            }
        }
        Some(damaged)
    });
}

fn is_ping(question: &OwnedNode) -> bool {
    question.attrs.is("xmlns", "w:p") || question.attrs.is("xmlns", "urn:xmpp:ping")
}
