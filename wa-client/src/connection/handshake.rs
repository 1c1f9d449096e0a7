//! From an open byte stream to sealed frames.
//!
//! Moves the handshake's bytes and judges its failures; the handshake itself is in `wa-noise`.

use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use tokio::time::timeout;
use wa_noise::{
    CertificatePolicy, ClientHandshake, ConnectionHeader, FrameDecoder, HandshakeError, Opener,
    Prologue, Sealer, encode_frame,
};
use wa_proto::pb::ClientPayload;

use super::{
    connector::{Wire, WireReader, WireWriter},
    ending::Ending,
};
use crate::inner::Inner;

/// A connection whose frames are sealed.
pub(crate) struct Secured {
    pub(crate) reader: Box<dyn WireReader>,
    pub(crate) writer: Box<dyn WireWriter>,
    pub(crate) frames: FrameDecoder,
    pub(crate) sealer: Sealer,
    pub(crate) opener: Opener,
}

/// Shakes hands over a fresh stream.
///
/// # Errors
/// How the attempt ended.
pub(crate) async fn secure(
    inner: &Inner,
    wire: Wire,
    payload: &ClientPayload,
) -> Result<Secured, Ending> {
    timeout(HANDSHAKE_TIMEOUT, shake_hands(inner, wire, payload))
        .await
        .unwrap_or(Err(Ending::Unreachable))
}

async fn shake_hands(
    inner: &Inner,
    wire: Wire,
    payload: &ClientPayload,
) -> Result<Secured, Ending> {
    let Wire { mut reader, mut writer } = wire;
    let account = inner.account();
    let (state, hello) =
        inner.with_rng(|rng| ClientHandshake::start(account.noise.clone(), Prologue::CURRENT, rng));
    let header = ConnectionHeader {
        routing_info: account.routing_info.as_ref().map(|info| Bytes::copy_from_slice(info)),
    };
    // Routing information that is too long is not kept, so it can always be sent.
    let mut first = header.encode().map_err(|_| Ending::Protocol)?;
    first.extend(encode_frame(&hello).map_err(|_| Ending::Protocol)?);
    writer.write(first.into()).await.map_err(|_| Ending::SocketLost)?;

    let mut frames = FrameDecoder::with_limit(MAX_HANDSHAKE_FRAME);
    let server_hello = next_frame(reader.as_mut(), &mut frames).await?;
    let policy = CertificatePolicy {
        root: inner.settings.noise_root,
        now: inner.clock.local_unix_ms() / 1000,
    };
    let verified = state.receive(&server_hello, &policy).map_err(|error| {
        tracing::warn!(%error, "the handshake failed");
        match error {
            HandshakeError::Certificate(_) => Ending::Untrusted,
            _ => Ending::Protocol,
        }
    })?;
    let (finish, transport) = verified.finish(&payload.encode_to_vec());
    let finish = encode_frame(&finish).map_err(|_| Ending::Protocol)?;
    writer.write(finish.into()).await.map_err(|_| Ending::SocketLost)?;
    frames.set_limit(wa_noise::MAX_FRAME_LEN);
    let (sealer, opener) = transport.split();
    Ok(Secured { reader, writer, frames, sealer, opener })
}

async fn next_frame(
    reader: &mut dyn WireReader,
    frames: &mut FrameDecoder,
) -> Result<Bytes, Ending> {
    loop {
        if let Some(frame) = frames.next_frame().map_err(|_| Ending::Protocol)? {
            return Ok(frame);
        }
        match reader.read().await {
            Ok(Some(chunk)) => frames.push(&chunk),
            Ok(None) | Err(_) => return Err(Ending::SocketLost),
        }
    }
}

/// How long the whole handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(20);
/// A server hello holds two keys and two certificates.
const MAX_HANDSHAKE_FRAME: usize = 64 * 1024;
