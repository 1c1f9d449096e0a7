//! The account as a whole: how it stands, its link, what waits on the server.

use std::{fs, path::Path, time::Duration};

use tokio::time::{Instant, timeout, timeout_at};
use wa_store::{Account, Store};

use super::{Call, Perform, drafts, history, hold};
use crate::{
    api::{
        AccountView, CatchUp, Link, LinkState, LinkView, LoggedOutView, Logout, Status, StatusView,
        SyncView,
    },
    failure::{Cause, Failure, ending},
    view::HealthView,
};

/// How long a sync waits for the history that the phone has told of.
const HISTORY_TIME: Duration = Duration::from_secs(30);

/// How long a sync waits for messages that were queued before it, and for what the account's other
/// devices changed.
const FLUSH_TIME: Duration = Duration::from_secs(10);

/// How long a link waits for the next thing to show before it answers with what it showed last.
const LINK_POLL: Duration = Duration::from_secs(25);

impl Perform for Status {
    async fn perform(self, call: &Call<'_>) -> Result<StatusView, Failure> {
        let service = call.service;
        if self.online {
            call.require_link().await?;
            service.line.forget_ending();
            take_in(call).await?;
        }
        let (store, state) = (call.store(), service.line.state());
        let health = service.line.client().health();
        // What brings nothing and takes nothing is no connection.
        let connected = state.connected && health.troubles.is_empty();
        let stats = call.archive().stats().await?;
        let linked = store.account().await?.filter(Account::is_linked);
        let restriction = match linked {
            Some(_) => service.line.client().restriction().await.map_err(ending::of_error)?,
            None => None,
        };
        Ok(StatusView {
            profile: service.profile.name().to_string(),
            folder: service.profile.folder().display().to_string(),
            account: linked.as_ref().map(AccountView::new),
            connected,
            caught_up: connected && state.drained,
            problem: state.ended.map(|failure| failure.to_string()),
            health: HealthView::new(&health),
            restriction: restriction.map(|restriction| restriction.to_string()),
            silent_for: state.heard.map(|heard| heard.elapsed().as_secs()),
            database_bytes: size(&service.profile.database()),
            messages: stats.messages,
            chats: stats.chats,
            contacts: stats.contacts,
            outbox_pending: stats.outbox_pending,
            unreadable: stats.placeholders,
            gaps: history::gaps(call, wa_store::MAX_PAGE)
                .await?
                .len()
                .try_into()
                .unwrap_or(u64::MAX),
            drafts: drafts::count(call).await?,
            held_since: hold::since(store).await?,
            policy: call.policy().summary(),
        })
    }
}

impl Perform for CatchUp {
    async fn perform(self, call: &Call<'_>) -> Result<SyncView, Failure> {
        call.require_link().await?;
        call.service.line.forget_ending();
        let before = call.archive().stats().await?;
        take_in(call).await?;
        let after = call.archive().stats().await?;
        Ok(SyncView {
            messages: after.messages.saturating_sub(before.messages),
            outbox_pending: after.outbox_pending,
            unreadable: after.placeholders,
        })
    }
}

/// Connects, waits for the backlog, and gives what was queued before its chance to leave.
async fn take_in(call: &Call<'_>) -> Result<(), Failure> {
    let client = call.service.line.caught_up(call.deadline()).await?;
    // What does not get there in time does so later.
    settle(call, HISTORY_TIME, Quiet::History).await?;
    let settings = client.shared_settings();
    let limit = FLUSH_TIME.min(call.deadline().saturating_duration_since(Instant::now()));
    let known = async { Ok::<_, Failure>(settings.until_known(limit).await) };
    let _ = call.ask(known).await?;
    flush(call).await
}

/// Waits until nothing is left to be sent, for a short while: what does not leave now stays queued.
pub(super) async fn flush(call: &Call<'_>) -> Result<(), Failure> {
    settle(call, FLUSH_TIME, Quiet::Outbox).await
}

/// What is to come to rest.
#[derive(Debug, Clone, Copy)]
pub(super) enum Quiet {
    /// No part of the history waits to be read.
    History,
    /// Nothing waits to be sent.
    Outbox,
    /// Nothing waits to be told to the account's other devices.
    Settings,
}

impl Quiet {
    pub(super) async fn holds(self, store: &dyn Store) -> Result<bool, Failure> {
        Ok(match self {
            Self::History => store.history_chunks(1).await?.is_empty(),
            Self::Outbox => hold::is_outbox_quiet(store).await?,
            Self::Settings => store.pending_sync().await?.is_empty(),
        })
    }
}

/// Waits until something has come to rest, looking after every event, for at most so long.
pub(super) async fn settle(call: &Call<'_>, limit: Duration, quiet: Quiet) -> Result<(), Failure> {
    let line = &call.service.line;
    let deadline = call.deadline().min(Instant::now() + limit);
    let mut events = line.events();
    while !quiet.holds(call.store()).await? {
        if let Some(ended) = line.state().ended {
            return Err(ended);
        }
        // A listener that fell behind looks at once.
        if timeout_at(deadline, events.recv()).await.is_err() {
            break;
        }
    }
    Ok(())
}

impl Perform for Link {
    async fn perform(self, call: &Call<'_>) -> Result<LinkView, Failure> {
        let service = call.service;
        let is_logging_in = match service.line.state().link {
            Some((_, state)) => !matches!(state, LinkState::Linked { .. }),
            None => false,
        };
        if let Some(account) = linked(call.store()).await?
            && !(is_logging_in && self.after.is_some())
        {
            let account = AccountView::new(&account);
            let already = self.after.is_none();
            return Ok(LinkView { revision: 0, state: LinkState::Linked { account, already } });
        }
        let seen = match self.after {
            Some(seen) => seen,
            None => {
                let client =
                    service.line.begin_link(self.history, self.device_name.as_deref()).await?;
                if let Some(phone) = &self.phone {
                    // The code itself comes as an event; this fails where there will be none.
                    let asked = client.pair_with_code(phone.as_str());
                    call.ask(async { asked.await.map(drop) }).await.inspect_err(|failure| {
                        service.line.fail_link(failure.clone());
                    })?;
                }
                0
            }
        };
        next_to_show(call, seen, self.phone.is_some()).await
    }
}

/// Waits for the next thing to show after one that was seen.
async fn next_to_show(call: &Call<'_>, seen: u64, typed: bool) -> Result<LinkView, Failure> {
    let is_news = |link: &Option<(u64, LinkState)>| match link {
        // Whoever types a code has no use for one to scan.
        Some((_, LinkState::Starting)) => false,
        Some((_, LinkState::Scan { .. })) if typed => false,
        Some((revision, _)) => *revision > seen,
        None => false,
    };
    let deadline = call.deadline().min(Instant::now() + LINK_POLL);
    let line = &call.service.line;
    let state = match line.until(deadline, |state| is_news(&state.link)).await {
        Err(failure) if failure.cause == Cause::TimedOut => line.state(),
        state => state?,
    };
    let Some((revision, mut state)) = state.shown() else {
        return Err(Failure::new(Cause::Usage, "no device is being linked").remedy("begin anew"));
    };
    if let LinkState::Linked { already: false, .. } = state
        && let Some(account) = linked(call.store()).await?
    {
        let state = LinkState::Linked { account: AccountView::new(&account), already: false };
        return Ok(LinkView { revision, state });
    }
    if let LinkState::Passkey { page, .. } | LinkState::PasskeyCompare { page, .. } = &mut state {
        *page = call.service.link_page.open(line.state().attempt).await;
    }
    Ok(LinkView { revision, state })
}

impl Perform for Logout {
    async fn perform(self, call: &Call<'_>) -> Result<LoggedOutView, Failure> {
        let account = call.require_link().await?;
        match leave(call).await {
            // The phone may have been faster, or the end of the connection faster than the answer:
            // then there is nothing left to unlink.
            Err(failure) if failure.cause == Cause::NotLinked => {}
            Err(failure) if linked(call.store()).await?.is_some() => return Err(failure),
            _ => {}
        }
        Ok(LoggedOutView { account: Some(AccountView::new(&account)) })
    }
}

async fn leave(call: &Call<'_>) -> Result<(), Failure> {
    let client = call.online().await?;
    let left = call.deadline().saturating_duration_since(Instant::now());
    match timeout(left, client.logout()).await {
        Ok(result) => result.map_err(ending::of_error),
        Err(_) => Err(Failure::new(Cause::TimedOut, "the server did not confirm in time")
            .remedy("try again, or remove this device on the phone")),
    }
}

async fn linked(store: &dyn Store) -> Result<Option<Account>, Failure> {
    Ok(store.account().await?.filter(Account::is_linked))
}

/// The database and what is still in its log.
fn size(database: &Path) -> u64 {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    let len = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
    len(database) + len(Path::new(&log))
}
