//! A file on the media hosts, and how it is fetched, checked and decrypted.
//!
//! Owns the reference to a file and the one download everything stands on. What the bytes go into
//! is a [`Sink`]'s business; none of them may be used before the download has ended well.

use std::{io, time::Duration};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::StreamExt as _;
use tokio::time::timeout;
use wa_crypto::{Digest as _, Sha256};
use wa_media::{Decryptor, Digests, MAC_LEN, MediaKey, MediaType, OpenError};
use wa_proto::content::Media;

use super::{
    MediaError,
    attempts::{Attempts, Failure, Turn},
    transport::{MediaMethod, MediaRequest, MediaResponse},
};
use crate::inner::Inner;

/// A file on the media hosts.
#[derive(Clone)]
pub(crate) struct BlobRef {
    pub(crate) direct_path: DirectPath,
    /// The key; `None` if the file is not encrypted, as in newsletters.
    pub(crate) media_key: Option<MediaKey>,
    pub(crate) digests: Digests,
    pub(crate) media_type: MediaType,
    /// The length of the file in bytes, as the sender tells it.
    pub(crate) file_length: Option<u64>,
}

/// A path on any of the media hosts, with its query.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DirectPath(String);

impl BlobRef {
    /// What a message tells of its file.
    ///
    /// # Errors
    /// [`MediaError::Incomplete`].
    pub(crate) fn of(media: &Media, media_type: MediaType) -> Result<Self, MediaError> {
        let path = match (&media.direct_path, &media.url) {
            (Some(path), _) if !path.is_empty() => DirectPath::parse(path),
            (_, Some(url)) => DirectPath::of_url(url),
            _ => None,
        };
        let key = media.media_key.as_ref().map(wa_proto::content::MediaKey::as_bytes);
        let media_key = key.filter(|key| !key.is_empty()).map(MediaKey::try_from).transpose();
        let digests = Digests {
            enc_sha256: hash(media.file_enc_sha256.as_deref())?,
            sha256: hash(media.file_sha256.as_deref())?,
        };
        let media_key = media_key.map_err(|_| MediaError::Incomplete("its key is none"))?;
        if media_key.is_none() && digests.sha256.is_none() {
            return Err(MediaError::Incomplete("it has neither key nor checksum"));
        }
        Ok(Self {
            direct_path: path.ok_or(MediaError::Incomplete("it has no path"))?,
            media_key,
            digests,
            media_type,
            file_length: media.file_length,
        })
    }

    fn target(&self) -> String {
        let path = &self.direct_path.0;
        let mark = if path.contains('?') { '&' } else { '?' };
        let hash = self.digests.enc_sha256.or(self.digests.sha256);
        let hash = hash.map(|hash| format!("hash={}&", URL_SAFE_NO_PAD.encode(hash)));
        let (hash, folder) = (hash.unwrap_or_default(), self.media_type.folder());
        format!("{path}{mark}{hash}mms-type={folder}&__wa-mms=")
    }

    /// How long what is fetched may be for a file of this length.
    fn encrypted_limit(&self, limit: u64) -> u64 {
        let overhead = if self.media_key.is_some() { 16 + MAC_LEN as u64 } else { 0 };
        limit.saturating_add(overhead)
    }
}

impl std::fmt::Debug for BlobRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobRef")
            .field("media_type", &self.media_type)
            .field("file_length", &self.file_length)
            .finish_non_exhaustive()
    }
}

impl DirectPath {
    /// A path from its first slash on; `None` for anything that could lead to another host or
    /// another request.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let safe = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        let absolute = path.starts_with('/') && !path.starts_with("//");
        (safe && absolute && path.len() <= MAX_PATH_LEN).then(|| Self(path.to_owned()))
    }

    fn of_url(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("https://")?;
        Self::parse(rest.get(rest.find('/')?..)?)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn hash(told: Option<&[u8]>) -> Result<Option<[u8; 32]>, MediaError> {
    let told = told.filter(|hash| !hash.is_empty());
    let hash = told.map(<[u8; 32]>::try_from).transpose();
    hash.map_err(|_| MediaError::Incomplete("a checksum of it is none"))
}

/// Where a download goes. Nothing of it may be seen by others before the download has ended well.
#[async_trait]
pub(super) trait Sink: Send {
    /// Forgets everything: the download begins again.
    async fn restart(&mut self) -> io::Result<()>;

    /// Takes the next piece as it came, and what it became. At the very end `fetched` is empty.
    async fn take(&mut self, fetched: &[u8], file: &[u8]) -> io::Result<()>;
}

/// Downloads a file of at most `limit` bytes into a sink, and checks all there is to check.
///
/// # Errors
/// [`MediaError`]; then nothing in the sink may be used.
pub(super) async fn download(
    inner: &Inner,
    blob: &BlobRef,
    limit: u64,
    sink: &mut dyn Sink,
) -> Result<(), MediaError> {
    if blob.file_length.is_some_and(|length| length > limit) {
        return Err(MediaError::TooLarge { limit });
    }
    let mut attempts = Attempts::begin(inner).await?;
    loop {
        let turn = attempts.turn().await?;
        match download_once(inner, blob, limit, sink, &turn).await {
            Ok(()) => return Ok(()),
            Err(failure) => attempts.failed(inner, &turn, failure).await?,
        }
    }
}

async fn download_once(
    inner: &Inner,
    blob: &BlobRef,
    limit: u64,
    sink: &mut dyn Sink,
    turn: &Turn,
) -> Result<(), Failure> {
    sink.restart().await?;
    let request = MediaRequest::new(MediaMethod::Get, turn.host.clone(), blob.target());
    let exchange = inner.media.transport.exchange(request);
    let mut response = timeout(ANSWER_TIMEOUT, exchange).await.map_err(|_| TIMED_OUT)??;
    check_status(&response)?;
    let enc_limit = blob.encrypted_limit(limit);
    if response.length.is_some_and(|length| length > enc_limit) {
        return Err(MediaError::TooLarge { limit }.into());
    }
    let mut opener = Opener::new(blob);
    let (mut file, mut fetched) = (Vec::new(), 0);
    while let Some(piece) =
        timeout(PIECE_TIMEOUT, response.pieces.next()).await.map_err(|_| TIMED_OUT)?
    {
        let piece = piece?;
        fetched += piece.len() as u64;
        if fetched > enc_limit {
            return Err(MediaError::TooLarge { limit }.into());
        }
        file.clear();
        opener.update(&piece, &mut file);
        sink.take(&piece, &file).await?;
    }
    file.clear();
    opener.finish(&mut file).map_err(|error| match error {
        // The blob is the one that was sent: no host has a better one.
        OpenError::Padding | OpenError::PlainHash if blob.media_key.is_some() => {
            Failure::Final(MediaError::Corrupt(error))
        }
        error => Failure::Corrupt(error),
    })?;
    sink.take(&[], &file).await?;
    Ok(())
}

fn check_status(response: &MediaResponse) -> Result<(), Failure> {
    match response.status {
        200 => Ok(()),
        401 => Err(Failure::Token),
        403 | 404 | 410 => Err(MediaError::Gone.into()),
        408 | 429 | 500.. => Err(Failure::Host { retry_after: response.retry_after }),
        status => Err(MediaError::Refused { status }.into()),
    }
}

/// Opens what comes, encrypted or not.
pub(super) enum Opener {
    Encrypted(Box<Decryptor>),
    Plain { hash: Sha256, expected: Option<[u8; 32]> },
}

impl Opener {
    pub(super) fn new(blob: &BlobRef) -> Self {
        match &blob.media_key {
            Some(key) => {
                Self::Encrypted(Box::new(Decryptor::new(key, blob.media_type, blob.digests)))
            }
            None => Self::Plain { hash: Sha256::new(), expected: blob.digests.sha256 },
        }
    }

    pub(super) fn update(&mut self, piece: &[u8], file: &mut Vec<u8>) {
        match self {
            Self::Encrypted(decryptor) => decryptor.update(piece, file),
            Self::Plain { hash, .. } => {
                hash.update(piece);
                file.extend_from_slice(piece);
            }
        }
    }

    pub(super) fn finish(self, file: &mut Vec<u8>) -> Result<(), OpenError> {
        match self {
            Self::Encrypted(decryptor) => decryptor.finish(file).map(drop),
            Self::Plain { hash, expected } => {
                let found: [u8; 32] = hash.finalize().into();
                let right = expected.is_none_or(|expected| expected == found);
                right.then_some(()).ok_or(OpenError::PlainHash)
            }
        }
    }
}

/// The longest path that is asked for, in bytes.
const MAX_PATH_LEN: usize = 4096;
/// How long a host has for the head of its answer.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a host may be silent within its answer.
const PIECE_TIMEOUT: Duration = Duration::from_secs(30);
const TIMED_OUT: Failure = Failure::Host { retry_after: None };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_on_its_host() {
        assert!(DirectPath::parse("/v/t62.7118-24/1?ccb=11-4&oh=1&oe=2").is_some());
        let long = format!("/{}", "a".repeat(MAX_PATH_LEN));
        for wrong in
            ["", "v/1", "//evil.example/1", "/a b", "/a\r\nHost: b", "/a#b", "/\u{e4}", &long]
        {
            assert!(DirectPath::parse(wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn a_message_without_key_and_checksum_names_no_file() {
        let mut media = Media::default();
        assert!(BlobRef::of(&media, MediaType::Image).is_err());
        media.url = Some("https://mmg.whatsapp.net/v/1?oe=2".into());
        assert!(BlobRef::of(&media, MediaType::Image).is_err(), "anything could be there");
        media.media_key = Some(wa_proto::content::MediaKey::new(vec![1; 32]));
        let blob = BlobRef::of(&media, MediaType::Image).unwrap();
        assert_eq!(blob.direct_path.as_str(), "/v/1?oe=2");
        assert_eq!(blob.target(), "/v/1?oe=2&mms-type=image&__wa-mms=");
        media.file_sha256 = Some(vec![1; 31].into());
        assert!(BlobRef::of(&media, MediaType::Image).is_err());
    }
}
