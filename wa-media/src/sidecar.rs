//! The streaming sidecar: MACs of a file's pieces, with which a player checks what it has before
//! the file is whole.
//!
//! The pieces are cut from initialisation vector, ciphertext and MAC as one row of bytes: one
//! begins every 64 KiB and reaches 16 bytes into the next, so that each begins with the vector
//! that decrypts it.

use wa_crypto::{HmacSha256, Mac as _, hmac_sha256_begin};

use crate::verifier::MAC_LEN;

/// How far apart the pieces begin, in bytes.
const STEP: usize = 1 << 16;

/// How far a piece reaches into the next, in bytes.
const OVERLAP: usize = 16;

pub(crate) struct Sidecar {
    fresh: HmacSha256,
    /// The piece that is being read, and the one before while it overlaps.
    current: HmacSha256,
    previous: Option<HmacSha256>,
    /// How much of the current piece is read.
    filled: usize,
    macs: Vec<u8>,
}

impl Sidecar {
    pub(crate) fn new(mac_key: &[u8; 32], iv: &[u8; 16]) -> Self {
        let fresh = hmac_sha256_begin(mac_key);
        let mut sidecar =
            Self { current: fresh.clone(), fresh, previous: None, filled: 0, macs: Vec::new() };
        sidecar.update(iv);
        sidecar
    }

    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            // Up to the next border: the end of the overlap, or of the step.
            let border = if self.previous.is_some() { OVERLAP } else { STEP };
            let (now, rest) = bytes.split_at(bytes.len().min(border - self.filled));
            self.current.update(now);
            self.filled += now.len();
            bytes = rest;
            if let Some(previous) = &mut self.previous {
                previous.update(now);
                if self.filled == OVERLAP {
                    self.close_previous();
                }
            }
            if self.filled == STEP {
                let next = self.fresh.clone();
                self.previous = Some(std::mem::replace(&mut self.current, next));
                self.filled = 0;
            }
        }
    }

    /// Takes the file's own MAC, which is part of the last piece, and gives all MACs.
    pub(crate) fn finish(mut self, mac: &[u8]) -> Vec<u8> {
        self.update(mac);
        self.close_previous();
        if self.filled > 0 {
            push(&mut self.macs, self.current);
        }
        self.macs
    }

    fn close_previous(&mut self) {
        if let Some(previous) = self.previous.take() {
            push(&mut self.macs, previous);
        }
    }
}

fn push(macs: &mut Vec<u8>, piece: HmacSha256) {
    macs.extend(piece.finalize().into_bytes().iter().take(MAC_LEN));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wa_crypto::hmac_sha256;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn pieces_overlap_however_the_bytes_come(
            len in prop_oneof![0..40usize, 65_490..65_570usize, 131_000..131_100usize],
            chunk in 1..70_000usize,
        ) {
            let bytes: Vec<u8> = (0..len).map(|n| n as u8).collect();
            let mut sidecar = Sidecar::new(&[1; 32], &[2; 16]);
            for chunk in bytes.chunks(chunk) {
                sidecar.update(chunk);
            }
            let macs = sidecar.finish(&[3; MAC_LEN]);
            let row = [&[2; 16][..], &bytes, &[3; MAC_LEN]].concat();
            let expected: Vec<u8> = (0..row.len())
                .step_by(STEP)
                .flat_map(|start| {
                    let piece = &row[start..row.len().min(start + STEP + OVERLAP)];
                    hmac_sha256(&[1; 32], &[piece]).into_iter().take(MAC_LEN)
                })
                .collect();
            prop_assert_eq!(macs, expected);
        }
    }
}
