//! Notifications about devices and about this account's settings.
//!
//! Owns the types `devices` and `account_sync`.

use bytes::Bytes;
use compact_str::CompactString;

use super::super::{envelope::Envelope, fields::ParseError};
use crate::{
    Jid, OwnedNode,
    entries::{count_left_out, readable},
};

/// A user linked or unlinked devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevicesChange {
    /// Who.
    pub user: Jid,
    /// Their LID, if the change names them by phone number.
    pub lid: Option<Jid>,
    /// What happened.
    pub kind: DevicesChangeKind,
    /// The devices it happened to.
    pub devices: Vec<DeviceEntry>,
    /// The hash of the whole list after the change; if the own list hashes to another, or there
    /// is none, it is stale.
    pub hash: Option<CompactString>,
    /// The user's signed list of device keys.
    pub key_index_list: Option<SignedKeyIndexList>,
}

/// What happened to a user's devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DevicesChangeKind {
    /// Linked.
    Add,
    /// Unlinked.
    Remove,
    /// The list has to be asked for again.
    Update,
}

/// A device in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceEntry {
    /// The device.
    pub jid: Jid,
    /// The device by LID.
    pub lid: Option<Jid>,
    /// Its place in the signed list; phones have none.
    pub key_index: Option<u32>,
}

/// A user's list of device keys, signed by their phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedKeyIndexList {
    /// When it was made, in seconds since 1970.
    pub timestamp: Option<u64>,
    /// When a newer one is due, in seconds since 1970.
    pub expected_timestamp: Option<u64>,
    /// An encoded `ADVSignedKeyIndexList`; may be left out if nothing changed.
    pub signed: Option<Bytes>,
}

/// A setting of this account changed on another device.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountChange {
    /// The account's own devices.
    Devices {
        /// All of them.
        devices: Vec<DeviceEntry>,
        /// The hash of the list.
        hash: Option<CompactString>,
        /// The signed list of device keys.
        key_index_list: Option<SignedKeyIndexList>,
    },
    /// Privacy settings: (category, value).
    Privacy(Vec<(CompactString, CompactString)>),
    /// The own picture.
    Picture,
    /// The block list.
    Blocklist(BlocklistChange),
    /// The timer that new chats begin with.
    DisappearingMode {
        /// In seconds; 0 is off.
        duration: u32,
        /// When it was set, in seconds since 1970.
        timestamp: Option<u64>,
    },
    /// Anything else, as it came.
    Raw(OwnedNode),
}

/// People were blocked or unblocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlocklistChange {
    /// The hash of the list after the change.
    pub hash: Option<CompactString>,
    /// The hash before it; another than the own means that the list has to be asked for again.
    pub previous_hash: Option<CompactString>,
    /// Who, and whether they are blocked now. Empty if the list has to be asked for again.
    pub items: Vec<(Jid, bool)>,
}

impl DevicesChange {
    pub(super) fn read(envelope: &Envelope, node: &OwnedNode) -> Result<Self, ParseError> {
        let child = node.nodes().iter().find_map(|child| {
            let kind = match child.tag.as_ref() {
                "add" => DevicesChangeKind::Add,
                "remove" => DevicesChangeKind::Remove,
                "update" => DevicesChangeKind::Update,
                _ => return None,
            };
            Some((kind, child))
        });
        let (kind, child) = child.ok_or(ParseError::MissingChild("add"))?;
        let (devices, left_out) = count_left_out(|| DeviceEntry::read_all(child));
        let hash = child.text_opt("device_hash").or_else(|| child.text_opt("hash"));
        Ok(Self {
            user: envelope.from.to_user(),
            lid: node.attrs.jid("lid"),
            kind,
            devices,
            // Without a hash the whole list is asked for again: a device that was removed must not
            // stay in it because its entry cannot be read.
            hash: hash.filter(|_| left_out == 0),
            key_index_list: child.find("key-index-list").map(SignedKeyIndexList::read),
        })
    }
}

impl DeviceEntry {
    fn read_all(node: &OwnedNode) -> Vec<Self> {
        readable(node.find_all("device"), Self::read)
    }

    fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        Ok(Self {
            jid: node.need_jid("jid")?,
            lid: node.attrs.jid("lid"),
            key_index: node.attrs.number("key-index"),
        })
    }
}

impl SignedKeyIndexList {
    pub(crate) fn read(node: &OwnedNode) -> Self {
        Self {
            timestamp: node.attrs.number("ts"),
            expected_timestamp: node.attrs.number("expected_ts"),
            signed: node.content_bytes().map(Bytes::copy_from_slice),
        }
    }
}

impl AccountChange {
    pub(super) fn read_all(node: &OwnedNode) -> Vec<Self> {
        readable(node.nodes(), Self::read)
    }

    fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        Ok(match node.tag.as_ref() {
            "devices" => Self::Devices {
                devices: DeviceEntry::read_all(node),
                hash: node.text_opt("dhash").or_else(|| node.text_opt("device_hash")),
                key_index_list: node.find("key-index-list").map(SignedKeyIndexList::read),
            },
            "privacy" => Self::Privacy(read_privacy(node)),
            "picture" => Self::Picture,
            "blocklist" => Self::Blocklist(BlocklistChange::read(node)),
            "disappearing_mode" => Self::DisappearingMode {
                duration: node.need_number("duration")?,
                timestamp: node.attrs.number("t"),
            },
            _ => Self::Raw(node.clone()),
        })
    }
}

/// The categories in `<privacy>`, also in the answer to a request. Those that cannot be read stay
/// as they are known.
pub(crate) fn read_privacy(node: &OwnedNode) -> Vec<(CompactString, CompactString)> {
    let pair =
        |category: &OwnedNode| Ok((category.need_text("name")?, category.need_text("value")?));
    readable(node.find_all("category"), pair)
}

impl BlocklistChange {
    fn read(node: &OwnedNode) -> Self {
        let item = |item: &OwnedNode| Ok((item.need_jid("jid")?, item.attrs.is("action", "block")));
        let (items, left_out) = count_left_out(|| readable(node.find_all("item"), item));
        Self {
            hash: node.text_opt("dhash"),
            previous_hash: node.text_opt("prev_dhash"),
            // Part of a change is none to build on: without any, the whole list is asked for again.
            items: if left_out == 0 { items } else { Vec::new() },
        }
    }
}
