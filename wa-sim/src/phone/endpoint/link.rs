//! The phone's part in linking: reading a QR text, and signing for its companions.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use wa_adv::{DeviceDetails, KeyIndexList, SignedDeviceIdentity, seal_identity};
use wa_crypto::PublicKey;

use super::Endpoint;
use crate::server::{IssuedIdentity, Server, SignDevice};

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
        &mut self,
        server: &mut Server,
        device: &SignDevice,
        adv_secret: &[u8],
    ) -> IssuedIdentity {
        let details = DeviceDetails {
            raw_id: self.raw_id,
            timestamp: server.now,
            key_index: device.key_index,
            ..DeviceDetails::default()
        };
        let (identity, rng) = (&device.identity, &mut server.rng);
        let identity = SignedDeviceIdentity::sign(&details, identity, &self.identity, rng);
        let sealed = seal_identity(&identity, adv_secret);
        let mut indexes = device.valid_indexes.clone();
        indexes.push(device.key_index);
        self.last_key_index = self.last_key_index.max(device.key_index);
        let key_index_list = self.sign_key_indexes(server, &indexes);
        IssuedIdentity { key_index: device.key_index, identity, sealed, key_index_list }
    }

    /// The `ADVSignedKeyIndexList` that says which companions are the account's.
    pub(crate) fn sign_key_indexes(&self, server: &mut Server, companions: &[u32]) -> Vec<u8> {
        // Index 0 is the phone's own.
        let valid: Vec<u32> = [0].into_iter().chain(companions.iter().copied()).collect();
        // The last that was ever given: an unlinked companion's index is not to come.
        let last = self.last_key_index;
        KeyIndexList::sign(self.raw_id, server.now, last, &valid, &self.identity, &mut server.rng)
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
