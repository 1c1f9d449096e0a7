//! How a poll stands.

use serde::Serialize;
use wa_store::{PollTally, Store, StoreError, TalliedOption};

use super::PersonView;
use crate::output::foreign;

/// A poll in `--json`.
#[derive(Debug, Serialize)]
pub(crate) struct PollView {
    pub(crate) question: String,
    /// How many options a vote may choose; 0 for any number.
    pub(crate) selectable: u32,
    pub(crate) options: Vec<OptionView>,
    /// How many people voted.
    pub(crate) voters: u64,
}

/// An option in `--json`.
#[derive(Debug, Serialize)]
pub(crate) struct OptionView {
    pub(crate) option: String,
    pub(crate) votes: usize,
    pub(crate) voters: Vec<PersonView>,
}

impl PollView {
    pub(crate) async fn new(tally: &PollTally, store: &dyn Store) -> Result<Self, StoreError> {
        let mut options = Vec::new();
        for TalliedOption { name, voters, .. } in &tally.options {
            options.push(OptionView {
                option: name.clone(),
                votes: voters.len(),
                voters: PersonView::all(voters, store).await?,
            });
        }
        let voters = tally.voters.try_into().unwrap_or(u64::MAX);
        Ok(Self { question: tally.question.clone(), selectable: tally.selectable, options, voters })
    }

    /// One line an option.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |option: &OptionView| {
            let who = match option.voters.as_slice() {
                [] => String::new(),
                voters => format!("  ({})", PersonView::labels(voters)),
            };
            format!("{:>3}  {}{who}", option.votes, foreign::plain(&option.option, " "))
        };
        self.options.iter().map(line).collect()
    }
}
