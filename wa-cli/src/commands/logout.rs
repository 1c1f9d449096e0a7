//! `logout`: the server forgets this device; the archive stays unless it is to go too.

use std::{fs, io};

use serde_json::json;
use wa_bridge::{
    AccountLock, Profile,
    api::{AccountView, Logout, Status},
};

use crate::{
    args::LogoutArguments,
    confirm,
    failure::{Cause, Failure},
    session::Session,
    view::account,
};

pub(crate) async fn run(arguments: &LogoutArguments, session: &Session<'_>) -> Result<(), Failure> {
    let who = unlink(arguments, session).await?;
    if arguments.delete_archive {
        delete_archive(session).await?;
    }
    let archive = if arguments.delete_archive { "deleted" } else { "kept" };
    let text = match &who {
        Some(who) => format!("logged out {}; the archive was {archive}", account::who(who)),
        None => format!("the archive was {archive}"),
    };
    session.output.result(&json!({ "account": who, "archive": archive }), &text)
}

/// Unlinks the device. Where none is linked, only an archive that is to go is a reason to go on.
async fn unlink(
    arguments: &LogoutArguments,
    session: &Session<'_>,
) -> Result<Option<AccountView>, Failure> {
    let status = session.call(Status::default()).await?;
    if status.account.is_none() && !arguments.delete_archive {
        let message = format!("no device is linked in {}", status.folder);
        return Err(Failure::new(Cause::NotLinked, message).remedy("run: wa-cli link"));
    }
    if !arguments.yes {
        let who = status.account.as_ref().map(|it| format!("Log out {}", account::who(it)));
        let what = match (who, arguments.delete_archive) {
            (Some(who), true) => format!("{who} and delete its archive"),
            (Some(who), false) => who,
            (None, _) => "Delete the archive".into(),
        };
        confirm::ask(&what, session.output).await?;
    }
    match status.account {
        None => Ok(None),
        Some(before) => Ok(session.call(Logout {}).await?.account.or(Some(before))),
    }
}

/// Deletes the archive, if this process owns it.
async fn delete_archive(session: &Session<'_>) -> Result<(), Failure> {
    let in_use = || {
        Failure::new(Cause::Locked, "the archive was not deleted: another process uses it")
            .remedy("stop that process, and run: wa-cli logout --delete-archive")
    };
    if !session.bridge.is_owner().await {
        return Err(in_use());
    }
    let profile = session.bridge.profile().clone();
    session.bridge.close().await?;
    // Somebody may have taken over in between.
    let lock = AccountLock::acquire(&profile).map_err(|_| in_use())?;
    let deleted = delete(&profile);
    drop(lock);
    deleted
}

fn delete(profile: &Profile) -> Result<(), Failure> {
    let database = profile.database();
    let beside = |suffix: &str| {
        let mut path = database.as_os_str().to_owned();
        path.push(suffix);
        path.into()
    };
    let files = [database.clone(), beside("-wal"), beside("-shm")].map(fs::remove_file);
    let media = fs::remove_dir_all(profile.media());
    for removed in files.into_iter().chain([media]) {
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let folder = profile.folder().display();
                let message = format!("cannot delete the archive in {folder}: {error}");
                return Err(Failure::new(Cause::Failed, message));
            }
            _ => {}
        }
    }
    Ok(())
}
