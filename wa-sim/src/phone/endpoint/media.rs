//! Files a phone leaves with the media host, encrypted under a key of their own. Knows nothing of
//! what they hold.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand_core::CryptoRng;
use wa_media::{Digests, MediaKey, MediaType, decrypt, encrypt};
use wa_proto::pb::ExternalBlobReference;

use crate::media_host::{Media, MediaFull};

/// A file that is with the media host: all that a message has to tell of it.
pub(crate) struct Uploaded {
    pub(crate) direct_path: String,
    pub(crate) media_key: [u8; 32],
    pub(crate) file_sha256: [u8; 32],
    pub(crate) file_enc_sha256: [u8; 32],
    pub(crate) file_length: u64,
    pub(crate) sidecar: Option<Vec<u8>>,
}

impl Uploaded {
    /// The file as a part of the app state that is too large to be sent.
    pub(crate) fn to_blob_reference(&self) -> ExternalBlobReference {
        ExternalBlobReference {
            media_key: Some(self.media_key.to_vec().into()),
            direct_path: Some(self.direct_path.clone()),
            handle: None,
            file_size_bytes: Some(self.file_length),
            file_sha256: Some(self.file_sha256.to_vec().into()),
            file_enc_sha256: Some(self.file_enc_sha256.to_vec().into()),
        }
    }
}

/// Takes a part of the app state back from the media host and opens it.
pub(crate) fn download(media: &Media, file: &ExternalBlobReference) -> Option<Vec<u8>> {
    let blob = media.blob(file.direct_path.as_deref()?)?;
    let key = MediaKey::try_from(file.media_key.as_deref()?).ok()?;
    decrypt(&key, MediaType::AppState, Digests::default(), &blob).ok()
}

/// Encrypts a file under a fresh key and leaves it with the media host.
pub(crate) fn upload(
    rng: &mut impl CryptoRng,
    media: &Media,
    media_type: MediaType,
    file: &[u8],
) -> Result<Uploaded, MediaFull> {
    upload_under(&MediaKey::random(rng), media, media_type, file)
}

/// Leaves a file with the media host under the key it had before.
pub(crate) fn upload_under(
    key: &MediaKey,
    media: &Media,
    media_type: MediaType,
    file: &[u8],
) -> Result<Uploaded, MediaFull> {
    let (blob, sealed) = encrypt(key, media_type, file);
    let token = URL_SAFE_NO_PAD.encode(sealed.enc_sha256);
    let direct_path = media.put(media_type.folder(), &token, blob.into())?;
    Ok(Uploaded {
        direct_path,
        media_key: *key.as_bytes(),
        file_sha256: sealed.sha256,
        file_enc_sha256: sealed.enc_sha256,
        file_length: sealed.length,
        sidecar: sealed.sidecar,
    })
}
