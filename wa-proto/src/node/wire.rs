//! The bytes that open each kind of value, and the limits on what they announce.
//!
//! Owns the numbers that the encoder and the decoder share. Values 1 to 235 are single-byte
//! tokens.

/// An empty list; where text is expected, the empty text.
pub(super) const LIST_EMPTY: u8 = 0;
/// A token of dictionary 0; the next three values are dictionaries 1 to 3. One byte follows.
pub(super) const DICTIONARY_0: u8 = 236;
/// The last of the four dictionaries.
pub(super) const DICTIONARY_3: u8 = 239;
/// A JID of another service: user, 16-bit device, 16-bit integrator, server `interop`.
pub(super) const INTEROP_JID: u8 = 245;
/// A Messenger JID: user, 16-bit device, server `msgr`.
pub(super) const FB_JID: u8 = 246;
/// A device of a person: domain byte, device byte, user.
pub(super) const AD_JID: u8 = 247;
/// A list whose length is one byte.
pub(super) const LIST_8: u8 = 248;
/// A list whose length is two bytes.
pub(super) const LIST_16: u8 = 249;
/// A JID without a device: user, server.
pub(super) const JID_PAIR: u8 = 250;
/// Upper-case hexadecimal digits, two a byte.
pub(super) const HEX_8: u8 = 251;
/// Bytes whose length is one byte.
pub(super) const BINARY_8: u8 = 252;
/// Bytes whose length is 20 bits, in three bytes.
pub(super) const BINARY_20: u8 = 253;
/// Bytes whose length is four bytes.
pub(super) const BINARY_32: u8 = 254;
/// Digits, `-` and `.`, two a byte.
pub(super) const NIBBLE_8: u8 = 255;

/// The domain byte of an AD JID of `s.whatsapp.net`.
pub(super) const DOMAIN_USER: u8 = 0;
/// The domain byte of an AD JID of `lid`.
pub(super) const DOMAIN_LID: u8 = 1;
/// The domain byte of an AD JID of `hosted`.
pub(super) const DOMAIN_HOSTED: u8 = 128;
/// The domain byte of an AD JID of `hosted.lid`.
pub(super) const DOMAIN_HOSTED_LID: u8 = 129;

/// The longest text that is packed two characters a byte, in characters.
pub(super) const MAX_PACKED_CHARS: usize = 127;

/// The bit of the flags byte that says that the rest is a zlib stream.
pub(super) const FLAG_COMPRESSED: u8 = 2;

/// How deep nodes may be nested. Known stanzas stay below 10.
pub const MAX_DEPTH: usize = 64;

/// How many nodes one frame may hold. A device list of the largest groups has some 10,000.
pub const MAX_NODES: usize = 1 << 18;

/// How many attributes all nodes of one frame may have together.
pub const MAX_ATTRS: usize = 1 << 19;

/// The longest text, in bytes: a tag, or the name or the value of an attribute.
pub const MAX_TEXT_LEN: usize = 1 << 16;

/// The most bytes a compressed frame may inflate to: twice the longest frame.
pub const MAX_INFLATED_LEN: usize = 1 << 25;

/// The most entries a list can have on the wire.
pub const MAX_LIST_LEN: usize = u16::MAX as usize;
