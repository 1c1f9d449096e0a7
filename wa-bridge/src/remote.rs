//! The calls through the socket of the process that owns the account.
//!
//! Knows nothing of what a call does.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use bytes::{Buf, BytesMut};
use reqwest::{
    Client, Response, StatusCode,
    header::{AUTHORIZATION, HeaderValue},
};
use rustls::{ClientConfig, RootCertStore};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Caller, Clients, Frontend, Profile, Token,
    api::{API_VERSION, EventView},
    failure::{Cause, Failure},
    http::{Done, NotDone, headers},
    identity::person_token_file,
    socket::SocketPath,
};

/// The other end of the socket.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    http: Client,
    socket: SocketPath,
    /// Where the person's own token is.
    person: PathBuf,
    /// Those of the assistants.
    clients: Clients,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// Nobody listens: the request did not get anywhere.
    Nobody,
    /// The other side was gone before it answered: whether it was done is not known.
    Gone,
    /// It answered that it was not done.
    Refused(Failure),
}

/// What the owner says of itself.
#[derive(Debug, Deserialize)]
struct Hello {
    api: u32,
    version: String,
    pid: u32,
}

/// How much longer than the call itself its answer is waited for.
const GRACE: Duration = Duration::from_secs(5);

/// The longest event, in bytes.
const MAX_LINE: usize = 16 << 20;

/// After how long without any sign the owner is taken for dead.
const SILENCE: Duration = Duration::from_secs(40);

impl Remote {
    pub(crate) fn new(path: &SocketPath, profile: &Profile) -> Result<Self, Failure> {
        let builder = Client::builder()
            .pool_max_idle_per_host(0)
            .no_proxy()
            .tls_backend_preconfigured(no_tls()?);
        let http = over(builder, path).build().map_err(|error| {
            Failure::new(Cause::Failed, format!("cannot make a client of the socket: {error}"))
        })?;
        let (socket, person) = (path.clone(), person_token_file(profile));
        Ok(Self { http, socket, person, clients: Clients::of(profile) })
    }

    /// Finds out whether somebody listens, and whether they speak the same version.
    pub(crate) async fn greet(&self) -> Result<(), NoAnswer> {
        self.check_owner()?;
        let asked = self.http.get("http://wa/v1").timeout(GRACE).send().await;
        let answer = asked.map_err(|error| no_answer(&error))?;
        let hello: Done<Hello> = answer.json().await.map_err(|error| no_answer(&error))?;
        if hello.data.api == API_VERSION {
            return Ok(());
        }
        let Hello { version, pid, .. } = hello.data;
        let message = format!(
            "the process that owns the account (pid {pid}) is of version {version:.20}, and this one of {}",
            env!("CARGO_PKG_VERSION")
        );
        Err(NoAnswer::Refused(
            Failure::new(Cause::Version, message)
                .remedy("stop it, or install the same version of both"),
        ))
    }

    /// Has a call done, within the caller's own time.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
        caller: &Caller,
    ) -> Result<T, NoAnswer> {
        let time_limit = caller.time_limit;
        let millis = time_limit.as_millis().to_string();
        self.check_owner()?;
        let request = self.request(reqwest::Method::POST, path, caller)?;
        let request = request.header(headers::TIME, millis).json(body);
        let asked = request.timeout(time_limit + GRACE).send().await;
        let answer = asked.map_err(|error| no_answer(&error))?;
        if answer.status() == StatusCode::OK {
            let done: Done<T> = answer.json().await.map_err(|error| no_answer(&error))?;
            return Ok(done.data);
        }
        Err(refusal(answer).await)
    }

    /// Every event from now on, or after a message that was seen.
    pub(crate) async fn events(
        &self,
        after: Option<u64>,
        caller: &Caller,
    ) -> Result<RemoteEvents, NoAnswer> {
        self.check_owner()?;
        let mut request = self.request(reqwest::Method::GET, "events", caller)?;
        if let Some(after) = after {
            request = request.query(&[("after", after)]);
        }
        let answer = request.send().await.map_err(|error| no_answer(&error))?;
        if answer.status() != StatusCode::OK {
            return Err(refusal(answer).await);
        }
        Ok(RemoteEvents { answer, read: BytesMut::new() })
    }

    /// Whoever listens must be this user: a folder for temporary files is everybody's.
    fn check_owner(&self) -> Result<(), NoAnswer> {
        self.socket.check_owner().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => NoAnswer::Nobody,
            _ => NoAnswer::Refused(
                Failure::new(Cause::Failed, format!("nobody is asked over the socket: {error}"))
                    .remedy("remove that folder, or set XDG_RUNTIME_DIR to a folder of your own"),
            ),
        })
    }

    fn request(
        &self,
        method: reqwest::Method,
        path: &str,
        caller: &Caller,
    ) -> Result<reqwest::RequestBuilder, NoAnswer> {
        let mut request = self
            .http
            .request(method, format!("http://wa/v1/{path}"))
            .header(headers::VERSION, API_VERSION.to_string())
            .header(headers::FRONTEND, caller.frontend.as_str())
            .header(headers::NAME, ascii(&caller.name));
        if let Some(token) = self.proof(caller).map_err(NoAnswer::Refused)? {
            request = request.header(AUTHORIZATION, token);
        }
        Ok(match serde_json::to_string(&caller.tightening) {
            Ok(tightening) => request.header(headers::TIGHTEN, tightening),
            Err(_) => request,
        })
    }

    /// What proves who asks. It is read each time: another owner may have made it anew, and a token
    /// that was revoked is gone.
    fn proof(&self, caller: &Caller) -> Result<Option<HeaderValue>, Failure> {
        let token = match (caller.frontend, &caller.client) {
            (_, Some(client)) => self.clients.token(client)?,
            (Frontend::Assistant, None) => return Ok(None),
            (Frontend::Person, None) => Token::load(&self.person)?.ok_or_else(|| {
                let file = self.person.display();
                Failure::new(Cause::Failed, format!("the person's token {file} is gone"))
                    .remedy("stop the process that owns the account; the next one makes it anew")
            })?,
        };
        token.header().map(Some)
    }
}

/// What the HTTP client insists on having; a socket of this machine needs none.
fn no_tls() -> Result<ClientConfig, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::new(Cause::Failed, format!("no TLS: {error}")))?;
    Ok(config.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

/// A name that fits into a header.
fn ascii(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}

#[cfg(unix)]
fn over(builder: reqwest::ClientBuilder, path: &SocketPath) -> reqwest::ClientBuilder {
    builder.unix_socket(path.as_path())
}

#[cfg(windows)]
fn over(builder: reqwest::ClientBuilder, path: &SocketPath) -> reqwest::ClientBuilder {
    builder.windows_named_pipe(path.as_path())
}

fn no_answer(error: &reqwest::Error) -> NoAnswer {
    if error.is_connect() {
        return NoAnswer::Nobody;
    }
    if error.is_timeout() {
        return NoAnswer::Refused(
            Failure::new(Cause::TimedOut, "the process that owns the account does not answer")
                .remedy("see whether it still runs, and stop it if it hangs"),
        );
    }
    NoAnswer::Gone
}

async fn refusal(answer: Response) -> NoAnswer {
    let status = answer.status();
    if status == StatusCode::GONE {
        return NoAnswer::Gone;
    }
    match answer.json::<NotDone>().await {
        Ok(not_done) => NoAnswer::Refused(not_done.error),
        Err(_) => NoAnswer::Refused(
            Failure::new(Cause::Version, format!("the owner of the account answers with {status}"))
                .remedy("stop it, or install the same version of both"),
        ),
    }
}

/// Events as they come through the socket.
#[derive(Debug)]
pub(crate) struct RemoteEvents {
    answer: Response,
    read: BytesMut,
}

impl RemoteEvents {
    /// The next event; nothing once the owner is gone.
    pub(crate) async fn next(&mut self) -> Option<EventView> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line = self.read.split_to(end);
                self.read.advance(1);
                // An event of a kind that is not known here is passed over.
                match serde_json::from_slice(&line) {
                    Ok(event) => return Some(event),
                    Err(_) => continue,
                }
            }
            if self.read.len() > MAX_LINE {
                return None;
            }
            let more = tokio::time::timeout(SILENCE, self.answer.chunk()).await;
            self.read.extend_from_slice(&more.ok()?.ok()??);
        }
    }
}
