//! One command's way to the account, whoever owns it.
//!
//! Knows nothing of what the command does with it.

use wa_bridge::{
    Bridge, BridgeOptions, Caller, InvalidProfileName, Passphrase, Perform, Profile,
    api::{CandidateView, CatchUp, Named, Resolve, SentStatus, SentView},
};

use crate::{
    args::{GlobalArguments, NamedChat, NamedGroup},
    failure::{Cause, Failure},
    output::Output,
    passphrase, signal,
};

/// The account, and where to tell of it.
pub(crate) struct Session<'a> {
    pub(crate) bridge: Bridge,
    pub(crate) global: &'a GlobalArguments,
    pub(crate) output: &'a Output,
}

impl<'a> Session<'a> {
    /// Opens the account.
    pub(crate) async fn open(
        options: BridgeOptions,
        global: &'a GlobalArguments,
        output: &'a Output,
    ) -> Result<Self, Failure> {
        let bridge = Bridge::open(options).await?;
        Ok(Self { bridge, global, output })
    }

    /// Has a call done.
    pub(crate) async fn call<O: Perform>(&self, operation: O) -> Result<O::Answer, Failure> {
        self.bridge.call(operation).await
    }

    /// Takes in what waits on the server, if that is wanted.
    pub(crate) async fn sync(&self, wanted: bool) -> Result<(), Failure> {
        if wanted {
            self.call(CatchUp {}).await?;
        }
        Ok(())
    }

    /// The chat that was named, so that the next call finds that one alone.
    pub(crate) async fn chat(&self, named: &NamedChat) -> Result<String, Failure> {
        self.picked(&named.chat, named.pick, None).await
    }

    /// The same for a group.
    pub(crate) async fn group(&self, named: &NamedGroup) -> Result<String, Failure> {
        self.picked(&named.group, named.pick, Some(Named::Group)).await
    }

    /// The same for what is `only` a person or a group: the one that was picked, where the name
    /// fits several.
    pub(crate) async fn picked(
        &self,
        named: &str,
        pick: Option<u64>,
        only: Option<Named>,
    ) -> Result<String, Failure> {
        let Some(pick) = pick else { return Ok(named.to_owned()) };
        let resolve = Resolve { named: named.to_owned(), only, beyond_policy: false };
        match self.call(resolve).await {
            Ok(found) => Ok(found.jid),
            Err(failure) => Ok(one_of(failure, pick)?.jid),
        }
    }

    /// Who or what was named, whatever the policy says of them: for a person who writes it.
    pub(crate) async fn beyond_policy(&self, named: &NamedChat) -> Result<CandidateView, Failure> {
        let resolve = Resolve { named: named.chat.clone(), only: None, beyond_policy: true };
        match (self.call(resolve).await, named.pick) {
            (Err(failure), Some(pick)) => one_of(failure, pick),
            (found, _) => found,
        }
    }

    /// Tells that something was sent; that it was not yet is a failure.
    pub(crate) fn sent(&self, view: &SentView) -> Result<(), Failure> {
        match unsent(view) {
            Some(failure) => Err(failure),
            None => self.output.result(
                view,
                &format!("sent {} to {}", view.id, crate::view::chat::recipient(view)),
            ),
        }
    }

    /// Lets go of the account in order. What the command itself came to matters more than that; who
    /// asks to stop once more does not wait for it.
    pub(crate) async fn close_after(self, result: Result<(), Failure>) -> Result<(), Failure> {
        let closed = tokio::select! {
            closed = self.bridge.close() => closed,
            () = signal::stop() => Ok(()),
        };
        result.and(closed)
    }
}

/// The one of several that was picked.
fn one_of(mut failure: Failure, pick: u64) -> Result<CandidateView, Failure> {
    let place = usize::try_from(pick).ok().and_then(|pick| pick.checked_sub(1));
    match place.filter(|place| *place < failure.candidates.len()) {
        Some(place) => Ok(failure.candidates.swap_remove(place)),
        None => Err(failure),
    }
}

/// How the account that was named on the command line is opened.
pub(crate) fn options(global: &GlobalArguments) -> Result<BridgeOptions, Failure> {
    let profile = global
        .profile
        .parse()
        .map_err(|error: InvalidProfileName| Failure::new(Cause::Usage, error.to_string()))?;
    let mut caller = Caller::person("wa-cli");
    caller.time_limit = global.timeout();
    let mut options = BridgeOptions::new(profile, caller)?;
    options.store.clone_from(&global.store);
    options.key_file.clone_from(&global.key_file);
    options.passphrase = Passphrase::new(global.passphrase_file.as_deref(), &options.environment)
        .or_ask(passphrase::ask);
    Ok(options)
}

/// Where the account that was named on the command line is kept, and how it is opened.
pub(crate) fn profile(global: &GlobalArguments) -> Result<(BridgeOptions, Profile), Failure> {
    let options = options(global)?;
    let profile =
        Profile::locate(&options.profile, options.store.as_deref(), &options.environment)?;
    Ok((options, profile))
}

/// What keeps a message from being sent, if something does: what is on disk is not lost.
fn unsent(view: &SentView) -> Option<Failure> {
    let reason = view.reason.as_deref().unwrap_or("the server did not confirm it in time");
    let failure = match view.status {
        SentStatus::Queued => {
            Failure::new(Cause::Queued, format!("the message is queued, not sent: {reason}"))
                .remedy("it is sent the next time wa-cli connects; do not send it again")
        }
        SentStatus::Failed => {
            Failure::new(Cause::Failed, format!("the message was not sent: {reason}"))
        }
        _ => return None,
    };
    Some(failure.about(view.id.as_str()))
}

#[cfg(test)]
mod tests {
    use wa_bridge::api::ChatTitle;

    use super::*;

    #[test]
    fn what_is_on_disk_is_called_queued_and_not_lost() {
        let mut view = SentView::queued(
            "3EB0C0FFEE".into(),
            "+1".into(),
            "1@lid".into(),
            ChatTitle::default(),
        );
        let queued = unsent(&view).unwrap();
        assert_eq!(queued.cause, Cause::Queued);
        assert_eq!(queued.message_id.as_deref(), Some("3EB0C0FFEE"));
        view.status = SentStatus::Failed;
        assert_eq!(unsent(&view).unwrap().cause, Cause::Failed);
        view.status = SentStatus::Delivered;
        assert_eq!(unsent(&view), None);
    }
}
