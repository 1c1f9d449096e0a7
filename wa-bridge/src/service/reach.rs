//! Where something may be sent, by what the policy says.
//!
//! Knows nothing of agreement and pace; see [`super::gate`].

use wa_proto::Jid;
use wa_store::{Scope, Strangers};

use super::Call;
use crate::{
    Archive,
    failure::{Cause, Failure},
    policy::Broadcasts,
    view::number,
};

impl Call<'_> {
    /// Whether a chat may be written to.
    ///
    /// # Errors
    /// [`Cause::Forbidden`].
    pub(super) async fn may_write(&self, chat: &Jid) -> Result<(), Failure> {
        let scope = self.write_scope();
        for except in excepted(self.readable_scope()).into_iter().chain(excepted(&scope)) {
            self.is_nobody_of(chat, except).await?;
        }
        self.may_write_within(chat, scope).await
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
        for mut scope in [self.readable_scope().clone(), self.write_scope()] {
            scope.strangers = Strangers::Shown;
            if !Archive::within(self.store(), scope).has_chat(group).await? {
                return Err(out_of_reach(group));
            }
        }
        Ok(())
    }

    async fn may_write_within(&self, chat: &Jid, scope: Scope) -> Result<(), Failure> {
        if self.may_read(chat).await? && Archive::within(self.store(), scope).has_chat(chat).await?
        {
            return Ok(());
        }
        Err(out_of_reach(chat))
    }

    /// What may be written to. What reaches people whom nobody names is never an assistant's to
    /// choose.
    fn write_scope(&self) -> Scope {
        let broadcasts = match self.is_human() {
            true => Broadcasts::Allowed,
            false => Broadcasts::Named,
        };
        self.policy().write.scope(broadcasts)
    }

    /// Makes sure that an address is not that of somebody whose number is kept out: where neither its
    /// number nor the other's LID is known, the two may be one person.
    async fn is_nobody_of(&self, chat: &Jid, phone: &Jid) -> Result<(), Failure> {
        let store = self.store();
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
}

/// Everybody whom a scope leaves out one by one.
fn excepted(scope: &Scope) -> Vec<&Jid> {
    scope.except.iter().chain(scope.also.iter().flat_map(excepted)).collect()
}

fn out_of_reach(chat: &Jid) -> Failure {
    let message = format!("the policy does not let anything be sent to {chat}");
    Failure::new(Cause::Forbidden, message)
        .remedy("leave it, or have a person change the section [write] of policy.toml")
}
