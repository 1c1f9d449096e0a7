//! A profile: the folder of one account, and the names of what is in it.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use crate::{Environment, private_folder::private_folder};

/// The longest profile name, so that socket paths stay below what systems allow.
const MAX_NAME_LEN: usize = 32;

/// The name that keeps accounts apart: letters, digits, `-` and `_`, at most 32 of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProfileName(String);

/// A text cannot name a profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("profile name {0:?}: use 1 to 32 letters, digits, '-' or '_'")]
pub struct InvalidProfileName(String);

impl FromStr for ProfileName {
    type Err = InvalidProfileName;

    fn from_str(name: &str) -> Result<Self, InvalidProfileName> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > MAX_NAME_LEN || !name.chars().all(allowed) {
            return Err(InvalidProfileName(name.chars().take(MAX_NAME_LEN + 1).collect()));
        }
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where one account keeps its things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    name: ProfileName,
    folder: PathBuf,
    config: PathBuf,
    /// The folder was named, and is not the profile's own.
    is_elsewhere: bool,
}

/// A profile's folder cannot be found or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The platform names no home folder and nobody named another.
    #[error("no home folder is known; name a folder with --store DIR")]
    NoHome,
    /// The folder cannot be made or protected.
    #[error("cannot use the folder {path}: {source}", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Profile {
    /// Works out where a profile lives: `store` itself if given, else `$STATE_DIRECTORY`, else
    /// `$XDG_DATA_HOME/wa/<name>`.
    ///
    /// # Errors
    /// [`ProfileError::NoHome`] if none of them is known.
    pub fn locate(
        name: &ProfileName,
        store: Option<&Path>,
        environment: &Environment,
    ) -> Result<Self, ProfileError> {
        let folder = match (store, &environment.state_directory, &environment.data_home) {
            (Some(store), _, _) => store.to_owned(),
            (None, Some(state), _) => state.join(&name.0),
            (None, None, Some(data)) => data.join("wa").join(&name.0),
            (None, None, None) => return Err(ProfileError::NoHome),
        };
        let config = match (&environment.config_home, &environment.state_directory) {
            (_, Some(state)) => state.join("config"),
            (Some(config), None) => config.join("wa"),
            (None, None) => return Err(ProfileError::NoHome),
        };
        Ok(Self { name: name.clone(), folder, config, is_elsewhere: store.is_some() })
    }

    /// Makes the folder, for its owner alone.
    ///
    /// # Errors
    /// [`ProfileError::Folder`] if it cannot be made or protected.
    pub fn prepare(&self) -> Result<(), ProfileError> {
        private_folder(&self.folder)
            .map_err(|source| ProfileError::Folder { path: self.folder.clone(), source })
    }

    /// The profile's name.
    pub fn name(&self) -> &ProfileName {
        &self.name
    }

    /// The account's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether the account is kept in a folder that was named, instead of the profile's own.
    pub fn is_elsewhere(&self) -> bool {
        self.is_elsewhere
    }

    /// The encrypted database.
    pub fn database(&self) -> PathBuf {
        self.folder.join("wa.db")
    }

    /// Where downloaded media go.
    pub fn media(&self) -> PathBuf {
        self.folder.join("media")
    }

    /// The file whose lock says which process owns the account.
    pub fn lock_file(&self) -> PathBuf {
        self.folder.join("lock")
    }

    /// The file that holds the database key where nothing better does; never in the account's
    /// own folder, so that a copy of the folder alone opens nothing.
    pub fn key_file(&self) -> PathBuf {
        self.config.join(format!("{}.key", self.name))
    }

    /// The file that holds the database key where a passphrase opens it.
    pub fn sealed_key_file(&self) -> PathBuf {
        self.config.join(format!("{}.sealed-key", self.name))
    }

    /// The file that names the entry of the desktop's keyring where the database key is there.
    pub fn keyring_entry_file(&self) -> PathBuf {
        self.config.join(format!("{}.keyring", self.name))
    }

    /// The folder of configuration.
    pub fn config(&self) -> &Path {
        &self.config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_name_cannot_leave_its_folder() {
        for bad in ["", ".", "..", "a/b", "a\\b", "a b", "ä", &"x".repeat(33)] {
            assert!(bad.parse::<ProfileName>().is_err(), "{bad:?}");
        }
        assert_eq!("work-2_b".parse::<ProfileName>().unwrap().to_string(), "work-2_b");
    }

    #[test]
    fn systemd_folders_take_the_place_of_the_home() {
        let name = "default".parse().unwrap();
        let mut environment = Environment {
            config_home: Some("/home/a/.config".into()),
            data_home: Some("/home/a/.local/share".into()),
            ..Environment::default()
        };
        let profile = Profile::locate(&name, None, &environment).unwrap();
        assert_eq!(profile.database(), Path::new("/home/a/.local/share/wa/default/wa.db"));
        assert_eq!(profile.key_file(), Path::new("/home/a/.config/wa/default.key"));

        environment.state_directory = Some("/var/lib/wa".into());
        let profile = Profile::locate(&name, None, &environment).unwrap();
        assert_eq!(profile.database(), Path::new("/var/lib/wa/default/wa.db"));

        let profile = Profile::locate(&name, Some(Path::new("/tmp/x")), &environment).unwrap();
        assert_eq!(profile.folder(), Path::new("/tmp/x"));
        assert!(matches!(
            Profile::locate(&name, None, &Environment::default()),
            Err(ProfileError::NoHome)
        ));
    }

    #[cfg(unix)]
    #[test]
    fn the_folder_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("a/b");
        let environment =
            Environment { config_home: Some(parent.path().into()), ..Environment::default() };
        let profile =
            Profile::locate(&"default".parse().unwrap(), Some(&folder), &environment).unwrap();
        profile.prepare().unwrap();
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
