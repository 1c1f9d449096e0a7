//! Entry point for fuzzing; a total function over any bytes.
//!
//! Takes foreign bytes to where a client would: decoding, then verifying with a fixed account's
//! key. Not part of the protocol and of no use to a client.

use wa_crypto::{KeyPair, PrivateKey};

use crate::{AccountKey, Address, KeyIndexList, KnownDevices, SignedDeviceIdentity, open_identity};

/// Takes the bytes for a device identity, a sealed one and a key index list. Whatever decodes must
/// read the same once it is encoded again, and nothing verifies that a fixed account did not sign.
pub fn device_identity(bytes: &[u8]) {
    let account = AccountKey::new(fixed_pair().public);
    let known = KnownDevices::new(account);
    if let Ok(signed) = SignedDeviceIdentity::decode(bytes) {
        assert_eq!(SignedDeviceIdentity::decode(&signed.encode()).as_ref(), Ok(&signed));
        for address in [Address::Ordinary, Address::Hosted] {
            let verified = signed.verify(&fixed_pair().public, address, &account);
            assert!(verified.is_err(), "nobody has signed for this account");
        }
    }
    if let Ok(list) = KeyIndexList::from_file(bytes) {
        assert_eq!(KeyIndexList::from_file(&list.to_bytes()).as_ref(), Ok(&list));
        let _ = known.advanced(list);
    }
    assert!(KeyIndexList::verify(bytes, &account).is_err(), "nobody has signed for this account");
    assert!(open_identity(bytes, &[7; 32]).is_err(), "nobody has sealed with this secret");
}

fn fixed_pair() -> KeyPair {
    KeyPair::from_private(PrivateKey::from_bytes([9; 32]))
}
