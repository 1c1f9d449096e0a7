//! The names of all kinds of stanza, so that a list of samples can be checked.
//!
//! The matches have no arm for "anything else": a kind that is new has to be named here.

use crate::{
    Stanza,
    stanza::{
        AccountChange, CallEvent, DevicesChangeKind, GroupChange, InfoItem, Iq, NotificationBody,
        ParticipantChangeKind, ReceiptKind, ServerRequest, StreamError,
    },
};

/// Every kind that has to have a sample.
pub const ALL: &[&str] = &[
    "message",
    "ack",
    "presence",
    "chatstate",
    "success",
    "failure",
    "stream end",
    "unknown",
    "receipt delivered",
    "receipt inactive",
    "receipt sender",
    "receipt read",
    "receipt read-self",
    "receipt played",
    "receipt played-self",
    "receipt retry",
    "receipt server-error",
    "receipt peer",
    "receipt history",
    "receipt other",
    "call offer",
    "call preaccept",
    "call accept",
    "call reject",
    "call terminate",
    "call other",
    "iq result",
    "iq error",
    "iq ping",
    "iq pair-device",
    "iq pair-success",
    "iq raw",
    "info preview",
    "info offline",
    "info routing",
    "info dirty",
    "info downgrade",
    "info raw",
    "stream restart",
    "stream ack missing",
    "stream malformed",
    "stream other",
    "notice prekeys",
    "notice identity",
    "notice devices add",
    "notice devices remove",
    "notice devices update",
    "notice collections",
    "notice picture",
    "notice media",
    "notice tokens",
    "notice link code",
    "notice link code refresh",
    "notice passkey",
    "notice passkey half",
    "notice about",
    "notice timer",
    "notice business",
    "notice newsletter",
    "notice mex",
    "notice raw",
    "account devices",
    "account privacy",
    "account picture",
    "account blocklist",
    "account timer",
    "account raw",
    "group created",
    "group deleted",
    "group add",
    "group remove",
    "group promote",
    "group demote",
    "group number",
    "group subject",
    "group description",
    "group locked",
    "group announcement",
    "group timer",
    "group link",
    "group approval",
    "group adding",
    "group request",
    "group request gone",
    "group linked",
    "group unlinked",
    "group suspended",
    "group raw",
];

/// The kinds of a stanza: more than one where it says several things.
pub fn of(stanza: &Stanza) -> Vec<&'static str> {
    match stanza {
        Stanza::Message(_) => vec!["message"],
        Stanza::Receipt(receipt) => vec![of_receipt(&receipt.kind)],
        Stanza::Ack(_) => vec!["ack"],
        Stanza::Notification(notification) => of_notice(&notification.body),
        Stanza::Call(call) => vec![of_call(&call.event)],
        Stanza::Iq(iq) => vec![of_iq(iq)],
        Stanza::Presence(_) => vec!["presence"],
        Stanza::ChatState(_) => vec!["chatstate"],
        Stanza::Info(items) => items.iter().map(of_info).collect(),
        Stanza::Success(_) => vec!["success"],
        Stanza::Failure(_) => vec!["failure"],
        Stanza::StreamError(error) => vec![of_stream_error(error)],
        Stanza::StreamEnd => vec!["stream end"],
        Stanza::Malformed(_) => vec!["malformed"],
        Stanza::Unknown(_) => vec!["unknown"],
    }
}

fn of_receipt(kind: &ReceiptKind) -> &'static str {
    match kind {
        ReceiptKind::Delivered => "receipt delivered",
        ReceiptKind::Inactive => "receipt inactive",
        ReceiptKind::Sender => "receipt sender",
        ReceiptKind::Read => "receipt read",
        ReceiptKind::ReadSelf => "receipt read-self",
        ReceiptKind::Played => "receipt played",
        ReceiptKind::PlayedSelf => "receipt played-self",
        ReceiptKind::Retry(_) => "receipt retry",
        ReceiptKind::ServerError => "receipt server-error",
        ReceiptKind::PeerMessage => "receipt peer",
        ReceiptKind::HistorySync => "receipt history",
        ReceiptKind::Other(_) => "receipt other",
    }
}

fn of_call(event: &CallEvent) -> &'static str {
    match event {
        CallEvent::Offer { .. } => "call offer",
        CallEvent::PreAccept => "call preaccept",
        CallEvent::Accept => "call accept",
        CallEvent::Reject => "call reject",
        CallEvent::Terminate { .. } => "call terminate",
        CallEvent::Other(_) => "call other",
    }
}

fn of_iq(iq: &Iq) -> &'static str {
    match iq {
        Iq::Result { .. } => "iq result",
        Iq::Error { .. } => "iq error",
        Iq::Request { request, .. } => match request {
            ServerRequest::Ping => "iq ping",
            ServerRequest::PairDevice(_) => "iq pair-device",
            ServerRequest::PairSuccess(_) => "iq pair-success",
            ServerRequest::Raw(_) => "iq raw",
        },
    }
}

fn of_info(item: &InfoItem) -> &'static str {
    match item {
        InfoItem::OfflinePreview { .. } => "info preview",
        InfoItem::Offline { .. } => "info offline",
        InfoItem::EdgeRouting(_) => "info routing",
        InfoItem::Dirty { .. } => "info dirty",
        InfoItem::DowngradeWebClient => "info downgrade",
        InfoItem::Raw(_) => "info raw",
    }
}

/// Those that unlink the device have no sample: they would end what is tested.
fn of_stream_error(error: &StreamError) -> &'static str {
    match error {
        StreamError::RestartRequired => "stream restart",
        StreamError::DeviceRemoved => "stream removed",
        StreamError::Replaced => "stream replaced",
        StreamError::NotAuthorized(_) => "stream not authorized",
        StreamError::ServiceUnavailable => "stream unavailable",
        StreamError::XmlNotWellFormed => "stream malformed",
        StreamError::AckMissing { .. } => "stream ack missing",
        StreamError::Other { .. } => "stream other",
    }
}

fn of_notice(body: &NotificationBody) -> Vec<&'static str> {
    vec![match body {
        NotificationBody::PreKeysLeft { .. } => "notice prekeys",
        NotificationBody::IdentityChanged { .. } => "notice identity",
        NotificationBody::Devices(change) => match change.kind {
            DevicesChangeKind::Add => "notice devices add",
            DevicesChangeKind::Remove => "notice devices remove",
            DevicesChangeKind::Update => "notice devices update",
        },
        NotificationBody::Account(changes) => return changes.iter().map(of_account).collect(),
        NotificationBody::ServerSync(_) => "notice collections",
        NotificationBody::Group(group) => return group.changes.iter().map(of_group).collect(),
        NotificationBody::Picture(_) => "notice picture",
        NotificationBody::MediaRetry(_) => "notice media",
        NotificationBody::PrivacyTokens { .. } => "notice tokens",
        NotificationBody::LinkCode(_) => "notice link code",
        NotificationBody::LinkCodeRefresh { .. } => "notice link code refresh",
        NotificationBody::PasskeyRequest { .. } => "notice passkey",
        NotificationBody::PasskeyContinuation { .. } => "notice passkey half",
        NotificationBody::About { .. } => "notice about",
        NotificationBody::DisappearingMode { .. } => "notice timer",
        NotificationBody::Business => "notice business",
        NotificationBody::Newsletter(_) => "notice newsletter",
        NotificationBody::Mex(_) => "notice mex",
        NotificationBody::Raw(_) => "notice raw",
    }]
}

fn of_account(change: &AccountChange) -> &'static str {
    match change {
        AccountChange::Devices { .. } => "account devices",
        AccountChange::Privacy(_) => "account privacy",
        AccountChange::Picture => "account picture",
        AccountChange::Blocklist(_) => "account blocklist",
        AccountChange::DisappearingMode { .. } => "account timer",
        AccountChange::Raw(_) => "account raw",
    }
}

fn of_group(change: &GroupChange) -> &'static str {
    match change {
        GroupChange::Created(_) => "group created",
        GroupChange::Deleted => "group deleted",
        GroupChange::Participants(change) => match change.kind {
            ParticipantChangeKind::Add => "group add",
            ParticipantChangeKind::Remove => "group remove",
            ParticipantChangeKind::Promote => "group promote",
            ParticipantChangeKind::Demote => "group demote",
        },
        GroupChange::NumberChanged(_) => "group number",
        GroupChange::Subject { .. } => "group subject",
        GroupChange::Description { .. } => "group description",
        GroupChange::Locked(_) => "group locked",
        GroupChange::Announcement(_) => "group announcement",
        GroupChange::Ephemeral(_) => "group timer",
        GroupChange::Invite(_) => "group link",
        GroupChange::MembershipApproval(_) => "group approval",
        GroupChange::MemberAddMode(_) => "group adding",
        GroupChange::JoinRequested { .. } => "group request",
        GroupChange::JoinRequestsRevoked(_) => "group request gone",
        GroupChange::Linked { .. } => "group linked",
        GroupChange::Unlinked { .. } => "group unlinked",
        GroupChange::Suspended(_) => "group suspended",
        GroupChange::Raw(_) => "group raw",
    }
}
