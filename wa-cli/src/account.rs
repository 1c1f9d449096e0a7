//! Opening an account: its folder, its lock, its key, its database.

use std::{path::Path, sync::Arc};

use wa_bridge::{AccountLock, Environment, KeySource, Profile};
use wa_store::{SqliteStore, Store};

use crate::{
    args::GlobalArguments,
    failure::{Cause, Failure},
};

/// An account whose database is open.
pub(crate) struct OpenAccount {
    pub(crate) profile: Profile,
    pub(crate) store: Arc<SqliteStore>,
    /// Held until the command is done; what only reads does without.
    _lock: Option<AccountLock>,
}

/// What a command wants of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Only to read the archive, beside whoever owns the account.
    Read,
    /// To own the account; makes it if there is none.
    Own,
}

impl OpenAccount {
    /// Opens the account that was named on the command line.
    pub(crate) async fn open(global: &GlobalArguments, access: Access) -> Result<Self, Failure> {
        let environment = Environment::from_process();
        let name = global.profile.parse().map_err(|error| {
            Failure::new(Cause::Usage, format!("{error}"))
        })?;
        let profile = Profile::locate(&name, global.store.as_deref(), &environment)?;
        if access == Access::Read && !profile.database().exists() {
            return Err(not_linked(&profile));
        }
        profile.prepare()?;
        let lock = match access {
            Access::Own => Some(AccountLock::acquire(&profile)?),
            Access::Read => None,
        };
        let key = KeySource::new(global.key_file.as_deref(), &environment).load_or_create(&profile)?;
        let store = match access {
            Access::Own => SqliteStore::open(&profile.database(), &key).await?,
            Access::Read => SqliteStore::open_read_only(&profile.database(), &key).await?,
        };
        Ok(Self { profile, store: Arc::new(store), _lock: lock })
    }

    /// Refuses to go on where no device is linked.
    pub(crate) async fn require_link(&self) -> Result<(), Failure> {
        match self.store.account().await? {
            Some(account) if account.is_linked() => Ok(()),
            _ => Err(not_linked(&self.profile)),
        }
    }

    /// Closes the database in order.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        Ok(self.store.close().await?)
    }
}

/// No device is linked in this profile.
pub(crate) fn not_linked(profile: &Profile) -> Failure {
    let folder: &Path = profile.folder();
    Failure::new(Cause::NotLinked, format!("no device is linked in {}", folder.display()))
        .remedy("run: wa-cli link")
}
