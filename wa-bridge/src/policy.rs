//! What may be done with the account, and by whom: one TOML file, read by the process that owns
//! the account.
//!
//! A frontend can tighten what the file says for its own calls, and never loosen it. Knows nothing
//! of how a call is done.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    Profile,
    api::Effect,
    failure::{Cause, Failure},
    regular_file,
};

mod client;
mod confirm;
mod entry;
mod files;
mod folder;
mod pace;
mod reach;
mod source;

pub use confirm::{ActionKind, Confirm, Confirmations};
pub use entry::{AddedEntry, NoSuchList, PolicyList};
pub(crate) use files::unreadable;
pub use files::{Files, SaveFolder};
pub use folder::AllowedFolder;
pub(crate) use pace::HOUR;
pub use pace::{Pace, PaceClass, Sendings, Turn};
pub use reach::{Broadcasts, Reach, Standing, UnknownSenders};
pub use source::PolicySource;

/// What may be done with the account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Policy {
    /// Nothing is sent, changed or deleted.
    pub read_only: bool,
    /// When a person has to agree before what an assistant does reaches others.
    pub confirm: Confirmations,
    /// What becomes of what an assistant sends after it has read what others wrote.
    pub taint: Taint,
    /// An assistant may agree in the person's name, by the tool `confirm_send`.
    pub confirm_in_chat: bool,
    /// Which chats may be read.
    pub read: Reach,
    /// Which chats may be written to; those that may not be read may not be written to either.
    pub write: Reach,
    /// Which files an assistant may send, and where it may save some.
    pub files: Files,
    /// How fast messages may follow each other.
    pub pace: Pace,
    /// What single assistants may do besides, by the name under which they were let in: both hold,
    /// this and the whole policy. `unnamed` is whoever shows no token.
    #[serde(rename = "client", deserialize_with = "client::later")]
    pub clients: BTreeMap<String, Policy>,
}

/// What becomes of what an assistant sends after it has read what others wrote, who may have told
/// it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Taint {
    /// A person has to agree, unless it goes back to the only chat that was read.
    #[default]
    Confirm,
    /// Nothing.
    Off,
}

/// What a frontend forbids itself besides. Every part can only take something away.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tightening {
    /// Nothing is sent, changed or deleted.
    pub read_only: bool,
    /// A person has to agree at least this often.
    pub confirm: Option<Confirm>,
    /// Only people in the address book and groups.
    pub contacts_only: bool,
}

/// The policy cannot be read. Nothing is done without it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The file cannot be read.
    #[error("cannot read the policy {path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no policy.
    #[error("the policy {path} is wrong: {reason}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// Others may change the file.
    #[error("the policy {path} can be changed by others; run: chmod go-w {path}", path = path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        Self::new(Cause::Forbidden, error.to_string())
            .remedy("mend the file; nothing is done without a policy that can be read")
    }
}

/// No sound policy is longer, in bytes.
const MAX_FILE: u64 = 1 << 20;

impl Policy {
    /// Reads the policy of a profile: `<profile>.policy.toml` in the configuration folder, else
    /// `policy.toml` there, which holds for every profile, else the defaults.
    ///
    /// # Errors
    /// [`PolicyError`]; a file that is there and cannot be understood is never passed over.
    pub fn load(profile: &Profile) -> Result<Self, PolicyError> {
        for path in Self::places(profile) {
            match read(&path) {
                Err(PolicyError::File { source, .. })
                    if source.kind() == io::ErrorKind::NotFound => {}
                result => return result,
            }
        }
        Ok(Self::default())
    }

    /// Where the policy of a profile may stand; the first that is there counts.
    pub fn places(profile: &Profile) -> [PathBuf; 2] {
        let config = profile.config();
        [config.join(format!("{}.policy.toml", profile.name())), config.join("policy.toml")]
    }

    /// Reads a policy from its text.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut policy: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        policy.check()?;
        policy.clients = client::sections(text)?;
        Ok(policy)
    }

    /// Finds what is well written and can mean nothing.
    fn check(&self) -> Result<(), String> {
        self.read.check("read")?;
        self.write.check("write")?;
        self.pace.check()?;
        self.files.check()
    }

    /// The policy with what a frontend forbids itself.
    #[must_use]
    pub fn tightened(&self, by: &Tightening) -> Self {
        let mut policy = self.clone();
        policy.read_only |= by.read_only;
        policy.confirm = policy.confirm.at_least(by.confirm.unwrap_or(Confirm::Never));
        policy.read.contacts_only |= by.contacts_only;
        policy.write.contacts_only |= by.contacts_only;
        policy
    }

    /// Whether calls of this effect are allowed at all.
    ///
    /// # Errors
    /// [`Cause::Forbidden`].
    pub fn allow(&self, effect: Effect) -> Result<(), Failure> {
        match effect {
            Effect::Read | Effect::Guard => Ok(()),
            Effect::Link if !self.read_only => Ok(()),
            _ if self.read_only => Err(Failure::new(
                Cause::Forbidden,
                "the policy is read-only: nothing is sent, changed or deleted",
            )
            .remedy("leave it, or have a person set read_only = false in policy.toml")),
            _ => Ok(()),
        }
    }

    /// Whether a person has to agree before something of an assistant leaves, and why.
    pub fn confirmation(&self, kind: ActionKind, standing: &Standing) -> Option<&'static str> {
        if standing.kind.is_public() {
            return Some("it would be seen by people whom nobody names");
        }
        match self.confirm.of(kind) {
            Confirm::Never => None,
            Confirm::Always => Some(match kind {
                ActionKind::Message => "the policy has every message confirmed",
                ActionKind::Edit => "the policy has every changed message confirmed",
                ActionKind::Forward => "the policy has everything confirmed that is passed on",
                ActionKind::Delete => "the policy has everything confirmed that is deleted",
                ActionKind::Group => "the policy has every change of a group confirmed",
            }),
            Confirm::NewChats if standing.written_to => None,
            Confirm::NewChats => Some("the person has never written to this chat themselves"),
        }
    }

    /// The policy in a line.
    pub fn summary(&self) -> String {
        let mut parts = Vec::new();
        if self.read_only {
            parts.push("read-only".to_owned());
        }
        parts.push(self.confirm.summary().to_owned());
        for (reach, what) in [(&self.read, "reads"), (&self.write, "writes")] {
            if reach.is_limited() {
                parts.push(format!("{what} some chats only"));
            }
        }
        parts.join(", ")
    }
}

fn read(path: &Path) -> Result<Policy, PolicyError> {
    let malformed = |reason: String| PolicyError::Malformed { path: path.to_owned(), reason };
    let mut policy = Policy::parse(&text_of(path)?).map_err(malformed)?;
    let home = etcetera::home_dir().ok();
    for policy in policy.clients.values_mut() {
        policy.files.look_up(home.as_deref()).map_err(malformed)?;
    }
    policy.files.look_up(home.as_deref()).map_err(malformed)?;
    Ok(policy)
}

/// The text of a policy that nobody else may change.
fn text_of(path: &Path) -> Result<String, PolicyError> {
    let failed = |source| PolicyError::File { path: path.to_owned(), source };
    let file = regular_file::open(path).map_err(failed)?;
    if is_exposed(&file.metadata().map_err(failed)?) {
        return Err(PolicyError::Exposed { path: path.to_owned() });
    }
    let text = regular_file::read_text(&file, MAX_FILE).map_err(failed)?;
    Ok(text.as_str().to_owned())
}

#[cfg(unix)]
fn is_exposed(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o022 != 0
}

#[cfg(not(unix))]
fn is_exposed(_metadata: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frontend_can_tighten_and_never_loosen() {
        let strict = Policy::parse("read_only = true\nconfirm = \"always\"").unwrap();
        let tightening = Tightening { confirm: Some(Confirm::Never), ..Tightening::default() };
        assert_eq!(strict.tightened(&tightening), strict);

        let tightening =
            Tightening { read_only: true, confirm: Some(Confirm::Always), contacts_only: true };
        let tightened = Policy::default().tightened(&tightening);
        assert!(tightened.read_only && tightened.read.contacts_only);
        assert_eq!(tightened.confirm, Confirmations::all(Confirm::Always));
    }

    #[test]
    fn a_word_that_is_not_known_is_an_error_and_not_passed_over() {
        for text in [
            "readonly = true",
            "confirm = \"sometimes\"",
            "[confirm]\nmessage = \"always\"",
            "[confirm]\nedits = \"sometimes\"",
            "taint = \"on\"",
            "[read]\nchat = []",
            "x",
        ] {
            assert!(Policy::parse(text).is_err(), "{text}");
        }
        assert_eq!(Policy::parse("").unwrap(), Policy::default());
    }

    #[test]
    fn who_was_never_written_to_is_confirmed_unless_the_file_says_otherwise() {
        let (stranger, message) = (Standing::default(), ActionKind::Message);
        let known = Standing { written_to: true, ..Standing::default() };
        assert!(Policy::default().confirmation(message, &stranger).is_some());
        assert!(Policy::default().confirmation(message, &known).is_none());
        let never = Policy::parse("confirm = \"never\"").unwrap();
        assert!(never.confirmation(message, &stranger).is_none());
        let always = Policy::parse("confirm = \"always\"").unwrap();
        assert!(always.confirmation(message, &known).is_some());
    }

    #[test]
    fn what_changes_what_was_said_is_confirmed_in_a_chat_that_is_known_too() {
        let known = Standing { written_to: true, ..Standing::default() };
        let others = [ActionKind::Edit, ActionKind::Forward, ActionKind::Delete, ActionKind::Group];
        for text in ["", "confirm = \"new-chats\"", "[confirm]\nmessages = \"never\""] {
            let policy = Policy::parse(text).unwrap();
            assert!(policy.confirmation(ActionKind::Message, &known).is_none(), "{text}");
            for kind in others {
                assert!(policy.confirmation(kind, &known).is_some(), "{text} {kind:?}");
            }
        }
        let rows = "[confirm]\nmessages = \"always\"\nedits = \"never\"\ndeletes = \"new-chats\"";
        let policy = Policy::parse(rows).unwrap();
        let asked = |kind, standing| policy.confirmation(kind, standing).is_some();
        assert!(asked(ActionKind::Message, &known) && !asked(ActionKind::Edit, &known));
        assert!(!asked(ActionKind::Delete, &known) && asked(ActionKind::Group, &known));
        assert!(asked(ActionKind::Delete, &Standing::default()));
    }

    #[test]
    fn the_example_that_people_copy_is_sound() {
        let readme = include_str!("../../README.md");
        let example = readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let policy = Policy::parse(example).unwrap();
        assert_eq!(policy.confirm, Confirmations::default(), "and so are the confirmations");
        assert_eq!(policy.taint, Taint::Confirm);
        assert_eq!(policy.pace, Pace::default(), "the paces it shows are those without a file");
    }

    #[test]
    fn a_folder_that_means_the_whole_disk_or_nothing_is_an_error() {
        for folder in ["", ".", "outgoing", "..", "/home/../etc"] {
            let text = format!("[files]\nsend_from = [{folder:?}]");
            assert!(Policy::parse(&text).is_err(), "{text}");
            let text = format!("[files]\nsave_to = [{folder:?}]");
            assert!(Policy::parse(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn downloads_are_kept_unless_the_file_says_for_how_long() {
        assert_eq!(Policy::default().files.keep_downloads_days, None);
        let days = |n: u32| Policy::parse(&format!("[files]\nkeep_downloads_days = {n}"));
        assert_eq!(days(30).unwrap().files.keep_downloads_days, Some(30));
        assert!(days(0).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_policy_that_is_a_pipe_a_device_or_without_end_is_an_error_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.toml");
        regular_file::tests::pipe(&file);
        let error = read(&file).unwrap_err();
        assert!(error.to_string().contains("no ordinary file"), "{error}");
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &file).unwrap();
        assert!(matches!(read(&file), Err(PolicyError::File { .. })));
        fs::remove_file(&file).unwrap();
        fs::write(&file, "#".repeat(2 << 20)).unwrap();
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let error = read(&file).unwrap_err();
        assert!(error.to_string().contains("more than 1048576 bytes"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_policy_that_names_a_folder_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.toml");
        fs::write(&file, "[files]\nsend_from = [\"/no/such/folder\"]").unwrap();
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let error = read(&file).unwrap_err();
        assert!(error.to_string().contains("/no/such/folder"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_policy_that_others_may_change_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.toml");
        fs::write(&file, "read_only = true").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).unwrap();
        assert!(matches!(read(&file), Err(PolicyError::Exposed { .. })));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(read(&file).unwrap().read_only);
    }
}
