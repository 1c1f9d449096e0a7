//! Why connections, links and accounts end, as the server says it.
//!
//! Owns the meaning of the codes; what is done about them is decided in the connection.

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// [`crate::Client::disconnect`] or [`crate::Client::logout`] was called.
    Requested,
    /// The server asked for a new connection, as it does after linking (code 515).
    RestartRequired,
    /// The socket closed or failed.
    ConnectionLost,
    /// The login was not carried through.
    LoginIncomplete,
    /// Nothing was heard for three minutes.
    Silence,
    /// No connection could be made: unreachable, refused, or no answer in time.
    Unreachable,
    /// The server answered the WebSocket request with this HTTP status.
    HttpStatus(u16),
    /// The other side is not the WhatsApp server, or not with a valid certificate.
    UntrustedServer,
    /// Bytes came that are no valid frame, node or handshake.
    Protocol,
    /// The server ended the stream; what follows says more.
    StreamError,
    /// The server refused the login; what follows says more.
    Refused,
    /// The database failed, so that going on would lose messages.
    Storage,
    /// A part of this program panicked; [`crate::Client::health`] counts it.
    Bug,
}

/// Why this device is no longer linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogoutReason {
    /// [`crate::Client::logout`] was called.
    Requested,
    /// The device was removed on the phone, or by the server (401).
    DeviceRemoved,
    /// The account's phone is gone, or the account is locked (403).
    PhoneGone,
    /// The server does not say; accounts that are banned get this (406).
    Unknown,
}

/// Why linking ended without a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PairingFailure {
    /// Nobody scanned or typed any of the codes in time.
    Timeout,
    /// What the phone said for linking by passkey cannot be used.
    Passkey,
    /// What the phone signed is not signed with the secret of the code it scanned.
    WrongSecret,
    /// The phone's account signature over this device does not verify.
    WrongSignature,
    /// The phone's answer is incomplete or malformed.
    Malformed,
    /// The new account could not be saved.
    Storage,
    /// The connection ended before the phone had scanned a code.
    ConnectionEnded,
}

/// Why the server refuses this device for good.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectRefusal {
    /// The server's certificate is not one of WhatsApp's, or not valid now.
    UntrustedServer,
    /// The user agent is refused (409).
    BadUserAgent,
    /// A code without a meaning known to this version.
    Code(u16),
}

/// What an account was banned for, for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BanReason {
    /// 101: messages to too many people who do not know the sender.
    TooManyPeople,
    /// 102: too many people blocked the sender.
    BlockedByUsers,
    /// 103: too many groups with people who do not know their creator.
    TooManyGroups,
    /// 104: the same message too often.
    SameMessageTooOften,
    /// 106: too many messages to a broadcast list.
    BroadcastList,
    /// A code without a meaning known to this version, or none.
    Other(Option<u16>),
}

impl BanReason {
    /// What a code means.
    pub fn from_code(code: Option<u16>) -> Self {
        match code {
            Some(101) => Self::TooManyPeople,
            Some(102) => Self::BlockedByUsers,
            Some(103) => Self::TooManyGroups,
            Some(104) => Self::SameMessageTooOften,
            Some(106) => Self::BroadcastList,
            other => Self::Other(other),
        }
    }
}

/// What waits on the server, by kind of stanza.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OfflineCounts {
    /// Everything.
    pub total: u32,
    /// Messages.
    pub messages: u32,
    /// Receipts.
    pub receipts: u32,
    /// Notifications.
    pub notifications: u32,
    /// Changes of app state.
    pub app_data_changes: u32,
}
