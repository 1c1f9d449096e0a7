//! Who is kept out by number stays out under every other address of theirs.

use wa_bridge::{Cause, api::ChatGet};
use wa_proto::{Jid, Server};

use crate::support::{BEN, World, refused, send, shown, until};

/// Every way to write to somebody but by name.
fn forms(phone: &Jid, lid: &Jid) -> Vec<String> {
    let (number, lid) = (phone.user.as_str(), lid.user.as_str());
    vec![
        number.to_owned(),
        format!("+{number}"),
        phone.to_string(),
        format!("{number}@c.us"),
        format!("{number}@hosted"),
        format!("{number}.1@s.whatsapp.net"),
        format!("{lid}@lid"),
        format!("{lid}@hosted.lid"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_excluded_number_is_reached_by_no_other_form_of_the_address() {
    let world = World::linked().await;
    // Carol is known from a group alone: there is neither a chat with her nor a contact.
    let carol = world.sim.add_account("447700900130", "Carol").unwrap();
    let group = world.sim.create_group("Choir", &[&world.ada, &carol]).unwrap();
    carol.send_text(&group, "la").unwrap();
    let person = world.person().await;
    until("the group", async || {
        person.call(ChatGet { chat: group.to_string() }).await.ok()?.last_message.map(drop)
    })
    .await;
    person.close().await.unwrap();
    for (phone, victim) in [("447700900130", &carol), (BEN, &world.ben)] {
        for section in ["read", "write"] {
            for entry in forms(&victim.jid(), &victim.lid()) {
                world.set_policy(&format!("confirm = 'never'\n[{section}]\nexcept = [{entry:?}]"));
                let robot = world.assistant().await;
                for form in forms(&victim.jid(), &victim.lid()) {
                    let sent = send(&robot, &form, "got through").await;
                    assert!(sent.is_err(), "{form} gets past {section}.except = [{entry}]");
                    refused(sent, Cause::Forbidden);
                }
                robot.close().await.unwrap();
            }
        }
        assert_eq!(shown(victim, "got through"), 0, "{phone}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lid_that_may_be_the_excluded_persons_is_not_written_to() {
    let world = World::linked().await;
    let dave = world.sim.add_account("447700900140", "Dave").unwrap();
    // Nothing has told this account that the two are one.
    world.set_policy("confirm = 'never'\n[write]\nexcept = ['447700900140']");
    let robot = world.assistant().await;
    let failure = refused(send(&robot, &dave.lid().to_string(), "hi").await, Cause::Forbidden);
    assert!(failure.message.contains("+447700900140"), "{failure}");
    let unknown = Jid::new("55501", Server::HostedLid).to_string();
    refused(send(&robot, &unknown, "hi").await, Cause::Forbidden);
    // Whoever's number is known is told apart.
    send(&robot, &world.anna.lid().to_string(), "hi").await.unwrap();
    assert_eq!(shown(&dave, "hi"), 0);
}
