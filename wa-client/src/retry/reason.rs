//! Why a message could not be decrypted, as a retry receipt tells it.
//!
//! Owns the mapping from this client's errors to the protocol's numbers. Knows nothing of when
//! retries are sent.

use wa_proto::stanza::RetryReason;
use wa_signal::{DecryptError, SenderKeyError};

/// The reason to give for a `msg` or `pkmsg`.
pub(crate) fn of_session(error: &DecryptError) -> RetryReason {
    match error {
        DecryptError::NoSession | DecryptError::EndedSession => RetryReason::NoSession,
        DecryptError::FutureMessage => RetryReason::FutureMessage,
        DecryptError::BadMac => RetryReason::BadMac,
        DecryptError::InvalidKey(_) => RetryReason::InvalidKey,
        DecryptError::MissingPreKey(_) | DecryptError::MissingSignedPreKey(_) => {
            RetryReason::InvalidKeyId
        }
        DecryptError::InvalidMessage(_)
        | DecryptError::UnsupportedVersion(_)
        | DecryptError::KeyDiscarded => RetryReason::InvalidMessage,
        _ => RetryReason::Unknown,
    }
}

/// The reason to give for a `skmsg`.
pub(crate) fn of_sender_key(error: &SenderKeyError) -> RetryReason {
    match error {
        SenderKeyError::NoSenderKey(_) => RetryReason::NoSession,
        SenderKeyError::FutureMessage => RetryReason::FutureMessage,
        SenderKeyError::BadSignature => RetryReason::InvalidSignature,
        SenderKeyError::InvalidKey(_) => RetryReason::InvalidKey,
        SenderKeyError::InvalidMessage(_)
        | SenderKeyError::UnsupportedVersion(_)
        | SenderKeyError::KeyDiscarded => RetryReason::InvalidMessage,
        _ => RetryReason::Unknown,
    }
}

/// Whether the sender needs this device's keys at once, because no session can do without.
pub(crate) const fn needs_keys(reason: RetryReason) -> bool {
    matches!(
        reason,
        RetryReason::NoSession | RetryReason::InvalidKeyId | RetryReason::InvalidSession
    )
}

#[cfg(test)]
mod tests {
    use wa_signal::PreKeyId;

    use super::*;

    #[test]
    fn a_retry_tells_the_true_reason() {
        let codes = [
            DecryptError::NoSession,
            DecryptError::BadMac,
            DecryptError::FutureMessage,
            DecryptError::MissingPreKey(PreKeyId::FIRST),
        ]
        .map(|error| of_session(&error).code());
        assert_eq!(codes, [1, 7, 6, 3]);
        assert_eq!(of_sender_key(&SenderKeyError::BadSignature).code(), 5);
        assert_eq!(of_sender_key(&SenderKeyError::NoSenderKey(1)).code(), 1);
    }
}
