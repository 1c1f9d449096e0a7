//! What waits for its turn or for a connection is stopped by what the person forbids meanwhile.

use std::time::Duration;

use wa_bridge::{
    Bridge, Caller, Cause, Endpoint,
    api::{Approval, DraftApprove, Hold, Release, SentGet, SentStatus, Status},
};

use crate::support::{ANNA, BEN, World, arrives, refused, send, shown, until};

/// The account without a network: what is sent waits.
async fn offline(world: &World, caller: Caller) -> Bridge {
    let mut options = world.options(caller);
    let (root, ca) = (world.serving.noise_root, world.serving.media_ca.as_str());
    options.endpoint = Endpoint::at("ws://127.0.0.1:9/", root, ca);
    options.stay_connected = false;
    Bridge::open(options).await.unwrap()
}

/// Waits until the account is connected and has had its chance to send.
async fn settled(person: &Bridge, world: &World) {
    send(person, BEN, "a sign").await.unwrap();
    arrives(&world.ben, "a sign").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_connection_does_not_leave_once_the_policy_forbids_it() {
    let world = World::linked().await;
    for (forbids, name) in [("read_only = true", "a"), ("[write]\nexcept = ['+447700900101']", "b")]
    {
        world.set_policy("");
        let robot = offline(&world, Caller::assistant("robot")).await;
        let text = format!("too late {name}");
        let queued = send(&robot, ANNA, &text).await.unwrap();
        assert_eq!(queued.status, SentStatus::Queued);
        robot.close().await.unwrap();

        world.set_policy(forbids);
        let person = world.person().await;
        let sent = until("the refusal", async || {
            let sent = person.call(SentGet { id: queued.id.clone() }).await;
            sent.ok().filter(|sent| sent.status != SentStatus::Queued)
        });
        assert_eq!(sent.await.status, SentStatus::Failed);
        world.set_policy("");
        settled(&person, &world).await;
        assert_eq!(shown(&world.anna, &text), 0, "nor when it is allowed again");
        person.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_called_back_where_a_person_has_to_agree_to_it_by_now() {
    let world = World::linked().await;
    let stricter = [
        (BEN, "confirm = 'new-chats'"),
        (ANNA, "confirm = 'always'"),
        (ANNA, "[client.robot]\nconfirm = 'always'"),
    ];
    for (at, (chat, policy)) in stricter.into_iter().enumerate() {
        world.set_policy("confirm = 'never'\ntaint = 'off'");
        world.let_in("robot");
        let robot = offline(&world, Caller::client("robot".parse().unwrap())).await;
        let text = format!("too late {at}");
        let queued = send(&robot, chat, &text).await.unwrap();
        robot.close().await.unwrap();

        world.set_policy(policy);
        let person = world.person().await;
        let sent = until("the refusal", async || {
            let sent = person.call(SentGet { id: queued.id.clone() }).await;
            sent.ok().filter(|sent| sent.status != SentStatus::Queued)
        });
        assert_eq!(sent.await.status, SentStatus::Failed, "{policy}");
        // Nor does it leave when the policy is loose again.
        world.set_policy("confirm = 'never'\ntaint = 'off'");
        send(&person, ANNA, &format!("a sign {at}")).await.unwrap();
        arrives(&world.anna, &format!("a sign {at}")).await;
        assert_eq!(shown(&world.anna, &text) + shown(&world.ben, &text), 0);
        person.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_agreed_to_leaves_under_whichever_confirmation() {
    let world = World::linked().await;
    world.set_policy("confirm = 'always'");
    let robot = offline(&world, Caller::assistant("robot")).await;
    let asked = refused(send(&robot, ANNA, "agreed").await, Cause::ConfirmationRequired);
    robot.close().await.unwrap();
    let person = offline(&world, Caller::person("terminal")).await;
    let draft = asked.draft.unwrap();
    let approve =
        DraftApprove { id: draft.id.clone(), digest: draft.digest.clone(), by: Approval::Person };
    person.call(approve).await.unwrap();
    person.close().await.unwrap();
    let person = world.person().await;
    arrives(&world.anna, "agreed").await;
    person.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_waits_in_every_process_and_leaves_when_it_is_released() {
    let world = World::linked().await;
    let robot = offline(&world, Caller::assistant("robot")).await;
    send(&robot, ANNA, "of the assistant").await.unwrap();
    robot.close().await.unwrap();
    let person = offline(&world, Caller::person("terminal")).await;
    let view = person.call(Hold {}).await.unwrap();
    assert!(view.held_since.is_some());
    assert_eq!(view.waiting, 1);
    person.close().await.unwrap();

    let person = world.person().await;
    let robot = world.assistant().await;
    let begun = std::time::Instant::now();
    settled(&person, &world).await;
    assert!(begun.elapsed() < Duration::from_secs(8), "a person does not wait for what is held");
    assert_eq!(shown(&world.anna, "of the assistant"), 0);
    let failure = refused(send(&robot, ANNA, "another").await, Cause::Forbidden);
    assert!(failure.to_string().contains("wa-cli release"), "{failure}");
    refused(robot.call(Release {}).await, Cause::Forbidden);
    assert_eq!(person.call(Status::default()).await.unwrap().held_since, view.held_since);

    let view = person.call(Release {}).await.unwrap();
    assert_eq!((view.held_since, view.waiting), (None, 1));
    arrives(&world.anna, "of the assistant").await;
    send(&robot, ANNA, "and another").await.unwrap();
    arrives(&world.anna, "and another").await;
    assert_eq!(shown(&world.anna, "another"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_their_turn_is_stopped_by_read_only_and_by_a_hold() {
    let world = World::linked().await;
    let (person, robot) = (world.person().await, world.assistant().await);
    let pace = "[pace]\nbetween_ms = 4000\n";
    for by_hold in [false, true] {
        world.set_policy(pace);
        send(&robot, ANNA, &format!("first {by_hold}")).await.unwrap();
        let waiting = send(&robot, ANNA, "in its turn");
        let stop = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            match by_hold {
                true => drop(person.call(Hold {}).await.unwrap()),
                false => world.set_policy(&format!("read_only = true\n{pace}")),
            }
        };
        let (sent, ()) = tokio::join!(waiting, stop);
        refused(sent, Cause::Forbidden);
    }
    assert_eq!(shown(&world.anna, "in its turn"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_there_for_the_person_whatever_else_is_forbidden() {
    let world = World::linked().await;
    world.set_policy("read_only = true");
    let (person, robot) = (world.person().await, world.assistant().await);
    refused(robot.call(Hold {}).await, Cause::Forbidden);
    person.call(Hold {}).await.unwrap();
    person.call(Release {}).await.unwrap();
}
