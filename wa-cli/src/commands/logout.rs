//! `logout`: the server forgets this device; the archive stays unless it is to go too.

use std::{fs, io};

use serde_json::json;
use tokio::time::timeout;
use wa_bridge::Profile;

use crate::{
    account::{Access, OpenAccount, not_linked},
    args::{GlobalArguments, LogoutArguments},
    confirm, ending,
    failure::{Cause, Failure},
    output::Output,
    session::{self, Session},
    view::AccountView,
};

pub(crate) async fn run(
    arguments: &LogoutArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let account = OpenAccount::open(global, Access::Own).await?;
    let profile = account.profile.clone();
    let result = unlink(arguments, global, &account, output).await;
    let who = account.close_after(result).await?;
    if arguments.delete_archive {
        delete_archive(&profile)?;
    }
    let archive = if arguments.delete_archive { "deleted" } else { "kept" };
    let text = match &who {
        Some(who) => format!("logged out {}; the archive was {archive}", who.who()),
        None => format!("the archive was {archive}"),
    };
    Ok(output.result(&json!({ "account": who, "archive": archive }), &text)?)
}

/// Unlinks the device. Where none is linked, only an archive that is to go is a reason to go on.
async fn unlink(
    arguments: &LogoutArguments,
    global: &GlobalArguments,
    account: &OpenAccount,
    output: &Output,
) -> Result<Option<AccountView>, Failure> {
    let view = account.linked().await?.map(|linked| AccountView::new(&linked));
    if view.is_none() && !arguments.delete_archive {
        return Err(not_linked(&account.profile));
    }
    if !arguments.yes {
        let who = view.as_ref().map(|view| format!("Log out {}", view.who()));
        let what = match (who, arguments.delete_archive) {
            (Some(who), true) => format!("{who} and delete its archive"),
            (Some(who), false) => who,
            (None, _) => "Delete the archive".into(),
        };
        confirm::ask(&what, output).await?;
    }
    if view.is_none() {
        return Ok(None);
    }
    let left =
        session::with_open(account, global.timeout(), async |session, _| leave(session).await);
    match left.await {
        // The phone was faster: there is nothing left to unlink.
        Err(failure) if account.linked().await?.is_some() => Err(failure),
        _ => Ok(view),
    }
}

async fn leave(session: &mut Session) -> Result<(), Failure> {
    session.begin().await?;
    let left = session.time_left();
    match timeout(left, session.client.logout()).await {
        Ok(result) => result.map_err(ending::of_error),
        Err(_) => Err(Failure::new(Cause::TimedOut, "the server did not confirm in time")
            .remedy("try again, or remove this device on the phone")),
    }
}

fn delete_archive(profile: &Profile) -> Result<(), Failure> {
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
