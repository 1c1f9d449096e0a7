//! Every way in which a chain can fail to prove a key.

use bytes::Bytes;
use prost::Message as _;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use wa_crypto::KeyPair;

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
    assert_eq!(drafted(|draft| draft.intermediate.key = None), Err(E::MissingKey(Intermediate)));
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
fn a_leaf_for_a_key_that_differs_in_one_bit_is_refused() {
    for bit in 0..256 {
        let mut other = *server().as_bytes();
        other[bit / 8] ^= 1 << (bit % 8);
        let other = Bytes::copy_from_slice(&other);
        let verdict = drafted(|draft| draft.leaf.key = Some(other));
        assert_eq!(verdict, Err(CertificateError::LeafKey), "bit {bit}");
    }
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
