//! What may go wrong on purpose, how often, and what has. Knows nothing of how it is done to a
//! connection.

mod media;

use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use serde::{Deserialize, Serialize};
use wa_proto::{Node, NodeContent, OwnedNode};

pub use self::media::{MediaAct, MediaFault, MediaFaultKind};
use crate::server::offline::StanzaClass;

/// What goes wrong: nothing, unless said otherwise. The JSON of `POST /faults` has the same names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct FaultPlan {
    /// New connections that are closed at once.
    pub refuse_connects: Chance,
    /// Messages, receipts and notifications to clients that are lost on the way. They are given
    /// again after a reconnect, as nobody has confirmed them.
    pub drop: Chance,
    /// Messages, receipts and notifications to clients that arrive twice.
    pub duplicate: Chance,
    /// Messages to clients one of whose ciphertexts is damaged.
    pub corrupt: Chance,
    /// Messages to clients that come without ciphertext, as `<unavailable/>`.
    pub unavailable: Chance,
    /// Frames to clients that are damaged on the wire.
    pub corrupt_frames: Chance,
    /// Stanzas to clients that are late, and all behind them.
    pub delay: Chance,
    /// By how many milliseconds, at most 60,000.
    pub delay_ms: u64,
    /// The sizes of the pieces in which bytes are written, one after the other and over again;
    /// empty leaves them whole.
    pub split: Vec<usize>,
    /// After so many stanzas to it a connection is closed.
    pub close_after: Option<u64>,
    /// Messages from clients that are routed and not acked.
    pub withhold_acks: Chance,
    /// Stanzas from clients that are lost on the way.
    pub drop_incoming: Chance,
    /// Parts of a history that are cut off.
    pub truncate_history: Chance,
    /// Parts of a history of which a byte is wrong.
    pub corrupt_history: Chance,
    /// Parts of a history that inflate beyond measure.
    pub bomb_history: Chance,
    /// What companions ask of their phone and never get an answer to.
    pub silent_phone: Chance,
    /// Patches of the app state that are changed on their way to companions.
    pub corrupt_patches: Chance,
    /// Answers about the app state that begin with patches the companion has already.
    pub replay_patches: Chance,
    /// Connections stay open and nothing is said any more.
    pub silence: bool,
    /// What goes wrong on the media hosts: the first that concerns a request and strikes.
    pub media: Vec<MediaFault>,
}

/// How often a fault strikes: the next `count` times, and after that with a probability.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Chance {
    /// The next so many times for certain.
    pub count: u32,
    /// After them, 0 (never) to 1 (always).
    pub probability: f64,
}

impl Chance {
    /// The next `count` times.
    pub const fn times(count: u32) -> Self {
        Self { count, probability: 0.0 }
    }

    /// With this probability, 0 to 1.
    pub const fn with_probability(probability: f64) -> Self {
        Self { count: 0, probability }
    }

    fn strikes(&mut self, rng: &mut ChaCha20Rng) -> bool {
        if self.count > 0 {
            self.count -= 1;
            return true;
        }
        // 53 bits, as many as a double tells apart.
        self.probability > 0.0
            && (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64 <= self.probability
    }
}

/// The plan in force, its dice, and how often they fell.
#[derive(Debug)]
pub(crate) struct Faults {
    pub(crate) plan: FaultPlan,
    pub(crate) struck: u64,
    rng: ChaCha20Rng,
}

/// What is wrong with a part of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// Its second half is missing.
    Truncated,
    /// A byte of it is another than it was hashed and sealed with.
    Corrupt,
    /// It inflates beyond measure.
    Bomb,
}

/// What happens to one stanza on its way to a client.
#[derive(Debug)]
pub(crate) struct Fate {
    /// How often it is sent.
    pub(crate) copies: usize,
    pub(crate) delay: Duration,
    pub(crate) corrupt_frame: bool,
}

/// The longest delay.
const MAX_DELAY: Duration = Duration::from_secs(60);

impl Faults {
    pub(crate) fn new(rng: ChaCha20Rng) -> Self {
        Self { plan: FaultPlan::default(), struck: 0, rng }
    }

    fn strikes(&mut self, pick: fn(&mut FaultPlan) -> &mut Chance) -> bool {
        let strikes = pick(&mut self.plan).strikes(&mut self.rng);
        self.struck += u64::from(strikes);
        strikes
    }

    pub(crate) fn refuses_connect(&mut self) -> bool {
        self.strikes(|plan| &mut plan.refuse_connects)
    }

    pub(crate) fn withholds_ack(&mut self) -> bool {
        self.strikes(|plan| &mut plan.withhold_acks)
    }

    pub(crate) fn phone_is_silent(&mut self) -> bool {
        self.strikes(|plan| &mut plan.silent_phone)
    }

    /// What is wrong with the next part of a history.
    pub(crate) fn history_damage(&mut self) -> Option<Damage> {
        let truncated = self.strikes(|plan| &mut plan.truncate_history);
        let corrupt = self.strikes(|plan| &mut plan.corrupt_history);
        let bomb = self.strikes(|plan| &mut plan.bomb_history);
        match (truncated, corrupt, bomb) {
            (true, _, _) => Some(Damage::Truncated),
            (_, true, _) => Some(Damage::Corrupt),
            (_, _, true) => Some(Damage::Bomb),
            _ => None,
        }
    }

    pub(crate) fn corrupts_patch(&mut self) -> bool {
        self.strikes(|plan| &mut plan.corrupt_patches)
    }

    pub(crate) fn replays_patches(&mut self) -> bool {
        self.strikes(|plan| &mut plan.replay_patches)
    }

    pub(crate) fn loses_incoming(&mut self) -> bool {
        self.strikes(|plan| &mut plan.drop_incoming)
    }

    /// What goes wrong while something is done on a media host.
    pub(crate) fn on_media(
        &mut self,
        host: Option<usize>,
        act: MediaAct,
    ) -> Option<MediaFaultKind> {
        for fault in &mut self.plan.media {
            if fault.concerns(host, act) && fault.chance.strikes(&mut self.rng) {
                self.struck += 1;
                return Some(fault.kind);
            }
        }
        None
    }

    /// Decides what happens to a stanza, and does to its content what is to be done.
    pub(crate) fn befall(&mut self, node: &mut OwnedNode) -> Fate {
        let mut copies = 1;
        let late = self.strikes(|plan| &mut plan.delay);
        let delay = if late { Duration::from_millis(self.plan.delay_ms) } else { Duration::ZERO };
        if StanzaClass::of(&node.tag).is_some() {
            if self.strikes(|plan| &mut plan.drop) {
                copies = 0;
            } else if self.strikes(|plan| &mut plan.duplicate) {
                copies = 2;
            }
        }
        if node.tag == "message" {
            if self.strikes(|plan| &mut plan.unavailable) {
                withhold_ciphertext(node);
            } else if self.strikes(|plan| &mut plan.corrupt) {
                damage_ciphertext(node);
            }
        }
        let corrupt_frame = self.strikes(|plan| &mut plan.corrupt_frames);
        Fate { copies, delay: delay.min(MAX_DELAY), corrupt_frame }
    }
}

fn withhold_ciphertext(message: &mut OwnedNode) {
    if let NodeContent::Nodes(children) = &mut message.content {
        children.retain(|child| child.tag != "enc");
        children.push(Node::new("unavailable"));
    }
}

/// Flips a bit in the middle of the last `enc`.
fn damage_ciphertext(message: &mut OwnedNode) {
    let NodeContent::Nodes(children) = &mut message.content else { return };
    let Some(enc) = children.iter_mut().rev().find(|child| child.tag == "enc") else { return };
    if let NodeContent::Bytes(bytes) = &mut enc.content {
        let bytes = bytes.to_mut();
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;

    fn faults(plan: FaultPlan) -> Faults {
        Faults { plan, struck: 0, rng: ChaCha20Rng::seed_from_u64(1) }
    }

    #[test]
    fn a_count_strikes_just_so_often() {
        let mut faults = faults(FaultPlan { drop: Chance::times(2), ..FaultPlan::default() });
        let copies: Vec<_> =
            (0..4).map(|_| faults.befall(&mut Node::new("message")).copies).collect();
        assert_eq!(copies, [0, 0, 1, 1]);
        assert_eq!(faults.struck, 2);
    }

    #[test]
    fn a_probability_strikes_about_so_often_and_the_same_with_the_same_seed() {
        let run = || {
            let drop = Chance::with_probability(0.25);
            let mut faults = faults(FaultPlan { drop, ..FaultPlan::default() });
            (0..1_000).map(|_| faults.befall(&mut Node::new("receipt")).copies).collect::<Vec<_>>()
        };
        let dropped = run().iter().filter(|&&copies| copies == 0).count();
        assert!((200..300).contains(&dropped), "{dropped}");
        assert_eq!(run(), run());
    }

    #[test]
    fn answers_to_queries_are_never_dropped() {
        let mut faults =
            faults(FaultPlan { drop: Chance::with_probability(1.0), ..FaultPlan::default() });
        assert_eq!(faults.befall(&mut Node::new("iq")).copies, 1);
    }

    #[test]
    fn a_corrupt_message_differs_in_one_bit_of_its_ciphertext() {
        let mut faults = faults(FaultPlan { corrupt: Chance::times(1), ..FaultPlan::default() });
        let mut node = Node::new("message").child(Node::new("enc").bytes(vec![0; 9]));
        faults.befall(&mut node);
        let bytes = node.find("enc").unwrap().content_bytes().unwrap();
        assert_eq!(bytes.iter().map(|byte| byte.count_ones()).sum::<u32>(), 1);
    }
}
