//! What stands for a poll's option in a vote.
//!
//! Knows nothing of polls.

use wa_crypto::sha256;

/// What stands for a poll's option in a vote: SHA-256 of its text.
pub fn poll_option_hash(option: &str) -> [u8; 32] {
    sha256(&[option.as_bytes()])
}
