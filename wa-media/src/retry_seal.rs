//! The seal around what asks a phone to upload a file again, and around its answer.

use std::fmt;

use wa_crypto::{DecryptError, aes_gcm_open, aes_gcm_seal, hkdf_sha256};
use zeroize::Zeroizing;

use crate::MediaKey;

/// Seals what asks a phone to upload a media file again, or opens its answer; the message's id is
/// bound to it. AES-256-GCM under a key derived from the media key.
#[derive(Clone, Copy)]
pub struct MediaRetrySeal<'a> {
    /// The key the media was encrypted with.
    pub media_key: &'a MediaKey,
    /// The id of the message that holds the media.
    pub message_id: &'a str,
}

impl MediaRetrySeal<'_> {
    fn key(&self) -> Zeroizing<[u8; 32]> {
        let info = b"WhatsApp Media Retry Notification";
        Zeroizing::new(hkdf_sha256(&[], self.media_key.as_bytes(), info))
    }

    /// Seals the request with this initialisation vector, which must never be used twice with
    /// the same media key.
    pub fn seal(&self, iv: &[u8; 12], plaintext: &[u8]) -> Vec<u8> {
        aes_gcm_seal(&self.key(), iv, self.message_id.as_bytes(), plaintext)
    }

    /// Opens the answer.
    ///
    /// # Errors
    /// [`DecryptError`] if it belongs to another message or was altered.
    pub fn open(&self, iv: &[u8; 12], sealed: &[u8]) -> Result<Vec<u8>, DecryptError> {
        aes_gcm_open(&self.key(), iv, self.message_id.as_bytes(), sealed)
    }
}

impl fmt::Debug for MediaRetrySeal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaRetrySeal")
            .field("message_id", &self.message_id)
            .finish_non_exhaustive()
    }
}
