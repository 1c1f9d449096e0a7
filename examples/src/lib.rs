//! What the examples share: where the database is, and which server to talk to. Each example is
//! a program of its own in `src/bin`.
//!
//! Every example takes the path of a database, which it makes if there is none, and reads its key
//! (64 hexadecimal digits) from `WA_DB_KEY`.

use std::sync::Arc;

use anyhow::Context;
use wa_client::{Client, ClientBuilder};
use wa_crypto::PublicKey;
use wa_store::{DatabaseKey, SqliteStore, Store};

/// Opens the database that the first argument names.
///
/// # Errors
/// If there is no argument or no key, or the key does not open it.
pub async fn open() -> anyhow::Result<Arc<dyn Store>> {
    let path = std::env::args().nth(1).context("name a database")?;
    let key = std::env::var("WA_DB_KEY").context("WA_DB_KEY holds the key: 64 hex digits")?;
    Ok(Arc::new(SqliteStore::open(path, DatabaseKey::from_hex(&key)?).await?))
}

/// A client for WhatsApp, or for the loopback server that `WA_SERVER_URL`, `WA_NOISE_ROOT` and
/// `WA_MEDIA_CA` (the file of an authority in PEM form) name.
///
/// # Errors
/// If `WA_NOISE_ROOT` is no key in hexadecimal, or the file cannot be read.
pub fn client(store: Arc<dyn Store>) -> anyhow::Result<ClientBuilder> {
    let mut builder = Client::builder(store);
    if let Ok(url) = std::env::var("WA_SERVER_URL") {
        builder = builder.server(url).version_source(None);
    }
    if let Ok(root) = std::env::var("WA_NOISE_ROOT") {
        builder = builder.noise_root(PublicKey::from_slice(&hex::decode(root)?)?);
    }
    if let Ok(path) = std::env::var("WA_MEDIA_CA") {
        builder = builder.media_ca_pem(std::fs::read(path)?);
    }
    Ok(builder)
}
