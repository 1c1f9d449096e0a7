//! Puts an entry into a list of the policy: by number or address, with the name beside it as a
//! comment.
//!
//! What a person wrote in the file stays as it is. Knows nothing of whom a name means.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use toml_edit::{Array, DocumentMut, Item, Table, Value};

use super::{Policy, PolicyError, text_of};
use crate::{Profile, foreign};

/// A list of a policy that takes people and chats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyList {
    /// These may be read and no others.
    ReadChats,
    /// These may not be read.
    ReadExcept,
    /// These may be written to and no others.
    WriteChats,
    /// These may not be written to.
    WriteExcept,
}

impl PolicyList {
    /// Every list.
    pub const ALL: [Self; 4] =
        [Self::ReadChats, Self::ReadExcept, Self::WriteChats, Self::WriteExcept];

    /// Its section and its name there.
    const fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::ReadChats => ("read", "chats"),
            Self::ReadExcept => ("read", "except"),
            Self::WriteChats => ("write", "chats"),
            Self::WriteExcept => ("write", "except"),
        }
    }

    /// What stands in it.
    fn of(self, policy: &Policy) -> &[String] {
        match self {
            Self::ReadChats => policy.read.chats.as_deref().unwrap_or_default(),
            Self::ReadExcept => &policy.read.except,
            Self::WriteChats => policy.write.chats.as_deref().unwrap_or_default(),
            Self::WriteExcept => &policy.write.except,
        }
    }

    /// Whether it keeps out whoever does not stand in it.
    pub const fn is_exclusive(self) -> bool {
        matches!(self, Self::ReadChats | Self::WriteChats)
    }
}

impl std::fmt::Display for PolicyList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (section, list) = self.parts();
        write!(f, "{section}.{list}")
    }
}

/// A list that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a policy has no list {0:?}; use read.chats, read.except, write.chats or write.except")]
pub struct NoSuchList(String);

impl FromStr for PolicyList {
    type Err = NoSuchList;

    fn from_str(text: &str) -> Result<Self, NoSuchList> {
        let found = Self::ALL.into_iter().find(|list| list.to_string() == text);
        found.ok_or_else(|| NoSuchList(text.chars().take(40).collect()))
    }
}

/// An entry that stands in a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AddedEntry {
    /// The file.
    pub file: PathBuf,
    /// Whether it stood there before.
    pub was_there: bool,
    /// Whether it is the first of its list.
    pub is_first: bool,
}

impl Policy {
    /// Puts a number or an address into a list of a profile's policy, in the file that counts; where
    /// there is none, in the one for every profile. `called` stands above it as a comment.
    ///
    /// # Errors
    /// [`PolicyError`] if the file cannot be read, understood or written, or if the entry is a name.
    pub fn add(
        profile: &Profile,
        list: PolicyList,
        entry: &str,
        called: Option<&str>,
    ) -> Result<AddedEntry, PolicyError> {
        let places = Self::places(profile);
        let file = places.iter().find(|place| place.exists()).unwrap_or(&places[1]).clone();
        let failed = |source| PolicyError::File { path: file.clone(), source };
        let malformed = |reason| PolicyError::Malformed { path: file.clone(), reason };
        let text = if file.exists() { text_of(&file)? } else { String::new() };
        let before = Self::parse(&text).map_err(malformed)?;
        let was_there = list.of(&before).iter().any(|known| known == entry);
        let is_first = list.of(&before).is_empty();
        if !was_there {
            let text = with_entry(&text, list, entry, called).map_err(malformed)?;
            // What comes of it is held against what was meant before it is written.
            let after = Self::parse(&text).map_err(malformed)?;
            if list.of(&after).last().map(String::as_str) != Some(entry) {
                return Err(malformed(format!("{entry:?} cannot be put into {list}")));
            }
            replace(&file, &text).map_err(failed)?;
        }
        Ok(AddedEntry { file, was_there, is_first })
    }
}

/// The text of a policy with one entry more.
fn with_entry(
    text: &str,
    list: PolicyList,
    entry: &str,
    called: Option<&str>,
) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|error| format!("{error}"))?;
    let (section, name) = list.parts();
    let section = document.entry(section).or_insert_with(|| Item::Table(Table::new()));
    let section = section.as_table_like_mut().ok_or_else(|| format!("{list} has no section"))?;
    let entries = section.entry(name).or_insert_with(|| Item::Value(Value::Array(Array::new())));
    let entries = entries.as_array_mut().ok_or_else(|| format!("{list} is no list"))?;
    let comment = called.map(|called| format!("\n    # {}", one_line(called))).unwrap_or_default();
    let mut value = Value::from(entry);
    value.decor_mut().set_prefix(format!("{comment}\n    "));
    entries.push_formatted(value);
    entries.set_trailing_comma(true);
    entries.set_trailing("\n");
    Ok(document.to_string())
}

/// A name as a comment: on one line, whatever its bearer put into it.
fn one_line(called: &str) -> String {
    const SHOWN: usize = 80;
    let line = foreign::plain(called, " ");
    line.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

/// Puts a text into a file's place, whole or not at all.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut new = file.as_os_str().to_owned();
    new.push(format!(".{}.new", std::process::id()));
    let new = PathBuf::from(new);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&new).and_then(|mut opened| {
        opened.write_all(text.as_bytes())?;
        opened.sync_all()?;
        fs::rename(&new, file)
    });
    if written.is_err() {
        // What is left of it is of no use to anybody.
        let _ = fs::remove_file(&new);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(text: &str, entry: &str, called: &str) -> String {
        with_entry(text, PolicyList::ReadExcept, entry, Some(called)).unwrap()
    }

    #[test]
    fn an_entry_joins_what_a_person_wrote() {
        let text =
            "# mine\nread_only = true  # for now\n\n[read]\nexcept = [\"+44 7700 900101\"]\n";
        let text = added(text, "1203@g.us", "Allotment");
        assert!(text.starts_with("# mine\nread_only = true  # for now\n\n[read]\n"), "{text}");
        assert!(text.contains("\n    # Allotment\n    \"1203@g.us\",\n]"), "{text}");
        let again = added(&text, "77@lid", "Anna");
        let policy = Policy::parse(&again).unwrap();
        assert_eq!(policy.read.except, ["+44 7700 900101", "1203@g.us", "77@lid"]);
        assert!(policy.read_only && again.contains("# Allotment"), "{again}");
        let policy = Policy::parse(&added("", "77@lid", "Anna")).unwrap();
        assert_eq!(policy.read.except, ["77@lid"]);
    }

    #[test]
    fn a_subject_cannot_write_policy() {
        for subject in [
            "x\n]\nread_only = false\n#",
            "x\r\n    \"666@lid\",",
            "\u{2028}confirm = \"never\"",
            "a\u{85}b\u{0}c\u{b}d",
            "\"]",
        ] {
            let text = added("[read]\nexcept = []\n", "1203@g.us", subject);
            let mut wanted = Policy::default();
            wanted.read.except = vec!["1203@g.us".into()];
            assert_eq!(Policy::parse(&text).unwrap(), wanted, "{text}");
        }
    }

    #[test]
    fn a_list_is_named_by_section_and_name() {
        for list in PolicyList::ALL {
            assert_eq!(list.to_string().parse(), Ok(list));
        }
        assert!("files.send_from".parse::<PolicyList>().is_err());
    }
}
