//! Asking the phone for a file that the media hosts have no more.
//!
//! The phone uploads it again under the same key, and tells the new path in a notification. Both
//! question and answer are sealed with the media key, so that nobody else can send a file of
//! their own in its place.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use prost::Message as _;
use rand_core::Rng as _;
use tokio::{sync::oneshot, time::timeout};
use wa_media::{MediaKey, MediaRetrySeal};
use wa_proto::{
    MessageId, pb,
    pb::media_retry_notification::ResultType,
    stanza::{MediaRetryAnswer, MediaRetryCiphertext, MediaRetryReceipt},
};
use wa_store::MessageKey;

use super::{MediaError, blob::DirectPath};
use crate::{inner::Inner, request::RequestError};

/// Who waits for which answer of the phone.
#[derive(Debug, Default)]
pub(super) struct PhoneAnswers {
    waiting: Mutex<HashMap<String, Vec<oneshot::Sender<Answer>>>>,
}

type Answer = Result<MediaRetryCiphertext, u16>;

impl PhoneAnswers {
    /// Waits for the answer about a message; `None` if too many wait already.
    fn wait(&self, id: &str) -> Option<oneshot::Receiver<Answer>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, waiters| {
            waiters.retain(|waiter| !waiter.is_closed());
            !waiters.is_empty()
        });
        if waiting.len() >= MAX_WAITING && !waiting.contains_key(id) {
            return None;
        }
        let (waiter, answer) = oneshot::channel();
        waiting.entry(id.to_owned()).or_default().push(waiter);
        Some(answer)
    }

    fn settle(&self, id: &str, answer: &Answer) {
        let waiters = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.remove(id).unwrap_or_default()
        };
        for waiter in waiters {
            // Whoever asked may have stopped waiting.
            let _ = waiter.send(answer.clone());
        }
    }
}

/// The phone answered. An answer that nobody waits for, as after a restart, is of no use.
pub(crate) fn answered(inner: &Inner, answer: &MediaRetryAnswer) {
    inner.media.phone.settle(answer.id.as_str(), &answer.result);
}

/// Asks the phone for the file of a message; gives the path under which it is again.
///
/// # Errors
/// [`MediaError::NotOnPhone`], [`MediaError::PhoneSilent`], [`MediaError::PhoneFailed`], or
/// [`MediaError::Request`] if it cannot be asked.
pub(super) async fn ask_phone(
    inner: &Inner,
    message: &MessageKey,
    media_key: &MediaKey,
) -> Result<DirectPath, MediaError> {
    let id = MessageId::new(message.id.as_str())
        .map_err(|_| MediaError::Incomplete("its message has no proper id"))?;
    let receipt = receipt(inner, message, &id, media_key)?;
    let answer = inner.media.phone.wait(id.as_str());
    let answer = answer.ok_or(MediaError::Unavailable { retry_after: Some(PHONE_TIMEOUT) })?;
    let link = inner.wait_for_link(PHONE_TIMEOUT).await?;
    link.send(&receipt.to_node()).await.map_err(|_| RequestError::Disconnected)?;
    let answer = timeout(PHONE_TIMEOUT, answer).await;
    let answer = answer.map_err(|_| MediaError::PhoneSilent(PHONE_TIMEOUT))?;
    let answer = answer.map_err(|_| MediaError::PhoneSilent(PHONE_TIMEOUT))?;
    match answer {
        Ok(sealed) => open(&sealed, &id, media_key),
        Err(NOT_ON_PHONE) => Err(MediaError::NotOnPhone),
        Err(code) => Err(MediaError::PhoneFailed { code }),
    }
}

fn receipt(
    inner: &Inner,
    message: &MessageKey,
    id: &MessageId,
    media_key: &MediaKey,
) -> Result<MediaRetryReceipt, MediaError> {
    let own = inner.account().jid.clone().ok_or(RequestError::NotConnected)?;
    let mut iv = [0; 12];
    inner.with_rng(|rng| rng.fill_bytes(&mut iv));
    let request = pb::ServerErrorReceipt { stanza_id: Some(id.as_str().to_owned()) };
    let seal = MediaRetrySeal { media_key, message_id: id.as_str() };
    Ok(MediaRetryReceipt {
        to: own.to_user(),
        id: id.clone(),
        chat: message.chat.clone(),
        from_me: message.from_me,
        participant: (!message.chat.is_person()).then(|| message.sender.clone()),
        ciphertext: seal.seal(&iv, &request.encode_to_vec()).into(),
        iv,
    })
}

/// What the phone's answer says, if it is the phone's and about this message.
fn open(
    sealed: &MediaRetryCiphertext,
    id: &MessageId,
    media_key: &MediaKey,
) -> Result<DirectPath, MediaError> {
    let seal = MediaRetrySeal { media_key, message_id: id.as_str() };
    let plaintext = seal.open(&sealed.iv, &sealed.ciphertext).map_err(|_| MediaError::Answer)?;
    let answer = pb::MediaRetryNotification::decode(plaintext.as_slice());
    let answer = answer.map_err(|_| MediaError::Answer)?;
    match answer.result() {
        ResultType::Success => {
            answer.direct_path.as_deref().and_then(DirectPath::parse).ok_or(MediaError::Answer)
        }
        ResultType::NotFound => Err(MediaError::NotOnPhone),
        ResultType::DecryptionError => Err(MediaError::PhoneFailed { code: 3 }),
        ResultType::GeneralError => Err(MediaError::PhoneFailed { code: 0 }),
    }
}

/// How long the phone has. It may have to be woken, and to upload a large file.
const PHONE_TIMEOUT: Duration = Duration::from_secs(90);
/// The code with which the phone says that it has the file no more.
const NOT_ON_PHONE: u16 = 2;
/// About how many messages the phone is asked at a time.
const MAX_WAITING: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_somebody_else_is_none() {
        let (key, id) = (MediaKey::from([1; 32]), MessageId::new("3EB0AA").unwrap());
        let success = pb::MediaRetryNotification {
            stanza_id: Some("3EB0AA".into()),
            direct_path: Some("/v/new?oe=1".into()),
            result: Some(ResultType::Success.into()),
            ..Default::default()
        };
        let sealed = |key: &MediaKey, answer: &pb::MediaRetryNotification| MediaRetryCiphertext {
            ciphertext: MediaRetrySeal { media_key: key, message_id: "3EB0AA" }
                .seal(&[2; 12], &answer.encode_to_vec())
                .into(),
            iv: [2; 12],
        };
        assert_eq!(open(&sealed(&key, &success), &id, &key).unwrap().as_str(), "/v/new?oe=1");
        let forged = sealed(&MediaKey::from([3; 32]), &success);
        assert!(matches!(open(&forged, &id, &key), Err(MediaError::Answer)));
        let elsewhere = pb::MediaRetryNotification {
            direct_path: Some("//evil.example/".into()),
            ..success.clone()
        };
        assert!(matches!(open(&sealed(&key, &elsewhere), &id, &key), Err(MediaError::Answer)));
        let missing =
            pb::MediaRetryNotification { result: Some(ResultType::NotFound.into()), ..success };
        assert!(matches!(open(&sealed(&key, &missing), &id, &key), Err(MediaError::NotOnPhone)));
    }
}
