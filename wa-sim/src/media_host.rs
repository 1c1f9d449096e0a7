//! The media host: HTTPS on loopback that takes encrypted blobs and gives them back. Knows nothing
//! of what is in them, nor of who may have them.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use axum_server::tls_rustls::RustlsConfig;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;

/// The largest blob, in bytes.
pub(crate) const MAX_BLOB: usize = 100 << 20;

/// The most that all blobs together may take, in bytes.
pub(crate) const MAX_TOTAL: usize = 512 << 20;

/// The blobs, by their path on the host.
#[derive(Debug, Clone, Default)]
pub(crate) struct Media {
    blobs: Arc<Mutex<Blobs>>,
}

#[derive(Debug, Default)]
struct Blobs {
    by_path: BTreeMap<String, Bytes>,
    total: usize,
}

/// All blobs together have no room for one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the media host is full")]
pub(crate) struct MediaFull;

impl Media {
    /// Keeps a blob and answers its direct path.
    pub(crate) fn put(&self, kind: &str, token: &str, blob: Bytes) -> Result<String, MediaFull> {
        let path = format!("/v/{kind}/{token}");
        let mut blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        let replaced = blobs.by_path.get(&path).map_or(0, Bytes::len);
        let total = blobs.total - replaced + blob.len();
        if total > MAX_TOTAL {
            return Err(MediaFull);
        }
        blobs.total = total;
        blobs.by_path.insert(path.clone(), blob);
        Ok(path)
    }

    fn take(&self, path: &str) -> Option<Bytes> {
        let blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        blobs.by_path.get(path).cloned()
    }
}

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

pub(crate) fn router(media: Media, address: SocketAddr) -> Router {
    Router::new()
        .route("/mms/{kind}/{token}", post(upload))
        .route("/v/{kind}/{token}", get(download))
        .layer(DefaultBodyLimit::max(MAX_BLOB))
        .with_state((media, address))
}

type Host = State<(Media, SocketAddr)>;

/// `POST /mms/<kind>/<token>?auth=…` → `{url, direct_path}`; with `resume=1` it is the question
/// how much is there already.
async fn upload(
    State((media, address)): Host,
    Path((kind, token)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let query = query.unwrap_or_default();
    if query.split('&').any(|parameter| parameter == "resume=1") && body.is_empty() {
        return Json(json!({ "resume": 0 })).into_response();
    }
    match media.put(&kind, token.trim_end_matches('='), body) {
        Ok(path) => {
            let url = format!("https://{address}{path}");
            Json(json!({ "url": url, "direct_path": path })).into_response()
        }
        Err(error) => {
            let error = json!({ "error": error.to_string() });
            (StatusCode::INSUFFICIENT_STORAGE, Json(error)).into_response()
        }
    }
}

/// `GET direct_path`, whole or one range of it.
async fn download(
    State((media, _)): Host,
    Path((kind, token)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let path = format!("/v/{kind}/{}", token.trim_end_matches('='));
    let Some(blob) = media.take(&path) else { return StatusCode::NOT_FOUND.into_response() };
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    match range.map(|range| byte_range(range, blob.len())) {
        None => blob.into_response(),
        Some(Some((start, end))) => {
            let content_range = format!("bytes {start}-{}/{}", end - 1, blob.len());
            let headers = [(header::CONTENT_RANGE, content_range)];
            (StatusCode::PARTIAL_CONTENT, headers, blob.slice(start..end)).into_response()
        }
        Some(None) => StatusCode::RANGE_NOT_SATISFIABLE.into_response(),
    }
}

/// `bytes=a-` or `bytes=a-b` as a half-open range that is not empty.
fn byte_range(range: &str, len: usize) -> Option<(usize, usize)> {
    let (start, end) = range.strip_prefix("bytes=")?.split_once('-')?;
    let start: usize = start.parse().ok()?;
    let last = if end.is_empty() { len.checked_sub(1)? } else { end.parse().ok()? };
    let end = last.min(len.checked_sub(1)?) + 1;
    (start < end).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_blob() {
        assert_eq!(byte_range("bytes=2-", 10), Some((2, 10)));
        assert_eq!(byte_range("bytes=0-3", 10), Some((0, 4)));
        assert_eq!(byte_range("bytes=5-99", 10), Some((5, 10)));
        for range in ["bytes=10-", "bytes=4-3", "items=0-1", "bytes=-5", "bytes=0-"] {
            let len = if range == "bytes=0-" { 0 } else { 10 };
            assert_eq!(byte_range(range, len), None, "{range}");
        }
    }

    #[test]
    fn blobs_are_given_back_and_bounded_in_total() {
        let media = Media::default();
        let path = media.put("image", "token", Bytes::from_static(b"blob")).unwrap();
        assert_eq!(media.take(&path), Some(Bytes::from_static(b"blob")));
        assert_eq!(media.take("/v/image/other"), None);
        let large = Bytes::from(vec![0; MAX_TOTAL]);
        assert_eq!(media.put("image", "large", large), Err(MediaFull));
    }
}
