//! The server's side of one client connection: bytes in, bytes out. Between them the handshake,
//! frames, nodes, and the faults that are in force. What a stanza means is the server's business.

use std::{sync::Arc, time::Duration};

use rand_chacha::ChaCha20Rng;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream},
    sync::mpsc,
};
use wa_crypto::KeyPair;
use wa_noise::{
    Accepted, FrameDecoder, HeaderDecoder, Opener, Prologue, Sealer, ServerHandshake, ServerReply,
    encode_frame,
};
use wa_proto::{OwnedNode, node};

use crate::{
    Sim,
    server::{ConnectionId, Login, Output},
};

/// The longest frame of a handshake.
const MAX_HANDSHAKE_FRAME: usize = 1 << 16;

/// The longest frame of a client that has logged in.
const MAX_CLIENT_FRAME: usize = 1 << 22;

/// How long a client may take for its handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(20);

const READ_BUFFER: usize = 1 << 14;

/// What every connection of a simulation is served with.
pub(crate) struct ServerKeys {
    pub(crate) static_keys: KeyPair,
    pub(crate) certificate_chain: Vec<u8>,
}

/// A connection that the simulation has accepted.
pub(crate) struct Incoming {
    pub(crate) id: ConnectionId,
    pub(crate) keys: Arc<ServerKeys>,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) outputs: mpsc::Receiver<Output>,
}

/// Why a connection ended that the server did not end.
#[derive(Debug, thiserror::Error)]
enum ConnectionError {
    #[error("the stream failed")]
    Io(#[from] std::io::Error),
    #[error("the client closed the stream")]
    Closed,
    #[error("the client took too long for the handshake")]
    Timeout,
    #[error("no connection header")]
    Header(#[from] wa_noise::HeaderError),
    #[error("no frame")]
    Frame(#[from] wa_noise::FrameError),
    #[error("no handshake")]
    Handshake(#[from] wa_noise::HandshakeError),
    #[error("a frame that does not open")]
    Open(#[from] wa_noise::OpenError),
    #[error("a frame that cannot be sealed")]
    Seal(#[from] wa_noise::SealError),
    #[error("a frame that holds no node")]
    Node(#[from] node::DecodeError),
}

/// Serves a connection to its end.
pub(crate) async fn serve(sim: Sim, incoming: Incoming, stream: DuplexStream) {
    let id = incoming.id;
    let outcome = run(&sim, incoming, stream).await;
    if let Err(error) = outcome {
        tracing::debug!(connection = id.0, %error, "connection ended");
    }
    sim.connection_closed(id);
}

async fn run(sim: &Sim, incoming: Incoming, stream: DuplexStream) -> Result<(), ConnectionError> {
    let Incoming { id, keys, mut rng, outputs } = incoming;
    let (mut reader, writer) = tokio::io::split(stream);
    let mut writer = Writer { sim: sim.clone(), writer, next_piece: 0 };
    let handshake = shake_hands(&mut reader, &mut writer, &keys, &mut rng);
    let (accepted, mut frames) = tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake)
        .await
        .map_err(|_| ConnectionError::Timeout)??;
    frames.set_limit(MAX_CLIENT_FRAME);
    let (sealer, opener) = accepted.transport.split();
    let client = accepted.client;
    sim.opened(id, Login { static_key: client.static_key, payload: client.payload });
    // Whichever direction ends first ends the connection.
    tokio::select! {
        ended = read_stanzas(sim, id, reader, frames, opener) => ended,
        ended = write_stanzas(outputs, writer, sealer) => ended,
    }
}

async fn shake_hands(
    reader: &mut (impl AsyncRead + Unpin),
    writer: &mut Writer<impl AsyncWrite + Unpin>,
    keys: &ServerKeys,
    rng: &mut ChaCha20Rng,
) -> Result<(Accepted, FrameDecoder), ConnectionError> {
    let mut header = HeaderDecoder::new();
    let mut frames = loop {
        if let Some((_, frames)) = header.push(&read_some(reader).await?)? {
            break frames;
        }
    };
    frames.set_limit(MAX_HANDSHAKE_FRAME);
    let hello = next_frame(reader, &mut frames).await?;
    let handshake = ServerHandshake::new(
        keys.static_keys.clone(),
        keys.certificate_chain.clone(),
        Prologue::CURRENT,
    );
    match handshake.receive(&hello, rng)? {
        ServerReply::Established { message, accepted } => {
            writer.write(&encode_frame(&message)?).await?;
            Ok((accepted, frames))
        }
        ServerReply::AwaitFinish { message, state } => {
            writer.write(&encode_frame(&message)?).await?;
            let finish = next_frame(reader, &mut frames).await?;
            Ok((state.receive(&finish)?, frames))
        }
    }
}

async fn read_stanzas(
    sim: &Sim,
    id: ConnectionId,
    mut reader: impl AsyncRead + Unpin,
    mut frames: FrameDecoder,
    mut opener: Opener,
) -> Result<(), ConnectionError> {
    loop {
        let frame = next_frame(&mut reader, &mut frames).await?;
        let plaintext = opener.open(&frame)?;
        sim.received(id, &node::read(&plaintext)?);
    }
}

async fn write_stanzas(
    mut outputs: mpsc::Receiver<Output>,
    mut writer: Writer<impl AsyncWrite + Unpin>,
    mut sealer: Sealer,
) -> Result<(), ConnectionError> {
    let mut sent = 0;
    while let Some(output) = outputs.recv().await {
        let Output::Stanza(node) = output else { break };
        writer.write_stanza(node, &mut sealer).await?;
        sent += 1;
        if writer.sim.closes_after(sent) {
            break;
        }
    }
    writer.writer.shutdown().await?;
    Ok(())
}

async fn next_frame(
    reader: &mut (impl AsyncRead + Unpin),
    frames: &mut FrameDecoder,
) -> Result<bytes::Bytes, ConnectionError> {
    loop {
        if let Some(frame) = frames.next_frame()? {
            return Ok(frame);
        }
        frames.push(&read_some(reader).await?);
    }
}

async fn read_some(reader: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, ConnectionError> {
    let mut buffer = vec![0; READ_BUFFER];
    match reader.read(&mut buffer).await? {
        0 => Err(ConnectionError::Closed),
        read => {
            buffer.truncate(read);
            Ok(buffer)
        }
    }
}

/// Writes to a client, as the faults in force have it.
struct Writer<W> {
    sim: Sim,
    writer: W,
    /// Which of the plan's piece sizes is next.
    next_piece: usize,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    async fn write_stanza(
        &mut self,
        mut node: OwnedNode,
        sealer: &mut Sealer,
    ) -> Result<(), ConnectionError> {
        let fate = self.sim.befall(&mut node);
        tokio::time::sleep(fate.delay).await;
        for _ in 0..fate.copies {
            let mut frame = sealer.seal(&node.encode())?;
            if fate.corrupt_frame
                && let Some(byte) = frame.first_mut()
            {
                *byte ^= 1;
            }
            self.write(&encode_frame(&frame)?).await?;
        }
        Ok(())
    }

    async fn write(&mut self, mut bytes: &[u8]) -> Result<(), ConnectionError> {
        let (silence, split) = self.sim.wire_faults();
        if silence {
            return Ok(());
        }
        while !bytes.is_empty() {
            let size = split.get(self.next_piece % split.len().max(1)).copied();
            self.next_piece = self.next_piece.wrapping_add(1);
            let size = size.map_or(bytes.len(), |size| size.clamp(1, bytes.len()));
            let (piece, rest) = bytes.split_at(size);
            self.writer.write_all(piece).await?;
            self.writer.flush().await?;
            bytes = rest;
            if !rest.is_empty() {
                tokio::task::yield_now().await;
            }
        }
        self.sim.frame_sent();
        Ok(())
    }
}
