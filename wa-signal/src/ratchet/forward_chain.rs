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

/// A seed that was found, and where the chain goes on if it is taken.
#[derive(Debug)]
pub(crate) struct FoundSeed {
    seed: MessageSeed,
    /// `None` if it is one of those skipped before.
    next: Option<ChainKey>,
}

impl FoundSeed {
    pub(crate) const fn seed(&self) -> &MessageSeed {
        &self.seed
    }
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

    /// Finds the seed at `index`, at most `steps` ahead, and changes nothing: whether the message
    /// is good is to be known first. Each step costs one hash.
    pub(crate) fn find(&self, index: u32, steps: u32) -> Result<FoundSeed, MissingSeed> {
        let Some(ahead) = index.checked_sub(self.chain.index()) else {
            return self.find_skipped(index);
        };
        if ahead > steps {
            return Err(MissingSeed::TooFar);
        }
        let mut chain = self.chain.clone();
        for _ in 0..ahead {
            chain = chain.next().ok_or(MissingSeed::TooFar)?;
        }
        let (seed, next) = chain.step().ok_or(MissingSeed::TooFar)?;
        Ok(FoundSeed { seed, next: Some(next) })
    }

    /// Takes a seed that was found out of this chain, keeping at most `kept` of the seeds passed.
    pub(crate) fn take(&mut self, found: FoundSeed, kept: usize) {
        let index = found.seed.index();
        let Some(next) = found.next else {
            self.skipped.retain(|seed| seed.index() != index);
            return;
        };
        // What would be dropped at once is not made.
        let first_kept = index.saturating_sub(u32::try_from(kept).unwrap_or(u32::MAX));
        let mut chain = std::mem::replace(&mut self.chain, next);
        while chain.index() < index {
            chain = if chain.index() < first_kept {
                self.skipped.clear();
                self.floor = first_kept;
                match chain.next() {
                    Some(chain) => chain,
                    None => return,
                }
            } else {
                let Some((seed, chain)) = chain.step() else { return };
                self.skipped.push_back(seed);
                chain
            };
        }
        self.keep_last(kept);
    }

    /// Drops the `count` lowest of the skipped seeds, or all there are; gives how many.
    pub(crate) fn drop_lowest(&mut self, count: usize) -> usize {
        let count = count.min(self.skipped.len());
        for dropped in self.skipped.drain(..count) {
            self.floor = self.floor.max(dropped.index() + 1);
        }
        count
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
        self.keep_last(kept);
    }

    /// Goes on from another position, keeping the seeds of late messages. What lies between is
    /// not known.
    pub(crate) fn jump(&mut self, chain: ChainKey) {
        self.floor = chain.index();
        self.chain = chain;
    }

    fn find_skipped(&self, index: u32) -> Result<FoundSeed, MissingSeed> {
        self.skipped
            .binary_search_by_key(&index, MessageSeed::index)
            .ok()
            .and_then(|at| self.skipped.get(at))
            .map(|seed| FoundSeed { seed: seed.clone(), next: None })
            .ok_or(if index < self.floor { MissingSeed::Discarded } else { MissingSeed::Used })
    }

    fn keep_last(&mut self, kept: usize) {
        self.drop_lowest(self.skipped.len().saturating_sub(kept));
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

    /// Finds a seed at most ten steps ahead and takes it, keeping `kept`.
    fn take(forward: &mut ForwardChain, index: u32, kept: usize) -> Result<[u8; 32], MissingSeed> {
        let found = forward.find(index, 10)?;
        let seed = *found.seed().as_bytes();
        assert_eq!(found.seed().index(), index);
        forward.take(found, kept);
        Ok(seed)
    }

    fn kept(forward: &ForwardChain) -> Vec<u32> {
        forward.skipped().map(MessageSeed::index).collect()
    }

    #[test]
    fn a_seed_is_given_once_in_any_order() {
        let mut forward = ForwardChain::new(chain(0));
        for index in [3, 0, 2, 1, 4] {
            assert_eq!(take(&mut forward, index, 10), Ok(seed(index)));
            assert_eq!(take(&mut forward, index, 10), Err(MissingSeed::Used));
        }
        assert_eq!(take(&mut forward, 16, 10), Err(MissingSeed::TooFar));
        assert!(take(&mut forward, 15, 10).is_ok());
    }

    #[test]
    fn what_is_found_and_not_taken_changes_nothing() {
        let mut forward = ForwardChain::new(chain(0));
        take(&mut forward, 2, 10).unwrap();
        for _ in 0..2 {
            assert_eq!(forward.find(0, 10).unwrap().seed().as_bytes(), &seed(0));
            assert_eq!(forward.find(9, 10).unwrap().seed().as_bytes(), &seed(9));
            assert_eq!((kept(&forward), forward.chain().index()), (vec![0, 1], 3));
        }
    }

    #[test]
    fn the_lowest_seeds_are_dropped_first_and_count_as_discarded() {
        let mut forward = ForwardChain::new(chain(0));
        take(&mut forward, 6, 10).unwrap();
        assert_eq!(forward.drop_lowest(2), 2);
        assert_eq!(kept(&forward), [2, 3, 4, 5]);
        assert_eq!(take(&mut forward, 1, 10), Err(MissingSeed::Discarded));
        assert_eq!(take(&mut forward, 2, 10), Ok(seed(2)));
        assert_eq!(take(&mut forward, 2, 10), Err(MissingSeed::Used));
        assert_eq!(forward.drop_lowest(9), 3);
        assert_eq!(take(&mut forward, 2, 10), Err(MissingSeed::Discarded));
        assert_eq!(take(&mut forward, 6, 10), Err(MissingSeed::Used));
    }

    #[test]
    fn what_was_dropped_is_not_taken_for_used() {
        let mut forward = ForwardChain::new(chain(0));
        take(&mut forward, 5, 2).unwrap();
        assert_eq!(kept(&forward), [3, 4]);
        assert_eq!(take(&mut forward, 2, 2), Err(MissingSeed::Discarded));
        assert_eq!(take(&mut forward, 5, 2), Err(MissingSeed::Used));
        assert_eq!(take(&mut forward, 3, 2), Ok(seed(3)));
        // Seeds kept from before make room one by one, and all of them for a long gap.
        take(&mut forward, 7, 2).unwrap();
        assert_eq!(kept(&forward), [4, 6]);
        take(&mut forward, 9, 2).unwrap();
        assert_eq!(kept(&forward), [6, 8]);
        assert_eq!(take(&mut forward, 4, 2), Err(MissingSeed::Discarded));
        take(&mut forward, 15, 2).unwrap();
        assert_eq!(kept(&forward), [13, 14]);
        assert_eq!(take(&mut forward, 12, 2), Err(MissingSeed::Discarded));
        assert_eq!(take(&mut forward, 15, 2), Err(MissingSeed::Used));
    }

    #[test]
    fn an_earlier_beginning_makes_earlier_seeds_known_and_used_ones_stay_used() {
        let mut forward = ForwardChain::new(chain(4));
        take(&mut forward, 6, 10).unwrap();
        assert_eq!(take(&mut forward, 1, 10), Err(MissingSeed::Discarded));
        forward.extend_back(chain(1), 10, 10);
        assert_eq!(take(&mut forward, 1, 10), Ok(seed(1)));
        assert_eq!(take(&mut forward, 0, 10), Err(MissingSeed::Discarded));
        assert_eq!(take(&mut forward, 6, 10), Err(MissingSeed::Used));
        assert_eq!(take(&mut forward, 5, 10), Ok(seed(5)));
    }

    #[test]
    fn an_earlier_beginning_is_taken_from_its_last_allowed_step_on_and_keeps_what_fits() {
        let mut forward = ForwardChain::new(chain(8));
        forward.extend_back(chain(3), 4, 10);
        assert_eq!((kept(&forward), forward.start(), forward.floor()), (vec![], 8, 8));
        forward.extend_back(chain(4), 4, 10);
        assert_eq!((kept(&forward), forward.start(), forward.floor()), (vec![4, 5, 6, 7], 4, 4));
        // The same beginning again brings nothing back.
        take(&mut forward, 5, 10).unwrap();
        forward.extend_back(chain(4), 4, 10);
        assert_eq!(take(&mut forward, 5, 10), Err(MissingSeed::Used));
        forward.extend_back(chain(1), 4, 4);
        assert_eq!((kept(&forward), forward.start(), forward.floor()), (vec![3, 4, 6, 7], 1, 3));
        assert_eq!(take(&mut forward, 2, 10), Err(MissingSeed::Discarded));
    }

    /// Messages between the two positions were never read: they are not to pass for duplicates.
    #[test]
    fn what_was_jumped_over_is_not_taken_for_used() {
        let mut forward = ForwardChain::new(chain(0));
        take(&mut forward, 2, 10).unwrap();
        forward.jump(chain(9));
        assert_eq!(take(&mut forward, 5, 10), Err(MissingSeed::Discarded));
        assert_eq!(take(&mut forward, 8, 10), Err(MissingSeed::Discarded));
        assert_eq!(take(&mut forward, 1, 10), Ok(seed(1)));
        assert_eq!(take(&mut forward, 9, 10), Ok(seed(9)));
        assert_eq!(take(&mut forward, 9, 10), Err(MissingSeed::Used));
    }

    #[test]
    fn parts_that_are_not_of_one_chain_are_none() {
        let parts = |skipped: &[u32], start, floor| {
            let skipped = skipped.iter().map(|&index| MessageSeed::new([0; 32], index)).collect();
            ForwardChain::from_parts(ChainKey::new([7; 32], 5), skipped, start, floor).is_some()
        };
        assert!(parts(&[], 0, 0) && parts(&[1, 4], 0, 5) && parts(&[1, 4], 5, 5));
        assert!(!parts(&[1, 1], 0, 0) && !parts(&[4, 1], 0, 0) && !parts(&[5], 0, 0));
        assert!(!parts(&[], 1, 0) && !parts(&[], 0, 6));
    }

    #[test]
    fn the_last_index_makes_no_message() {
        let mut forward = ForwardChain::new(ChainKey::new([7; 32], u32::MAX - 1));
        assert!(take(&mut forward, u32::MAX - 1, 10).is_ok());
        assert_eq!(take(&mut forward, u32::MAX, 10), Err(MissingSeed::TooFar));
    }
}
