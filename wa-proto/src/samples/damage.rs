//! What can be wrong with a stanza, part by part: missing, twice, empty, of another type, huge.
//!
//! Owns the rule that every part of a stanza is damaged in every way, one at a time. All of it still
//! fits the wire form: what does not is no stanza.

use std::borrow::Cow;

use crate::{AttrValue, Jid, Node, NodeContent, OwnedNode, Server};

/// A stanza with one thing wrong.
#[derive(Debug, Clone)]
pub struct Damaged {
    /// Where and what.
    pub what: String,
    /// The stanza.
    pub stanza: OwnedNode,
}

/// How long a value is made: the longest text that the wire form takes has 65,536 bytes.
pub const HUGE_TEXT: usize = 65_000;
/// How often a child is repeated where there are to be many.
const MANY: usize = 500;

/// The stanza with each of its parts damaged in each way, one at a time.
pub fn damage(stanza: &OwnedNode) -> Vec<Damaged> {
    let mut found = Vec::new();
    let tag = stanza.tag.to_string();
    damage_node(stanza, &tag, &mut |what, stanza| found.push(Damaged { what, stanza }));
    found
}

/// Hands on each damaged form of a node, and of what is in it.
fn damage_node(node: &OwnedNode, path: &str, found: &mut dyn FnMut(String, OwnedNode)) {
    for at in 0..node.attrs.0.len() {
        for (what, damaged) in damage_attr(node, at) {
            found(format!("{path}: {what}"), damaged);
        }
    }
    for (what, content) in contents(node) {
        found(format!("{path}: {what}"), Node { content, ..node.clone() });
    }
    for (at, child) in node.nodes().iter().enumerate() {
        let with = |children: Vec<OwnedNode>| {
            let others = node.nodes().iter().enumerate().filter(|(other, _)| *other < at);
            let rest = node.nodes().iter().skip(at + 1).cloned();
            let all = others.map(|(_, child)| child.clone()).chain(children).chain(rest);
            Node { content: NodeContent::Nodes(all.collect()), ..node.clone() }
        };
        let path = format!("{path}/{}", child.tag);
        found(format!("{path} missing"), with(Vec::new()));
        found(format!("{path} twice"), with(vec![child.clone(); 2]));
        found(format!("{path} many times"), with(vec![child.clone(); MANY]));
        let renamed = Node { tag: Cow::Borrowed("brand_new"), ..child.clone() };
        found(format!("{path} of another name"), with(vec![renamed]));
        damage_node(child, &path, &mut |what, child| found(what, with(vec![child])));
    }
}

/// A node with one attribute missing, doubled, or of another value.
fn damage_attr(node: &OwnedNode, at: usize) -> Vec<(String, OwnedNode)> {
    let Some((name, value)) = node.attrs.0.get(at) else { return Vec::new() };
    let with = |values: Vec<AttrValue<'static>>| {
        let mut node = node.clone();
        let values = values.into_iter().map(|value| (name.clone(), value));
        node.attrs.0.splice(at..=at, values);
        node
    };
    let text = |text: &str| AttrValue::Text(Cow::Owned(text.to_owned()));
    let values = [
        ("missing", vec![]),
        ("twice", vec![value.clone(), value.clone()]),
        ("twice, the second another", vec![value.clone(), text("other")]),
        ("twice, the first another", vec![text("other"), value.clone()]),
        ("empty", vec![text("")]),
        ("a word", vec![text("nonsense \u{1f980}")]),
        ("a number too large", vec![text("99999999999999999999999")]),
        ("the largest number", vec![text("18446744073709551615")]),
        ("a negative number", vec![text("-1")]),
        ("the bare server", vec![AttrValue::Jid(Jid::server())]),
        ("a group", vec![AttrValue::Jid(Jid::group("1"))]),
        ("a channel", vec![AttrValue::Jid(Jid::new("1", Server::Newsletter))]),
        ("a device on a foreign server", {
            vec![AttrValue::Jid(Jid::new("1", Server::Hosted).with_device(65_535))]
        }),
        ("huge", vec![AttrValue::Text(Cow::Owned("9".repeat(HUGE_TEXT)))]),
    ];
    values.into_iter().map(|(what, values)| (format!("{name} {what}"), with(values))).collect()
}

/// Other contents for a node.
fn contents(node: &OwnedNode) -> Vec<(&'static str, NodeContent<'static>)> {
    let bytes = |bytes: Vec<u8>| NodeContent::Bytes(Cow::Owned(bytes));
    let mut contents = vec![
        ("a content of bytes", bytes(vec![0xff; 7])),
        ("an empty content", bytes(Vec::new())),
        ("a content of nodes", NodeContent::Nodes(vec![Node::new("brand_new")])),
        ("a content that is a JID", NodeContent::Jid(Jid::group("1"))),
        ("a huge content", bytes(vec![0; HUGE_TEXT])),
    ];
    if node.content != NodeContent::Empty {
        contents.push(("no content", NodeContent::Empty));
    }
    contents
}
