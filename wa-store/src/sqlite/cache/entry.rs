//! What is kept at hand: by which key, as which value, and how each is read from the tables.
//!
//! Knows nothing of when a value is out of date.

use std::collections::HashMap;

use compact_str::{CompactString, ToCompactString as _};
use rusqlite::Connection;
use wa_crypto::PublicKey;
use wa_proto::{Jid, stanza::GroupInfo};

use super::super::{groups, read, read_archive, rows};
use crate::{
    DeviceList, DeviceVoucher, PreKey, SecretBytes, Seen, SignedPreKey, id::bare, store::Result,
};

/// What is asked for. JIDs are text, as they are in the tables: two that read alike are one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(in super::super) enum Lookup {
    /// By device.
    Session(CompactString),
    /// By device.
    Identity(CompactString),
    /// By device.
    Voucher(CompactString),
    /// By user.
    DeviceList(CompactString),
    /// By user.
    KeyIndexList(CompactString),
    /// By phone number.
    LidOf(CompactString),
    /// By LID.
    PhoneOf(CompactString),
    /// By group and device.
    SenderKey(CompactString, CompactString),
    /// By group.
    SenderKeyHolders(CompactString),
    /// By group.
    Group(CompactString),
    PreKey(u32),
    SignedPreKey(u32),
    Seen([u8; 32]),
    /// By name.
    Setting(CompactString),
}

impl Lookup {
    pub(in super::super) fn session(device: &Jid) -> Self {
        Self::Session(device.to_compact_string())
    }

    pub(in super::super) fn identity(device: &Jid) -> Self {
        Self::Identity(device.to_compact_string())
    }

    pub(in super::super) fn voucher(device: &Jid) -> Self {
        Self::Voucher(device.to_compact_string())
    }

    pub(in super::super) fn device_list(user: &Jid) -> Self {
        Self::DeviceList(user.to_user().to_compact_string())
    }

    pub(in super::super) fn key_index_list(user: &Jid) -> Self {
        Self::KeyIndexList(user.to_user().to_compact_string())
    }

    pub(in super::super) fn lid_of(phone: &Jid) -> Self {
        Self::LidOf(bare(phone).to_compact_string())
    }

    pub(in super::super) fn phone_of(lid: &Jid) -> Self {
        Self::PhoneOf(bare(lid).to_compact_string())
    }

    pub(in super::super) fn sender_key(group: &Jid, sender: &Jid) -> Self {
        Self::SenderKey(group.to_compact_string(), sender.to_compact_string())
    }

    pub(in super::super) fn sender_key_holders(group: &Jid) -> Self {
        Self::SenderKeyHolders(group.to_compact_string())
    }

    pub(in super::super) fn group(group: &Jid) -> Self {
        Self::Group(group.to_user().to_compact_string())
    }

    pub(in super::super) const fn seen(seen: &Seen) -> Self {
        Self::Seen(seen.0)
    }

    pub(in super::super) fn setting(name: &str) -> Self {
        Self::Setting(name.into())
    }

    /// Reads what stands in the tables.
    pub(in super::super) fn read(&self, db: &Connection) -> Result<Option<Value>> {
        Ok(match self {
            Self::Session(device) => read::session(db, device)?.map(Cached::wrap),
            Self::Identity(device) => read::identity(db, device)?.map(Cached::wrap),
            Self::Voucher(device) => read::device_voucher(db, device)?.map(Cached::wrap),
            Self::DeviceList(user) => read::device_list(db, user)?.map(Cached::wrap),
            Self::KeyIndexList(user) => read::key_index_list(db, user)?.map(Cached::wrap),
            Self::LidOf(phone) => rows::lid_named(db, phone)?.map(Cached::wrap),
            Self::PhoneOf(lid) => rows::phone_named(db, lid)?.map(Cached::wrap),
            Self::SenderKey(group, sender) => {
                read::sender_key(db, group, sender)?.map(Cached::wrap)
            }
            Self::SenderKeyHolders(group) => Some(read::sender_key_holders(db, group)?.wrap()),
            Self::Group(group) => groups::group(db, group)?.map(Cached::wrap),
            Self::PreKey(id) => read::prekey(db, *id)?.map(Cached::wrap),
            Self::SignedPreKey(id) => read::signed_prekey(db, *id)?.map(Cached::wrap),
            Self::Seen(hash) => read::is_seen(db, &Seen(*hash))?.then_some(Value::Seen),
            Self::Setting(name) => read_archive::setting(db, name)?.map(Cached::wrap),
        })
    }

    /// How many bytes it holds besides its own.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Session(text)
            | Self::Identity(text)
            | Self::Voucher(text)
            | Self::DeviceList(text)
            | Self::KeyIndexList(text)
            | Self::LidOf(text)
            | Self::PhoneOf(text)
            | Self::SenderKeyHolders(text)
            | Self::Group(text)
            | Self::Setting(text) => text.len(),
            Self::SenderKey(group, sender) => group.len() + sender.len(),
            Self::PreKey(_) | Self::SignedPreKey(_) | Self::Seen(_) => 0,
        }
    }
}

/// What was found. Secrets stand behind a pointer of their own, so that moving a value about leaves
/// no copy of them; they wipe themselves when they are dropped.
#[derive(Clone, PartialEq)]
pub(in super::super) enum Value {
    Secret(SecretBytes),
    PublicKey(PublicKey),
    Voucher(Box<DeviceVoucher>),
    Devices(DeviceList),
    Bytes(Vec<u8>),
    Name(Jid),
    Holders(HashMap<Jid, bool>),
    Group(Box<GroupInfo>),
    PreKey(Box<PreKey>),
    SignedPreKey(Box<SignedPreKey>),
    Seen,
}

impl Value {
    /// About how many bytes it holds besides its own.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Secret(secret) => secret.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Devices(list) => list.devices.len() * 12,
            Self::Holders(holders) => holders.len() * 96,
            Self::Group(group) => 1_024 + group.participants.len() * 256,
            Self::PreKey(_) | Self::SignedPreKey(_) | Self::Voucher(_) => 256,
            Self::PublicKey(_) | Self::Name(_) | Self::Seen => 0,
        }
    }
}

/// A type that is kept at hand.
pub(in super::super) trait Cached: Sized {
    fn wrap(self) -> Value;
    /// Nothing of a value of another type.
    fn unwrap(value: Value) -> Option<Self>;
}

macro_rules! cached {
    ($($type:ty: $kind:ident;)*) => {$(
        impl Cached for $type {
            fn wrap(self) -> Value {
                Value::$kind(self.into())
            }

            fn unwrap(value: Value) -> Option<Self> {
                match value {
                    Value::$kind(value) => Some(Self::from(value)),
                    _ => None,
                }
            }
        }
    )*};
    ($($type:ty: box $kind:ident;)*) => {$(
        impl Cached for $type {
            fn wrap(self) -> Value {
                Value::$kind(Box::new(self))
            }

            fn unwrap(value: Value) -> Option<Self> {
                match value {
                    Value::$kind(value) => Some(*value),
                    _ => None,
                }
            }
        }
    )*};
}

cached! {
    SecretBytes: Secret;
    PublicKey: PublicKey;
    DeviceList: Devices;
    Vec<u8>: Bytes;
    Jid: Name;
    HashMap<Jid, bool>: Holders;
}

cached! {
    DeviceVoucher: box Voucher;
    GroupInfo: box Group;
    PreKey: box PreKey;
    SignedPreKey: box SignedPreKey;
}
