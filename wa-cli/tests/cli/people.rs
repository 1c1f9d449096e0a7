//! Other people, and what this account shows of itself.

use crate::{
    bad_input::fails,
    support::{ANNA, BORIS, World},
};

#[tokio::test(flavor = "multi_thread")]
async fn who_is_on_whatsapp_is_told_in_the_order_of_the_question() {
    let world = World::new().await;
    let machine = world.linked();
    let found = machine.json(&["check", "+44 7700 900999", "+44 7700 900102"]);
    assert_eq!((&found[0]["on_whatsapp"], &found[1]["on_whatsapp"]), (&false.into(), &true.into()));
    assert_eq!(found[1]["phone"], format!("+{BORIS}"));
    fails(&machine, &["check", "nobody"], 2, "usage");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_found_by_the_name_that_stands_for_their_number() {
    let world = World::new().await;
    let machine = world.linked();
    world.boris.set_username("boris.at.sea");
    let group = world.sim.create_group("Tea", &[&world.anna, &world.boris]).unwrap();
    world.boris.send_text(&group, "Hello").unwrap();
    machine.json(&["sync"]);
    let found = machine.json(&["contacts", "boris.at"]);
    assert_eq!(found[0]["username"], "boris.at.sea");
    let shown = machine.run(&["contacts"]);
    assert!(shown.stdout.contains("@boris.at.sea"), "{}", shown.stdout);
    let sent = machine.json(&["send", "@boris.at.sea", "Ahoy"]);
    assert_eq!(sent["chat"], format!("+{BORIS}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_blocked_and_no_longer() {
    let world = World::new().await;
    let machine = world.linked();
    let number = format!("+{BORIS}");
    assert_eq!(machine.json(&["blocked"]).as_array().unwrap().len(), 0);
    machine.json(&["block", &number]);
    assert_eq!(machine.json(&["blocked"])[0]["phone"], number);
    machine.json(&["unblock", &number]);
    assert_eq!(machine.json(&["blocked"]).as_array().unwrap().len(), 0);
    fails(&machine, &["block", "Nobody"], 1, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn profile_and_privacy_are_shown_and_changed() {
    let world = World::new().await;
    let machine = world.linked();
    machine.json(&["profile", "about", "At the café"]);
    let own = machine.json(&["profile", "show"]);
    assert_eq!((&own["about"], &own["phone"]), (&"At the café".into(), &format!("+{ANNA}").into()));
    assert_eq!(own["is_me"], true);
    let other = machine.json(&["profile", "show", &format!("+{BORIS}")]);
    assert_eq!((&other["is_me"], &other["picture"]), (&false.into(), &"none".into()));
    fails(&machine, &["profile", "about", &"x".repeat(140)], 2, "usage");
    fails(&machine, &["profile", "picture", "/nowhere.jpg"], 2, "usage");
    assert_eq!(machine.run(&["profile", "picture"]).code, Some(2), "neither a file nor --remove");

    machine.json(&["privacy", "set", "last-seen", "nobody"]);
    assert_eq!(machine.json(&["privacy", "show"])["last-seen"], "nobody");
    let error = fails(&machine, &["privacy", "set", "online", "contacts"], 2, "usage");
    assert!(error["remedy"].as_str().unwrap().contains("privacy set"), "{error}");
}
