//! Who is behind a JID, and which JIDs are an account's: phone numbers and LIDs are two names for
//! the same person. Knows nothing of stanzas.

use wa_proto::{Jid, Server as NameSpace};

use super::{
    Server,
    account::{Account, Device},
    prekey_shelf::PrekeyShelf,
};
use crate::address::{DeviceAddress, PhoneNumber};

/// In which of its two forms an account is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// By phone number.
    Phone,
    /// By LID.
    Lid,
}

impl Addressing {
    pub(crate) fn of(jid: &Jid) -> Self {
        if jid.is_lid() { Self::Lid } else { Self::Phone }
    }

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Phone => Self::Lid,
            Self::Lid => Self::Phone,
        }
    }
}

impl Account {
    /// The account's JID, without a device.
    pub(crate) fn jid(&self, addressing: Addressing) -> Jid {
        match addressing {
            Addressing::Phone => Jid::phone(self.number.to_string()),
            Addressing::Lid => Jid::lid(self.lid.to_string()),
        }
    }
}

impl Server {
    /// The account behind a person's JID of either form.
    pub(crate) fn account_of(&self, jid: &Jid) -> Option<PhoneNumber> {
        let user = jid.user.parse().ok()?;
        match jid.server {
            NameSpace::User | NameSpace::Legacy => {
                let number = PhoneNumber::from_login(user);
                self.accounts.contains_key(&number).then_some(number)
            }
            NameSpace::Lid => self.lids.get(&user).copied(),
            _ => None,
        }
    }

    /// The device behind a JID of either form; whether the account has it is not looked at.
    pub(crate) fn address_of(&self, jid: &Jid) -> Option<DeviceAddress> {
        self.account_of(jid).map(|account| DeviceAddress::new(account, jid.device))
    }

    /// Whether two JIDs name the same person, or are the same group.
    pub(crate) fn is_same_user(&self, one: &Jid, other: &Jid) -> bool {
        if one.is_same_user(other) {
            return true;
        }
        let account = self.account_of(one);
        account.is_some() && account == self.account_of(other)
    }

    /// The JID of a device, or the bare server if there is no such account.
    pub(crate) fn device_jid(&self, address: DeviceAddress, addressing: Addressing) -> Jid {
        self.user_jid(address.account, addressing).with_device(address.device)
    }

    /// The JID of a person, or the bare server if there is no such account.
    pub(crate) fn user_jid(&self, account: PhoneNumber, addressing: Addressing) -> Jid {
        self.accounts.get(&account).map_or_else(Jid::server, |account| account.jid(addressing))
    }

    pub(crate) fn device(&self, address: DeviceAddress) -> Option<&Device> {
        self.accounts.get(&address.account)?.devices.get(&address.device)
    }

    pub(crate) fn device_mut(&mut self, address: DeviceAddress) -> Option<&mut Device> {
        self.accounts.get_mut(&address.account)?.devices.get_mut(&address.device)
    }

    /// All devices of an account, the phone first.
    pub(crate) fn devices_of(&self, account: PhoneNumber) -> Vec<DeviceAddress> {
        let account = self.accounts.get(&account);
        account
            .map(|account| {
                let devices = account.devices.keys();
                devices.map(|&device| DeviceAddress::new(account.number, device)).collect()
            })
            .unwrap_or_default()
    }

    /// All devices of several accounts, account by account.
    pub(crate) fn devices_of_all(
        &self,
        accounts: impl IntoIterator<Item = PhoneNumber>,
    ) -> Vec<DeviceAddress> {
        accounts.into_iter().flat_map(|account| self.devices_of(account)).collect()
    }

    /// Opens an account whose phone left these keys.
    pub(crate) fn open_account(&mut self, account: Account) {
        self.lids.insert(account.lid, account.number);
        self.accounts.insert(account.number, account);
    }

    /// The phone of an account has other keys from now on.
    pub(crate) fn renew_phone(
        &mut self,
        phone: DeviceAddress,
        shelf: PrekeyShelf,
        key_index_list: Vec<u8>,
    ) {
        let now = self.now;
        if let Some(device) = self.device_mut(phone) {
            device.shelf = shelf;
        }
        if let Some(account) = self.accounts.get_mut(&phone.account) {
            account.key_index_list = key_index_list;
            account.key_index_time = now;
        }
    }

    pub(crate) fn lid_is_taken(&self, lid: u64) -> bool {
        self.lids.contains_key(&lid)
    }
}
