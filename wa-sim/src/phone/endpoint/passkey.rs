//! The phone's part in linking by a passkey: it checks what was committed to, and shows the code
//! that the client has to show as well. Knows nothing of how the words travel, nor of what the
//! passkey signed, which the server checks.

use prost::Message as _;
use rand_core::Rng as _;
use wa_crypto::{KeyPair, PublicKey, aes_gcm_open, hkdf_sha256, hmac_sha256_verify, sha256};
use wa_proto::pb;

use super::Endpoint;
use crate::server::Server;

const HANDOFF_INFO: &[u8] = b"shortcake-passkey-handoff-v1";
const IDENTITY_INFO: &[u8] = b"Pairing Information Encryption Key";
const ALPHABET: &[u8; 32] = b"123456789ABCDEFGHJKLMNPQRSTVWXYZ";

/// A client that was asked for a passkey, as the phone sees it.
pub(crate) struct PasskeyLink {
    /// The secret of the code that was scanned or typed before.
    adv_secret: Vec<u8>,
    ephemeral: KeyPair,
    nonce: [u8; 32],
    identity: Option<pb::CompanionEphemeralIdentity>,
    commitment: Option<([u8; 32], Vec<u8>)>,
    /// What the phone shows to be compared.
    pub(crate) shown: Option<String>,
}

/// What a client's sealed identity says.
pub(crate) struct PasskeyIdentity {
    pub(crate) noise_key: PublicKey,
    pub(crate) identity: PublicKey,
    pub(crate) adv_secret: Vec<u8>,
}

impl Endpoint {
    /// Makes ready for a client that showed a code with this secret.
    pub(crate) fn begin_passkey(&mut self, server: &mut Server, adv_secret: Vec<u8>) {
        let mut nonce = [0; 32];
        server.rng.fill_bytes(&mut nonce);
        self.passkey = Some(PasskeyLink {
            adv_secret,
            ephemeral: KeyPair::random(&mut server.rng),
            nonce,
            identity: None,
            commitment: None,
            shown: None,
        });
    }

    /// The client's prologue: the phone's own half, unless it claims wrongly to come from the
    /// client that showed the code.
    pub(crate) fn passkey_prologue(
        &mut self,
        payload: &[u8],
        proof: Option<&[u8]>,
        reference: &str,
    ) -> Option<Vec<u8>> {
        let link = self.passkey.as_mut()?;
        // Without a proof it may be another client, which is why the code is compared then.
        if let Some(proof) = proof {
            let key = hkdf_sha256::<32>(&[], &link.adv_secret, HANDOFF_INFO);
            hmac_sha256_verify(&key, &[payload], proof).ok()?;
        }
        let prologue = pb::ProloguePayload::decode(payload).ok()?;
        let encoded = prologue.companion_ephemeral_identity?;
        let identity = pb::CompanionEphemeralIdentity::decode(&encoded[..]).ok()?;
        if identity.r#ref.as_deref() != Some(reference) {
            return None;
        }
        let hash: [u8; 32] = prologue.commitment?.hash?.as_ref().try_into().ok()?;
        link.identity = Some(identity);
        link.commitment = Some((hash, encoded.to_vec()));
        let answer = pb::PrimaryEphemeralIdentity {
            public_key: Some(link.ephemeral.public.as_bytes().to_vec().into()),
            nonce: Some(link.nonce.to_vec().into()),
        };
        Some(answer.encode_to_vec())
    }

    /// The client's nonce: from then on the phone shows the code, if the commitment holds.
    pub(crate) fn passkey_nonce(&mut self, nonce: &[u8]) -> Option<()> {
        let link = self.passkey.as_mut()?;
        let (hash, identity) = link.commitment.as_ref()?;
        if sha256(&[identity, nonce]) != *hash {
            return None;
        }
        let digest = sha256(&[nonce, link.ephemeral.public.as_bytes()]);
        let bits = link
            .nonce
            .iter()
            .zip(digest)
            .take(5)
            .fold(0_u64, |bits, (nonce, digest)| bits << 8 | u64::from(nonce ^ digest));
        let letter = |place: u64| {
            let index = usize::try_from(bits >> (5 * place) & 31).ok()?;
            ALPHABET.get(index).copied().map(char::from)
        };
        let mut shown: String = (0..8).rev().filter_map(letter).collect();
        shown.insert(4, '-');
        link.shown = Some(shown);
        Some(())
    }

    /// The client's sealed identity.
    pub(crate) fn passkey_identity(&mut self, sealed: &[u8]) -> Option<PasskeyIdentity> {
        let link = self.passkey.take()?;
        let _compared = link.shown?;
        let theirs = link.identity?;
        let public = PublicKey::from_slice(theirs.public_key.as_deref()?).ok()?;
        let shared = link.ephemeral.private.agree(&public).ok()?;
        let salt = format!("Companion Pairing {} with ref {}", theirs.device_type?, theirs.r#ref?);
        let key = hkdf_sha256::<32>(salt.as_bytes(), shared.as_bytes(), IDENTITY_INFO);
        let sealed = pb::EncryptedPairingRequest::decode(sealed).ok()?;
        let iv: [u8; 12] = sealed.iv?.as_ref().try_into().ok()?;
        let opened = aes_gcm_open(&key, &iv, &[], &sealed.encrypted_payload?).ok()?;
        let request = pb::PairingRequest::decode(&opened[..]).ok()?;
        Some(PasskeyIdentity {
            noise_key: PublicKey::from_slice(request.companion_public_key.as_deref()?).ok()?,
            identity: PublicKey::from_slice(request.companion_identity_key.as_deref()?).ok()?,
            adv_secret: request.adv_secret?.to_vec(),
        })
    }
}
