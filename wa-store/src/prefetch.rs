//! What a batch of messages is about to ask for, so that it can be read at once.
//!
//! Knows nothing of how a store keeps what it read ahead.

use wa_proto::Jid;

use crate::Seen;

/// What is about to be looked up, for [`Store::prefetch`](crate::Store::prefetch).
///
/// ```
/// use wa_proto::Jid;
/// use wa_store::Prefetch;
///
/// let mut ahead = Prefetch::default();
/// ahead.devices.push(Jid::lid("1").with_device(2));
/// ahead.people.push(Jid::lid("1"));
/// assert!(!ahead.is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Prefetch {
    /// Devices whose sessions, identity keys and vouchers are wanted.
    pub devices: Vec<Jid>,
    /// People of whom both names, the device list and the list of key indexes are wanted.
    pub people: Vec<Jid>,
    /// Sender keys, each by its group and the device whose key it is.
    pub sender_keys: Vec<(Jid, Jid)>,
    /// Encrypted payloads of which it is wanted whether they were handled.
    pub seen: Vec<Seen>,
    /// One-time prekeys, by id.
    pub prekeys: Vec<u32>,
    /// Signed prekeys, by id.
    pub signed_prekeys: Vec<u32>,
    /// Groups of which it is wanted what is known.
    pub groups: Vec<Jid>,
}

impl Prefetch {
    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many names and ids there are.
    pub fn len(&self) -> usize {
        let devices = self.devices.len() + self.people.len() + self.sender_keys.len();
        let prekeys = self.prekeys.len() + self.signed_prekeys.len();
        devices + self.seen.len() + prekeys + self.groups.len()
    }
}
