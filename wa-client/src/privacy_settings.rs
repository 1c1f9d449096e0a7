//! What the user lets others see, as far as this client has to heed it.
//!
//! Owns the setting for read receipts: asked for at login, changed by notices, and on disk, so that
//! nothing read before the first answer is told to anybody who is not to know. Knows nothing of
//! receipts.

use wa_proto::request::PrivacySettings;
use wa_store::{Change, StoreError};

use crate::{connection::Link, inner::Inner, request::RequestError};

/// The category that says who learns what was read.
const READ_RECEIPTS: &str = "readreceipts";
/// Its value when nobody does.
const NOBODY: &str = "none";
/// The setting of the store that holds the value as the server gave it.
const SETTING: &str = "privacy/readreceipts";

/// Asks the server and keeps the answer. Without one, what was known before stays in force.
///
/// # Errors
/// The store's.
pub(crate) async fn refresh(inner: &Inner, link: &Link) -> Result<(), StoreError> {
    let deadline = tokio::time::Instant::now() + crate::request::REQUEST_TIMEOUT;
    match link.request(&inner.request_id(), &PrivacySettings, deadline).await {
        Ok(settings) => keep(inner, &settings).await,
        // A closed link shows by itself.
        Err(RequestError::Disconnected) => Ok(()),
        Err(error) => {
            tracing::warn!(%error, "the privacy settings are not known anew");
            Ok(())
        }
    }
}

/// Keeps what the server said of the settings: all of them, or those that changed.
///
/// # Errors
/// The store's.
pub(crate) async fn keep<T: AsRef<str>>(
    inner: &Inner,
    settings: &[(T, T)],
) -> Result<(), StoreError> {
    let told = settings.iter().find(|(name, _)| name.as_ref() == READ_RECEIPTS);
    let Some((_, value)) = told else { return Ok(()) };
    let value = value.as_ref().as_bytes().to_vec();
    let name = SETTING.to_owned();
    inner.store.commit(Change::PutSetting { name, value: Some(value) }.into()).await?;
    Ok(())
}

/// Whether senders may learn that their messages were read.
///
/// # Errors
/// The store's.
pub(crate) async fn tells_what_was_read(inner: &Inner) -> Result<bool, StoreError> {
    let value = inner.store.setting(SETTING).await?;
    Ok(value.is_none_or(|value| value != NOBODY.as_bytes()))
}
