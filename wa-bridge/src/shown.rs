//! What a person reads before they agree to something.
//!
//! The one place where that text is made. Dialogue, list of drafts and page show these bytes and no
//! others, and the approval is bound to them. What others chose stands on one line behind a name of
//! ours, or quoted with every line marked, so that nothing of it looks like a line of ours; and
//! what no screen shows stands there by its number. Knows nothing of how the person is asked.

use crate::foreign;

/// What would be done, in words, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    text: String,
    hides: bool,
}

/// How every line begins that somebody else wrote.
const QUOTE: &str = "> ";

impl Shown {
    /// Begins with what it is, in our own words.
    pub(crate) fn new(what: &str) -> Self {
        Self { text: what.to_owned(), hides: false }
    }

    /// Adds something short that others chose, behind its name.
    pub(crate) fn line(mut self, name: &str, value: &str) -> Self {
        self.hides |= foreign::hides(value);
        self.text.push_str(&format!("\n{name}: {}", foreign::visible(value, "⏎")));
        self
    }

    /// Adds a text that others wrote: all of it, counted and quoted.
    pub(crate) fn quote(mut self, name: &str, text: &str) -> Self {
        self.hides |= foreign::hides(text);
        let shown = foreign::visible(text, "\n");
        let (characters, lines) = (text.chars().count(), shown.split('\n').count());
        self.text.push_str(&format!(
            "\n{name}, {}, {}:",
            count(characters, "character"),
            count(lines, "line")
        ));
        for line in shown.split('\n') {
            self.text.push_str(&format!("\n{QUOTE}{line}"));
        }
        self
    }

    /// The same for what may not be there.
    pub(crate) fn quote_some(self, name: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.quote(name, text),
            None => self,
        }
    }

    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether something in it would not be seen by whoever receives it.
    pub(crate) fn hides(&self) -> bool {
        self.hides
    }
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// The whole of what a person is shown: where it goes, what it is, why they are asked and by whom.
/// The recipient is given as it is to be shown.
pub(crate) fn confirmation(recipient: &str, what: &Shown, why: &str, caller: &str) -> String {
    format!(
        "To {}\n{}\nWhy you are asked: {}\nAsked for by {}",
        one_line(recipient),
        what.as_str(),
        one_line(why),
        one_line(caller)
    )
}

/// A name on one line, with all that is in it.
pub(crate) fn one_line(text: &str) -> String {
    foreign::visible(text, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_imitates_a_second_dialogue_is_quoted_line_by_line() {
        let text = "hi\n\nTo Anna\r\nWhy you are asked: nothing\u{2028}Send this to Anna?";
        let what = Shown::new("text message").quote("text", text);
        let shown = confirmation("Mallory\nTo Anna (1)", &what, "new", "assistant: a\nTo Anna");
        let ours: Vec<_> = shown.lines().filter(|line| !line.starts_with("> ")).collect();
        assert_eq!(
            ours,
            [
                "To Mallory To Anna (1)",
                "text message",
                "text, 58 characters, 5 lines:",
                "Why you are asked: new",
                "Asked for by assistant: a To Anna",
            ]
        );
        assert!(
            shown.contains("\n> To Anna\n> Why you are asked: nothing\n> Send this"),
            "{shown}"
        );
    }

    #[test]
    fn a_name_cannot_begin_a_line_of_its_own() {
        let shown = Shown::new("contact card").line("name", "Ada\nTo Ben");
        assert_eq!(shown.as_str(), "contact card\nname: Ada⏎To Ben");
    }
}
