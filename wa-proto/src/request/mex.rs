//! Requests in GraphQL (`w:mex`): a document known by number, with JSON in and out.
//!
//! Owns the frame around the JSON. Which documents there are, and what they say, is known to the
//! client.

use bytes::Bytes;
use compact_str::CompactString;

use super::{Request, get};
use crate::{Node, OwnedNode, stanza::ParseError};

/// Runs a document that the server knows by number.
#[derive(Clone, PartialEq, Eq)]
pub struct Mex {
    /// The document's number.
    pub query_id: CompactString,
    /// Its variables: a JSON object.
    pub variables: String,
}

/// Without the variables, which may name people.
impl std::fmt::Debug for Mex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mex").field("query_id", &self.query_id).finish_non_exhaustive()
    }
}

impl Request for Mex {
    /// A GraphQL response, JSON: `data`, `errors`.
    type Response = Bytes;

    fn to_node(&self, id: &str) -> OwnedNode {
        let body = format!(r#"{{"variables":{}}}"#, self.variables);
        get(id, "w:mex")
            .child(Node::new("query").attr("query_id", &self.query_id).bytes(body.into_bytes()))
    }

    fn parse(&self, result: &OwnedNode) -> Result<Bytes, ParseError> {
        // Another format than JSON has a name.
        if result.need_child("result")?.attrs.value("format").is_some() {
            return Err(ParseError::Content("result"));
        }
        result.need_bytes("result")
    }
}
