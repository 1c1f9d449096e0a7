//! PreKeySignalMessage, `pkmsg`: a whole SignalMessage and what its receiver needs to make the
//! session.

use prost::Message;
use wa_crypto::PublicKey;

use super::{MessageError, decode_body, split_version, with_version};
use crate::{DecryptError, PreKeyId, RegistrationId, SignedPreKeyId};

#[derive(Clone, PartialEq, Message)]
struct Fields {
    #[prost(uint32, optional, tag = "1")]
    prekey_id: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "2")]
    base_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    identity: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    message: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "5")]
    registration_id: Option<u32>,
    #[prost(uint32, optional, tag = "6")]
    signed_prekey_id: Option<u32>,
}

/// What a `pkmsg` says in the clear. All of it is the sender's claim until the message decrypts,
/// the keys are not checked before that, and the registration id stays a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PreKeyMessageHeader {
    /// The one-time prekey of ours the sender used, if it used one.
    pub prekey_id: Option<PreKeyId>,
    /// The signed prekey of ours the sender used.
    pub signed_prekey_id: SignedPreKeyId,
    /// The key the sender made for this session; it tells sessions apart.
    pub base_key: PublicKey,
    /// The sender's identity key.
    pub identity: PublicKey,
    /// The sender's registration id.
    pub registration_id: RegistrationId,
}

impl PreKeyMessageHeader {
    /// Reads the header, so that the caller can load the prekeys it names and look at the
    /// identity.
    ///
    /// # Errors
    /// [`DecryptError::InvalidMessage`], [`DecryptError::InvalidKey`] or
    /// [`DecryptError::UnsupportedVersion`].
    pub fn parse(bytes: &[u8]) -> Result<Self, DecryptError> {
        Ok(PreKeyMessage::parse(bytes)?.header)
    }
}

/// A received `pkmsg`, taken apart.
#[derive(Debug)]
pub(crate) struct PreKeyMessage {
    pub(crate) header: PreKeyMessageHeader,
    /// The SignalMessage within.
    pub(crate) message: Vec<u8>,
}

impl PreKeyMessage {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, MessageError> {
        let fields: Fields = decode_body(split_version(bytes)?)?;
        let missing = MessageError::MissingField;
        let prekey_id = fields
            .prekey_id
            .map(|id| PreKeyId::new(id).ok_or(MessageError::OutOfRange("prekey id")))
            .transpose()?;
        let signed_prekey_id = fields.signed_prekey_id.ok_or(missing("signed prekey id"))?;
        let base_key = fields.base_key.ok_or(missing("base key"))?;
        let identity = fields.identity.ok_or(missing("identity key"))?;
        let registration_id = fields.registration_id.ok_or(missing("registration id"))?;
        Ok(Self {
            header: PreKeyMessageHeader {
                prekey_id,
                signed_prekey_id: SignedPreKeyId::new(signed_prekey_id)
                    .ok_or(MessageError::OutOfRange("signed prekey id"))?,
                base_key: PublicKey::from_wire(&base_key)?,
                identity: PublicKey::from_wire(&identity)?,
                registration_id: RegistrationId::new(registration_id),
            },
            message: fields.message.ok_or(missing("message"))?,
        })
    }
}

/// What goes around a SignalMessage until the first answer.
pub(crate) struct OutgoingPreKeyMessage<'a> {
    pub(crate) prekey_id: Option<PreKeyId>,
    pub(crate) signed_prekey_id: SignedPreKeyId,
    pub(crate) base_key: &'a PublicKey,
    pub(crate) identity: &'a PublicKey,
    pub(crate) registration_id: RegistrationId,
}

impl OutgoingPreKeyMessage<'_> {
    pub(crate) fn wrap(&self, message: Vec<u8>) -> Vec<u8> {
        let fields = Fields {
            prekey_id: self.prekey_id.map(PreKeyId::as_u32),
            base_key: Some(self.base_key.to_wire().to_vec()),
            identity: Some(self.identity.to_wire().to_vec()),
            message: Some(message),
            registration_id: Some(self.registration_id.as_u32()),
            signed_prekey_id: Some(self.signed_prekey_id.as_u32()),
        };
        with_version(&fields, 0)
    }
}
