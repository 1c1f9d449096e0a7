//! Members, names and addresses that the server changes.

use wa_client::Event;
use wa_proto::{
    Jid, Node, NodeContent, OwnedNode,
    stanza::{GroupChange, ParticipantChangeKind},
};
use wa_sim::Phone;

use crate::{Scene, settle};

/// The `<participant>` of somebody.
fn participant(who: &Phone) -> OwnedNode {
    Node::new("participant").attr("jid", who.lid()).attr("phone_number", who.jid())
}

/// Mallory, a person with true keys of their own, whom the server counts among the members in every
/// answer about the group.
fn smuggle_member(scene: &Scene) -> Phone {
    let mallory = scene.sim.add_account("15550666", "Mallory").unwrap();
    let member = participant(&mallory);
    scene.hostile.answer(&scene.device(), move |_, mut answer| {
        add_member(&mut answer, &member);
        Some(answer)
    });
    mallory
}

fn add_member(node: &mut OwnedNode, member: &OwnedNode) {
    if node.tag == "group" {
        *node = node.clone().child(member.clone());
    } else if let NodeContent::Nodes(children) = &mut node.content {
        children.iter_mut().for_each(|child| add_member(child, member));
    }
}

/// The people whom events said to have joined a group.
async fn said_to_join(scene: &mut Scene) -> Vec<Jid> {
    settle().await;
    let mut joined = Vec::new();
    while let Some(event) = scene.ada.events.try_next() {
        let Event::Group(event) = event else { continue };
        if let GroupChange::Participants(change) = event.change
            && change.kind == ParticipantChangeKind::Add
        {
            joined.extend(change.participants.into_iter().map(|person| person.jid));
        }
    }
    joined
}

#[tokio::test(start_paused = true)]
async fn a_member_whom_the_server_adds_in_silence_is_named() {
    for attack in ["refresh", "stale notice", "dirty"] {
        let mut scene = Scene::new(1601).await;
        let mallory = smuggle_member(&scene);
        match attack {
            "refresh" => drop(scene.ada.client.groups().refresh(&scene.group).await.unwrap()),
            "stale notice" => {
                // A change that does not build on what is known, so that the list is asked for.
                let add = Node::new("add")
                    .attr("prev_v_id", "98")
                    .attr("v_id", "99")
                    .child(participant(&scene.bob));
                let notice = scene.stanza("notification", "G1", &scene.group);
                scene.say([notice.attr("type", "w:gp2").child(add)]).await;
            }
            _ => {
                let dirty = Node::new("dirty").attr("type", "groups");
                scene.say([Node::new("ib").child(dirty)]).await;
            }
        }
        scene.ada.client.send(scene.group.clone(), "among friends").await.unwrap();
        let joined = said_to_join(&mut scene).await;
        let can_read = scene.sim.heard(&scene.ada.client.jid().unwrap()).iter().any(|stanza| {
            let parts = stanza.find("participants").map(|parts| parts.nodes().to_vec());
            let is_to = |to: &OwnedNode| {
                to.attrs.jid("jid").is_some_and(|jid| jid.is_same_user(&mallory.lid()))
            };
            parts.unwrap_or_default().iter().any(is_to)
        });
        assert!(can_read, "{attack}: the list of members is the server's");
        assert!(joined.contains(&mallory.lid()), "{attack}: nobody was told of the new member");
        scene.holds().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_number_does_not_become_somebody_elses_in_silence() {
    let mut scene = Scene::new(1602).await;
    let mallory = scene.sim.add_account("15550666", "Mallory").unwrap();
    // "Bob's number is Mallory's LID", in everything where that can be said.
    let claimed =
        Node::new("participant").attr("jid", mallory.lid()).attr("phone_number", scene.bob.jid());
    let add = Node::new("add").attr("prev_v_id", "98").attr("v_id", "99").child(claimed);
    let notice = scene.stanza("notification", "G1", &scene.group).attr("type", "w:gp2");
    let receipt = scene.stanza("receipt", "R1", &mallory.lid()).attr("sender_pn", scene.bob.jid());
    let call = scene.stanza("call", "C1", &mallory.lid()).child(
        Node::new("offer")
            .attr("call-id", "CALL1")
            .attr("call-creator", mallory.lid())
            .attr("caller_pn", scene.bob.jid()),
    );
    scene.say([notice.child(add), receipt, call]).await;
    let sent = scene.ada.client.send(scene.bob.jid(), "for Bob alone").await;
    settle().await;
    let got_it =
        mallory.messages().iter().any(|message| message.text.as_deref() == Some("for Bob alone"));
    let mut named = Vec::new();
    while let Some(event) = scene.ada.events.try_next() {
        if let Event::IdentityChanged { user, .. } = event {
            named.push(user.to_user());
        }
    }
    let bob = [scene.bob.jid(), scene.bob.lid()];
    let is_named = named.iter().any(|user| bob.contains(user));
    assert!(!got_it || is_named, "Mallory got what was for Bob, and nobody was told: {sent:?}");
    scene.holds().await;
}

#[tokio::test(start_paused = true)]
async fn a_name_that_the_server_gives_a_group_is_a_name_and_nothing_else() {
    let scene = Scene::new(1603).await;
    let before = scene.ada.store.group(&scene.group).await.unwrap();
    let subject = Node::new("subject").attr("subject", "Bob").attr("s_o", scene.bob.lid());
    let notice = scene.stanza("notification", "G1", &scene.group).attr("type", "w:gp2");
    scene.say([notice.child(subject)]).await;
    let after = scene.ada.store.group(&scene.group).await.unwrap();
    let people = |info: &Option<wa_proto::stanza::GroupInfo>| {
        info.as_ref().map(|info| info.participants.clone())
    };
    assert_eq!(people(&before), people(&after));
    scene.holds().await;
}

#[tokio::test(start_paused = true)]
async fn notices_about_a_group_come_from_that_group_alone() {
    let scene = Scene::new(1604).await;
    let mallory = scene.sim.add_account("15550666", "Mallory").unwrap();
    let group = Node::new("group")
        .attr("id", scene.group.user.to_string())
        .attr("subject", "Tea")
        .attr("p_v_id", "1")
        .child(participant(&mallory))
        .child(participant(&scene.ada.phone));
    let create = Node::new("create").child(group);
    let before = scene.ada.store.group(&scene.group).await.unwrap();
    for from in [Jid::group("120363000000000042"), mallory.lid(), Jid::server()] {
        let notice = scene.stanza("notification", "G1", &from).attr("type", "w:gp2");
        scene.say([notice.child(create.clone())]).await;
    }
    assert_eq!(scene.ada.store.group(&scene.group).await.unwrap(), before);
    scene.holds().await;
}
