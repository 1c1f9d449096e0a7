//! SenderKeyMessage, `skmsg`: version byte ‖ protobuf ‖ signature over both; and
//! SenderKeyDistributionMessage: version byte ‖ protobuf.

use prost::Message;
use rand_core::CryptoRng;
use wa_crypto::{KeyPair, PublicKey, SIGNATURE_LEN, Signature};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::state::SenderKeyState;
use crate::{
    MessageError,
    message::{decode_body, split_version, with_version},
    ratchet::ChainKey,
};

#[derive(Clone, PartialEq, Message)]
struct MessageFields {
    #[prost(uint32, optional, tag = "1")]
    id: Option<u32>,
    #[prost(uint32, optional, tag = "2")]
    iteration: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "3")]
    ciphertext: Option<Vec<u8>>,
}

/// A received message, taken apart and not yet verified.
#[derive(Debug)]
pub(super) struct SenderKeyMessage<'a> {
    pub(super) id: u32,
    pub(super) iteration: u32,
    pub(super) ciphertext: Vec<u8>,
    /// What the signature is over.
    pub(super) signed: &'a [u8],
    pub(super) signature: Signature,
}

impl<'a> SenderKeyMessage<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, MessageError> {
        split_version(bytes)?;
        let (signed, signature) =
            bytes.split_last_chunk::<SIGNATURE_LEN>().ok_or(MessageError::TooShort)?;
        let fields: MessageFields = decode_body(split_version(signed)?)?;
        Ok(Self {
            id: fields.id.ok_or(MessageError::MissingField("key id"))?,
            iteration: fields.iteration.ok_or(MessageError::MissingField("iteration"))?,
            ciphertext: fields.ciphertext.ok_or(MessageError::MissingField("ciphertext"))?,
            signed,
            signature: Signature::from_bytes(*signature),
        })
    }

    /// The bytes of a message to be sent.
    pub(super) fn sign(
        id: u32,
        iteration: u32,
        ciphertext: Vec<u8>,
        signing: &KeyPair,
        rng: &mut impl CryptoRng,
    ) -> Vec<u8> {
        let fields = MessageFields {
            id: Some(id),
            iteration: Some(iteration),
            ciphertext: Some(ciphertext),
        };
        let mut bytes = with_version(&fields, SIGNATURE_LEN);
        let signature = signing.private.sign(&bytes, rng);
        bytes.extend_from_slice(signature.as_bytes());
        bytes
    }
}

#[derive(Clone, PartialEq, Message, Zeroize, ZeroizeOnDrop)]
#[prost(skip_debug)]
struct DistributionFields {
    #[prost(uint32, optional, tag = "1")]
    id: Option<u32>,
    #[prost(uint32, optional, tag = "2")]
    iteration: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "3")]
    chain_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    signing_key: Option<Vec<u8>>,
}

/// A sender key from some iteration on, as told to the group.
#[derive(Debug)]
pub(super) struct DistributionMessage {
    pub(super) id: u32,
    pub(super) chain: ChainKey,
    pub(super) signing_key: PublicKey,
}

impl DistributionMessage {
    pub(super) fn of(state: &SenderKeyState) -> Self {
        Self { id: state.id(), chain: state.chain().clone(), signing_key: *state.signing_key() }
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, MessageError> {
        let fields: DistributionFields = decode_body(split_version(bytes)?)?;
        let missing = MessageError::MissingField;
        let chain_key = fields.chain_key.as_deref().ok_or(missing("chain key"))?;
        let chain_key = chain_key.try_into().map_err(|_| MessageError::OutOfRange("chain key"))?;
        let iteration = fields.iteration.ok_or(missing("iteration"))?;
        let signing_key = fields.signing_key.as_deref().ok_or(missing("signing key"))?;
        Ok(Self {
            id: fields.id.ok_or(missing("key id"))?,
            chain: ChainKey::new(chain_key, iteration),
            signing_key: *PublicKey::from_wire(signing_key)?.check()?.key(),
        })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let fields = DistributionFields {
            id: Some(self.id),
            iteration: Some(self.chain.index()),
            chain_key: Some(self.chain.key().to_vec()),
            signing_key: Some(self.signing_key.to_wire().to_vec()),
        };
        with_version(&fields, 0)
    }
}

impl std::fmt::Debug for DistributionFields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DistributionFields(…)")
    }
}
