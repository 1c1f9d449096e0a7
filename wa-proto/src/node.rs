//! Binary nodes: the XML-like trees that every frame carries.
//!
//! Owns the tree and its construction. A decoded tree borrows from the frame where it can;
//! [`Node::into_owned`] cuts it loose. What a tree means is said by the typed stanzas, not here.

mod decode;
mod encode;
mod redacted;
mod wire;

use std::borrow::Cow;

use compact_str::CompactString;

pub use decode::{DecodeError, read, read_outside, unpack};
pub use redacted::Redacted;
pub use wire::{MAX_ATTRS, MAX_DEPTH, MAX_INFLATED_LEN, MAX_LIST_LEN, MAX_NODES, MAX_TEXT_LEN};

use crate::{Jid, MessageId};

/// A tag, its attributes in wire order, and its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node<'a> {
    /// What the node is, `message` or `iq` for instance.
    pub tag: Cow<'a, str>,
    /// Its attributes, in wire order.
    pub attrs: Attrs<'a>,
    /// What it holds.
    pub content: NodeContent<'a>,
}

/// A node that borrows from nothing.
pub type OwnedNode = Node<'static>;

/// What a node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeContent<'a> {
    /// Nothing at all.
    Empty,
    /// Bytes that are no text the wire form knows: ciphertexts, keys, most free text.
    Bytes(Cow<'a, [u8]>),
    /// A dictionary token or a packed number.
    Text(Cow<'a, str>),
    /// A JID as content.
    Jid(Jid),
    /// Child nodes; may be empty.
    Nodes(Vec<Node<'a>>),
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttrValue<'a> {
    /// Text, a token or a packed number.
    Text(Cow<'a, str>),
    /// A JID in its own wire form. A JID sent as text is silently ignored by real clients.
    Jid(Jid),
}

/// The attributes of a node, in wire order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attrs<'a>(pub Vec<(Cow<'a, str>, AttrValue<'a>)>);

impl<'a> Attrs<'a> {
    /// The value of the first attribute of this name.
    pub fn value(&self, name: &str) -> Option<&AttrValue<'a>> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// An attribute as text; a JID is written out.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.value(name).map(AttrValue::to_text)
    }

    /// An attribute as a JID, whether it came in the JID form or as text.
    pub fn jid(&self, name: &str) -> Option<Jid> {
        self.value(name).and_then(AttrValue::to_jid)
    }

    /// An attribute as a number.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }

    /// Whether an attribute is there and has this text.
    pub fn is(&self, name: &str, text: &str) -> bool {
        self.text(name).is_some_and(|value| value == text)
    }
}

impl<'a> AttrValue<'a> {
    /// The value as text; a JID is written out.
    pub fn to_text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Jid(jid) => Cow::Owned(jid.to_string()),
        }
    }

    /// The value as a JID, if it is one in either form.
    pub fn to_jid(&self) -> Option<Jid> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Jid(jid) => Some(jid.clone()),
        }
    }

    fn into_owned(self) -> AttrValue<'static> {
        match self {
            Self::Text(text) => AttrValue::Text(Cow::Owned(text.into_owned())),
            Self::Jid(jid) => AttrValue::Jid(jid),
        }
    }
}

impl<'a> From<&'a str> for AttrValue<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for AttrValue<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<CompactString> for AttrValue<'_> {
    fn from(text: CompactString) -> Self {
        Self::Text(Cow::Owned(text.into_string()))
    }
}

impl From<&CompactString> for AttrValue<'_> {
    fn from(text: &CompactString) -> Self {
        Self::Text(Cow::Owned(text.to_string()))
    }
}

impl From<&MessageId> for AttrValue<'_> {
    fn from(id: &MessageId) -> Self {
        Self::Text(Cow::Owned(id.as_str().to_owned()))
    }
}

impl From<Jid> for AttrValue<'_> {
    fn from(jid: Jid) -> Self {
        Self::Jid(jid)
    }
}

impl From<&Jid> for AttrValue<'_> {
    fn from(jid: &Jid) -> Self {
        Self::Jid(jid.clone())
    }
}

macro_rules! number_attr {
    ($($number:ty),*) => {$(
        impl From<$number> for AttrValue<'_> {
            fn from(number: $number) -> Self {
                Self::Text(Cow::Owned(number.to_string()))
            }
        }
    )*};
}
number_attr!(u16, u32, u64, i64, usize);

impl<'a> Node<'a> {
    /// A node without attributes or content.
    pub fn new(tag: impl Into<Cow<'a, str>>) -> Self {
        Self { tag: tag.into(), attrs: Attrs::default(), content: NodeContent::Empty }
    }

    /// Adds an attribute behind those there are.
    #[must_use]
    pub fn attr(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<AttrValue<'a>>) -> Self {
        self.attrs.0.push((name.into(), value.into()));
        self
    }

    /// Adds an attribute if there is a value for it.
    #[must_use]
    pub fn attr_opt(
        self,
        name: impl Into<Cow<'a, str>>,
        value: Option<impl Into<AttrValue<'a>>>,
    ) -> Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    /// Adds a child behind those there are; bytes or text are replaced.
    #[must_use]
    pub fn child(mut self, child: Node<'a>) -> Self {
        match &mut self.content {
            NodeContent::Nodes(children) => children.push(child),
            content => *content = NodeContent::Nodes(vec![child]),
        }
        self
    }

    /// Adds children behind those there are; bytes or text are replaced.
    #[must_use]
    pub fn children(self, children: impl IntoIterator<Item = Node<'a>>) -> Self {
        children.into_iter().fold(self, Node::child)
    }

    /// Makes bytes the content.
    #[must_use]
    pub fn bytes(mut self, bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        self.content = NodeContent::Bytes(bytes.into());
        self
    }

    /// Makes text the content.
    #[must_use]
    pub fn text(mut self, text: impl Into<Cow<'a, str>>) -> Self {
        self.content = NodeContent::Text(text.into());
        self
    }

    /// The child nodes; none if the content is something else.
    pub fn nodes(&self) -> &[Node<'a>] {
        match &self.content {
            NodeContent::Nodes(children) => children,
            _ => &[],
        }
    }

    /// The first child with this tag.
    pub fn find(&self, tag: &str) -> Option<&Node<'a>> {
        self.nodes().iter().find(|child| child.tag == tag)
    }

    /// The children with this tag.
    pub fn find_all<'n>(&'n self, tag: &'n str) -> impl Iterator<Item = &'n Node<'a>> {
        self.nodes().iter().filter(move |child| child.tag == tag)
    }

    /// The content as bytes, whether it came as bytes or as text.
    pub fn content_bytes(&self) -> Option<&[u8]> {
        match &self.content {
            NodeContent::Bytes(bytes) => Some(bytes),
            NodeContent::Text(text) => Some(text.as_bytes()),
            _ => None,
        }
    }

    /// The content as text, whether it came as bytes (in UTF-8) or as text.
    pub fn content_text(&self) -> Option<&str> {
        std::str::from_utf8(self.content_bytes()?).ok()
    }

    /// Copies what is borrowed, so that the node may outlive its frame.
    pub fn into_owned(self) -> OwnedNode {
        Node {
            tag: Cow::Owned(self.tag.into_owned()),
            attrs: Attrs(
                self.attrs
                    .0
                    .into_iter()
                    .map(|(name, value)| (Cow::Owned(name.into_owned()), value.into_owned()))
                    .collect(),
            ),
            content: match self.content {
                NodeContent::Empty => NodeContent::Empty,
                NodeContent::Bytes(bytes) => NodeContent::Bytes(Cow::Owned(bytes.into_owned())),
                NodeContent::Text(text) => NodeContent::Text(Cow::Owned(text.into_owned())),
                NodeContent::Jid(jid) => NodeContent::Jid(jid),
                NodeContent::Nodes(children) => {
                    NodeContent::Nodes(children.into_iter().map(Node::into_owned).collect())
                }
            },
        }
    }
}
