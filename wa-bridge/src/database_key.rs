//! Where the database key comes from: a systemd credential, a file somebody named, a file that a
//! passphrase opens, the desktop's keyring, or a file made once in the configuration folder.

mod desktop_keyring;
mod passphrase;
mod sealed;

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use rand::Rng;
use wa_store::DatabaseKey;
use zeroize::Zeroizing;

pub use self::passphrase::{Passphrase, PassphrasePrompt};
use self::sealed::{NotOpened, SealedKey};
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
    passphrase: Passphrase,
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
    /// A file that a passphrase opens cannot be understood.
    #[error("the file {path} holds no sealed key; put a backup of it back", path = path.display())]
    MalformedSeal {
        /// The file.
        path: PathBuf,
    },
    /// The key is sealed, and nobody is there to give the passphrase.
    #[error(
        "the database key in {path} is sealed with a passphrase; name a file that holds it with --passphrase-file, give it as the systemd credential wa-db-passphrase, or type it at a terminal",
        path = path.display()
    )]
    NoPassphrase {
        /// The file with the sealed key.
        path: PathBuf,
    },
    /// The passphrase does not open the sealed key.
    #[error("this passphrase does not open {path}; try again", path = path.display())]
    WrongPassphrase {
        /// The file with the sealed key.
        path: PathBuf,
    },
    /// The desktop's keyring does not give the key, or does not take it.
    #[error(
        "cannot use the desktop's keyring: {reason}; unlock it, or put the key back: wa-cli key file"
    )]
    Keyring {
        /// What it said.
        reason: String,
    },
    /// A passphrase that anybody would guess.
    #[error("the passphrase is too short; use {MIN_PASSPHRASE} characters or more")]
    WeakPassphrase,
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
            passphrase: Passphrase::new(None, environment),
        }
    }

    /// Takes the passphrase from there, where one is needed.
    #[must_use]
    pub fn with_passphrase(mut self, passphrase: Passphrase) -> Self {
        self.passphrase = passphrase;
        self
    }

    /// Reads the key as [`KeySource::load`] does, or makes the profile's own key file (0600) if
    /// there is neither a key nor a database.
    ///
    /// # Errors
    /// [`KeyError`]; never makes a new key where a database waits for its old one.
    pub fn load_or_create(&self, profile: &Profile) -> Result<DatabaseKey, KeyError> {
        match self.load(profile)? {
            Some(key) => Ok(key),
            None if profile.database().exists() => Err(KeyError::Missing {
                database: profile.database(),
                key_file: profile.key_file(),
            }),
            None => create(&profile.key_file()),
        }
    }

    /// Reads the key: the systemd credential `wa-db-key`, else the named file, else the profile's
    /// sealed key with its passphrase, else the desktop's keyring if the key was put there, else
    /// the profile's own key file. Nothing if there is none.
    /// This may wait for somebody who types.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load(&self, profile: &Profile) -> Result<Option<DatabaseKey>, KeyError> {
        if let Some(path) = self.credential.as_deref() {
            // systemd hands credentials out in a folder that only the service can enter.
            return read(path, Exposure::Accept).map(Some);
        }
        if let Some(path) = self.named.as_deref() {
            return read(path, Exposure::Refuse).map(Some);
        }
        if let Some(sealed) = read_sealed(profile)? {
            return self.unseal(&sealed, &profile.sealed_key_file()).map(Some);
        }
        if let Some(entry) = read_entry(profile)? {
            let read = desktop_keyring::read(&entry);
            return read.map(Some).map_err(|reason| KeyError::Keyring { reason });
        }
        match read(&profile.key_file(), Exposure::Refuse) {
            Err(KeyError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            result => result.map(Some),
        }
    }

    /// Where the key is now, in words.
    pub fn place(&self, profile: &Profile) -> String {
        let own = profile.key_file();
        match (&self.credential, &self.named, profile.sealed_key_file()) {
            (Some(_), _, _) => format!("the systemd credential {CREDENTIAL}"),
            (None, Some(named), _) => format!("the file {}", named.display()),
            (None, None, sealed) if sealed.exists() => {
                format!("the file {}, sealed with a passphrase", sealed.display())
            }
            _ if profile.keyring_entry_file().exists() => "the desktop's keyring".to_owned(),
            _ if own.exists() => format!("the file {}", own.display()),
            _ => "nowhere yet".to_owned(),
        }
    }

    fn unseal(&self, sealed: &SealedKey, path: &Path) -> Result<DatabaseKey, KeyError> {
        let no_passphrase = || KeyError::NoPassphrase { path: path.to_owned() };
        let passphrase = self.passphrase.read(path)?.ok_or_else(no_passphrase)?;
        sealed.open(&passphrase).map_err(|why| refused(why, path))
    }
}

/// Where the profile's own key is kept.
#[derive(Clone, Copy)]
pub enum KeyPlace<'a> {
    /// In a file that its owner alone can read.
    File,
    /// In a file that this passphrase opens.
    Sealed(&'a str),
    /// In the desktop's keyring.
    Keyring,
}

impl fmt::Debug for KeyPlace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "File",
            Self::Sealed(_) => "Sealed(…)",
            Self::Keyring => "Keyring",
        })
    }
}

/// Keeps the profile's own key there, and nowhere else: where it was before, it is removed once it
/// was read back from the new place.
///
/// # Errors
/// [`KeyError`]; then the key is where it was before.
pub fn move_key(profile: &Profile, key: &DatabaseKey, to: KeyPlace<'_>) -> Result<(), KeyError> {
    // What was there before is the only place of the key until this is done.
    let before = read_entry(profile)?;
    match to {
        KeyPlace::File => to_file(profile, key)?,
        KeyPlace::Sealed(passphrase) => to_sealed(profile, key, passphrase)?,
        KeyPlace::Keyring => to_keyring(profile, key)?,
    }
    if !matches!(to, KeyPlace::Sealed(_)) {
        remove(&profile.sealed_key_file())?;
    }
    if !matches!(to, KeyPlace::File) {
        remove(&profile.key_file())?;
    }
    if let (Some(entry), false) = (before, matches!(to, KeyPlace::Keyring)) {
        desktop_keyring::remove(&entry).map_err(|reason| KeyError::Keyring { reason })?;
        remove(&profile.keyring_entry_file())?;
    }
    Ok(())
}

fn to_file(profile: &Profile, key: &DatabaseKey) -> Result<(), KeyError> {
    let path = profile.key_file();
    replace(&path, &Zeroizing::new(format!("{}\n", *key.to_hex())))?;
    if read(&path, Exposure::Refuse)? != *key {
        return Err(KeyError::Malformed { path });
    }
    Ok(())
}

fn to_sealed(profile: &Profile, key: &DatabaseKey, passphrase: &str) -> Result<(), KeyError> {
    if passphrase.chars().count() < MIN_PASSPHRASE {
        return Err(KeyError::WeakPassphrase);
    }
    let path = profile.sealed_key_file();
    let malformed = || KeyError::MalformedSeal { path: path.clone() };
    let sealed = SealedKey::seal(key, passphrase).ok_or_else(malformed)?;
    // What cannot be opened again must not be the only place of the key.
    if sealed.open(passphrase).as_ref() != Ok(key) {
        return Err(malformed());
    }
    replace(&path, &sealed.text())?;
    let written = read_sealed(profile)?;
    if written.as_ref() == Some(&sealed) { Ok(()) } else { Err(malformed()) }
}

fn to_keyring(profile: &Profile, key: &DatabaseKey) -> Result<(), KeyError> {
    let entry = match read_entry(profile)? {
        Some(entry) => entry,
        None => {
            // Profiles of one name may be kept in several places.
            let mut bytes = [0; 8];
            rand::rng().fill_bytes(&mut bytes);
            format!("{} {}", profile.name(), hex::encode(bytes))
        }
    };
    let failed = |reason| KeyError::Keyring { reason };
    desktop_keyring::write(&entry, key).map_err(failed)?;
    if desktop_keyring::read(&entry).map_err(failed)? != *key {
        return Err(failed("it gave back another key".to_owned()));
    }
    replace(&profile.keyring_entry_file(), &format!("{entry}\n"))
}

/// The entry of the keyring that has the profile's key, if one has.
fn read_entry(profile: &Profile) -> Result<Option<String>, KeyError> {
    let path = profile.keyring_entry_file();
    let text = read_optional(&path)?;
    Ok(text.map(|text| text.trim().to_owned()))
}

/// The fewest characters of a passphrase.
const MIN_PASSPHRASE: usize = 8;

/// No sealed key and no name of an entry is longer, in bytes.
const MAX_SEALED_FILE: u64 = 4096;

fn read_sealed(profile: &Profile) -> Result<Option<SealedKey>, KeyError> {
    let path = profile.sealed_key_file();
    let Some(text) = read_optional(&path)? else { return Ok(None) };
    SealedKey::parse(&text).map(Some).map_err(|why| refused(why, &path))
}

fn read_optional(path: &Path) -> Result<Option<Zeroizing<String>>, KeyError> {
    let failed = |source| KeyError::File { path: path.to_owned(), source };
    let file = match regular_file::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(failed)?,
    };
    regular_file::read_text(&file, MAX_SEALED_FILE).map(Some).map_err(failed)
}

fn refused(why: NotOpened, path: &Path) -> KeyError {
    let path = path.to_owned();
    match why {
        NotOpened::Malformed => KeyError::MalformedSeal { path },
        NotOpened::WrongPassphrase => KeyError::WrongPassphrase { path },
    }
}

/// Writes a file for its owner alone in place of what is there: all of it, or nothing.
fn replace(path: &Path, text: &str) -> Result<(), KeyError> {
    let failed = |source| KeyError::File { path: path.to_owned(), source };
    let folder = path.parent().unwrap_or(Path::new("."));
    private_folder(folder).map_err(failed)?;
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map(drop).map_err(|error| error.error)
    });
    written.map_err(failed)
}

fn remove(path: &Path) -> Result<(), KeyError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(KeyError::File { path: path.to_owned(), source })
        }
        _ => Ok(()),
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
    fn a_sealed_key_is_of_no_use_without_its_passphrase_and_comes_back() {
        let root = tempfile::tempdir().unwrap();
        let (profile, environment) = profile(root.path());
        let plain = KeySource::new(None, &environment);
        let key = plain.load_or_create(&profile).unwrap();
        assert!(matches!(
            move_key(&profile, &key, KeyPlace::Sealed("short")),
            Err(KeyError::WeakPassphrase)
        ));
        move_key(&profile, &key, KeyPlace::Sealed("correct horse battery")).unwrap();
        assert!(!profile.key_file().exists(), "no copy of the key is left beside it");
        assert!(matches!(plain.load(&profile), Err(KeyError::NoPassphrase { .. })));

        let file = root.path().join("passphrase");
        let typed = |text: &str| {
            fs::write(&file, text).unwrap();
            #[cfg(unix)]
            fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600))
                .unwrap();
            let passphrase = Passphrase::new(Some(&file), &environment);
            KeySource::new(None, &environment).with_passphrase(passphrase).load(&profile)
        };
        assert_eq!(typed("correct horse battery\n").unwrap(), Some(key.clone()));
        assert!(matches!(typed("wrong horse battery"), Err(KeyError::WrongPassphrase { .. })));
        // A broken seal is an error, and no reason to make a new key.
        fs::write(profile.sealed_key_file(), "{}").unwrap();
        assert!(matches!(typed("correct horse battery"), Err(KeyError::MalformedSeal { .. })));
        move_key(&profile, &key, KeyPlace::Sealed("another passphrase")).unwrap();
        assert!(matches!(typed("correct horse battery"), Err(KeyError::WrongPassphrase { .. })));
        move_key(&profile, &key, KeyPlace::File).unwrap();
        assert!(!profile.sealed_key_file().exists());
        assert_eq!(plain.load(&profile).unwrap(), Some(key));
    }

    #[cfg(not(feature = "keyring"))]
    #[test]
    fn without_a_keyring_the_key_stays_where_it_is() {
        let root = tempfile::tempdir().unwrap();
        let (profile, environment) = profile(root.path());
        let source = KeySource::new(None, &environment);
        let key = source.load_or_create(&profile).unwrap();
        let refused = move_key(&profile, &key, KeyPlace::Keyring).unwrap_err();
        assert!(refused.to_string().contains("built without keyrings"), "{refused}");
        assert_eq!(source.load(&profile).unwrap(), Some(key));
        // Whoever moved it with another build is told, and gets no new key.
        fs::write(profile.keyring_entry_file(), "default 00\n").unwrap();
        assert!(matches!(source.load_or_create(&profile), Err(KeyError::Keyring { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_that_is_a_pipe_is_refused_and_not_waited_for() {
        let root = tempfile::tempdir().unwrap();
        let (profile, environment) = profile(root.path());
        let path = root.path().join("pipe");
        regular_file::tests::pipe(&path);
        let result = KeySource::new(Some(&path), &environment).load(&profile);
        assert!(matches!(result, Err(KeyError::File { .. })), "{result:?}");
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
