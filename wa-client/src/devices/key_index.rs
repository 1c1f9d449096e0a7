//! The list in which an account signs which of its devices are its own.
//!
//! Owns its verification and what it allows. Knows nothing of how it arrives. The server could
//! otherwise add a device of its own making to anybody's list.

use prost::Message as _;
use wa_crypto::{PublicKey, Signature};
use wa_proto::pb;

/// What precedes the list in the signed bytes.
const KEY_INDEX_LIST_PREFIX: [u8; 2] = [6, 2];
/// The same for accounts hosted by Meta.
const KEY_INDEX_LIST_PREFIX_HOSTED: [u8; 2] = [6, 5];

/// The devices an account vouches for, by key index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyIndexList {
    /// Seconds since 1970; an older list never replaces a newer one.
    pub(crate) timestamp: u64,
    current: u32,
    valid: Vec<u32>,
    /// The account's key, which is the identity key of its phone.
    pub(crate) account_key: PublicKey,
}

/// A list is none of the account's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyIndexError {
    /// The bytes are not the protobuf they should be, or a field is missing.
    #[error("the key index list is malformed")]
    Malformed,
    /// Another key than the account's signed it.
    #[error("the key index list is signed with another account's key")]
    OtherAccount,
    /// The signature does not verify.
    #[error("the signature of the key index list does not verify")]
    Signature,
}

impl KeyIndexList {
    /// Verifies a signed list. `account_key` is the identity key of the person's phone, if it is
    /// known; a list that brings another one is refused.
    ///
    /// # Errors
    /// [`KeyIndexError`]; then only the phone itself may be written to.
    pub(crate) fn verify(
        signed: &[u8],
        account_key: Option<&PublicKey>,
    ) -> Result<Self, KeyIndexError> {
        let signed =
            pb::AdvSignedKeyIndexList::decode(signed).map_err(|_| KeyIndexError::Malformed)?;
        let told = signed
            .account_signature_key
            .as_deref()
            .map(PublicKey::from_slice)
            .transpose()
            .map_err(|_| KeyIndexError::Malformed)?;
        let key = match (account_key, told) {
            (Some(known), Some(told)) if *known != told => return Err(KeyIndexError::OtherAccount),
            (Some(known), _) => *known,
            (None, Some(told)) => told,
            (None, None) => return Err(KeyIndexError::Malformed),
        };
        let details = signed.details.ok_or(KeyIndexError::Malformed)?;
        let signature = signed.account_signature.ok_or(KeyIndexError::Malformed)?;
        let signature = Signature::from_slice(&signature).map_err(|_| KeyIndexError::Signature)?;
        let list =
            pb::AdvKeyIndexList::decode(details.clone()).map_err(|_| KeyIndexError::Malformed)?;
        let prefix = match list.account_type() {
            pb::AdvEncryptionType::Hosted => KEY_INDEX_LIST_PREFIX_HOSTED,
            _ => KEY_INDEX_LIST_PREFIX,
        };
        key.verify(&[&prefix, &details[..]].concat(), &signature)
            .map_err(|_| KeyIndexError::Signature)?;
        Ok(Self {
            timestamp: list.timestamp(),
            current: list.current_index(),
            valid: list.valid_indexes,
            account_key: key,
        })
    }

    /// Whether a device with this key index is the account's: it is listed, or was linked after
    /// the list was signed.
    pub(crate) fn allows(&self, key_index: u32) -> bool {
        self.valid.contains(&key_index) || key_index > self.current
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;
    use wa_crypto::KeyPair;

    use super::*;

    fn signed(account: &KeyPair, valid: &[u32]) -> Vec<u8> {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(2);
        let list = pb::AdvKeyIndexList {
            timestamp: Some(1_700_000_000),
            current_index: Some(5),
            valid_indexes: valid.to_vec(),
            ..pb::AdvKeyIndexList::default()
        };
        let details = list.encode_to_vec();
        let signature = account.private.sign(&[&[6, 2], &details[..]].concat(), &mut rng);
        pb::AdvSignedKeyIndexList {
            details: Some(details.into()),
            account_signature: Some(signature.as_bytes().to_vec().into()),
            account_signature_key: Some(account.public.as_bytes().to_vec().into()),
        }
        .encode_to_vec()
    }

    fn account(seed: u64) -> KeyPair {
        KeyPair::random(&mut rand_chacha::ChaCha8Rng::seed_from_u64(seed))
    }

    #[test]
    fn a_device_that_the_account_does_not_list_is_stale() {
        let list = KeyIndexList::verify(&signed(&account(1), &[0, 2]), None).unwrap();
        assert!(list.allows(2));
        assert!(!list.allows(3));
        assert!(list.allows(6), "linked after the list was signed");
        assert_eq!(list.timestamp, 1_700_000_000);
    }

    #[test]
    fn a_list_of_another_account_is_refused() {
        let (mine, other) = (account(1), account(2));
        assert_eq!(
            KeyIndexList::verify(&signed(&other, &[1]), Some(&mine.public)),
            Err(KeyIndexError::OtherAccount)
        );
    }

    #[test]
    fn an_altered_list_is_refused() {
        let mut list = pb::AdvSignedKeyIndexList::decode(&signed(&account(1), &[1])[..]).unwrap();
        let mut details = list.details.take().unwrap().to_vec();
        *details.last_mut().unwrap() ^= 1;
        list.details = Some(details.into());
        assert_eq!(
            KeyIndexList::verify(&list.encode_to_vec(), None),
            Err(KeyIndexError::Signature)
        );
        assert_eq!(KeyIndexList::verify(&[1, 2, 3], None), Err(KeyIndexError::Malformed));
    }
}
