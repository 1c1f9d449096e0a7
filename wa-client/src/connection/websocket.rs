//! The connector for real servers: a WebSocket over TLS.
//!
//! Owns TLS and the WebSocket's limits. Plain `ws://` is for loopback servers and refused for
//! all others, because the Noise layer would still hide the content but not who connects.

use std::{io, net::IpAddr, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, stream};
use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        http::{HeaderValue, Uri},
        protocol::WebSocketConfig,
    },
};

use super::connector::{ConnectError, ConnectTarget, Connector, Wire, WireReader, WireWriter};

/// Opens WebSockets: `wss://` with the web's certificate authorities, `ws://` to loopback only.
#[derive(Debug, Clone, Default)]
pub struct WebSocketConnector {
    _private: (),
}

impl WebSocketConnector {
    /// A connector with the web's certificate authorities.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Connector for WebSocketConnector {
    async fn connect(&self, target: &ConnectTarget) -> Result<Wire, ConnectError> {
        let mut request = target
            .url
            .as_str()
            .into_client_request()
            .map_err(|_| ConnectError::Address("it is no WebSocket URL"))?;
        check_scheme(request.uri())?;
        request.headers_mut().insert("Origin", HeaderValue::from_static(ORIGIN));
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE_LEN))
            .max_frame_size(Some(MAX_MESSAGE_LEN));
        let tls = tls_config().map_err(|error| ConnectError::Unreachable(error.into()))?;
        let tls = tokio_tungstenite::Connector::Rustls(Arc::new(tls));
        let (socket, _) = connect_async_tls_with_config(request, Some(limits), true, Some(tls))
            .await
            .map_err(|error| match error {
                tungstenite::Error::Http(response) => {
                    ConnectError::HttpStatus(response.status().as_u16())
                }
                tungstenite::Error::Url(_) => ConnectError::Address("it is no WebSocket URL"),
                other => ConnectError::Unreachable(other.into()),
            })?;
        let (sink, stream) = socket.split();
        Ok(Wire { reader: Box::new(SocketReader(stream)), writer: Box::new(SocketWriter(sink)) })
    }
}

/// TLS with the web's certificate authorities, for everything this crate connects to.
pub(crate) fn tls_config() -> Result<ClientConfig, rustls::Error> {
    tls_config_with(Vec::new())
}

/// TLS with the web's certificate authorities and these.
pub(crate) fn tls_config_with(
    extra: Vec<CertificateDer<'static>>,
) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in extra {
        roots.add(certificate)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn check_scheme(uri: &Uri) -> Result<(), ConnectError> {
    match (uri.scheme_str(), uri.host()) {
        (Some("wss"), Some(_)) => Ok(()),
        (Some("ws"), Some(host)) if is_loopback(host) => Ok(()),
        (Some("ws"), Some(_)) => {
            Err(ConnectError::Address("without TLS (ws://) only loopback servers are allowed"))
        }
        _ => Err(ConnectError::Address("it must begin with wss:// and name a host")),
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

struct SocketReader(stream::SplitStream<Socket>);

#[async_trait]
impl WireReader for SocketReader {
    async fn read(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            match self.0.next().await {
                None | Some(Ok(Message::Close(_))) => return Ok(None),
                Some(Ok(Message::Binary(bytes))) => return Ok(Some(bytes)),
                Some(Ok(Message::Text(_))) => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "text, not bytes"));
                }
                // Pings are answered by the library.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(io::Error::other(error)),
            }
        }
    }
}

struct SocketWriter(stream::SplitSink<Socket, Message>);

#[async_trait]
impl WireWriter for SocketWriter {
    async fn write(&mut self, bytes: Bytes) -> io::Result<()> {
        self.0.send(Message::Binary(bytes)).await.map_err(io::Error::other)
    }

    async fn write_all(&mut self, frames: Vec<Bytes>) -> io::Result<()> {
        for frame in frames {
            self.0.feed(Message::Binary(frame)).await.map_err(io::Error::other)?;
        }
        self.0.flush().await.map_err(io::Error::other)
    }

    async fn close(&mut self) {
        // The other side may be gone already.
        let _ = self.0.close().await;
    }
}

/// The origin WhatsApp Web has.
const ORIGIN: &str = "https://web.whatsapp.com";
/// One protocol frame of the greatest length, and some: a WebSocket message may hold several.
const MAX_MESSAGE_LEN: usize = 32 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_websockets_go_to_loopback_only() {
        for (url, allowed) in [
            ("wss://web.whatsapp.com/ws/chat", true),
            ("ws://127.0.0.1:9000/ws/chat", true),
            ("ws://[::1]:9000/", true),
            ("ws://localhost/", true),
            ("ws://web.whatsapp.com/ws/chat", false),
            ("ws://127.0.0.1.example.com/", false),
            ("http://127.0.0.1/", false),
        ] {
            let uri = url.parse().unwrap();
            assert_eq!(check_scheme(&uri).is_ok(), allowed, "{url}");
        }
    }
}
