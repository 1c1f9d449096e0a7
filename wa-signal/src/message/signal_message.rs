//! SignalMessage, `msg`: version byte ‖ protobuf ‖ the first eight bytes of the code over both.

use prost::Message;
use wa_crypto::PublicKey;

use super::{MessageError, decode_body, split_version, with_version};
use crate::ratchet::{MAC_LEN, MessageKeys};

#[derive(Clone, PartialEq, Message)]
struct Fields {
    #[prost(bytes = "vec", optional, tag = "1")]
    ratchet_key: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "2")]
    counter: Option<u32>,
    #[prost(uint32, optional, tag = "3")]
    previous_counter: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "4")]
    ciphertext: Option<Vec<u8>>,
}

/// A received message, taken apart and not yet verified.
#[derive(Debug)]
pub(crate) struct SignalMessage<'a> {
    pub(crate) ratchet_key: PublicKey,
    pub(crate) counter: u32,
    pub(crate) ciphertext: Vec<u8>,
    /// What the code is over.
    pub(crate) authenticated: &'a [u8],
    pub(crate) mac: [u8; MAC_LEN],
}

impl<'a> SignalMessage<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, MessageError> {
        split_version(bytes)?;
        let (authenticated, mac) =
            bytes.split_last_chunk::<MAC_LEN>().ok_or(MessageError::TooShort)?;
        let fields: Fields = decode_body(split_version(authenticated)?)?;
        let ratchet_key = fields.ratchet_key.ok_or(MessageError::MissingField("ratchet key"))?;
        Ok(Self {
            ratchet_key: PublicKey::from_wire(&ratchet_key)?,
            counter: fields.counter.ok_or(MessageError::MissingField("counter"))?,
            ciphertext: fields.ciphertext.ok_or(MessageError::MissingField("ciphertext"))?,
            authenticated,
            mac: *mac,
        })
    }
}

/// What a message to be sent says beside its plaintext.
pub(crate) struct OutgoingSignalMessage<'a> {
    pub(crate) sender: &'a PublicKey,
    pub(crate) receiver: &'a PublicKey,
    pub(crate) ratchet_key: &'a PublicKey,
    pub(crate) counter: u32,
    pub(crate) previous_counter: u32,
}

impl OutgoingSignalMessage<'_> {
    pub(crate) fn seal(&self, keys: &MessageKeys, plaintext: &[u8]) -> Vec<u8> {
        let fields = Fields {
            ratchet_key: Some(self.ratchet_key.to_wire().to_vec()),
            counter: Some(self.counter),
            previous_counter: Some(self.previous_counter),
            ciphertext: Some(keys.encrypt(plaintext)),
        };
        let mut bytes = with_version(&fields, MAC_LEN);
        let mac = keys.mac(self.sender, self.receiver, &bytes);
        bytes.extend_from_slice(&mac);
        bytes
    }
}
