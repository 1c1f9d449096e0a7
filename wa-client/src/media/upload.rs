//! The verb `upload`: a file goes to the media hosts, to be told of in a message.
//!
//! Whatever host takes it in the end, the file is read and encrypted once. An upload that broke
//! off goes on where it was, if the host kept what came.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::time::timeout;
use wa_media::{MediaKey, MediaType};
use wa_proto::content::Media;

use super::{
    MediaError, MediaSource,
    attempts::{Attempts, Failure, Turn},
    blob::{ANSWER_TIMEOUT, DirectPath},
    deletion::query_value,
    source::Spool,
    transport::{MediaMethod, MediaRequest, MediaResponse},
};
use crate::inner::Inner;

/// An upload that is about to be made; awaiting it makes it.
#[must_use = "nothing is uploaded until this is awaited"]
pub struct Upload {
    inner: Arc<Inner>,
    media_type: MediaType,
    source: MediaSource,
    for_channel: bool,
    limit: u64,
}

/// A file that is on the media hosts: what a message has to tell of it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uploaded {
    /// What it is.
    pub media_type: MediaType,
    /// The path on any of the hosts.
    pub direct_path: String,
    /// The address on the host that took it.
    pub url: Option<String>,
    /// The key; `None` if it is not encrypted.
    pub media_key: Option<MediaKey>,
    /// When it was encrypted, in seconds since 1970.
    pub media_key_timestamp: u64,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// SHA-256 of what was uploaded, if that is not the file itself.
    pub enc_sha256: Option<[u8; 32]>,
    /// The length of the file in bytes.
    pub length: u64,
    /// MACs of its pieces, if it can be played while it is being downloaded.
    pub streaming_sidecar: Option<Vec<u8>>,
    /// What a channel's server wants to be told of it.
    pub handle: Option<String>,
}

impl Uploaded {
    /// What a message tells of the file; what a person sees of it is to be added.
    pub fn to_media(&self) -> Media {
        let mut media = Media::default();
        media.url.clone_from(&self.url);
        media.direct_path = Some(self.direct_path.clone());
        let key = self.media_key.as_ref().map(|key| key.as_bytes().to_vec());
        if key.is_some() {
            media.media_key_timestamp = i64::try_from(self.media_key_timestamp).ok();
        }
        media.media_key = key.map(wa_proto::content::MediaKey::new);
        media.file_sha256 = Some(self.sha256.to_vec().into());
        media.file_enc_sha256 = self.enc_sha256.map(|hash| hash.to_vec().into());
        media.file_length = Some(self.length);
        media.streaming_sidecar = self.streaming_sidecar.clone().map(Into::into);
        media
    }
}

impl fmt::Debug for Uploaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uploaded")
            .field("media_type", &self.media_type)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl Upload {
    pub(crate) const fn new(inner: Arc<Inner>, media_type: MediaType, source: MediaSource) -> Self {
        Self { inner, media_type, source, for_channel: false, limit: MAX_UPLOAD }
    }

    /// Uploads without encryption, as for channels, which everybody may read.
    pub const fn for_channel(mut self) -> Self {
        self.for_channel = true;
        self
    }

    /// Refuses files of more bytes than this; 2 GiB, the most that WhatsApp takes, unless told
    /// otherwise.
    pub const fn limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    async fn run(self) -> Result<Uploaded, MediaError> {
        let spool = if self.for_channel {
            Spool::plain(&self.inner, self.source, self.limit).await?
        } else {
            Spool::encrypted(&self.inner, self.media_type, self.source, self.limit).await?
        };
        upload(&self.inner, self.media_type, &spool).await
    }
}

impl IntoFuture for Upload {
    type Output = Result<Uploaded, MediaError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("media_type", &self.media_type).finish_non_exhaustive()
    }
}

/// Takes a file to whichever host takes it.
///
/// # Errors
/// [`MediaError`].
pub(super) async fn upload(
    inner: &Inner,
    media_type: MediaType,
    spool: &Spool,
) -> Result<Uploaded, MediaError> {
    let mut attempts = Attempts::begin(inner).await?;
    let mut resumes = Resumes::NotYet;
    loop {
        let turn = attempts.turn().await?;
        match upload_once(inner, media_type, spool, &turn, &mut resumes).await {
            Ok(place) => return Ok(uploaded(inner, media_type, spool, place)),
            Err(failure) => attempts.failed(inner, &turn, failure).await?,
        }
    }
}

/// Whether it is worth asking how much of a file is on a host.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Resumes {
    /// Nothing was sent so far.
    NotYet,
    /// Something was sent, and may be there.
    Perhaps,
    /// The host did not take the rest: the whole is sent again.
    No,
}

/// Where a file is, as the host tells it.
struct Place {
    direct_path: String,
    url: Option<String>,
    handle: Option<String>,
}

/// What a host has of a file.
enum Found {
    All(Place),
    Part(u64),
}

async fn upload_once(
    inner: &Inner,
    media_type: MediaType,
    spool: &Spool,
    turn: &Turn,
    resumes: &mut Resumes,
) -> Result<Place, Failure> {
    let target = target(media_type, spool, turn);
    let mut offset = 0;
    if *resumes == Resumes::Perhaps {
        match probe(inner, &target, turn).await? {
            Found::All(place) => return Ok(place),
            Found::Part(length) if length < spool.enc_length => offset = length,
            Found::Part(_) => {}
        }
    }
    let whole = if offset == 0 { target } else { format!("{target}&file_offset={offset}") };
    let mut request = MediaRequest::new(MediaMethod::Post, turn.host.clone(), whole);
    request.body = Some(spool.body(offset).await?);
    if *resumes == Resumes::NotYet {
        *resumes = Resumes::Perhaps;
    }
    let patience = ANSWER_TIMEOUT + Duration::from_secs(spool.enc_length / SLOWEST);
    let response = timeout(patience, inner.media.transport.exchange(request)).await;
    let response = response.map_err(|_| TIMED_OUT)??;
    if offset > 0 && matches!(response.status, 400..=499) && !is_about_token(response.status) {
        *resumes = Resumes::No;
        return Err(TIMED_OUT);
    }
    check_status(&response)?;
    match read_answer(response).await? {
        Found::All(place) => Ok(place),
        Found::Part(_) => Err(MediaError::Answer.into()),
    }
}

/// Asks how much of a file is there.
async fn probe(inner: &Inner, target: &str, turn: &Turn) -> Result<Found, Failure> {
    let target = format!("{target}&resume=1");
    let request = MediaRequest::new(MediaMethod::Post, turn.host.clone(), target);
    let exchange = inner.media.transport.exchange(request);
    let response = timeout(ANSWER_TIMEOUT, exchange).await.map_err(|_| TIMED_OUT)??;
    match response.status {
        // A host that cannot say has nothing.
        400 | 404 | 405 | 410 => Ok(Found::Part(0)),
        _ => {
            check_status(&response)?;
            read_answer(response).await
        }
    }
}

/// Path and query of an upload.
fn target(media_type: MediaType, spool: &Spool, turn: &Turn) -> String {
    let token = URL_SAFE_NO_PAD.encode(spool.enc_sha256);
    let folder = media_type.folder();
    let auth = query_value(&turn.grant.auth);
    let path = match spool.key {
        Some(_) => format!("/mms/{folder}"),
        None => format!("/newsletter/newsletter-{folder}"),
    };
    format!("{path}/{token}?auth={auth}&token={token}")
}

const fn is_about_token(status: u16) -> bool {
    matches!(status, 401 | 403)
}

fn check_status(response: &MediaResponse) -> Result<(), Failure> {
    match response.status {
        200..300 => Ok(()),
        status if is_about_token(status) => Err(Failure::Token),
        408 | 429 | 500.. => Err(Failure::Host { retry_after: response.retry_after }),
        status => Err(MediaError::Refused { status }.into()),
    }
}

/// `{"url", "direct_path", "handle"}`, and in answer to a probe `{"resume"}`: a length, or the
/// word `complete`.
async fn read_answer(mut response: MediaResponse) -> Result<Found, Failure> {
    let mut json = Vec::new();
    while let Some(piece) =
        timeout(ANSWER_TIMEOUT, response.pieces.next()).await.map_err(|_| TIMED_OUT)?
    {
        json.extend_from_slice(&piece?);
        if json.len() > MAX_ANSWER {
            return Err(MediaError::Answer.into());
        }
    }
    read_json(&json).ok_or_else(|| MediaError::Answer.into())
}

fn read_json(json: &[u8]) -> Option<Found> {
    let answer: Value = serde_json::from_slice(json).ok()?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    if let Some(direct_path) = text("direct_path") {
        DirectPath::parse(&direct_path)?;
        return Some(Found::All(Place { direct_path, url: text("url"), handle: text("handle") }));
    }
    let resume = answer.get("resume")?;
    let length = resume.as_u64().or_else(|| resume.as_str()?.parse().ok());
    length.map(Found::Part)
}

fn uploaded(inner: &Inner, media_type: MediaType, spool: &Spool, place: Place) -> Uploaded {
    Uploaded {
        media_type,
        direct_path: place.direct_path,
        url: place.url,
        media_key: spool.key.clone(),
        media_key_timestamp: inner.clock.unix(),
        sha256: spool.sha256,
        enc_sha256: spool.key.as_ref().map(|_| spool.enc_sha256),
        length: spool.length,
        streaming_sidecar: spool.sidecar.clone(),
        handle: place.handle,
    }
}

/// The most that WhatsApp takes, in bytes.
pub(super) const MAX_UPLOAD: u64 = 2 << 30;
/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// How fast an upload must go at least, in bytes per second.
const SLOWEST: u64 = 8 * 1024;
const TIMED_OUT: Failure = Failure::Host { retry_after: None };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_tells_a_place_or_a_length() {
        let place =
            br#"{"url": "https://h/v/1", "direct_path": "/v/1?oe=2", "resume": "complete"}"#;
        assert!(matches!(read_json(place), Some(Found::All(_))));
        assert!(matches!(read_json(br#"{"resume": 65536}"#), Some(Found::Part(65536))));
        assert!(matches!(read_json(br#"{"resume": "65536"}"#), Some(Found::Part(65536))));
        for wrong in [&b""[..], b"[]", br#"{"resume": "complete"}"#, br#"{"direct_path": "v"}"#] {
            assert!(read_json(wrong).is_none(), "{wrong:?}");
        }
    }
}
