//! Who this device is: its registration id and identity key; knows nothing of sessions.

use std::fmt;

use rand_core::CryptoRng;
use wa_crypto::KeyPair;

/// The number a device chooses when it registers; another one from a known address means that the
/// device was set up anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistrationId(u32);

impl RegistrationId {
    /// The largest id this crate makes: ids have 14 bits.
    pub const MAX: u32 = 0x3fff;

    /// Takes an id as told by its owner. It is only ever compared, so no value is refused.
    pub const fn new(id: u32) -> Self {
        Self(id)
    }

    /// Chooses an id for a new device: `1..=`[`Self::MAX`]. Draws four bytes.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        Self(1 + rng.next_u32() % Self::MAX)
    }

    /// The number itself.
    pub const fn as_u32(self) -> u32 {
        self.0
    }
}

impl fmt::Display for RegistrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// This device's side of every session.
#[derive(Debug, Clone, Copy)]
pub struct LocalIdentity<'a> {
    /// The identity key pair, as old as the account's link.
    pub identity: &'a KeyPair,
    /// The registration id told in prekey messages.
    pub registration_id: RegistrationId,
}

impl<'a> LocalIdentity<'a> {
    /// Puts the two together.
    pub const fn new(identity: &'a KeyPair, registration_id: RegistrationId) -> Self {
        Self { identity, registration_id }
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn a_registration_id_is_from_1_to_16_383() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let ids: Vec<_> = (0..200_000).map(|_| RegistrationId::random(&mut rng).as_u32()).collect();
        assert_eq!(ids.iter().min(), Some(&1));
        assert_eq!(ids.iter().max(), Some(&16_383));
        assert_eq!(RegistrationId::new(77).to_string(), "77");
    }
}
