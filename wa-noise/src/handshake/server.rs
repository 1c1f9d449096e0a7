//! The server's side of the handshake, for loopback servers: one type per state, each step
//! consumes the last.

use std::fmt;

use bytes::Bytes;
use rand_core::CryptoRng;
use wa_crypto::{KeyPair, PublicKey};

use super::{
    HandshakeError, HandshakeField,
    message::{ClientFinish, ClientHello, ServerHello, key, required, required_key},
    symmetric_state::{Pattern, SymmetricState},
};
use crate::{Prologue, Transport};

/// A server that waits for a client's hello.
#[derive(Debug)]
pub struct ServerHandshake {
    static_keys: KeyPair,
    certificate_chain: Vec<u8>,
    prologue: Prologue,
}

/// What a server does about a client's hello.
#[derive(Debug)]
pub enum ServerReply {
    /// A full handshake (XX), or one that a failed resumption fell back to (XXfallback): the
    /// client has to finish it.
    AwaitFinish {
        /// The server hello to send.
        message: Vec<u8>,
        /// The handshake's next state.
        state: ServerAwaitingFinish,
    },
    /// The client has resumed (IK); the connection stands once the hello is sent.
    Established {
        /// The server hello to send.
        message: Vec<u8>,
        /// The client and the transport.
        accepted: Accepted,
    },
}

/// Who a client has proved to be.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// The client's static key.
    pub static_key: PublicKey,
    /// The decrypted client payload, an encoded `ClientPayload`.
    pub payload: Vec<u8>,
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentity")
            .field("static_key", &self.static_key)
            .field("payload_len", &self.payload.len())
            .finish()
    }
}

/// A finished handshake, as the server has it.
#[derive(Debug)]
pub struct Accepted {
    /// Who the client is.
    pub client: ClientIdentity,
    /// The connection's transport.
    pub transport: Transport,
}

impl ServerHandshake {
    /// A server with this static key and an encoded `CertChain` for it.
    pub fn new(static_keys: KeyPair, certificate_chain: Vec<u8>, prologue: Prologue) -> Self {
        Self { static_keys, certificate_chain, prologue }
    }

    /// Reads a client's hello and answers it, as the pattern that the client chose asks.
    ///
    /// # Errors
    /// [`HandshakeError`] if the hello is no hello, or resumes with this server's key and yet
    /// does not decrypt.
    pub fn receive(
        self,
        client_hello: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<ServerReply, HandshakeError> {
        self.receive_with(client_hello, KeyPair::random(rng))
    }

    pub(crate) fn receive_with(
        self,
        client_hello: &[u8],
        ephemeral: KeyPair,
    ) -> Result<ServerReply, HandshakeError> {
        let hello = ClientHello::decode(client_hello)?;
        let client_ephemeral = required_key(hello.ephemeral, HandshakeField::Ephemeral)?;
        let Some(static_key) = hello.static_key else {
            return self.answer_full(Pattern::Xx, client_ephemeral, ephemeral);
        };
        let payload = required(hello.payload, HandshakeField::Payload)?;
        match self.read_resumption(client_ephemeral, &static_key)? {
            Some((symmetric, client_static)) => {
                let client = Resuming { client_ephemeral, client_static, payload };
                self.answer_resumption(symmetric, client, ephemeral)
            }
            None => self.answer_full(Pattern::XxFallback, client_ephemeral, ephemeral),
        }
    }

    /// `<- e, ee, s, es` and the certificate, for XX and XXfallback.
    fn answer_full(
        self,
        pattern: Pattern,
        client_ephemeral: PublicKey,
        ephemeral: KeyPair,
    ) -> Result<ServerReply, HandshakeError> {
        let mut symmetric = SymmetricState::new(pattern, self.prologue);
        symmetric.mix_public_key(&client_ephemeral);
        symmetric.mix_public_key(&ephemeral.public);
        symmetric.mix_key(&ephemeral.private.agree(&client_ephemeral)?);
        let static_key = symmetric.encrypt_and_hash(self.static_keys.public.as_bytes());
        symmetric.mix_key(&self.static_keys.private.agree(&client_ephemeral)?);
        let payload = symmetric.encrypt_and_hash(&self.certificate_chain);
        let hello = ServerHello {
            ephemeral: Some(Bytes::copy_from_slice(ephemeral.public.as_bytes())),
            static_key: Some(static_key.into()),
            payload: Some(payload.into()),
        };
        let state = ServerAwaitingFinish { symmetric, ephemeral };
        Ok(ServerReply::AwaitFinish { message: hello.encode(), state })
    }

    /// `-> e, es, s` of a resumption: the client's static key, or `None` if the hello was made
    /// for another server key.
    fn read_resumption(
        &self,
        client_ephemeral: PublicKey,
        client_static: &[u8],
    ) -> Result<Option<(SymmetricState, PublicKey)>, HandshakeError> {
        let mut symmetric = SymmetricState::new(Pattern::Ik, self.prologue);
        symmetric.mix_public_key(&self.static_keys.public);
        symmetric.mix_public_key(&client_ephemeral);
        symmetric.mix_key(&self.static_keys.private.agree(&client_ephemeral)?);
        match symmetric.decrypt_and_hash(client_static) {
            Ok(client_static) => {
                Ok(Some((symmetric, key(&client_static, HandshakeField::Static)?)))
            }
            Err(_) => Ok(None),
        }
    }

    /// `-> ss` and the client payload, then `<- e, ee, se` and the certificate.
    fn answer_resumption(
        self,
        mut symmetric: SymmetricState,
        client: Resuming,
        ephemeral: KeyPair,
    ) -> Result<ServerReply, HandshakeError> {
        symmetric.mix_key(&self.static_keys.private.agree(&client.client_static)?);
        let client_payload = symmetric
            .decrypt_and_hash(&client.payload)
            .map_err(|_| HandshakeError::Decrypt(HandshakeField::Payload))?;

        symmetric.mix_public_key(&ephemeral.public);
        symmetric.mix_key(&ephemeral.private.agree(&client.client_ephemeral)?);
        symmetric.mix_key(&ephemeral.private.agree(&client.client_static)?);
        let payload = symmetric.encrypt_and_hash(&self.certificate_chain);
        let hello = ServerHello {
            ephemeral: Some(Bytes::copy_from_slice(ephemeral.public.as_bytes())),
            static_key: None,
            payload: Some(payload.into()),
        };
        let client = ClientIdentity { static_key: client.client_static, payload: client_payload };
        let accepted = Accepted { client, transport: server_transport(&symmetric) };
        Ok(ServerReply::Established { message: hello.encode(), accepted })
    }
}

/// What a resuming client's hello holds.
struct Resuming {
    client_ephemeral: PublicKey,
    client_static: PublicKey,
    payload: Bytes,
}

/// A server that has shown its certificate and waits for the client to finish.
#[derive(Debug)]
pub struct ServerAwaitingFinish {
    pub(crate) symmetric: SymmetricState,
    ephemeral: KeyPair,
}

impl ServerAwaitingFinish {
    /// `-> s, se` and the client payload: reads the client's finish and ends the handshake.
    ///
    /// # Errors
    /// [`HandshakeError`] if the message is no finish or does not decrypt.
    pub fn receive(mut self, client_finish: &[u8]) -> Result<Accepted, HandshakeError> {
        let client = self.read_finish(client_finish)?;
        Ok(Accepted { client, transport: server_transport(&self.symmetric) })
    }

    pub(crate) fn read_finish(
        &mut self,
        client_finish: &[u8],
    ) -> Result<ClientIdentity, HandshakeError> {
        let finish = ClientFinish::decode(client_finish)?;
        let static_key = required(finish.static_key, HandshakeField::Static)?;
        let payload = required(finish.payload, HandshakeField::Payload)?;

        let static_key = self
            .symmetric
            .decrypt_and_hash(&static_key)
            .map_err(|_| HandshakeError::Decrypt(HandshakeField::Static))?;
        let static_key = key(&static_key, HandshakeField::Static)?;
        self.symmetric.mix_key(&self.ephemeral.private.agree(&static_key)?);
        let payload = self
            .symmetric
            .decrypt_and_hash(&payload)
            .map_err(|_| HandshakeError::Decrypt(HandshakeField::Payload))?;
        Ok(ClientIdentity { static_key, payload })
    }
}

fn server_transport(symmetric: &SymmetricState) -> Transport {
    let (client, server) = symmetric.split();
    Transport::new(&server, &client)
}
