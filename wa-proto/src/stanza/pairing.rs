//! Pairing, as the server asks for it.
//!
//! Owns `pair-device` and `pair-success` and the answer to the latter. Which signatures have to
//! hold is known to the client.

use bytes::Bytes;

use super::{fields::ParseError, iq::iq_result};
use crate::{Jid, Node, OwnedNode, entries::readable};

/// The most references that are taken; the server sends six.
pub const MAX_PAIRING_REFS: usize = 32;

/// References to be shown, one after the other, as QR codes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PairDevice {
    /// In the order in which they are to be shown: 60 seconds the first, 20 each of the others.
    pub refs: Vec<String>,
}

/// The phone took this device.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PairSuccess {
    /// An encoded `ADVSignedDeviceIdentityHMAC`.
    pub device_identity: Bytes,
    /// This device's JID by phone number.
    pub jid: Jid,
    /// This device's JID by LID.
    pub lid: Option<Jid>,
    /// What the phone runs on.
    pub platform: Option<String>,
    /// The name of the business.
    pub business_name: Option<String>,
}

impl PairDevice {
    pub(super) fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        let text = |node: &OwnedNode| node.content_text().map(str::to_owned);
        let refs = node.find_all("ref").take(MAX_PAIRING_REFS);
        Ok(Self { refs: readable(refs, |node| text(node).ok_or(ParseError::Content("ref"))) })
    }
}

impl PairSuccess {
    pub(super) fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        let device = node.need_child("device")?;
        let name = |tag| Some(node.find(tag)?.attrs.text("name")?.into_owned());
        Ok(Self {
            device_identity: node.need_bytes("device-identity")?,
            jid: device.need_jid("jid")?,
            lid: device.attrs.jid("lid"),
            platform: name("platform"),
            business_name: name("biz"),
        })
    }
}

/// The answer to `pair-success`: the device identity, signed by this device and without the
/// account's signature key (an encoded `ADVSignedDeviceIdentity`), and its key index.
pub fn pair_device_sign(id: &str, key_index: u32, device_identity: Bytes) -> OwnedNode {
    let identity =
        Node::new("device-identity").attr("key-index", key_index).bytes(Vec::from(device_identity));
    iq_result(id, &Jid::server()).child(Node::new("pair-device-sign").child(identity))
}
