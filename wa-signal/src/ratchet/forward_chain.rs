//! A chain on the reading side: it steps forward to the message that came, and keeps the seeds it
//! passed for messages that come late. Used by receiver chains and sender keys alike.

use std::collections::VecDeque;

use super::{ChainKey, MessageSeed};

/// Why a chain has no seed for an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissingSeed {
    /// It was taken before.
    Used,
    /// It lies before what this chain knows, or was dropped because too many were kept.
    Discarded,
    /// It lies further ahead than the chain is ready to step.
    TooFar,
}

#[derive(Debug, Clone)]
pub(crate) struct ForwardChain {
    chain: ChainKey,
    /// Ascending by index, all below the chain's.
    skipped: VecDeque<MessageSeed>,
    /// Below it, no seed was ever known here.
    start: u32,
    /// Below it, an index that is not in `skipped` may or may not have been used.
    floor: u32,
}

impl ForwardChain {
    pub(crate) fn new(chain: ChainKey) -> Self {
        let start = chain.index();
        Self { chain, skipped: VecDeque::new(), start, floor: start }
    }

    /// Puts a stored chain together; `None` if the parts could not be those of one chain.
    pub(crate) fn from_parts(
        chain: ChainKey,
        skipped: VecDeque<MessageSeed>,
        start: u32,
        floor: u32,
    ) -> Option<Self> {
        let indices = skipped.iter().map(MessageSeed::index).chain([chain.index()]);
        let ascending = indices.is_sorted_by(|a, b| a < b);
        (ascending && start <= floor && floor <= chain.index()).then_some(Self {
            chain,
            skipped,
            start,
            floor,
        })
    }

    pub(crate) const fn chain(&self) -> &ChainKey {
        &self.chain
    }

    pub(crate) fn skipped(&self) -> impl ExactSizeIterator<Item = &MessageSeed> {
        self.skipped.iter()
    }

    pub(crate) const fn start(&self) -> u32 {
        self.start
    }

    pub(crate) const fn floor(&self) -> u32 {
        self.floor
    }

    /// Takes the seed at `index` out of the chain, stepping at most `steps` ahead and keeping at
    /// most `kept` of the seeds passed.
    pub(crate) fn take(
        &mut self,
        index: u32,
        steps: u32,
        kept: usize,
    ) -> Result<MessageSeed, MissingSeed> {
        let Some(ahead) = index.checked_sub(self.chain.index()) else {
            return self.take_skipped(index);
        };
        if ahead > steps {
            return Err(MissingSeed::TooFar);
        }
        loop {
            let (seed, next) = self.chain.step().ok_or(MissingSeed::TooFar)?;
            self.chain = next;
            if seed.index() == index {
                return Ok(seed);
            }
            self.keep(seed, kept);
        }
    }

    /// Learns of an earlier beginning of the same chain, told after a later one: the seeds from
    /// there up to the start become known. Steps at most `steps`; farther back nothing is learnt.
    pub(crate) fn extend_back(&mut self, mut chain: ChainKey, steps: u32, kept: usize) {
        let (from, until) = (chain.index(), self.start);
        if until.checked_sub(from).is_none_or(|behind| behind == 0 || behind > steps) {
            return;
        }
        let mut earlier = VecDeque::new();
        while chain.index() < until {
            let Some((seed, next)) = chain.step() else { return };
            earlier.push_back(seed);
            chain = next;
        }
        earlier.append(&mut self.skipped);
        self.skipped = earlier;
        if self.floor == self.start {
            self.floor = from;
        }
        self.start = from;
        self.trim(kept);
    }

    /// Goes on from another position, keeping the seeds of late messages. What lies between is
    /// not known.
    pub(crate) fn jump(&mut self, chain: ChainKey) {
        self.floor = chain.index();
        self.chain = chain;
    }

    fn take_skipped(&mut self, index: u32) -> Result<MessageSeed, MissingSeed> {
        self.skipped
            .binary_search_by_key(&index, MessageSeed::index)
            .ok()
            .and_then(|at| self.skipped.remove(at))
            .ok_or(if index < self.floor { MissingSeed::Discarded } else { MissingSeed::Used })
    }

    fn keep(&mut self, seed: MessageSeed, kept: usize) {
        self.skipped.push_back(seed);
        self.trim(kept);
    }

    fn trim(&mut self, kept: usize) {
        while self.skipped.len() > kept {
            if let Some(dropped) = self.skipped.pop_front() {
                self.floor = self.floor.max(dropped.index() + 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(index: u32) -> ChainKey {
        (0..index).fold(ChainKey::new([7; 32], 0), |chain, _| chain.step().unwrap().1)
    }

    fn seed(index: u32) -> [u8; 32] {
        *chain(index).step().unwrap().0.as_bytes()
    }

    #[test]
    fn a_seed_is_given_once_in_any_order() {
        let mut forward = ForwardChain::new(chain(0));
        for index in [3, 0, 2, 1, 4] {
            assert_eq!(forward.take(index, 10, 10).unwrap().as_bytes(), &seed(index));
            assert_eq!(forward.take(index, 10, 10).unwrap_err(), MissingSeed::Used);
        }
        assert_eq!(forward.take(16, 10, 10).unwrap_err(), MissingSeed::TooFar);
        assert!(forward.take(15, 10, 10).is_ok());
    }

    #[test]
    fn what_was_dropped_is_not_taken_for_used() {
        let mut forward = ForwardChain::new(chain(0));
        forward.take(5, 10, 2).unwrap();
        assert_eq!(forward.take(2, 10, 2).unwrap_err(), MissingSeed::Discarded);
        assert_eq!(forward.take(5, 10, 2).unwrap_err(), MissingSeed::Used);
        assert_eq!(forward.take(3, 10, 2).unwrap().as_bytes(), &seed(3));
    }

    #[test]
    fn an_earlier_beginning_makes_earlier_seeds_known_and_used_ones_stay_used() {
        let mut forward = ForwardChain::new(chain(4));
        forward.take(6, 10, 10).unwrap();
        assert_eq!(forward.take(1, 10, 10).unwrap_err(), MissingSeed::Discarded);
        forward.extend_back(chain(1), 10, 10);
        assert_eq!(forward.take(1, 10, 10).unwrap().as_bytes(), &seed(1));
        assert_eq!(forward.take(0, 10, 10).unwrap_err(), MissingSeed::Discarded);
        assert_eq!(forward.take(6, 10, 10).unwrap_err(), MissingSeed::Used);
        assert_eq!(forward.take(5, 10, 10).unwrap().as_bytes(), &seed(5));
    }

    #[test]
    fn the_last_index_makes_no_message() {
        let mut forward = ForwardChain::new(ChainKey::new([7; 32], u32::MAX - 1));
        assert!(forward.take(u32::MAX - 1, 10, 10).is_ok());
        assert_eq!(forward.take(u32::MAX, 10, 10).unwrap_err(), MissingSeed::TooFar);
    }
}
