//! The tokens people give those they let write to them.
//!
//! Owns keeping the tokens of others, attaching them, and giving one's own once a week. Tokens hang
//! on the LID. Knows nothing of stanzas.

use std::sync::Arc;

use wa_crypto::hmac_sha256;
use wa_proto::{Jid, request::IssuePrivacyTokens, stanza};
use wa_store::{Change, PrivacyToken, SecretBytes, StoreError, Timestamp};

use crate::{inner::Inner, lid, receipts};

/// Tokens are given once in each of these, in seconds: 7 days.
const BUCKET_SECS: i64 = 7 * 24 * 60 * 60;
/// For how many buckets a token is good.
const VALID_BUCKETS: i64 = wa_store::TOKEN_WEEKS;
/// The kind of token that lets people write.
const TRUSTED_CONTACT: &str = "trusted_contact";

/// Keeps the tokens that somebody gave.
///
/// # Errors
/// The store's.
pub(crate) async fn keep(
    inner: &Inner,
    from: &Jid,
    tokens: &[stanza::PrivacyToken],
) -> Result<(), StoreError> {
    for token in tokens.iter().filter(|token| token.kind == TRUSTED_CONTACT) {
        // A token names whom it was given to or whose it is; own addresses mean the giver.
        let own = crate::receive::own_jids(&inner.account());
        let named =
            token.jid.as_ref().filter(|jid| !own.as_ref().is_some_and(|own| own.is_me(jid)));
        let giver = lid::canonical(&*inner.store, &named.unwrap_or(from).to_user()).await?;
        let known = inner.store.privacy_token(&giver).await?;
        let timestamp = receipts::timestamp(token.timestamp);
        if known.as_ref().is_some_and(|known| known.timestamp > timestamp) {
            continue;
        }
        let kept = PrivacyToken {
            token: token.token.to_vec().into(),
            timestamp,
            issued_at: known.and_then(|known| known.issued_at),
        };
        inner.store.commit(Change::PutPrivacyToken { jid: giver, token: kept }.into()).await?;
    }
    Ok(())
}

/// The token that somebody gave, if it is still good.
///
/// # Errors
/// The store's.
pub(crate) async fn of(inner: &Inner, to: &Jid) -> Result<Option<Vec<u8>>, StoreError> {
    let token = inner.store.privacy_token(to).await?;
    Ok(token
        .filter(|token| !token.token.is_empty() && is_valid(token.timestamp, inner.now()))
        .map(|token| token.token.as_bytes().to_vec()))
}

/// What to show somebody who gave no token: made of the account's salt and their LID. `None` as
/// long as either is not known.
///
/// # Errors
/// The store's.
pub(crate) async fn stand_in(inner: &Inner, to: &Jid) -> Result<Option<Vec<u8>>, StoreError> {
    let to = lid::canonical(&*inner.store, &to.to_user()).await?;
    let Some(salt) = inner.store.nct_salt().await?.filter(|salt| !salt.is_empty()) else {
        return Ok(None);
    };
    let is_person = to.is_lid() && !to.is_bot();
    Ok(is_person.then(|| hmac_sha256(salt.as_bytes(), &[to.to_string().as_bytes()]).to_vec()))
}

/// Gives somebody a token of this account's, in the background, if they have none of this bucket.
pub(crate) fn issue(inner: &Arc<Inner>, to: Jid) {
    spawn_issue(inner, to, false);
}

/// Gives somebody a token although they have one: they were set up anew and lost it.
pub(crate) fn issue_again(inner: &Arc<Inner>, to: Jid) {
    spawn_issue(inner, to, true);
}

fn spawn_issue(inner: &Arc<Inner>, to: Jid, again: bool) {
    let shared = Arc::clone(inner);
    inner.spawn(async move {
        if let Err(error) = give(&shared, &to, again).await {
            tracing::debug!(%error, "no privacy token was given");
        }
    });
}

async fn give(inner: &Inner, to: &Jid, again: bool) -> Result<(), crate::Error> {
    // Two messages at once give one token.
    let _one_at_a_time = inner.locks.tokens().await;
    let now = inner.now();
    let known = inner.store.privacy_token(to).await?;
    let issued_at = known.as_ref().and_then(|known| known.issued_at);
    let is_due = match again {
        // Somebody who never got one needs none anew.
        true => issued_at.is_some(),
        false => issued_at.is_none_or(|at| bucket(at) != bucket(now)),
    };
    if !is_due {
        return Ok(());
    }
    let timestamp = u64::try_from(now.secs()).unwrap_or_default();
    inner.request(&IssuePrivacyTokens { to: vec![to.clone()], timestamp }).await?;
    // Also for people who gave none themselves, so that a restart does not give another. One that
    // came meanwhile is kept.
    let known = inner.store.privacy_token(to).await?;
    let none =
        PrivacyToken { token: SecretBytes::default(), timestamp: Timestamp::MIN, issued_at: None };
    let token = PrivacyToken { issued_at: Some(now), ..known.unwrap_or(none) };
    inner.store.commit(Change::PutPrivacyToken { jid: to.clone(), token }.into()).await?;
    Ok(())
}

fn bucket(at: Timestamp) -> i64 {
    at.secs() / BUCKET_SECS
}

fn is_valid(given: Timestamp, now: Timestamp) -> bool {
    bucket(now) - bucket(given) < VALID_BUCKETS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_four_weeks_counted_in_whole_ones() {
        let given = Timestamp::from_secs(10 * BUCKET_SECS + 5);
        assert!(is_valid(given, Timestamp::from_secs(14 * BUCKET_SECS - 1)));
        assert!(!is_valid(given, Timestamp::from_secs(14 * BUCKET_SECS)));
    }
}
