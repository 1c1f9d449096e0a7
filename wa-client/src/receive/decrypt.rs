//! From one ciphertext of a stanza to its plaintext.
//!
//! Owns the choice of session, prekeys and sender key, the dedupe mark and the reaction to a
//! changed identity. Works on a [`Draft`]: nothing is written here. Knows nothing of what a
//! plaintext says.

use std::sync::Arc;

use wa_crypto::sha256;
use wa_proto::{
    Jid,
    stanza::{Enc, EncKind, RetryReason},
};
use wa_signal::{
    DecryptError, Decrypted, LocalIdentity, PreKeyMessageHeader, RegistrationId, SenderKeyError,
    padding,
};
use wa_store::{Account, Seen, StoreError};

use super::provenance::Authenticated;
use crate::{
    devices::vouching,
    draft::Draft,
    encryption::{former, off_thread},
    inner::Inner,
    retry::reason,
};

/// Who encrypted, for which chat: canonical addresses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) chat: &'a Jid,
    pub(crate) sender: &'a Jid,
    /// The signed device identity that came with the message.
    pub(crate) device_identity: Option<&'a [u8]>,
}

/// What became of a ciphertext.
#[derive(Debug)]
pub(crate) enum Opened {
    /// It was decrypted.
    Plaintext {
        /// Without padding, with the device whose keys opened it.
        said: Authenticated,
        /// Whether the sender has another identity key than before.
        identity_changed: bool,
    },
    /// It was handled before.
    Duplicate,
    /// It decrypts to something that was padded by no rule. It is handled, and says nothing.
    BadPadding,
    /// It does not decrypt with the keys there are.
    Failed(RetryReason),
    /// It begins a session under an identity that its sender had before: it is not opened.
    FormerIdentity(RetryReason),
    /// It is encrypted in a way this version does not know.
    Unsupported,
}

/// The name of a ciphertext for the dedupe. Not the message id: the same sender key message comes
/// under several ids, and ids come back in edits and retries.
pub(crate) fn seen(enc: &Enc, origin: Origin<'_>) -> Seen {
    let (chat, sender) = (origin.chat.to_string(), origin.sender.to_string());
    let separator: &[u8] = &[0];
    Seen(sha256(&[
        enc.kind.as_str().as_bytes(),
        separator,
        chat.as_bytes(),
        separator,
        sender.as_bytes(),
        separator,
        &enc.ciphertext,
    ]))
}

/// Decrypts one ciphertext and puts the advanced keys and the dedupe mark into the draft.
///
/// # Errors
/// The store's. That it does not decrypt is no error but an outcome.
pub(crate) async fn open(
    draft: &mut Draft<'_>,
    inner: &Inner,
    origin: Origin<'_>,
    enc: &Enc,
) -> Result<Opened, StoreError> {
    let seen = seen(enc, origin);
    if draft.is_seen(&seen).await? {
        return Ok(Opened::Duplicate);
    }
    if enc.kind == EncKind::PreKeyMessage
        && let Some(reason) =
            former::refusal(draft, origin.sender, &enc.ciphertext, origin.device_identity).await?
    {
        return Ok(Opened::FormerIdentity(reason));
    }
    let account = inner.account();
    let opened = match enc.kind {
        EncKind::PreKeyMessage => open_prekey(draft, inner, &account, origin, enc).await?,
        EncKind::Message => open_signal(draft, inner, &account, origin.sender, enc).await?,
        EncKind::SenderKeyMessage => open_group(draft, origin, enc).await?,
        _ => return Ok(Opened::Unsupported),
    };
    if matches!(opened, Opened::Plaintext { .. } | Opened::BadPadding | Opened::Duplicate) {
        draft.mark_seen(seen, inner.now());
    }
    Ok(opened)
}

/// This device's side of every session.
pub(crate) fn local(account: &Account) -> LocalIdentity<'_> {
    LocalIdentity::new(&account.identity, RegistrationId::new(account.registration_id))
}

async fn open_prekey(
    draft: &mut Draft<'_>,
    inner: &Inner,
    account: &Arc<Account>,
    origin: Origin<'_>,
    enc: &Enc,
) -> Result<Opened, StoreError> {
    let Origin { sender, device_identity: shown, .. } = origin;
    let header = match PreKeyMessageHeader::parse(&enc.ciphertext) {
        Ok(header) => header,
        Err(error) => return Ok(failed(&error)),
    };
    let proven = vouching::prove_sender(draft, inner, sender, &header.identity, shown).await?;
    let proven = match proven {
        Ok(proven) => proven,
        Err(refusal) => {
            vouching::refuse(inner, sender, refusal);
            return Ok(Opened::Failed(RetryReason::AdvFailure));
        }
    };
    let known = draft.identity(sender).await?;
    let identity_changed = known.is_some_and(|known| known != header.identity);
    // Sessions with another identity end once this one is proven; the record remembers them.
    let record = draft.session(sender).await?;
    let prekey = match header.prekey_id {
        Some(id) => draft.prekey(id).await?,
        None => None,
    };
    let signed = draft.signed_prekey(header.signed_prekey_id).await?;
    let (account, bytes) = (Arc::clone(account), enc.ciphertext.clone());
    let mut rng = inner.fork_rng();
    let decrypted = off_thread(move || {
        let (prekey, signed) = (prekey.as_ref(), signed.as_ref());
        record.decrypt_prekey(&local(&account), prekey, signed, &bytes, &mut rng)
    });
    let opened = settle(draft, sender, enc.version, decrypted.await, identity_changed).await?;
    if matches!(opened, Opened::Plaintext { .. } | Opened::BadPadding) {
        proven.keep(draft, sender);
    }
    Ok(opened)
}

async fn open_signal(
    draft: &mut Draft<'_>,
    inner: &Inner,
    account: &Arc<Account>,
    sender: &Jid,
    enc: &Enc,
) -> Result<Opened, StoreError> {
    let record = draft.session(sender).await?;
    let (account, bytes) = (Arc::clone(account), enc.ciphertext.clone());
    let mut rng = inner.fork_rng();
    let decrypted = off_thread(move || record.decrypt_signal(&local(&account), &bytes, &mut rng));
    settle(draft, sender, enc.version, decrypted.await, false).await
}

/// Puts what a session gave into the draft.
async fn settle(
    draft: &mut Draft<'_>,
    sender: &Jid,
    version: u8,
    decrypted: Result<Decrypted, DecryptError>,
    identity_changed: bool,
) -> Result<Opened, StoreError> {
    let decrypted = match decrypted {
        Ok(decrypted) => decrypted,
        Err(DecryptError::DuplicateMessage) => return Ok(Opened::Duplicate),
        Err(error) => return Ok(failed(&error)),
    };
    draft.put_session(sender, decrypted.session);
    if draft.identity(sender).await? != Some(decrypted.identity) {
        draft.accept_identity(sender, decrypted.identity).await?;
    }
    if let Some(id) = decrypted.used_prekey {
        draft.use_prekey(id);
    }
    Ok(unpadded(sender, decrypted.plaintext, version, identity_changed))
}

async fn open_group(
    draft: &mut Draft<'_>,
    origin: Origin<'_>,
    enc: &Enc,
) -> Result<Opened, StoreError> {
    let record = draft.sender_key(origin.chat, origin.sender).await?;
    let bytes = enc.ciphertext.clone();
    Ok(match off_thread(move || record.decrypt(&bytes)).await {
        Ok((record, plaintext)) => {
            draft.put_sender_key(origin.chat, origin.sender, record);
            unpadded(origin.sender, plaintext, enc.version, false)
        }
        Err(SenderKeyError::DuplicateMessage) => Opened::Duplicate,
        Err(error) => {
            tracing::debug!(%error, "a group message does not decrypt");
            Opened::Failed(reason::of_sender_key(&error))
        }
    })
}

/// Version 2 is padded, version 3 is not.
fn unpadded(sender: &Jid, plaintext: Vec<u8>, version: u8, identity_changed: bool) -> Opened {
    let opened = |bytes| Opened::Plaintext {
        said: Authenticated::opened(sender.clone(), bytes),
        identity_changed,
    };
    if version >= 3 {
        return opened(plaintext);
    }
    match padding::unpad(&plaintext) {
        Ok(bytes) => opened(bytes.to_vec()),
        Err(error) => {
            tracing::debug!(%error, "a decrypted message is not padded");
            Opened::BadPadding
        }
    }
}

fn failed(error: &DecryptError) -> Opened {
    tracing::debug!(%error, "a message does not decrypt");
    Opened::Failed(reason::of_session(error))
}
