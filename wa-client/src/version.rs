//! Which version of WhatsApp Web this client claims to be.
//!
//! Owns the version's form, where a newer one is found, and the search for it in a page. When to
//! look is decided by the connection: the server refuses outdated versions (405) as a matter of
//! routine.

use std::{fmt, str::FromStr, time::Duration};

use async_trait::async_trait;
use futures_util::StreamExt;
use wa_store::{Change, Store, StoreError};

use crate::connection::tls_config;

/// A version: `2.3000.1015901307` for instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientVersion(pub [u32; 3]);

impl ClientVersion {
    /// The version this release of the crate begins with: the one Baileys 7.0.0-rc14 announces.
    /// It ages; the server then refuses it with 405 and a fresh one is looked up.
    pub const CURRENT: Self = Self([2, 3000, 1_043_857_760]);
}

impl fmt::Display for ClientVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [primary, secondary, tertiary] = self.0;
        write!(f, "{primary}.{secondary}.{tertiary}")
    }
}

impl FromStr for ClientVersion {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('.').map(str::parse);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Ok(primary)), Some(Ok(secondary)), Some(Ok(tertiary)), None) => {
                Ok(Self([primary, secondary, tertiary]))
            }
            _ => Err(ParseVersionError),
        }
    }
}

/// The text is not three numbers with dots between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version is three numbers with dots between them")]
pub struct ParseVersionError;

/// Knows where to find the current version.
#[async_trait]
pub trait VersionSource: fmt::Debug + Send + Sync {
    /// The version WhatsApp Web has now.
    ///
    /// # Errors
    /// [`VersionError`]; the client then reports itself outdated.
    async fn current(&self) -> Result<ClientVersion, VersionError>;
}

/// No version could be found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VersionError {
    /// The page could not be fetched.
    #[error("the page that tells the current version cannot be fetched")]
    Fetch(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The page does not tell a version.
    #[error("the page does not tell a version")]
    NotFound,
}

/// The version in a web page: `"client_revision":1015901307` means `2.3000.1015901307`.
#[derive(Debug, Clone)]
pub struct WebPageVersion {
    url: String,
}

impl WebPageVersion {
    /// Looks at another page than WhatsApp Web's own.
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into() }
    }
}

impl Default for WebPageVersion {
    fn default() -> Self {
        Self::at("https://web.whatsapp.com/")
    }
}

#[async_trait]
impl VersionSource for WebPageVersion {
    async fn current(&self) -> Result<ClientVersion, VersionError> {
        let fetch = |error: reqwest::Error| VersionError::Fetch(error.into());
        let tls = tls_config().map_err(|error| VersionError::Fetch(error.into()))?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .timeout(FETCH_TIMEOUT)
            .user_agent(BROWSER)
            .build()
            .map_err(fetch)?;
        let asked = client.get(&self.url).header("sec-fetch-site", TYPED_ADDRESS).send().await;
        let response = asked.and_then(|response| response.error_for_status()).map_err(fetch)?;
        let (mut window, mut read) = (Vec::new(), 0);
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(fetch)?;
            window.extend_from_slice(&chunk);
            if let Some(version) = find_revision(&window) {
                return Ok(version);
            }
            read += chunk.len();
            if read > MAX_PAGE_LEN {
                break;
            }
            // What lies further back was searched already.
            window.drain(..window.len().saturating_sub(MAX_MATCH_LEN));
        }
        Err(VersionError::NotFound)
    }
}

/// The version a store remembers, if it is newer than this release's.
///
/// # Errors
/// The store's.
pub(crate) async fn remembered(store: &dyn Store) -> Result<ClientVersion, StoreError> {
    let kept = store.setting(SETTING).await?;
    let kept = kept.and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok());
    Ok(kept.unwrap_or(ClientVersion::CURRENT).max(ClientVersion::CURRENT))
}

/// Makes a store remember a version.
///
/// # Errors
/// The store's.
pub(crate) async fn keep(store: &dyn Store, version: ClientVersion) -> Result<(), StoreError> {
    let value = Some(version.to_string().into_bytes());
    store.commit(Change::PutSetting { name: SETTING.into(), value }.into()).await.map(drop)
}

/// Finds `client_revision` and the number behind it, followed by something that ends the number.
fn find_revision(page: &[u8]) -> Option<ClientVersion> {
    let mut rest = page;
    loop {
        let at = rest.windows(MARKER.len()).position(|window| window == MARKER)?;
        rest = rest.get(at + MARKER.len()..)?;
        let number = rest.iter().skip_while(|byte| b"\\\": ".contains(byte));
        let digits: Vec<u8> =
            number.clone().take_while(|byte| byte.is_ascii_digit()).copied().collect();
        let ended = number.clone().nth(digits.len()).is_some();
        if ended
            && let Ok(text) = std::str::from_utf8(&digits)
            && let Ok(revision) = text.parse()
        {
            return Some(ClientVersion([2, 3000, revision]));
        }
    }
}

const SETTING: &str = "client_version";
const MARKER: &[u8] = b"client_revision";
const FETCH_TIMEOUT: Duration = Duration::from_secs(20);
/// The page is about half a megabyte.
const MAX_PAGE_LEN: usize = 8 << 20;
/// The longest that marker, separators and number are together; a chunk may end within them.
const MAX_MATCH_LEN: usize = 64;
/// What a browser says of an address that a person typed. Without it the page is one for programs;
/// Baileys found this header and a browser's name to be the least that is needed
/// (`fetchLatestWaWebVersion` in its `src/Utils/generics.ts`).
const TYPED_ADDRESS: &str = "none";
/// The page is another one for programs that are no browser.
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                       Chrome/140.0.0.0 Safari/537.36";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_read_as_they_are_written() {
        assert_eq!("2.3000.7".parse(), Ok(ClientVersion([2, 3000, 7])));
        assert_eq!(ClientVersion([2, 3000, 7]).to_string(), "2.3000.7");
        for wrong in ["", "2.3000", "2.3000.7.1", "2.x.7", "2.3000.-1"] {
            assert_eq!(wrong.parse::<ClientVersion>(), Err(ParseVersionError), "{wrong}");
        }
    }

    #[test]
    fn the_revision_is_found_in_a_page() {
        let found = |page: &str| find_revision(page.as_bytes()).map(|version| version.0[2]);
        assert_eq!(
            found(r#"{"server_revision":1,"client_revision":1015901307,"t":2}"#),
            Some(1015901307)
        );
        assert_eq!(found(r#"\"client_revision\":77,"#), Some(77));
        assert_eq!(found(r#"client_revision: none, "client_revision": 78}"#), Some(78));
        assert_eq!(found("nothing here"), None);
        assert_eq!(found("client_revision"), None);
        assert_eq!(found(r#""client_revision":99999999999999,"#), None);
    }

    #[test]
    fn a_number_cut_off_by_the_end_of_a_chunk_is_not_believed() {
        assert_eq!(find_revision(br#""client_revision":10159"#), None);
    }
}
