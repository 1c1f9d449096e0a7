//! A line to a simulation that is far away: everything takes a while, however much it is.

#![allow(unreachable_pub, clippy::allow_attributes, reason = "as the other helpers")]

use std::time::Duration;

use async_trait::async_trait;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::mpsc,
    time::{Instant, sleep_until},
};
use wa_client::{ConnectError, ConnectTarget, Connector, Wire};
use wa_sim::Sim;

pub struct LateLine {
    sim: Sim,
    one_way: Duration,
}

impl LateLine {
    pub fn new(sim: &Sim, one_way: Duration) -> Self {
        Self { sim: sim.clone(), one_way }
    }
}

impl std::fmt::Debug for LateLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LateLine")
    }
}

#[async_trait]
impl Connector for LateLine {
    async fn connect(&self, _: &ConnectTarget) -> Result<Wire, ConnectError> {
        let (from_server, to_server) = tokio::io::split(self.sim.connect());
        let (near, far) = tokio::io::duplex(1 << 20);
        let (from_client, to_client) = tokio::io::split(far);
        carry(from_server, to_client, self.one_way);
        carry(from_client, to_server, self.one_way);
        Ok(Wire::from_stream(near))
    }
}

/// Hands on what comes, each piece so much later.
fn carry(
    mut from: impl AsyncRead + Send + Unpin + 'static,
    mut to: impl AsyncWrite + Send + Unpin + 'static,
    late_by: Duration,
) {
    let (sender, mut pieces) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut piece = vec![0; 1 << 16];
        while let Ok(read @ 1..) = from.read(&mut piece).await {
            let due = Instant::now() + late_by;
            let read = piece.iter().take(read).copied().collect::<Vec<u8>>();
            if sender.send((due, read)).is_err() {
                break;
            }
        }
    });
    tokio::spawn(async move {
        while let Some((due, piece)) = pieces.recv().await {
            sleep_until(due).await;
            if to.write_all(&piece).await.is_err() {
                break;
            }
        }
        let _ = to.shutdown().await;
    });
}
