//! Removing a file from the media hosts: what the phone uploaded for this device alone is of no
//! use to anybody once it was read.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::time::timeout;

use super::{
    BlobRef, MediaError,
    attempts::{Attempts, Failure, Turn},
    blob::ANSWER_TIMEOUT,
    transport::{MediaMethod, MediaRequest},
};
use crate::inner::Inner;

/// Removes a file. `handle` is the `enc_handle` that the phone may have told with it. It is no
/// error if the file is gone already.
///
/// # Errors
/// [`MediaError`].
pub(crate) async fn delete_blob(
    inner: &Inner,
    blob: &BlobRef,
    handle: Option<&str>,
) -> Result<(), MediaError> {
    let Some(hash) = blob.digests.enc_sha256 else {
        return Err(MediaError::Incomplete("the checksum of what is uploaded is missing"));
    };
    let mut attempts = Attempts::begin(inner).await?;
    loop {
        let turn = attempts.turn().await?;
        match delete_once(inner, blob, &hash, handle, &turn).await {
            Ok(()) => return Ok(()),
            Err(failure) => attempts.failed(inner, &turn, failure).await?,
        }
    }
}

async fn delete_once(
    inner: &Inner,
    blob: &BlobRef,
    hash: &[u8; 32],
    handle: Option<&str>,
    turn: &Turn,
) -> Result<(), Failure> {
    let token = URL_SAFE_NO_PAD.encode(hash);
    let path = blob.direct_path.as_str();
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let mut target = format!(
        "/mms/{}/{token}?auth={}&token={token}&d_md={}",
        blob.media_type.folder(),
        query_value(&turn.grant.auth),
        URL_SAFE_NO_PAD.encode(path),
    );
    if let Some(handle) = handle {
        target.push_str("&e_handle=");
        target.push_str(&query_value(handle));
    }
    let request = MediaRequest::new(MediaMethod::Delete, turn.host.clone(), target);
    let exchange = inner.media.transport.exchange(request);
    let timed_out = Failure::Host { retry_after: None };
    let response = timeout(ANSWER_TIMEOUT, exchange).await.map_err(|_| timed_out)??;
    match response.status {
        200..300 | 404 | 410 => Ok(()),
        401 | 403 => Err(Failure::Token),
        408 | 429 | 500.. => Err(Failure::Host { retry_after: response.retry_after }),
        status => Err(MediaError::Refused { status }.into()),
    }
}

/// A text as the value of a query's parameter.
pub(super) fn query_value(text: &str) -> String {
    use std::fmt::Write as _;
    let mut value = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            value.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(value, "%{byte:02X}");
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_cannot_add_parameters() {
        assert_eq!(query_value("aZ-9_~."), "aZ-9_~.");
        assert_eq!(query_value("a&b=c/+ \u{e4}"), "a%26b%3Dc%2F%2B%20%C3%A4");
    }
}
