//! The server's certificate chain: what proves that a static key is WhatsApp's.
//!
//! The pinned root signs an intermediate, the intermediate signs the leaf, and the leaf names the
//! server's static key. Knows nothing of the handshake that carries the chain, nor of the time:
//! the moment at which a chain is judged is part of the policy.

mod authority;
mod message;

pub use authority::CertificateAuthority;

use bytes::Bytes;
use message::{CertChain, Details, SignedCertificate};
use prost::Message as _;
use wa_crypto::{PublicKey, Signature};

/// The public key of the root that WhatsApp's servers are certified by.
pub const WHATSAPP_ROOT_KEY: PublicKey = PublicKey::from_bytes([
    0x14, 0x23, 0x75, 0x57, 0x4d, 0x0a, 0x58, 0x71, 0x66, 0xaa, 0xe7, 0x1e, 0xbe, 0x51, 0x64, 0x37,
    0xc4, 0xa2, 0x8b, 0x73, 0xe3, 0x69, 0x5c, 0x6c, 0xe1, 0xf7, 0xf9, 0x54, 0x5d, 0xa8, 0xee, 0x6b,
]);

/// Which certificate of the chain an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CertificateLink {
    /// The one signed by the root.
    Intermediate,
    /// The one that names the server's static key.
    Leaf,
}

impl std::fmt::Display for CertificateLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Intermediate => "intermediate",
            Self::Leaf => "leaf",
        })
    }
}

/// The chain does not prove the server's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The chain is no protobuf `CertChain`.
    #[error("the certificate chain is no CertChain")]
    MalformedChain,
    /// A certificate's details are no protobuf `NoiseCertificate.Details`.
    #[error("the {0} certificate's details are malformed")]
    MalformedDetails(CertificateLink),
    /// The chain lacks a certificate.
    #[error("the chain has no {0} certificate")]
    MissingCertificate(CertificateLink),
    /// A certificate lacks its details.
    #[error("the {0} certificate has no details")]
    MissingDetails(CertificateLink),
    /// A certificate lacks its signature.
    #[error("the {0} certificate has no signature")]
    MissingSignature(CertificateLink),
    /// A certificate lacks its key.
    #[error("the {0} certificate has no key")]
    MissingKey(CertificateLink),
    /// A certificate does not say when it is valid.
    #[error("the {0} certificate has no validity window")]
    MissingValidity(CertificateLink),
    /// A certificate's signature is not 64 bytes long.
    #[error("the {0} certificate's signature has {1} bytes; expected 64")]
    SignatureLength(CertificateLink, usize),
    /// A certificate's key is not 32 bytes long.
    #[error("the {0} certificate's key has {1} bytes; expected 32")]
    KeyLength(CertificateLink, usize),
    /// A certificate was not signed by the key above it, or was altered.
    #[error("the {0} certificate's signature does not verify")]
    Signature(CertificateLink),
    /// The intermediate names another issuer than the root, whose serial is 0.
    #[error("the intermediate certificate was issued by serial {0}; the root is 0")]
    IntermediateIssuer(u32),
    /// The leaf names another issuer than the intermediate.
    #[error("the leaf certificate was issued by serial {found}; the intermediate is {expected}")]
    LeafIssuer {
        /// The issuer that the leaf names.
        found: u32,
        /// The serial of the intermediate.
        expected: u32,
    },
    /// The leaf names another key than the one the server uses.
    #[error("the leaf certificate is about another key than the server's")]
    LeafKey,
    /// A certificate's window has not begun.
    #[error("the {link} certificate is valid from {not_before}; it is {now}")]
    NotYetValid {
        /// The certificate.
        link: CertificateLink,
        /// The first second of its window, unix time.
        not_before: u64,
        /// The moment of judging, in unix seconds.
        now: u64,
    },
    /// A certificate's window has ended.
    #[error("the {link} certificate was valid until {not_after}; it is {now}")]
    Expired {
        /// The certificate.
        link: CertificateLink,
        /// The last second of its window, unix time.
        not_after: u64,
        /// The moment of judging, in unix seconds.
        now: u64,
    },
}

/// How a client judges a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificatePolicy {
    /// The pinned root key.
    pub root: PublicKey,
    /// The moment of judging, in unix seconds.
    pub now: u64,
}

impl CertificatePolicy {
    /// WhatsApp's own root, at the given unix second.
    pub const fn whatsapp(now: u64) -> Self {
        Self { root: WHATSAPP_ROOT_KEY, now }
    }

    /// Judges a `CertChain` for the static key which the server has proved to hold.
    ///
    /// # Errors
    /// [`CertificateError`] with the first thing that is wrong. Nothing that a certificate says
    /// is believed before its signature has been checked.
    pub fn verify(
        &self,
        chain: &[u8],
        server_static: &PublicKey,
    ) -> Result<VerifiedCertificate, CertificateError> {
        let chain = CertChain::decode(chain).map_err(|_| CertificateError::MalformedChain)?;
        // First the form of both, so that an ill-formed chain is called that whatever it claims.
        let intermediate = Certificate::parse(CertificateLink::Intermediate, chain.intermediate)?;
        let leaf = Certificate::parse(CertificateLink::Leaf, chain.leaf)?;

        intermediate.check_signature(&self.root)?;
        if intermediate.issuer_serial != ROOT_SERIAL {
            return Err(CertificateError::IntermediateIssuer(intermediate.issuer_serial));
        }
        leaf.check_signature(&intermediate.key)?;
        if leaf.issuer_serial != intermediate.serial {
            return Err(CertificateError::LeafIssuer {
                found: leaf.issuer_serial,
                expected: intermediate.serial,
            });
        }
        if leaf.key != *server_static {
            return Err(CertificateError::LeafKey);
        }
        intermediate.check_validity(self.now)?;
        leaf.check_validity(self.now)?;
        Ok(VerifiedCertificate {
            server_static: leaf.key,
            valid_until: leaf.validity.not_after.min(intermediate.validity.not_after),
        })
    }
}

/// A server's static key whose chain was found good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedCertificate {
    /// The key, to be kept for the next connection's resumption.
    pub server_static: PublicKey,
    /// The last second at which the chain is valid, unix time.
    pub valid_until: u64,
}

/// The window in which a certificate is valid, both ends included, in unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: u64,
    /// The last second.
    pub not_after: u64,
}

/// A certificate of the right form, its signature not judged yet.
struct Certificate {
    link: CertificateLink,
    details: Bytes,
    signature: Signature,
    serial: u32,
    issuer_serial: u32,
    key: PublicKey,
    validity: Validity,
}

impl Certificate {
    fn parse(
        link: CertificateLink,
        signed: Option<SignedCertificate>,
    ) -> Result<Self, CertificateError> {
        let signed = signed.ok_or(CertificateError::MissingCertificate(link))?;
        let bytes = signed.details.ok_or(CertificateError::MissingDetails(link))?;
        let signature = signed.signature.ok_or(CertificateError::MissingSignature(link))?;
        let details =
            Details::decode(bytes.clone()).map_err(|_| CertificateError::MalformedDetails(link))?;
        let key = details.key.ok_or(CertificateError::MissingKey(link))?;
        let (Some(not_before), Some(not_after)) = (details.not_before, details.not_after) else {
            return Err(CertificateError::MissingValidity(link));
        };
        Ok(Self {
            link,
            details: bytes,
            signature: Signature::from_slice(&signature)
                .map_err(|_| CertificateError::SignatureLength(link, signature.len()))?,
            // Absent means 0, as everywhere in protobuf; the root's serial is 0.
            serial: details.serial.unwrap_or_default(),
            issuer_serial: details.issuer_serial.unwrap_or_default(),
            key: PublicKey::from_slice(&key)
                .map_err(|_| CertificateError::KeyLength(link, key.len()))?,
            validity: Validity { not_before, not_after },
        })
    }

    fn check_signature(&self, issuer: &PublicKey) -> Result<(), CertificateError> {
        issuer
            .verify(&self.details, &self.signature)
            .map_err(|_| CertificateError::Signature(self.link))
    }

    fn check_validity(&self, now: u64) -> Result<(), CertificateError> {
        let Validity { not_before, not_after } = self.validity;
        if now < not_before {
            return Err(CertificateError::NotYetValid { link: self.link, not_before, now });
        }
        if now > not_after {
            return Err(CertificateError::Expired { link: self.link, not_after, now });
        }
        Ok(())
    }
}

/// The serial that the root goes by.
const ROOT_SERIAL: u32 = 0;

#[cfg(test)]
mod tests;
