//! Status posts, broadcast lists and channels reach people whom nobody names.

use wa_bridge::{
    Bridge, Cause, Failure,
    api::{Forward, MessageList, SentView},
};

use crate::support::{ANNA, World, refused, send};

async fn publish(bridge: &Bridge, to: &str) -> Result<SentView, Failure> {
    let list = MessageList { chat: Some(ANNA.into()), ..MessageList::default() };
    let messages = bridge.call(list).await.unwrap();
    let private = messages.iter().find(|message| !message.from_me).unwrap();
    bridge.call(Forward { chat: ANNA.into(), id: private.id.clone(), to: to.into() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_message_is_not_published_to_everybody() {
    let world = World::linked().await;
    for policy in ["", "confirm = 'never'", "confirm = 'never'\n[write]\nchats = ['*']"] {
        world.set_policy(policy);
        let robot = world.assistant().await;
        world.sim.listen();
        for to in ["status@broadcast", "1234567@broadcast", "120363000000000009@newsletter"] {
            refused(publish(&robot, to).await, Cause::Forbidden);
            refused(send(&robot, to, "Mum's PIN").await, Cause::Forbidden);
        }
        let heard = world.sim.heard(&world.device());
        assert!(heard.iter().all(|stanza| stanza.tag != "message"), "{policy}");
        robot.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_policy_names_them_a_person_still_agrees_each_time() {
    let world = World::linked().await;
    world.set_policy("confirm = 'never'\n[write]\nchats = ['*', 'status@broadcast']");
    let robot = world.assistant().await;
    for _ in 0..2 {
        let failure =
            refused(publish(&robot, "status@broadcast").await, Cause::ConfirmationRequired);
        assert_eq!(failure.draft.unwrap().chat, "status@broadcast");
    }
    refused(publish(&robot, "1234567@broadcast").await, Cause::Forbidden);
    // Everything else is as the policy has it.
    send(&robot, ANNA, "hello").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_strangers_are_kept_out_so_are_channels_for_everybody() {
    let world = World::linked().await;
    world.set_policy("[read]\ncontacts_only = true");
    for bridge in [world.person().await, world.assistant().await] {
        refused(send(&bridge, "status@broadcast", "hello").await, Cause::Forbidden);
        refused(send(&bridge, "120363000000000009@newsletter", "x").await, Cause::Forbidden);
    }
}
