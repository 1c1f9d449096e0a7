//! Where media are (`w:m`).
//!
//! Owns the list of hosts and the token for them. Knows nothing of HTTP.

use super::{Request, set};
use crate::{Node, OwnedNode, entries::readable, stanza::ParseError};

/// Asks for the media hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaConn;

/// The media hosts, and the right to use them.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MediaConnAnswer {
    /// The token for uploads. It is a secret.
    pub auth: String,
    /// How long the token is good, in seconds.
    pub auth_ttl: u64,
    /// How long the list is good, in seconds.
    pub ttl: u64,
    /// How many parts an upload is cut into at most.
    pub max_buckets: Option<u32>,
    /// The hosts, best first.
    pub hosts: Vec<MediaHost>,
}

impl std::fmt::Debug for MediaConnAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediaConnAnswer")
            .field("auth_ttl", &self.auth_ttl)
            .field("ttl", &self.ttl)
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

/// A media host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MediaHost {
    /// Its name, with a port if it is not 443.
    pub hostname: String,
    /// A second name to try, in case the first fails.
    pub fallback_hostname: Option<String>,
    /// Whether it is only for when others fail.
    pub is_fallback: bool,
}

impl Request for MediaConn {
    type Response = MediaConnAnswer;

    fn to_node(&self, id: &str) -> OwnedNode {
        set(id, "w:m").child(Node::new("media_conn"))
    }

    fn parse(&self, result: &OwnedNode) -> Result<MediaConnAnswer, ParseError> {
        let node = result.need_child("media_conn")?;
        let host = |host: &OwnedNode| {
            Ok(MediaHost {
                hostname: host.need_text("hostname")?.into(),
                fallback_hostname: host.attrs.text("fallback_hostname").map(Into::into),
                is_fallback: host.attrs.is("type", "fallback"),
            })
        };
        let ttl = node.need_number("ttl")?;
        Ok(MediaConnAnswer {
            auth: node.need_text("auth")?.into(),
            auth_ttl: node.attrs.number("auth_ttl").unwrap_or(ttl),
            ttl,
            max_buckets: node.attrs.number("max_buckets"),
            hosts: readable(node.find_all("host"), host),
        })
    }
}
