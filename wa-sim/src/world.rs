//! The server and all phones together: one value that takes an input at a time and settles what it
//! sets off before the next. Knows nothing of bytes and tasks.

use std::collections::BTreeMap;

use wa_crypto::PublicKey;

use crate::{
    address::{DeviceAddress, PhoneNumber},
    media_host::Media,
    phone::{
        AddAccountError, LinkError, UnlinkError,
        endpoint::{Endpoint, QrCode, normal_code},
    },
    server::{CodeFinish, ConnectionId, PasskeyStep, PasskeyWord, Server, SignDevice},
};

/// The most accounts of a simulation.
pub(crate) const MAX_ACCOUNTS: usize = 10_000;

/// The longest account name, in characters.
const MAX_NAME: usize = 100;

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) phones: BTreeMap<PhoneNumber, Endpoint>,
    media: Media,
}

impl World {
    pub(crate) fn new(server: Server, media: Media) -> Self {
        Self { server, phones: BTreeMap::new(), media }
    }

    /// Gives the phones what the server has for them, until nobody has anything to say.
    pub(crate) fn settle(&mut self) {
        loop {
            if let Some((account, node)) = self.server.phone_inbox.pop_front() {
                if let Some(phone) = self.phones.get_mut(&account) {
                    phone.receive(&mut self.server, &node);
                }
            } else if let Some(address) = self.server.new_companions.pop_front() {
                if let Some(phone) = self.phones.get_mut(&address.account) {
                    phone.welcome_with_keys(&mut self.server, address);
                    phone.push_history(&mut self.server, address);
                }
            } else if let Some(address) = self.server.back_companions.pop_front() {
                if let Some(phone) = self.phones.get_mut(&address.account) {
                    phone.repeat_history(&mut self.server, address);
                }
            } else if let Some(address) = self.server.unlink_requests.pop_front() {
                // A device that asked for it may be gone by now.
                let _gone = self.unlink(address);
            } else if let Some(finish) = self.server.code_finishes.pop_front() {
                if self.finish_code(&finish).is_none() {
                    tracing::debug!("a client answered another code than was typed");
                }
            } else if let Some(step) = self.server.passkey_steps.pop_front() {
                if self.passkey_step(&step).is_none() {
                    tracing::debug!("a client's word about a passkey does not hold");
                }
            } else {
                return;
            }
        }
    }

    pub(crate) fn add_account(
        &mut self,
        number: PhoneNumber,
        name: String,
    ) -> Result<(), AddAccountError> {
        if self.phones.len() >= MAX_ACCOUNTS {
            return Err(AddAccountError::TooMany);
        }
        if name.chars().count() > MAX_NAME {
            return Err(AddAccountError::NameTooLong);
        }
        if self.phones.contains_key(&number) {
            return Err(AddAccountError::Exists);
        }
        let phone = Endpoint::register(&mut self.server, self.media.clone(), number, name);
        self.phones.insert(number, phone);
        Ok(())
    }

    /// The phone scans a QR text; the device it becomes is linked once the client has signed.
    pub(crate) fn scan_qr(
        &mut self,
        account: PhoneNumber,
        text: &str,
    ) -> Result<DeviceAddress, LinkError> {
        let code = QrCode::parse(text).ok_or(LinkError::NotACode)?;
        let offer = self.server.pairing_offer(&code.reference).ok_or(LinkError::Expired)?;
        if offer.static_key != code.noise_key || offer.identity != code.identity {
            return Err(LinkError::OtherKeys);
        }
        if self.server.demands_passkey(account) {
            self.begin_passkey(account, offer.connection, code.adv_secret)?;
            return Err(LinkError::PasskeyDemanded);
        }
        self.offer_link(account, offer.connection, code.identity, &code.adv_secret)
    }

    /// The phone signs for a client; answers which device it becomes.
    fn offer_link(
        &mut self,
        account: PhoneNumber,
        connection: ConnectionId,
        identity: PublicKey,
        adv_secret: &[u8],
    ) -> Result<DeviceAddress, LinkError> {
        let phone = self.phones.get_mut(&account).ok_or(LinkError::Expired)?;
        let kept = self.server.accounts.get_mut(&account).ok_or(LinkError::Expired)?;
        let device = kept.allot_device().ok_or(LinkError::TooManyDevices)?;
        let request = SignDevice {
            identity,
            key_index: u32::from(device),
            valid_indexes: self.server.key_indexes(account),
        };
        let issued = phone.sign_device(&mut self.server, &request, adv_secret);
        let address = DeviceAddress::new(account, device);
        self.server.offer_link(connection, address, issued);
        Ok(address)
    }

    /// The phone types a code; whether it was the right one shows in the client's answer.
    pub(crate) fn enter_code(
        &mut self,
        account: PhoneNumber,
        typed: &str,
    ) -> Result<(), LinkError> {
        let code = normal_code(typed).ok_or(LinkError::NotACode)?;
        let (connection, hello) = self.server.code_hello(account).ok_or(LinkError::Expired)?;
        let phone = self.phones.get_mut(&account).ok_or(LinkError::Expired)?;
        let wrapped =
            phone.type_code(&mut self.server, &code, &hello).ok_or(LinkError::NotACode)?;
        let identity = phone.identity_key().as_bytes().to_vec();
        self.server.send_primary_hello(connection, hello.reference, wrapped, identity);
        Ok(())
    }

    /// Links the client that answered, if its answer proves that it has the code; asks it for a
    /// passkey first if the account demands one.
    fn finish_code(&mut self, finish: &CodeFinish) -> Option<()> {
        let phone = self.phones.get_mut(&finish.account)?;
        let bundle = phone.open_code_bundle(&finish.reference, &finish.bundle)?;
        let waiting = self.server.waiting_identity(finish.connection)?;
        if waiting != bundle.identity {
            return None;
        }
        if self.server.demands_passkey(finish.account) {
            let secret = bundle.adv_secret.to_vec();
            return self.begin_passkey(finish.account, finish.connection, secret).ok();
        }
        let device =
            self.offer_link(finish.account, finish.connection, waiting, &bundle.adv_secret);
        device.ok().map(drop)
    }

    /// The phone scans a QR text, but its account demands a passkey of the client.
    pub(crate) fn ask_for_passkey(
        &mut self,
        account: PhoneNumber,
        text: &str,
    ) -> Result<(), LinkError> {
        let code = QrCode::parse(text).ok_or(LinkError::NotACode)?;
        let offer = self.server.pairing_offer(&code.reference).ok_or(LinkError::Expired)?;
        self.begin_passkey(account, offer.connection, code.adv_secret)
    }

    fn begin_passkey(
        &mut self,
        account: PhoneNumber,
        connection: ConnectionId,
        adv_secret: Vec<u8>,
    ) -> Result<(), LinkError> {
        let phone = self.phones.get_mut(&account).ok_or(LinkError::Expired)?;
        phone.begin_passkey(&mut self.server, adv_secret);
        self.server.ask_for_passkey(connection, account);
        Ok(())
    }

    fn passkey_step(&mut self, step: &PasskeyStep) -> Option<()> {
        let phone = self.phones.get_mut(&step.account)?;
        match &step.word {
            PasskeyWord::Prologue { payload, proof, reference } => {
                let half = phone.passkey_prologue(payload, proof.as_deref(), reference)?;
                self.server.send_primary_ephemeral(step.connection, half);
            }
            PasskeyWord::Nonce(nonce) => phone.passkey_nonce(nonce)?,
            PasskeyWord::Identity(sealed) => {
                let told = phone.passkey_identity(sealed)?;
                let keys = self.server.waiting_keys(step.connection)?;
                if keys != (told.noise_key, told.identity) {
                    return None;
                }
                self.offer_link(step.account, step.connection, told.identity, &told.adv_secret)
                    .ok()?;
            }
        }
        Some(())
    }

    /// The account is registered again, on a new phone: its companions are none any more.
    pub(crate) fn set_up_anew(&mut self, account: PhoneNumber) {
        for address in self.server.devices_of(account) {
            // The phone itself is no companion.
            let _phone = self.unlink(address);
        }
        if let Some(phone) = self.phones.get_mut(&account) {
            phone.set_up_anew(&mut self.server);
        }
    }

    /// The phone takes a companion off its account.
    pub(crate) fn unlink(&mut self, address: DeviceAddress) -> Result<(), UnlinkError> {
        if address.is_phone() || self.server.device(address).is_none() {
            return Err(UnlinkError::NoSuchDevice);
        }
        let phone = self.phones.get(&address.account).ok_or(UnlinkError::NoSuchDevice)?;
        let mut left = self.server.key_indexes(address.account);
        left.retain(|&index| index != u32::from(address.device));
        let list = phone.sign_key_indexes(&mut self.server, &left);
        self.server.unlink(address, list);
        Ok(())
    }
}
