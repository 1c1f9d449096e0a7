//! Ways into a group, and communities.

use wa_client::{Error, Event};
use wa_proto::{
    content::GroupInvite,
    request::{JoinedByLink, SetPrivacy},
    stanza::{CommunityRole, GroupChange},
};

use super::{
    Circle,
    parties::{Party, settle},
};

#[tokio::test(start_paused = true)]
async fn a_link_lets_people_in_until_it_is_reset() {
    let Circle { ada, bob, group, sim, .. } = Circle::new(361).await;
    let link = ada.client.groups().invite_link(&group).await.unwrap();
    assert!(matches!(bob.client.groups().invite_link(&group).await, Err(Error::AdminsOnly)));
    let dan = Party::join(&sim, "15550400", "Dan").await;
    let outside = dan.client.groups().info_by_link(&link).await.unwrap();
    assert_eq!((outside.subject.as_str(), outside.participants.len()), ("Tea", 0));
    let joined = dan.client.groups().join_by_link(&link).await.unwrap();
    assert_eq!(joined, JoinedByLink::Joined(group.clone()));
    settle().await;
    dan.client.send(group.clone(), "hello").await.unwrap();
    settle().await;
    assert_eq!(bob.texts(&group).await, ["hello"]);

    let fresh = ada.client.groups().reset_invite_link(&group).await.unwrap();
    assert_ne!(fresh, link);
    let eve = Party::join(&sim, "15550500", "Eve").await;
    let void = eve.client.groups().join_by_link(&link).await;
    assert!(matches!(void, Err(Error::InvalidInput(_))), "{void:?}");
    let nonsense = "abc".parse().unwrap();
    let void = eve.client.groups().info_by_link(&nonsense).await;
    assert!(matches!(void, Err(Error::InvalidInput(_))), "{void:?}");
}

#[tokio::test(start_paused = true)]
async fn where_admins_have_to_agree_people_wait_for_them() {
    let Circle { mut ada, bob, group, sim, .. } = Circle::new(362).await;
    ada.client.groups().set_approval(&group, true).await.unwrap();
    let link = ada.client.groups().invite_link(&group).await.unwrap();
    let dan = Party::join(&sim, "15550400", "Dan").await;
    let eve = Party::join(&sim, "15550500", "Eve").await;
    for party in [&dan, &eve] {
        let joined = party.client.groups().join_by_link(&link).await.unwrap();
        assert_eq!(joined, JoinedByLink::Requested(group.clone()));
    }
    ada.until(|event| match event {
        Event::Group(event) => {
            matches!(event.change, GroupChange::JoinRequested { .. }).then_some(())
        }
        _ => None,
    })
    .await;
    let waiting = ada.client.groups().join_requests(&group).await.unwrap();
    assert_eq!(waiting.len(), 2);
    assert!(matches!(bob.client.groups().join_requests(&group).await, Err(Error::AdminsOnly)));
    let people = [dan.phone.jid(), bob.phone.jid()];
    let results = ada.client.groups().approve(&group, &people).await.unwrap();
    let errors: Vec<_> = results.into_iter().map(|(_, error)| error).collect();
    assert_eq!(errors, [None, Some(404)]);
    let results = ada.client.groups().reject(&group, &[eve.phone.jid()]).await.unwrap();
    assert_eq!(results[0].1, None);
    settle().await;
    assert!(ada.client.groups().join_requests(&group).await.unwrap().is_empty());
    ada.client.send(group.clone(), "welcome").await.unwrap();
    settle().await;
    assert_eq!(dan.texts(&group).await, ["welcome"]);
    assert!(eve.texts(&group).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_invitation_message_lets_one_person_in() {
    let Circle { ada, bob, group, sim, .. } = Circle::new(363).await;
    let dan = Party::join(&sim, "15550400", "Dan").await;
    let setting = SetPrivacy { category: "groupadd".into(), value: "none".into() };
    dan.client.request(&setting).await.unwrap();
    let results = ada.client.groups().add(&group, &[dan.phone.jid()]).await.unwrap();
    let request = results[0].add_request.clone().unwrap();
    let invite = GroupInvite {
        group: Some(group.clone()),
        name: "Tea".to_owned(),
        code: request.code.to_string(),
        expires_at: i64::try_from(request.expiration).ok(),
        caption: None,
        thumbnail: None,
    };
    let from = ada.phone.lid();
    let outside = dan.client.groups().info_by_invite(&invite, &from).await.unwrap();
    assert_eq!(outside.subject, "Tea");
    let forged = dan.client.groups().join_by_invite(&invite, &bob.phone.lid()).await;
    assert!(matches!(forged, Err(Error::InvalidInput(_))), "{forged:?}");
    let stolen = Party::join(&sim, "15550500", "Eve").await;
    let stolen = stolen.client.groups().join_by_invite(&invite, &from).await;
    assert!(matches!(stolen, Err(Error::InvalidInput(_))), "{stolen:?}");
    assert_eq!(dan.client.groups().join_by_invite(&invite, &from).await.unwrap(), group);
    ada.client.send(group.clone(), "welcome").await.unwrap();
    settle().await;
    assert_eq!(dan.texts(&group).await, ["welcome"]);
    let taken_back = GroupInvite { code: String::new(), ..invite };
    let void = dan.client.groups().join_by_invite(&taken_back, &from).await;
    assert!(matches!(void, Err(Error::InvalidInput(_))), "{void:?}");
}

#[tokio::test(start_paused = true)]
async fn a_community_has_groups_and_everybody_in_them() {
    let Circle { ada, bob, cid, group, .. } = Circle::new(364).await;
    let groups = ada.client.groups();
    let community = groups.create_community("House", "All of us").await.unwrap();
    assert_eq!(community.community, CommunityRole::Parent);
    groups.link(&community.jid, &group).await.unwrap();
    let made = groups.create("Chess").with([bob.phone.jid()]);
    let chess = made.in_community(community.jid.clone()).await.unwrap();
    let parent = Some(community.jid.clone());
    assert_eq!(chess.community, CommunityRole::SubGroup { parent, is_default: false });
    settle().await;
    let mut subs = groups.sub_groups(&community.jid).await.unwrap();
    subs.sort_by(|one, other| one.subject.cmp(&other.subject));
    let named: Vec<_> = subs.iter().map(|sub| (sub.subject.as_str(), sub.is_default)).collect();
    assert_eq!(named, [("Chess", false), ("House", true), ("Tea", false)]);
    let people = groups.linked_participants(&community.jid).await.unwrap();
    assert_eq!(people.len(), 3);
    let parent = Some(community.jid.clone());
    let tea = cid.store.group(&group).await.unwrap().unwrap();
    assert_eq!(tea.community, CommunityRole::SubGroup { parent, is_default: false });
    // What an admin announces is read by everybody.
    let announcements = subs.iter().find(|sub| sub.is_default).unwrap().jid.clone();
    ada.client.send(announcements.clone(), "hear, hear").await.unwrap();
    settle().await;
    for party in [&bob, &cid] {
        assert_eq!(
            party.texts(&announcements).await.len(),
            usize::from(party_is_in(party, &announcements).await)
        );
    }
    assert_eq!(cid.texts(&announcements).await, ["hear, hear"]);
    groups.unlink(&community.jid, &group).await.unwrap();
    settle().await;
    let tea = cid.store.group(&group).await.unwrap().unwrap();
    assert_eq!(tea.community, CommunityRole::None);
}

async fn party_is_in(party: &Party, group: &wa_proto::Jid) -> bool {
    party.store.group(group).await.unwrap().is_some()
}
