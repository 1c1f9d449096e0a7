//! Every bound of the crate by name; knows nothing of what is bounded.

/// How many message keys a receiver chain may skip at once. WhatsApp's own limit; a message
/// further ahead is refused.
pub const MAX_SKIPPED_KEYS: u32 = 2_000;

/// How many skipped keys a whole session record keeps for late messages, over all its sessions and
/// chains. As many as one message may skip, so that none that may come late is lost at once; with
/// the 36 bytes of each, a record stays below 150,000 bytes whatever the other side does.
pub const MAX_RECORD_SKIPPED_KEYS: usize = 2_000;

/// How many receiver chains a session keeps, the newest first.
pub const MAX_RECEIVER_CHAINS: usize = 5;

/// How many replaced sessions a record keeps, so that late messages still decrypt.
pub const MAX_ARCHIVED_SESSIONS: usize = 40;

/// How many chain steps in all are spent on trying a message with an unknown ratchet key in
/// archived sessions. A message that opens a chain stands near its beginning: each of the archived
/// sessions is tried for one that stands within the first fifty.
pub const MAX_TRIAL_STEPS: u32 = 2_000;

/// How many sessions that are no longer kept a record recognises, so that none of them begins
/// again. 16 bytes each.
pub const MAX_ENDED_SESSIONS: usize = 1_000;

/// How many identity keys a record recognises as replaced. 32 bytes each; each one of them was an
/// event for the user.
pub const MAX_REPLACED_IDENTITIES: usize = 100;

/// How many steps ahead of its chain a sender-key message may be.
pub const MAX_SENDER_KEY_STEPS: u32 = 25_000;

/// How many skipped keys of all keys of one sender are kept for late messages.
pub const MAX_SENDER_KEY_SKIPPED: usize = 2_000;

/// How many sender keys of one sender are kept, the newest first.
pub const MAX_SENDER_KEY_STATES: usize = 5;

/// The longest message that is looked at, in bytes: no frame of the transport holds more.
pub const MAX_MESSAGE_LEN: usize = (1 << 24) - 1;

/// Prekey ids are below this: they travel in three bytes.
pub const PREKEY_ID_END: u32 = 1 << 24;
