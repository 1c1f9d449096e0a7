//! Whoever has read what a stranger wrote may do the stranger's bidding.

use wa_bridge::{
    Bridge, Cause, Failure,
    api::{ChatList, EventView, MessageList, Search},
};

use crate::support::{ANNA, BEN, MALLORY, World, arrives, refused, send, until};

async fn read(bridge: &Bridge, chat: &str, limit: u32) -> Result<usize, Failure> {
    let list =
        MessageList { chat: Some(chat.into()), limit: Some(limit), ..MessageList::default() };
    bridge.call(list).await.map(|messages| messages.len())
}

fn asked_because_of_reading(result: Result<impl std::fmt::Debug, Failure>) {
    let failure = refused(result, Cause::ConfirmationRequired);
    assert!(failure.message.contains("has read what others wrote"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_read_a_stranger_is_confirmed_before_writing_to_anybody_else() {
    let world = World::linked().await;
    let robot = world.assistant().await;
    send(&robot, ANNA, "before").await.unwrap();
    read(&robot, MALLORY, 10).await.unwrap();
    asked_because_of_reading(send(&robot, ANNA, "as Mallory wants").await);
    // The same assistant by another process, and another assistant.
    let again = world.assistant().await;
    asked_because_of_reading(send(&again, ANNA, "as Mallory wants it").await);
    let other = world.client("another").await;
    send(&other, ANNA, "by another").await.unwrap();
    for bridge in [other, again, robot] {
        bridge.close().await.unwrap();
    }
    let robot = world.assistant().await;
    asked_because_of_reading(send(&robot, ANNA, "after a restart").await);
    let person = world.person().await;
    read(&person, MALLORY, 10).await.unwrap();
    send(&person, ANNA, "by the person").await.unwrap();
    arrives(&world.anna, "by the person").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_answered_in_the_only_chat_that_was_read_needs_no_consent() {
    let world = World::linked().await;
    let robot = world.assistant().await;
    read(&robot, ANNA, 10).await.unwrap();
    send(&robot, ANNA, "to Anna").await.unwrap();
    read(&robot, BEN, 10).await.unwrap();
    asked_because_of_reading(send(&robot, ANNA, "what Ben wants").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_and_lists_are_reading_too() {
    let world = World::linked().await;
    let search = Search { query: "tomatoes".into(), ..Search::default() };
    let robot = world.client("searcher").await;
    robot.call(search).await.unwrap();
    asked_because_of_reading(send(&robot, ANNA, "one").await);
    let robot = world.client("lister").await;
    robot.call(ChatList { last_message: true, ..ChatList::default() }).await.unwrap();
    asked_because_of_reading(send(&robot, ANNA, "two").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_whom_the_policy_names_are_believed() {
    let world = World::linked().await;
    let person = world.person().await;
    send(&person, BEN, "hello").await.unwrap();
    world.set_policy(&format!("[read]\nchats = ['+{ANNA}', '+{BEN}']"));
    let robot = world.assistant().await;
    read(&robot, ANNA, 10).await.unwrap();
    send(&robot, BEN, "what Anna wants").await.unwrap();
    world.set_policy("[read]\nchats = ['*']");
    read(&robot, ANNA, 10).await.unwrap();
    asked_because_of_reading(send(&robot, BEN, "whoever it is").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_can_leave_it_be() {
    let world = World::linked().await;
    let robot = world.assistant().await;
    for policy in ["taint = 'off'", "confirm = 'never'"] {
        world.set_policy(policy);
        read(&robot, MALLORY, 10).await.unwrap();
        send(&robot, ANNA, policy).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_archive_is_not_read_out_in_an_hour() {
    let world = World::linked().await;
    world.set_policy("[pace]\nread_messages_per_hour = 3");
    let robot = world.assistant().await;
    assert_eq!(read(&robot, ANNA, 2).await.unwrap(), 2);
    let failure = refused(read(&robot, ANNA, 2).await, Cause::Paced);
    assert!(failure.message.contains("3 messages"), "{failure}");
    assert!(failure.retry_at.is_some(), "{failure}");
    read(&robot, BEN, 1).await.unwrap();
    refused(read(&robot, MALLORY, 1).await, Cause::Paced);
    robot.close().await.unwrap();
    let robot = world.assistant().await;
    refused(read(&robot, MALLORY, 1).await, Cause::Paced);
    let person = world.person().await;
    assert_eq!(read(&person, ANNA, 2).await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_tell_an_assistant_that_something_came_and_not_what() {
    let world = World::linked().await;
    let robot = world.assistant().await;
    let mut events = robot.events(Some(0));
    let mut said = 0;
    for _ in 0..4 {
        if let EventView::Message { message } = events.next().await.unwrap().unwrap() {
            assert_eq!(message.text, None);
            said += 1;
        }
    }
    assert!(said > 0);
    send(&robot, ANNA, "nothing was read").await.unwrap();
    until("the message", async || {
        (crate::support::shown(&world.anna, "nothing was read") == 1).then_some(())
    })
    .await;
}
