//! What the server keeps of an account and of each of its devices. Knows nothing of stanzas.

use std::collections::{BTreeMap, BTreeSet};

use wa_crypto::PublicKey;
use wa_proto::app_state::Collection;

use super::{
    app_state::StoredCollection, offline::OfflineQueue, prekey_shelf::PrekeyShelf,
    restrictions::Restrictions,
};
use crate::{
    address::{PHONE, PhoneNumber},
    passkey::Credential,
    stats::DeviceCounters,
};

/// The most companions an account may link.
pub(crate) const MAX_COMPANIONS: usize = 10;

#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) number: PhoneNumber,
    pub(crate) lid: u64,
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) about_set: u64,
    pub(crate) picture: Option<Picture>,
    /// The name by which it can be found.
    pub(crate) username: Option<String>,
    /// What it says of itself if it is a business.
    pub(crate) business: Option<String>,
    /// The timer of its new chats, in seconds, and when it was set.
    pub(crate) disappearing_mode: (u32, u64),
    /// Who sees its status posts: `whitelist` or `blacklist`, and the people on it.
    pub(crate) status_audience: Option<(&'static str, Vec<PhoneNumber>)>,
    pub(crate) restrictions: Restrictions,
    /// The passkeys that were registered for it.
    pub(crate) passkeys: Vec<Credential>,
    /// Whether a client that links with it is asked for one of them.
    pub(crate) demands_passkey: bool,
    pub(crate) devices: BTreeMap<u16, Device>,
    next_device: u16,
    /// The `ADVSignedKeyIndexList` as the phone last published it, and when.
    pub(crate) key_index_list: Vec<u8>,
    pub(crate) key_index_time: u64,
    pub(crate) privacy: BTreeMap<String, String>,
    pub(crate) blocked: BTreeSet<PhoneNumber>,
    /// The key of what its companions show where they have no token.
    pub(crate) nct_salt: Option<Vec<u8>>,
    /// With whom it has exchanged anything: who is told when its devices change.
    pub(crate) contacts: BTreeSet<PhoneNumber>,
    /// To whom it has written, who may therefore write to it.
    pub(crate) wrote_to: BTreeSet<PhoneNumber>,
    /// The app state, sealed.
    pub(crate) collections: BTreeMap<Collection, StoredCollection>,
}

/// A picture.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    pub(crate) id: String,
    pub(crate) jpeg: Vec<u8>,
    /// Where the media host has it.
    pub(crate) path: String,
}

/// What a companion said about the history it wants, when it was linked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HistoryWish {
    /// Everything, and not only what is given unasked.
    pub(crate) full: bool,
    /// The first part may come within its notice.
    pub(crate) inline: bool,
}

#[derive(Debug)]
pub(crate) struct Device {
    /// The static key of its connections; the phone makes none.
    pub(crate) noise_key: Option<PublicKey>,
    pub(crate) key_index: u32,
    /// The whole `ADVSignedDeviceIdentity`; empty for the phone.
    pub(crate) signed_identity: Vec<u8>,
    pub(crate) platform: String,
    pub(crate) history: HistoryWish,
    pub(crate) push_name: Option<String>,
    /// Whether it has ever got all it missed and gone on from there.
    pub(crate) was_live: bool,
    pub(crate) shelf: PrekeyShelf,
    pub(crate) queue: OfflineQueue,
    /// What is marked as changed, and when it was.
    pub(crate) dirty: BTreeMap<String, u64>,
    pub(crate) counters: DeviceCounters,
}

impl Account {
    pub(crate) fn new(number: PhoneNumber, lid: u64, name: String, phone: PrekeyShelf) -> Self {
        let device = Device {
            noise_key: None,
            key_index: 0,
            signed_identity: Vec::new(),
            platform: "phone".to_owned(),
            history: HistoryWish::default(),
            push_name: None,
            was_live: true,
            shelf: phone,
            queue: OfflineQueue::default(),
            dirty: BTreeMap::new(),
            counters: DeviceCounters::default(),
        };
        let privacy = DEFAULT_PRIVACY.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            number,
            lid,
            name,
            about: "Hey there! I am using WhatsApp.".to_owned(),
            about_set: 0,
            picture: None,
            username: None,
            business: None,
            disappearing_mode: (0, 0),
            status_audience: None,
            restrictions: Restrictions::default(),
            passkeys: Vec::new(),
            demands_passkey: false,
            devices: BTreeMap::from([(PHONE, device)]),
            next_device: 1,
            key_index_list: Vec::new(),
            key_index_time: 0,
            privacy: BTreeMap::from(privacy),
            blocked: BTreeSet::new(),
            nct_salt: None,
            contacts: BTreeSet::new(),
            wrote_to: BTreeSet::new(),
            collections: BTreeMap::new(),
        }
    }

    /// A device id that was never in use, or `None` if the account has all the companions it may.
    pub(crate) fn allot_device(&mut self) -> Option<u16> {
        if self.devices.len() > MAX_COMPANIONS {
            return None;
        }
        let device = self.next_device;
        self.next_device = self.next_device.checked_add(1)?;
        Some(device)
    }

    /// The public half of the key that signs the account's devices: the phone's identity.
    pub(crate) fn account_key(&self) -> Option<PublicKey> {
        self.devices.get(&PHONE).map(|phone| phone.shelf.identity())
    }

    /// The name that travels with the messages of a device.
    pub(crate) fn push_name(&self, device: u16) -> &str {
        let own = self.devices.get(&device).and_then(|device| device.push_name.as_deref());
        own.unwrap_or(&self.name)
    }
}

const DEFAULT_PRIVACY: [(&str, &str); 10] = [
    ("readreceipts", "all"),
    ("profile", "all"),
    ("status", "all"),
    ("online", "all"),
    ("last", "all"),
    ("groupadd", "all"),
    ("calladd", "all"),
    ("messages", "all"),
    ("defense", "off"),
    ("stickers", "contacts"),
];
