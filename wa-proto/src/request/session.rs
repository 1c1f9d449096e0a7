//! Requests about the connection itself.
//!
//! Owns ping, active and passive, server settings, and the marks for what changed meanwhile.

use compact_str::CompactString;

use super::{Request, get, set};
use crate::{Node, OwnedNode, stanza::ParseError};

/// Whether the other side is there (`w:p`). Answered before pairing too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ping;

impl Request for Ping {
    type Response = ();

    fn to_node(&self, id: &str) -> OwnedNode {
        get(id, "w:p").child(Node::new("ping"))
    }

    fn parse(&self, _: &OwnedNode) -> Result<(), ParseError> {
        Ok(())
    }
}

/// This device is ready for messages; the backlog follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetActive;

impl Request for SetActive {
    type Response = ();

    fn to_node(&self, id: &str) -> OwnedNode {
        set(id, "passive").child(Node::new("active"))
    }

    fn parse(&self, _: &OwnedNode) -> Result<(), ParseError> {
        Ok(())
    }
}

/// This device wants no messages for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetPassive;

impl Request for SetPassive {
    type Response = ();

    fn to_node(&self, id: &str) -> OwnedNode {
        set(id, "passive").child(Node::new("passive"))
    }

    fn parse(&self, _: &OwnedNode) -> Result<(), ParseError> {
        Ok(())
    }
}

/// The server's settings for this account (`abt`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AbProps {
    /// The hash of those that are known; the server then sends what differs.
    pub hash: Option<CompactString>,
}

/// The server's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AbPropsAnswer {
    /// The hash to ask with the next time.
    pub hash: Option<CompactString>,
    /// Whether these are only what differs.
    pub is_delta: bool,
    /// When to ask again, in seconds from now.
    pub refresh: Option<u64>,
    /// Names (numbers mostly) and values.
    pub props: Vec<(CompactString, CompactString)>,
}

impl Request for AbProps {
    type Response = AbPropsAnswer;

    fn to_node(&self, id: &str) -> OwnedNode {
        let props = Node::new("props").attr("protocol", "1").attr_opt("hash", self.hash.as_ref());
        get(id, "abt").child(props)
    }

    fn parse(&self, result: &OwnedNode) -> Result<AbPropsAnswer, ParseError> {
        // A server without settings for this account answers with an empty result.
        let Some(node) = result.find("props") else {
            return Ok(AbPropsAnswer { hash: None, is_delta: false, refresh: None, props: vec![] });
        };
        let prop = |prop: &OwnedNode| {
            Some((
                prop.text_opt("config_code").or_else(|| prop.text_opt("name"))?,
                prop.text_opt("config_value").or_else(|| prop.text_opt("value"))?,
            ))
        };
        Ok(AbPropsAnswer {
            hash: node.text_opt("hash"),
            is_delta: node.attrs.is("delta_update", "true"),
            refresh: node.attrs.number("refresh"),
            props: node.find_all("prop").filter_map(prop).collect(),
        })
    }
}

/// What was marked as changed has been asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanDirty {
    /// What: `account_sync`, `groups`.
    pub kind: CompactString,
    /// The mark's time, in seconds since 1970.
    pub timestamp: Option<u64>,
}

impl Request for CleanDirty {
    type Response = ();

    fn to_node(&self, id: &str) -> OwnedNode {
        let clean =
            Node::new("clean").attr("type", &self.kind).attr_opt("timestamp", self.timestamp);
        set(id, "urn:xmpp:whatsapp:dirty").child(clean)
    }

    fn parse(&self, _: &OwnedNode) -> Result<(), ParseError> {
        Ok(())
    }
}
