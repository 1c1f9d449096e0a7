//! The server's settings for this account (`abt`): switches and numbers, by number.
//!
//! Owns keeping them, so that only what changed is asked for. Knows nothing of what they switch.

use std::collections::BTreeMap;

use wa_proto::request::{AbProps, AbPropsAnswer};
use wa_store::{Change, StoreError};

use crate::{Client, connection::Link, error::Error, inner::Inner};

/// The setting of the store that holds them.
const SETTING: &str = "server-settings";
/// The most settings that are kept; servers send some thousand.
const MAX_SETTINGS: usize = 20_000;
/// The longest name or value that is kept, in bytes.
const MAX_LEN: usize = 4_096;

/// What is known of the server's settings.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct Known {
    hash: Option<String>,
    values: BTreeMap<String, String>,
}

impl Client {
    /// A setting of the server's for this account, by the number it has there, as it was told last.
    ///
    /// # Errors
    /// The store's.
    pub async fn server_setting(&self, code: &str) -> Result<Option<String>, Error> {
        Ok(known(self.inner()).await?.values.remove(code))
    }
}

/// Asks for what changed, and keeps it: after every login, and daily while connected.
///
/// # Errors
/// The server's or the store's.
pub(crate) async fn refresh(inner: &Inner, link: &Link) -> Result<(), Error> {
    let before = known(inner).await?;
    let question = AbProps { hash: before.hash.as_deref().map(Into::into) };
    let answer = inner.request_on(link, &question).await?;
    // Nothing at all: the server has none, or none that changed.
    if answer.hash.is_none() && answer.props.is_empty() {
        return Ok(());
    }
    let value = serde_json::to_vec(&before.with(answer)).map_err(|_| Error::UnreadableAnswer)?;
    let put = Change::PutSetting { name: SETTING.to_owned(), value: Some(value) };
    inner.store.commit(put.into()).await?;
    Ok(())
}

async fn known(inner: &Inner) -> Result<Known, StoreError> {
    let kept = inner.store.setting(SETTING).await?;
    Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default())
}

impl Known {
    fn with(self, answer: AbPropsAnswer) -> Self {
        let mut values = if answer.is_delta { self.values } else { BTreeMap::new() };
        for (name, value) in answer.props {
            let fits = name.len() <= MAX_LEN && value.len() <= MAX_LEN;
            if fits && (values.len() < MAX_SETTINGS || values.contains_key(name.as_str())) {
                values.insert(name.into(), value.into());
            }
        }
        Self { hash: answer.hash.map(Into::into), values }
    }
}
