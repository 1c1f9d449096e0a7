//! Every bound of the crate by name; knows nothing of what is bounded.

/// How many message keys a receiver chain may skip at once, and how many it keeps for late
/// messages. WhatsApp's own limit; a message further ahead is refused.
pub const MAX_SKIPPED_KEYS: u32 = 2_000;

/// How many receiver chains a session keeps, the newest first.
pub const MAX_RECEIVER_CHAINS: usize = 5;

/// How many replaced sessions a record keeps, so that late messages still decrypt.
pub const MAX_ARCHIVED_SESSIONS: usize = 40;

/// How many steps ahead of its chain a sender-key message may be.
pub const MAX_SENDER_KEY_STEPS: u32 = 25_000;

/// How many skipped keys of a sender-key chain are kept for late messages.
pub const MAX_SENDER_KEY_SKIPPED: usize = 2_000;

/// How many sender keys of one sender are kept, the newest first.
pub const MAX_SENDER_KEY_STATES: usize = 5;

/// The longest message that is looked at, in bytes: no frame of the transport holds more.
pub const MAX_MESSAGE_LEN: usize = (1 << 24) - 1;

/// Prekey ids are below this: they travel in three bytes.
pub const PREKEY_ID_END: u32 = 1 << 24;
