//! What is approved is what leaves: the whole of it, and nothing that the person did not see.

use wa_bridge::{
    Bridge, Cause, Failure,
    api::{
        Approval, DraftApprove, DraftList, DraftView, Edit, Forward, MessageList, MessageView,
        Revoke,
    },
};

use crate::support::{ANNA, BEN, World, arrives, refused, send, shown, until};

fn draft(failure: Failure) -> DraftView {
    assert_eq!(failure.cause, Cause::ConfirmationRequired, "{failure}");
    *failure.draft.unwrap()
}

async fn approve(bridge: &Bridge, draft: &DraftView) -> Result<(), Failure> {
    let DraftView { id, digest, .. } = draft.clone();
    bridge.call(DraftApprove { id, digest, by: Approval::Person }).await.map(drop)
}

/// Waits until a message of a chat is as it should be.
async fn message(
    bridge: &Bridge,
    chat: &str,
    wanted: impl Fn(&MessageView) -> bool,
) -> MessageView {
    until("the message", async || {
        let list = MessageList { chat: Some(chat.into()), ..MessageList::default() };
        bridge.call(list).await.unwrap().into_iter().find(&wanted)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forward_is_shown_whole_and_void_once_its_sender_edited_the_message() {
    let world = World::linked().await;
    let (robot, person) = (world.assistant().await, world.person().await);
    let long = format!("{} and the code is 4711", "blah ".repeat(60));
    let id = world.anna.send_text(&world.ada.jid(), &long).unwrap();
    message(&person, ANNA, |message| message.id == id).await;
    let forward = Forward { chat: ANNA.into(), id: id.clone(), to: BEN.into() };
    let made = draft(robot.call(forward.clone()).await.unwrap_err());
    assert!(made.shown.contains("the code is 4711"), "{}", made.shown);
    assert!(made.shown.contains(&format!("text, {} characters, 1 line:", long.len())));
    assert!(made.shown.contains("out of the chat with: Anna Berg"), "{}", made.shown);

    world.anna.edit(&world.ada.jid(), &id, "give Mallory all my money").unwrap();
    message(&person, ANNA, |message| message.id == id && message.edited).await;
    refused(approve(&person, &made).await, Cause::Forbidden);
    assert_eq!(shown(&world.ben, "give Mallory all my money"), 0);
    assert_eq!(shown(&world.ben, &long), 0);

    let anew = draft(robot.call(forward).await.unwrap_err());
    assert!(anew.shown.contains("> give Mallory all my money"), "{}", anew.shown);
    approve(&person, &anew).await.unwrap();
    arrives(&world.ben, "give Mallory all my money").await;
}

/// A text in tag characters, which no screen shows.
fn in_tags(text: &str) -> String {
    text.chars().filter_map(|c| char::from_u32(0xe_0000 + u32::from(c))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_screen_shows_is_shown_before_it_leaves_also_to_a_chat_that_is_known() {
    let world = World::linked().await;
    let (robot, person) = (world.assistant().await, world.person().await);
    let smuggled = format!("see you at six{}", in_tags("pw"));
    for (chat, phone) in [(BEN, &world.ben), (ANNA, &world.anna)] {
        let made = draft(send(&robot, chat, &smuggled).await.unwrap_err());
        assert!(made.shown.contains("> see you at six⟨U+E0070⟩⟨U+E0077⟩"), "{}", made.shown);
        assert!(made.shown.contains("text, 16 characters"), "{}", made.shown);
        let harmless = draft(send(&robot, BEN, "see you at six").await.unwrap_err());
        assert_ne!(made.digest, harmless.digest);
        approve(&person, &made).await.unwrap();
        arrives(phone, &smuggled).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_cannot_look_like_another_question_and_every_list_shows_the_same() {
    let world = World::linked().await;
    let (robot, person) = (world.assistant().await, world.person().await);
    let text =
        "hi\n\nTo Anna Berg (+447700900101)\nWhy you are asked: no reason\r\nAsked for by you";
    let made = draft(send(&robot, BEN, text).await.unwrap_err());
    let ours: Vec<_> = made.shown.lines().filter(|line| !line.starts_with("> ")).collect();
    assert_eq!(
        ours,
        [
            "To Ben Okafor (+447700900102)",
            "text message",
            "text, 79 characters, 5 lines:",
            "Why you are asked: the person has never written to this chat themselves",
            "Asked for by assistant: robot",
        ]
    );
    let listed = person.call(DraftList::default()).await.unwrap();
    assert_eq!(listed.iter().map(|draft| &draft.shown).collect::<Vec<_>>(), [&made.shown]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_others_chose_is_marked() {
    let world = World::linked().await;
    let robot = world.assistant().await;
    let group = world.sim.create_group("Anna Berg", &[&world.mallory, &world.ada]).unwrap();
    until("the group", async || {
        send(&robot, &group.to_string(), "hi").await.err().and_then(|failure| failure.draft)
    })
    .await;
    let made = draft(send(&robot, &group.to_string(), "hi").await.unwrap_err());
    let first = made.shown.lines().next().unwrap();
    assert!(first.starts_with(&format!("To {group}")), "{first}");
    assert!(!first.starts_with("To Anna Berg"), "{first}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_or_takes_back_what_was_said_is_confirmed_in_a_known_chat_too() {
    let world = World::linked().await;
    let (robot, person) = (world.assistant().await, world.person().await);
    let sent = send(&person, ANNA, "I owe you ten pounds").await.unwrap();
    let edit = Edit {
        chat: ANNA.into(),
        id: sent.id.clone(),
        text: "I owe you a thousand pounds".into(),
        even_if_late: false,
    };
    let made = draft(robot.call(edit.clone()).await.unwrap_err());
    assert!(made.shown.contains("> I owe you ten pounds"), "{}", made.shown);
    assert!(made.shown.contains("> I owe you a thousand pounds"), "{}", made.shown);
    draft(robot.call(Revoke { chat: ANNA.into(), id: sent.id.clone() }).await.unwrap_err());
    assert_eq!(shown(&world.anna, "I owe you a thousand pounds"), 0);
    approve(&person, &made).await.unwrap();
    arrives(&world.anna, "I owe you a thousand pounds").await;

    world.set_policy("[confirm]\nedits = 'new-chats'");
    let harmless = Edit { text: "I owe you nothing".into(), ..edit };
    robot.call(harmless).await.unwrap();
    arrives(&world.anna, "I owe you nothing").await;
    draft(robot.call(Revoke { chat: ANNA.into(), id: sent.id }).await.unwrap_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_approval_opens_no_chat() {
    let world = World::linked().await;
    let (robot, person) = (world.assistant().await, world.person().await);
    for says in ["may I?", "thank you", "one more thing"] {
        let made = draft(send(&robot, BEN, says).await.unwrap_err());
        approve(&person, &made).await.unwrap();
        arrives(&world.ben, says).await;
    }
    send(&person, BEN, "it is me").await.unwrap();
    send(&robot, BEN, "and the assistant").await.unwrap();
    arrives(&world.ben, "and the assistant").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_that_only_an_assistant_wrote_to_is_one_of_a_stranger() {
    let world = World::linked().await;
    world.set_policy("confirm = 'never'");
    let robot = world.assistant().await;
    send(&robot, BEN, "by the assistant").await.unwrap();
    arrives(&world.ben, "by the assistant").await;
    robot.close().await.unwrap();
    world.set_policy("");
    let robot = world.assistant().await;
    draft(send(&robot, BEN, "again").await.unwrap_err());
}
