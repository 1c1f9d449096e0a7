//! Whether this account shows as available.
//!
//! Owns the telling of it. Knows nothing of what being available changes in receipts.

use wa_proto::stanza::presence;

use crate::{connection::Link, error::Error, inner::Inner};

/// Shows the account as available or not, from now on and after every login.
///
/// # Errors
/// [`Error::NotLinked`]; [`Error::InvalidInput`] if the account has no name yet.
pub(crate) async fn set_available(inner: &Inner, available: bool) -> Result<(), Error> {
    let account = inner.account();
    if account.jid.is_none() {
        return Err(Error::NotLinked);
    }
    let Some(name) = account.push_name.as_deref().filter(|name| !name.is_empty()) else {
        return Err(Error::InvalidInput("an account without a name cannot show as available"));
    };
    inner.receipts.set_available(available);
    if let Some(link) = inner.link() {
        // A closed link means that the next login tells it.
        let _ = link.send(&presence(available, name)).await;
    }
    Ok(())
}

/// Tells the server after a login, which begins every connection as unavailable.
pub(crate) async fn restore(inner: &Inner, link: &Link) {
    let account = inner.account();
    if let (true, Some(name)) = (inner.receipts.is_available(), account.push_name.as_deref()) {
        // A closed link shows by itself.
        let _ = link.send(&presence(true, name)).await;
    }
}
