//! Issues certificate chains, for loopback servers and tests.

use bytes::Bytes;
use prost::Message as _;
use rand_core::CryptoRng;
use wa_crypto::{KeyPair, PublicKey};

use super::{
    ROOT_SERIAL, Validity,
    message::{CertChain, Details, SignedCertificate},
};

/// What issues certificate chains on a loopback server: a root and its intermediate.
#[derive(Debug)]
pub struct CertificateAuthority {
    root: PublicKey,
    intermediate_keys: KeyPair,
    intermediate: SignedCertificate,
}

impl CertificateAuthority {
    /// Has the root sign a fresh intermediate. The root's private half is not kept.
    pub fn new(root: KeyPair, validity: Validity, rng: &mut impl CryptoRng) -> Self {
        let intermediate_keys = KeyPair::random(rng);
        let details = Details {
            serial: Some(INTERMEDIATE_SERIAL),
            issuer_serial: Some(ROOT_SERIAL),
            key: Some(Bytes::copy_from_slice(intermediate_keys.public.as_bytes())),
            not_before: Some(validity.not_before),
            not_after: Some(validity.not_after),
        };
        let intermediate = details.sign(&root, rng);
        Self { root: root.public, intermediate_keys, intermediate }
    }

    /// The root key for clients to pin.
    pub fn root(&self) -> PublicKey {
        self.root
    }

    /// An encoded `CertChain` for a server's static key.
    pub fn issue(
        &self,
        server_static: &PublicKey,
        validity: Validity,
        rng: &mut impl CryptoRng,
    ) -> Vec<u8> {
        let details = Details {
            serial: Some(LEAF_SERIAL),
            issuer_serial: Some(INTERMEDIATE_SERIAL),
            key: Some(Bytes::copy_from_slice(server_static.as_bytes())),
            not_before: Some(validity.not_before),
            not_after: Some(validity.not_after),
        };
        let leaf = details.sign(&self.intermediate_keys, rng);
        CertChain { leaf: Some(leaf), intermediate: Some(self.intermediate.clone()) }
            .encode_to_vec()
    }
}

const INTERMEDIATE_SERIAL: u32 = 1;
const LEAF_SERIAL: u32 = 2;
