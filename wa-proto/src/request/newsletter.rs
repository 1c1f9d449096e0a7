//! Requests about channels: their posts, page by page, and what became of them.
//!
//! Owns the form of a post. Everything else about channels is asked in GraphQL.

use bytes::Bytes;
use compact_str::CompactString;

use super::Request;
use crate::{Jid, MessageId, Node, OwnedNode, entries::readable, stanza::ParseError};

/// The most posts that are taken of one answer.
pub const MAX_POSTS: usize = 1_000;
/// The most kinds of reaction that are taken of one post.
const MAX_REACTIONS: usize = 1_000;

/// A post of a channel, or what became of it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewsletterPost {
    /// Its number in the channel.
    pub server_id: u64,
    /// Its id as a message.
    pub id: Option<MessageId>,
    /// When it was posted, in seconds since 1970.
    pub timestamp: Option<u64>,
    /// An encoded `Message`; updates have none.
    pub plaintext: Option<Bytes>,
    /// How often it was seen, if that is told.
    pub views: Option<u64>,
    /// How often each emoji was put on it.
    pub reactions: Vec<(CompactString, u64)>,
}

/// Without what it says.
impl std::fmt::Debug for NewsletterPost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewsletterPost").field("server_id", &self.server_id).finish_non_exhaustive()
    }
}

impl NewsletterPost {
    /// The posts in a node, at most [`MAX_POSTS`], or in its `<messages>`.
    pub(crate) fn read_all(node: &OwnedNode) -> Vec<Self> {
        let list = node.find("messages").unwrap_or(node);
        readable(list.find_all("message").take(MAX_POSTS), Self::read)
    }

    fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        let reactions = node.find("reactions").map(|reactions| reactions.find_all("reaction"));
        let reaction = |reaction: &OwnedNode| {
            Ok((reaction.need_text("code")?, reaction.need_number("count")?))
        };
        Ok(Self {
            server_id: node.need_number("server_id")?,
            id: node.text_opt("id").and_then(|id| MessageId::new(id).ok()),
            timestamp: node.attrs.number("t"),
            plaintext: node.bytes_opt("plaintext"),
            views: node.find("views_count").and_then(|views| views.attrs.number("count")),
            reactions: readable(reactions.into_iter().flatten().take(MAX_REACTIONS), reaction),
        })
    }
}

fn question(id: &str, kind: &'static str, to: Jid, child: OwnedNode) -> OwnedNode {
    Node::new("iq")
        .attr("id", id.to_owned())
        .attr("to", to)
        .attr("type", kind)
        .attr("xmlns", "newsletter")
        .child(child)
}

/// Asks for the posts of a channel, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewsletterMessages {
    /// Which.
    pub newsletter: Jid,
    /// How many.
    pub count: u32,
    /// Only those before the one with this number.
    pub before: Option<u64>,
}

impl Request for NewsletterMessages {
    type Response = Vec<NewsletterPost>;

    fn to_node(&self, id: &str) -> OwnedNode {
        let messages = Node::new("messages")
            .attr("type", "jid")
            .attr("jid", &self.newsletter)
            .attr("count", self.count)
            .attr_opt("before", self.before);
        question(id, "get", Jid::server(), messages)
    }

    fn parse(&self, result: &OwnedNode) -> Result<Vec<NewsletterPost>, ParseError> {
        Ok(NewsletterPost::read_all(result.need_child("messages")?))
    }
}

/// Asks what became of the posts of a channel: views and reactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewsletterUpdates {
    /// Which.
    pub newsletter: Jid,
    /// How many.
    pub count: u32,
    /// Only what happened since, in seconds since 1970.
    pub since: Option<u64>,
    /// Only those after the one with this number.
    pub after: Option<u64>,
}

impl Request for NewsletterUpdates {
    type Response = Vec<NewsletterPost>;

    fn to_node(&self, id: &str) -> OwnedNode {
        let updates = Node::new("message_updates")
            .attr("count", self.count)
            .attr_opt("since", self.since)
            .attr_opt("after", self.after);
        question(id, "get", self.newsletter.clone(), updates)
    }

    fn parse(&self, result: &OwnedNode) -> Result<Vec<NewsletterPost>, ParseError> {
        Ok(NewsletterPost::read_all(result.need_child("message_updates")?))
    }
}

/// Asks to be told at once what becomes of the posts of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewsletterLive {
    /// Which.
    pub newsletter: Jid,
}

impl Request for NewsletterLive {
    /// For how many seconds.
    type Response = u64;

    fn to_node(&self, id: &str) -> OwnedNode {
        question(id, "set", self.newsletter.clone(), Node::new("live_updates"))
    }

    fn parse(&self, result: &OwnedNode) -> Result<u64, ParseError> {
        result.need_child("live_updates")?.need_number("duration")
    }
}

/// Tells a channel that posts were seen.
pub fn newsletter_views(id: &str, newsletter: &Jid, posts: &[u64]) -> OwnedNode {
    let items = posts.iter().map(|post| Node::new("item").attr("server_id", *post));
    Node::new("receipt")
        .attr("to", newsletter)
        .attr("type", "view")
        .attr("id", id.to_owned())
        .child(Node::new("list").children(items))
}

/// Puts an emoji on a post of a channel; an empty one takes it back.
pub fn newsletter_reaction(id: &str, newsletter: &Jid, post: u64, emoji: &str) -> OwnedNode {
    let is_set = !emoji.is_empty();
    let reaction = Node::new("reaction").attr_opt("code", is_set.then(|| emoji.to_owned()));
    Node::new("message")
        .attr("to", newsletter)
        .attr("id", id.to_owned())
        .attr("server_id", post)
        .attr("type", "reaction")
        .attr_opt("edit", (!is_set).then_some("7"))
        .child(reaction)
}
