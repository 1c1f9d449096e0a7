//! Key types and the few cryptographic primitives WhatsApp uses, thin over RustCrypto and dalek.
//!
//! Nothing here knows the protocol: no message, no stanza, no storage. Every function is a pure
//! value-to-value step; randomness is an argument.
//!
//! ```
//! use wa_crypto::KeyPair;
//!
//! let alice = KeyPair::from_private(wa_crypto::PrivateKey::from_bytes([1; 32]));
//! let bob = KeyPair::from_private(wa_crypto::PrivateKey::from_bytes([2; 32]));
//! assert_eq!(alice.private.agree(&bob.public)?, bob.private.agree(&alice.public)?);
//! # Ok::<(), wa_crypto::InvalidPublicKey>(())
//! ```

mod agreement;
mod cipher;
mod hash;
mod public_key;
mod xeddsa;

pub use agreement::{KeyPair, PrivateKey, SharedSecret};
pub use cipher::{
    AES_BLOCK_LEN, AesCbcDecryptor, AesCbcEncryptor, DecryptError, GCM_TAG_LEN, aes_cbc_decrypt,
    aes_cbc_encrypt, aes_ctr_apply, aes_gcm_open, aes_gcm_seal,
};
pub use hash::{
    Digest, HmacSha256, Mac, MacMismatch, Sha256, hkdf_sha256, hmac_sha256, hmac_sha256_begin,
    hmac_sha256_verify, hmac_sha512, pbkdf2_sha256, sha256, sha512,
};
pub use public_key::{CheckedPublicKey, InvalidPublicKey, KEY_TYPE_CURVE25519, PublicKey};
pub use xeddsa::{BadSignature, SIGNATURE_LEN, Signature};
