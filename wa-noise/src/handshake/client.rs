//! The client's side of the handshake: one type per state, each step consumes the last.

use bytes::Bytes;
use rand_core::CryptoRng;
use wa_crypto::{KeyPair, PublicKey, SharedSecret};

use super::{
    HandshakeError, HandshakeField,
    message::{ClientFinish, ClientHello, ServerHello, key, required, required_key},
    symmetric_state::{Pattern, SymmetricState},
};
use crate::{CertificatePolicy, Prologue, Transport, VerifiedCertificate};

/// A client that has asked for a full handshake (XX) and waits for the server's hello.
#[derive(Debug)]
pub struct ClientHandshake {
    pub(crate) symmetric: SymmetricState,
    static_keys: KeyPair,
    ephemeral: KeyPair,
}

impl ClientHandshake {
    /// Begins a handshake with a server not met before, and gives the client hello to send.
    pub fn start(
        static_keys: KeyPair,
        prologue: Prologue,
        rng: &mut impl CryptoRng,
    ) -> (Self, Vec<u8>) {
        Self::start_with(static_keys, KeyPair::random(rng), prologue)
    }

    pub(crate) fn start_with(
        static_keys: KeyPair,
        ephemeral: KeyPair,
        prologue: Prologue,
    ) -> (Self, Vec<u8>) {
        let mut symmetric = SymmetricState::new(Pattern::Xx, prologue);
        symmetric.mix_public_key(&ephemeral.public);
        let hello = ClientHello { ephemeral: Some(plain(&ephemeral.public)), ..Default::default() };
        (Self { symmetric, static_keys, ephemeral }, hello.encode())
    }

    /// Begins a handshake (IK) with a server whose verified static key is known from an earlier
    /// connection, and gives the client hello to send. It carries the client payload already, so
    /// that a server which still has that key answers once and the connection stands.
    ///
    /// # Errors
    /// [`HandshakeError::InvalidKey`] if the server's key cannot be agreed with.
    pub fn resume(
        static_keys: KeyPair,
        server_static: PublicKey,
        client_payload: &[u8],
        prologue: Prologue,
        rng: &mut impl CryptoRng,
    ) -> Result<(ClientResumption, Vec<u8>), HandshakeError> {
        let ephemeral = KeyPair::random(rng);
        ClientResumption::start_with(
            static_keys,
            ephemeral,
            server_static,
            client_payload,
            prologue,
        )
    }

    /// Reads the server's hello and judges its certificate.
    ///
    /// # Errors
    /// [`HandshakeError`] if the hello is no hello, does not decrypt, or proves nothing.
    pub fn receive(
        self,
        server_hello: &[u8],
        policy: &CertificatePolicy,
    ) -> Result<ClientVerified, HandshakeError> {
        self.read_hello(ServerHello::decode(server_hello)?, policy)
    }

    /// `<- e, ee, s, es` and the certificate, for XX and XXfallback.
    fn read_hello(
        mut self,
        hello: ServerHello,
        policy: &CertificatePolicy,
    ) -> Result<ClientVerified, HandshakeError> {
        let server_ephemeral = required_key(hello.ephemeral, HandshakeField::Ephemeral)?;
        let server_static = required(hello.static_key, HandshakeField::Static)?;
        let payload = required(hello.payload, HandshakeField::Payload)?;

        self.symmetric.mix_public_key(&server_ephemeral);
        self.symmetric.mix_key(&self.ephemeral.private.agree(&server_ephemeral)?);
        let server_static = self
            .symmetric
            .decrypt_and_hash(&server_static)
            .map_err(|_| HandshakeError::Decrypt(HandshakeField::Static))?;
        let server_static = key(&server_static, HandshakeField::Static)?;
        self.symmetric.mix_key(&self.ephemeral.private.agree(&server_static)?);
        let chain = self
            .symmetric
            .decrypt_and_hash(&payload)
            .map_err(|_| HandshakeError::Decrypt(HandshakeField::Payload))?;
        Ok(ClientVerified {
            server: policy.verify(&chain, &server_static)?,
            static_ephemeral: self.static_keys.private.agree(&server_ephemeral)?,
            client_static: self.static_keys.public,
            symmetric: self.symmetric,
        })
    }
}

/// A client that trusts the server and has yet to say who it is.
#[derive(Debug)]
pub struct ClientVerified {
    pub(crate) symmetric: SymmetricState,
    client_static: PublicKey,
    /// The agreement `se`, which the last message mixes in.
    static_ephemeral: SharedSecret,
    server: VerifiedCertificate,
}

impl ClientVerified {
    /// The server's static key and until when its certificate is good; worth keeping for
    /// [`ClientHandshake::resume`].
    pub fn server(&self) -> &VerifiedCertificate {
        &self.server
    }

    /// Ends the handshake: gives the client finish to send, and the transport.
    pub fn finish(mut self, client_payload: &[u8]) -> (Vec<u8>, Transport) {
        let finish = self.write_finish(client_payload);
        (finish, client_transport(&self.symmetric))
    }

    /// `-> s, se` and the client payload.
    pub(crate) fn write_finish(&mut self, client_payload: &[u8]) -> Vec<u8> {
        let static_key = self.symmetric.encrypt_and_hash(self.client_static.as_bytes());
        self.symmetric.mix_key(&self.static_ephemeral);
        let payload = self.symmetric.encrypt_and_hash(client_payload);
        ClientFinish { static_key: Some(static_key.into()), payload: Some(payload.into()) }.encode()
    }
}

/// A client that has asked to resume (IK) and waits for the server's hello.
#[derive(Debug)]
pub struct ClientResumption {
    symmetric: SymmetricState,
    static_keys: KeyPair,
    ephemeral: KeyPair,
    server_static: PublicKey,
    prologue: Prologue,
}

/// How a server has answered the wish to resume.
#[derive(Debug)]
pub enum Resumed {
    /// The connection stands; the server has the client payload.
    Established {
        /// The server's static key and until when its certificate is good.
        server: VerifiedCertificate,
        /// The connection's transport.
        transport: Transport,
    },
    /// The server has another static key by now and could not read the payload (XXfallback).
    /// Finish as in a full handshake, and forget the old key.
    FellBack(ClientVerified),
}

impl ClientResumption {
    /// `<- s` known beforehand, then `-> e, es, s, ss` and the client payload.
    pub(crate) fn start_with(
        static_keys: KeyPair,
        ephemeral: KeyPair,
        server_static: PublicKey,
        client_payload: &[u8],
        prologue: Prologue,
    ) -> Result<(Self, Vec<u8>), HandshakeError> {
        let mut symmetric = SymmetricState::new(Pattern::Ik, prologue);
        symmetric.mix_public_key(&server_static);
        symmetric.mix_public_key(&ephemeral.public);
        symmetric.mix_key(&ephemeral.private.agree(&server_static)?);
        let static_key = symmetric.encrypt_and_hash(static_keys.public.as_bytes());
        symmetric.mix_key(&static_keys.private.agree(&server_static)?);
        let payload = symmetric.encrypt_and_hash(client_payload);
        let hello = ClientHello {
            ephemeral: Some(plain(&ephemeral.public)),
            static_key: Some(static_key.into()),
            payload: Some(payload.into()),
        };
        let state = Self { symmetric, static_keys, ephemeral, server_static, prologue };
        Ok((state, hello.encode()))
    }

    /// Reads the server's hello, which grants the resumption or falls back, and judges its
    /// certificate in either case.
    ///
    /// # Errors
    /// [`HandshakeError`] if the hello is no hello, does not decrypt, or proves nothing. Connect
    /// anew with [`ClientHandshake::start`] then.
    pub fn receive(
        self,
        server_hello: &[u8],
        policy: &CertificatePolicy,
    ) -> Result<Resumed, HandshakeError> {
        let hello = ServerHello::decode(server_hello)?;
        if hello.static_key.is_some() {
            return self.fall_back().read_hello(hello, policy).map(Resumed::FellBack);
        }
        self.read_hello(hello, policy)
    }

    /// `<- e, ee, se` and the certificate.
    fn read_hello(
        mut self,
        hello: ServerHello,
        policy: &CertificatePolicy,
    ) -> Result<Resumed, HandshakeError> {
        let server_ephemeral = required_key(hello.ephemeral, HandshakeField::Ephemeral)?;
        let payload = required(hello.payload, HandshakeField::Payload)?;

        self.symmetric.mix_public_key(&server_ephemeral);
        self.symmetric.mix_key(&self.ephemeral.private.agree(&server_ephemeral)?);
        self.symmetric.mix_key(&self.static_keys.private.agree(&server_ephemeral)?);
        let chain = self
            .symmetric
            .decrypt_and_hash(&payload)
            .map_err(|_| HandshakeError::Decrypt(HandshakeField::Payload))?;
        Ok(Resumed::Established {
            server: policy.verify(&chain, &self.server_static)?,
            transport: client_transport(&self.symmetric),
        })
    }

    /// Begins the transcript anew; of the first message only the ephemeral key stays, as the
    /// fallback pattern's known beginning.
    pub(crate) fn fall_back(self) -> ClientHandshake {
        let mut symmetric = SymmetricState::new(Pattern::XxFallback, self.prologue);
        symmetric.mix_public_key(&self.ephemeral.public);
        ClientHandshake { symmetric, static_keys: self.static_keys, ephemeral: self.ephemeral }
    }
}

fn client_transport(symmetric: &SymmetricState) -> Transport {
    let (client, server) = symmetric.split();
    Transport::new(&client, &server)
}

fn plain(key: &PublicKey) -> Bytes {
    Bytes::copy_from_slice(key.as_bytes())
}
