//! The curve vectors: agreements and XEdDSA signatures made by other implementations.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{env, fs, path::PathBuf};

use serde::Deserialize;
use serde_json::Value;
use wa_crypto::{InvalidPublicKey, KeyPair, PrivateKey, PublicKey, Signature};

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Case {
    Agreement(Agreement),
    AgreementLowOrder { private_a: Hex, public_b: Hex },
    Signature(Box<SignatureCase>),
}

#[derive(Deserialize)]
struct Agreement {
    name: String,
    private_a: Hex,
    public_a: Hex,
    private_b: Option<Hex>,
    public_b: Hex,
    shared: Hex,
}

#[derive(Deserialize)]
struct SignatureCase {
    name: String,
    private: Option<Hex>,
    public: Hex,
    message: Hex,
    signature: Hex,
    random: Option<Hex>,
    #[serde(default)]
    reproducible: bool,
    valid: bool,
    /// Who accepts and who refuses, where they are not of one mind.
    differs: Option<Value>,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Hex(Vec<u8>);

impl TryFrom<String> for Hex {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        hex::decode(text).map(Self)
    }
}

impl Hex {
    fn public(&self) -> PublicKey {
        PublicKey::from_slice(&self.0).unwrap()
    }

    fn pair(&self) -> KeyPair {
        let bytes = self.0.as_slice().try_into().unwrap();
        KeyPair::from_private(PrivateKey::from_bytes(bytes))
    }
}

#[test]
fn vectors_curve() {
    let folder = env::var_os("WA_VECTORS_DIR")
        .map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors").into(), PathBuf::from);
    let text = fs::read_to_string(folder.join("curve.json")).unwrap();
    let File { cases } = serde_json::from_str(&text).unwrap();
    assert!(!cases.is_empty());
    for case in &cases {
        match case {
            Case::Agreement(case) => check_agreement(case),
            Case::AgreementLowOrder { private_a, public_b } => {
                let agreed = private_a.pair().private.agree(&public_b.public());
                assert_eq!(agreed, Err(InvalidPublicKey::SmallOrderPart));
            }
            Case::Signature(case) => check_signature(case),
        }
    }
}

fn check_agreement(case: &Agreement) {
    let ours = case.private_a.pair();
    assert_eq!(ours.public, case.public_a.public(), "{}", case.name);
    let mut theirs = case.public_b.public();
    let mut bytes = *theirs.as_bytes();
    if bytes[31] & 0x80 != 0 {
        // Where others pass over the top bit, this one takes a key in one spelling only.
        assert_eq!(ours.private.agree(&theirs), Err(InvalidPublicKey::NotReduced), "{}", case.name);
        bytes[31] &= 0x7f;
        theirs = PublicKey::from_bytes(bytes);
    }
    let shared = ours.private.agree(&theirs).unwrap();
    assert_eq!(shared.as_bytes().as_slice(), case.shared.0, "{}", case.name);
    if let Some(private_b) = &case.private_b {
        let theirs = private_b.pair();
        assert_eq!(theirs.public, case.public_b.public(), "{}", case.name);
        assert_eq!(theirs.private.agree(&ours.public).unwrap(), shared, "{}", case.name);
    }
}

fn check_signature(case: &SignatureCase) {
    let verdict = Signature::from_slice(&case.signature.0)
        .and_then(|signature| case.public.public().verify(&case.message.0, &signature));
    if case.differs.is_none() {
        assert_eq!(verdict.is_ok(), case.valid, "{}", case.name);
    }
    let (Some(private), Some(random)) = (&case.private, &case.random) else {
        return;
    };
    if case.reproducible {
        let random = random.0.as_slice().try_into().unwrap();
        let signature = private.pair().private.sign_with(&case.message.0, &random);
        assert_eq!(signature.as_bytes().as_slice(), case.signature.0, "{}", case.name);
    }
}

/// The one point on which the implementations differ, and on which this one is strict.
#[test]
fn a_scalar_that_is_not_reduced_is_refused() {
    let pair = KeyPair::from_private(PrivateKey::from_bytes([0x51; 32]));
    let mut bytes = *pair.private.sign_with(b"message", &[7; 64]).as_bytes();
    assert!(pair.public.verify(b"message", &Signature::from_bytes(bytes)).is_ok());

    let (_, scalar) = bytes.split_at_mut(32);
    let mut carry = 0;
    for (byte, order) in scalar.iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    assert!(pair.public.verify(b"message", &Signature::from_bytes(bytes)).is_err());
}

/// The order of the group, `2^252 + 27742317777372353535851937790883648493`, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];
