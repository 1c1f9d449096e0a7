//! The part of a text to show with a hit.
//!
//! Knows nothing of how it is shown.

use super::{Matcher, text::Analysis};
use crate::Snippet;

/// How many characters an excerpt has at most.
const EXCERPT_CHARS: usize = 160;

/// How many of them stand before the first match.
const LEAD_CHARS: usize = 40;

/// Cuts the part around the first match out of a text and marks what matched in it.
pub(crate) fn snippet(matcher: &Matcher, text: &str) -> Snippet {
    let mut highlights = matcher.highlights(&Analysis::with_sources(text));
    let first = highlights.first().map_or(0, |range| range.start);
    let mut start = back(text, first, LEAD_CHARS);
    let end = forward(text, start, EXCERPT_CHARS);
    if end == text.len() {
        start = start.min(back(text, end, EXCERPT_CHARS));
    }
    // Begin with a whole word, if one begins before the match.
    if start > 0
        && let Some(space) = text.get(start..first).and_then(|lead| lead.find(char::is_whitespace))
    {
        start += space;
        start += text.get(start..).map_or(0, |rest| rest.len() - rest.trim_start().len());
    }
    highlights.retain_mut(|range| {
        range.end = range.end.min(end);
        range.start < end
    });
    Snippet { excerpt: start..end, highlights }
}

/// The offset so many characters before `from`.
fn back(text: &str, from: usize, chars: usize) -> usize {
    let before = text.get(..from).unwrap_or_default();
    before.char_indices().rev().take(chars).last().map_or(from, |(at, _)| at)
}

/// The offset so many characters after `from`.
fn forward(text: &str, from: usize, chars: usize) -> usize {
    let after = text.get(from..).unwrap_or_default();
    after.char_indices().nth(chars).map_or(text.len(), |(at, _)| from + at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marked(query: &str, text: &str) -> String {
        snippet(&Matcher::new(query).unwrap().unwrap(), text).marked(text, "[", "]")
    }

    #[test]
    fn what_matched_is_marked_in_the_original_text() {
        assert_eq!(
            marked("cafe", "Tea at the CAFÉ, cafe\u{301}s"),
            "Tea at the [CAFÉ], [cafe\u{301}]s"
        );
        assert_eq!(marked("北京", "我在北京，北京！"), "我在[北京]，[北京]！");
        assert_eq!(marked("nch", "Lunch"), "Lu[nch]");
        assert_eq!(marked("strass", "Große Straße"), "Große [Straß]e");
        assert_eq!(marked("\"see you\" see", "we see, you all"), "we [see, you] all");
        assert_eq!(marked("ガ", "カ\u{3099}ス"), "[カ\u{3099}]ス");
        assert_eq!(marked("👍", "ok 👍🏽!"), "ok [👍🏽]!");
        assert_eq!(marked("foo-bar", "xfoo barx"), "x[foo bar]x");
    }

    #[test]
    fn a_long_text_is_cut_around_the_first_match() {
        let text = format!("{} needle {}", "before ".repeat(50), "after ".repeat(50));
        let shown = marked("needle", &text);
        assert!(shown.starts_with("…before ") && shown.contains(" [needle] after"), "{shown}");
        assert!(shown.ends_with('…') && shown.chars().count() < 170);
    }

    proptest! {
        #[test]
        fn every_range_is_a_part_of_the_text(
            query in "[a-cé京\u{e31}\" *]{1,6}",
            text in "[a-cA-Cé\u{301}ß京ガ\u{3099}\u{e31} .]{0,300}",
        ) {
            let Ok(Some(matcher)) = Matcher::new(&query) else { return Ok(()) };
            let snippet = snippet(&matcher, &text);
            prop_assert!(text.get(snippet.excerpt.clone()).is_some());
            let mut at = snippet.excerpt.start;
            for range in &snippet.highlights {
                prop_assert!(at <= range.start && range.start < range.end && range.end <= snippet.excerpt.end);
                prop_assert!(text.get(range.clone()).is_some());
                at = range.end;
            }
            if matcher.matches(&Analysis::new(&text)) {
                prop_assert!(!snippet.highlights.is_empty());
            }
        }
    }
}
