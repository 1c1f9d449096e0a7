//! What a group is called and permits, and what each party knows of it.

use wa_client::{Error, Event};
use wa_proto::{
    Node,
    stanza::{GroupChange, MemberAddMode},
};
use wa_sim::GroupSettings;

use super::{
    Circle, handmade,
    parties::{Party, settle},
};

async fn change(party: &mut Party) -> GroupChange {
    party
        .until(|event| match event {
            Event::Group(event) => Some(event.change.clone()),
            _ => None,
        })
        .await
}

#[tokio::test(start_paused = true)]
async fn every_setting_is_changed_and_told() {
    let Circle { ada, mut bob, group, sim, .. } = Circle::new(351).await;
    while bob.events.try_next().is_some() {}
    let groups = ada.client.groups();
    groups.set_subject(&group, "Coffee").await.unwrap();
    assert!(
        matches!(change(&mut bob).await, GroupChange::Subject { subject, .. } if subject == "Coffee")
    );
    groups.set_description(&group, Some("About coffee")).await.unwrap();
    assert!(matches!(change(&mut bob).await, GroupChange::Description { text: Some(_), .. }));
    groups.set_locked(&group, true).await.unwrap();
    assert_eq!(change(&mut bob).await, GroupChange::Locked(true));
    groups.set_announcements_only(&group, true).await.unwrap();
    assert_eq!(change(&mut bob).await, GroupChange::Announcement(true));
    groups.set_ephemeral(&group, 604_800).await.unwrap();
    assert_eq!(change(&mut bob).await, GroupChange::Ephemeral(604_800));
    groups.set_approval(&group, true).await.unwrap();
    assert_eq!(change(&mut bob).await, GroupChange::MembershipApproval(true));
    groups.set_member_add_mode(&group, MemberAddMode::Everybody).await.unwrap();
    assert_eq!(change(&mut bob).await, GroupChange::MemberAddMode(MemberAddMode::Everybody));
    settle().await;
    for party in [&ada, &bob] {
        let known = party.store.group(&group).await.unwrap().unwrap();
        let asked = sim.group(&group).unwrap();
        assert_eq!(known.subject, "Coffee");
        assert_eq!(
            known.description.as_ref().map(|about| about.text.as_str()),
            Some("About coffee")
        );
        assert!(known.is_locked && known.is_announcement && known.needs_approval);
        assert_eq!((known.ephemeral, known.member_add_mode), (604_800, MemberAddMode::Everybody));
        assert_eq!((known.participants, known.community), (asked.participants, asked.community));
        let chat = party.store.chat(&group).await.unwrap().unwrap();
        assert_eq!((chat.name.as_deref(), chat.ephemeral_secs), (Some("Coffee"), Some(604_800)));
    }
    groups.set_ephemeral(&group, 0).await.unwrap();
    groups.set_description(&group, None).await.unwrap();
    settle().await;
    let known = bob.store.group(&group).await.unwrap().unwrap();
    assert_eq!((known.ephemeral, known.description), (0, None));
    assert_eq!(bob.store.chat(&group).await.unwrap().unwrap().ephemeral_secs, None);
}

#[tokio::test(start_paused = true)]
async fn a_description_that_somebody_else_changed_meanwhile_is_changed_on_top_of_theirs() {
    let Circle { ada, bob, group, sim, .. } = Circle::new(352).await;
    ada.client.groups().info(&group).await.unwrap();
    let stale = ada.store.group(&group).await.unwrap().unwrap();
    bob.client.groups().set_description(&group, Some("Bob's")).await.unwrap();
    settle().await;
    ada.store.commit(wa_store::Change::PutGroup(Box::new(stale)).into()).await.unwrap();
    ada.client.groups().set_description(&group, Some("Ada's")).await.unwrap();
    assert_eq!(sim.group(&group).unwrap().description.unwrap().text, "Ada's");
}

#[tokio::test(start_paused = true)]
async fn where_only_admins_write_others_are_told_so_before_anything_leaves() {
    let Circle { ada, bob, group, sim, .. } = Circle::new(353).await;
    let mut settings = GroupSettings::default();
    settings.announcement = Some(true);
    ada.phone.change_group(&group, settings).unwrap();
    settle().await;
    sim.listen();
    let refused = bob.client.send(group.clone(), "may I?").await;
    assert!(matches!(refused, Err(Error::AdminsOnly)), "{refused:?}");
    assert!(bob.phone.send_text(&group, "may I?").is_err());
    settle().await;
    assert!(handmade::all_said(&bob, "message").is_empty());
    assert!(bob.texts(&group).await.is_empty());
    ada.client.send(group.clone(), "I may").await.unwrap();
    settle().await;
    assert_eq!(bob.texts(&group).await, ["I may"]);
}

#[tokio::test(start_paused = true)]
async fn names_that_are_none_are_refused_here() {
    let Circle { ada, group, .. } = Circle::new(354).await;
    for name in ["", "  ", &"x".repeat(101)] {
        let refused = ada.client.groups().set_subject(&group, name).await;
        assert!(matches!(refused, Err(Error::InvalidInput(_))), "{refused:?}");
        let refused = ada.client.groups().create(name).await;
        assert!(matches!(refused, Err(Error::InvalidInput(_))), "{refused:?}");
    }
    let long = "x".repeat(2_049);
    let refused = ada.client.groups().set_description(&group, Some(&long)).await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))), "{refused:?}");
    let refused = ada.client.groups().set_photo(&group, b"GIF89a".to_vec()).await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_picture_is_set_and_taken_away() {
    let Circle { ada, bob, group, .. } = Circle::new(355).await;
    let jpeg = vec![0xff, 0xd8, 0xff, 0xe0, 1, 2, 3];
    let first = ada.client.groups().set_photo(&group, jpeg.clone()).await.unwrap();
    let second = bob.client.groups().set_photo(&group, jpeg.clone()).await.unwrap();
    assert!(first.is_some() && second.is_some() && first != second);
    ada.client.groups().remove_photo(&group).await.unwrap();
    ada.client.groups().set_locked(&group, true).await.unwrap();
    let refused = bob.client.groups().set_photo(&group, jpeg).await;
    assert!(matches!(refused, Err(Error::AdminsOnly)), "{refused:?}");
    settle().await;
    assert_eq!((ada.stats().acks_owed, bob.stats().acks_owed), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_not_known_is_handed_on_and_changes_nothing() {
    let Circle { mut ada, bob, group, sim, .. } = Circle::new(356).await;
    let known = ada.store.group(&group).await.unwrap().unwrap();
    while ada.events.try_next().is_some() {}
    let brand_new = Node::new("brand_new").attr("how", "much");
    let notice = handmade::notification(&group, "w:gp2", "7001")
        .attr("participant", bob.phone.lid())
        .child(brand_new.clone());
    sim.deliver(&handmade::device(&ada), notice);
    assert_eq!(change(&mut ada).await, GroupChange::Raw(brand_new));
    assert_eq!(ada.store.group(&group).await.unwrap(), Some(known));
    settle().await;
    assert_eq!(handmade::said(&ada, "ack", "7001").len(), 1);
}
