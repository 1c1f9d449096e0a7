//! Search in the tables: the index names candidates, the newest first; the texts decide.
//!
//! Knows nothing of what a query means; see [`crate::search`].

use rusqlite::Connection;

use super::{
    read_archive::{Conditions, last_seq, message_by_seq},
    rows::{each, number},
};
use crate::{
    Hit, MAX_PAGE, SearchOrder, SearchPage, SearchQuery, Seq,
    search::{Analysis, Cursor, Matcher, Position, RANK_WINDOW, rank, snippet},
    store::Result,
};

pub(super) fn search(db: &Connection, query: &SearchQuery) -> Result<SearchPage> {
    let position = query.cursor.map(|cursor| cursor.position(query.order)).transpose()?;
    let Some(matcher) = Matcher::new(&query.text)? else { return Ok(SearchPage::default()) };
    let limit = query.limit.min(MAX_PAGE);
    match (query.order, position) {
        (SearchOrder::Ranked, Some(Position::Ranked { newest, given })) => {
            ranked(db, query, &matcher, newest, given, limit)
        }
        (SearchOrder::Ranked, _) => {
            let newest = last_seq(db)?;
            ranked(db, query, &matcher, newest, 0, limit)
        }
        (SearchOrder::NewestFirst, Some(Position::Before(seq))) => {
            newest_first(db, query, &matcher, Seq(seq.0.saturating_sub(1)), limit)
        }
        (SearchOrder::NewestFirst, _) => newest_first(db, query, &matcher, Seq(u64::MAX), limit),
    }
}

fn newest_first(
    db: &Connection,
    query: &SearchQuery,
    matcher: &Matcher,
    newest: Seq,
    limit: usize,
) -> Result<SearchPage> {
    let mut seqs = Vec::new();
    matching(db, query, matcher, newest, |seq, _| {
        seqs.push(seq);
        seqs.len() <= limit
    })?;
    let more = seqs.len() > limit;
    seqs.truncate(limit);
    let next = seqs.last().filter(|_| more).map(|last| Position::Before(*last));
    let mut page = SearchPage { cursor: next.map(Cursor::new), ..SearchPage::default() };
    for seq in seqs {
        page.hits.extend(hit(db, matcher, seq, 0.0)?);
    }
    Ok(page)
}

fn ranked(
    db: &Connection,
    query: &SearchQuery,
    matcher: &Matcher,
    newest: Seq,
    given: usize,
    limit: usize,
) -> Result<SearchPage> {
    let mut window = Vec::new();
    matching(db, query, matcher, newest, |seq, text| {
        window.push((seq, text));
        window.len() < RANK_WINDOW
    })?;
    // What is not found is not told of either, not even that it came.
    let newest = window.first().map_or(newest, |(seq, _)| *seq);
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

/// Goes through the messages that match, from `newest` backwards, for as long as `take` says so.
fn matching(
    db: &Connection,
    query: &SearchQuery,
    matcher: &Matcher,
    newest: Seq,
    mut take: impl FnMut(Seq, Analysis) -> bool,
) -> Result<()> {
    let wanted: Vec<String> =
        matcher.filter_terms().iter().map(|term| format!("\"{term}\"")).collect();
    let mut conditions = Conditions::default();
    conditions.add("message_terms MATCH ?", [Box::new(wanted.join(" "))]);
    conditions.add("message_terms.rowid <= ?", [Box::new(number(newest))]);
    conditions.filter(db, &query.filter)?;
    // CROSS JOIN: the index goes first, whatever the planner thinks of the filters.
    let (sql, values) = conditions.finish(
        "SELECT m.seq, m.text FROM message_terms CROSS JOIN messages m
             ON m.seq = message_terms.rowid",
        " ORDER BY message_terms.rowid DESC",
    );
    each(db, &sql, values, |row| {
        let Some(text) = row.optional_text(1)? else { return Ok(true) };
        let text = Analysis::new(text);
        Ok(!matcher.matches(&text) || take(row.seq(0)?, text))
    })
}

fn hit(db: &Connection, matcher: &Matcher, seq: Seq, rank: f64) -> Result<Option<Hit>> {
    let message = message_by_seq(db, seq)?;
    Ok(message.map(|message| {
        let snippet = snippet(matcher, message.text.as_deref().unwrap_or_default());
        Hit { message, snippet, rank }
    }))
}
