//! Which media hosts there are, and the token for them.
//!
//! Owns the one answer that everybody shares, until it is too old or a host no longer takes its
//! token. Knows nothing of what is asked of the hosts.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use wa_proto::request::{MediaConn, MediaConnAnswer};

use super::MediaError;
use crate::inner::Inner;

/// The hosts as the server told them.
#[derive(Default)]
pub(crate) struct MediaHosts {
    current: tokio::sync::Mutex<Option<Arc<Grant>>>,
}

/// One answer of the server: hosts, and the right to use them.
pub(super) struct Grant {
    /// The token. It is a secret.
    pub(super) auth: String,
    /// The names, best first; never empty.
    pub(super) hosts: Vec<String>,
    expires: Instant,
}

impl MediaHosts {
    /// The hosts, asked for if nobody knows them or what is known is too old.
    ///
    /// # Errors
    /// [`MediaError::Request`]; [`MediaError::Answer`] if the server names no host.
    pub(super) async fn grant(&self, inner: &Inner) -> Result<Arc<Grant>, MediaError> {
        let mut current = self.current.lock().await;
        match &*current {
            Some(grant) if grant.expires > Instant::now() => Ok(Arc::clone(grant)),
            _ => Ok(Arc::clone(current.insert(ask(inner).await?))),
        }
    }

    /// The hosts under another token than this one, which a host refused.
    ///
    /// # Errors
    /// As [`MediaHosts::grant`].
    pub(super) async fn renew(
        &self,
        inner: &Inner,
        refused: &Arc<Grant>,
    ) -> Result<Arc<Grant>, MediaError> {
        let mut current = self.current.lock().await;
        match &*current {
            // Somebody else was refused as well, and asked already.
            Some(grant) if !Arc::ptr_eq(grant, refused) => Ok(Arc::clone(grant)),
            _ => Ok(Arc::clone(current.insert(ask(inner).await?))),
        }
    }
}

async fn ask(inner: &Inner) -> Result<Arc<Grant>, MediaError> {
    let asked = Instant::now();
    let answer = inner.request(&MediaConn).await?;
    let hosts = host_names(&answer);
    if hosts.is_empty() {
        return Err(MediaError::Answer);
    }
    let ttl = Duration::from_secs(answer.ttl.min(answer.auth_ttl)).min(MAX_TTL);
    Ok(Arc::new(Grant { auth: answer.auth, hosts, expires: asked + ttl }))
}

/// The names in the order in which they are tried: first choices, second choices, and the names
/// that stand in for them.
fn host_names(answer: &MediaConnAnswer) -> Vec<String> {
    let (second, first): (Vec<_>, Vec<_>) = answer.hosts.iter().partition(|host| host.is_fallback);
    let named = first.iter().chain(&second).map(|host| &host.hostname);
    let stand_ins = answer.hosts.iter().filter_map(|host| host.fallback_hostname.as_ref());
    let mut names: Vec<String> = Vec::new();
    for name in named.chain(stand_ins) {
        if is_host(name) && !names.contains(name) && names.len() < MAX_HOSTS {
            names.push(name.clone());
        }
    }
    names
}

/// Whether a name is a host and perhaps a port, and nothing that would lead a URL elsewhere.
fn is_host(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
    !name.is_empty() && name.len() <= MAX_HOST_LEN && name.bytes().all(allowed)
}

impl std::fmt::Debug for MediaHosts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediaHosts").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grant").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

/// The longest that an answer is believed.
const MAX_TTL: Duration = Duration::from_secs(24 * 3600);
/// How many hosts are remembered.
const MAX_HOSTS: usize = 8;
/// The longest name of a host, by RFC 1035, with a port.
const MAX_HOST_LEN: usize = 260;

#[cfg(test)]
mod tests {
    use wa_proto::{Node, Request as _};

    use super::*;

    fn answer(hosts: &[(&str, Option<&str>, bool)]) -> MediaConnAnswer {
        let mut node = Node::new("media_conn").attr("auth", "secret").attr("ttl", "300");
        for (name, stand_in, fallback) in hosts {
            let host = Node::new("host")
                .attr("hostname", (*name).to_owned())
                .attr_opt("fallback_hostname", stand_in.map(str::to_owned))
                .attr_opt("type", fallback.then_some("fallback"));
            node = node.child(host);
        }
        MediaConn.parse(&Node::new("iq").child(node)).unwrap()
    }

    #[test]
    fn second_choices_come_behind_first_ones_and_stand_ins_last() {
        let hosts = [
            ("fallback.example", None, true),
            ("a.example", Some("z.example"), false),
            ("b.example:8443", Some("a.example"), false),
        ];
        let names = host_names(&answer(&hosts));
        assert_eq!(names, ["a.example", "b.example:8443", "fallback.example", "z.example"]);
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_no_host() {
        for wrong in ["", "evil.example/path", "user@evil.example", "a b", "a?b", "a#b", "ä.de"] {
            assert!(host_names(&answer(&[(wrong, None, false)])).is_empty(), "{wrong}");
        }
        assert_eq!(host_names(&answer(&[("[::1]:8443", None, false)])), ["[::1]:8443"]);
    }
}
