//! Which server to talk to: WhatsApp's, or the one the environment points at.

use wa_client::ClientBuilder;
use wa_crypto::PublicKey;

use crate::failure::{Cause, Failure};

/// What the environment says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Server {
    url: Option<String>,
    noise_root: Option<PublicKey>,
}

impl Server {
    /// Reads `WA_SERVER_URL` and `WA_NOISE_ROOT`.
    pub(crate) fn from_process() -> Result<Self, Failure> {
        let read = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        Self::new(read("WA_SERVER_URL"), read("WA_NOISE_ROOT").as_deref())
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
        Ok(Self { url, noise_root })
    }

    /// Points a client there. A server of one's own is no reason to ask WhatsApp's page for the
    /// current version.
    pub(crate) fn apply(&self, mut builder: ClientBuilder) -> ClientBuilder {
        if let Some(url) = &self.url {
            builder = builder.server(url.clone()).version_source(None);
        }
        if let Some(root) = self.noise_root {
            builder = builder.noise_root(root);
        }
        builder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_websocket_and_its_root_a_key() {
        assert_eq!(Server::new(None, None), Ok(Server::default()));
        let own = Server::new(Some("ws://127.0.0.1:9/ws".into()), Some(&"09".repeat(32))).unwrap();
        assert!(own.noise_root.is_some());
        for (url, root) in [(Some("http://127.0.0.1"), None), (None, Some("09")), (None, Some("x"))]
        {
            let failure = Server::new(url.map(str::to_owned), root).unwrap_err();
            assert_eq!(failure.cause, Cause::Usage);
        }
    }
}
