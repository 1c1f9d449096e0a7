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

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_posted_in_a_channel_and_downloaded() {
    let world = World::new().await;
    let machine = world.linked();
    let channel = world.anna.create_newsletter("Tides", "").unwrap();
    let jid = channel.to_string();
    let picture = b"\x89PNG\r\n\x1a\nlow water";
    std::fs::write(machine.path("tide.png"), picture).unwrap();
    let sent = machine.json(&["send", &jid, "low water", "--file", "tide.png"]);
    assert_eq!(world.anna.posted_file(&channel).as_deref(), Some(&picture[..]));
    let id = sent["id"].as_str().unwrap();
    machine.json(&["media", "download", &jid, id, "--output", "copy.png"]);
    assert_eq!(std::fs::read(machine.path("copy.png")).unwrap(), picture);
}
