//! A made-up past: contacts and messages as a function of a seed, each computed when it is asked
//! for, so that nothing but the plan is kept. Knows nothing of protobufs.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng as _};

use super::phrases::{FAMILY_NAMES, GIVEN_NAMES, SENTENCES};
use crate::phone::HistoryPlan;

/// Over how long the messages of a chat are spread, in seconds: two years.
const SPAN: u64 = 2 * 365 * 24 * 3600;

/// The last message of the first chat is this old at least, and each next chat older by as much,
/// in seconds.
const REST: u64 = 600;

/// How large a picture is, in bytes.
const PICTURE_LEN: usize = 20_000;

/// In place of a message's number: the contact itself.
const CONTACT: u32 = u32::MAX;

/// What a plan says, from a moment on backwards.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Past {
    pub(crate) plan: HistoryPlan,
    /// When the history was filled, in unix seconds; nothing in it is later.
    pub(crate) end: u64,
}

pub(crate) struct Contact {
    pub(crate) number: u64,
    pub(crate) lid: u64,
    pub(crate) name: String,
}

pub(crate) struct PastMessage {
    pub(crate) id: String,
    pub(crate) from_me: bool,
    pub(crate) text: String,
    pub(crate) timestamp: u64,
}

impl Past {
    /// The other person of a chat.
    pub(crate) fn contact(&self, chat: u32) -> Contact {
        let mut rng = self.rng(chat, CONTACT);
        let given = pick(&GIVEN_NAMES, &mut rng);
        let family = pick(&FAMILY_NAMES, &mut rng);
        Contact {
            // The chat is in both, so that no two are the same.
            number: 15_557_000_000 + u64::from(rng.next_u32() % 1_000) * 1_000 + u64::from(chat),
            lid: 10_000_000_000_000 + (rng.next_u64() % 90_000_000_000) * 1_000 + u64::from(chat),
            name: format!("{given} {family}"),
        }
    }

    /// A message of a chat; 0 is the newest.
    pub(crate) fn message(&self, chat: u32, index: u32) -> PastMessage {
        let mut rng = self.rng(chat, index);
        let step = (SPAN / u64::from(self.plan.messages_per_chat.max(1))).max(1);
        let age = (u64::from(chat) + 1) * REST + u64::from(index) * step + rng.next_u64() % step;
        let from_me = rng.next_u32().is_multiple_of(3);
        let mut text = pick(&SENTENCES, &mut rng).to_owned();
        for _ in 0..rng.next_u32() % 3 {
            text.push(' ');
            text.push_str(pick(&SENTENCES, &mut rng));
        }
        PastMessage {
            id: format!("{:016X}{chat:08X}{index:08X}", rng.next_u64()),
            from_me,
            text,
            timestamp: self.end.saturating_sub(age),
        }
    }

    /// A picture, as far as anybody looks.
    pub(super) fn picture(&self) -> Vec<u8> {
        let mut rng = self.rng(CONTACT, CONTACT);
        let mut bytes = vec![0; PICTURE_LEN];
        rng.fill_bytes(&mut bytes);
        bytes
    }

    fn rng(&self, chat: u32, index: u32) -> ChaCha20Rng {
        let mut seed = [0; 32];
        let parts =
            [&self.plan.seed.to_le_bytes()[..], &chat.to_le_bytes()[..], &index.to_le_bytes()[..]];
        for (place, &byte) in seed.iter_mut().zip(parts.into_iter().flatten()) {
            *place = byte;
        }
        ChaCha20Rng::from_seed(seed)
    }
}

fn pick<'a, const N: usize>(from: &[&'a str; N], rng: &mut impl Rng) -> &'a str {
    from.get(rng.next_u32() as usize % N).copied().unwrap_or_default()
}
