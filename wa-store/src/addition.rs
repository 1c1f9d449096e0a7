//! What people add to a message that came before: a poll's votes and options, answers to events,
//! pins, keeps, positions.
//!
//! Owns the values, their order and which of them replaces which. Knows nothing of how they came,
//! nor of how sealed ones are opened. Reactions and edits have forms of their own in
//! [`message`](crate::Reaction).

mod sealed;
mod stored;
mod tally;

use std::fmt;

use wa_crypto::sha256;
use wa_proto::Jid;

use crate::{MessageId, MessageKey, Timestamp};

pub use sealed::{MAX_SEALED_PER_TARGET, SEALED_RETENTION_SECS, SealedAddition};
pub(crate) use stored::{decode, encode};
pub use tally::{PollTally, TalliedOption};

/// The most options of one poll that are kept apart; clients offer twelve. Further ones stay in
/// the message's plaintext alone.
pub const MAX_POLL_OPTIONS: usize = 1_000;

/// When something was added, and where it stands among others of the same second. Ordered, and in
/// the same order wherever the parts are known, whichever comes first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// When, by the server's clock.
    pub at: Timestamp,
    /// When, in milliseconds since 1970, by the clock of whoever added it; 0 if not told.
    pub sender_ms: i64,
    /// The id of the message that brought it.
    pub id: MessageId,
}

impl Moment {
    /// The moment of a message that does not tell its sender's own time.
    pub fn new(at: Timestamp, id: impl Into<MessageId>) -> Self {
        Self { at, sender_ms: 0, id: id.into() }
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Moment").field("at", &self.at).field("id", &self.id).finish()
    }
}

/// Something somebody added to a message.
#[derive(Clone, PartialEq)]
pub struct Addition {
    /// The message. It need not have come yet.
    pub target: MessageKey,
    /// Who added it.
    pub author: Jid,
    /// When.
    pub moment: Moment,
    /// What.
    pub what: Added,
}

impl fmt::Debug for Addition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Addition")
            .field("target", &self.target.id)
            .field("what", &self.what.kind())
            .finish_non_exhaustive()
    }
}

/// What was added. Of each person's votes or answers, of options of one text, and of everything else
/// of one kind, the newest counts.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Added {
    /// What a poll asks: by its message, or by an edit of it.
    Poll(Poll),
    /// One more option for a poll.
    PollOption(String),
    /// A vote: the hashes of the chosen options; none takes an earlier vote back.
    Vote(Vec<[u8; 32]>),
    /// An answer to an event.
    EventResponse(EventResponse),
    /// The message is pinned for everyone until then, or no longer.
    Pin {
        /// Until when; `None` if it is not pinned any more.
        until: Option<Timestamp>,
    },
    /// The message is kept although its chat's messages disappear, or no longer.
    Keep {
        /// Whether it is kept.
        kept: bool,
    },
    /// Where a live location has moved to.
    Position(Position),
}

/// The sort of an addition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AddedKind {
    /// See [`Added::Poll`].
    Poll,
    /// See [`Added::PollOption`].
    PollOption,
    /// See [`Added::Vote`].
    Vote,
    /// See [`Added::EventResponse`].
    EventResponse,
    /// See [`Added::Pin`].
    Pin,
    /// See [`Added::Keep`].
    Keep,
    /// See [`Added::Position`].
    Position,
}

impl AddedKind {
    /// The stable name it is stored under.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::PollOption => "poll-option",
            Self::Vote => "vote",
            Self::EventResponse => "event-response",
            Self::Pin => "pin",
            Self::Keep => "keep",
            Self::Position => "position",
        }
    }
}

impl Added {
    /// Its sort.
    pub const fn kind(&self) -> AddedKind {
        match self {
            Self::Poll(_) => AddedKind::Poll,
            Self::PollOption(_) => AddedKind::PollOption,
            Self::Vote(_) => AddedKind::Vote,
            Self::EventResponse(_) => AddedKind::EventResponse,
            Self::Pin { .. } => AddedKind::Pin,
            Self::Keep { .. } => AddedKind::Keep,
            Self::Position(_) => AddedKind::Position,
        }
    }

    /// What there is one of among additions of this kind to one message: for votes and answers one
    /// for each person, for options one for each text, else one. `author` in the archive's form.
    pub(crate) fn slot(&self, author: &Jid) -> String {
        match self {
            Self::Vote(_) | Self::EventResponse(_) => author.to_string(),
            Self::PollOption(option) => {
                option_hash(option).iter().map(|byte| format!("{byte:02x}")).collect()
            }
            Self::Poll(_) | Self::Pin { .. } | Self::Keep { .. } | Self::Position(_) => {
                String::new()
            }
        }
    }

    /// Where it stands among those of its slot, before the moment decides.
    pub(crate) const fn rank(&self) -> i64 {
        match self {
            // Positions say themselves which is the later one.
            Self::Position(position) => position.sequence,
            _ => 0,
        }
    }

    /// What it does to the message, as listeners are told.
    pub(crate) const fn alteration(&self) -> Alteration {
        match self {
            Self::Poll(_) | Self::PollOption(_) => Alteration::PollChanged,
            Self::Vote(_) => Alteration::PollVoted,
            Self::EventResponse(_) => Alteration::EventAnswered,
            Self::Pin { .. } => Alteration::Pinned,
            Self::Keep { .. } => Alteration::Kept,
            Self::Position(_) => Alteration::Moved,
        }
    }
}

/// What happened to a message that stands in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Alteration {
    /// It says something else now.
    Edited,
    /// Somebody reacted, or took a reaction back.
    Reacted,
    /// It was taken back.
    Revoked,
    /// Somebody voted, or took a vote back.
    PollVoted,
    /// The poll asks something else, or has one more option.
    PollChanged,
    /// Somebody answered the event.
    EventAnswered,
    /// It was pinned or unpinned for everyone.
    Pinned,
    /// It was kept, or is no longer.
    Kept,
    /// Somebody commented on it.
    Commented,
    /// The live location moved.
    Moved,
    /// Its time was over, and it is gone.
    Expired,
}

/// What a poll asks.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Poll {
    /// The question.
    pub question: String,
    /// The options, each once, at most [`MAX_POLL_OPTIONS`].
    pub options: Vec<String>,
    /// How many options a vote may choose; 0 for any number.
    pub selectable: u32,
    /// The right option, if it is a quiz.
    pub correct: Option<String>,
}

impl Poll {
    /// A poll; options that come twice are taken once, and those beyond [`MAX_POLL_OPTIONS`]
    /// not at all.
    pub fn new(
        question: impl Into<String>,
        options: impl IntoIterator<Item = String>,
        selectable: u32,
    ) -> Self {
        let mut seen = std::collections::HashSet::new();
        let options = options.into_iter().filter(|option| seen.insert(option.clone()));
        let options = options.take(MAX_POLL_OPTIONS).collect();
        Self { question: question.into(), options, selectable, correct: None }
    }
}

/// An answer to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventResponse {
    /// Whether the person comes.
    pub attendance: Attendance,
    /// How many people they bring.
    pub guests: u32,
}

/// Whether somebody comes to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Attendance {
    /// They come.
    Going,
    /// They do not.
    NotGoing,
    /// They do not know yet.
    Maybe,
    /// They said something this version does not know.
    Unknown,
}

/// Where a live location is. Degrees are WGS 84.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Position {
    /// Later positions have higher numbers.
    pub sequence: i64,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Radius of the likely area, in metres.
    pub accuracy_in_meters: Option<u32>,
}

impl Position {
    /// A position.
    pub const fn new(sequence: i64, latitude: f64, longitude: f64) -> Self {
        Self { sequence, latitude, longitude, accuracy_in_meters: None }
    }
}

/// A message that is pinned for everyone in its chat.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin {
    /// The message. It need not have come yet.
    pub target: MessageKey,
    /// Who pinned it.
    pub by: Jid,
    /// When.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pin").field("target", &self.target.id).finish_non_exhaustive()
    }
}

/// The pins among additions that hold at `now`, the newest first.
pub(crate) fn pins(additions: impl IntoIterator<Item = Addition>, now: Timestamp) -> Vec<Pin> {
    let mut pins: Vec<_> = additions
        .into_iter()
        .filter_map(|Addition { target, author, moment, what }| match what {
            Added::Pin { until: Some(until) } if until > now => {
                Some((moment.clone(), Pin { target, by: author, since: moment.at, until }))
            }
            _ => None,
        })
        .collect();
    pins.sort_by(|a, b| b.0.cmp(&a.0));
    pins.into_iter().map(|(_, pin)| pin).collect()
}

/// What stands for a poll's option in a vote.
pub(crate) fn option_hash(option: &str) -> [u8; 32] {
    sha256(&[option.as_bytes()])
}
