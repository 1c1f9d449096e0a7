//! An outbox entry that is encrypted: the stanza as it leaves, and with which sender key.
//!
//! Owns the form on disk. Knows nothing of how it is encrypted.

use wa_proto::{Node, OwnedNode};

/// A stanza that is ready to leave.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) stanza: OwnedNode,
    /// The id of the own sender key with which it is encrypted, if it is.
    pub(super) sender_key: Option<u32>,
}

impl Sealed {
    /// As it is kept.
    pub(super) fn to_node(&self) -> OwnedNode {
        match self.sender_key {
            Some(id) => Node::new(SEALED).attr(SENDER_KEY, id).child(self.stanza.clone()),
            None => self.stanza.clone(),
        }
    }

    /// Of what is kept.
    pub(super) fn of(mut node: OwnedNode) -> Self {
        if node.tag != SEALED {
            return Self { stanza: node, sender_key: None };
        }
        let sender_key = node.attrs.number(SENDER_KEY);
        if let wa_proto::NodeContent::Nodes(children) = &mut node.content
            && let Some(stanza) = children.pop()
        {
            return Self { stanza, sender_key };
        }
        Self { stanza: node, sender_key }
    }
}

/// The tag around a stanza that is encrypted with a sender key.
const SEALED: &str = "sealed";
/// The attribute that names the key.
const SENDER_KEY: &str = "sender-key";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_is_what_was_made() {
        let stanza = Node::new("message").attr("id", "3EB0AA");
        for sender_key in [None, Some(7)] {
            let sealed = Sealed { stanza: stanza.clone(), sender_key };
            let read = Sealed::of(sealed.to_node());
            assert_eq!((read.stanza, read.sender_key), (stanza.clone(), sender_key));
        }
    }
}
