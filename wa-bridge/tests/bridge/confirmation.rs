//! A person has to agree before an assistant writes where this account never wrote.

use std::fs;

use serde_json::json;
use wa_bridge::{
    Bridge, Caller, Cause, Failure,
    api::{
        Approval, DraftApprove, DraftCancel, DraftList, DraftView, Outgoing, SendMessage, Status,
    },
};

use crate::support::{ANNA, BEN, MALLORY, World, arrives, refused, send, shown, text};

/// The draft that an assistant's message became.
fn draft(failure: Failure) -> DraftView {
    assert_eq!(failure.cause, Cause::ConfirmationRequired, "{failure}");
    *failure.draft.unwrap()
}

async fn approve(bridge: &Bridge, draft: &DraftView, by: Approval) -> Result<(), Failure> {
    let DraftView { id, digest, .. } = draft.clone();
    bridge.call(DraftApprove { id, digest, by }).await.map(drop)
}

async fn waiting(bridge: &Bridge) -> Vec<String> {
    let drafts = bridge.call(DraftList::default()).await.unwrap();
    drafts.into_iter().map(|draft| draft.id).collect()
}

fn said_by_device(world: &World) -> usize {
    let messages = world.sim.heard(&world.device()).into_iter();
    messages.filter(|stanza| stanza.tag == "message").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assistants_first_message_waits_for_a_person_and_is_sent_once_then() {
    let world = World::linked().await;
    let (robot, person) = (world.assistant().await, world.person().await);
    world.sim.listen();
    let made = draft(send(&robot, BEN, "may I?").await.unwrap_err());
    assert!(made.preview.contains("may I?") && made.recipient.contains("Ben Okafor"), "{made:?}");
    let again = draft(send(&robot, BEN, "may I?").await.unwrap_err());
    assert_eq!(made.id, again.id, "asked for again, it is the same draft");
    assert_eq!(said_by_device(&world), 0);
    assert_eq!(person.call(Status::default()).await.unwrap().drafts, 1);

    approve(&person, &made, Approval::Person).await.unwrap();
    arrives(&world.ben, "may I?").await;
    refused(approve(&person, &made, Approval::Person).await, Cause::NotFound);
    assert_eq!(said_by_device(&world), 1);
    assert_eq!(shown(&world.ben, "may I?"), 1);
    assert!(waiting(&person).await.is_empty());
    // Once agreed to is not for good: only what the person writes opens a chat.
    draft(send(&robot, BEN, "thank you").await.unwrap_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn agreed_to_twice_at_once_it_is_sent_once() {
    let world = World::linked().await;
    let (robot, person) = (world.assistant().await, world.person().await);
    world.set_policy("");
    let made = draft(send(&robot, BEN, "only once").await.unwrap_err());
    let results =
        futures_util::future::join_all((0..4).map(|_| approve(&person, &made, Approval::Person)))
            .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    arrives(&world.ben, "only once").await;
    send(&person, BEN, "after it").await.unwrap();
    arrives(&world.ben, "after it").await;
    assert_eq!(shown(&world.ben, "only once"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assistant_cannot_agree_unless_the_policy_takes_its_word() {
    let world = World::linked().await;
    let robot = world.assistant().await;
    let made = draft(send(&robot, BEN, "please").await.unwrap_err());
    for by in [Approval::Assistant, Approval::Person] {
        refused(approve(&robot, &made, by).await, Cause::Forbidden);
    }
    assert_eq!(shown(&world.ben, "please"), 0);
    robot.close().await.unwrap();

    world.set_policy("confirm_in_chat = true");
    let robot = world.assistant().await;
    approve(&robot, &made, Approval::Assistant).await.unwrap();
    arrives(&world.ben, "please").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_seen_is_not_agreed_to() {
    let world = World::linked().await;
    fs::create_dir(world.path("out")).unwrap();
    world.set_policy(&format!("[files]\nsend_from = [{:?}]", world.path("out")));
    let (robot, person) = (world.assistant().await, world.person().await);
    let file = world.path("out/offer.txt");
    fs::write(&file, "ten pounds").unwrap();
    let with_file = |chat: &str| SendMessage {
        what: Outgoing::File {
            path: file.display().to_string(),
            caption: None,
            send_as: None,
            name: None,
            view_once: false,
        },
        ..text(chat, "")
    };
    world.sim.listen();
    let made = draft(robot.call(with_file(BEN)).await.unwrap_err());
    // Another text, file or recipient is another draft, with another digest.
    let others = [
        draft(send(&robot, BEN, "ten pounds").await.unwrap_err()),
        draft(robot.call(with_file(MALLORY)).await.unwrap_err()),
    ];
    for other in others {
        assert_ne!((&made.id, &made.digest), (&other.id, &other.digest));
        let mut mixed = other;
        mixed.digest.clone_from(&made.digest);
        refused(approve(&person, &mixed, Approval::Person).await, Cause::Forbidden);
    }
    fs::write(&file, "ten thousand pounds").unwrap();
    refused(approve(&person, &made, Approval::Person).await, Cause::Forbidden);
    assert_eq!(said_by_device(&world), 0);
    fs::write(&file, "ten pounds").unwrap();
    approve(&person, &made, Approval::Person).await.unwrap();
    assert_eq!(said_by_device(&world), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_can_be_dropped() {
    let world = World::linked().await;
    let (robot, person) = (world.assistant().await, world.person().await);
    let made = draft(send(&robot, BEN, "never mind").await.unwrap_err());
    assert_eq!(waiting(&person).await, std::slice::from_ref(&made.id));
    person.call(DraftCancel { id: made.id.clone() }).await.unwrap();
    assert!(waiting(&person).await.is_empty());
    refused(approve(&person, &made, Approval::Person).await, Cause::NotFound);
    assert_eq!(shown(&world.ben, "never mind"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_outlives_its_owner() {
    let world = World::linked().await;
    let robot = world.assistant().await;
    let made = draft(send(&robot, BEN, "later").await.unwrap_err());
    robot.close().await.unwrap();
    let person = world.person().await;
    assert_eq!(waiting(&person).await, std::slice::from_ref(&made.id));
    approve(&person, &made, Approval::Person).await.unwrap();
    arrives(&world.ben, "later").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_not_asked_and_an_assistant_not_where_this_account_wrote_before() {
    let world = World::linked().await;
    let (robot, person) = (world.assistant().await, world.person().await);
    send(&robot, ANNA, "by the assistant").await.unwrap();
    arrives(&world.anna, "by the assistant").await;
    send(&person, MALLORY, "by the person").await.unwrap();
    arrives(&world.mallory, "by the person").await;
    assert!(waiting(&person).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_say_that_a_person_asks_is_an_assistant() {
    let world = World::linked().await;
    let person = world.person().await;
    let body = json!({ "chat": BEN, "what": { "kind": "text", "text": "hello" } }).to_string();
    for headers in
        ["", "wa-frontend: assistant\r\n", "wa-frontend: Person\r\n", "wa-frontend: root\r\n"]
    {
        let (status, answer) =
            world.request("POST", "/v1/messages/send", headers, body.as_bytes()).await;
        assert_eq!(status, 428, "{headers:?}: {answer}");
    }
    assert_eq!(waiting(&person).await.len(), 1);
    assert_eq!(shown(&world.ben, "hello"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_confirmed_where_the_policy_wants_that() {
    let world = World::linked().await;
    world.set_policy("confirm = 'always'");
    let (robot, person) = (world.assistant().await, world.person().await);
    let first = world.anna.messages().into_iter().find(|message| message.from_me).unwrap();
    let edit = json!({ "chat": ANNA, "id": first.id, "emoji": "👍" });
    let (status, answer) =
        world.request("POST", "/v1/messages/react", "", edit.to_string().as_bytes()).await;
    assert_eq!(status, 428, "{answer}");
    let reaction: Failure = serde_json::from_value(
        serde_json::from_str::<serde_json::Value>(&answer).unwrap()["error"].take(),
    )
    .unwrap();
    let made = draft(send(&robot, ANNA, "known, and yet").await.unwrap_err());
    assert_eq!(waiting(&person).await.len(), 2);
    approve(&person, &draft(reaction), Approval::Person).await.unwrap();
    approve(&person, &made, Approval::Person).await.unwrap();
    arrives(&world.anna, "known, and yet").await;
    arrives(&world.anna, "👍").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_agrees_stays_within_what_they_forbid_themselves() {
    let world = World::linked().await;
    let robot = world.assistant().await;
    let made = draft(send(&robot, MALLORY, "a stranger").await.unwrap_err());
    let mut careful = Caller::person("careful");
    careful.tightening.contacts_only = true;
    let careful = world.open(careful).await;
    refused(approve(&careful, &made, Approval::Person).await, Cause::Forbidden);
    assert_eq!(shown(&world.mallory, "a stranger"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assistant_that_tries_again_after_the_person_agreed_says_nothing_twice() {
    let world = World::linked().await;
    let (robot, person) = (world.assistant().await, world.person().await);
    let made = draft(send(&robot, BEN, "may I?").await.unwrap_err());
    approve(&person, &made, Approval::Person).await.unwrap();
    assert!(send(&robot, BEN, "may I?").await.unwrap().repeated);
    send(&person, BEN, "after it").await.unwrap();
    arrives(&world.ben, "after it").await;
    assert_eq!(shown(&world.ben, "may I?"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_for_chats_out_of_reach_are_not_shown() {
    let world = World::linked().await;
    let (robot, person) = (world.assistant().await, world.person().await);
    let made = draft(send(&robot, MALLORY, "a stranger").await.unwrap_err());
    let mut careful = Caller::assistant("careful");
    careful.tightening.contacts_only = true;
    let careful = world.open(careful).await;
    assert!(waiting(&careful).await.is_empty());
    assert_eq!(waiting(&person).await, [made.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assistant_cannot_fill_the_places_of_others() {
    let world = World::linked().await;
    let (robot, person) = (world.assistant().await, world.person().await);
    let other = world.client("another").await;
    let kept = draft(send(&other, BEN, "of the other").await.unwrap_err());
    let mut made = Vec::new();
    for number in 0..25 {
        let failure = send(&robot, MALLORY, &format!("spam {number}")).await.unwrap_err();
        made.push(draft(failure).id);
    }
    let left = waiting(&person).await;
    assert_eq!(left.len(), 21, "twenty of each at most");
    assert!(left.contains(&kept.id), "the other's is still there");
    assert!(made[..5].iter().all(|id| !left.contains(id)), "its own oldest went");
    assert!(made[5..].iter().all(|id| left.contains(id)));
}
