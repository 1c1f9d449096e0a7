//! Bytes in any split, and bytes of any kind: the parsers neither panic nor depend on portions.

use std::{fs, path::Path};

use bytes::Bytes;
use proptest::prelude::*;
use wa_noise::{ConnectionHeader, FrameDecoder, HeaderDecoder, encode_frame, fuzzing};

proptest! {
    #[test]
    fn frames_come_out_as_they_went_in_whatever_the_split(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..8),
        mut cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let wire = frames.iter().flat_map(|f| encode_frame(f).unwrap()).collect::<Vec<_>>();
        let mut decoder = FrameDecoder::new();
        let mut read = Vec::new();
        let mut cuts = cuts.drain(..).map(|cut| cut.index(wire.len() + 1)).collect::<Vec<_>>();
        cuts.extend([0, wire.len()]);
        cuts.sort_unstable();
        for part in cuts.windows(2) {
            decoder.push(&wire[part[0]..part[1]]);
            while let Some(frame) = decoder.next_frame().unwrap() {
                read.push(frame.to_vec());
            }
        }
        prop_assert_eq!(read, frames);
        prop_assert_eq!(decoder.buffered(), 0);
    }

    #[test]
    fn headers_come_out_as_they_went_in(
        routing in prop::option::of(prop::collection::vec(any::<u8>(), 0..200)),
        first in any::<prop::sample::Index>(),
    ) {
        let header = ConnectionHeader { routing_info: routing.map(Bytes::from) };
        let wire = header.encode().unwrap();
        let cut = first.index(wire.len());
        let mut decoder = HeaderDecoder::new();
        prop_assert!(decoder.push(&wire[..cut]).unwrap().is_none());
        let (read, frames) = decoder.push(&wire[cut..]).unwrap().unwrap();
        prop_assert_eq!(read, header);
        prop_assert_eq!(frames.buffered(), 0);
    }

    #[test]
    fn random_bytes_never_panic(data in prop::collection::vec(any::<u8>(), 0..300)) {
        fuzzing::frames(&data);
        fuzzing::certificate(&data);
    }

    #[test]
    fn random_frames_after_a_header_never_panic(data in prop::collection::vec(any::<u8>(), 1..300)) {
        let stream = [&data[..1], b"WA\x06\x03", &data[1..]].concat();
        fuzzing::frames(&stream);
    }

    #[test]
    fn certificates_with_a_few_bytes_changed_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut chain = fs::read(corpus("certificate").join("valid")).unwrap();
        for (index, byte) in changes {
            *index.get_mut(&mut chain) = byte;
        }
        fuzzing::certificate(&chain);
    }
}

proptest! {
    // Each case is a dozen key agreements.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn random_handshakes_never_panic(
        tag in prop::sample::select(vec![0x12u8, 0x1a, 0x22]),
        fields in prop::collection::vec(
            (1u8..5, any::<[u8; 32]>(), prop::sample::select(vec![0, 31, 32, 48, 64])),
            0..4,
        ),
    ) {
        let mut body = Vec::new();
        for (number, value, len) in fields {
            body.extend([number << 3 | 2, u8::try_from(len).unwrap()]);
            body.extend(value.iter().cycle().take(len));
        }
        // The length as a varint of two bytes.
        let [low, high] = [body.len() & 0x7f | 0x80, body.len() >> 7].map(|b| u8::try_from(b).unwrap());
        fuzzing::handshake(&[vec![tag, low, high], body].concat());
    }
}

#[test]
fn the_corpora_hold() {
    for (name, target) in [
        ("frames", fuzzing::frames as fn(&[u8])),
        ("handshake", fuzzing::handshake),
        ("certificate", fuzzing::certificate),
    ] {
        let mut seeds = 0;
        for seed in fs::read_dir(corpus(name)).unwrap() {
            target(&fs::read(seed.unwrap().path()).unwrap());
            seeds += 1;
        }
        assert!(seeds > 0, "no seeds for {name}");
    }
}

fn corpus(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name)
}
