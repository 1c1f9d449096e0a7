//! How a poll stands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wa_proto::Jid;
use wa_store::{PollTally, Store, StoreError, TalliedOption};

use super::{PersonView, person::People};

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
        Ok(Self::of(tally, &People::look_up(voters(tally), store).await?))
    }

    /// The same where the voters were looked up already.
    pub(crate) fn of(tally: &PollTally, people: &People) -> Self {
        let options = tally.options.iter().map(|TalliedOption { name, voters, .. }| OptionView {
            option: name.clone(),
            votes: voters.len(),
            voters: voters.iter().map(|voter| people.view(voter)).collect(),
        });
        Self {
            question: tally.question.clone(),
            selectable: tally.selectable,
            options: options.collect(),
            voters: tally.voters.try_into().unwrap_or(u64::MAX),
        }
    }
}

/// Everybody who chose an option of a poll.
pub(crate) fn voters(tally: &PollTally) -> impl Iterator<Item = &Jid> {
    tally.options.iter().flat_map(|option| &option.voters)
}
