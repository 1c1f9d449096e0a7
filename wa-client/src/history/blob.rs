//! The bytes of a part: within its notice, or on the media host.
//!
//! Knows nothing of what they hold.

use std::io::Cursor;

use bytes::Bytes;
use tokio::io::AsyncRead;
use wa_proto::pb::message::HistorySyncNotification;

use crate::{event::ChunkFailure, inner::Inner};

/// Where the bytes of a part are read from.
pub(super) type Source = Box<dyn AsyncRead + Send + Unpin>;

/// Why there are no bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlobError {
    /// There may be some later.
    Later,
    /// There will be none.
    #[expect(dead_code, reason = "parts on the media host wait for the media engine")]
    Never(ChunkFailure),
}

/// Opens a part; `None` for a notice that tells of none.
pub(super) async fn open(
    _inner: &Inner,
    notice: &HistorySyncNotification,
) -> Result<Option<Source>, BlobError> {
    if let Some(inline) = &notice.initial_hist_bootstrap_inline_payload {
        let inline: Cursor<Bytes> = Cursor::new(inline.clone());
        return Ok(Some(Box::new(inline)));
    }
    match notice.direct_path {
        Some(_) => Err(BlobError::Later),
        None => Ok(None),
    }
}

/// Removes a part from the media host, which has no further use for it.
pub(super) fn discard(_inner: &std::sync::Arc<Inner>, _notice: &HistorySyncNotification) {}
