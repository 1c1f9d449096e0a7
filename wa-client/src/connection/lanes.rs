//! In which order stanzas are dealt with.
//!
//! A value: stanzas of one lane one after the other, different lanes at the same time, and a
//! barrier that waits for everything before it and holds up everything behind it. A person may be
//! named in several ways: as soon as two names are known to be one person's, what was queued under
//! either is one lane. Knows nothing of what a stanza is.

use std::collections::{HashMap, HashSet, VecDeque};

/// Where a stanza queues.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    /// Behind the earlier ones with this name.
    Named(String),
    /// Behind everything, and before everything later.
    Barrier,
}

/// Stanzas that wait, and the lanes that are at work.
#[derive(Debug)]
pub(crate) struct Lanes<T> {
    waiting: VecDeque<(Lane, T)>,
    /// The lanes at work: in one, several are only until those are done that began under names
    /// of which it was not known that they are one person's.
    busy: HashMap<Lane, usize>,
    /// The lanes that became part of another.
    merged: HashMap<Lane, Lane>,
}

impl<T> Lanes<T> {
    pub(crate) fn new() -> Self {
        Self { waiting: VecDeque::new(), busy: HashMap::new(), merged: HashMap::new() }
    }

    /// Whether another stanza may be pushed.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.len() < MAX_WAITING
    }

    /// Queues a stanza.
    pub(crate) fn push(&mut self, lane: Lane, item: T) {
        let lane = self.present(&lane);
        self.waiting.push_back((lane, item));
    }

    /// The lane of whoever has all of these names, of which there is at least one: what is queued
    /// under any of them is dealt with before what is queued there next.
    pub(crate) fn of_person(&mut self, names: impl IntoIterator<Item = String>) -> Lane {
        let mut person: Option<Lane> = None;
        for name in names {
            let lane = self.present(&Lane::Named(name));
            match &person {
                None => person = Some(lane),
                Some(person) if *person != lane && self.holds(&lane) => {
                    self.merge(lane, &person.clone());
                }
                Some(_) => {}
            }
        }
        person.unwrap_or_else(|| Lane::Named(String::new()))
    }

    /// Makes one lane part of another.
    fn merge(&mut self, lane: Lane, into: &Lane) {
        for (waiting, _) in &mut self.waiting {
            if *waiting == lane {
                waiting.clone_from(into);
            }
        }
        if let Some(at_work) = self.busy.remove(&lane) {
            *self.busy.entry(into.clone()).or_default() += at_work;
        }
        for merged in self.merged.values_mut().filter(|merged| **merged == lane) {
            merged.clone_from(into);
        }
        self.merged.insert(lane, into.clone());
    }

    /// What a lane is part of by now.
    fn present(&self, lane: &Lane) -> Lane {
        self.merged.get(lane).unwrap_or(lane).clone()
    }

    /// The next stanza that may be dealt with now; its lane is at work until [`Lanes::done`].
    pub(crate) fn start(&mut self) -> Option<(Lane, T)> {
        if self.busy.len() >= MAX_BUSY || self.busy.contains_key(&Lane::Barrier) {
            return None;
        }
        let mut passed = HashSet::new();
        let mut found = None;
        for (at, (lane, _)) in self.waiting.iter().enumerate() {
            if *lane == Lane::Barrier {
                found = (at == 0 && self.busy.is_empty()).then_some(at);
                break;
            }
            if !self.busy.contains_key(lane) && passed.insert(lane) {
                found = Some(at);
                break;
            }
        }
        let (lane, item) = self.waiting.remove(found?)?;
        self.busy.insert(lane.clone(), 1);
        Some((lane, item))
    }

    /// The next stanza of a lane that is at work, to be dealt with together with the one it works
    /// at: nothing, if it is not such a one, or has to wait for a barrier, or for another that is
    /// at work under another name of the same person.
    pub(crate) fn join(&mut self, lane: &Lane, fits: impl FnOnce(&T) -> bool) -> Option<T> {
        let lane = self.present(lane);
        if self.busy.get(&lane).is_some_and(|at_work| *at_work > 1) {
            return None;
        }
        let mut before_barrier =
            self.waiting.iter().take_while(|(waiting, _)| *waiting != Lane::Barrier);
        let at = before_barrier.position(|(waiting, _)| *waiting == lane)?;
        let fits = self.waiting.get(at).is_some_and(|(_, item)| fits(item));
        fits.then(|| self.waiting.remove(at))?.map(|(_, item)| item)
    }

    /// Whether a stanza of this lane waits or is being dealt with.
    pub(crate) fn holds(&self, lane: &Lane) -> bool {
        self.busy.contains_key(lane) || self.waiting.iter().any(|(waiting, _)| waiting == lane)
    }

    /// A stanza of this lane has been dealt with.
    pub(crate) fn done(&mut self, lane: &Lane) {
        let lane = self.present(lane);
        match self.busy.get_mut(&lane) {
            Some(at_work) if *at_work > 1 => *at_work -= 1,
            _ => drop(self.busy.remove(&lane)),
        }
        if !self.holds(&lane) {
            // Nothing is left that could be overtaken.
            self.merged.retain(|_, into| *into != lane);
        }
    }
}

/// How many lanes work at the same time.
const MAX_BUSY: usize = 16;
/// How many stanzas wait here before the queue before this one fills.
const MAX_WAITING: usize = 512;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(name: &str) -> Lane {
        Lane::Named(name.into())
    }

    #[test]
    fn one_sender_waits_for_itself_and_others_do_not() {
        let mut lanes = Lanes::new();
        for (name, item) in [("a", 1), ("a", 2), ("b", 3)] {
            lanes.push(named(name), item);
        }
        assert_eq!(lanes.start(), Some((named("a"), 1)));
        assert_eq!(lanes.start(), Some((named("b"), 3)));
        assert_eq!(lanes.start(), None);
        lanes.done(&named("a"));
        assert_eq!(lanes.start(), Some((named("a"), 2)));
    }

    #[test]
    fn nothing_passes_a_barrier() {
        let mut lanes = Lanes::new();
        lanes.push(named("a"), 1);
        lanes.push(Lane::Barrier, 2);
        lanes.push(named("b"), 3);
        assert_eq!(lanes.start(), Some((named("a"), 1)));
        assert_eq!(lanes.start(), None);
        lanes.done(&named("a"));
        assert_eq!(lanes.start(), Some((Lane::Barrier, 2)));
        assert_eq!(lanes.start(), None);
        lanes.done(&Lane::Barrier);
        assert_eq!(lanes.start(), Some((named("b"), 3)));
    }

    #[test]
    fn what_fits_joins_the_one_at_work_in_its_order_and_nothing_passes_a_barrier() {
        let mut lanes = Lanes::new();
        for (lane, item) in [("a", 1), ("b", 2), ("a", 3), ("a", 40), ("a", 5)] {
            lanes.push(named(lane), item);
        }
        lanes.push(Lane::Barrier, 6);
        lanes.push(named("b"), 7);
        let small = |item: &i32| *item < 10;
        assert_eq!(lanes.start(), Some((named("a"), 1)));
        assert_eq!(lanes.join(&named("a"), small), Some(3));
        assert_eq!(lanes.join(&named("a"), small), None, "the next one does not fit");
        assert_eq!(lanes.join(&named("a"), |_| true), Some(40));
        assert_eq!(lanes.start(), Some((named("b"), 2)));
        assert_eq!(lanes.join(&named("b"), small), None, "a barrier is before it");
    }

    #[test]
    fn two_names_of_one_person_are_one_lane_from_the_moment_they_are_known_to_be() {
        let person = |lanes: &mut Lanes<i32>, names: &[&str], item| {
            let lane = lanes.of_person(names.iter().map(|name| (*name).to_owned()));
            lanes.push(lane, item);
        };
        let mut lanes = Lanes::new();
        person(&mut lanes, &["number"], 1);
        person(&mut lanes, &["lid"], 2);
        person(&mut lanes, &["number"], 3);
        // Nobody knows yet.
        assert_eq!(lanes.start(), Some((named("number"), 1)));
        assert_eq!(lanes.start(), Some((named("lid"), 2)));
        // Now they are one person, and this waits for all before it, whichever ends first.
        person(&mut lanes, &["lid", "number"], 4);
        person(&mut lanes, &["number"], 5);
        assert_eq!((lanes.start(), lanes.join(&named("lid"), |_| true)), (None, None));
        lanes.done(&named("lid"));
        assert_eq!(lanes.start(), None);
        lanes.done(&named("number"));
        for expected in [3, 4, 5] {
            assert_eq!(lanes.start(), Some((named("lid"), expected)));
            assert_eq!(lanes.start(), None);
            lanes.done(&named("lid"));
        }
        // With nothing left of them, nothing is remembered.
        assert!(lanes.merged.is_empty());
        person(&mut lanes, &["number"], 6);
        assert_eq!(lanes.start(), Some((named("number"), 6)));
    }

    proptest! {
        #[test]
        fn every_stanza_runs_once_and_in_its_senders_order(
            stanzas in proptest::collection::vec(0_u8..6, 0..60),
            finishing in proptest::collection::vec(0_usize..16, 0..200),
        ) {
            let lane = |kind: u8| if kind == 0 { Lane::Barrier } else { named(&kind.to_string()) };
            let mut lanes = Lanes::new();
            for (item, kind) in stanzas.iter().enumerate() {
                lanes.push(lane(*kind), item);
            }
            let (mut running, mut order) = (Vec::new(), Vec::new());
            let mut finishing = finishing.into_iter();
            loop {
                while let Some((lane, item)) = lanes.start() {
                    order.push(item);
                    running.push(lane);
                }
                if running.is_empty() {
                    break;
                }
                let lane = running.remove(finishing.next().unwrap_or(0) % running.len());
                lanes.done(&lane);
            }
            prop_assert_eq!(order.len(), stanzas.len());
            for kind in 1..6 {
                let of_kind: Vec<_> = order.iter().filter(|item| stanzas[**item] == kind).collect();
                prop_assert!(of_kind.is_sorted());
            }
            for (place, item) in order.iter().enumerate() {
                if stanzas[*item] == 0 {
                    prop_assert!(order[..place].iter().all(|before| before < item));
                }
            }
        }
    }
}
