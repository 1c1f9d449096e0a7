//! Text that somebody else wrote, made safe for a terminal and for a person's decision.
//!
//! Names and messages may hold escape sequences that move the cursor, and marks that reverse or
//! hide text. None of them reaches the terminal; and where a person decides about a text, they see
//! each of them, because it would leave with the rest.

/// Drops what is invisible or reorders text, and shows control characters as `\u{…}`. Line breaks
/// become the given text.
pub fn plain(text: &str, line_break: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for piece in Pieces::new(text) {
        match piece {
            Piece::Seen(c) => plain.push(c),
            Piece::Break => plain.push_str(line_break),
            Piece::Tab => plain.push(' '),
            Piece::Hidden(_) => {}
            Piece::Control(c) => plain.extend(c.escape_unicode()),
        }
    }
    plain
}

/// Shows everything: what is invisible or reorders text stands there by its number, as `⟨U+202E⟩`.
/// Line breaks become the given text.
pub fn visible(text: &str, line_break: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for piece in Pieces::new(text) {
        match piece {
            Piece::Seen(c) => visible.push(c),
            Piece::Break => visible.push_str(line_break),
            Piece::Tab => visible.push('⇥'),
            Piece::Hidden(c) | Piece::Control(c) => {
                visible.push_str(&format!("⟨U+{:04X}⟩", u32::from(c)));
            }
        }
    }
    visible
}

/// Whether a text holds what nobody sees.
pub fn hides(text: &str) -> bool {
    Pieces::new(text).any(|piece| matches!(piece, Piece::Hidden(_) | Piece::Control(_)))
}

/// A character, by what becomes of it.
enum Piece {
    Seen(char),
    Break,
    Tab,
    Hidden(char),
    Control(char),
}

/// Takes a text apart. Whether a mark is part of what is seen depends on what stands beside it:
/// joiners and variation selectors make emoji, and joiners shape Arabic and Indic letters.
struct Pieces<'a> {
    text: &'a str,
    at: usize,
    /// The character before, as it stands in the text.
    before: Option<char>,
    /// The bytes of a flag that is under way.
    flag_until: usize,
}

impl<'a> Pieces<'a> {
    const fn new(text: &'a str) -> Self {
        Self { text, at: 0, before: None, flag_until: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let c = self.rest().chars().next()?;
        let before = self.before.replace(c);
        let start = self.at;
        self.at += c.len_utf8();
        let after = self.rest().chars().next();
        if let Some(flag) = REGION_FLAGS
            .iter()
            .find(|flag| self.text.get(start..).is_some_and(|rest| rest.starts_with(**flag)))
        {
            self.flag_until = start + flag.len();
        }
        Some(match c {
            '\r' if after == Some('\n') => return self.next(),
            '\n' | '\r' | '\u{2028}' | '\u{2029}' => Piece::Break,
            '\t' => Piece::Tab,
            _ if start < self.flag_until => Piece::Seen(c),
            _ if is_ignorable(c) && !is_shaping(before, c, after) => Piece::Hidden(c),
            _ if c.is_control() => Piece::Control(c),
            _ => Piece::Seen(c),
        })
    }
}

/// Whether an ignorable mark changes what is seen of its neighbours.
fn is_shaping(before: Option<char>, mark: char, after: Option<char>) -> bool {
    let (Some(before), after) = (before, after.unwrap_or(' ')) else { return false };
    match mark {
        // One shape or the other of an emoji, or of a digit on a keycap.
        '\u{fe0e}' | '\u{fe0f}' => {
            is_emoji(before) || matches!(before, '0'..='9' | '#' | '*') && after == '\u{20e3}'
        }
        '\u{200d}' if is_emoji(after) => is_emoji(before) || before == '\u{fe0f}',
        '\u{200c}' | '\u{200d}' => is_joining_script(before) && is_joining_script(after),
        _ => false,
    }
}

/// Unicode's default-ignorable characters, and those that annotate between lines.
fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}'
        | '\u{2194}'..='\u{21aa}' | '\u{231a}'..='\u{23ff}' | '\u{24c2}'
        | '\u{25aa}'..='\u{25fe}' | '\u{2600}'..='\u{27bf}' | '\u{2934}'..='\u{2935}'
        | '\u{2b05}'..='\u{2b55}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
        | '\u{1f000}'..='\u{1faff}')
}

/// Scripts whose letters a joiner shapes: from Hebrew and Arabic to Sinhala, and those of Tibet,
/// Myanmar, Cambodia and Mongolia.
fn is_joining_script(c: char) -> bool {
    let is_script = matches!(c,
        '\u{0590}'..='\u{0dff}' | '\u{0f00}'..='\u{109f}' | '\u{1780}'..='\u{18af}');
    is_script && !is_ignorable(c)
}

/// England, Scotland and Wales: the flags that are written with tag characters.
const REGION_FLAGS: [&str; 3] = [
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_shown_and_not_obeyed() {
        assert_eq!(plain("a\x1b[2Jb\u{9b}c", " "), "a\\u{1b}[2Jb\\u{9b}c");
    }

    #[test]
    fn marks_that_reverse_or_hide_are_dropped() {
        assert_eq!(plain("pay \u{202e}001\u{202c} \u{200b}now\u{feff}", " "), "pay 001 now");
    }

    #[test]
    fn lines_are_joined_and_scripts_and_emoji_are_kept() {
        assert_eq!(plain("a\r\nb\nc", " ⏎ "), "a ⏎ b ⏎ c");
        assert_eq!(plain("नमस्ते 👩‍🚀 مرحبا", " "), "नमस्ते 👩‍🚀 مرحبا");
    }

    /// A text in tag characters, which no screen shows.
    fn in_tags(text: &str) -> String {
        text.chars().filter_map(|c| char::from_u32(0xe_0000 + u32::from(c))).collect()
    }

    #[test]
    fn a_password_in_tag_characters_is_seen() {
        let smuggled = format!("see you{}", in_tags("pw"));
        assert_eq!(visible(&smuggled, "\n"), "see you⟨U+E0070⟩⟨U+E0077⟩");
        let on_a_flag = format!("\u{1f3f4}{}", in_tags("pw\u{7f}"));
        assert_eq!(visible(&on_a_flag, "\n"), "\u{1f3f4}⟨U+E0070⟩⟨U+E0077⟩⟨U+E007F⟩");
        for text in
            [smuggled.as_str(), &on_a_flag, "a\u{feff}", "a\u{202e}b", "a\u{fe01}b", "\u{3164}"]
        {
            assert!(hides(text), "{text:?}");
        }
    }

    #[test]
    fn joiners_and_selectors_that_nothing_needs_are_seen() {
        assert_eq!(visible("a\u{200d}b\u{200c}c\u{fe0f}", "\n"), "a⟨U+200D⟩b⟨U+200C⟩c⟨U+FE0F⟩");
        assert_eq!(visible("👍\u{fe0f}\u{fe0f}", "\n"), "👍\u{fe0f}⟨U+FE0F⟩");
        assert_eq!(visible("م\u{200c}\u{200c}ن", "\n"), "م⟨U+200C⟩⟨U+200C⟩ن");
    }

    #[test]
    fn what_people_write_hides_nothing() {
        for text in
            ["नमस्ते 👩‍🚀 مرحبا", "❤️ 1️⃣ #️⃣ 🏳️‍🌈 👩🏽‍🚀 👨‍👩‍👧‍👦", "می‌خواهم", REGION_FLAGS[2], "one\ntwo\tthree"]
        {
            assert!(!hides(text), "{text:?}");
        }
        assert_eq!(visible("می‌خواهم 👩‍🚀", "\n"), "می‌خواهم 👩‍🚀");
    }

    #[test]
    fn what_is_visible_stays_as_it_is_wherever_it_is_shown() {
        let text = format!("a\tb\u{202e}\n{}\u{1b}[2J 👩‍🚀 م\u{200c}ن", in_tags("x"));
        let shown = visible(&text, "\n");
        assert_eq!(plain(&shown, "\n"), shown);
        assert_eq!(visible(&shown, "\n"), shown);
    }
}
