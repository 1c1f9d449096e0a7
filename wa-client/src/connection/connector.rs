//! How a byte stream to the server comes about.
//!
//! Owns the trait, its errors, and a stream connector for anything tokio can read and write.
//! Knows nothing of frames: chunks may cut them anywhere.

use std::{fmt, io};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};

/// Where to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectTarget {
    /// The WebSocket URL, `wss://web.whatsapp.com/ws/chat` unless told otherwise.
    pub url: String,
}

impl ConnectTarget {
    /// A target with this WebSocket URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into() }
    }
}

/// Makes byte streams to the server: over WebSockets by default, over memory in tests, over a
/// proxy where somebody writes one.
#[async_trait]
pub trait Connector: fmt::Debug + Send + Sync {
    /// Opens one stream.
    ///
    /// # Errors
    /// [`ConnectError`]; the client waits and tries again, whatever it is.
    async fn connect(&self, target: &ConnectTarget) -> Result<Wire, ConnectError>;
}

/// An open byte stream in both directions.
pub struct Wire {
    /// What comes in.
    pub reader: Box<dyn WireReader>,
    /// What goes out.
    pub writer: Box<dyn WireWriter>,
}

impl Wire {
    /// A stream over anything tokio reads and writes, such as [`tokio::io::DuplexStream`].
    pub fn from_stream(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self { reader: Box::new(StreamReader(reader)), writer: Box::new(StreamWriter(writer)) }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

/// The incoming direction.
#[async_trait]
pub trait WireReader: Send {
    /// The next bytes, or nothing at the end. May be dropped and called again without loss.
    ///
    /// # Errors
    /// The stream's own; it is not used again after one.
    async fn read(&mut self) -> io::Result<Option<Bytes>>;
}

/// The outgoing direction.
#[async_trait]
pub trait WireWriter: Send {
    /// Hands all the bytes to the network.
    ///
    /// # Errors
    /// The stream's own; it is not used again after one.
    async fn write(&mut self, bytes: Bytes) -> io::Result<()>;

    /// The same of several frames, one behind the other.
    ///
    /// # Errors
    /// As [`WireWriter::write`].
    async fn write_all(&mut self, frames: Vec<Bytes>) -> io::Result<()> {
        for frame in frames {
            self.write(frame).await?;
        }
        Ok(())
    }

    /// Says goodbye, if the stream has a way to.
    async fn close(&mut self);
}

/// No stream could be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL is not one this connector can open.
    #[error("not a server address: {0}")]
    Address(&'static str),
    /// The server answered the WebSocket request with another status than 101.
    #[error("the server answered with HTTP status {0}")]
    HttpStatus(u16),
    /// Name, route, TLS, or the WebSocket handshake failed.
    #[error("the server cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

struct StreamReader<S>(ReadHalf<S>);

#[async_trait]
impl<S: AsyncRead + Send> WireReader for StreamReader<S> {
    async fn read(&mut self) -> io::Result<Option<Bytes>> {
        let mut chunk = BytesMut::with_capacity(CHUNK_LEN);
        let read = self.0.read_buf(&mut chunk).await?;
        Ok((read > 0).then(|| chunk.freeze()))
    }
}

struct StreamWriter<S>(WriteHalf<S>);

#[async_trait]
impl<S: AsyncWrite + Send> WireWriter for StreamWriter<S> {
    async fn write(&mut self, bytes: Bytes) -> io::Result<()> {
        self.0.write_all(&bytes).await?;
        self.0.flush().await
    }

    async fn write_all(&mut self, frames: Vec<Bytes>) -> io::Result<()> {
        self.0.write_all(&frames.concat()).await?;
        self.0.flush().await
    }

    async fn close(&mut self) {
        // The other side may be gone already.
        let _ = self.0.shutdown().await;
    }
}

/// How much is read from a stream at a time.
const CHUNK_LEN: usize = 16 * 1024;
