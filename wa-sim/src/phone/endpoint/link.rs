//! The phone's part in linking: reading a QR text, and signing for its companions.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use prost::Message as _;
use wa_crypto::{PublicKey, hmac_sha256};
use wa_proto::pb;

use super::Endpoint;
use crate::server::{ACCOUNT_SIGNATURE_PREFIX, IssuedIdentity, Server, SignDevice};

/// Before what the account signs of its list of companions.
const KEY_INDEX_SIGNATURE_PREFIX: [u8; 2] = [6, 2];

/// What a QR text says.
pub(crate) struct QrCode {
    pub(crate) reference: String,
    pub(crate) noise_key: PublicKey,
    pub(crate) identity: PublicKey,
    pub(crate) adv_secret: Vec<u8>,
}

impl QrCode {
    /// Reads `ref,noise,identity,adv[,client]`, bare or behind the `#` of a URL.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let fields = text.trim().split_once('#').map_or(text.trim(), |(_, fields)| fields);
        let mut fields = fields.split(',');
        let reference = fields.next()?.to_owned();
        let mut key = || PublicKey::from_slice(&STANDARD.decode(fields.next()?).ok()?).ok();
        let (noise_key, identity) = (key()?, key()?);
        let adv_secret = STANDARD.decode(fields.next()?).ok()?;
        (adv_secret.len() == 32).then_some(Self { reference, noise_key, identity, adv_secret })
    }
}

impl Endpoint {
    /// Signs for a new companion, sealed with the secret from its QR code.
    pub(crate) fn sign_device(
        &self,
        server: &mut Server,
        device: &SignDevice,
        adv_secret: &[u8],
    ) -> IssuedIdentity {
        let details = pb::AdvDeviceIdentity {
            raw_id: Some(self.raw_id),
            timestamp: Some(server.now),
            key_index: Some(device.key_index),
            account_type: Some(pb::AdvEncryptionType::E2ee.into()),
            device_type: Some(pb::AdvEncryptionType::E2ee.into()),
        }
        .encode_to_vec();
        let message =
            [&ACCOUNT_SIGNATURE_PREFIX[..], &details, device.identity.as_bytes()].concat();
        let account_signature = self.identity.private.sign(&message, &mut server.rng);
        let signed = pb::AdvSignedDeviceIdentity {
            details: Some(details.clone().into()),
            account_signature_key: Some(self.identity.public.as_bytes().to_vec().into()),
            account_signature: Some(account_signature.as_bytes().to_vec().into()),
            device_signature: None,
        }
        .encode_to_vec();
        let tag = hmac_sha256(adv_secret, &[&signed]);
        let sealed = pb::AdvSignedDeviceIdentityHmac {
            details: Some(signed.into()),
            hmac: Some(tag.to_vec().into()),
            account_type: None,
        }
        .encode_to_vec();
        let mut indexes = device.valid_indexes.clone();
        indexes.push(device.key_index);
        IssuedIdentity {
            key_index: device.key_index,
            details,
            account_key: self.identity.public,
            account_signature,
            sealed,
            key_index_list: self.sign_key_indexes(server, &indexes),
        }
    }

    /// The `ADVSignedKeyIndexList` that says which companions are the account's.
    pub(crate) fn sign_key_indexes(&self, server: &mut Server, companions: &[u32]) -> Vec<u8> {
        // Index 0 is the phone's own.
        let valid_indexes: Vec<u32> = [0].into_iter().chain(companions.iter().copied()).collect();
        let details = pb::AdvKeyIndexList {
            raw_id: Some(self.raw_id),
            timestamp: Some(server.now),
            current_index: valid_indexes.iter().copied().max(),
            valid_indexes,
            account_type: Some(pb::AdvEncryptionType::E2ee.into()),
        }
        .encode_to_vec();
        let message = [&KEY_INDEX_SIGNATURE_PREFIX[..], &details].concat();
        let signature = self.identity.private.sign(&message, &mut server.rng);
        pb::AdvSignedKeyIndexList {
            details: Some(details.into()),
            account_signature: Some(signature.as_bytes().to_vec().into()),
            account_signature_key: Some(self.identity.public.as_bytes().to_vec().into()),
        }
        .encode_to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comma_form() -> String {
        let key = |byte: u8| STANDARD.encode([byte; 32]);
        format!("2@ref,{},{},{},1", key(1), key(2), key(3))
    }

    #[test]
    fn both_forms_of_a_qr_text_are_read() {
        let bare = QrCode::parse(&comma_form()).unwrap();
        assert_eq!(bare.reference, "2@ref");
        assert_eq!(bare.identity.as_bytes(), &[2; 32]);
        let url = format!("https://wa.me/settings/linked_devices#{}", comma_form());
        let url = QrCode::parse(&url).unwrap();
        assert_eq!((url.reference, url.adv_secret), (bare.reference, vec![3; 32]));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "2@ref", "https://wa.me/1555", "a,b,c,d", "2@ref,AA==,AA==,AA=="] {
            assert!(QrCode::parse(text).is_none(), "{text}");
        }
    }
}
