//! Counting a poll's votes.
//!
//! A pure function of what was added to it. Knows nothing of how that is stored.

use std::{collections::HashMap, fmt};

use wa_proto::Jid;

use super::{Added, Addition, MAX_POLL_OPTIONS, option_hash};

/// How a poll stands.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollTally {
    /// The question.
    pub question: String,
    /// How many options a vote may choose; 0 for any number.
    pub selectable: u32,
    /// The right option, if it is a quiz.
    pub correct: Option<String>,
    /// The options: the poll's own in its order, then those that people added.
    pub options: Vec<TalliedOption>,
    /// Chosen options that the poll is not known to have. Their name is empty.
    pub unknown: Vec<TalliedOption>,
    /// Those whose vote chooses more options than the poll allows. It counts for none.
    pub invalid: Vec<Jid>,
    /// How many people's votes count.
    pub voters: usize,
}

/// One option and who chose it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TalliedOption {
    /// Its text.
    pub name: String,
    /// What stands for it in votes: SHA-256 of its text.
    pub hash: [u8; 32],
    /// Who added it, if it is none of the poll's own.
    pub added_by: Option<Jid>,
    /// Those who chose it, in the order of their JIDs.
    pub voters: Vec<Jid>,
}

impl fmt::Debug for PollTally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PollTally")
            .field("options", &self.options.len())
            .field("voters", &self.voters)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TalliedOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TalliedOption").field("voters", &self.voters.len()).finish_non_exhaustive()
    }
}

impl PollTally {
    /// Counts what was added to one message; nothing if that is no poll. At most
    /// [`MAX_POLL_OPTIONS`] options of each sort are told apart.
    pub fn count(additions: &[Addition]) -> Option<Self> {
        let poll = additions.iter().find_map(|addition| match &addition.what {
            Added::Poll(poll) => Some(poll),
            _ => None,
        })?;
        let mut tally = Self {
            question: poll.question.clone(),
            selectable: poll.selectable,
            correct: poll.correct.clone(),
            options: poll.options.iter().map(|name| option(name, None)).collect(),
            unknown: Vec::new(),
            invalid: Vec::new(),
            voters: 0,
        };
        let mut added: Vec<_> = additions
            .iter()
            .filter(|addition| matches!(addition.what, Added::PollOption(_)))
            .collect();
        added.sort_by(|a, b| a.moment.cmp(&b.moment));
        for addition in added {
            let Added::PollOption(name) = &addition.what else { continue };
            if tally.options.len() < MAX_POLL_OPTIONS {
                tally.options.push(option(name, Some(addition.author.clone())));
            }
        }
        let mut places = HashMap::new();
        for (place, option) in tally.options.iter().enumerate() {
            places.entry(option.hash).or_insert(place);
        }
        tally.count_votes(additions, &places);
        Some(tally)
    }

    fn count_votes(&mut self, additions: &[Addition], places: &HashMap<[u8; 32], usize>) {
        let mut votes: Vec<_> = additions
            .iter()
            .filter_map(|addition| match &addition.what {
                Added::Vote(hashes) if !hashes.is_empty() => Some((&addition.author, hashes)),
                _ => None,
            })
            .collect();
        votes.sort();
        let mut unknown = HashMap::new();
        for (voter, hashes) in votes {
            let limit = usize::try_from(self.selectable).unwrap_or(usize::MAX);
            if limit != 0 && hashes.len() > limit {
                self.invalid.push(voter.clone());
                continue;
            }
            self.voters += 1;
            for hash in hashes {
                let chosen = match places.get(hash) {
                    Some(place) => self.options.get_mut(*place),
                    None => unknown_option(&mut self.unknown, &mut unknown, hash),
                };
                if let Some(chosen) = chosen
                    && chosen.voters.last() != Some(voter)
                {
                    chosen.voters.push(voter.clone());
                }
            }
        }
    }

    /// The option with this text.
    pub fn option(&self, name: &str) -> Option<&TalliedOption> {
        self.options.iter().find(|option| option.name == name)
    }
}

/// The place of an option that the poll is not known to have.
fn unknown_option<'a>(
    options: &'a mut Vec<TalliedOption>,
    places: &mut HashMap<[u8; 32], usize>,
    hash: &[u8; 32],
) -> Option<&'a mut TalliedOption> {
    if !places.contains_key(hash) && options.len() < MAX_POLL_OPTIONS {
        places.insert(*hash, options.len());
        let (name, voters) = (String::new(), Vec::new());
        options.push(TalliedOption { name, hash: *hash, added_by: None, voters });
    }
    options.get_mut(*places.get(hash)?)
}

fn option(name: &str, added_by: Option<Jid>) -> TalliedOption {
    TalliedOption { name: name.to_owned(), hash: option_hash(name), added_by, voters: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MessageKey, Moment, Poll, Timestamp};

    fn addition(author: u32, second: i64, what: Added) -> Addition {
        Addition {
            target: MessageKey::sent(Jid::group("9"), Jid::lid("1"), "P"),
            author: Jid::lid(author.to_string()),
            moment: Moment::new(Timestamp::from_secs(second), "X"),
            what,
        }
    }

    fn poll(selectable: u32) -> Addition {
        let options = ["tea", "coffee"].map(str::to_owned);
        addition(1, 1, Added::Poll(Poll::new("What?", options, selectable)))
    }

    fn vote(voter: u32, options: &[&str]) -> Addition {
        addition(voter, 2, Added::Vote(options.iter().map(|name| option_hash(name)).collect()))
    }

    #[test]
    fn options_that_people_added_can_be_chosen_and_unknown_ones_are_told() {
        let water = addition(3, 5, Added::PollOption("water".to_owned()));
        let votes = [vote(2, &["tea", "tea", "water"]), vote(4, &["milk"]), vote(5, &[])];
        let tally = PollTally::count(&[&votes[..], &[water, poll(0)][..]].concat()).unwrap();
        let names: Vec<_> = tally.options.iter().map(|option| option.name.as_str()).collect();
        assert_eq!(names, ["tea", "coffee", "water"]);
        assert_eq!(tally.option("tea").unwrap().voters, [Jid::lid("2")]);
        assert_eq!(tally.option("water").unwrap().voters, [Jid::lid("2")]);
        assert_eq!(tally.unknown[0].voters, [Jid::lid("4")]);
        assert_eq!(tally.voters, 2);
    }

    #[test]
    fn a_vote_for_more_than_allowed_counts_for_none() {
        let tally =
            PollTally::count(&[poll(1), vote(2, &["tea", "coffee"]), vote(3, &["tea"])]).unwrap();
        assert_eq!((tally.invalid, tally.voters), (vec![Jid::lid("2")], 1));
        assert_eq!(tally.options[0].voters, [Jid::lid("3")]);
    }

    #[test]
    fn votes_without_their_poll_are_no_tally() {
        assert_eq!(PollTally::count(&[vote(2, &["tea"])]), None);
    }
}
