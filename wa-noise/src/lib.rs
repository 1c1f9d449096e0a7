//! WhatsApp's Noise transport: framing, the handshake from both sides, certificates, sealed frames.
//!
//! Everything here is a value that turns bytes into bytes. It knows nothing of sockets, of time
//! or of what the sealed frames say: the caller moves the bytes, and the moment at which a
//! certificate is judged and the randomness are arguments.
//!
//! A connection in full, both ends of it:
//!
//! ```
//! use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//! use wa_crypto::KeyPair;
//! use wa_noise::{
//!     CertificateAuthority, CertificatePolicy, ClientHandshake, ConnectionHeader, FrameDecoder,
//!     HeaderDecoder, Prologue, ServerHandshake, ServerReply, Validity, encode_frame,
//! };
//!
//! let mut rng = ChaCha20Rng::seed_from_u64(1);
//! let year = Validity { not_before: 1_700_000_000, not_after: 1_731_536_000 };
//! let policy_now = 1_710_000_000;
//!
//! // The server's side of the world: its key, and a chain that says the key is WhatsApp's.
//! let authority = CertificateAuthority::new(KeyPair::random(&mut rng), year, &mut rng);
//! let server_keys = KeyPair::random(&mut rng);
//! let chain = authority.issue(&server_keys.public, year, &mut rng);
//!
//! // The client opens: header, then the first frame.
//! let client_keys = KeyPair::random(&mut rng);
//! let (client, hello) = ClientHandshake::start(client_keys.clone(), Prologue::CURRENT, &mut rng);
//! let mut wire = ConnectionHeader::default().encode()?;
//! wire.extend(encode_frame(&hello)?);
//!
//! // The server reads both and answers.
//! let (_header, mut frames) = HeaderDecoder::new().push(&wire)?.ok_or("header incomplete")?;
//! let hello = frames.next_frame()?.ok_or("frame incomplete")?;
//! let server = ServerHandshake::new(server_keys, chain, Prologue::CURRENT);
//! let ServerReply::AwaitFinish { message, state: server } = server.receive(&hello, &mut rng)? else {
//!     return Err("a full handshake was asked for".into());
//! };
//!
//! // The client judges the certificate and finishes; the server learns who it is.
//! let policy = CertificatePolicy { root: authority.root(), now: policy_now };
//! let (finish, transport) = client.receive(&message, &policy)?.finish(b"client payload");
//! let accepted = server.receive(&finish)?;
//! assert_eq!(accepted.client.static_key, client_keys.public);
//! assert_eq!(accepted.client.payload, b"client payload");
//!
//! // From here on each direction seals its own frames.
//! let (mut client_seals, _) = transport.split();
//! let (_, mut server_opens) = accepted.transport.split();
//! let mut frames = FrameDecoder::new();
//! frames.push(&encode_frame(&client_seals.seal(b"a stanza")?)?);
//! let frame = frames.next_frame()?.ok_or("frame incomplete")?;
//! assert_eq!(server_opens.open(&frame)?, b"a stanza");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod certificate;
mod frame;
pub mod fuzzing;
mod handshake;
mod header;
mod transport;

#[cfg(test)]
mod vectors;

pub use certificate::{
    CertificateAuthority, CertificateError, CertificateLink, CertificatePolicy, Validity,
    VerifiedCertificate, WHATSAPP_ROOT_KEY,
};
pub use frame::{FRAME_LENGTH_LEN, FrameDecoder, FrameError, MAX_FRAME_LEN, encode_frame};
pub use handshake::{
    Accepted, ClientHandshake, ClientIdentity, ClientResumption, ClientVerified, HandshakeError,
    HandshakeField, HandshakeMessageKind, Resumed, ServerAwaitingFinish, ServerHandshake,
    ServerReply,
};
pub use header::{
    ConnectionHeader, HeaderDecoder, HeaderError, MAX_ROUTING_INFO_LEN, Prologue, RoutingInfoError,
};
pub use transport::{OpenError, Opener, SealError, Sealer, Transport};
