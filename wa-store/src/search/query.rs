//! Reading what a person typed. Every text is a valid query.
//!
//! Knows nothing of how a term is matched.

use super::text::Analysis;

/// The longest search text, in bytes.
pub const MAX_SEARCH_BYTES: usize = 1_024;

/// The most terms of a search; what is typed beyond them is left out.
pub const MAX_SEARCH_TERMS: usize = 32;

/// One thing to find, or to leave out: words in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) negated: bool,
    pub(super) pieces: Vec<Piece>,
}

/// What one word of the text must look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) alone: bool,
    /// Whether the word must begin with it.
    pub(super) begins: bool,
    /// Whether the word must end with it.
    pub(super) ends: bool,
}

/// Reads a query.
pub(super) fn parse(text: &str) -> Vec<Term> {
    let mut terms = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() && terms.len() < MAX_SEARCH_TERMS {
        let (negated, after) = match rest.strip_prefix('-') {
            Some(after) => (true, after),
            None => (false, rest),
        };
        let after_quote = after.strip_prefix(is_quote);
        let body = after_quote.unwrap_or(after);
        let quoted = after_quote.is_some();
        let end = body.find(|c: char| if quoted { is_quote(c) } else { c.is_whitespace() });
        let (body, tail) = body.split_at(end.unwrap_or(body.len()));
        let tail = if quoted { tail.strip_prefix(is_quote).unwrap_or(tail) } else { tail };
        let starred = tail.strip_prefix('*').filter(|_| quoted);
        let open_ended = starred.is_some() || (!quoted && body.ends_with('*'));
        let anchors = Anchors { whole: quoted || negated, open_ended, any: body.starts_with('*') };
        terms.extend(term(body, negated, anchors));
        rest = starred.unwrap_or(tail).trim_start();
    }
    terms
}

const fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '«' | '»')
}

/// How the ends of a term were typed.
#[derive(Clone, Copy)]
struct Anchors {
    /// In quotes, or to be left out: whole words.
    whole: bool,
    /// With a star at the end: words that begin so.
    open_ended: bool,
    /// With a star at the beginning: anywhere, even if left out.
    any: bool,
}

fn term(body: &str, negated: bool, anchors: Anchors) -> Option<Term> {
    let analysis = Analysis::new(body);
    let last = analysis.len().checked_sub(1)?;
    let anchored = anchors.whole || anchors.open_ended;
    let pieces = analysis
        .tokens()
        .iter()
        .enumerate()
        .map(|(at, token)| {
            let text = analysis.word(token).to_owned();
            // A single letter or two, anywhere, would find nearly everything.
            let short = last == 0 && text.chars().nth(2).is_none();
            let begins = at > 0 || (anchored && !anchors.any) || short;
            let ends = at < last || (anchors.whole && !anchors.open_ended);
            Piece { text, alone: token.alone, begins, ends }
        })
        .collect();
    Some(Term { negated, pieces })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `^` and `$` for the ends, `+` between words, `-` for what is left out.
    fn shown(text: &str) -> String {
        let terms = parse(text).into_iter().map(|term| {
            let pieces = term.pieces.iter().map(|piece| {
                let mark = |on, mark| if on { mark } else { "" };
                format!("{}{}{}", mark(piece.begins, "^"), piece.text, mark(piece.ends, "$"))
            });
            let sign = if term.negated { "-" } else { "" };
            format!("{sign}{}", pieces.collect::<Vec<_>>().join("+"))
        });
        terms.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_query_is_read_as_documented() {
        assert_eq!(shown("Lunch  monday"), "lunch monday");
        assert_eq!(shown("to"), "^to");
        assert_eq!(shown("\"see you\" soon"), "^see$+^you$ soon");
        assert_eq!(shown("“see you”"), "^see$+^you$");
        assert_eq!(shown("\"see yo\"*"), "^see$+^yo");
        assert_eq!(shown("lun* *unch*"), "^lun unch");
        assert_eq!(shown("-monday -mon* -\"a b\""), "-^monday$ -^mon -^a$+^b$");
        assert_eq!(shown("foo-bar"), "foo$+^bar");
        assert_eq!(shown("\"open"), "^open$");
        assert_eq!(shown("- \" * NEAR( AND ;--"), "^near$+^and$");
        assert_eq!(shown("- * NEAR( AND ;-- OR:"), "near and ^or");
        assert_eq!(shown(""), "");
    }

    proptest! {
        #[test]
        fn every_text_is_a_query(text in "[-\"*a京 ]{0,40}|.*") {
            let terms = parse(&text);
            prop_assert!(terms.len() <= MAX_SEARCH_TERMS);
            prop_assert!(terms.iter().all(|term| !term.pieces.is_empty()));
        }
    }
}
