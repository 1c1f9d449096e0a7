//! Bytes into nodes.
//!
//! Owns every check on what the other side sent: each length is held against the bytes there are,
//! and depth, nodes, attributes, text and inflation have the limits named in `wire`. Bytes that
//! are left over are an error.

use std::{borrow::Cow, io::Read};

use compact_str::CompactString;

use super::{AttrValue, Attrs, Node, NodeContent, OwnedNode, wire::*};
use crate::{Jid, ParseJidError, Server, token::Token};

/// Bytes from the network are no node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// A frame without even a flags byte.
    #[error("an empty frame")]
    Empty,
    /// The bytes end within a value.
    #[error("the bytes end within a value")]
    Truncated,
    /// Bytes follow the node, or the zlib stream.
    #[error("{0} bytes follow the node")]
    TrailingBytes(usize),
    /// The compressed part is no zlib stream, or ends early.
    #[error("the compressed part is damaged")]
    Inflate,
    /// The compressed part inflates to more than [`MAX_INFLATED_LEN`].
    #[error("a frame that inflates to more than {MAX_INFLATED_LEN} bytes")]
    InflatedTooLong,
    /// A node opens with something else than a list.
    #[error("a node opens with the byte {0}, which is no list")]
    NotANode(u8),
    /// A node without a tag, or with an empty one.
    #[error("a node without a tag")]
    NoTag,
    /// A byte that opens no value, or none that is allowed in this place.
    #[error("the byte {0} does not open a value here")]
    UnexpectedByte(u8),
    /// A packed text with a nibble that stands for nothing.
    #[error("the nibble {0} stands for nothing")]
    Nibble(u8),
    /// A tag, attribute name or attribute value that is no UTF-8.
    #[error("a text that is no UTF-8")]
    NotText,
    /// A text longer than [`MAX_TEXT_LEN`].
    #[error("a text longer than {MAX_TEXT_LEN} bytes")]
    TextTooLong,
    /// A JID whose parts make none.
    #[error(transparent)]
    Jid(#[from] ParseJidError),
    /// A Messenger or interop JID whose server is another.
    #[error("a JID whose server does not fit its form")]
    JidServer,
    /// Nodes nested deeper than [`MAX_DEPTH`].
    #[error("nodes nested deeper than {MAX_DEPTH}")]
    TooDeep,
    /// More than [`MAX_NODES`] nodes.
    #[error("more than {MAX_NODES} nodes in a frame")]
    TooManyNodes,
    /// More than [`MAX_ATTRS`] attributes.
    #[error("more than {MAX_ATTRS} attributes in a frame")]
    TooManyAttrs,
}

/// Takes the flags byte off a frame's payload, and inflates the rest if the flags say so.
///
/// # Errors
/// If the payload is empty, if the compressed part is damaged or has something behind it, or if it
/// inflates to more than [`MAX_INFLATED_LEN`] bytes.
pub fn unpack(payload: &[u8]) -> Result<Cow<'_, [u8]>, DecodeError> {
    let (flags, rest) = payload.split_first().ok_or(DecodeError::Empty)?;
    if flags & FLAG_COMPRESSED == 0 {
        return Ok(Cow::Borrowed(rest));
    }
    let mut inflated = Vec::new();
    let mut decoder = flate2::bufread::ZlibDecoder::new(rest);
    decoder
        .by_ref()
        .take(MAX_INFLATED_LEN as u64 + 1)
        .read_to_end(&mut inflated)
        .map_err(|_| DecodeError::Inflate)?;
    if inflated.len() > MAX_INFLATED_LEN {
        return Err(DecodeError::InflatedTooLong);
    }
    match decoder.into_inner().len() {
        0 => Ok(Cow::Owned(inflated)),
        left => Err(DecodeError::TrailingBytes(left)),
    }
}

/// Unpacks and decodes a frame's payload into a node that outlives it.
///
/// # Errors
/// As [`unpack`] and [`Node::decode`].
pub fn read(payload: &[u8]) -> Result<OwnedNode, DecodeError> {
    let bytes = unpack(payload)?;
    Reader::new(&bytes, |text| Cow::Owned(text.to_owned()), |bytes| Cow::Owned(bytes.to_vec()))
        .whole()
}

/// What can still be read of the outside of a payload that [`read`] refuses: the tag, and the
/// attributes before the first that cannot be read. `None` if not even the tag can be. Often it is
/// the inside that is damaged, and then whoever sent it can be told so.
pub fn read_outside(payload: &[u8]) -> Option<OwnedNode> {
    let (flags, rest) = payload.split_first()?;
    let mut inflated = Vec::new();
    let bytes = if flags & FLAG_COMPRESSED == 0 {
        rest
    } else {
        let decoder = flate2::bufread::ZlibDecoder::new(rest);
        // What comes before the damage is kept.
        let _ = decoder.take(MAX_OUTSIDE_LEN).read_to_end(&mut inflated);
        &inflated
    };
    let owned = |text: &str| Cow::Owned(text.to_owned());
    Reader::new(bytes, owned, |bytes| Cow::Owned(bytes.to_vec())).outside()
}

impl<'a> Node<'a> {
    /// Decodes what [`unpack`] gives. Bytes and text borrow; packed texts and JIDs are copies.
    ///
    /// # Errors
    /// If the bytes are no node, are more than a node, or go beyond a limit.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Reader::new(bytes, Cow::Borrowed, Cow::Borrowed).whole()
    }
}

/// Reads from `'b` into nodes of `'a`: the same where they borrow, `'static` where they own.
struct Reader<'b, 'a> {
    rest: &'b [u8],
    nodes: usize,
    attrs: usize,
    keep_text: fn(&'b str) -> Cow<'a, str>,
    keep_bytes: fn(&'b [u8]) -> Cow<'a, [u8]>,
}

impl<'b, 'a> Reader<'b, 'a> {
    fn new(
        rest: &'b [u8],
        keep_text: fn(&'b str) -> Cow<'a, str>,
        keep_bytes: fn(&'b [u8]) -> Cow<'a, [u8]>,
    ) -> Self {
        Self { rest, nodes: 0, attrs: 0, keep_text, keep_bytes }
    }

    fn whole(mut self) -> Result<Node<'a>, DecodeError> {
        let node = self.node(0)?;
        match self.rest.len() {
            0 => Ok(node),
            left => Err(DecodeError::TrailingBytes(left)),
        }
    }

    fn node(&mut self, depth: usize) -> Result<Node<'a>, DecodeError> {
        if depth >= MAX_DEPTH {
            return Err(DecodeError::TooDeep);
        }
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(DecodeError::TooManyNodes);
        }
        let opening = self.byte()?;
        let len = self.list_len(opening)?.ok_or(DecodeError::NotANode(opening))?;
        let values = len.checked_sub(1).ok_or(DecodeError::NoTag)?;
        let tag = self.text()?;
        if tag.is_empty() {
            return Err(DecodeError::NoTag);
        }
        let attrs = self.attrs(values / 2)?;
        let content = if values % 2 == 1 { self.content(depth)? } else { NodeContent::Empty };
        Ok(Node { tag, attrs, content })
    }

    fn outside(&mut self) -> Option<Node<'a>> {
        let opening = self.byte().ok()?;
        let values = self.list_len(opening).ok()??.checked_sub(1)?;
        let tag = self.text().ok().filter(|tag| !tag.is_empty())?;
        let count = (values / 2).min(MAX_OUTSIDE_ATTRS);
        let attrs = std::iter::from_fn(|| self.attr().ok()).take(count).collect();
        Some(Node { tag, attrs: Attrs(attrs), content: NodeContent::Empty })
    }

    fn attrs(&mut self, count: usize) -> Result<Attrs<'a>, DecodeError> {
        self.attrs += count;
        if self.attrs > MAX_ATTRS {
            return Err(DecodeError::TooManyAttrs);
        }
        // A name and a value take a byte each at least.
        let mut attrs = Vec::with_capacity(count.min(self.rest.len() / 2).min(PREALLOCATED));
        for _ in 0..count {
            attrs.push(self.attr()?);
        }
        Ok(Attrs(attrs))
    }

    fn attr(&mut self) -> Result<(Cow<'a, str>, AttrValue<'a>), DecodeError> {
        let name = self.text()?;
        let opening = self.byte()?;
        let value = match self.jid(opening)? {
            Some(jid) => AttrValue::Jid(jid),
            None => AttrValue::Text(self.text_after(opening)?),
        };
        Ok((name, value))
    }

    fn content(&mut self, depth: usize) -> Result<NodeContent<'a>, DecodeError> {
        let opening = self.byte()?;
        if let Some(count) = self.list_len(opening)? {
            // A node takes two bytes at least.
            let mut nodes = Vec::with_capacity(count.min(self.rest.len() / 2).min(PREALLOCATED));
            for _ in 0..count {
                nodes.push(self.node(depth + 1)?);
            }
            return Ok(NodeContent::Nodes(nodes));
        }
        if let Some(len) = self.bytes_len(opening)? {
            return Ok(NodeContent::Bytes((self.keep_bytes)(self.take(len)?)));
        }
        Ok(match self.jid(opening)? {
            Some(jid) => NodeContent::Jid(jid),
            None => NodeContent::Text(self.text_after(opening)?),
        })
    }

    fn text(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        let opening = self.byte()?;
        self.text_after(opening)
    }

    /// A text whose first byte was read.
    fn text_after(&mut self, opening: u8) -> Result<Cow<'a, str>, DecodeError> {
        match self.raw_text(opening)? {
            RawText::Word(word) => Ok(Cow::Borrowed(word)),
            RawText::Bytes(text) => Ok((self.keep_text)(text)),
            RawText::Packed(text) => Ok(Cow::Owned(text.into_string())),
        }
    }

    fn raw_text(&mut self, opening: u8) -> Result<RawText<'b>, DecodeError> {
        if let Some(len) = self.bytes_len(opening)? {
            if len > MAX_TEXT_LEN {
                return Err(DecodeError::TextTooLong);
            }
            let text = std::str::from_utf8(self.take(len)?).map_err(|_| DecodeError::NotText)?;
            return Ok(RawText::Bytes(text));
        }
        match opening {
            LIST_EMPTY => Ok(RawText::Word("")),
            HEX_8 => self.packed(|nibble| char::from_digit(nibble, 16)).map(RawText::Packed),
            NIBBLE_8 => self.packed(digit).map(RawText::Packed),
            DICTIONARY_0..=DICTIONARY_3 => {
                let token = Token::Double(opening - DICTIONARY_0, self.byte()?);
                token.text().map(RawText::Word).ok_or(DecodeError::UnexpectedByte(opening))
            }
            _ => {
                let token = Token::Single(opening);
                token.text().map(RawText::Word).ok_or(DecodeError::UnexpectedByte(opening))
            }
        }
    }

    fn packed(&mut self, character: fn(u32) -> Option<char>) -> Result<CompactString, DecodeError> {
        let header = self.byte()?;
        let packed = self.take(usize::from(header & 0x7f))?;
        let is_odd = header & 0x80 != 0;
        let mut text = CompactString::with_capacity(packed.len() * 2);
        let nibbles = packed.iter().flat_map(|&byte| [byte >> 4, byte & 0xf]);
        let count = (packed.len() * 2).saturating_sub(usize::from(is_odd));
        for nibble in nibbles.take(count) {
            let character = character(nibble.into()).ok_or(DecodeError::Nibble(nibble))?;
            text.push(character.to_ascii_uppercase());
        }
        Ok(text)
    }

    /// The JID that this byte opens; `None` if it opens none.
    fn jid(&mut self, opening: u8) -> Result<Option<Jid>, DecodeError> {
        let jid = match opening {
            JID_PAIR => {
                let user = self.user()?;
                Jid::from_parts(&user, self.server()?)?
            }
            AD_JID => {
                let (domain, device) = (self.byte()?, self.byte()?);
                let (server, agent) = match domain {
                    DOMAIN_USER => (Server::User, 0),
                    DOMAIN_LID => (Server::Lid, 0),
                    DOMAIN_HOSTED => (Server::Hosted, 0),
                    DOMAIN_HOSTED_LID => (Server::HostedLid, 0),
                    agent => (Server::User, agent),
                };
                let plain = Jid::from_parts(&self.user()?, server)?;
                if plain.device != 0 || plain.agent != 0 {
                    return Err(ParseJidError::Device.into());
                }
                Jid { device: device.into(), agent, ..plain }
            }
            FB_JID => {
                let (user, device) = (self.user()?, self.u16()?);
                self.fixed_server(Server::Messenger)?;
                Jid { device, ..Jid::from_parts(&user, Server::Messenger)? }
            }
            INTEROP_JID => {
                let (user, device, integrator) = (self.user()?, self.u16()?, self.u16()?);
                self.fixed_server(Server::Interop)?;
                Jid { device, integrator, ..Jid::from_parts(&user, Server::Interop)? }
            }
            _ => return Ok(None),
        };
        Ok(Some(jid))
    }

    fn user(&mut self) -> Result<CompactString, DecodeError> {
        let opening = self.byte()?;
        Ok(match self.raw_text(opening)? {
            RawText::Word(text) | RawText::Bytes(text) => text.into(),
            RawText::Packed(text) => text,
        })
    }

    fn server(&mut self) -> Result<Server, DecodeError> {
        let opening = self.byte()?;
        Ok(match self.raw_text(opening)? {
            RawText::Word(text) | RawText::Bytes(text) => Server::from_name(text),
            RawText::Packed(text) => Server::from_name(&text),
        })
    }

    fn fixed_server(&mut self, server: Server) -> Result<(), DecodeError> {
        if self.server()? == server { Ok(()) } else { Err(DecodeError::JidServer) }
    }

    /// The length of the list that this byte opens; `None` if it opens none.
    fn list_len(&mut self, opening: u8) -> Result<Option<usize>, DecodeError> {
        Ok(match opening {
            LIST_EMPTY => Some(0),
            LIST_8 => Some(self.byte()?.into()),
            LIST_16 => Some(self.u16()?.into()),
            _ => None,
        })
    }

    /// The length of the bytes that this byte opens; `None` if it opens none.
    fn bytes_len(&mut self, opening: u8) -> Result<Option<usize>, DecodeError> {
        let len = match opening {
            BINARY_8 => u32::from(self.byte()?),
            BINARY_20 => {
                let [b2, b1, b0] = self.array()?;
                u32::from_be_bytes([0, b2 & 0xf, b1, b0])
            }
            BINARY_32 => u32::from_be_bytes(self.array()?),
            _ => return Ok(None),
        };
        Ok(Some(usize::try_from(len).map_err(|_| DecodeError::Truncated)?))
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        let (byte, rest) = self.rest.split_first().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*byte)
    }

    fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*array)
    }

    fn take(&mut self, len: usize) -> Result<&'b [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }
}

/// A text as it is on the wire.
enum RawText<'b> {
    /// A token, or the empty text.
    Word(&'static str),
    Bytes(&'b str),
    Packed(CompactString),
}

fn digit(nibble: u32) -> Option<char> {
    match nibble {
        10 => Some('-'),
        11 => Some('.'),
        _ => char::from_digit(nibble, 10),
    }
}

/// How much of a payload is inflated for its outside, and how many of its attributes are read.
const MAX_OUTSIDE_LEN: u64 = 1 << 16;
const MAX_OUTSIDE_ATTRS: usize = 64;
/// How many places a list gets before its entries are there; it grows with them.
const PREALLOCATED: usize = 64;
