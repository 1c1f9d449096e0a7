//! The media hosts: they take encrypted blobs and give them back. Know nothing of what is in them.
//!
//! There are several names for one shelf of blobs. Uploads and deletions need the token that the
//! server gave with the names; downloads need a path that was not altered and has not expired.

mod blobs;
pub(crate) mod serving;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde_json::{Value, json};
use wa_crypto::sha256;

use self::blobs::{Blobs, Lookup};
pub(crate) use self::blobs::{MAX_BLOB, MediaFull};
pub use self::serving::CertificateError;
use crate::{
    clock::Clock,
    fault::{MediaAct, MediaFaultKind},
};

/// The names of the media hosts of a simulation that is not served on ports.
const NAMES: [&str; 2] = ["media-1.invalid", "media-2.invalid"];

/// How long a token is good, in seconds.
pub(crate) const TOKEN_TTL: u64 = 6 * 3600;

/// How many tokens are remembered; the oldest are forgotten.
const MAX_TOKENS: usize = 10_000;

/// What is done on a media host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MediaMethod {
    /// `GET`: a download.
    Get,
    /// `POST`: an upload, or the question how much of it is there.
    Post,
    /// `DELETE`.
    Delete,
}

/// A request to a media host.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MediaRequest {
    /// What is done.
    pub method: MediaMethod,
    /// The host's name as the client knows it.
    pub host: String,
    /// Path and query.
    pub target: String,
    /// The `Range` header.
    pub range: Option<String>,
    /// The body, as far as it came.
    pub body: Bytes,
    /// Whether all of the body came.
    pub whole: bool,
}

impl MediaRequest {
    /// A request without a body.
    pub fn new(method: MediaMethod, host: impl Into<String>, target: impl Into<String>) -> Self {
        let (host, target) = (host.into(), target.into());
        Self { method, host, target, range: None, body: Bytes::new(), whole: true }
    }

    pub(crate) fn act(&self) -> MediaAct {
        match self.method {
            MediaMethod::Get => MediaAct::Download,
            MediaMethod::Post if self.is_probe() => MediaAct::Probe,
            MediaMethod::Post => MediaAct::Upload,
            MediaMethod::Delete => MediaAct::Delete,
        }
    }

    fn is_probe(&self) -> bool {
        self.parameter("resume").is_some_and(|value| value == "1") && self.body.is_empty()
    }

    fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }
}

impl fmt::Debug for MediaRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaRequest").field("method", &self.method).finish_non_exhaustive()
    }
}

/// A media host's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MediaReply {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// How long the body is said to be; longer than it is where the connection breaks off.
    pub length: Option<u64>,
    /// `Content-Range`.
    pub content_range: Option<String>,
    /// The body.
    pub body: Bytes,
}

impl MediaReply {
    fn status(status: u16) -> Self {
        Self { status, retry_after: None, length: Some(0), content_range: None, body: Bytes::new() }
    }

    fn body(status: u16, body: Bytes) -> Self {
        Self { length: Some(body.len() as u64), body, ..Self::status(status) }
    }

    fn json(value: &Value) -> Self {
        Self::body(200, value.to_string().into())
    }
}

/// What the media hosts have counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MediaStats {
    /// The bytes that came in uploads, also in those that broke off.
    pub uploaded_bytes: u64,
    /// How often it was asked how much of an upload is there.
    pub probes: u64,
    /// How many requests there were, also those that were refused.
    pub requests: u64,
}

/// The media hosts of a simulation. Clones are the same hosts.
#[derive(Debug, Clone)]
pub(crate) struct Media {
    clock: Clock,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// The names, once they are served on ports.
    served: Vec<String>,
    /// Which tokens are good until when.
    tokens: BTreeMap<String, u64>,
    blobs: Blobs,
    stats: MediaStats,
}

impl Media {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, state: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The hosts' names, best first.
    pub(crate) fn hosts(&self) -> Vec<String> {
        let served = self.lock().served.clone();
        if served.is_empty() { NAMES.map(str::to_owned).to_vec() } else { served }
    }

    /// The hosts are to be had on this port, too.
    pub(crate) fn serve_at(&self, address: std::net::SocketAddr) {
        self.lock().served = vec![address.to_string(), format!("localhost:{}", address.port())];
    }

    /// Where a blob can be had by whoever knows no host, if the hosts are on a port.
    pub(crate) fn url(&self, direct_path: &str) -> Option<String> {
        self.lock().served.first().map(|host| format!("https://{host}{direct_path}"))
    }

    /// From now on this token is good.
    pub(crate) fn grant(&self, token: String) {
        let now = self.clock.unix();
        let mut state = self.lock();
        state.tokens.retain(|_, until| *until > now);
        if state.tokens.len() >= MAX_TOKENS {
            state.tokens.pop_first();
        }
        state.tokens.insert(token, now + TOKEN_TTL);
    }

    /// No token that was given so far is good any more.
    pub(crate) fn revoke_tokens(&self) {
        self.lock().tokens.clear();
    }

    /// Keeps a blob and answers its direct path.
    pub(crate) fn put(&self, kind: &str, token: &str, blob: Bytes) -> Result<String, MediaFull> {
        let now = self.clock.unix();
        self.lock().blobs.put(&format!("/v/{kind}/{token}"), blob, now)
    }

    /// A blob as it lies there.
    pub(crate) fn blob(&self, direct_path: &str) -> Option<Bytes> {
        let path = direct_path.split_once('?').map_or(direct_path, |(path, _)| path);
        self.lock().blobs.whole(path)
    }

    pub(crate) fn stats(&self) -> MediaStats {
        self.lock().stats
    }

    /// How many blobs there are.
    pub(crate) fn count(&self) -> usize {
        self.lock().blobs.count()
    }

    /// The blob is gone, as after a month.
    pub(crate) fn forget(&self, direct_path: &str) -> bool {
        let path = direct_path.split_once('?').map_or(direct_path, |(path, _)| path);
        self.lock().blobs.remove(path)
    }

    /// Puts other bytes in the place of a blob; false if there is none.
    pub(crate) fn swap(&self, direct_path: &str, bytes: Bytes) -> bool {
        let path = direct_path.split_once('?').map_or(direct_path, |(path, _)| path);
        let now = self.clock.unix();
        let blobs = &mut self.lock().blobs;
        blobs.whole(path).is_some() && blobs.put(path, bytes, now).is_ok()
    }

    /// Answers a request, or lets the connection break off (`None`).
    pub(crate) fn exchange(
        &self,
        request: &MediaRequest,
        fault: Option<MediaFaultKind>,
    ) -> Option<MediaReply> {
        self.lock().stats.requests += 1;
        match fault {
            Some(MediaFaultKind::Status { status, retry_after }) => {
                return Some(MediaReply { retry_after, ..MediaReply::status(status) });
            }
            Some(MediaFaultKind::Refused) => return None,
            Some(MediaFaultKind::Cut) if request.act() == MediaAct::Upload => {
                let mut half = request.clone();
                half.body.truncate(request.body.len() / 2);
                half.whole = false;
                let _unheard = self.answer(&half);
                return None;
            }
            _ => {}
        }
        let mut reply = self.answer(request);
        if reply.status == 200 {
            spoil(&mut reply, fault);
        }
        request.whole.then_some(reply)
    }

    fn answer(&self, request: &MediaRequest) -> MediaReply {
        match request.method {
            MediaMethod::Get => self.download(request),
            MediaMethod::Post => self.upload(request),
            MediaMethod::Delete => self.delete(request),
        }
    }

    /// `POST /mms/<kind>/<token>?auth=…` → `{url, direct_path}`; with `resume=1` it is the question
    /// how much is there already, and with `file_offset` the rest of it.
    fn upload(&self, request: &MediaRequest) -> MediaReply {
        let Some((kind, token)) = upload_path(request.path()) else {
            return MediaReply::status(404);
        };
        if !self.is_authorised(request) {
            return MediaReply::status(401);
        }
        let now = self.clock.unix();
        let path = format!("/v/{kind}/{token}");
        let finished = |direct_path: &str, resume: Option<&str>| {
            let url = self.url(direct_path);
            let url = url.unwrap_or_else(|| format!("https://{}{direct_path}", request.host));
            let mut told = json!({ "url": url, "direct_path": direct_path, "handle": token });
            if let (Some(resume), Some(told)) = (resume, told.as_object_mut()) {
                told.insert("resume".into(), resume.into());
            }
            MediaReply::json(&told)
        };
        if request.is_probe() {
            self.lock().stats.probes += 1;
            let found = self.lock().blobs.lookup(&path, now);
            return match found {
                Lookup::Whole(direct_path) => finished(&direct_path, Some("complete")),
                Lookup::Part(length) => MediaReply::json(&json!({ "resume": length })),
                Lookup::Nothing => MediaReply::json(&json!({ "resume": 0 })),
            };
        }
        let mut state = self.lock();
        state.stats.uploaded_bytes += request.body.len() as u64;
        let offset = request.parameter("file_offset").map_or(Some(0), |text| text.parse().ok());
        let Some(blob) = offset.and_then(|offset| state.blobs.joined(&path, offset, &request.body))
        else {
            return MediaReply::status(416);
        };
        if !request.whole {
            state.blobs.keep_part(&path, blob);
            return MediaReply::status(400);
        }
        if URL_SAFE_NO_PAD.encode(sha256(&[&blob])) != token {
            return MediaReply::status(400);
        }
        let kept = state.blobs.put(&path, blob.into(), now);
        drop(state);
        match kept {
            Ok(direct_path) => finished(&direct_path, None),
            Err(MediaFull) => MediaReply::status(507),
        }
    }

    /// `GET direct_path`, whole or one range of it.
    fn download(&self, request: &MediaRequest) -> MediaReply {
        let state = self.lock();
        let path = request.path();
        let path = path.trim_end_matches('=');
        let now = self.clock.unix();
        let (expiry, signature) = (request.parameter("oe"), request.parameter("oh"));
        if !blobs::is_signed(path, expiry, signature, now) {
            return MediaReply::status(403);
        }
        let Some(blob) = state.blobs.whole(path) else { return MediaReply::status(404) };
        match request.range.as_deref().map(|range| byte_range(range, blob.len())) {
            None => MediaReply::body(200, blob),
            Some(Some((start, end))) => {
                let range = format!("bytes {start}-{}/{}", end - 1, blob.len());
                let part = MediaReply::body(206, blob.slice(start..end));
                MediaReply { content_range: Some(range), ..part }
            }
            Some(None) => MediaReply::status(416),
        }
    }

    /// `DELETE /mms/<kind>/<token>?auth=…`.
    fn delete(&self, request: &MediaRequest) -> MediaReply {
        if !self.is_authorised(request) {
            return MediaReply::status(401);
        }
        let Some((kind, token)) = upload_path(request.path()) else {
            return MediaReply::status(404);
        };
        let removed = self.lock().blobs.remove(&format!("/v/{kind}/{token}"));
        MediaReply::status(if removed { 200 } else { 404 })
    }

    fn is_authorised(&self, request: &MediaRequest) -> bool {
        let now = self.clock.unix();
        let token = request.parameter("auth").unwrap_or_default();
        self.lock().tokens.get(token).is_some_and(|until| *until > now)
    }
}

/// `/mms/<kind>/<token>`, or `/newsletter/<kind>/<token>`.
fn upload_path(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/mms/").or_else(|| path.strip_prefix("/newsletter/"))?;
    let (kind, token) = rest.split_once('/')?;
    let token = token.trim_end_matches('=').trim_end_matches("%3D");
    (!kind.is_empty() && !token.is_empty() && !token.contains('/')).then_some((kind, token))
}

/// Does to a body what a fault does.
fn spoil(reply: &mut MediaReply, fault: Option<MediaFaultKind>) {
    match fault {
        Some(MediaFaultKind::Truncated) => {
            reply.body.truncate(reply.body.len() / 2);
            reply.length = Some(reply.body.len() as u64);
        }
        Some(MediaFaultKind::Cut) => reply.body.truncate(reply.body.len() / 2),
        Some(MediaFaultKind::Corrupted) => {
            let mut bytes = reply.body.to_vec();
            let middle = bytes.len() / 2;
            if let Some(byte) = bytes.get_mut(middle) {
                *byte ^= 1;
            }
            reply.body = bytes.into();
        }
        Some(MediaFaultKind::Length { claimed }) => reply.length = Some(claimed),
        _ => {}
    }
}

/// How long an answer takes that a fault makes slow.
pub(crate) fn slowness(fault: Option<MediaFaultKind>) -> Duration {
    match fault {
        Some(MediaFaultKind::Slow { milliseconds }) => Duration::from_millis(milliseconds),
        _ => Duration::ZERO,
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

    fn media() -> Media {
        let media = Media::new(Clock::new(1_780_000_000));
        media.grant("t".into());
        media
    }

    fn post(target: &str, body: &'static [u8]) -> MediaRequest {
        let request = MediaRequest::new(MediaMethod::Post, "media-1.invalid", target);
        MediaRequest { body: Bytes::from_static(body), ..request }
    }

    fn token(blob: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(sha256(&[blob]))
    }

    fn told(reply: &MediaReply) -> Value {
        serde_json::from_slice(&reply.body).unwrap()
    }

    #[tokio::test]
    async fn ranges_are_cut_to_the_blob() {
        assert_eq!(byte_range("bytes=2-", 10), Some((2, 10)));
        assert_eq!(byte_range("bytes=0-3", 10), Some((0, 4)));
        assert_eq!(byte_range("bytes=5-99", 10), Some((5, 10)));
        for range in ["bytes=10-", "bytes=4-3", "items=0-1", "bytes=-5", "bytes=0-"] {
            let len = if range == "bytes=0-" { 0 } else { 10 };
            assert_eq!(byte_range(range, len), None, "{range}");
        }
    }

    #[tokio::test]
    async fn an_upload_needs_its_token_and_is_what_its_name_says() {
        let media = media();
        let path = format!("/mms/image/{}", token(b"blob"));
        let upload = |query: &str, body| media.answer(&post(&format!("{path}?{query}"), body));
        assert_eq!(upload("auth=other", b"blob").status, 401);
        assert_eq!(upload("auth=t", b"bulb").status, 400);
        let reply = upload("auth=t", b"blob");
        let direct_path = told(&reply)["direct_path"].as_str().unwrap().to_owned();
        let get = |target: &str| {
            media.answer(&MediaRequest::new(MediaMethod::Get, "media-2.invalid", target))
        };
        assert_eq!(get(&direct_path).body, b"blob"[..]);
        assert_eq!(get(&direct_path.replace("oe=", "oe=f")).status, 403, "altered");
        media.forget(&direct_path);
        assert_eq!(get(&direct_path).status, 404);
        media.revoke_tokens();
        assert_eq!(upload("auth=t", b"blob").status, 401);
    }

    #[tokio::test]
    async fn an_upload_that_broke_off_goes_on_where_it_was() {
        let media = media();
        let path = format!("/mms/image/{}?auth=t", token(b"a whole blob"));
        let cut = media.exchange(&post(&path, b"a whole blob"), Some(MediaFaultKind::Cut));
        assert_eq!(cut, None);
        let probe = media.answer(&post(&format!("{path}&resume=1"), b""));
        assert_eq!(told(&probe), json!({ "resume": 6 }));
        let rest = media.answer(&post(&format!("{path}&file_offset=6"), b"e blob"));
        let direct_path = told(&rest)["direct_path"].as_str().unwrap().to_owned();
        assert_eq!(media.blob(&direct_path).as_deref(), Some(&b"a whole blob"[..]));
        let probe = told(&media.answer(&post(&format!("{path}&resume=1"), b"")));
        assert_eq!(
            (&probe["resume"], &probe["direct_path"]),
            (&json!("complete"), &json!(direct_path))
        );
        let gap = media.answer(&post(&format!("{path}&file_offset=9"), b"rest"));
        assert_eq!(gap.status, 416);
    }

    #[tokio::test]
    async fn what_is_deleted_is_gone() {
        let media = media();
        let direct_path = media.put("image", &token(b"blob"), Bytes::from_static(b"blob")).unwrap();
        let target = format!("/mms/image/{}", token(b"blob"));
        let delete = |query: &str| {
            let target = format!("{target}?{query}");
            media.answer(&MediaRequest::new(MediaMethod::Delete, "media-1.invalid", target)).status
        };
        assert_eq!((delete("auth=x"), delete("auth=t"), delete("auth=t")), (401, 200, 404));
        assert_eq!(media.blob(&direct_path), None);
    }
}
