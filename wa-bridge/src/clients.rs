//! The assistants that were let in: each has a name, and a token of its own that it shows.
//!
//! A token is a file (0600) in a folder (0700) of the configuration; taking the file away shuts its
//! assistant out from the next call on. Knows nothing of what an assistant may do.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Failure, Profile, Token, failure::Cause, private_folder::private_folder, token::unusable_folder,
};

/// The most assistants that are let in at a time.
const MAX_CLIENTS: usize = 64;

/// The longest name, in characters.
const MAX_NAME: usize = 32;

/// The name under which the policy speaks of whoever shows no token.
pub(crate) const UNNAMED: &str = "unnamed";

/// The ending of a token's file.
const ENDING: &str = "token";

/// The name of an assistant: 1 to 32 lower-case letters, digits, `-` and `_`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ClientName(String);

/// A text cannot name an assistant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "client name {0:?}: use 1 to 32 lower-case letters, digits, '-' or '_', and not {UNNAMED:?}"
)]
pub struct InvalidClientName(String);

impl FromStr for ClientName {
    type Err = InvalidClientName;

    fn from_str(name: &str) -> Result<Self, InvalidClientName> {
        let allowed =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let is_sound = (1..=MAX_NAME).contains(&name.len()) && name.chars().all(allowed);
        if !is_sound || name == UNNAMED {
            return Err(InvalidClientName(name.chars().take(MAX_NAME + 1).collect()));
        }
        Ok(Self(name.to_owned()))
    }
}

impl TryFrom<String> for ClientName {
    type Error = InvalidClientName;

    fn try_from(name: String) -> Result<Self, InvalidClientName> {
        name.parse()
    }
}

impl From<ClientName> for String {
    fn from(name: ClientName) -> Self {
        name.0
    }
}

impl fmt::Display for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ClientName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The assistants of one profile.
#[derive(Debug, Clone)]
pub struct Clients {
    folder: PathBuf,
}

impl Clients {
    /// Those of a profile: the files of `<profile>.clients` in the configuration folder.
    pub fn of(profile: &Profile) -> Self {
        Self { folder: profile.config().join(format!("{}.clients", profile.name())) }
    }

    /// Where the token of an assistant is.
    pub fn token_file(&self, name: &ClientName) -> PathBuf {
        self.folder.join(format!("{name}.{ENDING}"))
    }

    /// Lets an assistant in: makes its token, or keeps the one it has.
    ///
    /// # Errors
    /// [`Cause::Usage`] if the token's file cannot be made or used; [`Cause::Forbidden`] if too many
    /// were let in already.
    pub fn register(&self, name: &ClientName) -> Result<PathBuf, Failure> {
        let path = self.token_file(name);
        private_folder(&self.folder).map_err(|error| unusable_folder(&self.folder, &error))?;
        let names = self.names()?;
        if !names.contains(name) && names.len() >= MAX_CLIENTS {
            let message = format!("{MAX_CLIENTS} assistants have a token already");
            return Err(Failure::new(Cause::Forbidden, message)
                .remedy("take one away: wa-cli clients revoke NAME"));
        }
        // The name stands in the token, so that whoever checks it looks into one file.
        Token::load_or_create_named(&path, &format!("{name}."))?;
        Ok(path)
    }

    /// The names of those that are let in, in order.
    ///
    /// # Errors
    /// [`Cause::Usage`] if the folder cannot be read.
    pub fn names(&self) -> Result<Vec<ClientName>, Failure> {
        let failed = |error: io::Error| unusable_folder(&self.folder, &error);
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            names.extend(name_of(&entry.map_err(failed)?.path()));
        }
        names.sort();
        Ok(names)
    }

    /// Shuts an assistant out from the next call on; whether it was let in before.
    ///
    /// # Errors
    /// [`Cause::Usage`] if its token cannot be taken away.
    pub fn revoke(&self, name: &ClientName) -> Result<bool, Failure> {
        match fs::remove_file(self.token_file(name)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(unusable_folder(&self.folder, &error)),
        }
    }

    /// The token of an assistant that is let in.
    ///
    /// # Errors
    /// [`Cause::Forbidden`] if it is not, or no longer; [`Cause::Usage`] if its file cannot be used.
    pub fn token(&self, name: &ClientName) -> Result<Token, Failure> {
        match Token::load(&self.token_file(name))? {
            Some(token) => Ok(token),
            None => Err(shut_out(name)),
        }
    }

    /// Makes sure that an assistant is let in.
    ///
    /// # Errors
    /// [`Cause::Forbidden`] if it is not, or no longer.
    pub(crate) fn check(&self, name: &ClientName) -> Result<(), Failure> {
        match self.token_file(name).try_exists() {
            Ok(true) => Ok(()),
            _ => Err(shut_out(name)),
        }
    }

    /// The assistant whose token this is.
    pub fn identify(&self, shown: &str) -> Option<ClientName> {
        let name: ClientName = shown.split_once('.')?.0.parse().ok()?;
        let token = Token::load(&self.token_file(&name)).ok()??;
        token.is(shown).then_some(name)
    }
}

fn name_of(path: &Path) -> Option<ClientName> {
    let is_token = path.extension().is_some_and(|ending| ending == ENDING);
    is_token.then(|| path.file_stem()?.to_str()?.parse().ok()).flatten()
}

fn shut_out(name: &ClientName) -> Failure {
    Failure::new(Cause::Forbidden, format!("the assistant {name} has no token, or it was revoked"))
        .remedy(format!("a person can let it in: wa-mcp install --client {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Environment;

    fn clients(folder: &Path) -> Clients {
        let environment =
            Environment { config_home: Some(folder.into()), ..Environment::default() };
        let name = "work".parse().unwrap();
        Clients::of(&Profile::locate(&name, Some(folder), &environment).unwrap())
    }

    fn name(text: &str) -> ClientName {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_is_a_file_name_and_never_a_path_or_nobody() {
        let long = "x".repeat(33);
        for bad in ["", ".", "..", "a/b", "a.b", "A", "a b", "ä", "unnamed", &long] {
            assert!(bad.parse::<ClientName>().is_err(), "{bad:?}");
        }
        assert_eq!(name("claude-desktop_2").as_str(), "claude-desktop_2");
    }

    #[test]
    fn each_assistant_is_known_by_its_own_token_alone() {
        let folder = tempfile::tempdir().unwrap();
        let clients = clients(folder.path());
        let read = |path: PathBuf| fs::read_to_string(path).unwrap().trim().to_owned();
        let first = read(clients.register(&name("first")).unwrap());
        let second = read(clients.register(&name("second")).unwrap());
        assert_eq!(clients.identify(&first), Some(name("first")));
        assert_eq!(clients.identify(&second), Some(name("second")));
        assert_eq!(read(clients.register(&name("first")).unwrap()), first, "it keeps its token");
        let secret = first.split_once('.').unwrap().1;
        for forged in [
            format!("second.{secret}"),
            secret.to_owned(),
            "first.".into(),
            format!("first.{}", "0".repeat(64)),
            format!("../work.clients/first.{secret}"),
            String::new(),
        ] {
            assert_eq!(clients.identify(&forged), None, "{forged}");
        }
    }

    #[test]
    fn a_revoked_token_opens_nothing_and_a_new_one_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let clients = clients(folder.path());
        let path = clients.register(&name("first")).unwrap();
        let old = fs::read_to_string(&path).unwrap().trim().to_owned();
        assert!(clients.revoke(&name("first")).unwrap());
        assert!(!clients.revoke(&name("first")).unwrap());
        assert_eq!(clients.identify(&old), None);
        assert_eq!(clients.check(&name("first")).unwrap_err().cause, Cause::Forbidden);
        assert_eq!(clients.token(&name("first")).unwrap_err().cause, Cause::Forbidden);
        clients.register(&name("first")).unwrap();
        assert_eq!(clients.identify(&old), None);
        assert_eq!(clients.names().unwrap(), [name("first")]);
    }

    #[test]
    fn no_more_than_so_many_assistants_are_let_in() {
        let folder = tempfile::tempdir().unwrap();
        let clients = clients(folder.path());
        for number in 0..64 {
            clients.register(&name(&format!("a{number}"))).unwrap();
        }
        assert!(clients.register(&name("one-more")).is_err());
        assert!(clients.register(&name("a7")).is_ok(), "those that are in stay in");
    }

    #[cfg(unix)]
    #[test]
    fn a_token_that_others_can_read_proves_nothing() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let clients = clients(folder.path());
        let path = clients.register(&name("first")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        let shown = fs::read_to_string(&path).unwrap().trim().to_owned();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(clients.identify(&shown), None);
    }
}
