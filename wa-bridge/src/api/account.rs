//! The account as a whole: how it stands, its link, what waits on the server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation;
use crate::view::{AccountView, HealthView};

/// How the account stands.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Connect first, to see whether the link still holds.
    #[serde(default)]
    pub online: bool,
}
operation!(Status => StatusView, "account/status", Read,
    "Tells which account is linked, whether it is connected, and how much is kept.");

/// How the account stands.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct StatusView {
    /// The name of the profile.
    pub profile: String,
    /// The folder of the profile.
    pub folder: String,
    /// Who is linked; null if nobody is.
    pub account: Option<AccountView>,
    /// Whether there is a connection now, and messages come and go over it.
    pub connected: bool,
    /// Whether all that waited on the server is in the archive.
    pub caught_up: bool,
    /// What keeps the connection away, if something does.
    pub problem: Option<String>,
    /// Why WhatsApp restricts whom this account may write to, if it does.
    pub restriction: Option<String>,
    /// Seconds since something was last heard from the server.
    pub silent_for: Option<u64>,
    /// The database's size.
    pub database_bytes: u64,
    /// Messages in the archive.
    pub messages: u64,
    /// Chats.
    pub chats: u64,
    /// People.
    pub contacts: u64,
    /// Messages that are still to be sent.
    pub outbox_pending: u64,
    /// Messages that could not be read yet.
    pub unreadable: u64,
    /// Places where the history is known to have gaps.
    pub gaps: u64,
    /// Messages that wait for a person to agree.
    pub drafts: u64,
    /// Since when nothing of assistants leaves (RFC 3339); null where they may send.
    pub held_since: Option<String>,
    /// What the policy allows, in short.
    pub policy: String,
    /// How the process that owns the account is doing.
    pub health: HealthView,
}

/// Takes in what waits on the server.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CatchUp {}
operation!(CatchUp => SyncView, "account/sync", Read,
    "Connects and waits until all that waited on the server is in the archive.");

/// What a sync brought.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct SyncView {
    /// Messages that are new in the archive.
    pub messages: u64,
    /// Messages that are still to be sent.
    pub outbox_pending: u64,
    /// Messages that could not be read yet.
    pub unreadable: u64,
}

/// Begins to link this device, or goes on with it: waits for the next thing to show.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Show a code to type into the phone of this number, instead of one to scan.
    #[serde(default)]
    pub phone: Option<String>,
    /// How much of its past the phone is asked for.
    #[serde(default)]
    pub history: HistoryWanted,
    /// The name the phone shows for this device.
    #[serde(default)]
    pub device_name: Option<String>,
    /// The revision of the answer before, if this goes on with a link that has begun.
    #[serde(default)]
    pub after: Option<u64>,
}
operation!(Link => LinkView, "account/link", Link,
    "Begins to link this device to a phone, and tells what to show next.");

/// How much of its past the phone is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HistoryWanted {
    /// No messages of the past.
    None,
    /// What the phone gives unasked: some months.
    #[default]
    Recent,
    /// Everything the phone has.
    Full,
}

/// How far linking has come.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct LinkView {
    /// What to give as `after` to wait for the next state.
    pub revision: u64,
    /// The state.
    pub state: LinkState,
}

/// What is to be shown or done while a device is being linked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "state")]
#[non_exhaustive]
pub enum LinkState {
    /// The connection for it is being made.
    Starting,
    /// A text to show as a QR code. Whoever scans it links this device.
    Scan {
        /// The text.
        code: String,
        /// For how many seconds the phone accepts it.
        expires_in: u64,
    },
    /// A code to type into the phone. Whoever types it links this device.
    Type {
        /// The code.
        code: String,
        /// For how many seconds the phone accepts it.
        expires_in: u64,
    },
    /// A phone scanned the code whose version cannot link devices.
    PhoneTooOld,
    /// WhatsApp demands that the account's passkey signs, which it only does in the person's own
    /// browser on `https://web.whatsapp.com`.
    Passkey {
        /// What is to be signed: `PublicKeyCredentialRequestOptions` as JSON, in URL-safe base64.
        request: String,
        /// Six digits by which the person knows this request again.
        check: String,
        /// A page on this machine that leads the person through it, and takes the answer; its
        /// address is for the person alone.
        page: Option<String>,
        /// For how many seconds the answer is taken.
        expires_in: u64,
    },
    /// The passkey has signed; the phone is to go on.
    PasskeyAnswered,
    /// The person is to see whether the phone shows this code as well.
    PasskeyCompare {
        /// The code.
        code: String,
        /// The page on this machine on which they can say so.
        page: Option<String>,
        /// For how many seconds that is waited for.
        expires_in: u64,
    },
    /// The phone has accepted; this device is logging in.
    Accepted,
    /// Linked and logged in.
    Linked {
        /// As whom.
        account: AccountView,
        /// Whether it was linked before this began.
        already: bool,
    },
}

/// Ends the link of this device. The archive stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Logout {}
operation!(Logout => LoggedOutView, "account/logout", Link,
    "Unlinks this device from the account; the archive stays.");

/// Who is no longer linked.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct LoggedOutView {
    /// Who was.
    pub account: Option<AccountView>,
}
