//! The picture of a group (`w:profile:picture`).

use bytes::Bytes;
use compact_str::CompactString;

use super::super::{Request, set};
use crate::{Jid, Node, OwnedNode, stanza::ParseError};

/// Changes a group's picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPicture {
    /// The group.
    pub group: Jid,
    /// The picture, a square JPEG; `None` takes it away.
    pub jpeg: Option<Bytes>,
}

impl Request for GroupPicture {
    /// The new picture's id; `None` if it was taken away.
    type Response = Option<CompactString>;

    fn to_node(&self, id: &str) -> OwnedNode {
        let picture = self
            .jpeg
            .as_ref()
            .map(|jpeg| Node::new("picture").attr("type", "image").bytes(jpeg.to_vec()));
        set(id, "w:profile:picture").attr("target", &self.group).children(picture)
    }

    fn parse(&self, result: &OwnedNode) -> Result<Option<CompactString>, ParseError> {
        Ok(result.find("picture").and_then(|picture| picture.text_opt("id")))
    }
}
