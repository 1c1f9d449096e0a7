//! Random lists of actions: whatever is sent, lost, mixed up, repeated, rolled back or set up
//! anew, a message decrypts to what was sent, at most once, or fails for a reason that holds.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;
use rand_chacha::ChaCha12Rng;
use wa_signal::{
    CiphertextMessage, DecryptError, SenderKeyError, SenderKeyRecord,
    limits::{MAX_RECEIVER_CHAINS, MAX_SENDER_KEY_STATES},
};

use crate::party::{Party, acquainted, rng};

#[derive(Debug, Clone)]
enum Action {
    Send(usize),
    /// The message that comes next, out of those on their way.
    Deliver(usize),
    /// The same, and it stays on its way.
    Duplicate(usize),
    Drop(usize),
    /// Remembers a party as it is.
    Backup(usize),
    Restore(usize),
    Reinstall(usize),
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        8 => (0..2_usize).prop_map(Action::Send),
        8 => any::<usize>().prop_map(Action::Deliver),
        2 => any::<usize>().prop_map(Action::Duplicate),
        1 => any::<usize>().prop_map(Action::Drop),
        1 => (0..2_usize).prop_map(Action::Backup),
        1 => (0..2_usize).prop_map(Action::Restore),
        1 => (0..2_usize).prop_map(Action::Reinstall),
    ]
}

#[derive(Clone)]
struct End {
    party: Party,
    handled: HashSet<u32>,
}

#[derive(Clone)]
struct OnItsWay {
    to: usize,
    id: u32,
    message: CiphertextMessage,
    /// How many messages its receiver had decrypted when it was sent.
    sent_at: usize,
    /// How often somebody had been rolled back or set up anew when it was sent.
    upheavals: u32,
}

struct World {
    rng: ChaCha12Rng,
    ends: [End; 2],
    backups: [End; 2],
    on_their_way: Vec<OnItsWay>,
    next_id: u32,
    decrypted: [usize; 2],
    upheavals: u32,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = rng(seed);
        let mut end = || End { party: Party::new(&mut rng), handled: HashSet::new() };
        let ends = [end(), end()];
        Self {
            backups: ends.clone(),
            ends,
            rng,
            on_their_way: Vec::new(),
            next_id: 0,
            decrypted: [0; 2],
            upheavals: 0,
        }
    }

    fn act(&mut self, action: &Action) {
        match *action {
            Action::Send(from) => self.send(from),
            Action::Deliver(at) | Action::Duplicate(at) | Action::Drop(at) => {
                if self.on_their_way.is_empty() {
                    return;
                }
                let at = at % self.on_their_way.len();
                let item = self.on_their_way[at].clone();
                if !matches!(action, Action::Duplicate(_)) {
                    self.on_their_way.remove(at);
                }
                if !matches!(action, Action::Drop(_)) {
                    self.deliver(&item);
                }
            }
            Action::Backup(who) => self.backups[who] = self.ends[who].clone(),
            Action::Restore(who) => {
                self.ends[who] = self.backups[who].clone();
                self.upheavals += 1;
            }
            Action::Reinstall(who) => {
                self.ends[who].party = Party::new(&mut self.rng);
                self.upheavals += 1;
            }
        }
    }

    fn send(&mut self, from: usize) {
        let to = 1 - from;
        let theirs = self.ends[to].party.identity.public;
        if self.ends[from].party.session.remote_identity() != Some(theirs) {
            let bundle = self.ends[to].party.bundle(&mut self.rng);
            self.ends[from].party.start(&bundle, &mut self.rng);
        }
        let id = self.next_id;
        self.next_id += 1;
        let message = self.ends[from].party.send(&id.to_be_bytes());
        let sent_at = self.decrypted[to];
        let upheavals = self.upheavals;
        self.on_their_way.push(OnItsWay { to, id, message, sent_at, upheavals });
    }

    fn deliver(&mut self, item: &OnItsWay) {
        let end = &mut self.ends[item.to];
        match end.party.receive(&item.message, &mut self.rng) {
            Ok(plaintext) => {
                assert_eq!(plaintext, item.id.to_be_bytes());
                assert!(end.handled.insert(item.id), "decrypted twice");
                self.decrypted[item.to] += 1;
            }
            Err(error) if self.upheavals > 0 => assert!(
                matches!(
                    error,
                    DecryptError::BadMac
                        | DecryptError::NoSession
                        | DecryptError::DuplicateMessage
                        | DecryptError::EndedSession
                        | DecryptError::ReplacedIdentity
                        | DecryptError::MissingPreKey(_)
                ),
                "{error}"
            ),
            Err(DecryptError::DuplicateMessage) => assert!(end.handled.contains(&item.id)),
            // Its chain may have been dropped for newer ones, be it known as used or not.
            Err(DecryptError::BadMac) => {
                let since = self.decrypted[item.to] - item.sent_at;
                assert!(since >= MAX_RECEIVER_CHAINS, "lost after {since} others");
            }
            Err(error) => panic!("{error}, {} upheavals before", item.upheavals),
        }
    }

    /// One of the two starts anew, as after a retry receipt.
    fn converge(mut self) {
        let rng = &mut self.rng;
        let [End { party: alice, .. }, End { party: bob, .. }] = &mut self.ends;
        // Who was set up anew and then rolled back to before has an identity that was replaced:
        // only a bundle brings it back.
        bob.start(&alice.bare_bundle(), rng);
        let bundle = bob.bundle(rng);
        alice.start(&bundle, rng);
        for round in 0..3 {
            assert_eq!(bob.receive(&alice.send(&[round]), rng).unwrap(), [round]);
            assert_eq!(alice.receive(&bob.send(&[round]), rng).unwrap(), [round]);
            assert_eq!(alice.session.base_key(), bob.session.base_key());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_parties_read_what_was_sent_at_most_once_and_converge(
        seed: u64, actions in proptest::collection::vec(action(), 1..50),
    ) {
        let mut world = World::new(seed);
        for action in &actions {
            world.act(action);
        }
        world.converge();
    }

    #[test]
    fn two_parties_of_whom_none_is_rolled_back_lose_nothing(
        seed: u64, actions in proptest::collection::vec(action(), 1..50),
    ) {
        let mut world = World::new(seed);
        let gentle = |action: &&Action| !matches!(action, Action::Restore(_) | Action::Reinstall(_));
        for action in actions.iter().filter(gentle) {
            world.act(action);
        }
        world.converge();
    }

    #[test]
    fn a_group_reads_what_was_sent_at_most_once(
        seed: u64,
        size in 2..=5_usize,
        actions in proptest::collection::vec((0..6_u8, any::<usize>()), 1..40),
    ) {
        let mut group = Group::new(seed, size);
        for &(kind, which) in &actions {
            group.act(kind, which);
        }
        group.converge();
    }
}

/// A message to one member, with the sender's key if that member had not been told it.
#[derive(Clone)]
struct GroupItem {
    from: usize,
    to: usize,
    id: u32,
    key: u32,
    telling: Option<CiphertextMessage>,
    message: Vec<u8>,
}

struct Group {
    rng: ChaCha12Rng,
    size: usize,
    /// By who speaks with whom.
    links: HashMap<(usize, usize), Party>,
    own: Vec<SenderKeyRecord>,
    /// Whom each member has told its key.
    told: Vec<HashSet<usize>>,
    /// By who reads whom.
    others: HashMap<(usize, usize), SenderKeyRecord>,
    /// The keys each has heard of each, in order.
    heard: HashMap<(usize, usize), Vec<u32>>,
    handled: HashSet<(usize, u32)>,
    on_their_way: Vec<GroupItem>,
    next_id: u32,
}

impl Group {
    fn new(seed: u64, size: usize) -> Self {
        let mut rng = rng(seed);
        let mut links = HashMap::new();
        for (one, other) in (0..size).flat_map(|a| (0..a).map(move |b| (a, b))) {
            let (a, b) = acquainted(&mut rng);
            links.extend([((one, other), a), ((other, one), b)]);
        }
        Self {
            own: (0..size).map(|_| SenderKeyRecord::create(&mut rng)).collect(),
            rng,
            size,
            links,
            told: vec![HashSet::new(); size],
            others: HashMap::new(),
            heard: HashMap::new(),
            handled: HashSet::new(),
            on_their_way: Vec::new(),
            next_id: 0,
        }
    }

    fn act(&mut self, kind: u8, which: usize) {
        let member = which % self.size;
        match kind {
            0 | 1 => self.send(member),
            2 if which.is_multiple_of(4) => {
                self.own[member] = SenderKeyRecord::create(&mut self.rng);
                self.told[member].clear();
            }
            _ if self.on_their_way.is_empty() => {}
            3 => {
                let item = self.on_their_way[which % self.on_their_way.len()].clone();
                self.deliver(&item);
            }
            _ => {
                let item = self.on_their_way.remove(which % self.on_their_way.len());
                self.deliver(&item);
            }
        }
    }

    fn send(&mut self, from: usize) {
        let id = self.next_id;
        self.next_id += 1;
        let telling = self.own[from].distribution_message().unwrap();
        let key = self.own[from].key_id().unwrap();
        let (next, message) = self.own[from].encrypt(&id.to_be_bytes(), &mut self.rng).unwrap();
        self.own[from] = next;
        for to in (0..self.size).filter(|&to| to != from) {
            let telling = self.told[from]
                .insert(to)
                .then(|| self.links.get_mut(&(from, to)).unwrap().send(&telling));
            self.on_their_way.push(GroupItem {
                from,
                to,
                id,
                key,
                telling,
                message: message.clone(),
            });
        }
    }

    fn deliver(&mut self, item: &GroupItem) {
        let direction = (item.to, item.from);
        let record = self.others.entry(direction).or_default();
        let heard = self.heard.entry(direction).or_default();
        if let Some(telling) = &item.telling {
            match self.links.get_mut(&direction).unwrap().receive(telling, &mut self.rng) {
                Ok(telling) => {
                    *record = record.process_distribution(&telling).unwrap();
                    heard.push(item.key);
                }
                Err(error) => {
                    assert_eq!(error, DecryptError::DuplicateMessage);
                    assert!(heard.contains(&item.key));
                }
            }
        }
        let handled = self.handled.contains(&(item.to, item.id));
        match record.decrypt(&item.message) {
            Ok((next, plaintext)) => {
                assert_eq!(plaintext, item.id.to_be_bytes());
                assert!(self.handled.insert((item.to, item.id)), "decrypted twice");
                *record = next;
            }
            Err(SenderKeyError::DuplicateMessage) => assert!(handled),
            Err(SenderKeyError::NoSenderKey(key)) => {
                assert_eq!(key, item.key);
                let newest = heard.iter().rev().take(MAX_SENDER_KEY_STATES);
                assert!(!newest.into_iter().any(|heard| *heard == key), "a key was lost");
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// With everything delivered and a new key for each, everybody reads everybody.
    fn converge(mut self) {
        for item in std::mem::take(&mut self.on_their_way) {
            self.deliver(&item);
        }
        for member in 0..self.size {
            self.own[member] = SenderKeyRecord::create(&mut self.rng);
            self.told[member].clear();
            self.send(member);
        }
        for item in std::mem::take(&mut self.on_their_way) {
            self.deliver(&item);
            assert!(self.handled.contains(&(item.to, item.id)));
        }
    }
}
