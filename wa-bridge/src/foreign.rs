//! Text that somebody else wrote, made safe for a terminal.
//!
//! Names and messages may hold escape sequences that move the cursor, and marks that reverse or
//! hide text. None of them reaches the terminal.

/// Drops what is invisible or reorders text, and shows control characters as `\u{…}`. Line breaks
/// become the given text.
pub fn plain(text: &str, line_break: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\r' | '\u{2028}' | '\u{2029}' => plain.push_str(line_break),
            '\t' => plain.push(' '),
            _ if is_hidden(c) => {}
            _ if c.is_control() => plain.extend(c.escape_unicode()),
            _ => plain.push(c),
        }
    }
    plain
}

/// Marks that are not seen and change how other text is seen. The joiner U+200D stays: emoji of
/// several parts hang together by it.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

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
}
