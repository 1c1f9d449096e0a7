//! Requests about keys (`encrypt`).
//!
//! Owns the upload and the check of this device's keys, and the fetch of other devices' keys.

use bytes::Bytes;

use super::{Request, get, set};
use crate::{
    Jid, Node, OwnedNode,
    entries::readable,
    stanza::{
        IqError, ParseError, WireKeyBundle, WirePreKey, WireSignedPreKey, big_endian,
        keys::{identity_node, read_key, registration_node, type_node},
    },
};

/// How many one-time prekeys the server still has of this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreKeyCount;

impl Request for PreKeyCount {
    type Response = u32;

    fn to_node(&self, id: &str) -> OwnedNode {
        get(id, "encrypt").child(Node::new("count"))
    }

    fn parse(&self, result: &OwnedNode) -> Result<u32, ParseError> {
        result.need_child("count")?.need_number("value")
    }
}

/// Gives the server this device's public keys. They have to be on disk before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreKeyUpload {
    /// This device's registration id.
    pub registration_id: u32,
    /// Its identity key.
    pub identity: [u8; 32],
    /// New one-time prekeys.
    pub prekeys: Vec<WirePreKey>,
    /// The signed prekey.
    pub signed_prekey: WireSignedPreKey,
}

impl Request for PreKeyUpload {
    type Response = ();

    fn to_node(&self, id: &str) -> OwnedNode {
        let list = Node::new("list").children(self.prekeys.iter().map(WirePreKey::to_node));
        set(id, "encrypt")
            .child(registration_node(self.registration_id))
            .child(type_node())
            .child(identity_node(&self.identity))
            .child(list)
            .child(self.signed_prekey.to_node())
    }

    fn parse(&self, _: &OwnedNode) -> Result<(), ParseError> {
        Ok(())
    }
}

/// Puts a new signed prekey in the place of the old one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotateSignedPreKey {
    /// The new one.
    pub signed_prekey: WireSignedPreKey,
}

impl Request for RotateSignedPreKey {
    type Response = ();

    fn to_node(&self, id: &str) -> OwnedNode {
        set(id, "encrypt").child(Node::new("rotate").child(self.signed_prekey.to_node()))
    }

    fn parse(&self, _: &OwnedNode) -> Result<(), ParseError> {
        Ok(())
    }
}

/// What the server believes this device's keys to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreKeyDigest;

/// What the server believes this device's keys to be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PreKeyDigestAnswer {
    /// The registration id.
    pub registration_id: u32,
    /// The identity key; left out if the hash covers it.
    pub identity: Option<[u8; 32]>,
    /// The id of the signed prekey.
    pub signed_prekey_id: Option<u32>,
    /// The ids of the one-time prekeys that are left.
    pub prekey_ids: Vec<u32>,
    /// A SHA-1 hash over all of it.
    pub hash: Option<Bytes>,
}

impl Request for PreKeyDigest {
    type Response = PreKeyDigestAnswer;

    fn to_node(&self, id: &str) -> OwnedNode {
        get(id, "encrypt").child(Node::new("digest"))
    }

    fn parse(&self, result: &OwnedNode) -> Result<PreKeyDigestAnswer, ParseError> {
        let digest = result.need_child("digest")?;
        let list = digest.find("list").map(Node::nodes).unwrap_or_default();
        let id = |node: &OwnedNode| node.content_bytes().and_then(big_endian);
        // All or nothing: a list to compare with, of which a part is left out, proves nothing.
        let ids = list.iter().map(|node| id(node).ok_or(ParseError::Content("id")));
        Ok(PreKeyDigestAnswer {
            registration_id: digest.need_big_endian("registration")?,
            identity: digest.find("identity").map(|_| read_key(digest, "identity")).transpose()?,
            signed_prekey_id: digest
                .find("skey")
                .map(|skey| skey.need_big_endian("id"))
                .transpose()?,
            prekey_ids: ids.collect::<Result<_, _>>()?,
            hash: digest.bytes_opt("hash"),
        })
    }
}

/// How many devices one [`PreKeyFetch`] is to name at most; the server gives up on more.
pub const MAX_FETCHED_DEVICES: usize = 50;

/// Asks for the keys of devices, to begin sessions with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreKeyFetch {
    /// The devices, at most [`MAX_FETCHED_DEVICES`] at a time.
    pub devices: Vec<Jid>,
    /// Whether it is because an identity changed.
    pub identity_changed: bool,
}

/// The keys of one device, or why there are none.
pub type FetchedKeys = (Jid, Result<DeviceKeys, super::RequestError>);

/// The keys of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceKeys {
    /// Its registration id.
    pub registration_id: u32,
    /// Its keys.
    pub bundle: WireKeyBundle,
}

impl Request for PreKeyFetch {
    /// For each device that was asked about and the server answered about: its keys, or why there
    /// are none. One device's error costs no other's keys; what comes of other devices is left out.
    type Response = Vec<FetchedKeys>;

    fn to_node(&self, id: &str) -> OwnedNode {
        let reason = self.identity_changed.then_some("identity");
        let users = self.devices.iter();
        let users = users.map(|jid| Node::new("user").attr("jid", jid).attr_opt("reason", reason));
        get(id, "encrypt").child(Node::new("key").children(users))
    }

    fn parse(&self, result: &OwnedNode) -> Result<Vec<FetchedKeys>, ParseError> {
        let list = result.need_child("list")?;
        let mut found: Vec<FetchedKeys> = Vec::new();
        let named = |user: &'_ OwnedNode| Ok((user.need_jid("jid")?, read_user(user)));
        for (device, keys) in readable(list.find_all("user"), named) {
            let is = |other: &Jid| other.is_same_user(&device) && other.device == device.device;
            if self.devices.iter().any(is) && !found.iter().any(|(known, _)| is(known)) {
                found.push((device, keys));
            }
        }
        Ok(found)
    }
}

fn read_user(user: &OwnedNode) -> Result<DeviceKeys, super::RequestError> {
    if let Some(error) = user.find("error") {
        return Err(IqError::read(Some(error)).into());
    }
    Ok(DeviceKeys {
        registration_id: user.need_big_endian("registration")?,
        bundle: WireKeyBundle::read(user)?,
    })
}
