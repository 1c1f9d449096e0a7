//! Nodes into bytes.
//!
//! Owns the choice of the form of each value: a token if there is one, else packed if it packs,
//! else bytes. Knows nothing of frames but their flags byte, which is always 0 here: this side
//! does not compress.

use super::{AttrValue, Node, NodeContent, wire::*};
use crate::{Jid, Server, token::Token};

impl Node<'_> {
    /// The payload of a frame: a flags byte of 0, then the node.
    ///
    /// Every node has a wire form but for two that the protocol does not use: of more than
    /// [`MAX_LIST_LEN`] children or 32,767 attributes those beyond are left out.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        self.encode_into(&mut out);
        out
    }

    /// Appends what [`Node::encode`] gives.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        out.push(0);
        write_node(self, out);
    }
}

fn write_node(node: &Node<'_>, out: &mut Vec<u8>) {
    let has_content = usize::from(!matches!(node.content, NodeContent::Empty));
    let attrs = node.attrs.0.iter().take((MAX_LIST_LEN - 1 - has_content) / 2);
    write_list_len(1 + 2 * attrs.len() + has_content, out);
    write_text(&node.tag, out);
    for (name, value) in attrs {
        write_text(name, out);
        match value {
            AttrValue::Text(text) => write_text(text, out),
            AttrValue::Jid(jid) => write_jid(jid, out),
        }
    }
    match &node.content {
        NodeContent::Empty => {}
        NodeContent::Bytes(bytes) => write_bytes(bytes, out),
        NodeContent::Text(text) => write_text(text, out),
        NodeContent::Jid(jid) => write_jid(jid, out),
        NodeContent::Nodes(children) => {
            let children = children.iter().take(MAX_LIST_LEN);
            write_list_len(children.len(), out);
            children.for_each(|child| write_node(child, out));
        }
    }
}

/// A list's opening; the length is at most [`MAX_LIST_LEN`].
fn write_list_len(len: usize, out: &mut Vec<u8>) {
    let [.., high, low] = len.to_be_bytes();
    match len {
        0 => out.push(LIST_EMPTY),
        1..=0xff => out.extend([LIST_8, low]),
        _ => out.extend([LIST_16, high, low]),
    }
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    let [.., b3, b2, b1, b0] = bytes.len().to_be_bytes();
    match bytes.len() {
        0..=0xff => out.extend([BINARY_8, b0]),
        0x100..=0xf_ffff => out.extend([BINARY_20, b2, b1, b0]),
        _ => out.extend([BINARY_32, b3, b2, b1, b0]),
    }
    out.extend_from_slice(bytes);
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    if text.is_empty() {
        out.push(LIST_EMPTY);
    } else if let Some(token) = Token::of(text) {
        match token {
            Token::Single(place) => out.push(place),
            Token::Double(dictionary, place) => out.extend([DICTIONARY_0 + dictionary, place]),
        }
    } else if !write_packed(text.as_bytes(), out) {
        write_bytes(text.as_bytes(), out);
    }
}

/// Packs the text if it is short enough and has no other characters; else writes nothing.
fn write_packed(text: &[u8], out: &mut Vec<u8>) -> bool {
    if text.len() > MAX_PACKED_CHARS {
        return false;
    }
    let (tag, nibble): (u8, fn(u8) -> Option<u8>) =
        if text.iter().all(|&c| digit_nibble(c).is_some()) {
            (NIBBLE_8, digit_nibble)
        } else if text.iter().all(|&c| hex_nibble(c).is_some()) {
            (HEX_8, hex_nibble)
        } else {
            return false;
        };
    let [.., len] = text.len().div_ceil(2).to_be_bytes();
    let is_odd = text.len() % 2 == 1;
    out.extend([tag, len | (u8::from(is_odd) << 7)]);
    out.extend(text.chunks(2).map(|pair| {
        let mut nibbles = pair.iter().filter_map(|&c| nibble(c));
        (nibbles.next().unwrap_or(0xf) << 4) | nibbles.next().unwrap_or(0xf)
    }));
    true
}

fn digit_nibble(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'-' => Some(10),
        b'.' => Some(11),
        _ => None,
    }
}

fn hex_nibble(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'A'..=b'F' => Some(character - b'A' + 10),
        _ => None,
    }
}

fn write_jid(jid: &Jid, out: &mut Vec<u8>) {
    let [device_high, device_low] = jid.device.to_be_bytes();
    match (&jid.server, ad_domain(jid)) {
        (Server::Messenger, _) => {
            out.push(FB_JID);
            write_text(&jid.user, out);
            out.extend([device_high, device_low]);
            write_text(jid.server.as_str(), out);
        }
        (Server::Interop, _) => {
            out.push(INTEROP_JID);
            write_text(&jid.user, out);
            out.extend([device_high, device_low]);
            out.extend(jid.integrator.to_be_bytes());
            write_text(jid.server.as_str(), out);
        }
        (_, Some(domain)) if device_high == 0 => {
            out.extend([AD_JID, domain, device_low]);
            write_text(&jid.user, out);
        }
        _ if jid.device == 0 => {
            out.push(JID_PAIR);
            write_text(&jid.user, out);
            write_text(jid.server.as_str(), out);
        }
        // A device that no JID form can carry; text keeps it whole.
        _ => write_text(&jid.to_string(), out),
    }
}

/// The domain byte if the AD form is this JID's: a person's device, or a hosted business.
fn ad_domain(jid: &Jid) -> Option<u8> {
    match (&jid.server, jid.agent) {
        // These agents are the domain bytes of other servers, so they cannot be said.
        (Server::User, 0 | DOMAIN_LID | DOMAIN_HOSTED | DOMAIN_HOSTED_LID) => {
            (jid.device != 0).then_some(DOMAIN_USER)
        }
        (Server::User, agent) => Some(agent),
        (Server::Lid, _) => (jid.device != 0).then_some(DOMAIN_LID),
        (Server::Hosted, _) => Some(DOMAIN_HOSTED),
        (Server::HostedLid, _) => Some(DOMAIN_HOSTED_LID),
        _ => None,
    }
}
