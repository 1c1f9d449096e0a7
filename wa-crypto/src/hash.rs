//! SHA-2, HMAC, HKDF and PBKDF2, each as one function.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit};
use sha2::Sha512;

/// What an incremental code can do; see [`hmac_sha256_begin`].
pub use hmac::Mac;
/// Incremental SHA-256, for inputs that do not fit in memory, and what it can do.
pub use sha2::{Digest, Sha256};

/// Incremental HMAC-SHA256, for inputs that do not fit in memory.
pub type HmacSha256 = Hmac<Sha256>;

/// A message authentication code is not the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message authentication code does not match")]
pub struct MacMismatch;

/// SHA-256 of the parts, one after the other.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// SHA-512 of the parts, one after the other.
pub fn sha512(parts: &[&[u8]]) -> [u8; 64] {
    let mut hash = Sha512::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// HMAC-SHA256 of the parts, one after the other.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    mac(key, parts).finalize().into_bytes().into()
}

/// Checks an HMAC-SHA256, or its first bytes where the protocol truncates it, in constant time.
///
/// # Errors
/// [`MacMismatch`] if `tag` is empty, longer than 32 bytes, or not the code's beginning.
pub fn hmac_sha256_verify(key: &[u8], parts: &[&[u8]], tag: &[u8]) -> Result<(), MacMismatch> {
    mac(key, parts).verify_truncated_left(tag).map_err(|_| MacMismatch)
}

/// HMAC-SHA512 of the parts, one after the other.
pub fn hmac_sha512(key: &[u8], parts: &[&[u8]]) -> [u8; 64] {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of every length")]
    let mut mac = <Hmac<Sha512> as KeyInit>::new_from_slice(key).expect("any key length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// HKDF-SHA256 (RFC 5869): extract, then expand to `N` bytes. An empty salt is all zeroes.
pub fn hkdf_sha256<const N: usize>(salt: &[u8], input: &[u8], info: &[u8]) -> [u8; N] {
    const { assert!(N <= 255 * 32, "HKDF-SHA256 gives at most 8,160 bytes") };
    let mut output = [0; N];
    // An error means more than 8,160 bytes were asked for, which the assertion above rules out.
    let _ = Hkdf::<Sha256>::new(Some(salt), input).expand(info, &mut output);
    output
}

/// PBKDF2 with HMAC-SHA256 (RFC 8018).
pub fn pbkdf2_sha256<const N: usize>(password: &[u8], salt: &[u8], rounds: u32) -> [u8; N] {
    let mut output = [0; N];
    // An error means an HMAC key of impossible length; HMAC takes every length.
    let _ = pbkdf2::pbkdf2::<HmacSha256>(password, salt, rounds, &mut output);
    output
}

/// Begins an HMAC-SHA256 that takes its input piece by piece.
pub fn hmac_sha256_begin(key: &[u8]) -> HmacSha256 {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of every length")]
    <HmacSha256 as KeyInit>::new_from_slice(key).expect("any key length")
}

fn mac(key: &[u8], parts: &[&[u8]]) -> HmacSha256 {
    let mut mac = hmac_sha256_begin(key);
    for part in parts {
        mac.update(part);
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_is_that_of_fips_180_4() {
        assert_eq!(
            hex::encode(sha256(&[b"a", b"bc"])),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn hkdf_is_that_of_rfc_5869() {
        let okm: [u8; 42] = hkdf_sha256(
            &hex::decode("000102030405060708090a0b0c").unwrap(),
            &[0x0b; 22],
            &hex::decode("f0f1f2f3f4f5f6f7f8f9").unwrap(),
        );
        assert_eq!(
            hex::encode(okm),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        );
    }

    #[test]
    fn a_truncated_mac_is_checked_over_its_length_and_never_when_empty() {
        let tag = hmac_sha256(b"key", &[b"mess", b"age"]);
        assert_eq!(hmac_sha256_verify(b"key", &[b"message"], &tag), Ok(()));
        assert_eq!(hmac_sha256_verify(b"key", &[b"message"], &tag[..8]), Ok(()));
        assert_eq!(hmac_sha256_verify(b"key", &[b"message"], &[]), Err(MacMismatch));
        assert_eq!(hmac_sha256_verify(b"key", &[b"massage"], &tag[..8]), Err(MacMismatch));
    }

    #[test]
    fn hmac_sha512_is_that_of_rfc_4231() {
        let mac = hmac_sha512(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(
            hex::encode(mac),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
             9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
        );
    }

    #[test]
    fn pbkdf2_is_that_of_rfc_7914() {
        let key: [u8; 32] = pbkdf2_sha256(b"passwd", b"salt", 1);
        assert_eq!(
            hex::encode(key),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
        );
    }
}
