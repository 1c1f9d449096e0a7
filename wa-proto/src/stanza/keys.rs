//! Public keys as stanzas carry them: in prekey uploads and answers, and in retry receipts.
//!
//! Owns their form: ids of three bytes, keys of 32 bytes, type 5. Knows nothing of curves; that a
//! signature holds is checked where the keys are used.

use bytes::Bytes;

use super::fields::ParseError;
use crate::{Node, OwnedNode};

/// The type byte of Curve25519 keys.
pub const KEY_TYPE: u8 = 5;

/// A one-time prekey's public half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WirePreKey {
    /// Its id, below 2^24.
    pub id: u32,
    /// The key, without type byte.
    pub key: [u8; 32],
}

/// A signed prekey's public half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WireSignedPreKey {
    /// Its id, below 2^24.
    pub id: u32,
    /// The key, without type byte.
    pub key: [u8; 32],
    /// The identity key's signature over the type byte and the key.
    pub signature: [u8; 64],
}

/// What is needed to begin a session with a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireKeyBundle {
    /// The identity key, without type byte.
    pub identity: [u8; 32],
    /// The signed prekey.
    pub signed_prekey: WireSignedPreKey,
    /// A one-time prekey, if there is one left.
    pub prekey: Option<WirePreKey>,
    /// The device's signed identity, an encoded `ADVSignedDeviceIdentity`.
    pub device_identity: Option<Bytes>,
}

impl WirePreKey {
    /// The `<key>` node.
    pub fn to_node(&self) -> OwnedNode {
        key_node("key", self.id, &self.key)
    }

    pub(crate) fn read(node: &Node<'_>) -> Result<Self, ParseError> {
        Ok(Self { id: node.need_big_endian("id")?, key: read_key(node, "value")? })
    }
}

impl WireSignedPreKey {
    /// The `<skey>` node.
    pub fn to_node(&self) -> OwnedNode {
        let signature = Node::new("signature").bytes(self.signature.to_vec());
        key_node("skey", self.id, &self.key).child(signature)
    }

    pub(crate) fn read(node: &Node<'_>) -> Result<Self, ParseError> {
        Ok(Self {
            id: node.need_big_endian("id")?,
            key: read_key(node, "value")?,
            signature: node.need_array("signature")?,
        })
    }
}

impl WireKeyBundle {
    /// The children of a retry receipt's `<keys>`.
    pub(super) fn to_nodes(&self) -> Vec<OwnedNode> {
        let identity = self.device_identity.as_ref();
        [type_node(), identity_node(&self.identity)]
            .into_iter()
            .chain(self.prekey.as_ref().map(WirePreKey::to_node))
            .chain([self.signed_prekey.to_node()])
            .chain(identity.map(|bytes| Node::new("device-identity").bytes(bytes.to_vec())))
            .collect()
    }

    /// Reads the children of `<keys>`, or of a `<user>` in the answer to a prekey request.
    pub(crate) fn read(node: &Node<'_>) -> Result<Self, ParseError> {
        if node.find("type").is_some_and(|kind| kind.content_bytes() != Some(&[KEY_TYPE])) {
            return Err(ParseError::KeyType);
        }
        Ok(Self {
            identity: read_key(node, "identity")?,
            signed_prekey: WireSignedPreKey::read(node.need_child("skey")?)?,
            prekey: node.find("key").map(WirePreKey::read).transpose()?,
            device_identity: node.bytes_opt("device-identity"),
        })
    }
}

/// The `<registration>` node: four bytes.
pub(crate) fn registration_node(registration_id: u32) -> OwnedNode {
    Node::new("registration").bytes(registration_id.to_be_bytes().to_vec())
}

/// The `<type>` node.
pub(crate) fn type_node() -> OwnedNode {
    Node::new("type").bytes(vec![KEY_TYPE])
}

/// The `<identity>` node.
pub(crate) fn identity_node(key: &[u8; 32]) -> OwnedNode {
    Node::new("identity").bytes(key.to_vec())
}

/// A key of 32 bytes, or of 33 with its type byte.
pub(crate) fn read_key(node: &Node<'_>, tag: &'static str) -> Result<[u8; 32], ParseError> {
    let bytes = node.need_child(tag)?.content_bytes().ok_or(ParseError::Content(tag))?;
    let key = match bytes {
        [KEY_TYPE, key @ ..] if key.len() == 32 => key,
        key => key,
    };
    key.try_into().map_err(|_| ParseError::Content(tag))
}

fn key_node(tag: &'static str, id: u32, key: &[u8; 32]) -> OwnedNode {
    let [_, id @ ..] = id.to_be_bytes();
    Node::new(tag)
        .child(Node::new("id").bytes(id.to_vec()))
        .child(Node::new("value").bytes(key.to_vec()))
}
