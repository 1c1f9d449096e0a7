//! Exchanges with media hosts over HTTPS.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _};
use reqwest::{Body, header};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use super::transport::{MediaMethod, MediaRequest, MediaResponse, MediaTransport, TransportError};
use crate::connection::tls_config_with;

/// Talks HTTPS, with the web's certificate authorities and perhaps others.
#[derive(Debug, Clone)]
pub struct HttpsTransport {
    client: reqwest::Client,
}

/// An [`HttpsTransport`] could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpsError {
    /// The extra certificates are none.
    #[error("not a certificate in PEM form")]
    Certificate,
    /// TLS could not be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl HttpsTransport {
    /// Trusts the web's authorities, and these certificates (PEM) besides.
    ///
    /// # Errors
    /// [`HttpsError`].
    pub fn new(extra_ca: Option<&[u8]>) -> Result<Self, HttpsError> {
        let extra = match extra_ca {
            None => Vec::new(),
            Some(pem) => CertificateDer::pem_slice_iter(pem)
                .collect::<Result<Vec<_>, _>>()
                .ok()
                .filter(|certificates| !certificates.is_empty())
                .ok_or(HttpsError::Certificate)?,
        };
        let tls = tls_config_with(extra).map_err(|error| HttpsError::Tls(error.into()))?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| HttpsError::Tls(error.into()))?;
        Ok(Self { client })
    }
}

#[async_trait]
impl MediaTransport for HttpsTransport {
    async fn exchange(&self, request: MediaRequest) -> Result<MediaResponse, TransportError> {
        let MediaRequest { method, host, target, body } = request;
        let method = match method {
            MediaMethod::Get => reqwest::Method::GET,
            MediaMethod::Post => reqwest::Method::POST,
            MediaMethod::Delete => reqwest::Method::DELETE,
        };
        let mut builder = self
            .client
            .request(method, format!("https://{host}{target}"))
            .header(header::ORIGIN, ORIGIN)
            .header(header::REFERER, REFERER);
        if let Some(body) = body {
            builder = builder
                .header(header::CONTENT_LENGTH, body.length)
                .header(header::CONTENT_TYPE, "application/octet-stream")
                .body(Body::wrap_stream(body.pieces));
        }
        let response = builder.send().await.map_err(broken)?;
        let retry_after = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let (status, length) = (response.status().as_u16(), response.content_length());
        let pieces = response.bytes_stream().map_err(broken).boxed();
        Ok(MediaResponse::new(status, length, pieces).retry_after(retry_after))
    }
}

/// The address holds a token and is left out.
fn broken(error: reqwest::Error) -> TransportError {
    TransportError::new(error.without_url())
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// The hosts serve WhatsApp Web.
const ORIGIN: &str = "https://web.whatsapp.com";
const REFERER: &str = "https://web.whatsapp.com/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused() {
        assert!(HttpsTransport::new(None).is_ok());
        for wrong in [&b""[..], b"nothing", b"-----BEGIN CERTIFICATE-----\n!\n"] {
            let refused = HttpsTransport::new(Some(wrong));
            assert!(matches!(refused, Err(HttpsError::Certificate)), "{wrong:?}");
        }
    }
}
