//! The way through the messages that pass a filter, by their time: from the side of whatever is rare.
//!
//! Each part of a filter that has an index gives a row of places in the order of time; the walk goes
//! along all of them at once and leaps over what one of them leaves out. What the indexes do not know
//! is asked of the rows, a block at a time, so that no single step is long and each can be broken off.
//! Knows nothing of texts and pages.

use std::{cmp::Ordering, collections::HashSet};

use rusqlite::{Connection, ToSql};

use super::{
    read_archive::Conditions,
    rows::{all, count, each, person},
};
use crate::{MessageFilter, MessageKind, Seq, StoreError, Timestamp, store::Result};

/// How many places of an index are read at once, at first and at most.
const BLOCK: [usize; 2] = [64, 1_024];

/// How many places may be passed over that were not found before the found ones are put in order.
const PASSED_OVER: usize = 30_000;

/// Where a message stands, and its text if it has any.
pub(super) type Passage = (Spot, Option<String>);

/// Where a message stands in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) time: Timestamp,
    pub(super) seq: Seq,
}

/// Which stretch of time is walked, and in which direction.
#[derive(Clone, Copy)]
struct Range {
    first: Spot,
    last: Spot,
    backwards: bool,
}

impl Range {
    fn order(self, a: Spot, b: Spot) -> Ordering {
        if self.backwards { b.cmp(&a) } else { a.cmp(&b) }
    }

    /// The place after one.
    const fn after(self, spot: Spot) -> Spot {
        match (self.backwards, spot.seq.0) {
            (false, seq) => Spot { seq: Seq(seq.saturating_add(1)), ..spot },
            (true, 0) => Spot { time: spot.time.minus_secs(1), seq: MAX_SEQ },
            (true, seq) => Spot { seq: Seq(seq - 1), ..spot },
        }
    }
}

const MAX_SEQ: Seq = Seq(i64::MAX.unsigned_abs());

/// An index that has messages in the order of time.
struct Index {
    name: &'static str,
    condition: &'static str,
    value: Option<Box<dyn ToSql>>,
}

/// Places in the order of the walk.
enum Source {
    Index(Index),
    Listed,
}

struct Places {
    source: Source,
    block: Vec<Spot>,
    at: usize,
    /// Whether nothing comes after the block.
    is_last: bool,
    size: usize,
}

impl Places {
    const fn of(index: Index) -> Self {
        let [size, _] = BLOCK;
        Self { source: Source::Index(index), block: Vec::new(), at: 0, is_last: false, size }
    }

    fn listed(mut block: Vec<Spot>, range: Range) -> Self {
        block.sort_by(|a, b| range.order(*a, *b));
        Self { source: Source::Listed, block, at: 0, is_last: true, size: 0 }
    }

    /// The first place that is there or behind.
    fn seek(&mut self, db: &Connection, range: Range, to: Spot) -> Result<Option<Spot>> {
        let rest = self.block.get(self.at..).unwrap_or_default();
        // Mostly it is the next one.
        self.at += match rest.first() {
            Some(next) if range.order(*next, to) != Ordering::Less => 0,
            _ => rest.partition_point(|spot| range.order(*spot, to) == Ordering::Less),
        };
        if self.at == self.block.len() && !self.is_last {
            self.fetch(db, range, to)?;
        }
        Ok(self.block.get(self.at).copied())
    }

    fn fetch(&mut self, db: &Connection, range: Range, from: Spot) -> Result<()> {
        let Source::Index(index) = &self.source else { return Ok(()) };
        let (reached, end, direction) = match range.backwards {
            true => ("<=", "timestamp >=", "DESC"),
            false => (">=", "timestamp <=", "ASC"),
        };
        let sql = format!(
            "SELECT timestamp, seq FROM messages INDEXED BY {}
             WHERE {} AND (timestamp, seq) {reached} (?, ?) AND {end} ?
             ORDER BY timestamp {direction}, seq {direction} LIMIT ?",
            index.name, index.condition
        );
        let (time, seq) = (from.time.secs(), super::rows::number(from.seq));
        let (end, limit) = (range.last.time.secs(), count(self.size));
        let mut values: Vec<&dyn ToSql> = index.value.iter().map(AsRef::as_ref).collect();
        values.extend([&time as &dyn ToSql, &seq, &end, &limit]);
        self.block = all(db, &sql, values.as_slice(), |row| {
            Ok(Spot { time: row.time(0)?, seq: row.seq(1)? })
        })?;
        self.at = 0;
        self.is_last = self.block.len() < self.size;
        let [_, most] = BLOCK;
        self.size = (self.size * 2).min(most);
        Ok(())
    }
}

/// Messages of which something else is known, that an index does not say.
enum Found {
    Anything,
    These(HashSet<Seq>),
}

/// A walk under way.
pub(super) struct Walk<'a> {
    db: &'a Connection,
    range: Range,
    places: Vec<Places>,
    found: Found,
    passed_over: usize,
    /// Where it goes on; nowhere when it is over.
    next: Option<Spot>,
    rows: Rows,
}

/// What the rows are asked, for a list of numbers.
struct Rows {
    sql: String,
    values: Vec<Box<dyn ToSql>>,
}

impl<'a> Walk<'a> {
    /// Begins behind a place, or where the filter begins.
    pub(super) fn new(
        db: &'a Connection,
        filter: &MessageFilter,
        backwards: bool,
        behind: Option<Spot>,
    ) -> Result<Self> {
        let oldest = Spot { time: filter.since.unwrap_or(Timestamp::MIN), seq: Seq(0) };
        let newest = filter.until.map_or(Timestamp::MAX, |until| until.minus_secs(1));
        let newest = Spot { time: newest, seq: MAX_SEQ };
        let (first, last) = if backwards { (newest, oldest) } else { (oldest, newest) };
        let mut range = Range { first, last, backwards };
        if let Some(behind) = behind.map(|spot| range.after(spot))
            && range.order(behind, first) == Ordering::Greater
        {
            range.first = behind;
        }
        let rows = Rows::new(db, filter)?;
        let places = places(db, filter, range)?;
        let (found, next) = (Found::Anything, Some(range.first));
        Ok(Self { db, range, places, found, passed_over: 0, next, rows })
    }

    /// From here on only these messages are of interest.
    pub(super) fn narrow(&mut self, seqs: Vec<Seq>) -> Result<()> {
        if seqs.len() > LISTED {
            self.found = Found::These(seqs.into_iter().collect());
            return Ok(());
        }
        let spots = spots(self.db, &seqs)?;
        self.list(spots);
        Ok(())
    }

    fn list(&mut self, spots: Vec<Spot>) {
        self.places.retain(|places| match &places.source {
            // The whole of time adds nothing.
            Source::Index(index) => index.value.is_some(),
            Source::Listed => true,
        });
        self.found = Found::Anything;
        self.places.push(Places::listed(spots, self.range));
    }

    /// The next messages that pass, at most so many are looked at: where they stand and what they say.
    /// `None` when there are none any more.
    pub(super) fn block(&mut self, most: usize) -> Result<Option<Vec<Passage>>> {
        let spots = self.spots(most)?;
        if spots.is_empty() {
            return Ok(None);
        }
        self.rows.read(self.db, &spots).map(Some)
    }

    fn spots(&mut self, most: usize) -> Result<Vec<Spot>> {
        let mut spots = Vec::new();
        while spots.len() < most
            && let Some(from) = self.next
        {
            let Some(spot) = self.common(from)? else {
                self.next = None;
                break;
            };
            self.next = Some(self.range.after(spot));
            match &self.found {
                Found::These(seqs) if !seqs.contains(&spot.seq) => {
                    self.passed_over += 1;
                    if self.passed_over > PASSED_OVER {
                        let seqs: Vec<Seq> = seqs.iter().copied().collect();
                        let listed = self::spots(self.db, &seqs)?;
                        self.list(listed);
                    }
                }
                _ => spots.push(spot),
            }
        }
        Ok(spots)
    }

    /// The first place from one on where all indexes have the same.
    fn common(&mut self, from: Spot) -> Result<Option<Spot>> {
        let (mut spot, mut agree) = (from, 0);
        let all = self.places.len();
        for at in (0..all).cycle() {
            let Some(places) = self.places.get_mut(at) else { break };
            match places.seek(self.db, self.range, spot)? {
                Some(there) if there == spot && agree > 0 => agree += 1,
                Some(there) => (spot, agree) = (there, 1),
                None => return Ok(None),
            }
            if agree == all {
                return Ok(
                    (self.range.order(spot, self.range.last) != Ordering::Greater).then_some(spot)
                );
            }
        }
        Ok(None)
    }
}

/// How many messages are put in the order of time at once: a few milliseconds.
const LISTED: usize = 1_500;

/// Where these messages stand.
fn spots(db: &Connection, seqs: &[Seq]) -> Result<Vec<Spot>> {
    let mut seqs = seqs.to_vec();
    seqs.sort_unstable();
    let [_, most] = BLOCK;
    let mut spots = Vec::with_capacity(seqs.len());
    for some in seqs.chunks(most) {
        let sql = "SELECT m.timestamp, m.seq FROM json_each(?1) j CROSS JOIN messages m
                   ON m.seq = j.value";
        each(db, sql, [list(some.iter().copied())?], |row| {
            spots.push(Spot { time: row.time(0)?, seq: row.seq(1)? });
            Ok(true)
        })?;
    }
    Ok(spots)
}

fn list(seqs: impl Iterator<Item = Seq>) -> Result<String> {
    let numbers: Vec<u64> = seqs.map(|seq| seq.0).collect();
    serde_json::to_string(&numbers).map_err(|_| StoreError::Corrupt { what: "a number" })
}

impl Rows {
    fn new(db: &Connection, filter: &MessageFilter) -> Result<Self> {
        let mut conditions = Conditions::default();
        conditions.filter(db, filter)?;
        let (sql, values) = conditions.parts();
        let sql = format!(
            "SELECT m.timestamp, m.seq, m.text FROM json_each(?) j
             CROSS JOIN live_messages m ON m.seq = j.value{sql}"
        );
        Ok(Self { sql, values })
    }

    fn read(&self, db: &Connection, spots: &[Spot]) -> Result<Vec<Passage>> {
        let list = list(spots.iter().map(|spot| spot.seq))?;
        let mut values: Vec<&dyn ToSql> = vec![&list];
        values.extend(self.values.iter().map(AsRef::as_ref));
        all(db, &self.sql, values.as_slice(), |row| {
            Ok((Spot { time: row.time(0)?, seq: row.seq(1)? }, row.get(2)?))
        })
    }
}

/// The indexes that know something of a filter.
fn places(db: &Connection, filter: &MessageFilter, range: Range) -> Result<Vec<Places>> {
    let mut found = Vec::new();
    let mut add = |name, condition, value: Option<Box<dyn ToSql>>| {
        found.push(Places::of(Index { name, condition, value }));
    };
    if let Some(chat) = &filter.chat {
        let chat = Box::new(person(db, chat)?.to_string());
        match filter.from_me {
            Some(true) => add("messages_own", "chat = ? AND from_me", Some(chat)),
            _ => add("messages_chat", "chat = ?", Some(chat)),
        }
    }
    if let Some(sender) = &filter.sender {
        let sender = Box::new(person(db, sender)?.to_string());
        add("messages_sender", "sender = ?", Some(sender));
    }
    // Nearly everything is a text.
    if let Some(kind) = filter.kind.as_ref().filter(|kind| **kind != MessageKind::TEXT) {
        let kind = Box::new(kind.as_str().to_owned());
        add("messages_kind", "kind = ? AND kind <> 'text'", Some(kind));
    }
    if filter.by_assistant == Some(true) {
        add("messages_by_assistant", "by_assistant AND ?", Some(Box::new(true)));
    }
    if let Some(id) = &filter.id {
        // A look into each chat's index; there are few chats, and no index has ids alone.
        let sql = "SELECT m.timestamp, m.seq FROM chats c CROSS JOIN messages m ON m.chat = c.jid
                   WHERE m.id = ?1";
        let spots =
            all(db, sql, [id.as_str()], |row| Ok(Spot { time: row.time(0)?, seq: row.seq(1)? }))?;
        found.push(Places::listed(spots, range));
    }
    if found.is_empty() {
        found.push(Places::of(Index { name: "messages_time", condition: "1", value: None }));
    }
    Ok(found)
}

/// Whether a walk finds what passes a filter faster than one index alone.
pub(super) fn is_worth_it(filter: &MessageFilter) -> bool {
    let rare_kind = filter.kind.as_ref().is_some_and(|kind| *kind != MessageKind::TEXT);
    let parts = [
        filter.chat.is_some(),
        filter.sender.is_some(),
        rare_kind,
        filter.by_assistant == Some(true),
        filter.chat.is_some() && filter.from_me == Some(true),
    ];
    let parts = parts.into_iter().filter(|is_there| *is_there).count();
    parts > 1 || rare_kind || filter.by_assistant == Some(true) || filter.id.is_some()
}
