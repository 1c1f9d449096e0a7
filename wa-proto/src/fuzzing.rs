//! Entry points for fuzzing: what must hold for any bytes at all.
//!
//! Each is a `fn(&[u8])` that panics where something does not hold; `cargo test` runs it over its
//! seeds in `fuzz/corpus`, and the fuzzer over whatever it comes up with.

use crate::{Stanza, content::Unwrapped, node};

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

/// A frame's payload is unpacked, decoded, logged and understood without panicking; what decodes
/// reads the same once it has been encoded again, borrowed or not.
pub fn nodes(payload: &[u8]) {
    let outside = node::read_outside(payload);
    let Ok(decoded) = node::read(payload) else {
        if let Some(outside) = outside {
            let _ = format!("{:?}", Stanza::undecodable(&outside));
        }
        return;
    };
    assert_eq!(outside.map(|outside| outside.tag), Some(decoded.tag.clone()));
    let unpacked = node::unpack(payload);
    let borrowed = unpacked.as_deref().ok().and_then(|bytes| crate::Node::decode(bytes).ok());
    assert_eq!(borrowed.as_ref(), Some(&decoded));
    let _ = decoded.redacted().to_string();
    // Text content that is neither token nor packed comes back as bytes, an agent may be dropped:
    // the second encoding stands for the node.
    let encoded = decoded.encode();
    assert_eq!(node::read(&encoded).map(|again| again.encode()), Ok(encoded));
    let stanza = Stanza::parse(decoded);
    if let Some(envelope) = stanza.envelope() {
        let _ = (envelope.ack().to_node().encode(), format!("{stanza:?}"));
    }
}

/// A history is read without panicking, and one that is whole reads the same however it is cut: the
/// bytes as a blob, and as what a blob inflates to.
pub fn history(bytes: &[u8]) {
    use flate2::{Compression, write::ZlibEncoder};
    use std::io::Write as _;

    read_history(bytes);
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::none());
    if encoder.write_all(bytes).is_ok()
        && let Ok(blob) = encoder.finish()
    {
        read_history(&blob);
    }
}

fn read_history(blob: &[u8]) {
    let whole = history_items(blob, blob.len().max(1));
    assert_eq!(history_items(blob, 7), whole);
}

/// How many items a blob gives; `None` if it is damaged.
fn history_items(blob: &[u8], piece: usize) -> Option<usize> {
    let mut reader = crate::history::HistoryReader::new();
    let mut items = 0;
    for mut part in blob.chunks(piece) {
        loop {
            match reader.next(&mut part) {
                Ok(Some(_)) => items += 1,
                Ok(None) => break,
                Err(_) => return None,
            }
        }
    }
    reader.finish().is_ok().then_some(items)
}
