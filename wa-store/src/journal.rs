//! What commits did to the archive, as long as listeners have not been told.
//!
//! Owns the form in which an entry is kept. Knows nothing of who listens.

use serde_json::{Value, json};

use crate::{Alteration, Altered, Archived, Committed, MessageId, MessageKey, Seq};

/// What of a commit is news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum News {
    /// All that it archived and altered.
    All,
    /// What it altered, and messages that could not be read before.
    Alterations,
    /// Messages that could not be read before.
    Repairs,
}

impl News {
    /// Whether a message that a commit archived is among it.
    pub fn tells(self, archived: &Archived) -> bool {
        let is_readable = archived.message.is_readable();
        is_readable && (self == Self::All || archived.filled)
    }

    /// Whether what a commit altered is among it.
    pub fn tells_alterations(self) -> bool {
        self != Self::Repairs
    }
}

/// That a commit is to be announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Announce {
    pub(crate) origin: String,
    pub(crate) news: News,
}

/// What one commit did that is to be announced; see
/// [`Change::Announce`](crate::Change::Announce).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalEntry {
    /// Its number, for [`Change::Announced`](crate::Change::Announced).
    pub id: u64,
    /// What the commit was given.
    pub origin: String,
    /// The messages it archived, as they stand now.
    pub archived: Vec<Archived>,
    /// What it did to messages that were there.
    pub altered: Vec<Altered>,
}

/// An entry as it is kept: messages by their number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JournalRow {
    pub(crate) id: u64,
    pub(crate) origin: String,
    /// Each with whether it stood there as unreadable before.
    pub(crate) archived: Vec<(Seq, bool)>,
    pub(crate) altered: Vec<Altered>,
}

impl JournalRow {
    /// What a commit did; nothing if that is nothing to announce.
    pub(crate) fn of(id: u64, announce: Announce, committed: &Committed) -> Option<Self> {
        let Announce { origin, news } = announce;
        let archived = committed.archived.iter().filter(|row| news.tells(row));
        let archived = archived.map(|row| (row.message.seq, row.filled)).collect();
        let altered = if news.tells_alterations() { committed.altered.clone() } else { Vec::new() };
        let row = Self { id, origin, archived, altered };
        (!row.archived.is_empty() || !row.altered.is_empty()).then_some(row)
    }

    /// All but the number, as text.
    pub(crate) fn to_column(&self) -> String {
        let archived: Vec<_> =
            self.archived.iter().map(|(seq, filled)| json!([seq.0, filled])).collect();
        let altered: Vec<_> = self.altered.iter().map(altered_to_json).collect();
        json!({ "origin": self.origin, "archived": archived, "altered": altered }).to_string()
    }

    /// An entry from its column; nothing if it is in no form that is known.
    pub(crate) fn from_column(id: u64, column: &str) -> Option<Self> {
        let entry: Value = serde_json::from_str(column).ok()?;
        let archived = entry
            .get("archived")?
            .as_array()?
            .iter()
            .map(|row| Some((Seq(row.get(0)?.as_u64()?), row.get(1)?.as_bool()?)));
        let altered = entry.get("altered")?.as_array()?.iter().map(altered_from_json);
        Some(Self {
            id,
            origin: entry.get("origin")?.as_str()?.to_owned(),
            archived: archived.collect::<Option<_>>()?,
            // One that a later version wrote is passed over.
            altered: altered.flatten().collect(),
        })
    }

    /// The entry, with the messages that are still there.
    pub(crate) fn into_entry(self, archived: Vec<Archived>) -> JournalEntry {
        JournalEntry { id: self.id, origin: self.origin, archived, altered: self.altered }
    }
}

fn altered_to_json(altered: &Altered) -> Value {
    let MessageKey { chat, sender, id, from_me } = &altered.key;
    let by = altered.by.as_ref().map(ToString::to_string);
    let names = (chat.to_string(), sender.to_string(), id.as_str());
    json!([names.0, names.1, names.2, from_me, by, word(altered.what)])
}

fn altered_from_json(value: &Value) -> Option<Altered> {
    let text = |place: usize| value.get(place)?.as_str();
    let key = MessageKey {
        chat: text(0)?.parse().ok()?,
        sender: text(1)?.parse().ok()?,
        id: MessageId::from(text(2)?),
        from_me: value.get(3)?.as_bool()?,
    };
    let by = match text(4) {
        Some(by) => Some(by.parse().ok()?),
        None => None,
    };
    let what = text(5)?;
    let what = ALTERATIONS.into_iter().find(|alteration| word(*alteration) == what)?;
    Some(Altered { key, by, what })
}

const ALTERATIONS: [Alteration; 11] = [
    Alteration::Edited,
    Alteration::Reacted,
    Alteration::Revoked,
    Alteration::PollVoted,
    Alteration::PollChanged,
    Alteration::EventAnswered,
    Alteration::Pinned,
    Alteration::Kept,
    Alteration::Commented,
    Alteration::Moved,
    Alteration::Expired,
];

const fn word(alteration: Alteration) -> &'static str {
    match alteration {
        Alteration::Edited => "edited",
        Alteration::Reacted => "reacted",
        Alteration::Revoked => "revoked",
        Alteration::PollVoted => "poll-voted",
        Alteration::PollChanged => "poll-changed",
        Alteration::EventAnswered => "event-answered",
        Alteration::Pinned => "pinned",
        Alteration::Kept => "kept",
        Alteration::Commented => "commented",
        Alteration::Moved => "moved",
        Alteration::Expired => "expired",
    }
}

#[cfg(test)]
mod tests {
    use wa_proto::Jid;

    use super::*;

    #[test]
    fn an_entry_survives_its_column_whatever_it_tells() {
        let key = MessageKey::sent(Jid::group("1"), Jid::lid("2"), "3EB0\"A");
        let by = |person| Some(Jid::lid(person));
        let altered = ALTERATIONS.into_iter().zip([by("3"), None].into_iter().cycle());
        let row = JournalRow {
            id: 7,
            origin: "retry".into(),
            archived: vec![(Seq(1), false), (Seq(2), true)],
            altered: altered.map(|(what, by)| Altered { key: key.clone(), by, what }).collect(),
        };
        assert_eq!(row.altered.len(), 11);
        assert_eq!(JournalRow::from_column(7, &row.to_column()), Some(row));
        assert_eq!(JournalRow::from_column(7, "{}"), None);
    }
}
