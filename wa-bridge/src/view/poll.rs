//! How a poll stands.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wa_proto::Jid;
use wa_store::{PollTally, StoreError, TalliedOption};

use super::{PersonView, person::People};
use crate::Archive;

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
    /// Looks up who voted. The votes of people who may not be heard are left out.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub async fn new(mut tally: PollTally, archive: &Archive<'_>) -> Result<Self, StoreError> {
        if archive.is_limited() {
            let people: Vec<_> = voters(&tally).cloned().collect();
            keep_votes(&mut tally, &archive.authors(&people).await?);
        }
        Ok(Self::of(&tally, &People::look_up(voters(&tally), archive.store()).await?))
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

/// Takes away the votes of all others, and the options that they added.
pub(crate) fn keep_votes(tally: &mut PollTally, heard: &HashSet<Jid>) {
    let options = tally.options.iter();
    let before: HashSet<&Jid> = options.flat_map(|option| &option.voters).collect();
    let unheard = before.iter().filter(|voter| !heard.contains(*voter)).count();
    tally.voters = tally.voters.saturating_sub(unheard);
    for option in &mut tally.options {
        option.voters.retain(|voter| heard.contains(voter));
    }
    tally.options.retain(|option| option.added_by.as_ref().is_none_or(|by| heard.contains(by)));
}

/// Everybody who chose an option of a poll, or added one.
pub(crate) fn voters(tally: &PollTally) -> impl Iterator<Item = &Jid> {
    tally.options.iter().flat_map(|option| option.voters.iter().chain(&option.added_by))
}
