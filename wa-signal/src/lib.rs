//! The Signal protocol as WhatsApp speaks it: X3DH, double ratchet, sender keys; values in, values
//! out.
//!
//! Nothing here stores, waits or looks at a clock. Every operation borrows a record and returns an
//! advanced copy beside its result; the caller writes the copy and acts on the result in one
//! transaction, or drops both and nothing has happened. A copy is handed out only after the
//! message authentication code or the signature holds.
//!
//! - [`SessionRecord`]: the sessions with one device of another user;
//! - [`SenderKeyRecord`]: the keys with which one device writes to one group;
//! - [`PreKey`], [`SignedPreKey`], [`PreKeyBundle`]: what starts a session while the other sleeps;
//! - [`padding`] and [`fingerprint`]: what wraps a plaintext, and what people compare.
//!
//! Two parties exchange a message:
//!
//! ```
//! use rand_core::SeedableRng;
//! use wa_crypto::KeyPair;
//! use wa_signal::{
//!     CiphertextMessage, LocalIdentity, PreKey, PreKeyBundle, PreKeyId, PreKeyMessageHeader,
//!     RegistrationId, SessionRecord, SignedPreKey, SignedPreKeyId,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let rng = &mut rand_chacha::ChaCha20Rng::seed_from_u64(1); // use the system's in earnest
//! let (alice_keys, bob_keys) = (KeyPair::random(rng), KeyPair::random(rng));
//! let alice = LocalIdentity::new(&alice_keys, RegistrationId::random(rng));
//! let bob = LocalIdentity::new(&bob_keys, RegistrationId::random(rng));
//!
//! // Bob leaves keys with the server and sleeps.
//! let prekey = PreKey::generate(PreKeyId::FIRST, rng);
//! let signed_prekey = SignedPreKey::generate(SignedPreKeyId::FIRST, &bob_keys, rng);
//! let bundle = PreKeyBundle {
//!     registration_id: bob.registration_id,
//!     identity: bob_keys.public,
//!     signed_prekey: signed_prekey.public(),
//!     prekey: Some(prekey.public()),
//! };
//!
//! // Alice starts a session from them and writes.
//! let session = SessionRecord::new().process_bundle(&alice, &bundle, rng)?;
//! let (session, message) = session.encrypt(&alice, b"orange garden")?;
//! assert_eq!(message.kind_str(), "pkmsg");
//!
//! // Bob reads which keys the message needs, loads them, and decrypts.
//! let header = PreKeyMessageHeader::parse(message.bytes())?;
//! assert_eq!(header.prekey_id, Some(prekey.id));
//! let received = SessionRecord::new().decrypt_prekey(
//!     &bob,
//!     Some(&prekey),
//!     Some(&signed_prekey),
//!     message.bytes(),
//!     rng,
//! )?;
//! assert_eq!(received.plaintext, b"orange garden");
//! assert_eq!(received.identity, alice_keys.public); // trusted? the caller decides
//! assert_eq!(received.used_prekey, Some(prekey.id)); // to be deleted with the commit
//!
//! // He answers; from now on neither needs prekeys.
//! let (_, answer) = received.session.encrypt(&bob, b"yellow rocket")?;
//! assert!(matches!(answer, CiphertextMessage::Signal(_)));
//! let answer = session.decrypt_signal(&alice, answer.bytes(), rng)?;
//! assert_eq!(answer.plaintext, b"yellow rocket");
//! # Ok(())
//! # }
//! ```

mod bundle;
mod error;
pub mod fingerprint;
pub mod fuzzing;
mod identity;
pub mod limits;
mod message;
pub mod padding;
mod prekey;
mod ratchet;
mod record;
mod sender_key;
mod session;
mod x3dh;

pub use bundle::{BundleError, PreKeyBundle};
pub use error::{DecryptError, EncryptError, RecordError, SenderKeyEncryptError, SenderKeyError};
pub use identity::{LocalIdentity, RegistrationId};
pub use message::{CiphertextMessage, MessageError, PreKeyMessageHeader};
pub use prekey::{
    PreKey, PreKeyId, PreKeyPublic, SignedPreKey, SignedPreKeyId, SignedPreKeyPublic,
};
pub use record::{Decrypted, SessionRecord};
pub use sender_key::SenderKeyRecord;
