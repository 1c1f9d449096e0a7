//! Identity keys that people had before they were set up anew.
//!
//! Owns the rule that an old message does not bring one back. Each registration makes new keys, so
//! a key that another replaced never returns; one of which the server only said that it is void
//! returns where the server gives it, asked for keys, which is told. Knows nothing of how keys are
//! replaced.

use wa_crypto::PublicKey;
use wa_proto::{Jid, stanza::RetryReason};
use wa_signal::PreKeyMessageHeader;
use wa_store::{FormerIdentity, StoreError};

use crate::draft::Draft;

/// Why a `pkmsg` is refused, if its identity is a former one. Its sender is asked to send it again,
/// which only whoever has the present keys can do.
///
/// # Errors
/// The store's.
pub(crate) async fn refusal(
    draft: &Draft<'_>,
    sender: &Jid,
    message: &[u8],
) -> Result<Option<RetryReason>, StoreError> {
    // What cannot be read is refused where it is decrypted.
    let Ok(header) = PreKeyMessageHeader::parse(message) else { return Ok(None) };
    let former = draft.former_identity(sender, &header.identity).await?;
    if former.is_some() {
        tracing::warn!("a message under an identity that is no longer in use is refused");
    }
    Ok(former.map(|former| match former {
        FormerIdentity::Voided => RetryReason::NoSession,
        FormerIdentity::Replaced => RetryReason::InvalidKey,
    }))
}

/// Whether the keys that the server gives of a device are refused, because another identity
/// replaced theirs.
///
/// # Errors
/// The store's.
pub(crate) async fn is_replaced(
    draft: &Draft<'_>,
    device: &Jid,
    key: &PublicKey,
) -> Result<bool, StoreError> {
    Ok(draft.former_identity(device, key).await? == Some(FormerIdentity::Replaced))
}
