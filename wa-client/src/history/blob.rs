//! The bytes of a part: within its notice, or on the media host.
//!
//! Owns getting at them, a piece at a time, and their removal from the host. Knows nothing of what
//! they hold.

use std::{
    io::{self, Read as _},
    sync::Arc,
};

use bytes::Bytes;
use wa_media::{Digests, MediaKey, MediaType};
use wa_proto::pb::message::HistorySyncNotification;

use crate::{
    event::ChunkFailure,
    inner::Inner,
    media::{self, BlobRef, DirectPath, MediaError, VerifiedFile},
};

/// Where the bytes of a part are read from.
pub(super) enum Source {
    /// The notice itself.
    Inline(Bytes),
    /// A temporary file whose checksums are right.
    File(Box<VerifiedFile>),
}

/// Why there are no bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlobError {
    /// There may be some later.
    Later,
    /// There will be none.
    Never(ChunkFailure),
}

/// Opens a part; `None` for a notice that tells of none.
pub(super) async fn open(
    inner: &Inner,
    notice: &HistorySyncNotification,
) -> Result<Option<Source>, BlobError> {
    if let Some(inline) = &notice.initial_hist_bootstrap_inline_payload {
        return Ok(Some(Source::Inline(inline.clone())));
    }
    if notice.direct_path.is_none() {
        return Ok(None);
    }
    let blob = reference(notice).ok_or(BlobError::Never(ChunkFailure::Malformed))?;
    match media::fetch_blob_to_read(inner, &blob, MAX_BLOB_LEN).await {
        Ok(file) => Ok(Some(Source::File(Box::new(file)))),
        Err(error) => Err(why(&error)),
    }
}

fn why(error: &MediaError) -> BlobError {
    tracing::warn!(%error, "a part of the history cannot be downloaded");
    match error {
        MediaError::Gone | MediaError::NotOnPhone | MediaError::Refused { .. } => {
            BlobError::Never(ChunkFailure::Gone)
        }
        MediaError::Corrupt(_) => BlobError::Never(ChunkFailure::Corrupt),
        MediaError::TooLarge { .. } => BlobError::Never(ChunkFailure::TooLarge),
        MediaError::Incomplete(_) => BlobError::Never(ChunkFailure::Malformed),
        _ => BlobError::Later,
    }
}

/// What a notice tells of a blob, if it is enough to check and decrypt it.
fn reference(notice: &HistorySyncNotification) -> Option<BlobRef> {
    let hash = |hash: Option<&Bytes>| hash.and_then(|hash| <[u8; 32]>::try_from(&**hash).ok());
    Some(BlobRef {
        direct_path: DirectPath::parse(notice.direct_path.as_deref()?)?,
        media_key: Some(MediaKey::try_from(notice.media_key.as_deref()?).ok()?),
        digests: Digests {
            enc_sha256: Some(hash(notice.file_enc_sha256.as_ref())?),
            sha256: hash(notice.file_sha256.as_ref()),
        },
        media_type: MediaType::History,
        file_length: notice.file_length,
    })
}

impl Source {
    /// The next bytes; none at the end.
    pub(super) async fn piece(self) -> io::Result<(Self, Bytes)> {
        match self {
            Self::Inline(mut bytes) => {
                let piece = bytes.split_to(bytes.len().min(PIECE_LEN));
                Ok((Self::Inline(bytes), piece))
            }
            Self::File(mut file) => {
                let read = tokio::task::spawn_blocking(move || {
                    let mut piece = vec![0; PIECE_LEN];
                    let len = file.read(&mut piece)?;
                    piece.truncate(len);
                    Ok((Self::File(file), piece.into()))
                });
                read.await.map_err(io::Error::other)?
            }
        }
    }
}

/// Removes a part from the media host, in the background: nobody else has a use for it.
pub(super) fn discard(inner: &Arc<Inner>, notice: &HistorySyncNotification) {
    if notice.direct_path.is_none() {
        return;
    }
    let Some(blob) = reference(notice) else { return };
    let (shared, handle) = (Arc::clone(inner), notice.enc_handle.clone());
    inner.spawn(async move {
        if let Err(error) = media::delete_blob(&shared, &blob, handle.as_deref()).await {
            tracing::debug!(%error, "a part of the history stays on the media host");
        }
    });
}

/// The longest blob that is downloaded.
const MAX_BLOB_LEN: u64 = 256 << 20;
/// How many bytes are read at a time.
const PIECE_LEN: usize = 1 << 16;
