//! What changed while this device was away, as the server marks it (`<ib><dirty>`).
//!
//! Owns asking for what is marked, and only then taking the mark away: a mark that is removed
//! first is a change that nobody ever sees. Knows nothing of what is asked for.

use std::sync::Arc;

use compact_str::CompactString;
use wa_proto::request::CleanDirty;

use crate::{
    app_state, error::Error, groups, inner::Inner, people, privacy, request::REQUEST_TIMEOUT,
};

/// Deals with a mark, beside whatever else goes on. Without success it comes again with the next
/// login.
pub(crate) fn refresh_in_background(
    inner: &Arc<Inner>,
    kind: CompactString,
    timestamp: Option<u64>,
) {
    let shared = Arc::clone(inner);
    inner.spawn(async move {
        match refresh(&shared, &kind).await {
            Ok(true) => {}
            Ok(false) => return tracing::debug!("a mark of a kind that is not kept here"),
            Err(error) => return tracing::warn!(%error, "what changed could not be asked for"),
        }
        if let Err(error) = shared.request(&CleanDirty { kind, timestamp }).await {
            tracing::warn!(%error, "a mark could not be taken away");
        }
    });
}

/// Asks for what is marked; false if this version keeps nothing of the kind.
async fn refresh(inner: &Arc<Inner>, kind: &str) -> Result<bool, Error> {
    match kind {
        "account_sync" => {
            let link = inner.wait_for_link(REQUEST_TIMEOUT).await?;
            privacy::refresh(inner, &link).await?;
            people::block_list::refresh(inner, &link).await?;
            crate::devices::forget_own(inner).await?;
        }
        // Fetched at the end of every backlog as well, so that nothing is lost with the mark.
        "syncd_app_state" => app_state::resync_all(inner),
        "groups" => drop(groups::cache::refresh_all(inner).await?),
        _ => return Ok(false),
    }
    Ok(true)
}
