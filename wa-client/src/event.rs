//! What the client tells its user: one stream of one enum.
//!
//! Owns the events and their delivery. The durable record of messages is the archive, whose
//! sequence numbers let a listener that fell behind catch up; this stream is the live view of it.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{sync::broadcast, time::Instant};
use wa_proto::Jid;

use crate::health::Troubles;

mod account;
mod app_state;
mod call;
mod chat;
mod connection;
mod contact;
mod device;
mod group;
mod history;
mod message;
mod newsletter;
mod presence;

pub use account::{AccountEvent, Restriction};
pub use app_state::{AccountSetting, AddressBookEvent, AppStateEvent, SyncFailure};
pub use call::{CallEvent, CallState};
pub use chat::{ChatChange, ChatEvent};
pub use connection::{
    BanReason, ConnectRefusal, DisconnectReason, LogoutReason, OfflineCounts, PairingFailure,
};
pub use contact::ContactEvent;
pub use device::DeviceRefusal;
pub use group::GroupEvent;
pub use history::{ChunkFailure, HistoryEvent, HistoryKind};
pub use message::{
    LossReason, MessageChange, MessageEvent, Repair, SendState, StatusChange, UndecryptableReason,
};
pub use newsletter::NewsletterEvent;
pub use presence::{ChatPresenceEvent, PresenceEvent, Typing};

/// Something happened. `Debug` shows ids and never what people wrote.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A code for the phone to scan. The next one replaces it after `expires_in`.
    Qr {
        /// The text to show as a QR code. Whoever scans it links this device: treat as a secret.
        code: String,
        /// How long the phone will accept it.
        expires_in: Duration,
    },
    /// A code to type into the phone, see [`crate::Client::pair_with_code`]. The next one replaces
    /// it after `expires_in`.
    PairingCode {
        /// Eight characters in two groups of four. Whoever types it links this device: treat as a
        /// secret.
        code: String,
        /// How long the phone will accept it.
        expires_in: Duration,
    },
    /// The account links devices with a passkey: have an authenticator sign these options, and give
    /// its answer to [`crate::Client::answer_passkey`].
    PasskeyRequested {
        /// The options of a WebAuthn request, as JSON.
        options: String,
    },
    /// The passkey was accepted. Show the code to the user, who compares it with the one on the
    /// phone, then call [`crate::Client::confirm_passkey`].
    PasskeyConfirmation {
        /// Eight characters in two groups of four.
        code: String,
        /// Whether the phone knows this device already, so that nothing needs to be compared.
        may_skip: bool,
    },
    /// The account was linked and saved; the connection restarts by itself.
    PairingSucceeded {
        /// This device, by phone number.
        jid: Jid,
        /// This device, by LID.
        lid: Option<Jid>,
        /// What the phone runs on, as it says itself.
        platform: Option<String>,
    },
    /// Linking ended without a link. Connecting again makes new codes.
    PairingFailed {
        /// Why.
        reason: PairingFailure,
    },
    /// A phone scanned the code whose version cannot link devices. The codes stay valid.
    QrScannedWithoutMultidevice,
    /// Logged in, prekeys in order, active: messages may be sent from now on.
    Connected,
    /// The connection ended. [`Event::Reconnecting`] follows if another will be made.
    Disconnected {
        /// Why.
        reason: DisconnectReason,
    },
    /// Another connection will be made.
    Reconnecting {
        /// 1 for the first attempt after a connection that lasted.
        attempt: u32,
        /// How long from now.
        delay: Duration,
    },
    /// This device is no longer linked; the client must not be used further.
    LoggedOut {
        /// Why.
        reason: LogoutReason,
    },
    /// Another connection of the same device took over. None is made by this client until asked.
    Replaced,
    /// The account is banned for a while. No connection is made until asked.
    TemporaryBan {
        /// What for.
        reason: BanReason,
        /// How long, if the server said.
        expires_in: Option<Duration>,
    },
    /// The server refuses this device for good. No connection is made until asked.
    ConnectFailure {
        /// Why.
        reason: ConnectRefusal,
    },
    /// The server wants a newer client version, and no newer one could be found.
    ClientOutdated,
    /// The server wanted a newer client version; this one was found and is used from now on.
    VersionRefreshed {
        /// The version, `2.3000.1` for instance.
        version: String,
    },
    /// Nothing has been heard for a while, pings included. The connection is kept for now.
    KeepAliveTimeout {
        /// How long.
        silent_for: Duration,
    },
    /// The silence is over.
    KeepAliveRestored,
    /// The server ended the stream with a code this version has no special meaning for.
    StreamError {
        /// The code, or the condition's tag where there was none.
        code: String,
    },
    /// What waited on the server while this device was offline.
    OfflineSyncPreview(OfflineCounts),
    /// All of it has been received.
    OfflineSyncCompleted {
        /// How many stanzas, by the server's count.
        count: u32,
    },
    /// A message was received, or sent by another device of this account, and is archived.
    Message(MessageEvent),
    /// A message that is in the archive changed: edited, reacted to, revoked, voted on, pinned,
    /// and so on.
    MessageChanged(MessageChange),
    /// A group changed, or this account came into one or left it.
    Group(GroupEvent),
    /// What became of messages sent: delivered, read, played.
    StatusChanged(StatusChange),
    /// What became of one message on its way out.
    SendStatus {
        /// The chat it goes to.
        chat: Jid,
        /// Its id.
        id: String,
        /// How far it has come.
        state: SendState,
    },
    /// A message arrived that cannot be read yet; other devices have been asked for it.
    UndecryptableMessage {
        /// The chat.
        chat: Jid,
        /// Who sent it.
        sender: Jid,
        /// Its id.
        id: String,
        /// Why it cannot be read.
        reason: UndecryptableReason,
    },
    /// A message that could not be read before is now archived.
    MessageRepaired {
        /// The message.
        message: MessageEvent,
        /// How it came in the end.
        by: Repair,
    },
    /// Every way to get a message has been tried.
    MessageLost {
        /// The chat.
        chat: Jid,
        /// Who sent it.
        sender: Jid,
        /// Its id.
        id: String,
        /// What was tried last.
        reason: LossReason,
    },
    /// Something happened to the history that the phone gives.
    History(HistoryEvent),
    /// A person's identity key changed: they installed WhatsApp anew, or somebody else did.
    IdentityChanged {
        /// The person.
        user: Jid,
        /// Whether it was noticed from a message rather than told by the server.
        implicit: bool,
    },
    /// A device is not taken for the account's whose it claims to be: the server named it, or it
    /// wrote, and nothing is encrypted to it. Told once for each device and reason.
    DeviceUnverified {
        /// The device, by LID where it is known.
        device: Jid,
        /// Why.
        reason: DeviceRefusal,
    },
    /// Somebody who is watched came or went.
    Presence(PresenceEvent),
    /// Somebody writes in a chat, or stopped.
    ChatPresence(ChatPresenceEvent),
    /// Something happened in a channel.
    Newsletter(NewsletterEvent),
    /// News of a call.
    Call(CallEvent),
    /// Something of the account changed, here, on another device or at the server.
    Account(AccountEvent),
    /// Somebody, or a group, shows something else than before.
    Contact(ContactEvent),
    /// A chat's settings changed, on whichever device.
    Chat(ChatEvent),
    /// A person in the address book changed, on whichever device.
    AddressBook(AddressBookEvent),
    /// What the devices of the account keep in common was brought up to date, or was not.
    AppState(AppStateEvent),
    /// The server restricts what this account may send. What it refused is never sent again.
    AccountRestricted {
        /// The server's code.
        code: u16,
        /// What keeps the account from sending.
        restriction: Restriction,
        /// When the restriction ends, in seconds since 1970, if known.
        until: Option<u64>,
    },
    /// This listener was too slow: so many events were dropped from its stream. Messages among
    /// them are in the archive, after the last sequence number seen.
    Lagged {
        /// How many.
        missed: u64,
    },
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Event {
    /// The variant's name: all of an event that is fit for a log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Qr { .. } => "Qr",
            Self::PairingCode { .. } => "PairingCode",
            Self::PasskeyRequested { .. } => "PasskeyRequested",
            Self::PasskeyConfirmation { .. } => "PasskeyConfirmation",
            Self::PairingSucceeded { .. } => "PairingSucceeded",
            Self::PairingFailed { .. } => "PairingFailed",
            Self::QrScannedWithoutMultidevice => "QrScannedWithoutMultidevice",
            Self::Connected => "Connected",
            Self::Disconnected { .. } => "Disconnected",
            Self::Reconnecting { .. } => "Reconnecting",
            Self::LoggedOut { .. } => "LoggedOut",
            Self::Replaced => "Replaced",
            Self::TemporaryBan { .. } => "TemporaryBan",
            Self::ConnectFailure { .. } => "ConnectFailure",
            Self::ClientOutdated => "ClientOutdated",
            Self::VersionRefreshed { .. } => "VersionRefreshed",
            Self::KeepAliveTimeout { .. } => "KeepAliveTimeout",
            Self::KeepAliveRestored => "KeepAliveRestored",
            Self::StreamError { .. } => "StreamError",
            Self::OfflineSyncPreview(_) => "OfflineSyncPreview",
            Self::OfflineSyncCompleted { .. } => "OfflineSyncCompleted",
            Self::Message(_) => "Message",
            Self::MessageChanged(_) => "MessageChanged",
            Self::Group(_) => "Group",
            Self::StatusChanged(_) => "StatusChanged",
            Self::SendStatus { .. } => "SendStatus",
            Self::UndecryptableMessage { .. } => "UndecryptableMessage",
            Self::MessageRepaired { .. } => "MessageRepaired",
            Self::MessageLost { .. } => "MessageLost",
            Self::History(_) => "History",
            Self::IdentityChanged { .. } => "IdentityChanged",
            Self::DeviceUnverified { .. } => "DeviceUnverified",
            Self::Newsletter(_) => "Newsletter",
            Self::Call(_) => "Call",
            Self::Account(_) => "Account",
            Self::Contact(_) => "Contact",
            Self::Presence(_) => "Presence",
            Self::ChatPresence(_) => "ChatPresence",
            Self::Chat(_) => "Chat",
            Self::AddressBook(_) => "AddressBook",
            Self::AppState(_) => "AppState",
            Self::AccountRestricted { .. } => "AccountRestricted",
            Self::Lagged { .. } => "Lagged",
        }
    }
}

/// Every event from the moment of subscribing on.
///
/// Up to [`EVENT_BUFFER`] events wait for a slow listener; beyond that the oldest are dropped
/// from its stream, and it is told so by [`Event::Lagged`]. Nothing is lost with them: messages
/// are in the archive before they become events.
///
/// What a commit brought into the archive or altered there is told once, in the order of commits,
/// whatever becomes of the connection it came on. After a crash the next [`crate::Client::connect`]
/// tells first what was committed and not told, and may tell again what was told right before:
/// whoever must not do something twice remembers [`MessageEvent::sequence`], and that an alteration
/// tells only that a message is to be looked at again.
#[derive(Debug)]
pub struct EventStream {
    receiver: broadcast::Receiver<Event>,
}

/// How many events wait for a slow listener.
pub const EVENT_BUFFER: usize = 4096;

impl EventStream {
    /// The next event, or nothing once every clone of the client is gone.
    pub async fn next(&mut self) -> Option<Event> {
        match self.receiver.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(missed)) => Some(Event::Lagged { missed }),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }

    /// The next event if there is one already.
    pub fn try_next(&mut self) -> Option<Event> {
        match self.receiver.try_recv() {
            Ok(event) => Some(event),
            Err(broadcast::error::TryRecvError::Lagged(missed)) => Some(Event::Lagged { missed }),
            Err(_) => None,
        }
    }
}

/// The sending side, shared by everything in the client.
#[derive(Debug, Clone)]
pub(crate) struct EventSender {
    sender: broadcast::Sender<Event>,
    troubles: Arc<Troubles>,
}

impl EventSender {
    pub(crate) fn new() -> Self {
        Self { sender: broadcast::Sender::new(EVENT_BUFFER), troubles: Arc::default() }
    }

    /// What the events say of how the client is doing.
    pub(crate) fn troubles(&self) -> &Troubles {
        &self.troubles
    }

    pub(crate) fn emit(&self, event: Event) {
        tracing::debug!(event = event.name(), "event");
        self.troubles.heard(&event, Instant::now());
        // An error means that nobody listens, which is everybody's right.
        let _ = self.sender.send(event);
    }

    pub(crate) fn subscribe(&self) -> EventStream {
        EventStream { receiver: self.sender.subscribe() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_slow_listener_is_told_how_much_it_missed() {
        let sender = EventSender::new();
        let mut stream = sender.subscribe();
        for _ in 0..EVENT_BUFFER + 3 {
            sender.emit(Event::Connected);
        }
        assert_eq!(stream.next().await, Some(Event::Lagged { missed: 3 }));
        assert_eq!(stream.next().await, Some(Event::Connected));
    }

    #[test]
    fn debug_shows_no_code_and_no_number() {
        let qr = Event::Qr { code: "2@secret".into(), expires_in: Duration::ZERO };
        let paired =
            Event::PairingSucceeded { jid: Jid::phone("15550001111"), lid: None, platform: None };
        assert_eq!(format!("{qr:?} {paired:?}"), "Qr PairingSucceeded");
    }
}
