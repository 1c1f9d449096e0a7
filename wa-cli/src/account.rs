//! Opening an account: its folder, its lock, its key, its database.

use std::sync::Arc;

use wa_bridge::{AccountLock, Environment, KeySource, Profile};
use wa_client::HistoryDepth;
use wa_store::{Account, Change, Changes, SqliteStore, Store};

use crate::{
    args::GlobalArguments,
    failure::{Cause, Failure},
};

/// An account whose database is open.
pub(crate) struct OpenAccount {
    pub(crate) profile: Profile,
    pub(crate) store: Arc<dyn Store>,
    /// Held until the command is done; what only reads does without.
    _lock: Option<AccountLock>,
}

/// The setting of the store that says how much of its past the phone is asked for.
const HISTORY_DEPTH: &str = "wa-cli/history-depth";

/// What a command wants of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Only to read the archive, beside whoever owns the account.
    Read,
    /// To own an account that there is.
    Own,
    /// To own the account; makes it if there is none.
    Create,
}

impl OpenAccount {
    /// Opens the account that was named on the command line.
    pub(crate) async fn open(global: &GlobalArguments, access: Access) -> Result<Self, Failure> {
        let environment = Environment::from_process();
        let profile = locate(global, &environment)?;
        if access != Access::Create && !profile.database().exists() {
            return Err(not_linked(&profile));
        }
        profile.prepare()?;
        let lock = match access {
            Access::Own | Access::Create => Some(AccountLock::acquire(&profile)?),
            Access::Read => None,
        };
        let named = global.key_file.as_deref();
        let key = KeySource::new(named, &environment).load_or_create(&profile)?;
        let store = match access {
            Access::Own | Access::Create => SqliteStore::open(&profile.database(), key).await?,
            Access::Read => SqliteStore::open_read_only(&profile.database(), key).await?,
        };
        Ok(Self { profile, store: Arc::new(store), _lock: lock })
    }

    /// The account that is linked here, if one is.
    pub(crate) async fn linked(&self) -> Result<Option<Account>, Failure> {
        Ok(self.store.account().await?.filter(Account::is_linked))
    }

    /// The account that is linked here; a failure if none is.
    pub(crate) async fn require_link(&self) -> Result<Account, Failure> {
        self.linked().await?.ok_or_else(|| not_linked(&self.profile))
    }

    /// How much of its past the phone was asked for when this device was linked. The phone gives it
    /// long after, to whichever command is connected then.
    pub(crate) async fn history_depth(&self) -> Result<HistoryDepth, Failure> {
        let told = self.store.setting(HISTORY_DEPTH).await?;
        Ok(match told.as_deref() {
            Some(b"none") => HistoryDepth::None,
            Some(b"full") => HistoryDepth::Full,
            _ => HistoryDepth::Recent,
        })
    }

    /// Remembers how much of its past the phone is asked for.
    pub(crate) async fn remember_history_depth(&self, depth: HistoryDepth) -> Result<(), Failure> {
        let value = match depth {
            HistoryDepth::None => Some(b"none".to_vec()),
            HistoryDepth::Full => Some(b"full".to_vec()),
            _ => None,
        };
        let setting = Change::PutSetting { name: HISTORY_DEPTH.into(), value };
        self.store.commit(Changes::from(setting)).await?;
        Ok(())
    }

    /// Closes the database in order. What the command itself came to matters more than that.
    pub(crate) async fn close_after<T>(self, result: Result<T, Failure>) -> Result<T, Failure> {
        let closed = self.store.close().await;
        let value = result?;
        closed?;
        Ok(value)
    }
}

/// Where the account that was named on the command line lives.
fn locate(global: &GlobalArguments, environment: &Environment) -> Result<Profile, Failure> {
    let name = global
        .profile
        .parse()
        .map_err(|error: wa_bridge::InvalidProfileName| usage(&error.to_string()))?;
    Ok(Profile::locate(&name, global.store.as_deref(), environment)?)
}

fn usage(message: &str) -> Failure {
    Failure::new(Cause::Usage, message)
}

/// No device is linked in this profile.
pub(crate) fn not_linked(profile: &Profile) -> Failure {
    let folder = profile.folder().display();
    Failure::new(Cause::NotLinked, format!("no device is linked in {folder}"))
        .remedy("run: wa-cli link")
}
