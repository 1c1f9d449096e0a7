//! How a poll stands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wa_store::{PollTally, Store, StoreError, TalliedOption};

use super::PersonView;

/// A poll with its votes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct PollView {
    /// What is asked.
    pub question: String,
    /// How many options a vote may choose; 0 for any number.
    pub selectable: u32,
    /// What can be chosen.
    pub options: Vec<OptionView>,
    /// How many people voted.
    pub voters: u64,
}

/// An option of a poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct OptionView {
    /// What it says.
    pub option: String,
    /// How many chose it.
    pub votes: usize,
    /// Who chose it.
    pub voters: Vec<PersonView>,
}

impl PollView {
    /// Looks up who voted.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub async fn new(tally: &PollTally, store: &dyn Store) -> Result<Self, StoreError> {
        let mut options = Vec::with_capacity(tally.options.len());
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
}
