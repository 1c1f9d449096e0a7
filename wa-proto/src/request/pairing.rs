//! Pairing by code: the two requests of the new device.
//!
//! Owns their form. The code, and what is encrypted with it, is known to the client.

use bytes::Bytes;

use super::{Request, set};
use crate::{Jid, Node, OwnedNode, stanza::ParseError};

/// Begins: the phone will ask its user for the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkCodeHello {
    /// The account, by phone number.
    pub account: Jid,
    /// Salt (32), initialisation vector (16) and the encrypted ephemeral key (32).
    pub wrapped_ephemeral: [u8; 80],
    /// This device's Noise key.
    pub noise_key: [u8; 32],
    /// Which kind of browser this is, a number or letter.
    pub platform_id: String,
    /// What the phone shows: `Browser (OS)`; other forms are refused.
    pub platform_display: String,
    /// Whether the phone shows a notification.
    pub notify: bool,
}

impl Request for LinkCodeHello {
    /// The reference that names this pairing.
    type Response = Bytes;

    fn to_node(&self, id: &str) -> OwnedNode {
        let field = |tag: &'static str, bytes: &[u8]| Node::new(tag).bytes(bytes.to_vec());
        let registration = Node::new("link_code_companion_reg")
            .attr("jid", &self.account)
            .attr("stage", "companion_hello")
            .attr("should_show_push_notification", if self.notify { "true" } else { "false" })
            .child(field(
                "link_code_pairing_wrapped_companion_ephemeral_pub",
                &self.wrapped_ephemeral,
            ))
            .child(field("companion_server_auth_key_pub", &self.noise_key))
            .child(field("companion_platform_id", self.platform_id.as_bytes()))
            .child(field("companion_platform_display", self.platform_display.as_bytes()))
            .child(field("link_code_pairing_nonce", b"0"));
        set(id, "md").child(registration)
    }

    fn parse(&self, result: &OwnedNode) -> Result<Bytes, ParseError> {
        result.need_child("link_code_companion_reg")?.need_bytes("link_code_pairing_ref")
    }
}

/// Ends: gives the phone this device's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkCodeFinish {
    /// The account, by phone number.
    pub account: Jid,
    /// Salt (32), initialisation vector (12) and the encrypted keys.
    pub wrapped_key_bundle: Bytes,
    /// This device's identity key.
    pub identity: [u8; 32],
    /// The reference that names this pairing.
    pub pairing_ref: Bytes,
}

impl Request for LinkCodeFinish {
    type Response = ();

    fn to_node(&self, id: &str) -> OwnedNode {
        let field = |tag: &'static str, bytes: &[u8]| Node::new(tag).bytes(bytes.to_vec());
        let registration = Node::new("link_code_companion_reg")
            .attr("jid", &self.account)
            .attr("stage", "companion_finish")
            .child(field("link_code_pairing_wrapped_key_bundle", &self.wrapped_key_bundle))
            .child(field("companion_identity_public", &self.identity))
            .child(field("link_code_pairing_ref", &self.pairing_ref));
        set(id, "md").child(registration)
    }

    fn parse(&self, _: &OwnedNode) -> Result<(), ParseError> {
        Ok(())
    }
}
