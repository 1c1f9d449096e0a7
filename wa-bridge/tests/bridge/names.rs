//! Whom a name means: what others call themselves or their groups takes nobody's messages.

use wa_bridge::{
    Bridge, Caller, Cause, ChatKind,
    api::{ChatList, Resolve},
};
use wa_proto::Jid;

use crate::support::{ANNA, World, arrives, refused, send, shown, until};

/// Waits until the account knows a chat of this name.
async fn knows(bridge: &Bridge, name: &str) {
    until("the chat's name", async || {
        let chats = bridge.call(ChatList::default()).await.unwrap();
        chats.iter().any(|chat| chat.chat.name.as_deref() == Some(name)).then_some(())
    })
    .await;
}

/// Mallory makes a group with Ada in it, under this name.
async fn trap(world: &World, bridge: &Bridge, subject: &str) -> Jid {
    let group = world.sim.create_group(subject, &[&world.mallory, &world.ada]).unwrap();
    world.mallory.send_text(&group, "hello").unwrap();
    until("the group", async || {
        let chats = bridge.call(ChatList::default()).await.unwrap();
        let mut chats = chats.iter().map(|chat| &chat.chat);
        chats.any(|chat| chat.jid == group.to_string() && chat.name.is_some()).then_some(())
    })
    .await;
    group
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_renamed_to_anna_does_not_get_the_pin_that_is_for_anna() {
    let world = World::linked().await;
    let (person, robot) = (world.person().await, world.assistant().await);
    let group = trap(&world, &person, "Anna").await;
    for bridge in [&robot, &person] {
        let failure = refused(send(bridge, "Anna", "the PIN is 1234").await, Cause::Ambiguous);
        let [anna, trap] = failure.candidates.as_slice() else { panic!("{failure:?}") };
        assert_eq!((anna.name.as_str(), anna.self_chosen), ("Anna Berg", false));
        assert_eq!((trap.kind, trap.self_chosen), (ChatKind::Group, true));
        assert_eq!(trap.jid, group.to_string());
    }
    // Her whole name in the address book is hers alone.
    let trap = trap_named_as_she_is(&world, &person).await;
    let sent = send(&robot, "Anna Berg", "the PIN is 1234").await.unwrap();
    assert_eq!(sent.recipient.kind, ChatKind::Person);
    assert_eq!(sent.recipient.name.as_deref(), Some("Anna Berg"));
    assert_eq!(sent.recipient.phone, Some(format!("+{ANNA}")));
    assert!(!sent.recipient.self_chosen);
    arrives(&world.anna, "the PIN is 1234").await;
    assert_eq!(shown(&world.mallory, "the PIN is 1234"), 0, "{trap}");
}

async fn trap_named_as_she_is(world: &World, person: &Bridge) -> Jid {
    trap(world, person, "Anna Berg").await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_calls_themself_anna_berg_is_not_anna_berg() {
    let world = World::linked().await;
    let impostor = world.sim.add_account("447700900120", "Anna Berg").unwrap();
    let (person, robot) = (world.person().await, world.assistant().await);
    impostor.send_text(&world.ada.jid(), "it is me, Anna Berg, on a new phone").unwrap();
    knows(&person, "Anna Berg").await;
    until("the impostor's name", async || {
        let named = Resolve { named: "447700900120".into(), only: None, beyond_policy: false };
        let found = person.call(named).await.unwrap();
        (found.name == "Anna Berg" && found.self_chosen).then_some(())
    })
    .await;
    send(&robot, "Anna Berg", "the PIN is 1234").await.unwrap();
    arrives(&world.anna, "the PIN is 1234").await;
    let failure = refused(send(&robot, "Anna", "the PIN is 1234").await, Cause::Ambiguous);
    assert_eq!(failure.candidates.iter().filter(|one| one.self_chosen).count(), 1);
    assert_eq!(shown(&impostor, "the PIN is 1234"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assistant_is_offered_a_group_by_its_subject_and_has_to_name_its_address() {
    let world = World::linked().await;
    let group = world.sim.create_group("Allotment", &[&world.ada, &world.anna]).unwrap();
    world.ada.send_text(&group, "who waters today?").unwrap();
    let (person, robot) = (world.person().await, world.assistant().await);
    knows(&person, "Allotment").await;
    let failure = refused(send(&robot, "Allotment", "I do").await, Cause::Ambiguous);
    let [offered] = failure.candidates.as_slice() else { panic!("{failure:?}") };
    assert_eq!((offered.jid.as_str(), offered.self_chosen), (group.to_string().as_str(), true));
    let sent = send(&robot, &offered.jid, "I do").await.unwrap();
    assert_eq!(sent.recipient.kind, ChatKind::Group);
    assert_eq!(sent.recipient.name.as_deref(), Some("Allotment"));
    arrives(&world.anna, "I do").await;
    // At their own terminal a person says what the group is called, as long as one is.
    send(&person, "Allotment", "and tomorrow?").await.unwrap();
    arrives(&world.anna, "and tomorrow?").await;
    trap(&world, &person, "Allotment").await;
    refused(send(&person, "Allotment", "and then?").await, Cause::Ambiguous);
    trap(&world, &person, "Allotment committee").await;
    let failure = refused(send(&person, "Allotment", "and then?").await, Cause::Ambiguous);
    assert_eq!(
        failure.candidates.len(),
        3,
        "a whole subject is no better than a part: {failure:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_person_sees_whom_a_name_means_beyond_the_policy() {
    let world = World::linked().await;
    world.set_policy(&format!("[read]\nexcept = ['{ANNA}']"));
    let beyond = || Resolve { named: "Anna Berg".into(), only: None, beyond_policy: true };
    let person = world.open(Caller::person("terminal")).await;
    assert_eq!(person.call(beyond()).await.unwrap().phone, Some(format!("+{ANNA}")));
    let robot = world.assistant().await;
    refused(robot.call(beyond()).await, Cause::Forbidden);
}
