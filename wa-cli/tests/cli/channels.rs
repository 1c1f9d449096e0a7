//! Channels: followed, read and left.

use crate::{
    bad_input::fails,
    support::{BORIS, World},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_followed_read_and_left() {
    let world = World::new().await;
    let machine = world.linked();
    let channel = world.boris.create_newsletter("Tides", "High and low water").unwrap();
    world.boris.post(&channel, "High water at six").unwrap();
    let jid = channel.to_string();
    let info = machine.json(&["channels", "info", &jid]);
    assert_eq!(
        (&info["name"], &info["description"]),
        (&"Tides".into(), &"High and low water".into())
    );
    machine.json(&["channels", "follow", &jid]);
    assert_eq!(machine.json(&["channels", "list"])[0]["jid"], jid);
    assert_eq!(machine.json(&["channels", "messages", &jid])[0]["text"], "High water at six");
    machine.json(&["channels", "unfollow", &jid]);
    assert_eq!(machine.json(&["channels", "list"]).as_array().unwrap().len(), 0);
    fails(&machine, &["channels", "info", &format!("+{BORIS}")], 2, "usage");
}
