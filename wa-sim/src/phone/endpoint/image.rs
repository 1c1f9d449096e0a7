//! Pictures a phone sends: encrypted under a key of their own and left with the media host. Knows
//! nothing of what they show.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand_core::Rng as _;
use wa_crypto::{aes_cbc_encrypt, hkdf_sha256, hmac_sha256, sha256};
use wa_proto::pb;

use crate::{
    media_host::{Media, MediaFull},
    server::Server,
};

/// What the keys of a picture are derived with.
const IMAGE_INFO: &[u8] = b"WhatsApp Image Keys";

/// How much of the MAC stands behind a ciphertext.
const MAC_LEN: usize = 10;

/// Encrypts a picture, leaves it with the media host, and makes the message that tells of it.
pub(crate) fn image_message(
    server: &mut Server,
    media: &Media,
    picture: &[u8],
    caption: Option<String>,
) -> Result<pb::Message, MediaFull> {
    let mut media_key = [0; 32];
    server.rng.fill_bytes(&mut media_key);
    let blob = encrypt(&media_key, picture);
    let encrypted_hash = sha256(&[&blob]);
    let token = URL_SAFE_NO_PAD.encode(encrypted_hash);
    let length = picture.len() as u64;
    let direct_path = media.put("image", &token, blob.into())?;
    let url = server.media_host.as_ref().map(|host| format!("https://{host}{direct_path}"));
    let png = picture.starts_with(b"\x89PNG");
    let image = pb::message::ImageMessage {
        url,
        direct_path: Some(direct_path),
        mimetype: Some(if png { "image/png" } else { "image/jpeg" }.to_owned()),
        caption,
        file_sha256: Some(sha256(&[picture]).to_vec().into()),
        file_length: Some(length),
        media_key: Some(media_key.to_vec().into()),
        file_enc_sha256: Some(encrypted_hash.to_vec().into()),
        media_key_timestamp: i64::try_from(server.now).ok(),
        ..Default::default()
    };
    Ok(pb::Message { image_message: Some(Box::new(image)), ..Default::default() })
}

/// AES-256-CBC, then the beginning of HMAC-SHA256 over IV and ciphertext.
fn encrypt(media_key: &[u8; 32], picture: &[u8]) -> Vec<u8> {
    let keys = hkdf_sha256::<112>(&[0; 32], media_key, IMAGE_INFO);
    let (iv, rest) = keys.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
    let (cipher_key, rest) = rest.split_first_chunk::<32>().unwrap_or((&[0; 32], &[]));
    let mac_key = rest.get(..32).unwrap_or_default();
    let mut blob = aes_cbc_encrypt(cipher_key, iv, picture);
    let mac = hmac_sha256(mac_key, &[iv, &blob]);
    blob.extend_from_slice(mac.get(..MAC_LEN).unwrap_or_default());
    blob
}

#[cfg(test)]
mod tests {
    use wa_crypto::aes_cbc_decrypt;

    use super::*;

    #[test]
    fn a_picture_decrypts_under_the_keys_that_its_own_key_gives() {
        let blob = encrypt(&[7; 32], b"a picture");
        let keys = hkdf_sha256::<112>(&[0; 32], &[7; 32], b"WhatsApp Image Keys");
        let (ciphertext, mac) = blob.split_at(blob.len() - 10);
        assert_eq!(mac, &hmac_sha256(&keys[48..80], &[&keys[..16], ciphertext])[..10]);
        let (iv, key) = (keys[..16].try_into().unwrap(), keys[16..48].try_into().unwrap());
        assert_eq!(aes_cbc_decrypt(&key, &iv, ciphertext).unwrap(), b"a picture");
    }
}
