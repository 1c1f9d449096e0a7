//! Where a collection is, and what took it there.

use crate::{IndexMac, LtHash, Mutation, ValueMac, mutation::Opened};

/// A collection as one device holds it: its version and the hash over its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CollectionState {
    /// The number of the last patch; 0 before the first.
    pub version: u64,
    /// The hash over the value MACs.
    pub hash: LtHash,
}

impl CollectionState {
    /// A collection in which nothing ever was.
    pub const EMPTY: Self = Self { version: 0, hash: LtHash::EMPTY };
}

/// A value MAC that is remembered by its index, or no longer: what the next patch is checked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MacChange {
    /// Where.
    pub index: IndexMac,
    /// The MAC; `None` removes it.
    pub value: Option<ValueMac>,
}

/// A patch or snapshot that held, with the state it led to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Applied {
    /// The state after it.
    pub state: CollectionState,
    /// What it says, in order.
    pub mutations: Vec<Mutation>,
    /// What to remember of it. After a snapshot, everything remembered before is void.
    pub macs: Vec<MacChange>,
    /// How many removals named an index that was not there. That is no error: the hash proves that
    /// whoever made the patch did not have it either.
    pub missing_removals: usize,
}

/// The state while mutations go into it.
pub(crate) struct Progress<P> {
    hash: LtHash,
    previous: P,
    macs: std::collections::HashMap<IndexMac, Option<ValueMac>>,
    order: Vec<IndexMac>,
    pub(crate) missing_removals: usize,
}

impl<P: Fn(&IndexMac) -> Option<ValueMac>> Progress<P> {
    /// `previous` gives the value MAC that is remembered for an index.
    pub(crate) fn new(hash: LtHash, previous: P) -> Self {
        let (macs, order) = Default::default();
        Self { hash, previous, macs, order, missing_removals: 0 }
    }

    /// Takes one mutation in: what stood at its index goes, and a value that is set comes.
    pub(crate) fn take(&mut self, opened: &Opened) {
        let before = match self.macs.get(&opened.index_mac) {
            Some(known) => *known,
            None => {
                self.order.push(opened.index_mac);
                (self.previous)(&opened.index_mac)
            }
        };
        match before {
            Some(mac) => self.hash = self.hash.removing(&mac),
            None if opened.sets() => {}
            None => self.missing_removals += 1,
        }
        if opened.sets() {
            self.hash = self.hash.adding(&opened.value_mac);
        }
        self.macs.insert(opened.index_mac, opened.sets().then_some(opened.value_mac));
    }

    pub(crate) const fn hash(&self) -> LtHash {
        self.hash
    }

    /// What to remember, each index once.
    pub(crate) fn into_macs(self) -> Vec<MacChange> {
        let Self { macs, order, .. } = self;
        let change = |index| Some(MacChange { index, value: *macs.get(&index)? });
        order.into_iter().filter_map(change).collect()
    }
}
