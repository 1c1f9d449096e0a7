//! XEdDSA: signatures made with, and checked against, Curve25519 keys.
//!
//! The scheme is the published one (<https://signal.org/docs/specifications/xeddsa/>) with the
//! deviation every Signal client shares: the private scalar is used as it is, and the sign of the
//! Edwards form of the public key travels in the otherwise unused top bit of the signature.
//! Where the specification leaves room, this is strict: `s` is below the group's order, and not
//! only of its length; and a key of small order, for which one signature holds over many messages,
//! signs nothing.

use curve25519_dalek::{EdwardsPoint, Scalar, edwards::CompressedEdwardsY};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{PrivateKey, PublicKey, sha512};

/// The length of a signature in bytes.
pub const SIGNATURE_LEN: usize = 64;

/// Separates the nonce hash from every other use of SHA-512: `2^256 − 2`, little-endian.
const NONCE_HASH_PREFIX: [u8; 32] = {
    let mut prefix = [0xff; 32];
    prefix[0] = 0xfe;
    prefix
};

/// An XEdDSA signature: the point R, then the scalar s with the key's sign in its top bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; SIGNATURE_LEN]);

/// The signature does not belong to this key and message, or is not a signature at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

impl Signature {
    /// Takes the 64 bytes as they are on the wire; they are judged by [`PublicKey::verify`].
    pub const fn from_bytes(bytes: [u8; SIGNATURE_LEN]) -> Self {
        Self(bytes)
    }

    /// Takes a slice that must hold exactly 64 bytes.
    ///
    /// # Errors
    /// [`BadSignature`] if it does not.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, BadSignature> {
        bytes.try_into().map(Self).map_err(|_| BadSignature)
    }

    /// The 64 bytes of the wire.
    pub const fn as_bytes(&self) -> &[u8; SIGNATURE_LEN] {
        &self.0
    }
}

impl PrivateKey {
    /// Signs a message with fresh randomness.
    pub fn sign(&self, message: &[u8], rng: &mut impl CryptoRng) -> Signature {
        let mut random = Zeroizing::new([0; 64]);
        rng.fill_bytes(random.as_mut());
        self.sign_with(message, &random)
    }

    /// Signs a message with the 64 random bytes the specification calls Z.
    ///
    /// Meant for test vectors; reuse of Z for another message does not reveal the key, for the
    /// key and the message are hashed into the nonce beside it.
    pub fn sign_with(&self, message: &[u8], random: &[u8; 64]) -> Signature {
        let secret = Zeroizing::new(Scalar::from_bytes_mod_order(*self.as_bytes()));
        let public = EdwardsPoint::mul_base(&secret).compress();
        let nonce = Zeroizing::new(sha512(&[&NONCE_HASH_PREFIX, self.as_bytes(), message, random]));
        let nonce = Zeroizing::new(Scalar::from_bytes_mod_order_wide(&nonce));
        let r = EdwardsPoint::mul_base(&nonce).compress();
        let s = *nonce + challenge(&r, &public, message) * *secret;

        let mut bytes = [0; SIGNATURE_LEN];
        let (r_half, s_half) = bytes.split_at_mut(32);
        r_half.copy_from_slice(r.as_bytes());
        s_half.copy_from_slice(s.as_bytes());
        let [.., top] = &mut bytes;
        *top |= sign_bit(&public);
        Signature(bytes)
    }
}

impl PublicKey {
    /// Checks a signature over a message.
    ///
    /// A scalar that is not reduced is refused, so that a signature cannot be altered into another
    /// valid one; so is a key that is not reduced, not on the curve, or of small order.
    ///
    /// # Errors
    /// [`BadSignature`] if it was not made over this message by the owner of this key.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        let (r_half, s_half) = signature.0.split_at(32);
        let mut s: [u8; 32] = s_half.try_into().map_err(|_| BadSignature)?;
        let [.., top] = &mut s;
        let sign = *top >> 7;
        *top &= 0x7f;
        let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(s)).ok_or(BadSignature)?;
        let r = CompressedEdwardsY::from_slice(r_half).map_err(|_| BadSignature)?;
        let public = self.to_edwards(sign).map_err(|_| BadSignature)?;
        if public.is_small_order() {
            return Err(BadSignature);
        }

        let h = challenge(&r, &public.compress(), message);
        let expected = EdwardsPoint::vartime_double_scalar_mul_basepoint(&h, &-public, &s);
        let equal: bool = expected.compress().as_bytes().ct_eq(r.as_bytes()).into();
        if equal { Ok(()) } else { Err(BadSignature) }
    }
}

fn challenge(r: &CompressedEdwardsY, public: &CompressedEdwardsY, message: &[u8]) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&sha512(&[r.as_bytes(), public.as_bytes(), message]))
}

fn sign_bit(point: &CompressedEdwardsY) -> u8 {
    let [.., last] = point.as_bytes();
    last & 0x80
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_signature_holds_for_its_message_and_key_alone(
            key: [u8; 32], message: Vec<u8>, random in any::<[[u8; 32]; 2]>(), bit in 0usize..512,
        ) {
            let private = PrivateKey::from_bytes(key);
            let mut z = [0; 64];
            z[..32].copy_from_slice(&random[0]);
            z[32..].copy_from_slice(&random[1]);
            let signature = private.sign_with(&message, &z);
            prop_assert_eq!(private.public().verify(&message, &signature), Ok(()));

            let mut other = message.clone();
            other.push(0);
            prop_assert_eq!(private.public().verify(&other, &signature), Err(BadSignature));
            let mut flipped = signature;
            flipped.0[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(private.public().verify(&message, &flipped), Err(BadSignature));
        }
    }

    /// With such a key, R = s·B − h·A takes few values, whatever the message: a signature found for
    /// one message holds for an eighth of all others, and for all of them if the key is nothing.
    #[test]
    fn a_key_of_small_order_signs_nothing() {
        for small in curve25519_dalek::constants::EIGHT_TORSION {
            let key = PublicKey::from_bytes(small.to_montgomery().to_bytes());
            for (r, sign) in
                curve25519_dalek::constants::EIGHT_TORSION.iter().flat_map(|r| [(r, 0), (r, 0x80)])
            {
                let mut bytes = [0; SIGNATURE_LEN];
                bytes[..32].copy_from_slice(r.compress().as_bytes());
                bytes[63] = sign;
                let forged = Signature::from_bytes(bytes);
                for message in 0..32_u8 {
                    assert_eq!(key.verify(&[message], &forged), Err(BadSignature));
                }
            }
        }
    }

    #[test]
    fn a_key_in_another_spelling_signs_nothing() {
        let private = PrivateKey::from_bytes([0x33; 32]);
        let signature = private.sign_with(b"message", &[5; 64]);
        assert_eq!(private.public().verify(b"message", &signature), Ok(()));
        let mut spelling = *private.public().as_bytes();
        spelling[31] |= 0x80;
        let respelt = PublicKey::from_bytes(spelling);
        assert_eq!(respelt.verify(b"message", &signature), Err(BadSignature));
    }

    #[test]
    fn a_point_of_the_twist_signs_nothing() {
        let mut two = [0; 32];
        two[0] = 2;
        let signature = PrivateKey::from_bytes([0x33; 32]).sign_with(b"message", &[5; 64]);
        assert_eq!(PublicKey::from_bytes(two).verify(b"message", &signature), Err(BadSignature));
    }
}
