//! The media hosts of a simulation, reached in the process.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use wa_client::media::{MediaMethod, MediaRequest, MediaResponse, MediaTransport, TransportError};
use wa_sim::Sim;

/// Talks to the media hosts of a simulation. No piece is ever larger than [`PIECE`], either way.
#[derive(Clone)]
pub struct MediaLine {
    sim: Sim,
}

/// The size of the pieces in which answers come, and the most that may go up in one piece.
pub const PIECE: usize = 64 * 1024;

impl MediaLine {
    pub fn new(sim: &Sim) -> Arc<Self> {
        Arc::new(Self { sim: sim.clone() })
    }
}

impl std::fmt::Debug for MediaLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MediaLine")
    }
}

#[async_trait]
impl MediaTransport for MediaLine {
    async fn exchange(&self, request: MediaRequest) -> Result<MediaResponse, TransportError> {
        let method = match request.method {
            MediaMethod::Post => wa_sim::MediaMethod::Post,
            MediaMethod::Delete => wa_sim::MediaMethod::Delete,
            _ => wa_sim::MediaMethod::Get,
        };
        let mut asked = wa_sim::MediaRequest::new(method, request.host, request.target);
        if let Some(mut body) = request.body {
            let mut read = Vec::new();
            while let Some(piece) = body.pieces.next().await {
                let piece = piece.map_err(TransportError::new)?;
                assert!(piece.len() <= PIECE, "{} bytes in one piece", piece.len());
                read.extend_from_slice(&piece);
            }
            assert_eq!(read.len() as u64, body.length);
            asked.body = read.into();
        }
        let reply = self.sim.media_exchange(asked).await;
        let reply = reply.ok_or_else(|| TransportError::new("the connection broke off"))?;
        let mut pieces: Vec<Result<Bytes, TransportError>> = Vec::new();
        for start in (0..reply.body.len()).step_by(PIECE) {
            let end = reply.body.len().min(start + PIECE);
            pieces.push(Ok(reply.body.slice(start..end)));
        }
        if reply.length.is_some_and(|length| length > reply.body.len() as u64) {
            pieces.push(Err(TransportError::new("the connection broke off")));
        }
        let wait = reply.retry_after.map(std::time::Duration::from_secs);
        let pieces = stream::iter(pieces).boxed();
        Ok(MediaResponse::new(reply.status, reply.length, pieces).retry_after(wait))
    }
}
