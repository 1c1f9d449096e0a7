//! Polls, their votes and their outcome.
//!
//! Owns their values. Knows nothing of counting votes, which first have to be opened.

use super::{Sealed, key};
use crate::ids::MessageKey;
use crate::pb::message as pb;

/// A question with options.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Poll {
    /// The question.
    pub question: String,
    /// The options, in the sender's order. Votes name them by SHA-256 of their text.
    pub options: Vec<String>,
    /// How many options a vote may choose; 0 for any number.
    pub selectable: u32,
    /// Which of the protocol's poll messages it came in, from 1.
    pub version: u8,
    /// The right option, if it is a quiz.
    pub correct: Option<String>,
    /// When voting ends, in the unit the sender used.
    pub ends_at: Option<i64>,
}

impl Poll {
    /// A poll as clients send them today: version 3 if exactly one option may be chosen, else
    /// version 1.
    pub fn new(question: impl Into<String>, options: Vec<String>, selectable: u32) -> Self {
        let version = if selectable == 1 { 3 } else { 1 };
        let question = question.into();
        Self { question, options, selectable, version, correct: None, ends_at: None }
    }

    pub(super) fn read(m: pb::PollCreationMessage, version: u8) -> Self {
        let name =
            |option: pb::poll_creation_message::Option| option.option_name.unwrap_or_default();
        Self {
            question: m.name.unwrap_or_default(),
            options: m.options.into_iter().map(name).collect(),
            selectable: m.selectable_options_count.unwrap_or_default(),
            version,
            correct: m.correct_answer.map(name),
            ends_at: m.end_time,
        }
    }
}

/// A vote. Opened, it is a `PollVoteMessage` with the hashes of the chosen options; each vote of
/// one voter replaces the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollVote {
    /// The sealed vote; its target is the poll.
    pub sealed: Sealed,
    /// When it was cast, in milliseconds since 1970.
    pub at_ms: Option<i64>,
}

impl From<pb::PollUpdateMessage> for PollVote {
    fn from(m: pb::PollUpdateMessage) -> Self {
        let vote = m.vote.unwrap_or_default();
        Self {
            sealed: Sealed::new(m.poll_creation_message_key, vote.enc_payload, vote.enc_iv),
            at_ms: m.sender_timestamp_ms,
        }
    }
}

/// The outcome of a poll at the time it was forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollResults {
    /// The question.
    pub question: String,
    /// Each option with its number of votes.
    pub votes: Vec<(String, i64)>,
}

impl From<pb::PollResultSnapshotMessage> for PollResults {
    fn from(m: pb::PollResultSnapshotMessage) -> Self {
        Self {
            question: m.name.unwrap_or_default(),
            votes: m
                .poll_votes
                .into_iter()
                .map(|vote| {
                    let votes = vote.option_vote_count.unwrap_or_default();
                    (vote.option_name.unwrap_or_default(), votes)
                })
                .collect(),
        }
    }
}

/// An option that somebody added to a poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollOption {
    /// The poll.
    pub target: Option<MessageKey>,
    /// The option.
    pub option: String,
}

impl From<pb::PollAddOptionMessage> for PollOption {
    fn from(m: pb::PollAddOptionMessage) -> Self {
        Self {
            target: key(m.poll_creation_message_key),
            option: m.add_option.and_then(|option| option.option_name).unwrap_or_default(),
        }
    }
}
