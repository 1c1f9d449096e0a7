//! What active conversations ask for again and again, at hand without a read: sessions, keys, names,
//! devices, groups, and which payloads were handled.
//!
//! It is filled by what was read and by what was committed, is never ahead of the disk, and never
//! behind it: what a commit alters is not given from here between the moment before it lands and
//! the moment after, and what was read before it landed is not taken in after. It is bounded in
//! number and bytes. Knows nothing of SQL.

mod entry;
mod touch;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use compact_str::ToCompactString as _;
use wa_proto::Jid;

use self::touch::Sweep;
pub(super) use self::{
    entry::{Cached, Lookup, Value},
    touch::{Touch, touches},
};

/// How many values each of the two generations holds at most.
const MAX_VALUES: usize = 8_192;

/// How many bytes each of the two generations holds at most: 4 MiB.
const MAX_BYTES: usize = 4 << 20;

/// What is larger is read each time: 256 KiB.
const MAX_VALUE_BYTES: usize = 256 << 10;

/// About what an entry takes by itself.
const ENTRY_BYTES: usize = 256;

/// How many sweeps are remembered; what was read before an older one is not taken in.
const MAX_SWEEPS: usize = 64;

/// What is at hand.
#[derive(Default)]
pub(super) struct Cache {
    state: Mutex<State>,
}

/// A moment in the order of commits.
pub(super) type Moment = u64;

/// What a look found.
pub(super) enum Look {
    /// This stands in the tables, or nothing does.
    Known(Option<Value>),
    /// It has to be read; the moment is for [`Cache::fill`].
    Unknown(Moment),
}

impl Cache {
    /// One that keeps nothing: for a file that somebody else writes.
    pub(super) fn off() -> Self {
        let cache = Self::default();
        cache.close();
        cache
    }

    pub(super) fn look(&self, key: &Lookup) -> Look {
        self.state().look(key)
    }

    /// Takes in what was read since that moment.
    pub(super) fn fill(&self, since: Moment, key: Lookup, value: Option<Value>) {
        self.state().fill(since, key, value);
    }

    /// A transaction that alters this is about to land.
    pub(super) fn begin(&self, touched: Vec<Touch>) {
        self.state().begin(touched);
    }

    /// It has landed.
    pub(super) fn land(&self) {
        self.state().land();
    }

    /// It has not, or nobody can tell.
    pub(super) fn fail(&self) {
        self.state().fail();
    }

    /// Drops everything, and takes nothing in any more.
    pub(super) fn close(&self) {
        *self.state() = State { is_off: true, ..State::default() };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A value at hand is whole at each instant.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct State {
    /// Two generations: what is asked for moves to the young one, and when that is full, what is
    /// left in the old one goes.
    young: Generation,
    old: Generation,
    now: Moment,
    /// What was read before this is not taken in.
    floor: Moment,
    /// The last sweeps, each with the moment it landed.
    swept: VecDeque<(Moment, Sweep)>,
    landing: Landing,
    max_values: usize,
    is_off: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            young: Generation::default(),
            old: Generation::default(),
            now: 0,
            floor: 0,
            swept: VecDeque::new(),
            landing: Landing::default(),
            max_values: MAX_VALUES,
            is_off: false,
        }
    }
}

#[derive(Default)]
struct Generation {
    entries: HashMap<Lookup, Entry>,
    bytes: usize,
    /// The last commit that put something here.
    newest: Moment,
}

/// What stood there at a moment.
struct Entry {
    /// Unknown where a commit altered it and it was not read since.
    known: Option<Option<Value>>,
    at: Moment,
}

/// What the transaction alters that is about to land.
#[derive(Default)]
struct Landing {
    touched: Vec<Touch>,
    keys: HashSet<Lookup>,
    sweeps: Vec<Sweep>,
}

impl Landing {
    fn concerns(&self, key: &Lookup, value: Option<&Value>) -> bool {
        self.keys.contains(key) || self.sweeps.iter().any(|sweep| sweep.concerns(key, value))
    }
}

impl Generation {
    fn put(&mut self, key: Lookup, entry: Entry) {
        self.bytes += cost(&key, &entry);
        self.newest = self.newest.max(entry.at);
        self.entries.insert(key, entry);
    }

    fn take(&mut self, key: &Lookup) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        self.bytes = self.bytes.saturating_sub(cost(key, &entry));
        Some(entry)
    }

    fn sweep(&mut self, sweep: &Sweep) {
        let bytes = &mut self.bytes;
        self.entries.retain(|key, entry| {
            let value = entry.known.as_ref().and_then(Option::as_ref);
            let stays = !sweep.concerns(key, value);
            if !stays {
                *bytes = bytes.saturating_sub(cost(key, entry));
            }
            stays
        });
    }

    fn is_full(&self, max_values: usize) -> bool {
        self.entries.len() >= max_values || self.bytes >= MAX_BYTES
    }
}

fn cost(key: &Lookup, entry: &Entry) -> usize {
    let value = entry.known.as_ref().and_then(Option::as_ref);
    ENTRY_BYTES + key.bytes() + value.map_or(0, Value::bytes)
}

impl State {
    fn look(&mut self, key: &Lookup) -> Look {
        if let Some(entry) = self.old.take(key) {
            self.put(key.clone(), entry);
        }
        match self.young.entries.get(key) {
            Some(Entry { known: Some(value), .. }) => Look::Known(value.clone()),
            _ => Look::Unknown(self.now),
        }
    }

    fn fill(&mut self, since: Moment, key: Lookup, value: Option<Value>) {
        let is_large = value.as_ref().is_some_and(|value| value.bytes() > MAX_VALUE_BYTES);
        if self.is_off || is_large || since < self.floor {
            return;
        }
        let is_old = |generation: &Generation| {
            generation.entries.get(&key).is_some_and(|entry| entry.at > since)
        };
        let was_swept = self
            .swept
            .iter()
            .any(|(at, sweep)| *at > since && sweep.concerns(&key, value.as_ref()));
        let is_landing = self.landing.concerns(&key, value.as_ref());
        if is_old(&self.young) || is_old(&self.old) || was_swept || is_landing {
            return;
        }
        self.put(key, Entry { known: Some(value), at: since });
    }

    fn put(&mut self, key: Lookup, entry: Entry) {
        if self.is_off {
            return;
        }
        self.old.take(&key);
        self.young.take(&key);
        if self.young.is_full(self.max_values) {
            let gone = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
            // A commit that altered something which is forgotten here is not forgotten.
            self.floor = self.floor.max(gone.newest);
        }
        self.young.put(key, entry);
    }

    fn begin(&mut self, touched: Vec<Touch>) {
        if self.is_off {
            return;
        }
        let mut landing = Landing::default();
        for touch in touched {
            match &touch {
                Touch::Known(key, _) | Touch::Unknown(key) => {
                    self.old.take(key);
                    self.young.take(key);
                    landing.keys.insert(key.clone());
                }
                Touch::Swept(sweep) => self.sweep_for(sweep.clone(), &mut landing),
                Touch::Names { phone, lid } => {
                    let names = Sweep::Names {
                        phone: phone.to_compact_string(),
                        lid: lid.to_compact_string(),
                    };
                    // The same is learnt again with many messages.
                    if self.knows(phone, lid) {
                        continue;
                    }
                    self.sweep_for(names, &mut landing);
                }
            }
            landing.touched.push(touch);
        }
        self.landing = landing;
    }

    fn sweep_for(&mut self, sweep: Sweep, landing: &mut Landing) {
        self.sweep(&sweep);
        landing.sweeps.push(sweep);
    }

    fn sweep(&mut self, sweep: &Sweep) {
        self.old.sweep(sweep);
        self.young.sweep(sweep);
    }

    /// Whether it is known already that these names belong together. What the transaction alters
    /// before is not known any more.
    fn knows(&self, phone: &Jid, lid: &Jid) -> bool {
        let known = |key: &Lookup| {
            let entry = self.young.entries.get(key).or_else(|| self.old.entries.get(key));
            entry.and_then(|entry| entry.known.clone()).flatten().and_then(Jid::unwrap)
        };
        known(&Lookup::lid_of(phone)).as_ref() == Some(lid)
            && known(&Lookup::phone_of(lid)).as_ref() == Some(phone)
    }

    fn land(&mut self) {
        let Landing { touched, .. } = std::mem::take(&mut self.landing);
        if touched.is_empty() || self.is_off {
            return;
        }
        self.now += 1;
        let at = self.now;
        for touch in touched {
            match touch {
                Touch::Known(key, value) => self.put_landed(key, Some(value), at),
                Touch::Unknown(key) => self.put_landed(key, None, at),
                Touch::Swept(sweep) => self.note_swept(sweep, at),
                Touch::Names { phone, lid } => {
                    let of_phone = phone.to_compact_string();
                    let of_lid = lid.to_compact_string();
                    self.note_swept(Sweep::Names { phone: of_phone, lid: of_lid }, at);
                    let (lid_of, phone_of) = (Lookup::lid_of(&phone), Lookup::phone_of(&lid));
                    self.put_landed(lid_of, Some(Some(lid.wrap())), at);
                    self.put_landed(phone_of, Some(Some(phone.wrap())), at);
                }
            }
        }
    }

    fn put_landed(&mut self, key: Lookup, known: Option<Option<Value>>, at: Moment) {
        let bytes = known.as_ref().and_then(Option::as_ref).map_or(0, Value::bytes);
        let known = known.filter(|_| bytes <= MAX_VALUE_BYTES);
        self.put(key, Entry { known, at });
    }

    fn note_swept(&mut self, sweep: Sweep, at: Moment) {
        self.sweep(&sweep);
        self.swept.push_back((at, sweep));
        if self.swept.len() > MAX_SWEEPS
            && let Some((at, _)) = self.swept.pop_front()
        {
            self.floor = self.floor.max(at);
        }
    }

    fn fail(&mut self) {
        self.landing = Landing::default();
        // With what was dropped it was forgotten when that had landed.
        self.now += 1;
        self.floor = self.now;
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        /// A read finds that it has to ask the disk, and takes its snapshot.
        Ask(u8),
        /// The read that waits longest brings what it found.
        Answer,
        /// A commit is about to land.
        Begin(Vec<(u8, u8)>),
        /// It is on the disk, and visible to reads.
        Write,
        /// Its end is known: it landed, or failed if it was not written.
        End,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let change = (0..8_u8, select(vec![0, 1, 2, 3, 200, 201, 202]));
        let step = prop_oneof![
            3 => (0..8_u8).prop_map(Step::Ask),
            3 => Just(Step::Answer),
            2 => vec(change, 1..4).prop_map(Step::Begin),
            2 => Just(Step::Write),
            2 => Just(Step::End),
        ];
        vec(step, 1..200)
    }

    fn key(n: u8) -> Lookup {
        match n {
            0..4 => Lookup::session(&Jid::lid("1").with_device(n.into())),
            4..6 => Lookup::lid_of(&Jid::phone(n.to_string())),
            _ => Lookup::phone_of(&Jid::lid(n.to_string())),
        }
    }

    fn touch((n, what): (u8, u8)) -> Touch {
        match what {
            200 => Touch::Swept(Sweep::SessionsOf("1@lid".into())),
            201 => Touch::Swept(Sweep::All),
            202 => Touch::Names {
                phone: Jid::phone((4 + n % 2).to_string()),
                lid: Jid::lid((6 + n / 4).to_string()),
            },
            _ if n >= 4 => Touch::Unknown(key(n)),
            0 => Touch::Known(key(n), None),
            byte => Touch::Known(key(n), Some(Value::Bytes(vec![byte]))),
        }
    }

    type Disk = HashMap<Lookup, Value>;

    /// What a commit makes of the disk.
    fn write(disk: &mut Disk, touch: &Touch) {
        match touch {
            Touch::Known(key, Some(value)) => drop(disk.insert(key.clone(), value.clone())),
            Touch::Known(key, None) | Touch::Unknown(key) => drop(disk.remove(key)),
            Touch::Swept(Sweep::All) => disk.clear(),
            Touch::Swept(sweep) => disk.retain(|key, value| !sweep.concerns(key, Some(value))),
            Touch::Names { phone, lid } => {
                let names =
                    Sweep::Names { phone: phone.to_compact_string(), lid: lid.to_compact_string() };
                disk.retain(|key, value| !names.concerns(key, Some(value)));
                disk.insert(Lookup::lid_of(phone), lid.clone().wrap());
                disk.insert(Lookup::phone_of(lid), phone.clone().wrap());
            }
        }
    }

    proptest! {
        /// Whatever reads and commits overlap: what is at hand stands on the disk, and is missing
        /// while a commit that alters it lands.
        #[test]
        fn what_is_at_hand_is_what_stands_on_the_disk(steps in steps(), most in 2..12_usize) {
            let mut cache = State { max_values: most, ..State::default() };
            let mut disk = Disk::new();
            let mut asked = VecDeque::new();
            let mut under_way: Option<(Vec<Touch>, bool)> = None;
            for step in steps {
                match step {
                    Step::Ask(n) => {
                        if let Look::Unknown(since) = cache.look(&key(n)) {
                            asked.push_back((since, key(n), disk.get(&key(n)).cloned()));
                        }
                    }
                    Step::Answer => {
                        if let Some((since, key, value)) = asked.pop_front() {
                            cache.fill(since, key, value);
                        }
                    }
                    Step::Begin(changes) if under_way.is_none() => {
                        let touched: Vec<_> = changes.into_iter().map(touch).collect();
                        cache.begin(touched.clone());
                        under_way = Some((touched, false));
                    }
                    Step::Begin(_) => {}
                    Step::Write => {
                        if let Some((touched, written @ false)) = &mut under_way {
                            touched.iter().for_each(|touch| write(&mut disk, touch));
                            *written = true;
                        }
                    }
                    Step::End => match under_way.take() {
                        Some((_, true)) => cache.land(),
                        Some((_, false)) => cache.fail(),
                        None => {}
                    },
                }
                for n in 0..8 {
                    if let Look::Known(value) = cache.look(&key(n)) {
                        prop_assert!(value == disk.get(&key(n)).cloned(), "{n}");
                    }
                }
                prop_assert!(cache.young.entries.len() <= most && cache.old.entries.len() <= most);
            }
        }
    }

    #[test]
    fn it_is_bounded_in_number_and_in_bytes() {
        let cache = Cache::default();
        for n in 0..100_000 {
            cache.fill(0, Lookup::PreKey(n), None);
        }
        let held = |state: &State| state.young.entries.len() + state.old.entries.len();
        assert!(held(&cache.state()) <= 16_384);
        for n in 0..1_000 {
            cache.fill(0, Lookup::setting(&n.to_string()), Some(Value::Bytes(vec![0; 100_000])));
        }
        let state = cache.state();
        assert!(held(&state) <= 90, "{}", held(&state));
        assert!(state.young.bytes + state.old.bytes <= 9_000_000);
    }

    #[test]
    fn what_is_asked_for_again_stays() {
        let cache = Cache::default();
        cache.fill(0, Lookup::setting("mine"), Some(Value::Bytes(vec![1])));
        for n in 0..100_000 {
            cache.fill(0, Lookup::PreKey(n), None);
            assert!(matches!(cache.look(&Lookup::setting("mine")), Look::Known(Some(_))), "{n}");
        }
    }

    #[test]
    fn a_value_that_is_too_large_is_read_each_time() {
        let cache = Cache::default();
        cache.fill(0, Lookup::setting("a"), Some(Value::Bytes(vec![0; 300_000])));
        assert!(matches!(cache.look(&Lookup::setting("a")), Look::Unknown(_)));
        let value = Some(Value::Bytes(vec![0; 300_000]));
        cache.begin(vec![Touch::Known(Lookup::setting("a"), value)]);
        cache.land();
        assert!(matches!(cache.look(&Lookup::setting("a")), Look::Unknown(_)));
    }
}
