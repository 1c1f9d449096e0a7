//! People in groups: taken in, put out, made admins; and what each party knows of them.

use wa_client::{Error, Event};
use wa_proto::{
    Jid,
    request::SetPrivacy,
    stanza::{GroupChange, GroupRole, ParticipantChangeKind},
};
use wa_sim::{Addressing, GroupAction};
use wa_store::Change;

use super::{
    Circle, handmade, members_changed,
    parties::{Party, settle, simulation},
};

async fn nobody_adds(party: &Party) {
    let setting = SetPrivacy { category: "groupadd".into(), value: "none".into() };
    party.client.request(&setting).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_group_is_made_with_those_who_can_be_added() {
    let Circle { ada, bob, mut cid, .. } = Circle::new(331).await;
    nobody_adds(&bob).await;
    let people = [bob.phone.jid(), cid.phone.jid(), Jid::phone("15559999")];
    let info = ada.client.groups().create("Chess").with(people).ephemeral(86_400).await.unwrap();
    assert_eq!((info.subject.as_str(), info.participants.len()), ("Chess", 2));
    assert_eq!(info.participant(&ada.phone.jid()).unwrap().role, GroupRole::SuperAdmin);
    assert_eq!(info.ephemeral, 86_400);
    let group = cid
        .until(|event| match event {
            Event::Group(event) => match &event.change {
                GroupChange::Created(created) if created.info.subject == "Chess" => {
                    Some(created.info.jid.clone())
                }
                _ => None,
            },
            _ => None,
        })
        .await;
    assert_eq!(group, info.jid);
    settle().await;
    for party in [&ada, &cid] {
        let chat = party.store.chat(&group).await.unwrap().unwrap();
        assert_eq!((chat.name.as_deref(), chat.ephemeral_secs), (Some("Chess"), Some(86_400)));
        let known = party.store.group(&group).await.unwrap().unwrap();
        assert_eq!(known.participants.len(), 2);
    }
    assert_eq!(bob.store.group(&group).await.unwrap(), None);
    // Its messages say in the clear when they disappear.
    let timed = ada.client.send(group, "gone tomorrow").await.unwrap();
    assert!(super::sent(&ada, &timed.id).attrs.is("expiration", "86400"));
}

#[tokio::test(start_paused = true)]
async fn each_person_has_a_result_of_their_own() {
    let Circle { ada, bob, cid, group, sim } = Circle::new(332).await;
    let dan = Party::join(&sim, "15550400", "Dan").await;
    let eve = Party::join(&sim, "15550500", "Eve").await;
    nobody_adds(&dan).await;
    let people = [dan.phone.jid(), eve.phone.jid(), bob.phone.lid(), Jid::phone("15559999")];
    let results = ada.client.groups().add(&group, &people).await.unwrap();
    let errors: Vec<_> = results.iter().map(|result| result.error).collect();
    assert_eq!(errors, [Some(403), None, Some(409), Some(404)]);
    let request = results[0].add_request.as_ref().unwrap();
    assert!(!request.code.is_empty() && request.expiration > sim.now());
    let results = ada.client.groups().remove(&group, &[dan.phone.jid(), cid.phone.jid()]).await;
    let errors: Vec<_> = results.unwrap().iter().map(|result| result.error).collect();
    assert_eq!(errors, [Some(404), None]);
}

#[tokio::test(start_paused = true)]
async fn members_that_are_no_people_are_a_clear_error() {
    let Circle { ada, group, .. } = Circle::new(333).await;
    let asked = |ada: &Party| handmade::all_said(ada, "iq").len();
    let before = asked(&ada);
    for jid in [group.clone(), Jid::server(), Jid::status(), Jid::phone("+1 555"), Jid::lid("x7")] {
        let refused = ada.client.groups().add(&group, std::slice::from_ref(&jid)).await;
        assert!(matches!(refused, Err(Error::InvalidInput(_))), "{jid}: {refused:?}");
        let refused = ada.client.groups().create("Odd").with([jid.clone()]).await;
        assert!(matches!(refused, Err(Error::InvalidInput(_))), "{jid}: {refused:?}");
    }
    let refused = ada.client.groups().add(&group, &[]).await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))));
    let refused = ada.client.groups().info(&ada.phone.jid()).await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))));
    assert_eq!(asked(&ada), before, "nothing of it reaches the server");
}

#[tokio::test(start_paused = true)]
async fn notices_keep_what_is_known_of_members() {
    let Circle { ada, bob, cid, group, sim } = Circle::new(334).await;
    let known = async |party: &Party| party.store.group(&group).await.unwrap().unwrap();
    let dan = Party::join(&sim, "15550400", "Dan").await;
    ada.phone.change_members(&group, GroupAction::Add, &[dan.phone.jid()]).unwrap();
    ada.phone.change_members(&group, GroupAction::Promote, &[bob.phone.jid()]).unwrap();
    settle().await;
    for party in [&ada, &bob, &cid, &dan] {
        let info = known(party).await;
        assert_eq!(info.participants.len(), 4);
        assert_eq!(info.participant(&bob.phone.lid()).unwrap().role, GroupRole::Admin);
        assert_eq!(Some(info), sim.group(&group));
    }
    ada.phone.change_members(&group, GroupAction::Demote, &[bob.phone.jid()]).unwrap();
    cid.client.groups().leave(&group).await.unwrap();
    settle().await;
    for party in [&ada, &bob, &dan] {
        let info = known(party).await;
        assert_eq!(info.participants.len(), 3);
        assert_eq!(info.participant(&bob.phone.lid()).unwrap().role, GroupRole::Member);
    }
    assert_eq!(cid.store.group(&group).await.unwrap(), None);
    assert!(cid.store.chat(&group).await.unwrap().is_some(), "its messages stay");
    // Nobody had to ask.
    for party in [&bob, &dan] {
        let asked = handmade::all_said(party, "iq");
        assert!(asked.iter().all(|iq| !iq.attrs.is("xmlns", "w:g2")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_notice_that_builds_on_another_list_makes_it_void() {
    let Circle { ada, bob, cid, group, sim } = Circle::new(335).await;
    let stale = bob.store.group(&group).await.unwrap().unwrap();
    let people = [cid.phone.jid()];
    ada.phone.change_members(&group, GroupAction::Promote, &people).unwrap();
    settle().await;
    // One notice was missed.
    bob.store.commit(Change::PutGroup(Box::new(stale)).into()).await.unwrap();
    ada.phone.change_members(&group, GroupAction::Demote, &people).unwrap();
    settle().await;
    assert_eq!(bob.store.group(&group).await.unwrap(), None);
    assert_eq!(Some(bob.client.groups().info(&group).await.unwrap()), sim.group(&group));
}

#[tokio::test(start_paused = true)]
async fn only_admins_change_members() {
    let Circle { ada, bob, cid, group, .. } = Circle::new(336).await;
    let refused = bob.client.groups().remove(&group, &[cid.phone.jid()]).await;
    assert!(matches!(refused, Err(Error::AdminsOnly)), "{refused:?}");
    ada.client.groups().promote(&group, &[bob.phone.jid()]).await.unwrap();
    let results = bob.client.groups().remove(&group, &[cid.phone.jid()]).await.unwrap();
    assert!(results[0].is_done());
}

#[tokio::test(start_paused = true)]
async fn both_names_of_people_are_learnt_from_groups() {
    for (seed, addressing) in [(337, Addressing::Lid), (338, Addressing::Phone)] {
        let sim = simulation(seed);
        let mut ada = Party::join(&sim, "15550100", "Ada").await;
        let bob = Party::join(&sim, "15550200", "Bob").await;
        let dan = sim.add_account("15550400", "Dan").unwrap();
        assert_eq!(ada.store.phone_of(&bob.phone.lid()).await.unwrap(), None);
        let people = [&ada.phone, &bob.phone];
        let group = sim.create_group_addressed("Tea", &people, addressing).unwrap();
        settle().await;
        let known = ada.store.phone_of(&bob.phone.lid()).await.unwrap();
        assert_eq!(known, Some(bob.phone.jid()));
        bob.phone.change_members(&group, GroupAction::Add, &[dan.jid()]).unwrap_err();
        ada.phone.change_members(&group, GroupAction::Add, &[dan.jid()]).unwrap();
        assert_eq!(members_changed(&mut ada).await, ParticipantChangeKind::Add);
        assert_eq!(ada.store.lid_of(&dan.jid()).await.unwrap(), Some(dan.lid()));
    }
}

#[tokio::test(start_paused = true)]
async fn all_groups_are_listed_and_those_left_meanwhile_are_forgotten() {
    let Circle { ada, bob, group, sim, .. } = Circle::new(339).await;
    let other = sim.create_group("Chess", &[&ada.phone, &bob.phone]).unwrap();
    settle().await;
    let gone = Jid::group("120363999999999999");
    let stale = ada.store.group(&group).await.unwrap().unwrap();
    let mut stale_copy = stale.clone();
    stale_copy.jid = gone.clone();
    stale_copy.participants.truncate(1);
    ada.store.commit(Change::PutGroup(Box::new(stale_copy)).into()).await.unwrap();
    let mut listed: Vec<_> =
        ada.client.groups().list().await.unwrap().into_iter().map(|info| info.jid).collect();
    let mut expected = vec![group.clone(), other];
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);
    assert_eq!(ada.store.group(&gone).await.unwrap(), None);
    let known: Vec<_> =
        ada.client.groups().known().await.unwrap().into_iter().map(|info| info.jid).collect();
    assert_eq!(known, expected);
}

#[tokio::test(start_paused = true)]
async fn groups_that_changed_unseen_are_asked_for_when_the_server_says_so() {
    let Circle { ada, group, sim, .. } = Circle::new(340).await;
    let mut stale = ada.store.group(&group).await.unwrap().unwrap();
    stale.participants.truncate(1);
    ada.store.commit(Change::PutGroup(Box::new(stale)).into()).await.unwrap();
    let mark = wa_proto::Node::new("dirty").attr("type", "groups").attr("timestamp", sim.now());
    sim.deliver(&handmade::device(&ada), wa_proto::Node::new("ib").child(mark));
    settle().await;
    assert_eq!(ada.store.group(&group).await.unwrap(), sim.group(&group));
    let said = handmade::all_said(&ada, "iq");
    let mut cleaned = said.iter().filter_map(|iq| iq.find("clean"));
    assert!(cleaned.any(|clean| clean.attrs.is("type", "groups")));
}

#[tokio::test(start_paused = true)]
async fn the_names_by_which_people_are_found_are_learnt_from_groups_and_messages() {
    let Circle { ada, mut bob, cid, group, .. } = Circle::new(343).await;
    let username = async |at: &Party, of: &Party| {
        at.store.contact(&of.phone.jid()).await.unwrap().and_then(|contact| contact.username)
    };
    // A message tells that of its sender.
    cid.phone.set_username("cid.at.tea");
    cid.phone.send_text(&group, "hello").unwrap();
    bob.message().await;
    assert_eq!(username(&bob, &cid).await.as_deref(), Some("cid.at.tea"));
    // What a group is tells those of all.
    bob.phone.set_username("bob.at.sea");
    ada.client.groups().refresh(&group).await.unwrap();
    assert_eq!(username(&ada, &bob).await.as_deref(), Some("bob.at.sea"));
    assert_eq!(username(&ada, &ada).await, None);
}
