//! Curve25519 public keys, as somebody claims them and as they were found to be good.
//!
//! Owns the one test of a foreign key: whether it is a key that anybody can have made. Knows
//! nothing of private keys.

use std::fmt;

use curve25519_dalek::{EdwardsPoint, MontgomeryPoint, Scalar};

/// The byte that stands before a Curve25519 public key wherever Signal serialises one.
pub const KEY_TYPE_CURVE25519: u8 = 0x05;

/// A Curve25519 public key as its owner, or somebody else, tells it: the 32-byte Montgomery
/// u-coordinate, little-endian. Any 32 bytes make one; [`Self::check`] says whether it is good.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

/// A public key that was checked: reduced, on the curve, and in the subgroup of prime order, as
/// every key is that was made from a private one.
///
/// There are eight times as many points on the curve as there are such keys, and X25519 gives the
/// same secret for the eight that differ in a point of small order, for a key with and without its
/// top bit, and for a number and the same one plus the prime. Only among checked keys are two
/// different ones two different keys, so only with these are secrets agreed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CheckedPublicKey(PublicKey);

/// The bytes given are not a Curve25519 public key that anybody can have made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPublicKey {
    /// Neither 32 bare bytes nor 33 with the type byte, whichever the caller asked for.
    #[error("a public key of {0} bytes; expected 32, or 33 with its type byte")]
    Length(usize),
    /// The first of the 33 bytes is not [`KEY_TYPE_CURVE25519`].
    #[error("public key type {0:#04x}; only Curve25519 (0x05) is known")]
    Type(u8),
    /// The number is not below the field's prime: another spelling of a smaller one.
    #[error("the public key is not reduced: another spelling of another key")]
    NotReduced,
    /// The number belongs to no point of the curve, but to one of its twist.
    #[error("the public key is not a point of the curve")]
    NotOnCurve,
    /// The point has a part of small order, or is of small order altogether.
    #[error("the public key is not in the subgroup of prime order")]
    SmallOrderPart,
}

impl PublicKey {
    /// Takes the bare 32 bytes, unchecked.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Takes a slice that must hold exactly the bare 32 bytes, unchecked.
    ///
    /// # Errors
    /// [`InvalidPublicKey::Length`] if it does not.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, InvalidPublicKey> {
        bytes.try_into().map(Self).map_err(|_| InvalidPublicKey::Length(bytes.len()))
    }

    /// Takes the 33 bytes of Signal's serialisation: `0x05`, then the key, unchecked.
    ///
    /// # Errors
    /// [`InvalidPublicKey::Length`] or [`InvalidPublicKey::Type`] if it is another form.
    pub fn from_wire(bytes: &[u8]) -> Result<Self, InvalidPublicKey> {
        match bytes {
            [KEY_TYPE_CURVE25519, key @ ..] if key.len() == 32 => Self::from_slice(key),
            [other, key @ ..] if key.len() == 32 => Err(InvalidPublicKey::Type(*other)),
            _ => Err(InvalidPublicKey::Length(bytes.len())),
        }
    }

    /// The bare 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 33 bytes of Signal's serialisation: `0x05`, then the key.
    pub fn to_wire(&self) -> [u8; 33] {
        let mut wire = [KEY_TYPE_CURVE25519; 33];
        let (_, key) = wire.split_at_mut(1);
        key.copy_from_slice(&self.0);
        wire
    }

    /// Checks that the key is one that can have been made from a private key. Costs about as much
    /// as an agreement (`cargo bench -p wa-benches --bench signal`). Not in constant time: public
    /// keys are public.
    ///
    /// # Errors
    /// [`InvalidPublicKey::NotReduced`], [`InvalidPublicKey::NotOnCurve`] or
    /// [`InvalidPublicKey::SmallOrderPart`].
    pub fn check(&self) -> Result<CheckedPublicKey, InvalidPublicKey> {
        let point = self.to_edwards(0)?;
        // The order of the subgroup, l, is 0 as a scalar; l − 1 times the point is its negative
        // exactly if l times it is nothing.
        let minus_one = -Scalar::ONE;
        let multiple =
            EdwardsPoint::vartime_double_scalar_mul_basepoint(&minus_one, &point, &Scalar::ZERO);
        if multiple != -point {
            return Err(InvalidPublicKey::SmallOrderPart);
        }
        Ok(CheckedPublicKey(*self))
    }

    /// The point with this u-coordinate whose x-coordinate, on the Edwards form of the curve, has
    /// the given sign.
    pub(crate) fn to_edwards(self, sign: u8) -> Result<EdwardsPoint, InvalidPublicKey> {
        if !is_reduced(&self.0) {
            return Err(InvalidPublicKey::NotReduced);
        }
        MontgomeryPoint(self.0).to_edwards(sign).ok_or(InvalidPublicKey::NotOnCurve)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "PublicKey({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

impl CheckedPublicKey {
    /// The key itself.
    pub const fn key(&self) -> &PublicKey {
        &self.0
    }
}

impl fmt::Debug for CheckedPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether the little-endian number is below `2^255 − 19`.
fn is_reduced(bytes: &[u8; 32]) -> bool {
    bytes.iter().rev().lt(PRIME.iter().rev())
}

/// `2^255 − 19`, little-endian.
const PRIME: [u8; 32] = {
    let mut prime = [0xff; 32];
    prime[0] = 0xed;
    prime[31] = 0x7f;
    prime
};

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;

    use super::*;
    use crate::{KeyPair, PrivateKey};

    fn good() -> PublicKey {
        KeyPair::from_private(PrivateKey::from_bytes([0x21; 32])).public
    }

    /// The key with each of the seven points of small order added to it.
    fn with_small_order_parts(key: PublicKey) -> impl Iterator<Item = PublicKey> {
        let point = key.to_edwards(0).unwrap();
        let [_, seven @ ..] = EIGHT_TORSION;
        seven.into_iter().map(move |small| PublicKey((point + small).to_montgomery().to_bytes()))
    }

    #[test]
    fn wire_form_refuses_other_types_and_lengths() {
        let key = PublicKey::from_bytes([7; 32]);
        assert_eq!(PublicKey::from_wire(&key.to_wire()), Ok(key));
        let mut djb = key.to_wire();
        djb[0] = 6;
        assert_eq!(PublicKey::from_wire(&djb), Err(InvalidPublicKey::Type(6)));
        assert_eq!(PublicKey::from_wire(&[5; 32]), Err(InvalidPublicKey::Length(32)));
        assert_eq!(PublicKey::from_wire(&[5; 34]), Err(InvalidPublicKey::Length(34)));
        assert_eq!(PublicKey::from_slice(&[]), Err(InvalidPublicKey::Length(0)));
    }

    #[test]
    fn a_key_made_from_a_private_one_is_good_and_stays_itself() {
        for byte in 0..32 {
            let key = KeyPair::from_private(PrivateKey::from_bytes([byte; 32])).public;
            assert_eq!(key.check().map(|checked| *checked.key()), Ok(key));
        }
    }

    /// All eight give one and the same secret, so seven of them are nobody's key.
    #[test]
    fn a_key_with_any_of_the_seven_parts_of_small_order_is_refused() {
        let mine = PrivateKey::from_bytes([3; 32]);
        let secret = mine.agree(&good()).unwrap();
        let mut count = 0;
        for altered in with_small_order_parts(good()) {
            let ladder = MontgomeryPoint(*altered.as_bytes()).mul_clamped(*mine.as_bytes());
            assert_eq!(ladder.as_bytes(), secret.as_bytes());
            assert_eq!(altered.check(), Err(InvalidPublicKey::SmallOrderPart));
            assert_eq!(mine.agree(&altered), Err(InvalidPublicKey::SmallOrderPart));
            count += 1;
        }
        assert_eq!(count, 7);
    }

    #[test]
    fn a_key_of_small_order_is_refused() {
        let small = EIGHT_TORSION.map(|point| PublicKey(point.to_montgomery().to_bytes()));
        for key in small {
            assert_eq!(key.check(), Err(InvalidPublicKey::SmallOrderPart), "{key:?}");
        }
        // 0 and 1 are among them, in the order of dalek's table.
        assert!(small.contains(&PublicKey([0; 32])));
        let mut one = [0; 32];
        one[0] = 1;
        assert!(small.contains(&PublicKey(one)));
    }

    #[test]
    fn another_spelling_of_a_key_is_refused() {
        let mut top_bit = *good().as_bytes();
        top_bit[31] |= 0x80;
        assert_eq!(PublicKey(top_bit).check(), Err(InvalidPublicKey::NotReduced));
        // The prime to the prime plus 18 are 0 to 18 in another spelling; one less is not.
        for above in 0..19 {
            let mut bytes = [0xff; 32];
            bytes[0] = 0xed + above;
            bytes[31] = 0x7f;
            assert_eq!(PublicKey(bytes).check(), Err(InvalidPublicKey::NotReduced), "{above}");
        }
        let mut minus_one = [0xff; 32];
        minus_one[0] = 0xec;
        minus_one[31] = 0x7f;
        assert_eq!(PublicKey(minus_one).check(), Err(InvalidPublicKey::NotOnCurve));
        let mut lower_digit = [0xff; 32];
        lower_digit[30] = 0xfe;
        lower_digit[31] = 0x7f;
        assert_ne!(PublicKey(lower_digit).check(), Err(InvalidPublicKey::NotReduced));
    }

    /// Every number is a point of the curve or of its twist; X25519 takes both.
    #[test]
    fn a_point_of_the_twist_is_refused() {
        let mut two = [0; 32];
        two[0] = 2;
        assert_eq!(PublicKey(two).check(), Err(InvalidPublicKey::NotOnCurve));
        let mut refused = 0;
        for number in 0..=255 {
            let mut bytes = [0; 32];
            bytes[0] = number;
            refused += u32::from(PublicKey(bytes).check() == Err(InvalidPublicKey::NotOnCurve));
        }
        assert!((96..160).contains(&refused), "{refused} of 256");
    }

    #[test]
    fn debug_shows_the_beginning_alone() {
        let key = PublicKey([0xab; 32]);
        assert_eq!(format!("{key:?}"), "PublicKey(abababab…)");
        assert_eq!(format!("{:?}", good().check().unwrap()), format!("{:?}", good()));
    }
}
