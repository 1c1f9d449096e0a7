//! Where the database key comes from: a systemd credential, a file somebody named, or a file made
//! once in the configuration folder.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use rand::Rng;
use wa_store::DatabaseKey;
use zeroize::Zeroizing;

use crate::{Environment, Profile, private_folder::private_folder, regular_file};

/// The name of the systemd credential.
const CREDENTIAL: &str = "wa-db-key";

/// No sound key file is longer: 64 hexadecimal digits and the end of a line.
const MAX_KEY_FILE: u64 = 128;

/// Looks for the key in the order that [`KeySource::load_or_create`] tells.
#[derive(Debug, Clone)]
pub struct KeySource {
    credential: Option<PathBuf>,
    named: Option<PathBuf>,
}

/// The database key cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// There is a database and no key for it.
    #[error(
        "the database {database} has no key: {key_file} is missing; restore it, name it with --key-file, or start anew with another --profile",
        database = database.display(), key_file = key_file.display()
    )]
    Missing {
        /// The database that cannot be opened.
        database: PathBuf,
        /// Where its key was expected.
        key_file: PathBuf,
    },
    /// A key file cannot be read or written.
    #[error("cannot use the key file {path}: {source}", path = path.display())]
    File {
        /// The key file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A key file does not hold a key.
    #[error("the key file {path} holds no key; expected 64 hexadecimal digits", path = path.display())]
    Malformed {
        /// The key file.
        path: PathBuf,
    },
    /// Others may read the key file.
    #[error("the key file {path} can be read by others; run: chmod 600 {path}", path = path.display())]
    Exposed {
        /// The key file.
        path: PathBuf,
    },
}

impl KeySource {
    /// Prepares the look-up; `named` is what `--key-file` said.
    pub fn new(named: Option<&Path>, environment: &Environment) -> Self {
        let credential = environment.credentials_directory.as_ref().map(|dir| dir.join(CREDENTIAL));
        Self {
            credential: credential.filter(|path| path.exists()),
            named: named.map(Path::to_owned),
        }
    }

    /// Reads the key: the systemd credential `wa-db-key`, else the named file, else the profile's
    /// own key file, which is made (0600) if there is neither it nor a database.
    ///
    /// # Errors
    /// [`KeyError`]; never makes a new key where a database waits for its old one.
    pub fn load_or_create(&self, profile: &Profile) -> Result<DatabaseKey, KeyError> {
        if let Some(path) = self.credential.as_deref() {
            // systemd hands credentials out in a folder that only the service can enter.
            return read(path, Exposure::Accept);
        }
        if let Some(path) = self.named.as_deref() {
            return read(path, Exposure::Refuse);
        }
        let path = profile.key_file();
        match read(&path, Exposure::Refuse) {
            Err(KeyError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                if profile.database().exists() {
                    return Err(KeyError::Missing { database: profile.database(), key_file: path });
                }
                create(&path)
            }
            result => result,
        }
    }
}

#[derive(PartialEq)]
enum Exposure {
    Accept,
    Refuse,
}

fn read(path: &Path, exposure: Exposure) -> Result<DatabaseKey, KeyError> {
    let failed = |source| KeyError::File { path: path.to_owned(), source };
    let file = regular_file::open(path).map_err(failed)?;
    if exposure == Exposure::Refuse && is_exposed(&file).map_err(failed)? {
        return Err(KeyError::Exposed { path: path.to_owned() });
    }
    let text = regular_file::read_text(&file, MAX_KEY_FILE).map_err(failed)?;
    DatabaseKey::from_hex(text.trim()).map_err(|_| KeyError::Malformed { path: path.to_owned() })
}

fn create(path: &Path) -> Result<DatabaseKey, KeyError> {
    let failed = |source| KeyError::File { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        private_folder(folder).map_err(failed)?;
    }
    let mut bytes = Zeroizing::new([0; 32]);
    rand::rng().fill_bytes(bytes.as_mut());
    let key = DatabaseKey::from_bytes(*bytes);

    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    writeln!(file, "{}", *key.to_hex()).and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(key)
}

#[cfg(unix)]
fn is_exposed(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_file: &File) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn profile(root: &Path) -> (Profile, Environment) {
        let environment =
            Environment { config_home: Some(root.join("config")), ..Environment::default() };
        let store = root.join("data");
        let profile =
            Profile::locate(&"default".parse().unwrap(), Some(&store), &environment).unwrap();
        profile.prepare().unwrap();
        (profile, environment)
    }

    #[test]
    fn a_key_is_made_once_and_found_again() {
        let root = tempfile::tempdir().unwrap();
        let (profile, environment) = profile(root.path());
        let source = KeySource::new(None, &environment);
        let made = source.load_or_create(&profile).unwrap();
        let found = source.load_or_create(&profile).unwrap();
        assert_eq!(made, found);
        assert!(!profile.key_file().starts_with(profile.folder()));
    }

    #[test]
    fn a_database_without_its_key_gets_no_new_one() {
        let root = tempfile::tempdir().unwrap();
        let (profile, environment) = profile(root.path());
        fs::write(profile.database(), b"sealed").unwrap();
        let result = KeySource::new(None, &environment).load_or_create(&profile);
        assert!(matches!(result, Err(KeyError::Missing { .. })), "{result:?}");
        assert!(!profile.key_file().exists());
    }

    #[test]
    fn a_credential_comes_before_a_named_file() {
        let root = tempfile::tempdir().unwrap();
        let (profile, mut environment) = profile(root.path());
        fs::write(root.path().join(CREDENTIAL), "11".repeat(32)).unwrap();
        environment.credentials_directory = Some(root.path().to_owned());
        let source = KeySource::new(Some(Path::new("/nonexistent")), &environment);
        assert_eq!(source.load_or_create(&profile).unwrap(), DatabaseKey::from_bytes([0x11; 32]));
    }

    #[test]
    fn a_named_file_must_hold_a_key() {
        let root = tempfile::tempdir().unwrap();
        let (profile, environment) = profile(root.path());
        let path = profile.folder().join("key");
        fs::write(&path, "12345").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            let result = KeySource::new(Some(&path), &environment).load_or_create(&profile);
            assert!(matches!(result, Err(KeyError::Exposed { .. })), "{result:?}");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let result = KeySource::new(Some(&path), &environment).load_or_create(&profile);
        assert!(matches!(result, Err(KeyError::Malformed { .. })), "{result:?}");
    }
}
