//! Groups: made, changed, written to; who can read what, whoever comes and goes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

#[path = "../handmade/mod.rs"]
mod handmade;
mod invitations;
mod keys;
#[path = "../parties/mod.rs"]
mod parties;
mod people;
mod settings;
mod size;

use parties::{Party, settle, simulation};
use wa_proto::{
    Jid, OwnedNode,
    stanza::{GroupChange, ParticipantChangeKind},
};
use wa_sim::Sim;

/// Ada, Bob and Cid, each with a linked client, and a group of them that Ada made.
struct Circle {
    sim: Sim,
    ada: Party,
    bob: Party,
    cid: Party,
    group: Jid,
}

impl Circle {
    async fn new(seed: u64) -> Self {
        let sim = simulation(seed);
        let ada = Party::join(&sim, "15550100", "Ada").await;
        let bob = Party::join(&sim, "15550200", "Bob").await;
        let cid = Party::join(&sim, "15550300", "Cid").await;
        let group = sim.create_group("Tea", &[&ada.phone, &bob.phone, &cid.phone]).unwrap();
        settle().await;
        sim.listen();
        Self { sim, ada, bob, cid, group }
    }
}

/// The next change of members that a party hears of.
async fn members_changed(party: &mut Party) -> ParticipantChangeKind {
    party
        .until(|event| match event {
            wa_client::Event::Group(event) => match &event.change {
                GroupChange::Participants(change) => Some(change.kind),
                _ => None,
            },
            _ => None,
        })
        .await
}

/// The stanza in which a party's client sent a message.
fn sent(party: &Party, id: &wa_proto::MessageId) -> OwnedNode {
    handmade::said(party, "message", id.as_str()).remove(0)
}

/// To how many devices a message told the sender key.
fn told(stanza: &OwnedNode) -> usize {
    stanza.find("participants").map_or(0, |participants| participants.nodes().len())
}

/// Whether a phone shows a text.
fn shows(phone: &wa_sim::Phone, text: &str) -> bool {
    phone.messages().iter().any(|message| message.text.as_deref() == Some(text))
}
