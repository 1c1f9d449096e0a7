//! Groups: made, changed, written to and left, and what is refused.

use serde_json::Value;
use wa_sim::Phone;

use crate::{
    bad_input::fails,
    support::{BORIS, Machine, PATIENCE, World},
};

const CARLA: &str = "447700900103";

fn carla(world: &World) -> Phone {
    world.sim.add_account(CARLA, "Carla").unwrap()
}

/// The roles of a group, by phone number.
fn roles(group: &Value) -> Vec<(&str, &str)> {
    let people = group["participants"].as_array().unwrap().iter();
    let mut roles: Vec<_> = people
        .map(|person| (person["phone"].as_str().unwrap(), person["role"].as_str().unwrap()))
        .collect();
    roles.sort_unstable();
    roles
}

fn book_club(machine: &Machine) -> Value {
    machine.json(&["groups", "create", "Book club", &format!("+{BORIS}")])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_made_written_to_and_read_by_those_who_are_in_it() {
    let world = World::new().await;
    let (machine, carla) = (world.linked(), carla(&world));
    let group = book_club(&machine);
    assert_eq!(roles(&group), [("+447700900101", "creator"), ("+447700900102", "member")]);
    let jid = group["jid"].as_str().unwrap();

    let sent = machine.json(&["send", "Book club", "Chapter one?"]);
    assert_eq!(sent["chat"], jid);
    let shows = |text: &'static str| {
        move |message: &wa_sim::PhoneMessage| message.text.as_deref() == Some(text)
    };
    assert!(world.boris.wait_for_message(shows("Chapter one?"), PATIENCE).await.is_some());
    world.boris.send_text(&jid.parse().unwrap(), "Chapter two!").unwrap();

    let added = machine.json(&["groups", "add", "Book club", &format!("+{CARLA}")]);
    assert_eq!((&added[0]["done"], &added[0]["phone"]), (&true.into(), &"+447700900103".into()));
    machine.json(&["groups", "promote", "Book club", &format!("+{CARLA}")]);
    machine.json(&["groups", "remove", "Book club", &format!("+{BORIS}")]);
    machine.json(&["send", "Book club", "Only for Carla"]);
    assert!(carla.wait_for_message(shows("Only for Carla"), PATIENCE).await.is_some());
    assert!(!world.boris.messages().iter().any(shows("Only for Carla")));
    let info = machine.json(&["groups", "info", "Book club"]);
    assert_eq!(roles(&info), [("+447700900101", "creator"), ("+447700900103", "admin")]);
    let texts = machine.json(&["messages", "Book club", "--sync"]);
    assert!(texts.as_array().unwrap().iter().any(|message| message["text"] == "Chapter two!"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_group_is_called_and_permits_is_changed() {
    let world = World::new().await;
    let machine = world.linked();
    let jid = book_club(&machine)["jid"].as_str().unwrap().to_owned();
    machine.json(&["groups", "subject", "Book club", "Film club"]);
    machine.json(&["groups", "description", "Film club", "No spoilers"]);
    let settings = ["--announce", "on", "--locked", "on", "--disappearing", "7d"];
    let changed = machine.json(&[&["groups", "settings", &jid] as &[&str], &settings].concat());
    assert_eq!(changed["changed"].as_array().unwrap().len(), 3);
    let info = machine.json(&["groups", "info", &jid]);
    assert_eq!(
        (&info["subject"], &info["description"]),
        (&"Film club".into(), &"No spoilers".into())
    );
    assert_eq!((&info["announce"], &info["locked"]), (&true.into(), &true.into()));
    assert_eq!(info["disappearing"], 604_800);
    let listed = machine.json(&["groups", "list"]);
    assert_eq!((listed[0]["jid"].as_str(), listed.as_array().unwrap().len()), (Some(&*jid), 1));

    let link = machine.json(&["groups", "invite", &jid])["link"].as_str().unwrap().to_owned();
    assert!(link.starts_with("https://chat.whatsapp.com/"), "{link}");
    let fresh = machine.json(&["groups", "invite", &jid, "--reset"]);
    assert_ne!(fresh["link"], *link);
    assert_eq!(machine.json(&["groups", "leave", &jid])["left"], true);
    assert_eq!(machine.json(&["groups", "list"]).as_array().unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_leads_into_a_group_or_to_those_who_let_people_in() {
    let world = World::new().await;
    let machine = world.linked();
    let open = world.sim.create_group("Open", &[&world.boris]).unwrap();
    let link = world.boris.group_link(&open, false).unwrap();
    assert_eq!(machine.json(&["groups", "join", &link, "--dry-run"])["subject"], "Open");
    assert_eq!(machine.json(&["groups", "join", &link])["state"], "joined");
    machine.json(&["send", &open.to_string(), "hello all"]);

    let own = book_club(&machine);
    machine.json(&["groups", "settings", "Book club", "--approval", "on"]);
    let carla = carla(&world);
    let link =
        machine.json(&["groups", "invite", "Book club"])["link"].as_str().unwrap().to_owned();
    carla.join_by_link(link.rsplit('/').next().unwrap()).unwrap();
    let waiting = machine.json(&["groups", "requests", "Book club"]);
    assert_eq!(waiting[0]["phone"], format!("+{CARLA}"));
    let number = format!("+{CARLA}");
    let answered = machine.json(&["groups", "requests", "Book club", "--approve", &number]);
    assert_eq!(answered[0]["done"], true);
    let info = world.sim.group(&own["jid"].as_str().unwrap().parse().unwrap()).unwrap();
    assert_eq!(info.participants.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_groups_and_wrong_members_are_told() {
    let world = World::new().await;
    let machine = world.linked();
    book_club(&machine);
    let number = format!("+{BORIS}");
    fails(&machine, &["groups", "info", "Nothing"], 1, "not_found");
    fails(&machine, &["groups", "info", &number], 2, "usage");
    fails(&machine, &["groups", "info", "120363000000000099@g.us"], 1, "failed");
    fails(&machine, &["groups", "add", "Book club", "Book club"], 2, "usage");
    fails(&machine, &["groups", "subject", "Book club", ""], 2, "usage");
    fails(&machine, &["groups", "join", "https://example.com/x"], 2, "usage");
    fails(&machine, &["groups", "join", "AAAAAAAAAAAAAAAAAAAAAA"], 2, "usage");
    fails(&machine, &["groups", "photo", "Book club", "/nowhere.jpg"], 2, "usage");
    fails(&machine, &["groups", "photo", "Book club", "/"], 2, "usage");
    let again = fails(&machine, &["groups", "add", "Book club", &number], 1, "failed");
    assert!(again["message"].as_str().unwrap().contains("already"), "{again}");

    let theirs = world.sim.create_group("Theirs", &[&world.boris, &world.anna]).unwrap();
    let theirs = theirs.to_string();
    let refused = fails(&machine, &["groups", "settings", &theirs, "--locked", "on"], 1, "failed");
    assert!(refused["message"].as_str().unwrap().contains("only admins"), "{refused}");
    let other = world.sim.create_group("Other", &[&world.boris]).unwrap();
    let outside = fails(&machine, &["send", &other.to_string(), "let me in"], 1, "failed");
    assert!(outside["message"].as_str().unwrap().contains("not in the group"), "{outside}");
}
