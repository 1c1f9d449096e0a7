//! What is wrong with an account on this machine, and what to do about it: everything that can be
//! seen without the network.
//!
//! Changes nothing. Knows nothing of how it is shown.

use std::path::Path;

use serde::Serialize;
use wa_store::{DatabaseKey, SqliteStore, Store};

use crate::{
    AccountLock, BridgeOptions, Failure, KeySource, LockError, Profile, SocketPath, policy::Policy,
};

/// What came of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// What came of it.
    pub verdict: Verdict,
    /// What was found, in words.
    pub detail: String,
    /// What to do, if something is to be done.
    pub remedy: Option<String>,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing is wrong.
    Good,
    /// It was not looked at: something else has to be put right first, or is at work.
    Skipped,
    /// Something is wrong.
    Bad,
}

impl Finding {
    fn good(what: &'static str, detail: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Good, detail: detail.into(), remedy: None }
    }

    fn skipped(what: &'static str, detail: impl Into<String>, remedy: &str) -> Self {
        let (detail, remedy) = (detail.into(), Some(remedy.to_owned()));
        Self { what, verdict: Verdict::Skipped, detail, remedy }
    }

    fn bad(what: &'static str, failure: impl Into<Failure>) -> Self {
        let failure = failure.into();
        let remedy = failure.remedy.map(|remedy| remedy.to_string());
        Self { what, verdict: Verdict::Bad, detail: failure.message.to_string(), remedy }
    }
}

/// The least room on the disk that is no reason to worry, in bytes.
const ROOM: u64 = 200 << 20;

/// Looks at everything, in the order in which it is needed.
///
/// # Errors
/// [`Failure`] if it is not even known where the account is kept.
pub async fn examine(options: &BridgeOptions) -> Result<Vec<Finding>, Failure> {
    let environment = &options.environment;
    let profile = Profile::locate(&options.profile, options.store.as_deref(), environment)?;
    let mut findings = vec![policy(&profile), folder(&profile)];
    if !profile.folder().is_dir() {
        return Ok(findings);
    }
    findings.extend([room(profile.folder()), socket(&profile, options)]);
    // Held until everything was read: nobody writes meanwhile.
    let lock = match AccountLock::acquire(&profile) {
        Ok(lock) => Some(lock),
        Err(LockError::Held { holder }) => {
            let who = holder.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
            findings.push(Finding::skipped(
                "archive",
                format!("another process{who} uses the account"),
                "stop it, to have the whole archive checked",
            ));
            None
        }
        Err(error) => {
            findings.push(Finding::bad("lock", error));
            None
        }
    };
    let key = key(&profile, options, &mut findings).await;
    if let (Some(_lock), Some(key)) = (&lock, key) {
        archive(&profile, key, &mut findings).await;
    }
    Ok(findings)
}

fn policy(profile: &Profile) -> Finding {
    match Policy::load(profile) {
        Ok(policy) => Finding::good("policy", policy.summary()),
        Err(error) => Finding::bad("policy", error),
    }
}

fn folder(profile: &Profile) -> Finding {
    let shown = profile.folder().display();
    let failed = |what: String, remedy: String| Finding {
        remedy: Some(remedy),
        ..Finding::bad("folder", Failure::new(crate::Cause::Failed, what))
    };
    match std::fs::metadata(profile.folder()) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            failed(format!("there is no account in {shown}"), "run: wa-cli link".into())
        }
        Err(error) => failed(format!("cannot use {shown}: {error}"), "see who owns it".into()),
        Ok(found) if is_open(&found) => failed(
            format!("the folder {shown} can be entered by others"),
            format!("run: chmod 700 {shown}"),
        ),
        Ok(_) => Finding::good("folder", shown.to_string()),
    }
}

#[cfg(unix)]
fn is_open(found: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    found.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open(_found: &std::fs::Metadata) -> bool {
    false
}

#[cfg(unix)]
fn room(folder: &Path) -> Finding {
    let Ok(found) = rustix::fs::statvfs(folder) else {
        return Finding::skipped("room", "how full the disk is cannot be told", "look yourself");
    };
    let room = found.f_bavail.saturating_mul(found.f_frsize);
    let detail = format!("{} MB are free", room / 1_000_000);
    if room >= ROOM {
        return Finding::good("room", detail);
    }
    let failure = Failure::new(crate::Cause::Failed, detail).remedy("make room on the disk");
    Finding::bad("room", failure)
}

#[cfg(not(unix))]
fn room(_folder: &Path) -> Finding {
    Finding::skipped("room", "how full the disk is cannot be told", "look yourself")
}

fn socket(profile: &Profile, options: &BridgeOptions) -> Finding {
    let socket = SocketPath::of(profile, &options.environment);
    let shown = socket.as_path().display().to_string();
    match socket.check_owner() {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            let failure = Failure::new(crate::Cause::Failed, error.to_string());
            Finding::bad("socket", failure.remedy("remove that folder, or set XDG_RUNTIME_DIR"))
        }
        _ => Finding::good("socket", shown),
    }
}

async fn key(
    profile: &Profile,
    options: &BridgeOptions,
    findings: &mut Vec<Finding>,
) -> Option<DatabaseKey> {
    let source = KeySource::new(options.key_file.as_deref(), &options.environment)
        .with_passphrase(options.passphrase.clone());
    let place = source.place(profile);
    let looked_in = profile.clone();
    let loaded = tokio::task::spawn_blocking(move || source.load(&looked_in)).await.ok()?;
    match loaded {
        Ok(Some(key)) => {
            findings.push(Finding::good("key", place));
            return Some(key);
        }
        Ok(None) if profile.database().exists() => findings.push(Finding::bad(
            "key",
            crate::KeyError::Missing { database: profile.database(), key_file: profile.key_file() },
        )),
        Ok(None) => findings.push(Finding::skipped("key", "there is none yet", "run: wa-cli link")),
        Err(error) => findings.push(Finding::bad("key", error)),
    }
    None
}

async fn archive(profile: &Profile, key: DatabaseKey, findings: &mut Vec<Finding>) {
    let problems = match SqliteStore::check(profile.database(), key.clone()).await {
        Ok(problems) => problems,
        Err(error) => return findings.push(Finding::bad("archive", error)),
    };
    if let Some(first) = problems.first() {
        let detail = format!("the archive is damaged in {} places: {first}", problems.len());
        let remedy =
            "put a backup of it back; without one, move it away and link anew: wa-cli link";
        let failure = Failure::new(crate::Cause::Failed, detail);
        return findings.push(Finding::bad("archive", failure.remedy(remedy)));
    }
    findings.push(Finding::good("archive", "every page is as it was written"));
    findings.push(account(profile, key).await);
}

async fn account(profile: &Profile, key: DatabaseKey) -> Finding {
    let store = match SqliteStore::open_read_only(profile.database(), key).await {
        Ok(store) => store,
        Err(error) => return Finding::bad("account", error),
    };
    let finding = match store.account().await {
        Ok(Some(account)) if account.is_linked() => {
            Finding::good("account", "this device is linked")
        }
        Ok(_) => Finding::skipped("account", "no device is linked", "run: wa-cli link"),
        Err(error) => Finding::bad("account", error),
    };
    // Nothing was written.
    let _ = store.close().await;
    finding
}
