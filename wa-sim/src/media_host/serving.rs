//! The media host on a port: HTTPS on loopback, and what HTTP makes of requests and answers. Knows
//! nothing of blobs.

use std::{
    io,
    net::{IpAddr, TcpListener},
    sync::Arc,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use axum_server::tls_rustls::RustlsConfig;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{MAX_BLOB, MediaMethod, MediaReply, MediaRequest};
use crate::Sim;

/// The host's certificate could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The certificate itself.
    #[error("the certificate could not be signed")]
    Sign(#[from] rcgen::Error),
    /// The TLS set-up that uses it.
    #[error("the certificate could not be used")]
    Use(#[from] rustls::Error),
}

pub(crate) struct HostCertificate {
    pub(crate) authority_pem: String,
    config: rustls::ServerConfig,
}

/// Makes a certificate authority and, signed by it, the host's certificate. Their keys are the
/// one thing that does not come from the seed.
pub(crate) fn certificate(host: IpAddr) -> Result<HostCertificate, CertificateError> {
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.distinguished_name.push(rcgen::DnType::CommonName, "wa-sim media authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_pem = authority.self_signed(&authority_key)?.pem();
    let issuer = Issuer::new(authority, authority_key);
    let host_key = KeyPair::generate()?;
    let host = CertificateParams::new(vec![host.to_string(), "localhost".to_owned()])?
        .signed_by(&host_key, &issuer)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(host_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![host.der().clone()], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(HostCertificate { authority_pem, config })
}

pub(crate) fn serve(
    listener: TcpListener,
    certificate: HostCertificate,
    router: Router,
) -> io::Result<impl Future<Output = ()> + Send + use<>> {
    let config = RustlsConfig::from_config(Arc::new(certificate.config));
    let server = axum_server::from_tcp_rustls(listener, config)?;
    Ok(async move {
        if let Err(error) = server.serve(router.into_make_service()).await {
            tracing::error!(%error, "the media host stopped");
        }
    })
}

pub(crate) fn router(sim: Sim) -> Router {
    Router::new().fallback(exchange).with_state(sim)
}

async fn exchange(State(sim): State<Sim>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let method = match head.method {
        Method::GET => MediaMethod::Get,
        Method::POST => MediaMethod::Post,
        Method::DELETE => MediaMethod::Delete,
        _ => return StatusCode::METHOD_NOT_ALLOWED.into_response(),
    };
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut asked = MediaRequest::new(method, text(header::HOST).unwrap_or_default(), target);
    asked.range = text(header::RANGE).map(str::to_owned);
    let Some((body, whole)) = read_body(body).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    (asked.body, asked.whole) = (body, whole);
    match sim.media_exchange(asked).await {
        Some(reply) => answer(reply),
        // The connection breaks off.
        None => Response::new(broken_body(Bytes::new())),
    }
}

/// What comes, also where it breaks off; `None` where it is too much.
async fn read_body(body: Body) -> Option<(Bytes, bool)> {
    let mut pieces = body.into_data_stream();
    let mut read = Vec::new();
    while let Some(piece) = pieces.next().await {
        let Ok(piece) = piece else { return Some((read.into(), false)) };
        if read.len() + piece.len() > MAX_BLOB {
            return None;
        }
        read.extend_from_slice(&piece);
    }
    Some((read.into(), true))
}

fn answer(reply: MediaReply) -> Response {
    let mut builder = Response::builder().status(reply.status);
    if let Some(seconds) = reply.retry_after {
        builder = builder.header(header::RETRY_AFTER, seconds);
    }
    if let Some(range) = &reply.content_range {
        builder = builder.header(header::CONTENT_RANGE, range);
    }
    // A body that is shorter than it was said to be breaks off.
    let body = match reply.length {
        Some(length) if length > reply.body.len() as u64 => {
            builder = builder.header(header::CONTENT_LENGTH, length);
            broken_body(reply.body)
        }
        _ => Body::from(reply.body),
    };
    builder.body(body).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn broken_body(first: Bytes) -> Body {
    let end = Err(io::Error::from(io::ErrorKind::ConnectionReset));
    Body::from_stream(stream::iter([Ok(first), end]))
}
