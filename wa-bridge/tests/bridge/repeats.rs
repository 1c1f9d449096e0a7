//! The same thing said again: by a program that tries again, and by somebody who means it.

use wa_bridge::{
    Bridge, Cause,
    api::{ChatArrange, ChatChange, SendMessage, SentGet, SentView},
};

use crate::support::{ANNA, BEN, World, arrives, refused, send, shown, text};

async fn named(bridge: &Bridge, key: &str, says: &str) -> SentView {
    let message = SendMessage { idempotency_key: Some(key.into()), ..text(ANNA, says) };
    bridge.call(message).await.unwrap()
}

/// A text that leaves later than anything before it.
async fn settle(world: &World, bridge: &Bridge) {
    send(bridge, ANNA, "the end").await.unwrap();
    arrives(&world.anna, "the end").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_assistant_says_again_at_once_is_said_once() {
    let world = World::linked().await;
    let robot = world.assistant().await;
    let first = send(&robot, ANNA, "hello").await.unwrap();
    let again = send(&robot, ANNA, "hello").await.unwrap();
    assert!(!first.repeated && again.repeated);
    assert_eq!(first.id, again.id);
    settle(&world, &robot).await;
    assert_eq!(shown(&world.anna, "hello"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_assistant_says_twice_at_the_same_moment_is_said_once() {
    let world = World::linked().await;
    let (owner, guest) = (world.assistant().await, world.assistant().await);
    let (first, second) = tokio::join!(send(&owner, ANNA, "hello"), send(&guest, ANNA, "hello"));
    assert_eq!(first.unwrap().id, second.unwrap().id);
    settle(&world, &owner).await;
    assert_eq!(shown(&world.anna, "hello"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn under_names_of_its_own_an_assistant_can_say_it_twice() {
    let world = World::linked().await;
    let robot = world.assistant().await;
    let first = named(&robot, "a", "hello").await;
    let second = named(&robot, "b", "hello").await;
    let again = named(&robot, "a", "hello").await;
    assert_ne!(first.id, second.id);
    assert!(again.repeated && again.id == first.id);
    settle(&world, &robot).await;
    assert_eq!(shown(&world.anna, "hello"), 2);
    let found = robot.call(SentGet { id: "b".into() }).await.unwrap();
    assert_eq!(found.id, second.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_says_twice_is_said_twice() {
    let world = World::linked().await;
    let (owner, guest) = (world.person().await, world.person().await);
    send(&owner, ANNA, "hello").await.unwrap();
    send(&owner, ANNA, "hello").await.unwrap();
    send(&guest, ANNA, "hello").await.unwrap();
    settle(&world, &owner).await;
    assert_eq!(shown(&world.anna, "hello"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_remembered_across_owners() {
    let world = World::linked().await;
    let person = world.person().await;
    let first = named(&person, "invoice 7", "paid").await;
    person.close().await.unwrap();
    let person = world.person().await;
    let again = named(&person, "invoice 7", "paid").await;
    assert!(again.repeated && again.id == first.id);
    settle(&world, &person).await;
    assert_eq!(shown(&world.anna, "paid"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_was_given_to_something_else_is_an_error_that_tells_the_difference() {
    let world = World::linked().await;
    let (robot, person) = (world.assistant().await, world.person().await);
    send(&person, BEN, "hello").await.unwrap();
    let first = named(&robot, "invoice 7", "paid").await;
    let with_key = |chat: &str, says: &str| SendMessage {
        idempotency_key: Some("invoice 7".into()),
        ..text(chat, says)
    };
    let other = world.client("another").await;
    for (bridge, message, difference) in [
        (&robot, with_key(ANNA, "not paid"), "another text"),
        (&robot, with_key(BEN, "paid"), "another chat"),
        (&other, with_key(ANNA, "paid"), "another caller"),
        (&person, with_key(ANNA, "paid"), "another caller"),
    ] {
        let failure = refused(bridge.call(message).await, Cause::Usage);
        assert!(failure.message.contains(difference), "{failure}");
        assert_eq!(failure.message_id.as_deref(), Some(first.id.as_str()));
    }
    assert!(named(&robot, "invoice 7", "paid").await.repeated, "the same is still the same");
    settle(&world, &person).await;
    assert_eq!((shown(&world.anna, "paid"), shown(&world.anna, "not paid")), (1, 0));
    assert_eq!(shown(&world.ben, "paid"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_that_they_were_read_where_nothing_may_be_written() {
    let world = World::linked().await;
    world.set_policy("[write]\nexcept = ['+447700900101']");
    let robot = world.assistant().await;
    let read = |quietly| ChatArrange { chat: ANNA.into(), change: ChatChange::Read { quietly } };
    refused(robot.call(read(false)).await, Cause::Forbidden);
    robot.call(read(true)).await.unwrap();
}
