//! What the secret inside a message seals: votes in polls, answers to events, encrypted reactions,
//! comments and edits, and the token for reports.
//!
//! Many messages carry 32 random bytes. Whoever can read the message can derive from them the key
//! for one kind of addition by one person, and nobody else can: the server, which carries both,
//! learns neither votes nor answers. The crate owns that derivation, the sealed forms, and which
//! fields of a message a report is about. It knows nothing of where secrets are kept, nor of what
//! is inside a sealed payload.
//!
//! ```
//! use rand_core::SeedableRng as _;
//! use wa_addon::{SecretContext, SecretUse, poll_option_hash};
//! use wa_proto::Jid;
//!
//! # let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
//! let (secret, ada, bob) = ([7; 32], Jid::lid("1"), Jid::lid("2"));
//! let vote = SecretContext {
//!     secret: &secret,
//!     message_id: "3EB0C0FFEE",
//!     original_sender: &ada,
//!     modification_sender: &bob,
//!     secret_use: SecretUse::PollVote,
//! };
//! let (iv, sealed) = vote.seal(&poll_option_hash("tea"), &mut rng);
//! assert_eq!(vote.open(&iv, &sealed).unwrap(), poll_option_hash("tea"));
//! ```

mod message_secret;
mod option_hash;
mod reporting;

pub use message_secret::{MESSAGE_SECRET_LEN, SecretContext, SecretUse};
pub use option_hash::poll_option_hash;
pub use reporting::{REPORTING_VERSION, reported_content};
