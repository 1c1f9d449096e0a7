//! Questions, words about the connection, and its ends.

use super::{Cast, Named};
use crate::{Jid, Node, OwnedNode};

fn iq(kind: &'static str) -> OwnedNode {
    Node::new("iq").attr("id", "IQ1").attr("type", kind).attr("from", Jid::server())
}

pub(super) fn all(cast: &Cast) -> Vec<Named> {
    [questions(cast), info(cast)].concat()
}

fn questions(cast: &Cast) -> Vec<Named> {
    let error = Node::new("error")
        .attr("code", "503")
        .attr("text", "service-unavailable")
        .attr("backoff", "5");
    let refs = ["2@abc", "2@def"].map(|text| Node::new("ref").bytes(text.as_bytes()));
    let device = Node::new("device").attr("jid", &cast.own).attr("lid", &cast.own_lid);
    let success = Node::new("pair-success")
        .child(Node::new("device-identity").bytes(vec![1; 30]))
        .child(device)
        .child(Node::new("platform").attr("name", "android"))
        .child(Node::new("biz").attr("name", "Shop"));
    vec![
        ("a ping", iq("get").attr("xmlns", "urn:xmpp:ping").child(Node::new("ping"))),
        ("a question of a new kind", iq("set").child(Node::new("brand_new").attr("a", "b"))),
        ("an answer that nobody waits for", iq("result").child(Node::new("list"))),
        ("a refusal that nobody waits for", iq("error").child(error)),
        ("references for pairing", iq("set").child(Node::new("pair-device").children(refs))),
        ("a pairing", iq("set").child(success)),
        ("a stanza of a new kind", {
            Node::new("novelty")
                .attr("id", "N1")
                .attr("from", &cast.other_lid)
                .child(Node::new("word").attr("a", "b"))
        }),
    ]
}

fn info(cast: &Cast) -> Vec<Named> {
    let word = |child: OwnedNode| Node::new("ib").attr("from", Jid::server()).child(child);
    let preview = Node::new("offline_preview")
        .attr("count", "1")
        .attr("message", "1")
        .attr("receipt", "0")
        .attr("notification", "0")
        .attr("appdata", "0");
    let routing = Node::new("routing_info").bytes(vec![8, 8, 9]);
    let dirty = |kind: &'static str| {
        word(Node::new("dirty").attr("type", kind).attr("timestamp", cast.now))
    };
    vec![
        ("a backlog follows", word(preview)),
        ("the backlog is over", word(Node::new("offline").attr("count", "1"))),
        ("an edge", word(Node::new("edge_routing").child(routing))),
        ("the account is dirty", dirty("account_sync")),
        ("groups are dirty", dirty("groups")),
        ("the phone is too old", word(Node::new("downgrade_webclient"))),
        ("another word", word(Node::new("thread_metadata").attr("a", "b"))),
        ("a success", {
            Node::new("success")
                .attr("t", cast.now)
                .attr("lid", &cast.own_lid)
                .attr("display_name", "Somebody")
                .attr("creation", cast.now)
        }),
    ]
}

pub(super) fn endings(_: &Cast) -> Vec<Named> {
    vec![
        ("a refusal", {
            Node::new("failure")
                .attr("reason", "503")
                .attr("code", "101")
                .attr("expire", "60")
                .attr("location", "sim")
                .attr("logout_message_header", "Header")
                .attr("logout_message_subtext", "Text")
        }),
        ("a restart", Node::new("stream:error").attr("code", "515")),
        ("an ack is missing", {
            let ack = Node::new("ack").attr("class", "message").attr("id", "3EB0");
            Node::new("stream:error").child(ack)
        }),
        ("no well-formed stanza", {
            Node::new("stream:error").child(Node::new("xml-not-well-formed"))
        }),
        ("another end", Node::new("stream:error").attr("code", "599").child(Node::new("word"))),
        ("the end", Node::new("xmlstreamend")),
    ]
}
