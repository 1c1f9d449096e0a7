//! Search in the tables: the index names candidates, the texts decide, the newest come first.
//!
//! Knows nothing of what a query means; see [`crate::search`].

use rusqlite::{Connection, params};

use super::{
    index,
    read_archive::message_by_seq,
    rows::{count, each},
    walk::{Spot, Walk},
};
use crate::{
    Hit, MAX_PAGE, SearchOrder, SearchPage, SearchQuery, Seq,
    search::{Analysis, Cursor, Matcher, Position, RANK_WINDOW, rank, snippet},
    store::Result,
};

/// How many messages are read before the index is asked: of a common word a page is full by then.
const READ_FIRST: usize = 256;

/// How many messages are read at once.
const READ_AT_ONCE: usize = 128;

/// How many messages the index may name to be worth more than reading.
const MAX_NAMED: usize = 60_000;

pub(super) fn search(db: &Connection, query: &SearchQuery) -> Result<SearchPage> {
    let position = query.cursor.map(|cursor| cursor.position(query.order)).transpose()?;
    let Some(matcher) = Matcher::new(&query.text)? else { return Ok(SearchPage::default()) };
    let limit = query.limit.min(MAX_PAGE);
    match (query.order, position) {
        (SearchOrder::Ranked, Some(Position::Ranked { newest, given })) => {
            ranked(db, query, &matcher, newest, given, limit)
        }
        (SearchOrder::Ranked, _) => ranked(db, query, &matcher, Seq(u64::MAX), 0, limit),
        (SearchOrder::NewestFirst, Some(Position::Before(time, seq))) => {
            newest_first(db, query, &matcher, Some(Spot { time, seq }), limit)
        }
        (SearchOrder::NewestFirst, _) => newest_first(db, query, &matcher, None, limit),
    }
}

fn newest_first(
    db: &Connection,
    query: &SearchQuery,
    matcher: &Matcher,
    before: Option<Spot>,
    limit: usize,
) -> Result<SearchPage> {
    let mut spots = Vec::new();
    matching(db, query, matcher, before, |spot, _| {
        spots.push(spot);
        spots.len() <= limit
    })?;
    let more = spots.len() > limit;
    spots.truncate(limit);
    let next = spots.last().filter(|_| more).map(|last| Position::Before(last.time, last.seq));
    let mut page = SearchPage { cursor: next.map(Cursor::new), ..SearchPage::default() };
    for spot in spots {
        page.hits.extend(hit(db, matcher, spot.seq, 0.0)?);
    }
    Ok(page)
}

/// `newest` is the last of those that had been committed when the first page was asked for.
fn ranked(
    db: &Connection,
    query: &SearchQuery,
    matcher: &Matcher,
    newest: Seq,
    given: usize,
    limit: usize,
) -> Result<SearchPage> {
    let mut window = Vec::new();
    matching(db, query, matcher, None, |spot, text| {
        if spot.seq <= newest {
            window.push((spot.seq, text));
        }
        window.len() < RANK_WINDOW
    })?;
    // What is not found is not told of either, not even that it came.
    let newest = window.iter().map(|(seq, _)| *seq).max().unwrap_or_default();
    let scored = rank(matcher, &window);
    let rest = scored.get(given..).unwrap_or_default();
    let next = Position::Ranked { newest, given: given.saturating_add(limit) };
    let mut page = SearchPage {
        cursor: (rest.len() > limit).then(|| Cursor::new(next)),
        ..SearchPage::default()
    };
    for scored in rest.iter().take(limit) {
        page.hits.extend(hit(db, matcher, scored.seq, scored.score)?);
    }
    Ok(page)
}

/// Goes through the messages that match, back in time, for as long as `take` says so.
fn matching(
    db: &Connection,
    query: &SearchQuery,
    matcher: &Matcher,
    before: Option<Spot>,
    mut take: impl FnMut(Spot, Analysis) -> bool,
) -> Result<()> {
    let mut walk = Walk::new(db, &query.filter, true, before)?;
    let (mut read, mut has_asked) = (0, false);
    while let Some(block) = walk.block(READ_AT_ONCE)? {
        for (spot, text) in &block {
            let Some(text) = text else { continue };
            let text = Analysis::new(text);
            if matcher.matches(&text) && !take(*spot, text) {
                return Ok(());
            }
        }
        read += READ_AT_ONCE;
        if read >= READ_FIRST && !has_asked {
            has_asked = true;
            if let Some(named) = named(db, matcher)? {
                walk.narrow(named)?;
            }
        }
    }
    Ok(())
}

/// The messages that the index names for a query, if it knows all and names not too many.
fn named(db: &Connection, matcher: &Matcher) -> Result<Option<Vec<Seq>>> {
    if !index::is_whole(db)? {
        return Ok(None);
    }
    let wanted: Vec<String> =
        matcher.filter_terms().iter().map(|term| format!("\"{term}\"")).collect();
    let sql = "SELECT rowid FROM message_terms WHERE message_terms MATCH ?1
               ORDER BY rowid DESC LIMIT ?2";
    let mut named = Vec::new();
    each(db, sql, params![wanted.join(" "), count(MAX_NAMED + 1)], |row| {
        named.push(row.seq(0)?);
        Ok(true)
    })?;
    Ok((named.len() <= MAX_NAMED).then_some(named))
}

fn hit(db: &Connection, matcher: &Matcher, seq: Seq, rank: f64) -> Result<Option<Hit>> {
    let message = message_by_seq(db, seq)?;
    Ok(message.map(|message| {
        let snippet = snippet(matcher, message.text.as_deref().unwrap_or_default());
        Hit { message, snippet, rank }
    }))
}
