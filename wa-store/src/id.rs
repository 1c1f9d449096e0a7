//! What the store names things by: times, message ids, message keys and sequence numbers.
//!
//! Knows nothing of how any of them is stored.

use std::fmt;

use compact_str::CompactString;
use wa_proto::{Jid, Server};

/// A time in whole seconds since 1970, between 1970 and the end of 9999.
///
/// Times come from other people's devices, so whatever lies outside that range is moved to its
/// nearer end, and nothing that is computed from one overflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The last second of the year 9999.
    pub const MAX: Self = Self(253_402_300_799);
    /// The first second of 1970.
    pub const MIN: Self = Self(0);

    /// Takes seconds since 1970; what lies outside the range becomes its nearer end.
    pub const fn from_secs(seconds: i64) -> Self {
        if seconds < Self::MIN.0 {
            Self::MIN
        } else if seconds > Self::MAX.0 {
            Self::MAX
        } else {
            Self(seconds)
        }
    }

    /// Seconds since 1970.
    pub const fn secs(self) -> i64 {
        self.0
    }

    /// The time so many seconds earlier, but not before 1970.
    #[must_use]
    pub const fn minus_secs(self, seconds: i64) -> Self {
        Self::from_secs(self.0.saturating_sub(seconds))
    }

    /// The time so many seconds later, but not after 9999.
    #[must_use]
    pub const fn plus_secs(self, seconds: i64) -> Self {
        Self::from_secs(self.0.saturating_add(seconds))
    }
}

/// The id its sender gave a message: the `id` attribute of the stanza.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(CompactString);

impl MessageId {
    /// Takes the id as it stands in the stanza.
    pub fn new(id: impl Into<CompactString>) -> Self {
        Self(id.into())
    }

    /// The id as it stands in the stanza.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for MessageId {
    fn from(id: &str) -> Self {
        Self::new(id)
    }
}

impl From<String> for MessageId {
    fn from(id: String) -> Self {
        Self::new(id)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({})", self.0)
    }
}

/// Which message: ids are unique for one sender in one chat, and nowhere else.
///
/// A store takes `chat` and `sender` in either form, phone number or LID, with or without a
/// device, and gives them back without a device and as LIDs wherever the LID is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageKey {
    /// The person, group, broadcast list or channel the message stands in.
    pub chat: Jid,
    /// The person who wrote it; one's own user when `from_me`.
    pub sender: Jid,
    /// The id the sender gave it.
    pub id: MessageId,
    /// Whether this account wrote it, on whichever device. Not part of what makes two keys the
    /// same message.
    pub from_me: bool,
}

impl MessageKey {
    /// A message somebody else wrote.
    pub fn received(chat: Jid, sender: Jid, id: impl Into<MessageId>) -> Self {
        Self { chat, sender, id: id.into(), from_me: false }
    }

    /// A message this account wrote.
    pub fn sent(chat: Jid, own: Jid, id: impl Into<MessageId>) -> Self {
        Self { chat, sender: own, id: id.into(), from_me: true }
    }
}

/// The one form under which the store keeps a person, as far as the JID alone tells: without
/// device, and in the name space of phone numbers or LIDs wherever the device stands.
pub(crate) fn bare(jid: &Jid) -> Jid {
    let server = match &jid.server {
        Server::Legacy | Server::Hosted => Server::User,
        Server::HostedLid => Server::Lid,
        other => other.clone(),
    };
    Jid { server, ..jid.to_user() }
}

/// A device's JID under the person's LID: the same device, hosted where it was hosted.
pub(crate) fn device_under_lid(device: &Jid, lid: &Jid) -> Jid {
    let server = if device.server == Server::Hosted { Server::HostedLid } else { Server::Lid };
    Jid { user: lid.user.clone(), server, ..device.clone() }
}

/// A committed message's place in the order of commits.
///
/// Every message gets one greater than all before it when it is archived, and a new one when a
/// placeholder is filled with what could be read after all; so "everything after the last one I
/// saw" ([`Store::messages_after`](crate::Store::messages_after)) misses nothing. Numbers are never
/// used twice, also not after a deletion; there may be gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seq(pub u64);

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_from_elsewhere_is_kept_within_bounds() {
        assert_eq!(Timestamp::from_secs(-1), Timestamp::MIN);
        assert_eq!(Timestamp::from_secs(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.plus_secs(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.minus_secs(i64::MAX), Timestamp::MIN);
        assert_eq!(Timestamp::from_secs(100).minus_secs(40).secs(), 60);
    }
}
