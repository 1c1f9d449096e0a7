//! Requests about the app state (`w:sync:app:state`).
//!
//! Owns what is asked of a collection and what the server says of each: news, a conflict, or an
//! error of its own. Patches and snapshots stay sealed. Knows nothing of versions' order.

use bytes::Bytes;
use compact_str::CompactString;
use prost::Message as _;

use super::{Request, set};
use crate::{
    Node, OwnedNode,
    app_state::Collection,
    pb::{ExternalBlobReference, SyncdPatch},
    stanza::ParseError,
};

/// The most patches that are taken from one answer for one collection.
pub const MAX_PATCHES: usize = 10_000;

/// Asks what is new in a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchAppState {
    /// Which.
    pub collection: Collection,
    /// The version that is held.
    pub version: u64,
    /// Whether a snapshot is wanted, to begin anew.
    pub snapshot: bool,
}

/// Gives the server a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushAppState {
    /// Of which collection.
    pub collection: Collection,
    /// The version it follows.
    pub version: u64,
    /// An encoded `SyncdPatch`.
    pub patch: Bytes,
}

/// What the server says of a collection.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum AppStateAnswer {
    /// What is new; nothing if the held version is the newest. After a push: it was taken.
    News(AppStateNews),
    /// The patch was refused because others came before it. They may come along.
    Conflict(AppStateNews),
    /// The collection cannot be had now.
    Failed {
        /// The server's code: 400 for what it does not understand, 404 for what it does not have.
        code: u16,
        /// The server's word for it.
        text: Option<CompactString>,
    },
}

/// What is new in a collection. `Debug` shows how much.
#[derive(Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct AppStateNews {
    /// The version the server names.
    pub version: Option<u64>,
    /// Where the snapshot is, if there is one.
    pub snapshot: Option<Box<ExternalBlobReference>>,
    /// The patches, in order.
    pub patches: Vec<SyncdPatch>,
    /// Whether there are more than these.
    pub has_more: bool,
}

impl std::fmt::Debug for AppStateNews {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppStateNews")
            .field("version", &self.version)
            .field("snapshot", &self.snapshot.is_some())
            .field("patches", &self.patches.len())
            .field("has_more", &self.has_more)
            .finish()
    }
}

impl Request for FetchAppState {
    type Response = AppStateAnswer;

    fn to_node(&self, id: &str) -> OwnedNode {
        sync(id, collection(self.collection, self.version, self.snapshot))
    }

    fn parse(&self, result: &OwnedNode) -> Result<AppStateAnswer, ParseError> {
        read(result, self.collection)
    }
}

impl Request for PushAppState {
    type Response = AppStateAnswer;

    fn to_node(&self, id: &str) -> OwnedNode {
        let patch = Node::new("patch").bytes(self.patch.to_vec());
        sync(id, collection(self.collection, self.version, false).child(patch))
    }

    fn parse(&self, result: &OwnedNode) -> Result<AppStateAnswer, ParseError> {
        read(result, self.collection)
    }
}

fn sync(id: &str, collection: OwnedNode) -> OwnedNode {
    set(id, "w:sync:app:state").child(Node::new("sync").child(collection))
}

fn collection(collection: Collection, version: u64, snapshot: bool) -> OwnedNode {
    Node::new("collection")
        .attr("name", collection.as_str())
        .attr("version", version)
        .attr("return_snapshot", if snapshot { "true" } else { "false" })
}

fn read(result: &OwnedNode, asked: Collection) -> Result<AppStateAnswer, ParseError> {
    let sync = result.need_child("sync")?;
    let node = sync.find_all("collection").find(|node| node.attrs.is("name", asked.as_str()));
    let node = node.ok_or(ParseError::MissingChild("collection"))?;
    if !node.attrs.is("type", "error") {
        return Ok(AppStateAnswer::News(AppStateNews::read(node)?));
    }
    let error = node.need_child("error")?;
    match error.need_number("code")? {
        CONFLICT => Ok(AppStateAnswer::Conflict(AppStateNews::read(node)?)),
        code => Ok(AppStateAnswer::Failed { code, text: error.text_opt("text") }),
    }
}

impl AppStateNews {
    fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        let snapshot = match node.find("snapshot").map(Node::content_bytes) {
            None => None,
            Some(bytes) => {
                let bytes = bytes.ok_or(ParseError::Content("snapshot"))?;
                let blob = ExternalBlobReference::decode(bytes);
                Some(Box::new(blob.map_err(|_| ParseError::Content("snapshot"))?))
            }
        };
        let patches = node.find("patches").unwrap_or(node);
        if patches.find_all("patch").nth(MAX_PATCHES).is_some() {
            return Err(ParseError::TooMany("patches"));
        }
        let patch = |patch: &OwnedNode| {
            let bytes = patch.content_bytes().ok_or(ParseError::Content("patch"))?;
            // Copied into `Bytes` once, so that the parts share it.
            SyncdPatch::decode(Bytes::copy_from_slice(bytes))
                .map_err(|_| ParseError::Content("patch"))
        };
        Ok(Self {
            version: node.attrs.number("version"),
            snapshot,
            // All or nothing: each patch builds on the one before, and their MACs prove it.
            patches: patches.find_all("patch").map(patch).collect::<Result<_, _>>()?,
            has_more: node.attrs.is("has_more_patches", "true"),
        })
    }
}

/// Somebody else's patch came first.
const CONFLICT: u16 = 409;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pb::SyncdVersion;

    const ASKED: FetchAppState =
        FetchAppState { collection: Collection::Regular, version: 3, snapshot: false };

    fn answer(collection: OwnedNode) -> OwnedNode {
        Node::new("iq").attr("type", "result").child(Node::new("sync").child(collection))
    }

    fn patch(version: u64) -> OwnedNode {
        let patch = SyncdPatch {
            version: Some(SyncdVersion { version: Some(version) }),
            ..Default::default()
        };
        Node::new("patch").bytes(patch.encode_to_vec())
    }

    #[test]
    fn a_question_names_collection_and_version() {
        let node = ASKED.to_node("7");
        let asked = node.find("sync").unwrap().find("collection").unwrap();
        assert!(node.attrs.is("xmlns", "w:sync:app:state") && node.attrs.is("type", "set"));
        assert!(asked.attrs.is("name", "regular") && asked.attrs.is("version", "3"));
        assert!(asked.attrs.is("return_snapshot", "false"));
    }

    #[test]
    fn patches_are_read_with_and_without_a_list_around_them() {
        let bare = Node::new("collection").attr("name", "regular").child(patch(4));
        let list = Node::new("collection")
            .attr("name", "regular")
            .attr("has_more_patches", "true")
            .child(Node::new("patches").child(patch(4)).child(patch(5)));
        let Ok(AppStateAnswer::News(one)) = ASKED.parse(&answer(bare)) else { unreachable!() };
        let Ok(AppStateAnswer::News(two)) = ASKED.parse(&answer(list)) else { unreachable!() };
        assert_eq!((one.patches.len(), one.has_more), (1, false));
        assert_eq!((two.patches.len(), two.has_more), (2, true));
    }

    #[test]
    fn a_conflict_brings_what_came_before_and_other_errors_their_code() {
        let failed = |code: &'static str| {
            let error = Node::new("error").attr("code", code).attr("text", "word");
            let node = Node::new("collection").attr("name", "regular").attr("type", "error");
            ASKED.parse(&answer(node.child(error).child(Node::new("patches").child(patch(4)))))
        };
        assert!(
            matches!(failed("409"), Ok(AppStateAnswer::Conflict(news)) if news.patches.len() == 1)
        );
        assert!(matches!(failed("404"), Ok(AppStateAnswer::Failed { code: 404, .. })));
    }

    #[test]
    fn an_answer_about_another_collection_or_of_garbage_is_none() {
        let other = Node::new("collection").attr("name", "regular_low");
        assert!(ASKED.parse(&answer(other)).is_err());
        let garbage = Node::new("collection")
            .attr("name", "regular")
            .child(Node::new("patch").bytes(vec![0xff; 3]));
        assert_eq!(ASKED.parse(&answer(garbage)), Err(ParseError::Content("patch")));
    }
}
