//! Extended Triple Diffie-Hellman (<https://signal.org/docs/specifications/x3dh/>): the first
//! secret of a session. Knows nothing of messages.

use wa_crypto::{CheckedPublicKey, InvalidPublicKey, KeyPair, SharedSecret};
use zeroize::Zeroizing;

use crate::{
    PreKeyBundle,
    ratchet::{ChainKey, RootKey},
};

/// What the specification calls F: keeps the input apart from any XEdDSA input.
const DISCONTINUITY: [u8; 32] = [0xff; 32];

const INFO: &[u8] = b"WhisperText";

/// Who starts a session.
pub(crate) struct Initiator<'a> {
    pub(crate) identity: &'a KeyPair,
    pub(crate) base: &'a KeyPair,
}

impl Initiator<'_> {
    /// The secret shared with the owner of a bundle, and the owner's signed prekey.
    pub(crate) fn agree(
        &self,
        bundle: &PreKeyBundle,
    ) -> Result<(RootKey, ChainKey, CheckedPublicKey), InvalidPublicKey> {
        let signed_prekey = bundle.signed_prekey.key.check()?;
        let identity = bundle.identity.check()?;
        let prekey = bundle.prekey.map(|prekey| prekey.key.check()).transpose()?;
        let base = &self.base.private;
        let (root, chain) = derive(
            &self.identity.private.agree_checked(&signed_prekey),
            &base.agree_checked(&identity),
            &base.agree_checked(&signed_prekey),
            prekey.map(|prekey| base.agree_checked(&prekey)).as_ref(),
        );
        Ok((root, chain, signed_prekey))
    }
}

/// Whose prekeys a session is started with.
pub(crate) struct Responder<'a> {
    pub(crate) identity: &'a KeyPair,
    pub(crate) signed_prekey: &'a KeyPair,
    pub(crate) prekey: Option<&'a KeyPair>,
}

impl Responder<'_> {
    /// The secret shared with the sender of a prekey message.
    pub(crate) fn agree(
        &self,
        identity: &CheckedPublicKey,
        base: &CheckedPublicKey,
    ) -> (RootKey, ChainKey) {
        let signed_prekey = &self.signed_prekey.private;
        derive(
            &signed_prekey.agree_checked(identity),
            &self.identity.private.agree_checked(base),
            &signed_prekey.agree_checked(base),
            self.prekey.map(|prekey| prekey.private.agree_checked(base)).as_ref(),
        )
    }
}

fn derive(
    identity_with_signed: &SharedSecret,
    base_with_identity: &SharedSecret,
    base_with_signed: &SharedSecret,
    base_with_one_time: Option<&SharedSecret>,
) -> (RootKey, ChainKey) {
    let mut input = Zeroizing::new(Vec::with_capacity(5 * 32));
    input.extend_from_slice(&DISCONTINUITY);
    input.extend_from_slice(identity_with_signed.as_bytes());
    input.extend_from_slice(base_with_identity.as_bytes());
    input.extend_from_slice(base_with_signed.as_bytes());
    if let Some(secret) = base_with_one_time {
        input.extend_from_slice(secret.as_bytes());
    }
    RootKey::derive(&[0; 32], &input, INFO)
}
