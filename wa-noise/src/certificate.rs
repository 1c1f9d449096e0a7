//! The server's certificate chain: what proves that a static key is WhatsApp's.
//!
//! The pinned root signs an intermediate, the intermediate signs the leaf, and the leaf names the
//! server's static key. Knows nothing of the handshake that carries the chain, nor of the time:
//! the moment at which a chain is judged is part of the policy.

use bytes::Bytes;
use prost::Message as _;
use rand_core::CryptoRng;
use wa_crypto::{KeyPair, PublicKey, SIGNATURE_LEN, Signature};

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

/// `CertChain`
#[derive(Clone, PartialEq, prost::Message)]
struct CertChain {
    #[prost(message, optional, tag = "1")]
    leaf: Option<SignedCertificate>,
    #[prost(message, optional, tag = "2")]
    intermediate: Option<SignedCertificate>,
}

/// `CertChain.NoiseCertificate`
#[derive(Clone, PartialEq, prost::Message)]
struct SignedCertificate {
    #[prost(bytes = "bytes", optional, tag = "1")]
    details: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "2")]
    signature: Option<Bytes>,
}

/// `CertChain.NoiseCertificate.Details`
#[derive(Clone, PartialEq, prost::Message)]
struct Details {
    #[prost(uint32, optional, tag = "1")]
    serial: Option<u32>,
    #[prost(uint32, optional, tag = "2")]
    issuer_serial: Option<u32>,
    #[prost(bytes = "bytes", optional, tag = "3")]
    key: Option<Bytes>,
    #[prost(uint64, optional, tag = "4")]
    not_before: Option<u64>,
    #[prost(uint64, optional, tag = "5")]
    not_after: Option<u64>,
}

impl Details {
    fn sign(&self, issuer: &KeyPair, rng: &mut impl CryptoRng) -> SignedCertificate {
        let details = self.encode_to_vec();
        let signature: [u8; SIGNATURE_LEN] = *issuer.private.sign(&details, rng).as_bytes();
        SignedCertificate {
            details: Some(details.into()),
            signature: Some(Bytes::copy_from_slice(&signature)),
        }
    }
}

const ROOT_SERIAL: u32 = 0;
const INTERMEDIATE_SERIAL: u32 = 1;
const LEAF_SERIAL: u32 = 2;

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    use super::{CertificateLink::*, *};

    const NOW: u64 = 1_750_000_000;

    /// A good chain, each part of which a test may spoil before it is signed.
    struct Draft {
        root: KeyPair,
        intermediate_keys: KeyPair,
        intermediate: Details,
        leaf: Details,
        rng: ChaCha20Rng,
    }

    impl Draft {
        fn new() -> Self {
            let mut rng = ChaCha20Rng::seed_from_u64(3);
            let intermediate_keys = KeyPair::random(&mut rng);
            let details = |serial, issuer_serial, key: PublicKey| Details {
                serial: Some(serial),
                issuer_serial: Some(issuer_serial),
                key: Some(Bytes::copy_from_slice(key.as_bytes())),
                not_before: Some(NOW - 10),
                not_after: Some(NOW + 10),
            };
            Self {
                root: KeyPair::random(&mut rng),
                intermediate: details(7, 0, intermediate_keys.public),
                leaf: details(1007, 7, server()),
                intermediate_keys,
                rng,
            }
        }

        fn sign(&mut self) -> CertChain {
            CertChain {
                intermediate: Some(self.intermediate.sign(&self.root, &mut self.rng)),
                leaf: Some(self.leaf.sign(&self.intermediate_keys, &mut self.rng)),
            }
        }

        fn verdict(&self, chain: &CertChain) -> Result<VerifiedCertificate, CertificateError> {
            let policy = CertificatePolicy { root: self.root.public, now: NOW };
            policy.verify(&chain.encode_to_vec(), &server())
        }
    }

    fn server() -> PublicKey {
        PublicKey::from_bytes([9; 32])
    }

    /// The verdict on a chain spoilt before signing.
    fn drafted(spoil: impl FnOnce(&mut Draft)) -> Result<VerifiedCertificate, CertificateError> {
        let mut draft = Draft::new();
        spoil(&mut draft);
        let chain = draft.sign();
        draft.verdict(&chain)
    }

    /// The error of a chain spoilt after signing, once at each certificate.
    fn spoilt(spoil: impl Fn(&mut Option<SignedCertificate>)) -> [CertificateError; 2] {
        let mut draft = Draft::new();
        let chain = draft.sign();
        let (mut first, mut second) = (chain.clone(), chain);
        spoil(&mut first.intermediate);
        spoil(&mut second.leaf);
        [draft.verdict(&first).unwrap_err(), draft.verdict(&second).unwrap_err()]
    }

    #[test]
    fn a_good_chain_gives_the_key_and_the_end_of_the_shorter_window() {
        let verified = drafted(|draft| draft.intermediate.not_after = Some(NOW + 5)).unwrap();
        assert_eq!(verified.server_static, server());
        assert_eq!(verified.valid_until, NOW + 5);
    }

    #[test]
    fn an_authority_issues_chains_that_its_root_proves_and_no_other() {
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        let validity = Validity { not_before: 5, not_after: 9 };
        let authority = CertificateAuthority::new(KeyPair::random(&mut rng), validity, &mut rng);
        let chain = authority.issue(&server(), validity, &mut rng);
        let verdict = |root, now| CertificatePolicy { root, now }.verify(&chain, &server());
        assert!(verdict(authority.root(), 5).is_ok() && verdict(authority.root(), 9).is_ok());
        assert_eq!(
            verdict(authority.root(), 10),
            Err(CertificateError::Expired { link: Intermediate, not_after: 9, now: 10 })
        );
        assert_eq!(verdict(WHATSAPP_ROOT_KEY, 7), Err(CertificateError::Signature(Intermediate)));
    }

    #[test]
    fn a_chain_that_lacks_a_part_is_refused() {
        use CertificateError as E;
        assert_eq!(
            spoilt(|certificate| *certificate = None),
            [Intermediate, Leaf].map(E::MissingCertificate)
        );
        assert_eq!(
            spoilt(|certificate| certificate.as_mut().unwrap().details = None),
            [Intermediate, Leaf].map(E::MissingDetails)
        );
        assert_eq!(
            spoilt(|certificate| certificate.as_mut().unwrap().signature = None),
            [Intermediate, Leaf].map(E::MissingSignature)
        );
        assert_eq!(
            drafted(|draft| draft.intermediate.key = None),
            Err(E::MissingKey(Intermediate))
        );
        assert_eq!(drafted(|draft| draft.leaf.key = None), Err(E::MissingKey(Leaf)));
        for link in [Intermediate, Leaf] {
            let missing = Err(E::MissingValidity(link));
            assert_eq!(drafted(|draft| draft.details(link).not_before = None), missing);
            assert_eq!(drafted(|draft| draft.details(link).not_after = None), missing);
        }
    }

    impl Draft {
        fn details(&mut self, link: CertificateLink) -> &mut Details {
            match link {
                Intermediate => &mut self.intermediate,
                Leaf => &mut self.leaf,
            }
        }
    }

    #[test]
    fn a_chain_of_wrong_form_is_refused() {
        use CertificateError as E;
        let policy = CertificatePolicy::whatsapp(NOW);
        assert_eq!(policy.verify(&[0xff], &server()), Err(E::MalformedChain));
        assert_eq!(
            spoilt(|certificate| {
                certificate.as_mut().unwrap().details = Some(Bytes::from_static(&[0xff]));
            }),
            [Intermediate, Leaf].map(E::MalformedDetails)
        );
        assert_eq!(
            spoilt(|certificate| {
                certificate.as_mut().unwrap().signature = Some(Bytes::from_static(&[0; 63]));
            }),
            [Intermediate, Leaf].map(|link| E::SignatureLength(link, 63))
        );
        for link in [Intermediate, Leaf] {
            assert_eq!(
                drafted(|draft| draft.details(link).key = Some(Bytes::from_static(&[0; 33]))),
                Err(E::KeyLength(link, 33))
            );
        }
    }

    #[test]
    fn a_signature_by_another_key_is_refused() {
        use CertificateError as E;
        assert_eq!(
            drafted(|draft| draft.intermediate_keys = draft.root.clone()),
            Err(E::Signature(Leaf)),
            "a leaf signed by the root itself"
        );
        let mut draft = Draft::new();
        let chain = draft.sign();
        draft.root = KeyPair::random(&mut draft.rng);
        assert_eq!(draft.verdict(&chain), Err(E::Signature(Intermediate)));
        assert_eq!(
            spoilt(|certificate| {
                let certificate = certificate.as_mut().unwrap();
                let mut details = Details::decode(certificate.details.clone().unwrap()).unwrap();
                details.not_after = Some(u64::MAX);
                certificate.details = Some(details.encode_to_vec().into());
            }),
            [Intermediate, Leaf].map(E::Signature)
        );
    }

    #[test]
    fn serials_must_chain_from_the_root_down() {
        assert_eq!(
            drafted(|draft| draft.intermediate.issuer_serial = Some(1)),
            Err(CertificateError::IntermediateIssuer(1))
        );
        assert_eq!(
            drafted(|draft| draft.leaf.issuer_serial = Some(8)),
            Err(CertificateError::LeafIssuer { found: 8, expected: 7 })
        );
        assert!(drafted(|draft| draft.intermediate.issuer_serial = None).is_ok());
    }

    #[test]
    fn a_leaf_for_another_key_is_refused() {
        let other = Bytes::from_static(&[8; 32]);
        assert_eq!(drafted(|draft| draft.leaf.key = Some(other)), Err(CertificateError::LeafKey));
    }

    #[test]
    fn each_window_holds_to_the_second() {
        for link in [Intermediate, Leaf] {
            assert!(drafted(|draft| draft.details(link).not_before = Some(NOW)).is_ok());
            assert!(drafted(|draft| draft.details(link).not_after = Some(NOW)).is_ok());
            assert_eq!(
                drafted(|draft| draft.details(link).not_before = Some(NOW + 1)),
                Err(CertificateError::NotYetValid { link, not_before: NOW + 1, now: NOW })
            );
            assert_eq!(
                drafted(|draft| draft.details(link).not_after = Some(NOW - 1)),
                Err(CertificateError::Expired { link, not_after: NOW - 1, now: NOW })
            );
        }
    }

    #[test]
    fn the_pinned_root_is_whatsapps() {
        assert_eq!(
            hex::encode(WHATSAPP_ROOT_KEY.as_bytes()),
            "142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b"
        );
    }
}
