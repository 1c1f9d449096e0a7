//! Entry points for fuzzing: what must hold for any bytes at all.
//!
//! Each is a `fn(&[u8])` that panics where something does not hold; `cargo test` runs it over its
//! seeds in `fuzz/corpus`, and the fuzzer over whatever it comes up with.

use crate::content::Unwrapped;

/// A plaintext is decoded, unwrapped and read without panicking, and what decodes reads the same
/// once it has been encoded again.
pub fn message(plaintext: &[u8]) {
    use prost::Message as _;

    let read = Unwrapped::decode(plaintext.to_vec());
    let decoded = crate::pb::Message::decode(plaintext);
    assert_eq!(read.is_ok(), decoded.is_ok());
    let Ok(decoded) = decoded else { return };

    let encoded = decoded.encode_to_vec();
    let content = Unwrapped::from_message(decoded).content;
    assert!(!content.kind().as_str().is_empty());
    let _ = (content.text(), content.media(), content.target());
    let _ = (content.stanza_type(), content.media_type(), content.edit_attribute());
    // NaN is not equal to itself, so the second encoding stands for the message.
    let again = crate::pb::Message::decode(encoded.as_slice());
    assert_eq!(again.map(|message| message.encode_to_vec()), Ok(encoded));
}
