//! Where the passphrase comes from: a file somebody named, a systemd credential, or whoever types
//! it. It is asked for when it is needed, and not kept.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::KeyError;
use crate::{Environment, regular_file};

/// Asks somebody for the passphrase of the file that is named; nothing if nobody is there.
pub type PassphrasePrompt = fn(&Path) -> io::Result<Option<Zeroizing<String>>>;

/// Where the passphrase comes from.
#[derive(Clone)]
pub struct Passphrase {
    named: Option<PathBuf>,
    credential: Option<PathBuf>,
    prompt: Option<PassphrasePrompt>,
}

/// The name of the systemd credential.
const CREDENTIAL: &str = "wa-db-passphrase";

/// No passphrase is longer, in bytes.
const MAX_FILE: u64 = 4096;

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passphrase").field("named", &self.named).finish_non_exhaustive()
    }
}

impl Passphrase {
    /// From this file, which `--passphrase-file` named, else from the systemd credential
    /// `wa-db-passphrase`.
    pub fn new(named: Option<&Path>, environment: &Environment) -> Self {
        let credential = environment.credentials_directory.as_ref().map(|dir| dir.join(CREDENTIAL));
        Self {
            named: named.map(Path::to_owned),
            credential: credential.filter(|path| path.exists()),
            prompt: None,
        }
    }

    /// Asks whoever is there where no file says it.
    #[must_use]
    pub fn or_ask(mut self, prompt: PassphrasePrompt) -> Self {
        self.prompt = Some(prompt);
        self
    }

    /// The passphrase for a sealed key; nothing if nobody gives one.
    ///
    /// # Errors
    /// [`KeyError`] if the file cannot be read, or can be read by others.
    pub fn read(&self, sealed: &Path) -> Result<Option<Zeroizing<String>>, KeyError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| KeyError::File { path, source }
        };
        if let Some(path) = &self.named {
            let file = regular_file::open(path).map_err(failed(path))?;
            if super::is_exposed(&file).map_err(failed(path))? {
                return Err(KeyError::Exposed { path: path.clone() });
            }
            return first_line(&file).map(Some).map_err(failed(path));
        }
        if let Some(path) = &self.credential {
            let read = regular_file::open(path).and_then(|file| first_line(&file));
            return read.map(Some).map_err(failed(path));
        }
        self.prompt.map_or(Ok(None), |prompt| prompt(sealed).map_err(failed(sealed)))
    }
}

/// All of the file but the end of its line.
fn first_line(file: &std::fs::File) -> io::Result<Zeroizing<String>> {
    let mut text = regular_file::read_text(file, MAX_FILE)?;
    let length = text.trim_end_matches(['\n', '\r']).len();
    text.truncate(length);
    Ok(text)
}
