//! How a poll stands.

use wa_bridge::{
    api::{OptionView, PollView},
    foreign,
};

use super::person;

/// One line an option.
pub(crate) fn lines(view: &PollView) -> Vec<String> {
    let line = |option: &OptionView| {
        let who = match option.voters.as_slice() {
            [] => String::new(),
            voters => format!("  ({})", person::labels(voters)),
        };
        format!("{:>3}  {}{who}", option.votes, foreign::plain(&option.option, " "))
    };
    view.options.iter().map(line).collect()
}
