//! How long nodes take to read and to write: a small message, a message to eight devices, and a
//! message to a group of a thousand.
#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]

use divan::{Bencher, black_box};
use wa_proto::{
    Jid, MessageId, Node, OwnedNode, node,
    stanza::{EncKind, OutgoingEnc, OutgoingMessage},
};

fn main() {
    divan::main();
}

const SIZES: [usize; 3] = [1, 8, 1000];

#[divan::bench(args = SIZES)]
fn encode(bencher: Bencher<'_, '_>, devices: usize) {
    let message = message(devices);
    bencher.bench(|| black_box(&message).encode());
}

#[divan::bench(args = SIZES)]
fn decode(bencher: Bencher<'_, '_>, devices: usize) {
    let payload = message(devices).encode();
    bencher.bench(|| {
        let bytes = node::unpack(black_box(&payload)).unwrap();
        black_box(Node::decode(&bytes).unwrap());
    });
}

#[divan::bench(args = SIZES)]
fn decode_owned(bencher: Bencher<'_, '_>, devices: usize) {
    let payload = message(devices).encode();
    bencher.bench(|| node::read(black_box(&payload)).unwrap());
}

/// One ciphertext for each device; one device's stands alone.
fn message(devices: usize) -> OwnedNode {
    let id = MessageId::new("3EB0C767D097B7C7C030").unwrap();
    let enc = OutgoingEnc::new(EncKind::PreKeyMessage, vec![0x33; 180]);
    let mut message = OutgoingMessage::new(Jid::lid("499266225580761"), id, "text");
    message.participant_hash = Some("2:9zqK7cvW".into());
    message.device_identity = Some(vec![0x0a; 150].into());
    if devices == 1 {
        message.encs.push(enc);
    } else {
        let jid = |device: usize| Jid::lid((499_266_225_580_761 + device / 4).to_string());
        let device = |device: usize| jid(device).with_device(u16::try_from(device % 4).unwrap());
        message.participants = (0..devices).map(|n| (device(n), enc.clone())).collect();
    }
    message.to_node()
}
