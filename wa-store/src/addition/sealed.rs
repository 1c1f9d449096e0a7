//! Additions that cannot be read yet: sealed with the secret of a message that has not come.
//!
//! Knows nothing of how they are opened.

use std::fmt;

use wa_proto::Jid;

use crate::{MessageKey, Moment, SecretBytes};

/// How many sealed additions to one message are kept; beyond that the oldest go. A group has
/// 1,024 members, each of whom has one vote.
pub const MAX_SEALED_PER_TARGET: usize = 2_048;

/// How long a sealed addition is kept whose message does not come, in seconds: 30 days.
pub const SEALED_RETENTION_SECS: i64 = 30 * 24 * 60 * 60;

/// Something added to a message that only that message's secret opens.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedAddition {
    /// The message.
    pub target: MessageKey,
    /// Who added it.
    pub author: Jid,
    /// Whether this account did, on whichever device.
    pub from_me: bool,
    /// When.
    pub moment: Moment,
    /// The unpadded plaintext of the message that brought it.
    pub raw: SecretBytes,
}

impl fmt::Debug for SealedAddition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedAddition")
            .field("target", &self.target.id)
            .field("id", &self.moment.id)
            .finish_non_exhaustive()
    }
}
