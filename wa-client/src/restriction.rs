//! What keeps this account from writing to people: found out, kept, told.
//!
//! A message that is refused with 463 says nothing of why; the server tells it on request. Owns
//! asking, and what the server tells by itself. A refused message is never sent again, whatever is
//! found.

use std::time::Duration;

use serde_json::{Value, json};
use wa_store::{Change, StoreError};

use crate::{
    Client,
    error::Error,
    event::{AccountEvent, Event, Restriction},
    inner::Inner,
    mex,
};

/// The code with which the server refuses messages of restricted accounts.
pub(crate) const RESTRICTED: u16 = 463;
/// The document that tells a time-lock.
const TIMELOCK: &str = "23983697327930364";
/// The document that tells how many new chats may be begun.
const MESSAGE_CAP: &str = "24503548349331633";
/// The setting of the store that holds what is known.
const SETTING: &str = "account/restriction";
/// How long the server has to explain a refusal.
const EXPLAIN_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a time-lock lasts whose end the server does not tell, in seconds.
const UNTOLD_SECS: u64 = 60;

impl Client {
    /// The restriction of this account that is known and not over, without asking the server.
    ///
    /// # Errors
    /// The store's.
    pub async fn restriction(&self) -> Result<Option<Restriction>, Error> {
        Ok(known(self.inner()).await?)
    }

    /// Asks the server whether this account is restricted, and keeps the answer.
    ///
    /// # Errors
    /// As every request.
    pub async fn check_restriction(&self) -> Result<Option<Restriction>, Error> {
        let found = ask(self.inner()).await?;
        keep(self.inner(), found.as_ref()).await?;
        Ok(found)
    }
}

/// The restriction that is known and not over.
///
/// # Errors
/// The store's.
pub(crate) async fn known(inner: &Inner) -> Result<Option<Restriction>, StoreError> {
    let kept = inner.store.setting(SETTING).await?;
    let kept = kept.and_then(|kept| serde_json::from_slice::<Restriction>(&kept).ok());
    Ok(kept.filter(|kept| kept.until().is_none_or(|until| until > inner.clock.unix())))
}

async fn keep(inner: &Inner, restriction: Option<&Restriction>) -> Result<(), StoreError> {
    let value = restriction.and_then(|restriction| serde_json::to_vec(restriction).ok());
    inner.store.commit(Change::PutSetting { name: SETTING.to_owned(), value }.into()).await?;
    Ok(())
}

/// A message was refused with [`RESTRICTED`]: finds out why, keeps it and tells it.
pub(crate) async fn explain(inner: &Inner) {
    let found = match tokio::time::timeout(EXPLAIN_TIMEOUT, ask(inner)).await {
        Ok(Ok(Some(restriction))) => restriction,
        Ok(Ok(None)) => Restriction::NotPermitted,
        Ok(Err(error)) => {
            tracing::warn!(%error, "the server does not explain a restriction");
            Restriction::Unknown
        }
        Err(_) => Restriction::Unknown,
    };
    if let Err(error) = keep(inner, Some(&found)).await {
        tracing::error!(%error, "a restriction cannot be kept");
    }
    tell(inner, found);
}

fn tell(inner: &Inner, restriction: Restriction) {
    let until = restriction.until();
    inner.emit(Event::AccountRestricted { code: RESTRICTED, restriction, until });
}

/// Asks for both kinds of restriction. A time-lock weighs more.
async fn ask(inner: &Inner) -> Result<Option<Restriction>, Error> {
    let answer = mex::query(inner, TIMELOCK, &json!({})).await?;
    let timelock = answer.get("xwa2_fetch_account_reachout_timelock");
    if let Some(restriction) = timelock.and_then(|timelock| read_timelock(timelock, None)) {
        return Ok(Some(restriction));
    }
    let input = json!({ "input": { "type": "INDIVIDUAL_NEW_CHAT_MSG" } });
    let answer = mex::query(inner, MESSAGE_CAP, &input).await?;
    Ok(answer.get("xwa2_message_capping_info").and_then(read_cap))
}

/// News of restrictions among the news in GraphQL's form; whether it was one.
///
/// # Errors
/// The store's.
pub(crate) async fn told(inner: &Inner, news: &Value) -> Result<bool, StoreError> {
    let found = if let Some(timelock) = news.get("xwa2_notify_account_reachout_timelock") {
        read_timelock(timelock, Some(inner.clock.unix() + UNTOLD_SECS))
    } else if let Some(cap) = news.get("xwa2_notify_new_chat_messages_capping_info_update") {
        read_cap(cap)
    } else {
        return Ok(false);
    };
    let before = known(inner).await?;
    keep(inner, found.as_ref()).await?;
    match found {
        Some(restriction) => tell(inner, restriction),
        None if before.is_some() => inner.emit(Event::Account(AccountEvent::RestrictionLifted)),
        None => {}
    }
    Ok(true)
}

fn read_timelock(value: &Value, untold: Option<u64>) -> Option<Restriction> {
    if value.get("is_active").and_then(Value::as_bool) != Some(true) {
        return None;
    }
    let until = mex::number(value.get("time_enforcement_ends")).filter(|until| *until > 0);
    let kind = value.get("enforcement_type").and_then(Value::as_str).unwrap_or("DEFAULT");
    let kind = kind.chars().take(MAX_KIND).collect();
    Some(Restriction::Timelock { kind, until: until.or(untold) })
}

fn read_cap(value: &Value) -> Option<Restriction> {
    let used = mex::number(value.get("used_quota"))?;
    let total = mex::number(value.get("total_quota"))?;
    let is_capped = value.get("capping_status").and_then(Value::as_str) == Some("CAPPED");
    let until = mex::number(value.get("cycle_end_timestamp")).filter(|until| *until > 0);
    is_capped.then_some(Restriction::MessageCap { used, total, until })
}

/// The longest name of a restriction, in characters.
const MAX_KIND: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_lock_counts_while_it_is_active() {
        let value = json!({
            "is_active": true, "time_enforcement_ends": "1780003600",
            "enforcement_type": "BIZ_QUALITY",
        });
        let kind = "BIZ_QUALITY".to_owned();
        let until = Some(1_780_003_600);
        assert_eq!(read_timelock(&value, None), Some(Restriction::Timelock { kind, until }));
        assert_eq!(read_timelock(&json!({ "is_active": false }), Some(7)), None);
        let untold = read_timelock(&json!({ "is_active": true }), Some(7)).unwrap();
        assert_eq!(untold.until(), Some(7));
    }

    #[test]
    fn a_warning_before_the_cap_is_no_restriction() {
        let value = |status| {
            json!({ "total_quota": 10, "used_quota": "10", "capping_status": status,
                    "cycle_end_timestamp": 5 })
        };
        assert_eq!(read_cap(&value("SECOND_WARNING")), None);
        let capped = Restriction::MessageCap { used: 10, total: 10, until: Some(5) };
        assert_eq!(read_cap(&value("CAPPED")), Some(capped));
    }
}
