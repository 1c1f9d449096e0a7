//! A phone as those see it who hold it: what it is told to do, and what it shows. How it does so
//! is its endpoint's business.

mod about;
mod account;
mod app_state;
mod calls;
pub(crate) mod endpoint;
mod file;
mod groups;
mod history;
mod newsletters;
mod outcome;
mod presence;

use std::{collections::BTreeMap, time::Duration};

use prost::Message as _;
use serde::Serialize;
use wa_proto::{
    Jid,
    content::{Content, MessageContext, Poll},
    pb::{self, message::protocol_message::Type as Setting},
};

use self::endpoint::{Chat, Endpoint, StoredMessage, chat_of, describe};
pub use self::{
    account::StatusAudience,
    app_state::{AppStateCounts, ChatSettings},
    calls::PhoneCall,
    file::{FileKind, OutgoingFile},
    groups::{GroupAction, GroupChangeRefused, GroupSettings},
    history::{
        HistoryError, HistoryMessage, HistoryPlan, HistoryUpload, MAX_HISTORY_CHATS,
        MAX_HISTORY_MESSAGES,
    },
    outcome::Outcome,
    presence::PhoneActivity,
};
use crate::{
    Sim,
    address::{DeviceAddress, InvalidPhoneNumber, PhoneNumber},
    passkey::Passkey,
    server::{Server, directory::Addressing},
    world::World,
};

/// The longest text a phone sends, in bytes.
pub const MAX_TEXT: usize = 65_536;

/// The largest file a phone sends, in bytes.
pub const MAX_FILE: usize = 8 << 20;

/// The most options of a poll.
pub const MAX_POLL_OPTIONS: usize = 12;

/// How far a message has come. In a list of one's own messages: how far it has come to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MessageStatus {
    /// Not with the server yet.
    Pending,
    /// The server refused it.
    Failed,
    /// With the server.
    Sent,
    /// On a device of the recipient; or, of others' messages, on this phone.
    Delivered,
    /// Read.
    Read,
}

/// A message as the phone shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PhoneMessage {
    /// Its id.
    pub id: String,
    /// The chat: a group, or the other person by phone number.
    #[serde(serialize_with = "as_text")]
    pub chat: Jid,
    /// Who wrote it, by phone number.
    #[serde(serialize_with = "as_text")]
    pub sender: Jid,
    /// The name of its [`Kind`](wa_proto::content::Kind): `text`, `image`, `voice-note`, `edit`
    /// and so on.
    pub kind: &'static str,
    /// What a person sees of it as text: the text, caption, emoji, question or name.
    pub text: Option<String>,
    /// Whether the account wrote it, on whichever device.
    pub from_me: bool,
    /// How far it has come.
    pub status: MessageStatus,
    /// When it was sent, in unix seconds.
    pub timestamp: u64,
    /// How it stands after what people did to it later.
    pub outcome: Outcome,
}

/// A device of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkedDevice {
    /// 0 is the phone.
    pub id: u16,
    /// Its JID by phone number.
    pub jid: Jid,
    /// What it said it runs on.
    pub platform: String,
    /// Whether it is connected.
    pub connected: bool,
}

/// No account was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddAccountError {
    /// The text is no phone number.
    #[error(transparent)]
    Number(#[from] InvalidPhoneNumber),
    /// The number has an account.
    #[error("there is an account with this number already")]
    Exists,
    /// The name has more than 100 characters.
    #[error("a name has at most 100 characters")]
    NameTooLong,
    /// The simulation has as many accounts as it can.
    #[error("there are 10,000 accounts already")]
    TooMany,
}

/// No group was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateGroupError {
    /// Nobody is in it.
    #[error("a group needs a participant")]
    NoParticipants,
    /// More than 1,024 participants.
    #[error("a group has at most 1,024 participants")]
    TooManyParticipants,
    /// The subject has more than 100 characters.
    #[error("a subject has at most 100 characters")]
    SubjectTooLong,
    /// The simulation has as many groups as it can.
    #[error("there are 10,000 groups already")]
    TooManyGroups,
}

/// A QR text was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// It is neither `ref,noise,identity,adv,client`, bare or behind a URL's `#`, nor a code of
    /// eight letters and digits.
    #[error("the text is not a code of a client")]
    NotACode,
    /// No client shows this code now.
    #[error("the code has expired, or no client shows it")]
    Expired,
    /// The client behind the code has other keys than the code says.
    #[error("the code's keys are not those of the client that shows it")]
    OtherKeys,
    /// The account has as many companions as it may.
    #[error("the account has ten companions already")]
    TooManyDevices,
    /// The account demands a passkey: the client was asked for one, and is linked once it had the
    /// request signed.
    #[error("the account demands a passkey, for which the client was asked")]
    PasskeyDemanded,
}

/// Nothing was unlinked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnlinkError {
    /// The account has no such companion.
    #[error("the account has no such companion")]
    NoSuchDevice,
}

/// Nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// Nobody has an account under this JID.
    #[error("the recipient has no account")]
    UnknownRecipient,
    /// There is no such group.
    #[error("there is no such group")]
    UnknownGroup,
    /// The account is not in the group.
    #[error("the account is not in the group")]
    NotAMember,
    /// Only admins of the group may write to it.
    #[error("only admins may write to the group")]
    AdminsOnly,
    /// The text, or the whole message, has more than [`MAX_TEXT`] bytes.
    #[error("a message has at most {MAX_TEXT} bytes")]
    TooLong,
    /// The file has more than [`MAX_FILE`] bytes.
    #[error("a file has at most {MAX_FILE} bytes")]
    FileTooLarge,
    /// The media host has no room left.
    #[error("the media host is full")]
    MediaFull,
    /// The phone has no message of this id in the chat.
    #[error("the phone has no message with this id in the chat")]
    UnknownMessage,
    /// Somebody else wrote the message.
    #[error("only a message of one's own can be edited or revoked")]
    NotOwnMessage,
    /// The message carries no secret with which others could add to it.
    #[error("the message has no secret: it is no poll and no event")]
    NoSecret,
    /// A poll has fewer than two options, or more than [`MAX_POLL_OPTIONS`], or the same twice.
    #[error("a poll has 2 to {MAX_POLL_OPTIONS} different options")]
    PollOptions,
    /// More options of a poll may be chosen than there are.
    #[error("a poll lets no more options be chosen than it has")]
    PollSelectable,
    /// Phones do not send this kind of content.
    #[error("a phone sends no message of this kind")]
    Unsendable,
}

/// An account's phone. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Phone {
    sim: Sim,
    number: PhoneNumber,
}

impl Phone {
    pub(crate) const fn new(sim: Sim, number: PhoneNumber) -> Self {
        Self { sim, number }
    }

    /// The phone's number.
    pub const fn number(&self) -> PhoneNumber {
        self.number
    }

    /// The account's JID by phone number.
    pub fn jid(&self) -> Jid {
        self.sim.with(|world| world.server.user_jid(self.number, Addressing::Phone))
    }

    /// The account's JID by LID.
    pub fn lid(&self) -> Jid {
        self.sim.with(|world| world.server.user_jid(self.number, Addressing::Lid))
    }

    /// Scans the QR text of a client, in its URL or its comma form. Answers the JID, by phone
    /// number, of the device the client becomes; it is linked once the client has signed for it
    /// (see [`Phone::wait_for_device`]).
    ///
    /// # Errors
    /// [`LinkError`] if no client shows this code now, or the account is full;
    /// [`LinkError::PasskeyDemanded`] if the client has to have a passkey sign first.
    pub fn scan_qr(&self, text: &str) -> Result<Jid, LinkError> {
        self.sim.with(|world| {
            let address = world.scan_qr(self.number, text)?;
            Ok(world.server.device_jid(address, Addressing::Phone))
        })
    }

    /// Types the code that a client shows, with or without its dash. The client is linked once it
    /// has answered with the same code (see [`Phone::wait_for_device`]).
    ///
    /// # Errors
    /// [`LinkError`] if it is no code, or no client waits for this phone.
    pub fn enter_code(&self, code: &str) -> Result<(), LinkError> {
        self.sim.with(|world| world.enter_code(self.number, code))
    }

    /// Makes the client that shows a code for this account show another one; answers whether there
    /// is such a client.
    pub fn refresh_code(&self) -> bool {
        self.sim.with(|world| world.server.refresh_code(self.number))
    }

    /// Scans the QR text of a client as [`Phone::scan_qr`] does, with an account that demands a
    /// passkey: the client is linked once it had the request signed, and its user has compared the
    /// code with [`Phone::passkey_code`].
    ///
    /// # Errors
    /// [`LinkError`] if no client shows this code now.
    pub fn demand_passkey(&self, text: &str) -> Result<(), LinkError> {
        self.sim.with(|world| world.ask_for_passkey(self.number, text))
    }

    /// Makes a passkey for the account, with which its authenticator signs from now on.
    pub fn create_passkey(&self) -> Passkey {
        self.sim.with(|world| {
            let passkey = Passkey::new(&mut world.server.rng);
            if let Some(account) = world.server.accounts.get_mut(&self.number) {
                account.passkeys.push(passkey.credential());
            }
            passkey
        })
    }

    /// Says whether every client that links from now on, by whatever code, is asked for a passkey.
    pub fn set_demands_passkey(&self, demands: bool) {
        self.sim.with(|world| {
            if let Some(account) = world.server.accounts.get_mut(&self.number) {
                account.demands_passkey = demands;
            }
        });
    }

    /// Whether clients that link are asked for a passkey.
    pub fn demands_passkey(&self) -> bool {
        self.sim.with(|world| world.server.demands_passkey(self.number))
    }

    /// The code that the phone shows for a client that links with a passkey, once the client has
    /// told enough.
    pub fn passkey_code(&self) -> Option<String> {
        self.sim.with(|world| world.phones.get(&self.number)?.passkey.as_ref()?.shown.clone())
    }

    /// Gives the account a name by which it can be found without its number.
    pub fn set_username(&self, name: &str) {
        self.act(|phone, server| {
            if let Some(account) = server.accounts.get_mut(&phone.address.account) {
                account.username = Some(name.to_owned());
            }
        });
    }

    /// Waits until a device is linked; answers whether it was.
    pub async fn wait_for_device(&self, device: u16, timeout: Duration) -> bool {
        let address = DeviceAddress::new(self.number, device);
        let linked = self.sim.wait_for(timeout, |world| world.server.device(address).map(drop));
        linked.await.is_some()
    }

    /// Waits until a device is linked whose id is above `last`; answers its id.
    pub(crate) async fn wait_for_new_device(&self, last: u16, timeout: Duration) -> Option<u16> {
        let look = |world: &World| {
            let devices = world.server.devices_of(self.number).into_iter();
            devices.map(|address| address.device).find(|&device| device > last)
        };
        self.sim.wait_for(timeout, look).await
    }

    /// Sends a text to a person or a group; answers the message's id.
    ///
    /// # Errors
    /// [`SendError`] if there is nobody to send to, or the text is too long.
    pub fn send_text(&self, to: &Jid, text: impl Into<String>) -> Result<String, SendError> {
        let mut context = MessageContext::default();
        context.expiration = self.timer(to);
        self.send_in_context(to, &Content::from(text.into()), &context)
    }

    /// Sends a picture to a person or a group, by way of the media host; answers the message's id.
    ///
    /// # Errors
    /// [`SendError`] if there is nobody to send to, or the picture or its caption is too large.
    pub fn send_image(
        &self,
        to: &Jid,
        picture: &[u8],
        caption: Option<String>,
    ) -> Result<String, SendError> {
        let mut file = OutgoingFile::new(FileKind::Image, picture);
        file.caption = caption;
        self.send_file(to, file)
    }

    /// Asks a question with options to choose from; `selectable` says how many at once, 0 any
    /// number. Answers the message's id.
    ///
    /// # Errors
    /// [`SendError`] if there is nobody to send to, or the options are not those of a poll.
    pub fn send_poll(
        &self,
        to: &Jid,
        question: impl Into<String>,
        options: Vec<String>,
        selectable: u32,
    ) -> Result<String, SendError> {
        let different: std::collections::BTreeSet<_> = options.iter().collect();
        if different.len() != options.len() || !(2..=MAX_POLL_OPTIONS).contains(&options.len()) {
            return Err(SendError::PollOptions);
        }
        if selectable as usize > options.len() {
            return Err(SendError::PollSelectable);
        }
        let context = self.secret_context();
        let poll = Poll::new(question, options, selectable);
        self.send_in_context(to, &Content::Poll(poll), &context)
    }

    /// Sends any content to a person or a group; answers the message's id.
    ///
    /// # Errors
    /// [`SendError`] if there is nobody to send to, or phones send no such content.
    pub fn send_content(&self, to: &Jid, content: &Content) -> Result<String, SendError> {
        self.send_in_context(to, content, &MessageContext::default())
    }

    fn send_in_context(
        &self,
        to: &Jid,
        content: &Content,
        context: &MessageContext,
    ) -> Result<String, SendError> {
        self.send(to, content.to_message(context).map_err(|_| SendError::Unsendable)?)
    }

    /// Sends any message to a person or a group; answers its id.
    ///
    /// # Errors
    /// [`SendError`] if there is nobody to send to, or the message is too long.
    pub fn send(&self, to: &Jid, message: pb::Message) -> Result<String, SendError> {
        if message.encoded_len() > MAX_TEXT {
            return Err(SendError::TooLong);
        }
        self.act(|phone, server| {
            let chat = chat_of(server, to).ok_or(SendError::UnknownRecipient)?;
            phone.send(server, &chat, &message)
        })
        .ok_or(SendError::UnknownRecipient)?
    }

    /// What the phone has sent and read, in the order in which it did.
    pub fn messages(&self) -> Vec<PhoneMessage> {
        self.sim.with(|world| self.all_shown(world))
    }

    /// How a poll stands that the phone has: the voters of each option, by phone number.
    pub fn poll(&self, id: &str) -> Option<BTreeMap<String, Vec<String>>> {
        self.messages().into_iter().find(|message| message.id == id)?.outcome.tally
    }

    fn all_shown(&self, world: &World) -> Vec<PhoneMessage> {
        let Some(phone) = world.phones.get(&self.number) else { return Vec::new() };
        let outcomes = outcome::outcomes(&world.server, phone.messages.iter());
        let shown = phone.messages.iter().zip(outcomes);
        shown.map(|(kept, outcome)| self.shown(&world.server, kept, outcome)).collect()
    }

    /// The timer of a chat, if one is set.
    fn timer(&self, chat: &Jid) -> Option<u32> {
        self.act(|phone, server| {
            let chat = chat_of(server, chat)?;
            let settings = phone.messages.iter().rev().filter(|kept| kept.chat == chat);
            let mut settings = settings.filter_map(|kept| {
                let protocol = kept.message.protocol_message.as_ref()?;
                (protocol.r#type() == Setting::EphemeralSetting)
                    .then(|| protocol.ephemeral_expiration.unwrap_or_default())
            });
            settings.next().filter(|seconds| *seconds != 0)
        })
        .flatten()
    }

    /// A message in full, by its id.
    pub fn message(&self, id: &str) -> Option<pb::Message> {
        self.sim.with(|world| {
            let messages = &world.phones.get(&self.number)?.messages;
            messages.iter().find(|kept| kept.id == id).map(|kept| kept.message.clone())
        })
    }

    /// Waits until the phone shows a message like this, for no longer than `timeout`.
    pub async fn wait_for_message(
        &self,
        matches: impl Fn(&PhoneMessage) -> bool,
        timeout: Duration,
    ) -> Option<PhoneMessage> {
        let look = |world: &World| self.all_shown(world).into_iter().find(&matches);
        self.sim.wait_for(timeout, look).await
    }

    /// Marks a chat as read, which the senders are told.
    pub fn mark_read(&self, chat: &Jid) {
        self.act(|phone, server| {
            if let Some(chat) = chat_of(server, chat) {
                phone.mark_read(server, &chat);
            }
        });
    }

    /// Whether everything that comes is marked as read at once; at first it is not.
    pub fn read_at_once(&self, on: bool) {
        self.act(|phone, _| phone.reads_at_once = on);
    }

    /// The account's devices, the phone first.
    pub fn devices(&self) -> Vec<LinkedDevice> {
        self.sim.with(|world| {
            let server = &world.server;
            let devices = server.devices_of(self.number).into_iter();
            devices
                .map(|address| LinkedDevice {
                    id: address.device,
                    jid: server.device_jid(address, Addressing::Phone),
                    platform: server
                        .device(address)
                        .map(|device| device.platform.clone())
                        .unwrap_or_default(),
                    connected: address.is_phone() || server.is_online(address),
                })
                .collect()
        })
    }

    /// Takes a companion off the account.
    ///
    /// # Errors
    /// [`UnlinkError`] if the account has no such companion.
    pub fn unlink(&self, device: u16) -> Result<(), UnlinkError> {
        self.sim.with(|world| world.unlink(DeviceAddress::new(self.number, device)))
    }

    /// Sets the account up on a new phone, which has other keys and no companions.
    pub fn set_up_anew(&self) {
        self.sim.with(|world| world.set_up_anew(self.number));
    }

    pub(crate) fn act<R>(&self, act: impl FnOnce(&mut Endpoint, &mut Server) -> R) -> Option<R> {
        self.sim.with(|world| {
            let phone = world.phones.get_mut(&self.number)?;
            Some(act(phone, &mut world.server))
        })
    }

    fn shown(&self, server: &Server, kept: &StoredMessage, outcome: Outcome) -> PhoneMessage {
        let (kind, text) = describe(&kept.message);
        let chat = match &kept.chat {
            Chat::Person(account) => server.user_jid(*account, Addressing::Phone),
            Chat::Group(group) => Jid::group(group.clone()),
            Chat::Status => Jid::status(),
        };
        PhoneMessage {
            id: kept.id.clone(),
            chat,
            sender: server.user_jid(kept.sender.account, Addressing::Phone),
            kind,
            text,
            from_me: kept.sender.account == self.number,
            status: kept.status,
            timestamp: kept.timestamp,
            outcome,
        }
    }
}

fn as_text<S: serde::Serializer>(jid: &Jid, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(jid)
}
