//! Reading a text as a row of words, without case and accents.
//!
//! Knows nothing of queries.

use std::ops::Range;

use unicode_normalization::char::{compose, decompose_compatible, is_combining_mark};

use super::script::{completes, decomposes, is_ignored, plain, stands_alone};

/// How much of a message's text can be found, in bytes from its beginning.
pub const MAX_INDEXED_BYTES: usize = 65_536;

/// Stands for all that [`index_terms`] depends on. Whoever changes what it gives for any text counts this
/// up; then each database makes its index anew, while the old rules are nowhere applied to the new one.
pub(crate) const INDEX_VERSION: u32 = 1;

/// Where a word without end is cut, in bytes of its plain form.
const MAX_WORD_BYTES: usize = 120;

/// Marks the beginning of a word in an index term. No word holds it.
const BEGIN: char = '^';
/// Marks the end of a word in an index term. No word holds it.
const END: char = '$';

/// A text's words, plain and in order.
#[derive(Default)]
pub(crate) struct Analysis {
    /// All words without anything between them.
    plain: String,
    tokens: Vec<Token>,
    /// Where each character of `plain` comes from: its offset there, and the bytes in the text.
    /// Only if it was asked for.
    sources: Option<Vec<(usize, Range<usize>)>>,
    open: bool,
}

/// One word.
#[derive(Clone)]
pub(super) struct Token {
    range: Range<usize>,
    /// Whether it is one character of a script without spaces, or an emoji.
    pub(super) alone: bool,
}

impl Analysis {
    /// Reads a text.
    pub(crate) fn new(text: &str) -> Self {
        Self::read(text, None)
    }

    /// Reads a text and remembers where everything stood.
    pub(super) fn with_sources(text: &str) -> Self {
        Self::read(text, Some(Vec::new()))
    }

    fn read(text: &str, sources: Option<Vec<(usize, Range<usize>)>>) -> Self {
        let text = text.get(..text.floor_char_boundary(MAX_INDEXED_BYTES)).unwrap_or(text);
        let mut analysis = Self { sources, ..Self::default() };
        analysis.plain.reserve(text.len());
        for (start, c) in text.char_indices() {
            analysis.character(c, start..start + c.len_utf8());
        }
        analysis
    }

    /// How many words there are.
    pub(super) const fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(super) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// A token's plain form.
    pub(super) fn word(&self, token: &Token) -> &str {
        self.plain.get(token.range.clone()).unwrap_or_default()
    }

    /// The bytes of the text from which a part of a token comes.
    pub(super) fn source(&self, token: &Token, part: Range<usize>) -> Option<Range<usize>> {
        let sources = self.sources.as_ref()?;
        let (start, end) = (token.range.start + part.start, token.range.start + part.end);
        let first = sources.partition_point(|(at, _)| *at <= start).checked_sub(1)?;
        let last = sources.partition_point(|(at, _)| *at < end).checked_sub(1)?;
        Some(sources.get(first)?.1.start..sources.get(last)?.1.end)
    }

    fn character(&mut self, c: char, source: Range<usize>) {
        if c.is_ascii() {
            if c.is_ascii_alphanumeric() {
                self.letter(c.to_ascii_lowercase(), &source);
            } else {
                self.open = false;
            }
        } else if completes(c) && self.complete(c, &source) {
        } else if !decomposes(c) {
            self.alone(c, &source);
        } else {
            for lower in c.to_lowercase() {
                decompose_compatible(lower, |part| self.part(part, &source));
            }
        }
    }

    fn part(&mut self, c: char, source: &Range<usize>) {
        if is_ignored(c) {
            self.stretch(source);
        } else if stands_alone(c) {
            self.alone(c, source);
        } else if let Some(letters) = plain(c) {
            letters.chars().for_each(|letter| self.letter(letter, source));
        } else if c.is_alphanumeric() || is_combining_mark(c) {
            c.to_lowercase().for_each(|letter| self.letter(letter, source));
        } else {
            self.open = false;
        }
    }

    /// Adds a letter to the word that is being read, or begins one with it.
    fn letter(&mut self, c: char, source: &Range<usize>) {
        let start = self.plain.len();
        self.push(c, source);
        let end = self.plain.len();
        match self.tokens.last_mut() {
            Some(word) if self.open && word.range.len() < MAX_WORD_BYTES => word.range.end = end,
            _ => self.tokens.push(Token { range: start..end, alone: false }),
        }
        self.open = true;
    }

    fn alone(&mut self, c: char, source: &Range<usize>) {
        let start = self.plain.len();
        self.push(c, source);
        self.tokens.push(Token { range: start..self.plain.len(), alone: true });
        self.open = false;
    }

    /// Joins a character that completes the one before with it; `false` if it does not.
    fn complete(&mut self, c: char, source: &Range<usize>) -> bool {
        let Some(whole) = self.plain.chars().next_back().and_then(|last| compose(last, c)) else {
            return false;
        };
        let Some(token) = self.tokens.last_mut().filter(|token| token.alone) else { return false };
        self.plain.truncate(token.range.start);
        self.plain.push(whole);
        token.range.end = self.plain.len();
        self.stretch(source);
        true
    }

    fn push(&mut self, c: char, source: &Range<usize>) {
        if let Some(sources) = &mut self.sources {
            sources.push((self.plain.len(), source.clone()));
        }
        self.plain.push(c);
    }

    /// An accent or a completing mark belongs to the character before it.
    fn stretch(&mut self, source: &Range<usize>) {
        if let Some((_, last)) = self.sources.as_mut().and_then(|sources| sources.last_mut())
            && last.end == source.start
        {
            last.end = source.end;
        }
    }
}

/// A text's words, plain and in order.
pub(crate) fn words(text: &str) -> Vec<String> {
    let analysis = Analysis::new(text);
    analysis.tokens.iter().map(|token| analysis.word(token).to_owned()).collect()
}

/// What an engine indexes a text by, separated by spaces: of a word every three characters in a
/// row, its beginning and end marked, and its marked first character; of characters that stand
/// alone each one, and each two in a row. Spaces, `^` and `$` are the only ASCII besides letters
/// and digits.
pub(crate) fn index_terms(analysis: &Analysis) -> String {
    let mut terms = String::with_capacity(analysis.plain.len() * 4 + 16);
    let mut before: Option<&str> = None;
    for token in &analysis.tokens {
        let word = analysis.word(token);
        if !token.alone {
            word_terms(word, true, true, |term| push_term(&mut terms, term));
            before = None;
            continue;
        }
        if let Some(before) = before {
            terms.push_str(before);
            push_term(&mut terms, word);
        }
        push_term(&mut terms, word);
        before = Some(word);
    }
    terms
}

fn push_term(terms: &mut String, term: &str) {
    terms.push_str(term);
    terms.push(' ');
}

/// The terms every word has that holds `part`, at its beginning and end if those are asked for.
pub(super) fn word_terms(part: &str, begins: bool, ends: bool, mut term: impl FnMut(&str)) {
    let mut padded = String::with_capacity(part.len() + 2);
    if begins {
        padded.push(BEGIN);
        let first = part.chars().next().map_or(0, char::len_utf8);
        padded.push_str(part.get(..first).unwrap_or_default());
        term(&padded);
        padded.truncate(1);
    }
    padded.push_str(part);
    if ends {
        padded.push(END);
    }
    let mut starts = padded.char_indices().map(|(at, _)| at);
    let ends = padded.char_indices().skip(2).map(|(at, c)| at + c.len_utf8());
    for end in ends {
        let start = starts.next().unwrap_or_default();
        term(padded.get(start..end).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn assert_words(text: &str, expected: &[&str]) {
        assert_eq!(words(text), expected, "{text}");
    }

    #[test]
    fn words_lose_case_accents_and_signs() {
        assert_words("Tea at the CAFÉ, cafe\u{301}!", &["tea", "at", "the", "cafe", "cafe"]);
        assert_words("Straße ŁÓDŹ Øre İstanbul", &["strasse", "lodz", "ore", "istanbul"]);
        assert_words("ΟΔΟΣ οδός", &["οδοσ", "οδοσ"]);
        assert_words("ёлка Ёлка", &["елка", "елка"]);
        assert_words("مُحَمَّد أحمد", &["محمد", "احمد"]);
        assert_words("ｆｕｌｌ ﬁne ½", &["full", "fine", "1", "2"]);
        assert_words("हिन्दी", &["हिन्दी"]);
        assert_words("a_b c's", &["a", "b", "c", "s"]);
        assert_words(" \n!?", &[]);
    }

    #[test]
    fn scripts_without_spaces_are_read_by_the_character() {
        assert_words("我在北京", &["我", "在", "北", "京"]);
        assert_words("カ\u{3099}ガが", &["ガ", "ガ", "が"]);
        assert_words("한국 \u{1112}\u{1161}\u{11ab}", &["한", "국", "한"]);
        assert_words("สวัส", &["ส", "ว", "ั", "ส"]);
        assert_words("ok👍🏽!", &["ok", "👍"]);
    }

    #[test]
    fn index_terms_are_three_characters_in_a_row_with_the_ends_marked() {
        let terms = |text: &str| index_terms(&Analysis::new(text));
        assert_eq!(terms("Tea"), "^t ^te tea ea$ ");
        assert_eq!(terms("a"), "^a ^a$ ");
        assert_eq!(terms("北京x"), "北 北京 京 ^x ^x$ ");
    }

    #[test]
    fn a_word_without_end_is_cut() {
        assert_eq!(words(&"a".repeat(300)).len(), 3);
    }

    proptest! {
        #[test]
        fn every_text_is_read_and_its_sources_are_parts_of_it(text: String) {
            let analysis = Analysis::with_sources(&text);
            for token in analysis.tokens() {
                let source = analysis.source(token, 0..analysis.word(token).len()).unwrap();
                prop_assert!(!text.get(source).unwrap().is_empty());
            }
            let terms = index_terms(&analysis);
            prop_assert!(terms.chars().all(|c| !c.is_ascii() || c.is_ascii_alphanumeric() || " ^$".contains(c)));
        }
    }
}
