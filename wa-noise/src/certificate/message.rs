//! The protobufs of a certificate chain. Knows nothing of whether one is good.

use bytes::Bytes;
use prost::Message as _;
use rand_core::CryptoRng;
use wa_crypto::KeyPair;

/// `CertChain`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct CertChain {
    #[prost(message, optional, tag = "1")]
    pub(super) leaf: Option<SignedCertificate>,
    #[prost(message, optional, tag = "2")]
    pub(super) intermediate: Option<SignedCertificate>,
}

/// `CertChain.NoiseCertificate`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SignedCertificate {
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub(super) details: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub(super) signature: Option<Bytes>,
}

/// `CertChain.NoiseCertificate.Details`
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Details {
    #[prost(uint32, optional, tag = "1")]
    pub(super) serial: Option<u32>,
    #[prost(uint32, optional, tag = "2")]
    pub(super) issuer_serial: Option<u32>,
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub(super) key: Option<Bytes>,
    #[prost(uint64, optional, tag = "4")]
    pub(super) not_before: Option<u64>,
    #[prost(uint64, optional, tag = "5")]
    pub(super) not_after: Option<u64>,
}

impl Details {
    /// Signs the details as the issuer.
    pub(super) fn sign(&self, issuer: &KeyPair, rng: &mut impl CryptoRng) -> SignedCertificate {
        let details = self.encode_to_vec();
        let signature = issuer.private.sign(&details, rng);
        SignedCertificate {
            details: Some(details.into()),
            signature: Some(Bytes::copy_from_slice(signature.as_bytes())),
        }
    }
}
