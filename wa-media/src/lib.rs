//! How WhatsApp encrypts media files: images, videos, documents, but history and app state too.
//!
//! A file is encrypted under a key of its own with AES-256-CBC, and the first ten bytes of an
//! HMAC-SHA256 stand behind the ciphertext. The message that carries the key also carries SHA-256
//! of the file and of what is uploaded. Everything here takes and gives pieces of any size, goes
//! over its input once and holds no more of it than a few bytes. The crate knows nothing of
//! hosts, files and messages, and does no input or output.
//!
//! ```
//! use wa_media::{Decryptor, Digests, Encryptor, MediaKey, MediaType};
//!
//! let key = MediaKey::random(&mut rand::rng());
//! let mut encryptor = Encryptor::new(&key, MediaType::Image);
//! let mut blob = Vec::new();
//! for piece in [&b"a pic"[..], b"ture"] {
//!     encryptor.update(piece, &mut blob);
//! }
//! let sealed = encryptor.finish(&mut blob);
//!
//! let digests = Digests::of(&sealed);
//! let mut decryptor = Decryptor::new(&key, MediaType::Image, digests);
//! let mut file = Vec::new();
//! for piece in blob.chunks(7) {
//!     decryptor.update(piece, &mut file);
//! }
//! decryptor.finish(&mut file)?; // Only now `file` may be used.
//! assert_eq!(file, b"a picture");
//! # Ok::<(), wa_media::OpenError>(())
//! ```

mod decryptor;
mod encryptor;
pub mod fuzzing;
mod keys;
mod media_type;
mod retry_seal;
mod sidecar;
mod verifier;

pub use decryptor::{Decryptor, Opened, decrypt};
pub use encryptor::{Encryptor, Sealed, encrypt};
pub use keys::{InvalidMediaKey, MEDIA_KEY_LEN, MediaKey};
pub use media_type::MediaType;
pub use retry_seal::MediaRetrySeal;
pub use verifier::{Digests, MAC_LEN, MIN_BLOB_LEN, OpenError, Verifier};
