//! How fast messages may follow each other.

use std::time::{Duration, Instant};

use wa_bridge::Cause;

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
