//! What has to hold whatever the server does. Knows nothing of the attacks.

use std::{collections::BTreeSet, time::Duration};

use wa_client::{Event, EventStream};
use wa_proto::{Jid, Server};
use wa_sim::{Hostile, Impostor, Phone, Sim};
use wa_store::{ArchivedMessage, MessageStatus, Seq};

use crate::parties::{Party, settle};

/// How many tasks more than before the attack may be alive after it.
const MAX_NEW_TASKS: usize = 8;

/// What was so before the attack.
pub(crate) struct Watch {
    hostile: Hostile,
    events: EventStream,
    /// Whose keys an event named.
    named: BTreeSet<Jid>,
    connections: u64,
    tasks: usize,
}

impl Watch {
    /// Begins to watch a client.
    pub(crate) async fn begin(sim: &Sim, victim: &Party) -> Self {
        sim.listen();
        Self {
            hostile: sim.hostile(),
            events: victim.client.events(),
            named: BTreeSet::new(),
            connections: sim.stats().connections_accepted,
            tasks: tasks(),
        }
    }

    /// The attack made other clients connect: they do not count.
    pub(crate) fn connected_meanwhile(&mut self, sim: &Sim) {
        self.connections = sim.stats().connections_accepted;
        self.tasks = tasks();
    }

    /// Checks everything.
    pub(crate) async fn holds(
        mut self,
        victim: &mut Party,
        friend: &Phone,
        impostors: &mut [Impostor],
    ) {
        settle().await;
        self.take_events();
        self.goes_on(victim, friend).await;
        self.is_honest(victim).await;
        self.is_secret(victim, impostors);
        // What the attack had the client ask leaves as its budget of requests lets it.
        tokio::time::sleep(Duration::from_secs(30)).await;
        let tasks = tasks();
        assert!(tasks <= self.tasks + MAX_NEW_TASKS, "{tasks} tasks, {} before", self.tasks);
        let receipts = victim.store.pending_receipts().await.unwrap().len();
        assert!(receipts <= 4, "{receipts} receipts wait on disk");
        assert!(victim.store.outbox_pending().await.unwrap().is_empty());
    }

    /// The client has not connected again, and hears what is really said.
    async fn goes_on(&self, victim: &mut Party, friend: &Phone) {
        let accepted = victim.sim.stats().connections_accepted;
        assert_eq!(accepted, self.connections, "the client connected again");
        let id = friend.send_text(&victim.phone.jid(), "are you there?").unwrap();
        settle().await;
        let kept = victim.store.messages_with_id(&id.as_str().into()).await.unwrap();
        let texts: Vec<_> = kept.iter().map(|message| message.text.as_deref()).collect();
        assert_eq!(texts, [Some("are you there?")], "what is really said is received");
    }

    /// Whatever is archived with content was said by whom it is archived of, there and so.
    async fn is_honest(&self, victim: &Party) {
        let spoken = self.hostile.spoken();
        for message in archive(victim).await {
            let of_channel = message.key.chat.server == Server::Newsletter;
            // The client's own note of what the server told, and what it was asked to say and
            // could not.
            let of_client = message.kind.as_str() == "call-log"
                || message.key.from_me && message.status == MessageStatus::Failed;
            let says_nothing = message.text.is_none() && message.raw.as_bytes().is_empty();
            if of_channel || of_client || says_nothing {
                continue;
            }
            let is_it = |said: &&wa_sim::Spoken| {
                said.id == message.key.id.as_str() && said.by == by_lid(victim, &message.key.sender)
            };
            let Some(said) = spoken.iter().find(is_it) else {
                panic!("nobody said {:?}: {:?}", message.key, message.text)
            };
            assert_eq!(said.chat, chat_of(victim, said, &message), "in another chat");
            assert_eq!(said.text, message.text, "another text than was said");
        }
    }

    /// With the attacker's keys nothing can be read, unless an event named whose keys they would
    /// have to be.
    fn is_secret(&mut self, victim: &Party, impostors: &mut [Impostor]) {
        for stanza in victim.sim.heard(&victim.client.jid().unwrap()) {
            for impostor in impostors.iter_mut() {
                let read = impostor.reads(&stanza);
                let owner = by_lid(victim, &impostor.jid().to_user());
                let is_named = self.named.contains(&owner);
                assert!(read.is_empty() || is_named, "the attacker reads {} messages", read.len());
            }
        }
    }

    fn take_events(&mut self) {
        while let Some(event) = self.events.try_next() {
            if let Event::IdentityChanged { user, .. } = event {
                self.named.insert(user.to_user());
            }
        }
    }
}

/// Everything that is archived.
pub(crate) async fn archive(of: &Party) -> Vec<ArchivedMessage> {
    of.store.messages_after(Seq(0), 1_000).await.unwrap()
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// The person by LID, if the simulation knows them.
fn by_lid(victim: &Party, person: &Jid) -> Jid {
    if person.is_lid() {
        return person.to_user();
    }
    match victim.sim.phone(&person.user) {
        Some(phone) => phone.lid(),
        None => person.to_user(),
    }
}

/// The chat in which a message is archived, as its sender would name it.
fn chat_of(victim: &Party, said: &wa_sim::Spoken, message: &ArchivedMessage) -> Jid {
    let chat = by_lid(victim, &message.key.chat);
    let is_theirs = said.by != victim.phone.lid();
    if chat.is_person() && is_theirs && chat == said.by { victim.phone.lid() } else { chat }
}
