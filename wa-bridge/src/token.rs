//! A secret that a program shows to be let in, kept in a file that only its owner can read.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use rand::Rng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{Profile, failure::Cause, failure::Failure, regular_file};

/// A secret that a program shows to be let in: `Authorization: Bearer <token>`.
#[derive(Clone)]
pub struct Token(Arc<Zeroizing<String>>);

/// The fewest characters of a token.
const MIN_LEN: usize = 16;

/// No sound file is longer, in bytes.
const MAX_FILE: u64 = 4096;

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

impl Token {
    /// Where a profile keeps a token unless another file is named; `purpose` keeps several apart.
    pub fn place(profile: &Profile, purpose: &str) -> PathBuf {
        profile.config().join(format!("{}.{purpose}-token", profile.name()))
    }

    /// Reads the token of a file, or makes one there (0600).
    ///
    /// # Errors
    /// [`Cause::Usage`] if the file cannot be read or made, can be read by others, or holds no
    /// token.
    pub fn load_or_create(path: &Path) -> Result<Self, Failure> {
        Self::load_or_create_named(path, "")
    }

    /// The same, where one that is made begins with a name.
    pub(crate) fn load_or_create_named(path: &Path, name: &str) -> Result<Self, Failure> {
        match Self::load(path)? {
            Some(token) => Ok(token),
            None => create(path, name),
        }
    }

    /// Reads the token of a file, if there is one.
    ///
    /// # Errors
    /// [`Cause::Usage`] if the file cannot be read, can be read by others, or holds no token.
    pub(crate) fn load(path: &Path) -> Result<Option<Self>, Failure> {
        match regular_file::open(path) {
            Ok(file) => read(file, path).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unusable(path, &error)),
        }
    }

    /// Whether the headers of a request show this token.
    pub fn is_shown(&self, headers: &HeaderMap) -> bool {
        matches!(Shown::of(headers), Shown::Token(token) if self.is(token))
    }

    /// The header that shows it.
    pub(crate) fn header(&self) -> Result<HeaderValue, Failure> {
        let text = Zeroizing::new(format!("Bearer {}", **self.0));
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| Failure::new(Cause::Usage, "the token does not fit into a header"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Whether this is the token.
    pub fn is(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

/// What the headers of a request show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown<'a> {
    /// No token.
    Nothing,
    /// One token.
    Token(&'a str),
    /// Something else, or several.
    Unreadable,
}

impl<'a> Shown<'a> {
    /// What these show: one `Authorization: Bearer <token>`.
    pub fn of(headers: &'a HeaderMap) -> Self {
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let given = match (given.next(), given.next()) {
            (None, _) => return Self::Nothing,
            (Some(given), None) => given.to_str().ok().and_then(|value| value.split_once(' ')),
            _ => None,
        };
        match given {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                Self::Token(token.trim())
            }
            _ => Self::Unreadable,
        }
    }
}

fn read(file: File, path: &Path) -> Result<Token, Failure> {
    let wrong = |what: &str| {
        Failure::new(Cause::Usage, format!("the token file {} {what}", path.display()))
    };
    if is_exposed(&file).map_err(|error| unusable(path, &error))? {
        return Err(
            wrong("can be read by others").remedy(format!("run: chmod 600 {}", path.display()))
        );
    }
    let text = regular_file::read_text(&file, MAX_FILE).map_err(|error| unusable(path, &error))?;
    let token = text.trim();
    if token.len() < MIN_LEN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong("holds no token").remedy(format!(
            "write {MIN_LEN} letters, digits or signs or more without a space, or remove the file"
        )));
    }
    Ok(Token(Arc::new(Zeroizing::new(token.to_owned()))))
}

fn create(path: &Path, name: &str) -> Result<Token, Failure> {
    let mut bytes = Zeroizing::new([0; 32]);
    rand::rng().fill_bytes(bytes.as_mut());
    let secret = Zeroizing::new(hex::encode(*bytes));
    let token = Zeroizing::new(format!("{name}{}", *secret));
    let written = new_file(path).and_then(|mut file| {
        writeln!(file, "{}", *token)?;
        file.sync_all()
    });
    written.map_err(|error| unusable(path, &error))?;
    Ok(Token(Arc::new(token)))
}

fn new_file(path: &Path) -> io::Result<File> {
    let mut folders = fs::DirBuilder::new();
    folders.recursive(true);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        std::os::unix::fs::DirBuilderExt::mode(&mut folders, 0o700);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folders.create(folder)?,
        _ => {}
    }
    options.open(path)
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

/// A folder of tokens cannot be used.
pub(crate) fn unusable_folder(folder: &Path, error: &io::Error) -> Failure {
    let folder = folder.display();
    Failure::new(Cause::Usage, format!("cannot use the folder of tokens {folder}: {error}"))
        .remedy("see who owns it")
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Cause::Usage, format!("cannot use the token file {}: {error}", path.display()))
        .remedy("name another with --token-file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_once_and_shown_in_one_header() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/token");
        let made = Token::load_or_create(&path).unwrap();
        let found = Token::load_or_create(&path).unwrap();
        let secret = fs::read_to_string(&path).unwrap().trim().to_owned();
        assert!(!format!("{made:?}").contains(&secret));
        let shown = |values: &[String]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            }
            found.is_shown(&headers)
        };
        assert!(shown(&[format!("Bearer {secret}")]) && shown(&[format!("bearer  {secret} ")]));
        for wrong in [
            vec![],
            vec![secret.clone()],
            vec![format!("Basic {secret}")],
            vec!["Bearer ".into()],
            vec![format!("Bearer {}", &secret[1..])],
            vec![format!("Bearer {secret}0")],
            vec![format!("Bearer {secret}"), "Bearer other".into()],
        ] {
            assert!(!shown(&wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_file_without_a_sound_token_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        Token::load_or_create(&path).unwrap();
        for text in ["", "short", "two words of some length", "letters beyond ascii é"] {
            fs::write(&path, text).unwrap();
            assert_eq!(Token::load_or_create(&path).unwrap_err().cause, Cause::Usage, "{text}");
        }
        assert!(Token::load_or_create(folder.path()).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_token_file_that_is_a_pipe_or_without_end_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        regular_file::tests::pipe(&path);
        let failure = Token::load_or_create(&path).unwrap_err();
        assert!(failure.to_string().contains("no ordinary file"), "{failure}");
        let failure = Token::load_or_create(Path::new("/dev/zero")).unwrap_err();
        assert!(failure.to_string().contains("no ordinary file"), "{failure}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        Token::load_or_create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let failure = Token::load_or_create(&path).unwrap_err();
        assert!(failure.to_string().contains("chmod 600"), "{failure}");
    }
}
