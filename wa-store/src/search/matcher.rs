//! Whether a text matches a query, and where.
//!
//! Knows nothing of how queries are typed.

use std::ops::Range;

use super::{
    query::{MAX_SEARCH_BYTES, Piece, Term, parse},
    text::{Analysis, Token, word_terms},
};
use crate::StoreError;

/// The most index terms an engine is asked to intersect. The rest is checked on the text.
const MAX_FILTER_TERMS: usize = 32;

/// A query, ready to be held against texts.
#[derive(Debug)]
pub(crate) struct Matcher {
    wanted: Vec<Term>,
    unwanted: Vec<Term>,
}

impl Matcher {
    /// Reads a query. `None` if there is nothing in it to find.
    ///
    /// # Errors
    /// [`StoreError::SearchTooLong`] beyond [`MAX_SEARCH_BYTES`]; [`StoreError::SearchOnlyExcludes`].
    pub(crate) fn new(text: &str) -> Result<Option<Self>, StoreError> {
        if text.len() > MAX_SEARCH_BYTES {
            return Err(StoreError::SearchTooLong);
        }
        let (unwanted, wanted): (Vec<_>, Vec<_>) =
            parse(text).into_iter().partition(|term| term.negated);
        match (wanted.is_empty(), unwanted.is_empty()) {
            (true, true) => Ok(None),
            (true, false) => Err(StoreError::SearchOnlyExcludes),
            (false, _) => Ok(Some(Self { wanted, unwanted })),
        }
    }

    /// Index terms that every matching text has; see `index_terms`. Never empty.
    pub(crate) fn filter_terms(&self) -> Vec<String> {
        let mut terms = Vec::new();
        for term in &self.wanted {
            let mut before: Option<&Piece> = None;
            for piece in &term.pieces {
                if piece.alone {
                    let pair = before.filter(|before| before.alone);
                    // Of several in a row the pairs say more than each one.
                    if pair.is_some() || term.pieces.len() == 1 {
                        let first = pair.map_or("", |before| before.text.as_str());
                        terms.push(format!("{first}{}", piece.text));
                    } else {
                        terms.push(piece.text.clone());
                    }
                } else {
                    word_terms(&piece.text, piece.begins, piece.ends, |part| {
                        terms.push(part.to_owned());
                    });
                }
                before = Some(piece);
            }
        }
        terms.sort_unstable();
        terms.dedup();
        let step = terms.len().div_ceil(MAX_FILTER_TERMS).max(1);
        terms.into_iter().step_by(step).collect()
    }

    /// Whether the text has everything wanted and nothing unwanted.
    pub(crate) fn matches(&self, text: &Analysis) -> bool {
        self.wanted.iter().all(|term| occurrences(term, text).next().is_some())
            && self.unwanted.iter().all(|term| occurrences(term, text).next().is_none())
    }

    /// How often each wanted term occurs; a part of a word counts less than a word.
    pub(super) fn frequencies(&self, text: &Analysis) -> impl Iterator<Item = f64> {
        self.wanted.iter().map(|term| occurrences(term, text).map(|found| found.weight).sum())
    }

    /// Where the text matches, in order and apart. The text was read with its sources.
    pub(super) fn highlights(&self, text: &Analysis) -> Vec<Range<usize>> {
        let mut found: Vec<_> = self
            .wanted
            .iter()
            .flat_map(|term| occurrences(term, text))
            .filter_map(|found| {
                let (first, last) = (found.tokens.first()?, found.tokens.last()?);
                let end = if found.tokens.len() == 1 { found.end } else { text.word(first).len() };
                let from = text.source(first, found.start..end)?;
                let start = if found.tokens.len() == 1 { found.start } else { 0 };
                let to = text.source(last, start..found.end)?;
                Some(from.start..to.end)
            })
            .collect();
        found.sort_unstable_by_key(|range| (range.start, range.end));
        found.dedup_by(|next, before| {
            let joined = next.start <= before.end;
            if joined {
                before.end = before.end.max(next.end);
            }
            joined
        });
        found
    }
}

/// A place where a term occurs.
struct Occurrence<'a> {
    tokens: &'a [Token],
    /// Where it begins in the first token.
    start: usize,
    /// Where it ends in the last token.
    end: usize,
    /// 1 for whole words, less for parts.
    weight: f64,
}

fn occurrences<'a>(term: &'a Term, text: &'a Analysis) -> impl Iterator<Item = Occurrence<'a>> {
    text.tokens().windows(term.pieces.len()).filter_map(move |tokens| {
        let (mut start, mut end, mut weight) = (0, 0, 1.0_f64);
        for (at, (piece, token)) in term.pieces.iter().zip(tokens).enumerate() {
            let word = text.word(token);
            let found = find(piece, word, token.alone)?;
            if at == 0 {
                start = found;
            }
            end = found + piece.text.len();
            weight = weight.min(match (found, word.len() == end) {
                (0, true) => 1.0,
                (0, false) => PREFIX_WEIGHT,
                _ => INNER_WEIGHT,
            });
        }
        Some(Occurrence { tokens, start, end, weight })
    })
}

/// What a word that only begins with the term counts.
const PREFIX_WEIGHT: f64 = 0.5;
/// What a word that holds the term elsewhere counts.
const INNER_WEIGHT: f64 = 0.2;

/// Where in a word a piece stands.
fn find(piece: &Piece, word: &str, alone: bool) -> Option<usize> {
    if piece.alone != alone {
        return None;
    }
    match (piece.begins, piece.ends) {
        _ if alone => (word == piece.text).then_some(0),
        (true, true) => (word == piece.text).then_some(0),
        (true, false) => word.starts_with(&piece.text).then_some(0),
        (false, true) => {
            word.ends_with(&piece.text).then(|| word.len().saturating_sub(piece.text.len()))
        }
        (false, false) => word.find(&piece.text),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::search::index_terms;

    fn matches(query: &str, text: &str) -> bool {
        Matcher::new(query).unwrap().is_some_and(|query| query.matches(&Analysis::new(text)))
    }

    #[test]
    fn terms_match_as_documented() {
        for (query, text) in [
            ("lunch", "Prelunchtime!"),
            ("to", "today"),
            ("京", "我在北京"),
            ("北京", "我在北京"),
            ("วัส", "สวัสดี"),
            ("lunch monday", "Monday: lunch"),
            ("\"see you\"", "I'll SEE, you"),
            ("lun*", "lunches"),
            ("lunch -monday", "lunch mondays"),
            ("a@b.example", "mail aa@b.examples"),
            ("CAFE", "café"),
            ("café", "cafe"),
        ] {
            assert!(matches(query, text), "{query} must find {text}");
        }
        for (query, text) in [
            ("to", "auto"),
            ("京北", "我在北京"),
            ("lunch monday", "lunch"),
            ("\"see you\"", "see your"),
            ("\"see you\"", "you see"),
            ("lun*", "prelunch"),
            ("lunch -monday", "lunch monday"),
            ("lunch -mon*", "lunch mondays"),
            ("?!", "?!"),
        ] {
            assert!(!matches(query, text), "{query} must not find {text}");
        }
    }

    #[test]
    fn a_query_that_only_leaves_out_is_refused() {
        for query in ["-monday", "-mon* -\"a b\"", "- -x"] {
            let refused = Matcher::new(query);
            assert!(matches!(refused, Err(StoreError::SearchOnlyExcludes)), "{query}");
        }
    }

    #[test]
    fn a_query_beyond_the_limit_is_refused() {
        assert!(matches!(Matcher::new(&"x".repeat(1_025)), Err(StoreError::SearchTooLong)));
    }

    proptest! {
        #[test]
        fn what_matches_has_every_filter_term(
            query in "[-\"*a-c京北 ]{1,12}",
            text in "[a-c京北 .]{0,40}",
        ) {
            let Ok(Some(matcher)) = Matcher::new(&query) else { return Ok(()) };
            let analysis = Analysis::new(&text);
            let filter = matcher.filter_terms();
            prop_assert!(!filter.is_empty());
            if matcher.matches(&analysis) {
                let terms = index_terms(&analysis);
                let terms: Vec<&str> = terms.split(' ').collect();
                for wanted in filter {
                    prop_assert!(terms.contains(&wanted.as_str()), "{wanted} of {query} in {text}");
                }
            }
        }
    }
}
