//! The index of an entry: a JSON array of strings, whose first says what the entry is about.
//!
//! Its bytes are what the index MAC is over, so writing must be exactly what others write:
//! no space, and only what JSON demands escaped.

use std::fmt;

/// The most parts an index may have; real ones have up to six.
pub const MAX_INDEX_PARTS: usize = 32;

/// An index.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SyncIndex(Vec<String>);

/// Bytes are no index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an index is a JSON array of 1 to {MAX_INDEX_PARTS} strings")]
pub struct InvalidIndex;

impl SyncIndex {
    /// An index of these parts.
    pub fn new<S: Into<String>>(parts: impl IntoIterator<Item = S>) -> Self {
        Self(parts.into_iter().map(Into::into).collect())
    }

    /// Reads an index.
    ///
    /// # Errors
    /// [`InvalidIndex`].
    pub fn parse(json: &[u8]) -> Result<Self, InvalidIndex> {
        let parts: Vec<String> = serde_json::from_slice(json).map_err(|_| InvalidIndex)?;
        if parts.is_empty() || parts.len() > MAX_INDEX_PARTS {
            return Err(InvalidIndex);
        }
        Ok(Self(parts))
    }

    /// The bytes, as they are authenticated.
    pub fn to_json(&self) -> Vec<u8> {
        // Strings always serialize.
        serde_json::to_vec(&self.0).unwrap_or_default()
    }

    /// What the entry is about: `mute`, `pin_v1` and so on.
    pub fn name(&self) -> &str {
        self.part(0)
    }

    /// A part; empty if there is none.
    pub fn part(&self, position: usize) -> &str {
        self.0.get(position).map_or("", String::as_str)
    }

    /// How many parts there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none, which no index that was read has.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for SyncIndex {
    /// Shows what it is about and nothing of whom.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SyncIndex({:?}, …)", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_written_as_it_was_read() {
        for json in [
            r#"["mute","1@lid"]"#,
            r#"["setting_pushName"]"#,
            r#"["label_edit","\"quoted\" \\ ünï\u0007"]"#,
        ] {
            let index = SyncIndex::parse(json.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(index.to_json()).unwrap(), json);
        }
    }

    #[test]
    fn what_is_no_array_of_strings_is_refused() {
        let long = format!("[{}]", vec!["\"a\""; MAX_INDEX_PARTS + 1].join(","));
        for json in ["", "[]", "[1]", "{}", "\"mute\"", r#"["mute""#, long.as_str()] {
            assert_eq!(SyncIndex::parse(json.as_bytes()), Err(InvalidIndex), "{json}");
        }
    }

    #[test]
    fn debug_names_nobody() {
        let index = SyncIndex::new(["mute", "15550001111@s.whatsapp.net"]);
        assert_eq!(format!("{index:?}"), r#"SyncIndex("mute", …)"#);
    }
}
