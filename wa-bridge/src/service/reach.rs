//! Where something may be sent, by what the policy says.
//!
//! Knows nothing of agreement and pace; see [`super::gate`].

use wa_proto::Jid;
use wa_store::{Scope, Store, Strangers};

use super::Call;
use crate::{
    Archive,
    failure::{Cause, Failure},
    policy::{Broadcasts, Policy},
    view::number,
};

/// Whether a chat may be written to under a policy, by a person or an assistant.
///
/// # Errors
/// [`Cause::Forbidden`].
pub(super) async fn may_write(
    policy: &Policy,
    is_human: bool,
    chat: &Jid,
    store: &dyn Store,
) -> Result<(), Failure> {
    for scope in scopes(policy, is_human) {
        for phone in excepted(&scope) {
            is_nobody_of(chat, phone, store).await?;
        }
        if !Archive::within(store, scope).has_chat(chat).await? {
            return Err(out_of_reach(chat));
        }
    }
    Ok(())
}

/// What has to hold a chat that is written to: it may be read, too. What reaches people whom nobody
/// names is never an assistant's to choose.
fn scopes(policy: &Policy, is_human: bool) -> [Scope; 2] {
    let broadcasts = if is_human { Broadcasts::Allowed } else { Broadcasts::Named };
    [policy.read.scope(Broadcasts::Allowed), policy.write.scope(broadcasts)]
}

/// The same scope, with strangers in it.
fn with_strangers(mut scope: Scope) -> Scope {
    scope.strangers = Strangers::Shown;
    scope.also = scope.also.into_iter().map(with_strangers).collect();
    scope
}

/// Everybody whom a scope leaves out one by one.
fn excepted(scope: &Scope) -> Vec<&Jid> {
    scope.except.iter().chain(scope.also.iter().flat_map(excepted)).collect()
}

/// Makes sure that an address is not that of somebody whose number is kept out: where neither its
/// number nor the other's LID is known, the two may be one person.
async fn is_nobody_of(chat: &Jid, phone: &Jid, store: &dyn Store) -> Result<(), Failure> {
    let is_told_apart = !chat.is_lid()
        || !phone.is_phone()
        || store.phone_of(chat).await?.is_some()
        || store.lid_of(phone).await?.is_some();
    if is_told_apart {
        return Ok(());
    }
    let phone = number(&phone.to_user()).unwrap_or_default();
    let message =
        format!("the policy keeps {phone} out, and it is not known whether {chat} is theirs");
    Err(Failure::new(Cause::Forbidden, message).remedy("name the recipient by phone number"))
}

impl Call<'_> {
    /// Whether a chat may be written to.
    ///
    /// # Errors
    /// [`Cause::Forbidden`].
    pub(super) async fn may_write(&self, chat: &Jid) -> Result<(), Failure> {
        self.may_write_under(self.policy(), chat).await
    }

    /// Whether a chat may be written to by a policy that is perhaps another by now.
    ///
    /// # Errors
    /// [`Cause::Forbidden`].
    pub(super) async fn may_write_under(&self, policy: &Policy, chat: &Jid) -> Result<(), Failure> {
        may_write(policy, self.is_human(), chat, self.store()).await
    }

    /// Whether each of these may be written to.
    ///
    /// # Errors
    /// [`Cause::Forbidden`].
    pub(super) async fn may_write_to_all(&self, chats: &[Jid]) -> Result<(), Failure> {
        for chat in chats {
            self.may_write(chat).await?;
        }
        Ok(())
    }

    /// Whether a group may be joined, in which nobody has written yet as far as this account knows.
    ///
    /// # Errors
    /// [`Cause::Forbidden`].
    pub(super) async fn may_join(&self, group: &Jid) -> Result<(), Failure> {
        for scope in scopes(self.policy(), self.is_human()).map(with_strangers) {
            if !Archive::within(self.store(), scope).has_chat(group).await? {
                return Err(out_of_reach(group));
            }
        }
        Ok(())
    }
}

fn out_of_reach(chat: &Jid) -> Failure {
    let message = format!("the policy does not let anything be sent to {chat}");
    Failure::new(Cause::Forbidden, message)
        .remedy("leave it, or have a person change the section [write] of policy.toml")
}

/// Whether two addresses are of one person or chat.
pub(super) async fn is_same_chat(
    one: &Jid,
    other: &Jid,
    store: &dyn Store,
) -> Result<bool, Failure> {
    let (one, other) = (one.to_user(), other.to_user());
    Ok(one == other
        || store.lid_of(&one).await?.as_ref() == Some(&other)
        || store.lid_of(&other).await?.as_ref() == Some(&one))
}
