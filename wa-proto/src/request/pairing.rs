//! Pairing by code and by passkey: the requests of the new device.
//!
//! Owns their form. The code, and what is encrypted with it, is known to the client.

use bytes::Bytes;

use super::{Request, get, set};
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

/// Asks for a reference that names a pairing by passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairingRef;

impl Request for PairingRef {
    type Response = String;

    fn to_node(&self, id: &str) -> OwnedNode {
        get(id, "md").child(Node::new("ref"))
    }

    fn parse(&self, result: &OwnedNode) -> Result<String, ParseError> {
        let text = result.need_child("ref")?.content_text();
        text.map(str::to_owned).ok_or(ParseError::Content("ref"))
    }
}

/// Asks what a passkey is to sign, where the server's own word of it cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasskeyOptions;

impl Request for PasskeyOptions {
    /// The options of a WebAuthn request, as JSON.
    type Response = String;

    fn to_node(&self, id: &str) -> OwnedNode {
        get(id, "md").child(Node::new("passkey_request_options"))
    }

    fn parse(&self, result: &OwnedNode) -> Result<String, ParseError> {
        let text = result.need_child("passkey_request_options")?.content_text();
        text.map(str::to_owned).ok_or(ParseError::Content("passkey_request_options"))
    }
}

/// What a passkey signed, with the commitment of the new device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyPrologue {
    /// The credential's id.
    pub credential_id: Bytes,
    /// The assertion, in WebAuthn's JSON form.
    pub assertion: Bytes,
    /// An encoded `ProloguePayload`.
    pub payload: Bytes,
    /// Proof that a code of this device was used before.
    pub handoff_proof: Option<[u8; 32]>,
}

impl Request for PasskeyPrologue {
    type Response = ();

    fn to_node(&self, id: &str) -> OwnedNode {
        let field = |tag: &'static str, bytes: &[u8]| Node::new(tag).bytes(bytes.to_vec());
        let proof = self.handoff_proof.as_ref().map(|proof| field("pairing_handoff_proof", proof));
        let prologue = Node::new("passkey_prologue")
            .child(field("credential_id", &self.credential_id))
            .child(field("webauthn_assertion", &self.assertion))
            .child(field("prologue_payload", &self.payload))
            .children(proof);
        set(id, "md").child(prologue)
    }

    fn parse(&self, _: &OwnedNode) -> Result<(), ParseError> {
        Ok(())
    }
}

/// Opens the commitment of a pairing by passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanionNonce {
    /// What was hashed with the ephemeral identity.
    pub nonce: [u8; 32],
}

impl Request for CompanionNonce {
    type Response = ();

    fn to_node(&self, id: &str) -> OwnedNode {
        set(id, "md").child(Node::new("companion_nonce").bytes(self.nonce.to_vec()))
    }

    fn parse(&self, _: &OwnedNode) -> Result<(), ParseError> {
        Ok(())
    }
}

/// Ends pairing by passkey: gives the phone this device's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncryptedPairing {
    /// An encoded `EncryptedPairingRequest`.
    pub sealed: Bytes,
}

impl Request for EncryptedPairing {
    type Response = ();

    fn to_node(&self, id: &str) -> OwnedNode {
        set(id, "md").child(Node::new("encrypted_pairing_request").bytes(self.sealed.to_vec()))
    }

    fn parse(&self, _: &OwnedNode) -> Result<(), ParseError> {
        Ok(())
    }
}
