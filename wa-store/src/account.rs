//! Who this device is: its long-term keys and what the server told it when it was linked.
//!
//! Knows nothing of prekeys and sessions, which have rows of their own.

use wa_crypto::{KeyPair, PublicKey};
use wa_proto::Jid;

use crate::{AdvSecret, Timestamp};

/// The one account a store belongs to.
///
/// It exists before the device is linked, because the QR code already shows its keys; `jid` is
/// filled by linking.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The registration id of this device, 1 to 16,380.
    pub registration_id: u32,
    /// The static key of the Noise handshake.
    pub noise: KeyPair,
    /// The Signal identity key.
    pub identity: KeyPair,
    /// The secret of the QR code.
    pub adv_secret: AdvSecret,
    /// The `ADVSignedDeviceIdentity` the phone gave, with this device's signature, as protobuf.
    pub device_identity: Option<Vec<u8>>,
    /// This device by phone number; `None` until it is linked.
    pub jid: Option<Jid>,
    /// This device by LID, where the account has one.
    pub lid: Option<Jid>,
    /// The name others see.
    pub push_name: Option<String>,
    /// The verified name of a business account.
    pub business_name: Option<String>,
    /// What the phone runs on (`android`, `iphone`, `smba`, …).
    pub platform: Option<String>,
    /// When the keys were made.
    pub created_at: Timestamp,
    /// When the phone accepted this device.
    pub linked_at: Option<Timestamp>,
    /// When the account's chats moved to LIDs, as the phone tells it.
    pub lid_migrated_at: Option<Timestamp>,
    /// The id the next one-time prekey gets; wraps at 24 bits.
    pub next_prekey_id: u32,
    /// The id the next signed prekey gets; wraps at 24 bits.
    pub next_signed_prekey_id: u32,
    /// The `routing_info` of the last `edge_routing`, sent with the next connection.
    pub routing_info: Option<Vec<u8>>,
    /// The server's static key of the last handshake, for a faster next one.
    pub server_static: Option<PublicKey>,
}

impl Account {
    /// A device that is not linked yet, whose next prekeys get the id 1.
    pub const fn new(
        registration_id: u32,
        noise: KeyPair,
        identity: KeyPair,
        adv_secret: AdvSecret,
        created_at: Timestamp,
    ) -> Self {
        Self {
            registration_id,
            noise,
            identity,
            adv_secret,
            device_identity: None,
            jid: None,
            lid: None,
            push_name: None,
            business_name: None,
            platform: None,
            created_at,
            linked_at: None,
            lid_migrated_at: None,
            next_prekey_id: 1,
            next_signed_prekey_id: 1,
            routing_info: None,
            server_static: None,
        }
    }

    /// Whether a phone has accepted this device.
    pub const fn is_linked(&self) -> bool {
        self.jid.is_some()
    }
}
