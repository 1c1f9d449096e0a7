//! What a server can do that lies: told from its side, against a live client.
//!
//! Three things have to hold whatever it does, and [`watch`] checks them after every attack: nothing
//! is archived as said by somebody who did not say it; nothing can be read with the attacker's keys
//! unless an event named whose keys changed; the client goes on, and does not grow.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod answers;
mod damaged;
mod devices;
mod forged;
mod groups;
mod growth;
#[path = "../handmade/mod.rs"]
mod handmade;
mod log;
mod media;
#[path = "../parties/mod.rs"]
mod parties;
mod replayed;
mod retries;
mod set_up_anew;
mod state;
mod watch;

use std::sync::Arc;

use parties::{Party, settle, simulation};
use wa_proto::{Jid, Node, OwnedNode, pb};
use wa_sim::{Hostile, Phone, Sim};
use wa_store::MemoryStore;

use watch::Watch;

/// Ada's client, which is attacked; Bob, whom she knows; a group of both. Bob has a phone alone.
struct Scene {
    sim: Sim,
    hostile: Hostile,
    ada: Party,
    bob: Phone,
    group: Jid,
    watch: Watch,
}

impl Scene {
    async fn new(seed: u64) -> Self {
        let sim = simulation(seed);
        let mut ada = Party::join(&sim, "15550100", "Ada").await;
        let bob = sim.add_account("15550200", "Bob").unwrap();
        let group = sim.create_group("Tea", &[&ada.phone, &bob]).unwrap();
        bob.send_text(&ada.phone.jid(), "hello").unwrap();
        ada.message().await;
        ada.client.send(bob.jid(), "hello back").await.unwrap();
        bob.send_text(&group, "hello all").unwrap();
        ada.message().await;
        ada.client.send(group.clone(), "hello to you").await.unwrap();
        settle().await;
        let watch = Watch::begin(&sim, &ada).await;
        Self { hostile: sim.hostile(), sim, ada, bob, group, watch }
    }

    /// Ada's client, by LID.
    fn device(&self) -> Jid {
        self.ada.client.lid().unwrap()
    }

    /// Says stanzas to Ada's client and lets it deal with them.
    async fn say(&self, stanzas: impl IntoIterator<Item = OwnedNode>) {
        for stanza in stanzas {
            assert!(self.hostile.say(&self.device(), stanza));
        }
        settle().await;
    }

    /// The outside of a stanza with this id.
    fn stanza(&self, tag: &'static str, id: &'static str, from: &Jid) -> OwnedNode {
        Node::new(tag).attr("id", id).attr("from", from).attr("t", self.sim.now())
    }

    /// A message stanza.
    fn message(&self, id: &'static str, from: &Jid) -> OwnedNode {
        self.stanza("message", id, from).attr("type", "text")
    }

    /// One more client of Bob's.
    async fn bobs_companion(&self) -> Party {
        Party::link(&self.sim, self.bob.clone(), Arc::new(MemoryStore::new())).await
    }

    /// Checks that everything holds.
    async fn holds(self) {
        self.holds_against(&mut []).await;
    }

    /// Checks that everything holds, and that these cannot read anything unannounced.
    async fn holds_against(mut self, impostors: &mut [wa_sim::Impostor]) {
        self.hostile.relent(&self.ada.client.lid().unwrap());
        self.watch.holds(&mut self.ada, &self.bob, impostors).await;
    }
}

fn text(text: &str) -> pb::Message {
    pb::Message { conversation: Some(text.to_owned()), ..pb::Message::default() }
}
