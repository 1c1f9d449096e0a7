//! A simulation on ports of this machine: the WebSocket, the control API and the media host.
//! Loopback only. Knows nothing of what is said there.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_tungstenite::{
    WebSocketStream, accept_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};
use wa_crypto::PublicKey;

use crate::{Sim, connection, control, media_host};

/// The longest WebSocket message that is taken from a client.
const MAX_WS_MESSAGE: usize = 1 << 23;

/// The most bytes that go to a client in one WebSocket message.
const WS_CHUNK: usize = 1 << 14;

/// A simulation could not be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address is not one of this machine alone.
    #[error("{0} is not a loopback address; a simulation is for this machine alone")]
    NotLoopback(IpAddr),
    /// A port could not be had.
    #[error("no port to listen on")]
    Listen(#[source] io::Error),
    /// The media host has no certificate.
    #[error("the media host's certificate could not be made")]
    Certificate(#[from] media_host::CertificateError),
}

/// A simulation that is being served, until this is dropped.
#[derive(Debug)]
#[non_exhaustive]
pub struct Serving {
    /// Where clients connect: `ws://127.0.0.1:PORT/ws/chat`.
    pub ws_url: String,
    /// The control API: `http://127.0.0.1:PORT`.
    pub control_url: String,
    /// The media host: `https://127.0.0.1:PORT`.
    pub media_url: String,
    /// The certificate authority of the media host, in PEM.
    pub media_ca: String,
    /// The root key that clients pin.
    pub noise_root: PublicKey,
    tasks: JoinSet<()>,
}

impl Serving {
    /// Stops listening and closes what is open.
    pub async fn shutdown(mut self) {
        self.tasks.shutdown().await;
    }
}

impl Sim {
    /// Serves the simulation: clients on `address`, control API and media host on free ports of
    /// the same address.
    ///
    /// # Errors
    /// [`ServeError`] if the address is not loopback or a port cannot be had.
    pub async fn serve(&self, address: SocketAddr) -> Result<Serving, ServeError> {
        if !address.ip().is_loopback() {
            return Err(ServeError::NotLoopback(address.ip()));
        }
        let any_port = SocketAddr::new(address.ip(), 0);
        let clients = TcpListener::bind(address).await.map_err(ServeError::Listen)?;
        let control = TcpListener::bind(any_port).await.map_err(ServeError::Listen)?;
        let media = std::net::TcpListener::bind(any_port).map_err(ServeError::Listen)?;
        let port = |address: io::Result<SocketAddr>| address.map_err(ServeError::Listen);
        let ws_url = format!("ws://{}/ws/chat", port(clients.local_addr())?);
        let control_url = format!("http://{}", port(control.local_addr())?);
        let media_address = port(media.local_addr())?;

        let mut tasks = JoinSet::new();
        let certificate = media_host::serving::certificate(address.ip())?;
        let media_ca = certificate.authority_pem.clone();
        let router = media_host::serving::router(self.clone());
        let serving =
            media_host::serving::serve(media, certificate, router).map_err(ServeError::Listen)?;
        tasks.spawn(serving);
        self.media().serve_at(media_address);
        tasks.spawn(accept_clients(self.clone(), clients));
        let router = control::router(self.clone());
        tasks.spawn(async move {
            if let Err(error) = axum::serve(control, router).await {
                tracing::error!(%error, "the control API stopped");
            }
        });
        Ok(Serving {
            ws_url,
            control_url,
            media_url: format!("https://{media_address}"),
            media_ca,
            noise_root: self.noise_root(),
            tasks,
        })
    }
}

async fn accept_clients(sim: Sim, listener: TcpListener) {
    let mut clients = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Some(incoming) = sim.accept() {
                    let (near, far) = tokio::io::duplex(1 << 16);
                    let serving = connection::serve(sim.clone(), incoming, far);
                    clients.spawn(async move {
                        tokio::join!(serving, carry(stream, near));
                    });
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a client could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
        while clients.try_join_next().is_some() {}
    }
}

/// Carries bytes between a WebSocket's binary messages and a connection, until either ends.
async fn carry(stream: TcpStream, near: DuplexStream) {
    let config = WebSocketConfig::default().max_message_size(Some(MAX_WS_MESSAGE));
    match accept_async_with_config(stream, Some(config)).await {
        Ok(socket) => {
            if let Err(error) = carry_open(socket, near).await {
                tracing::debug!(%error, "a WebSocket ended");
            }
        }
        Err(error) => tracing::debug!(%error, "no WebSocket"),
    }
}

async fn carry_open(
    socket: WebSocketStream<TcpStream>,
    near: DuplexStream,
) -> Result<(), tokio_tungstenite::tungstenite::Error> {
    let (mut to_client, mut from_client) = socket.split();
    let (mut from_server, mut to_server) = tokio::io::split(near);
    let inward = async {
        while let Some(message) = from_client.next().await {
            match message? {
                Message::Binary(bytes) => to_server.write_all(&bytes).await?,
                Message::Ping(_) | Message::Pong(_) => {}
                // Binary messages only.
                _ => break,
            }
        }
        Ok(())
    };
    let outward = async {
        let mut chunk = vec![0; WS_CHUNK];
        loop {
            let read = from_server.read(&mut chunk).await?;
            let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else {
                return to_client.close().await;
            };
            to_client.send(Message::binary(bytes.to_vec())).await?;
        }
    };
    tokio::select! {
        ended = inward => ended,
        ended = outward => ended,
    }
}
