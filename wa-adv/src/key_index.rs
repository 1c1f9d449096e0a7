//! The list in which an account signs which key indexes are still its devices'.
//!
//! Owns its verification, its order in time and what it allows. Knows nothing of how it arrives.

use std::cmp::Reverse;

use prost::Message as _;
use rand_core::CryptoRng;
use wa_crypto::{KeyPair, PublicKey, Signature};
use wa_proto::pb;

use crate::AccountKey;

/// What precedes the list in the signed bytes, for hosted accounts too.
const PREFIX: [u8; 2] = [6, 2];

/// The most key indexes that are read of one list; an account has a handful of devices.
pub const MAX_KEY_INDEXES: usize = 1024;

/// A verified list of the key indexes that an account vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyIndexList {
    account: AccountKey,
    timestamp: u64,
    current: u32,
    valid: Vec<u32>,
    /// The list as it was signed, with the account's key.
    signed: Vec<u8>,
}

/// Why a list says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum KeyIndexError {
    /// The bytes are not the protobuf they should be, or the named field is missing.
    #[error("the key index list is malformed: {0}")]
    Malformed(&'static str),
    /// It has more than [`MAX_KEY_INDEXES`] key indexes.
    #[error("the key index list is too long")]
    TooLong,
    /// Another key than the account's is said to have signed it.
    #[error("the key index list is signed for another account")]
    OtherAccount,
    /// The signature does not verify.
    #[error("the signature of the key index list does not verify")]
    Signature,
}

impl KeyIndexList {
    /// Verifies an encoded `ADVSignedKeyIndexList` of the account with this key.
    ///
    /// # Errors
    /// [`KeyIndexError`]; then nothing but the account's phone is known to be its device.
    pub fn verify(signed: &[u8], account: &AccountKey) -> Result<Self, KeyIndexError> {
        let wire = read(signed)?;
        if claimed_key(&wire)?.is_some_and(|claimed| claimed != *account) {
            return Err(KeyIndexError::OtherAccount);
        }
        let details = wire.details.as_deref().ok_or(KeyIndexError::Malformed("the details"))?;
        let signature = wire.account_signature.as_deref().ok_or(KeyIndexError::Signature)?;
        let signature = Signature::from_slice(signature).map_err(|_| KeyIndexError::Signature)?;
        account
            .public()
            .verify(&[&PREFIX, details].concat(), &signature)
            .map_err(|_| KeyIndexError::Signature)?;
        Self::from_wire(wire, *account)
    }

    /// The key of the account, as a list tells it itself. Trust in it has to come from elsewhere.
    ///
    /// # Errors
    /// [`KeyIndexError::Malformed`], also if the list does not tell.
    pub fn claimed_account_key(signed: &[u8]) -> Result<AccountKey, KeyIndexError> {
        claimed_key(&read(signed)?)?.ok_or(KeyIndexError::Malformed("the account's key"))
    }

    /// The bytes to put on file, for [`KeyIndexList::from_file`].
    pub fn to_bytes(&self) -> Vec<u8> {
        self.signed.clone()
    }

    /// Takes a list from the own file. It was verified before it was put there, so its signature
    /// is not checked again; never for bytes that anybody else sent.
    ///
    /// # Errors
    /// [`KeyIndexError::Malformed`].
    pub fn from_file(bytes: &[u8]) -> Result<Self, KeyIndexError> {
        let wire = read(bytes)?;
        let account = claimed_key(&wire)?.ok_or(KeyIndexError::Malformed("the account's key"))?;
        Self::from_wire(wire, account)
    }

    fn from_wire(
        mut wire: pb::AdvSignedKeyIndexList,
        account: AccountKey,
    ) -> Result<Self, KeyIndexError> {
        let details = wire.details.as_deref().ok_or(KeyIndexError::Malformed("the details"))?;
        let list = pb::AdvKeyIndexList::decode(details)
            .map_err(|_| KeyIndexError::Malformed("the details"))?;
        if list.valid_indexes.len() > MAX_KEY_INDEXES {
            return Err(KeyIndexError::TooLong);
        }
        wire.account_signature_key = Some(account.public().as_bytes().to_vec().into());
        Ok(Self {
            account,
            timestamp: list.timestamp(),
            current: list.current_index(),
            valid: list.valid_indexes,
            signed: wire.encode_to_vec(),
        })
    }

    /// An account's encoded `ADVSignedKeyIndexList`. `timestamp` is in seconds since 1970;
    /// `current` is the highest key index that it ever gave; `valid` are those that it still
    /// vouches for, its phone's 0 among them.
    pub fn sign(
        raw_id: u32,
        timestamp: u64,
        current: u32,
        valid: &[u32],
        account: &KeyPair,
        rng: &mut impl CryptoRng,
    ) -> Vec<u8> {
        let details = pb::AdvKeyIndexList {
            raw_id: Some(raw_id),
            timestamp: Some(timestamp),
            current_index: Some(current),
            valid_indexes: valid.to_vec(),
            account_type: Some(pb::AdvEncryptionType::E2ee.into()),
        }
        .encode_to_vec();
        let signature = account.private.sign(&[&PREFIX, &details[..]].concat(), rng);
        pb::AdvSignedKeyIndexList {
            details: Some(details.into()),
            account_signature: Some(signature.as_bytes().to_vec().into()),
            account_signature_key: Some(account.public.as_bytes().to_vec().into()),
        }
        .encode_to_vec()
    }

    /// The account's key.
    pub const fn account(&self) -> &AccountKey {
        &self.account
    }

    /// When it was signed, in seconds since 1970.
    pub const fn timestamp(&self) -> u64 {
        self.timestamp
    }

    /// Whether a device with this key index is the account's: it is listed, or was linked after
    /// the list was signed.
    pub fn allows(&self, key_index: u32) -> bool {
        self.valid.contains(&key_index) || key_index > self.current
    }

    /// Where the list stands in the account's history. Of two in the same second the one that
    /// knows of more linked devices is the later, and of these the one with fewer left.
    pub(crate) fn age(&self) -> impl Ord + use<> {
        (self.timestamp, self.current, Reverse(self.valid.len()))
    }
}

fn read(signed: &[u8]) -> Result<pb::AdvSignedKeyIndexList, KeyIndexError> {
    pb::AdvSignedKeyIndexList::decode(signed)
        .map_err(|_| KeyIndexError::Malformed("the signed list"))
}

fn claimed_key(wire: &pb::AdvSignedKeyIndexList) -> Result<Option<AccountKey>, KeyIndexError> {
    let key = wire.account_signature_key.as_deref().filter(|key| !key.is_empty());
    key.map(|key| PublicKey::from_slice(key).map(AccountKey::new))
        .transpose()
        .map_err(|_| KeyIndexError::Malformed("the account's key"))
}
