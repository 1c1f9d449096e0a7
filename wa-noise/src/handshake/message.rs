//! The protobufs of the handshake, and how their fields are demanded. Knows no cryptography.
//!
//! Written by hand, for the few fields that matter here; others are skipped.

use bytes::Bytes;
use prost::Message as _;
use wa_crypto::PublicKey;

use super::{HandshakeError, HandshakeField, HandshakeMessageKind};

/// `HandshakeMessage`
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct HandshakeMessage {
    #[prost(message, optional, tag = "2")]
    pub(crate) client_hello: Option<ClientHello>,
    #[prost(message, optional, tag = "3")]
    pub(crate) server_hello: Option<ServerHello>,
    #[prost(message, optional, tag = "4")]
    pub(crate) client_finish: Option<ClientFinish>,
}

/// `HandshakeMessage.ClientHello`: the static key and the payload only when resuming.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ClientHello {
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub(crate) ephemeral: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub(crate) static_key: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub(crate) payload: Option<Bytes>,
}

/// `HandshakeMessage.ServerHello`: no static key when a resumption is granted.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ServerHello {
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub(crate) ephemeral: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub(crate) static_key: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub(crate) payload: Option<Bytes>,
}

/// `HandshakeMessage.ClientFinish`
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ClientFinish {
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub(crate) static_key: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub(crate) payload: Option<Bytes>,
}

impl ClientHello {
    pub(crate) fn encode(self) -> Vec<u8> {
        HandshakeMessage { client_hello: Some(self), ..Default::default() }.encode_to_vec()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, HandshakeError> {
        decode(bytes)?
            .client_hello
            .ok_or(HandshakeError::UnexpectedMessage(HandshakeMessageKind::ClientHello))
    }
}

impl ServerHello {
    pub(crate) fn encode(self) -> Vec<u8> {
        HandshakeMessage { server_hello: Some(self), ..Default::default() }.encode_to_vec()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, HandshakeError> {
        decode(bytes)?
            .server_hello
            .ok_or(HandshakeError::UnexpectedMessage(HandshakeMessageKind::ServerHello))
    }
}

impl ClientFinish {
    pub(crate) fn encode(self) -> Vec<u8> {
        HandshakeMessage { client_finish: Some(self), ..Default::default() }.encode_to_vec()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, HandshakeError> {
        decode(bytes)?
            .client_finish
            .ok_or(HandshakeError::UnexpectedMessage(HandshakeMessageKind::ClientFinish))
    }
}

/// Demands a field.
pub(crate) fn required(
    value: Option<Bytes>,
    field: HandshakeField,
) -> Result<Bytes, HandshakeError> {
    value.ok_or(HandshakeError::MissingField(field))
}

/// Demands a field that is a public key in the clear.
pub(crate) fn required_key(
    value: Option<Bytes>,
    field: HandshakeField,
) -> Result<PublicKey, HandshakeError> {
    key(&required(value, field)?, field)
}

/// Reads a public key.
pub(crate) fn key(bytes: &[u8], field: HandshakeField) -> Result<PublicKey, HandshakeError> {
    PublicKey::from_slice(bytes).map_err(|_| HandshakeError::KeyLength { field, len: bytes.len() })
}

fn decode(bytes: &[u8]) -> Result<HandshakeMessage, HandshakeError> {
    HandshakeMessage::decode(bytes).map_err(|_| HandshakeError::Malformed)
}
