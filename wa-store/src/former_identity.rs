//! Identity keys that devices had before.
//!
//! Whoever registers anew makes new keys, so a former one does not come back by itself: what is
//! under it is an old message, or somebody who has the old keys. Knows nothing of who decides that.

/// What became of an identity key that a device had before.
///
/// The two are refused alike, and told apart for what they take to end: a voided key is its device's
/// again as soon as any device of the person proves it, a replaced one only where the server gives it
/// for that device. So a sender is asked for a new session in the one case, and in the other told
/// that their key is not theirs any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormerIdentity {
    /// The server said that its person was set up anew, and no other key of the device is known
    /// yet.
    Voided,
    /// Another key took its place.
    Replaced,
}

/// How many former keys of a device are remembered: the newest.
pub(crate) const MAX_FORMER_IDENTITIES: u32 = 64;
