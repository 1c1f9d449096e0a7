//! Files a phone sends: encrypted under a key of their own and left with the media host. Knows
//! nothing of what they hold.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand_core::CryptoRng;
use wa_crypto::{aes_cbc_encrypt, hkdf_sha256, hmac_sha256, sha256};

use crate::media_host::{Media, MediaFull};

/// How much of the MAC stands behind a ciphertext.
const MAC_LEN: usize = 10;

/// What a file is to the media host: the folder it is in, and what its keys are derived with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MediaClass {
    folder: &'static str,
    hkdf_info: &'static [u8],
}

impl MediaClass {
    pub(crate) const IMAGE: Self = Self { folder: "image", hkdf_info: b"WhatsApp Image Keys" };
    pub(crate) const VIDEO: Self = Self { folder: "video", hkdf_info: b"WhatsApp Video Keys" };
    pub(crate) const AUDIO: Self = Self { folder: "audio", hkdf_info: b"WhatsApp Audio Keys" };
    pub(crate) const DOCUMENT: Self =
        Self { folder: "document", hkdf_info: b"WhatsApp Document Keys" };
    pub(crate) const HISTORY: Self =
        Self { folder: "md-msg-hist", hkdf_info: b"WhatsApp History Keys" };
}

/// A file that is with the media host: all that a message has to tell of it.
pub(crate) struct Uploaded {
    pub(crate) direct_path: String,
    pub(crate) media_key: [u8; 32],
    pub(crate) file_sha256: [u8; 32],
    pub(crate) file_enc_sha256: [u8; 32],
    pub(crate) file_length: u64,
}

/// Encrypts a file under a fresh key and leaves it with the media host.
pub(crate) fn upload(
    rng: &mut impl CryptoRng,
    media: &Media,
    class: MediaClass,
    file: &[u8],
) -> Result<Uploaded, MediaFull> {
    let mut media_key = [0; 32];
    rng.fill_bytes(&mut media_key);
    let blob = encrypt(&media_key, class.hkdf_info, file);
    let file_enc_sha256 = sha256(&[&blob]);
    let token = URL_SAFE_NO_PAD.encode(file_enc_sha256);
    let direct_path = media.put(class.folder, &token, blob.into())?;
    Ok(Uploaded {
        direct_path,
        media_key,
        file_sha256: sha256(&[file]),
        file_enc_sha256,
        file_length: file.len() as u64,
    })
}

/// AES-256-CBC, then the beginning of HMAC-SHA256 over IV and ciphertext.
fn encrypt(media_key: &[u8; 32], hkdf_info: &[u8], file: &[u8]) -> Vec<u8> {
    let keys = hkdf_sha256::<112>(&[0; 32], media_key, hkdf_info);
    let (iv, rest) = keys.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
    let (cipher_key, rest) = rest.split_first_chunk::<32>().unwrap_or((&[0; 32], &[]));
    let mac_key = rest.get(..32).unwrap_or_default();
    let mut blob = aes_cbc_encrypt(cipher_key, iv, file);
    let mac = hmac_sha256(mac_key, &[iv, &blob]);
    blob.extend_from_slice(mac.get(..MAC_LEN).unwrap_or_default());
    blob
}

#[cfg(test)]
mod tests {
    use wa_crypto::aes_cbc_decrypt;

    use super::*;

    #[test]
    fn a_file_decrypts_under_the_keys_that_its_own_key_gives() {
        let blob = encrypt(&[7; 32], MediaClass::IMAGE.hkdf_info, b"a picture");
        let keys = hkdf_sha256::<112>(&[0; 32], &[7; 32], b"WhatsApp Image Keys");
        let (ciphertext, mac) = blob.split_at(blob.len() - 10);
        assert_eq!(mac, &hmac_sha256(&keys[48..80], &[&keys[..16], ciphertext])[..10]);
        let (iv, key) = (keys[..16].try_into().unwrap(), keys[16..48].try_into().unwrap());
        assert_eq!(aes_cbc_decrypt(&key, &iv, ciphertext).unwrap(), b"a picture");
    }
}
