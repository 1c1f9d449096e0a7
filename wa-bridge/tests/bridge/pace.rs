//! How fast messages may follow each other.

use std::time::{Duration, Instant};

use wa_bridge::{
    Bridge, Cause, Failure,
    api::{ContactCheck, GroupCreate, GroupJoin, MediaRead},
};

use crate::support::{ANNA, BEN, MALLORY, World, arrives, refused, send, shown};

#[tokio::test(flavor = "multi_thread")]
async fn the_next_message_waits_for_its_turn() {
    let world = World::linked().await;
    world.set_policy("[pace]\nbetween_ms = 1500");
    let person = world.person().await;
    let begun = Instant::now();
    send(&person, ANNA, "first").await.unwrap();
    send(&person, ANNA, "second").await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(1_500));
    arrives(&world.anna, "second").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_would_wait_too_long_is_told_when_to_come_again_also_after_a_restart() {
    let world = World::linked().await;
    world.set_policy("[pace]\nbetween_ms = 0\nper_hour = 2\npatience_seconds = 1");
    let person = world.person().await;
    send(&person, ANNA, "one").await.unwrap();
    send(&person, BEN, "two").await.unwrap();
    let retry_at = refused(send(&person, ANNA, "three").await, Cause::Paced).retry_at.unwrap();
    person.close().await.unwrap();

    let person = world.person().await;
    let after = refused(send(&person, ANNA, "three").await, Cause::Paced);
    assert_eq!(after.retry_at.unwrap(), retry_at);
    let hour: jiff::Timestamp = retry_at.parse().unwrap();
    let wait = hour.duration_since(jiff::Timestamp::now());
    assert!((3_500..=3_601).contains(&wait.as_secs()), "{wait:?}");
    assert_eq!(shown(&world.anna, "three"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_who_never_wrote_are_written_to_more_slowly() {
    let world = World::linked().await;
    for number in ["447700900110", "447700900111"] {
        world.sim.add_account(number, "Stranger").unwrap();
    }
    world.set_policy("[pace]\nbetween_ms = 0\nstrangers_between_ms = 600000\npatience_seconds = 1");
    let person = world.person().await;
    send(&person, "447700900110", "who are you").await.unwrap();
    let failure = refused(send(&person, "447700900111", "and you").await, Cause::Paced);
    assert!(failure.retry_at.is_some());
    send(&person, MALLORY, "you wrote to me").await.unwrap();
    send(&person, ANNA, "and you").await.unwrap();
    arrives(&world.mallory, "you wrote to me").await;
    arrives(&world.anna, "and you").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_at_once_keep_their_distance_too() {
    let world = World::linked().await;
    world.set_policy("[pace]\nbetween_ms = 0\nper_hour = 3\npatience_seconds = 0");
    let person = world.person().await;
    let texts: Vec<String> = (0..8).map(|number| format!("at once {number}")).collect();
    let sent = futures_util::future::join_all(texts.iter().map(|says| send(&person, ANNA, says)));
    let sent = sent.await;
    assert_eq!(sent.iter().filter(|result| result.is_ok()).count(), 3);
    let refused = sent.iter().filter_map(|result| result.as_ref().err());
    assert!(refused.map(|failure| failure.cause).all(|cause| cause == Cause::Paced));
    let last = world
        .anna
        .messages()
        .iter()
        .filter(|message| message.text.as_deref().is_some_and(|text| text.starts_with("at once")))
        .count();
    assert_eq!(last, 3);
}

async fn check(bridge: &Bridge, count: u32) -> Result<(), Failure> {
    let numbers = (0..count).map(|number| format!("+4477009{number:05}")).collect();
    bridge.call(ContactCheck { numbers }).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assistant_looks_up_so_many_numbers_an_hour_also_after_a_restart() {
    let world = World::linked().await;
    world.set_policy("[pace]\nlookups_per_hour = 60\npatience_seconds = 0");
    let robot = world.assistant().await;
    check(&robot, 50).await.unwrap();
    let failure = refused(check(&robot, 50).await, Cause::Paced);
    assert!(failure.message.contains("look-ups") && failure.retry_at.is_some(), "{failure}");
    check(&robot, 10).await.unwrap();
    robot.close().await.unwrap();
    let robot = world.assistant().await;
    refused(check(&robot, 1).await, Cause::Paced);
    send(&robot, ANNA, "messages have a pace of their own").await.unwrap();
    let person = world.person().await;
    check(&person, 50).await.unwrap();
    check(&person, 50).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assistant_changes_groups_and_loads_files_at_a_pace() {
    let world = World::linked().await;
    world.set_policy(
        "confirm = 'never'\n[pace]\nbetween_ms = 0\ngroup_changes_per_hour = 1\n\
         downloads_per_hour = 0\npatience_seconds = 0",
    );
    let robot = world.assistant().await;
    let create = |subject: &str| GroupCreate {
        subject: subject.into(),
        people: vec![ANNA.into()],
        announce: false,
        locked: false,
        approval: false,
        disappearing: None,
    };
    robot.call(create("one")).await.unwrap();
    let failure = refused(robot.call(create("two")).await, Cause::Paced);
    assert!(failure.message.contains("changes of groups"), "{failure}");
    let link = "https://chat.whatsapp.com/AAAAAAAAAAAAAAAAAAAAAA".into();
    robot.call(GroupJoin { link }).await.unwrap_err();
    let picture = wa_sim::OutgoingFile::new(wa_sim::FileKind::Image, b"\xff\xd8\xff".to_vec());
    let id = world.anna.send_file(&world.ada.jid(), picture).unwrap();
    let read = MediaRead { chat: ANNA.into(), id, limit: None };
    let failure = crate::support::until("the file", async || {
        let failure = robot.call(read.clone()).await.unwrap_err();
        (failure.cause != Cause::NotFound).then_some(failure)
    })
    .await;
    assert_eq!(failure.cause, Cause::Paced, "{failure}");
}
