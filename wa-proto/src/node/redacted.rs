//! Nodes as text for logs.
//!
//! Owns what a log may show: tags, ids, types, counts and times; of JIDs the name space and the
//! device. Everything else (users, names, texts, keys, ciphertexts, tokens) appears as its length
//! alone.

use std::fmt;

use super::{AttrValue, Node, NodeContent};
use crate::Jid;

/// Prints a node without what is private in it; see [`Node::redacted`].
#[derive(Debug, Clone, Copy)]
pub struct Redacted<'n, 'a>(&'n Node<'a>);

impl<'a> Node<'a> {
    /// The node as XML-like text that is fit for a log: no user, text, key or token is in it.
    pub fn redacted(&self) -> Redacted<'_, 'a> {
        Redacted(self)
    }
}

impl fmt::Display for Redacted<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(node) = self;
        write!(f, "<{}", Clean(&node.tag))?;
        for (name, value) in &node.attrs.0 {
            match value {
                AttrValue::Jid(jid) => write!(f, " {}=\"{}\"", Clean(name), RedactedJid(jid))?,
                AttrValue::Text(text) if is_public(name, text) => {
                    write!(f, " {}=\"{}\"", Clean(name), Clean(text))?;
                }
                AttrValue::Text(text) => write!(f, " {}=({})", Clean(name), text.len())?,
            }
        }
        match &node.content {
            NodeContent::Empty => return f.write_str("/>"),
            NodeContent::Bytes(bytes) => write!(f, ">({} bytes)", bytes.len())?,
            NodeContent::Text(text) => write!(f, ">({} characters)", text.chars().count())?,
            NodeContent::Jid(jid) => write!(f, ">{}", RedactedJid(jid))?,
            NodeContent::Nodes(children) => {
                f.write_str(">")?;
                for child in children.iter().take(MAX_SHOWN_CHILDREN) {
                    write!(f, "{}", Redacted(child))?;
                }
                if let Some(more) = children.len().checked_sub(MAX_SHOWN_CHILDREN + 1) {
                    write!(f, "({} more)", more + 1)?;
                }
            }
        }
        write!(f, "</{}>", Clean(&node.tag))
    }
}

/// How many children of one node a log shows.
const MAX_SHOWN_CHILDREN: usize = 16;

/// How much of a text a log shows, in characters.
const MAX_SHOWN_CHARS: usize = 64;

/// The attributes whose text says nothing about a person.
const PUBLIC_ATTRS: [&str; 29] = [
    "addressing_mode",
    "category",
    "class",
    "code",
    "context",
    "count",
    "decrypt-fail",
    "device_fanout",
    "edit",
    "error",
    "expiration",
    "id",
    "index",
    "last",
    "mediatype",
    "message",
    "mode",
    "name_space",
    "notification",
    "offline",
    "push_priority",
    "reason",
    "receipt",
    "t",
    "type",
    "v",
    "value_ts",
    "version",
    "xmlns",
];

fn is_public(name: &str, text: &str) -> bool {
    // An address sent as text is private under any name, and so is what might be a number to call.
    PUBLIC_ATTRS.contains(&name) && !text.contains('@')
}

/// A text whose control characters cannot forge a log line.
struct Clean<'a>(&'a str);

impl fmt::Display for Clean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars().take(MAX_SHOWN_CHARS) {
            let character = match character {
                c if c.is_control() || matches!(c, '<' | '>' | '"') => '\u{fffd}',
                c => c,
            };
            fmt::Write::write_char(f, character)?;
        }
        Ok(())
    }
}

/// A JID without its user.
struct RedactedJid<'a>(&'a Jid);

impl fmt::Display for RedactedJid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Jid { user, device, server, .. } = self.0;
        if !user.is_empty() {
            write!(f, "…:{device}@")?;
        }
        write!(f, "{}", Clean(server.as_str()))
    }
}
