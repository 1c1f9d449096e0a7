//! Which of the messages that match is the best: BM25 over a bounded window.
//!
//! Every message in the window holds every term, so how rare a term is says nothing and is left
//! out; what remains is how often the terms occur, and how long the text is.

use super::{Analysis, Matcher};
use crate::Seq;

/// How many of the newest matching messages are ranked.
pub const RANK_WINDOW: usize = 5_000;

/// How soon further occurrences stop to count.
const K1: f64 = 1.2;
/// How much a text's length counts.
const B: f64 = 0.75;

/// A matching message, for ranking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scored {
    pub(crate) seq: Seq,
    pub(crate) score: f64,
}

/// Ranks matching messages: the best first, among equals the newest.
pub(crate) fn rank(matcher: &Matcher, window: &[(Seq, Analysis)]) -> Vec<Scored> {
    let words: usize = window.iter().map(|(_, text)| text.len()).sum();
    let average = words as f64 / window.len().max(1) as f64;
    let mut scored: Vec<_> = window
        .iter()
        .map(|(seq, text)| {
            let length = 1.0 - B + B * text.len() as f64 / average.max(1.0);
            let score = matcher
                .frequencies(text)
                .map(|frequency| frequency * (K1 + 1.0) / (frequency + K1 * length))
                .sum();
            Scored { seq: *seq, score }
        })
        .collect();
    scored.sort_by(|a, b| b.score.total_cmp(&a.score).then(b.seq.cmp(&a.seq)));
    scored
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_come_before_parts_and_short_texts_before_long_ones() {
        let texts = ["party all night", "art", "the art of the deal we made", "artist", "art"];
        let window: Vec<_> =
            texts.iter().zip(1..).map(|(text, seq)| (Seq(seq), Analysis::new(text))).collect();
        let matcher = Matcher::new("art").unwrap().unwrap();
        let order: Vec<u64> = rank(&matcher, &window).iter().map(|hit| hit.seq.0).collect();
        assert_eq!(order, [5, 2, 4, 3, 1]);
    }
}
