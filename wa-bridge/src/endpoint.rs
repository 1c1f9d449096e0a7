//! Which server to talk to: WhatsApp's, or the one the environment points at.

use std::path::Path;

use wa_client::ClientBuilder;
use wa_crypto::PublicKey;

use crate::{
    failure::{Cause, Failure},
    regular_file,
};

/// What the environment says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoint {
    url: Option<String>,
    noise_root: Option<PublicKey>,
    /// Who signs the media hosts' certificates, in PEM.
    media_ca: Option<String>,
}

impl Endpoint {
    /// Reads `WA_SERVER_URL`, `WA_NOISE_ROOT` and `WA_MEDIA_CA`: the certificate authority itself,
    /// in PEM, or the name of a file that holds it.
    pub fn from_process() -> Result<Self, Failure> {
        let read = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        let media_ca = read("WA_MEDIA_CA").map(media_authority).transpose()?;
        let endpoint = Self::new(read("WA_SERVER_URL"), read("WA_NOISE_ROOT").as_deref())?;
        Ok(Self { media_ca, ..endpoint })
    }

    /// A server at an address, with its Noise root and who signs its media hosts, in PEM.
    pub fn at(url: impl Into<String>, noise_root: PublicKey, media_ca: impl Into<String>) -> Self {
        Self {
            url: Some(url.into()),
            noise_root: Some(noise_root),
            media_ca: Some(media_ca.into()),
        }
    }

    fn new(url: Option<String>, noise_root: Option<&str>) -> Result<Self, Failure> {
        let wrong = |what: &str| Failure::new(Cause::Usage, what);
        if url.as_ref().is_some_and(|url| !url.starts_with("ws://") && !url.starts_with("wss://")) {
            return Err(wrong("WA_SERVER_URL is no WebSocket address")
                .remedy("write ws://127.0.0.1:PORT/PATH, or unset it for WhatsApp's own server"));
        }
        let noise_root = match noise_root.map(|text| hex::decode(text.trim())) {
            None => None,
            Some(Ok(bytes)) if bytes.len() == 32 => PublicKey::from_slice(&bytes).ok(),
            Some(_) => {
                return Err(wrong("WA_NOISE_ROOT is no public key")
                    .remedy("write 64 hexadecimal digits, or unset it"));
            }
        };
        Ok(Self { url, noise_root, media_ca: None })
    }

    /// Points a client there. A server of one's own is no reason to ask WhatsApp's page for the
    /// current version.
    pub fn apply(&self, mut builder: ClientBuilder) -> ClientBuilder {
        if let Some(url) = &self.url {
            builder = builder.server(url.clone()).version_source(None);
        }
        if let Some(root) = self.noise_root {
            builder = builder.noise_root(root);
        }
        if let Some(pem) = &self.media_ca {
            builder = builder.media_ca_pem(pem.clone());
        }
        builder
    }
}

/// No file of certificates is longer, in bytes.
const MAX_AUTHORITY: u64 = 1 << 20;

/// What `WA_MEDIA_CA` says, or what is in the file it names.
fn media_authority(value: String) -> Result<String, Failure> {
    const BEGINNING: &str = "-----BEGIN CERTIFICATE-----";
    if value.contains(BEGINNING) {
        return Ok(value);
    }
    let file = regular_file::open(Path::new(&value));
    let pem = file.and_then(|file| regular_file::read_text(&file, MAX_AUTHORITY)).ok();
    pem.map(|pem| pem.to_string()).filter(|pem| pem.contains(BEGINNING)).ok_or_else(|| {
        Failure::new(Cause::Usage, "WA_MEDIA_CA is no certificate")
            .remedy("write a certificate in PEM form or the name of its file, or unset it")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_websocket_and_its_root_a_key() {
        assert_eq!(Endpoint::new(None, None), Ok(Endpoint::default()));
        let own =
            Endpoint::new(Some("ws://127.0.0.1:9/ws".into()), Some(&"09".repeat(32))).unwrap();
        assert!(own.noise_root.is_some());
        for (url, root) in [(Some("http://127.0.0.1"), None), (None, Some("09")), (None, Some("x"))]
        {
            let failure = Endpoint::new(url.map(str::to_owned), root).unwrap_err();
            assert_eq!(failure.cause, Cause::Usage);
        }
    }

    #[test]
    fn the_authority_of_the_media_hosts_is_a_certificate_or_a_file_with_one() {
        let pem = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        assert_eq!(media_authority(pem.to_owned()).unwrap(), pem);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ca.pem");
        std::fs::write(&file, pem).unwrap();
        assert_eq!(media_authority(file.to_str().unwrap().to_owned()).unwrap(), pem);
        for wrong in ["nothing", "/nonexistent/ca.pem"] {
            assert_eq!(media_authority(wrong.to_owned()).unwrap_err().cause, Cause::Usage);
        }
    }
}
