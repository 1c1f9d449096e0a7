//! What of the app state is too large for a stanza and lies on the media hosts.
//!
//! Owns the bounds. How a file is fetched and checked is the media's business.

use prost::Message as _;
use wa_media::MediaType;
use wa_proto::{
    content::{Media, MediaKey},
    pb::{ExternalBlobReference, SyncdMutations, SyncdPatch, SyncdSnapshot},
};

use super::sync::SyncError;
use crate::{
    inner::Inner,
    media::{BlobRef, fetch_blob},
};

/// The largest snapshot, or list of mutations, in bytes.
const MAX_BLOB_LEN: u64 = 64 << 20;

/// Fetches a snapshot.
///
/// # Errors
/// [`SyncError::Media`]; [`SyncError::Unreadable`].
pub(super) async fn snapshot(
    inner: &Inner,
    reference: &ExternalBlobReference,
) -> Result<SyncdSnapshot, SyncError> {
    let bytes = fetch(inner, reference).await?;
    SyncdSnapshot::decode(bytes.as_slice()).map_err(|_| SyncError::Unreadable)
}

/// Puts a patch's mutations in place that were left on the media hosts.
///
/// # Errors
/// [`SyncError::Media`]; [`SyncError::Unreadable`].
pub(super) async fn inline(inner: &Inner, patch: &mut SyncdPatch) -> Result<(), SyncError> {
    let Some(reference) = patch.external_mutations.take() else { return Ok(()) };
    let bytes = fetch(inner, &reference).await?;
    let outside = SyncdMutations::decode(bytes.as_slice()).map_err(|_| SyncError::Unreadable)?;
    patch.mutations = outside.mutations;
    Ok(())
}

async fn fetch(inner: &Inner, reference: &ExternalBlobReference) -> Result<Vec<u8>, SyncError> {
    let mut media = Media::default();
    media.direct_path.clone_from(&reference.direct_path);
    media.media_key = reference.media_key.clone().map(MediaKey::new);
    media.file_sha256.clone_from(&reference.file_sha256);
    media.file_enc_sha256.clone_from(&reference.file_enc_sha256);
    media.file_length = reference.file_size_bytes;
    let blob = BlobRef::of(&media, MediaType::AppState)?;
    Ok(fetch_blob(inner, &blob, MAX_BLOB_LEN).await?)
}
