//! When a person has to agree before an assistant's doing reaches others.
//!
//! One word for all, or a row for each kind of thing. Knows nothing of how a person is asked.

use std::fmt;

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// When a person has to agree.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Confirm {
    /// Never.
    Never,
    /// For chats to which the person has never written themselves.
    #[default]
    NewChats,
    /// Every time.
    Always,
}

/// What an assistant does that reaches others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionKind {
    /// It says something: a message, a reaction, a vote, a pin.
    Message,
    /// It changes what a message says that was sent before, perhaps by the person.
    Edit,
    /// It passes on what somebody said elsewhere.
    Forward,
    /// It takes something away: for everyone, or out of this account.
    Delete,
    /// It changes a group: who is in it, what it is called, what it permits.
    Group,
}

impl ActionKind {
    /// All of them.
    const ALL: [Self; 5] = [Self::Message, Self::Edit, Self::Forward, Self::Delete, Self::Group];

    /// The row of a policy that is about it; it is kept with what waits.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Message => "messages",
            Self::Edit => "edits",
            Self::Forward => "forwards",
            Self::Delete => "deletes",
            Self::Group => "groups",
        }
    }

    /// The kind that goes by a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// When a person has to agree, for each kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Confirmations {
    /// Messages, reactions, votes and pins.
    pub messages: Confirm,
    /// Changed messages.
    pub edits: Confirm,
    /// Messages that are passed on.
    pub forwards: Confirm,
    /// Messages and chats that are deleted.
    pub deletes: Confirm,
    /// Groups that are made, changed, joined or left.
    pub groups: Confirm,
}

impl Default for Confirmations {
    fn default() -> Self {
        Self {
            messages: Confirm::NewChats,
            edits: Confirm::Always,
            forwards: Confirm::Always,
            deletes: Confirm::Always,
            groups: Confirm::Always,
        }
    }
}

impl Confirmations {
    /// The same for everything.
    pub const fn all(when: Confirm) -> Self {
        Self { messages: when, edits: when, forwards: when, deletes: when, groups: when }
    }

    /// When a person has to agree to something of this kind.
    pub const fn of(&self, kind: ActionKind) -> Confirm {
        match kind {
            ActionKind::Message => self.messages,
            ActionKind::Edit => self.edits,
            ActionKind::Forward => self.forwards,
            ActionKind::Delete => self.deletes,
            ActionKind::Group => self.groups,
        }
    }

    /// At least as often as a word says.
    #[must_use]
    pub fn at_least(self, when: Confirm) -> Self {
        self.meet(&Self::all(when))
    }

    /// As often as either wants it.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        let Self { messages, edits, forwards, deletes, groups } = *self;
        Self {
            messages: messages.max(other.messages),
            edits: edits.max(other.edits),
            forwards: forwards.max(other.forwards),
            deletes: deletes.max(other.deletes),
            groups: groups.max(other.groups),
        }
    }

    /// In a few words.
    pub(super) fn summary(&self) -> &'static str {
        match self.messages {
            Confirm::Always => "every message is confirmed",
            Confirm::NewChats => "new chats are confirmed",
            Confirm::Never if *self == Self::all(Confirm::Never) => "nothing is confirmed",
            Confirm::Never => "messages are not confirmed",
        }
    }
}

/// One word is for messages, and as before there were rows: `never` is for everything. The other
/// words leave what is stricter as it is.
impl From<Confirm> for Confirmations {
    fn from(word: Confirm) -> Self {
        match word {
            Confirm::Never => Self::all(Confirm::Never),
            Confirm::NewChats => Self::default(),
            Confirm::Always => Self::all(Confirm::Always),
        }
    }
}

/// The rows of a table; what is not named is as without a file.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Rows {
    messages: Confirm,
    edits: Confirm,
    forwards: Confirm,
    deletes: Confirm,
    groups: Confirm,
}

impl Default for Rows {
    fn default() -> Self {
        let Confirmations { messages, edits, forwards, deletes, groups } = Confirmations::default();
        Self { messages, edits, forwards, deletes, groups }
    }
}

impl<'de> Deserialize<'de> for Confirmations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordOrTable)
    }
}

struct WordOrTable;

impl<'de> Visitor<'de> for WordOrTable {
    type Value = Confirmations;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "\"never\", \"new-chats\", \"always\", or a table [confirm] with the rows messages, \
             edits, forwards, deletes and groups",
        )
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Confirmations, E> {
        Confirm::deserialize(de::value::StrDeserializer::new(word)).map(Into::into)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Confirmations, A::Error> {
        let rows = Rows::deserialize(MapAccessDeserializer::new(map))?;
        let Rows { messages, edits, forwards, deletes, groups } = rows;
        Ok(Confirmations { messages, edits, forwards, deletes, groups })
    }
}
