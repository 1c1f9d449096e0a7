//! What a change makes of the values at hand: which become known, and which have to be read again.
//!
//! Every kind of change says so here, and one that does not say it does not compile.

use compact_str::{CompactString, ToCompactString as _};
use wa_proto::Jid;

use super::entry::{Cached as _, Lookup, Value};
use crate::{Change, Changes, SyncChange, id::bare};

/// One thing that a commit alters.
#[derive(Clone)]
pub(in super::super) enum Touch {
    /// From the commit on this is what stands there; `None` for nothing.
    Known(Lookup, Option<Value>),
    /// It has to be read again.
    Unknown(Lookup),
    /// Several have to be read again, whichever they are.
    Swept(Sweep),
    /// A phone number and a LID are the same person's, and nobody else's.
    Names { phone: Jid, lid: Jid },
}

/// Values that a commit alters together.
#[derive(Clone)]
pub(in super::super) enum Sweep {
    /// The sessions with the devices of a user.
    SessionsOf(CompactString),
    /// The identity keys of the devices of a user.
    IdentitiesOf(CompactString),
    /// The sender keys that devices of a person told, in every group.
    SenderKeysOf(Jid),
    /// Who has the own sender key, in every group.
    SenderKeyHolders,
    /// All that stands under the devices of a person, under either name.
    Devices { phone: CompactString, lid: CompactString },
    /// Which names belong together, where one of them is the phone number or the LID.
    Names { phone: CompactString, lid: CompactString },
    /// What is forgotten with time.
    Aged,
    /// Everything.
    All,
}

impl Sweep {
    /// Whether it alters what stands under a key, where this value was found.
    pub(super) fn concerns(&self, key: &Lookup, value: Option<&Value>) -> bool {
        match self {
            Self::SessionsOf(user) => {
                matches!(key, Lookup::Session(device) if is_of(device, user))
            }
            Self::IdentitiesOf(user) => {
                matches!(key, Lookup::Identity(device) if is_of(device, user))
            }
            Self::SenderKeysOf(person) => {
                let is_theirs = |device: &str| {
                    let device = device.parse::<Jid>();
                    device.is_ok_and(|device| {
                        device.user == person.user && device.is_lid() == person.is_lid()
                    })
                };
                matches!(key, Lookup::SenderKey(_, device) if is_theirs(device))
            }
            Self::SenderKeyHolders => matches!(key, Lookup::SenderKeyHolders(_)),
            Self::Devices { phone, lid } => {
                let is_theirs = |text: &str| {
                    let person = text.parse().map(|jid: Jid| bare(&jid).to_compact_string());
                    person.is_ok_and(|person| person == *phone || person == *lid)
                };
                match key {
                    Lookup::Session(jid)
                    | Lookup::Identity(jid)
                    | Lookup::Voucher(jid)
                    | Lookup::DeviceList(jid)
                    | Lookup::KeyIndexList(jid)
                    | Lookup::SenderKey(_, jid) => is_theirs(jid),
                    Lookup::SenderKeyHolders(_) => true,
                    _ => false,
                }
            }
            Self::Names { phone, lid } => {
                let is_other = |name: &CompactString| match value {
                    Some(Value::Name(other)) => other.to_compact_string() == *name,
                    _ => false,
                };
                match key {
                    Lookup::LidOf(name) => name == phone || is_other(lid),
                    Lookup::PhoneOf(name) => name == lid || is_other(phone),
                    _ => false,
                }
            }
            Self::Aged => matches!(
                key,
                Lookup::Seen(_)
                    | Lookup::DeviceList(_)
                    | Lookup::SenderKey(..)
                    | Lookup::SenderKeyHolders(_)
            ),
            Self::All => true,
        }
    }
}

fn is_of(device: &str, user: &CompactString) -> bool {
    device.parse().is_ok_and(|device: Jid| device.to_user().to_compact_string() == *user)
}

/// What a commit alters, in the order of its changes.
pub(in super::super) fn touches(changes: &Changes) -> Vec<Touch> {
    let mut touched = Vec::new();
    for change in changes {
        touch(change, &mut touched);
    }
    touched
}

fn touch(change: &Change, touched: &mut Vec<Touch>) {
    use Touch::{Known, Swept, Unknown};
    match change {
        Change::Unlink => touched.push(Swept(Sweep::All)),
        Change::Upkeep { .. } => touched.push(Swept(Sweep::Aged)),
        Change::PutPreKeys(keys) => touched
            .extend(keys.iter().map(|key| Known(Lookup::PreKey(key.id), Some(key.clone().wrap())))),
        Change::RemovePreKey(id) => touched.push(Known(Lookup::PreKey(*id), None)),
        Change::MarkPreKeysUploaded(ids) => {
            touched.extend(ids.iter().map(|id| Unknown(Lookup::PreKey(*id))));
        }
        Change::PutSignedPreKey(key) => {
            let value = (**key).clone().wrap();
            touched.push(Known(Lookup::SignedPreKey(key.id), Some(value)));
        }
        Change::RemoveSignedPreKey(id) => touched.push(Known(Lookup::SignedPreKey(*id), None)),
        Change::PutSession { device, record } => {
            touched.push(Known(Lookup::session(device), Some(record.clone().wrap())));
        }
        Change::DeleteSession(device) => touched.push(Known(Lookup::session(device), None)),
        Change::DeleteSessionsOfUser(user) => {
            touched.push(Swept(Sweep::SessionsOf(text_of(user))));
        }
        Change::PutIdentity { device, key } => {
            touched.push(Known(Lookup::identity(device), Some(key.wrap())));
        }
        // What was told under the identity before goes with it.
        Change::AcceptIdentity { device, key } => touched.extend([
            Swept(Sweep::SenderKeysOf(device.to_user())),
            Known(Lookup::identity(device), Some(key.wrap())),
        ]),
        Change::VoidIdentitiesOfUser(user) => touched.extend([
            Swept(Sweep::SenderKeysOf(user.to_user())),
            Swept(Sweep::IdentitiesOf(text_of(user))),
        ]),
        Change::DeleteIdentitiesOfUser(user) => {
            touched.push(Swept(Sweep::IdentitiesOf(text_of(user))));
        }
        Change::DeleteSenderKeysOfDevice(device) => {
            touched.push(Swept(Sweep::SenderKeysOf(device.to_user())));
        }
        Change::DeleteIdentity(device) => touched.push(Known(Lookup::identity(device), None)),
        Change::LearnLid { phone, lid } => {
            let (phone, lid) = (bare(phone), bare(lid));
            if phone.is_phone() && lid.is_lid() {
                touched.push(Touch::Names { phone, lid });
            }
        }
        Change::MigrateToLid { phone, lid } => {
            touched.push(Swept(Sweep::Devices {
                phone: bare(phone).to_compact_string(),
                lid: bare(lid).to_compact_string(),
            }));
        }
        Change::PutDeviceList { user, list } => {
            touched.push(Known(Lookup::device_list(user), Some(list.clone().wrap())));
        }
        Change::DeleteDeviceList(user) => touched.push(Known(Lookup::device_list(user), None)),
        Change::PutDeviceVoucher { device, voucher } => {
            touched.push(Known(Lookup::voucher(device), Some(voucher.wrap())));
        }
        Change::PutKeyIndexList { user, list } => {
            touched.push(Known(Lookup::key_index_list(user), Some(list.clone().wrap())));
        }
        Change::MarkSeen { seen, .. } => touched.push(Known(Lookup::seen(seen), Some(Value::Seen))),
        Change::PutSetting { name, value } => {
            touched.push(Known(Lookup::setting(name), value.clone().map(Vec::wrap)));
        }
        Change::PutSenderKey { .. }
        | Change::DeleteSenderKey { .. }
        | Change::MarkSenderKeyHolders { .. }
        | Change::ForgetSenderKeyHolders(_)
        | Change::ForgetSenderKeyHolder(_)
        | Change::PutGroup(_)
        | Change::DeleteGroup(_) => touch_group(change, touched),
        Change::Sync(change) => touch_sync(change),
        Change::PutAccount(_)
        | Change::SetRetriesSent { .. }
        | Change::CountRetryAnswer { .. }
        | Change::NoteSessionRecreated { .. }
        | Change::RememberBaseKey { .. }
        | Change::PutSentMessage(_)
        | Change::SetSentAudience { .. }
        | Change::PutOutbox(_)
        | Change::SetOutboxState { .. }
        | Change::CountOutboxAttempt(_)
        | Change::RemoveOutbox(_)
        | Change::PutReceipt(_)
        | Change::RemoveReceipt(_)
        | Change::PutPlaceholder(_)
        | Change::NotePlaceholderRequested { .. }
        | Change::RemovePlaceholder(_)
        | Change::PutMessageSecret { .. }
        | Change::PutPrivacyToken { .. }
        | Change::DeletePrivacyToken(_)
        | Change::PutNctSalt(_)
        | Change::PutContact(_)
        | Change::PutChat(_)
        | Change::Audit(_)
        | Change::PruneAudit { .. }
        | Change::Announce { .. }
        | Change::Announced(_)
        | Change::PutHistoryChunk(_)
        | Change::RemoveHistoryChunk(_)
        | Change::PutHistoryGap(_)
        | Change::RemoveHistoryGap(_)
        | Change::Archive(_)
        | Change::SetStatus { .. }
        | Change::MarkByAssistant(_)
        | Change::Edit(_)
        | Change::Revoke { .. }
        | Change::React(_)
        | Change::Add(_)
        | Change::PutSealed(_)
        | Change::RemoveSealed { .. }
        | Change::SetSealedTried { .. }
        | Change::ExpireMessages { .. }
        | Change::SetStarred { .. }
        | Change::DeleteMessage(_)
        | Change::DeleteChat(_)
        | Change::DeleteMessagesBefore(_) => {}
    }
}

/// What is known of groups and their keys.
fn touch_group(change: &Change, touched: &mut Vec<Touch>) {
    touched.push(match change {
        Change::PutSenderKey { group, sender, record } => {
            Touch::Known(Lookup::sender_key(group, sender), Some(record.clone().wrap()))
        }
        Change::DeleteSenderKey { group, sender } => {
            Touch::Known(Lookup::sender_key(group, sender), None)
        }
        Change::MarkSenderKeyHolders { group, .. } | Change::ForgetSenderKeyHolders(group) => {
            Touch::Unknown(Lookup::sender_key_holders(group))
        }
        Change::ForgetSenderKeyHolder(_) => Touch::Swept(Sweep::SenderKeyHolders),
        Change::PutGroup(group) => Touch::Unknown(Lookup::group(&group.jid)),
        Change::DeleteGroup(group) => Touch::Known(Lookup::group(group), None),
        _ => return,
    });
}

/// Of the app state nothing is at hand; a change of it that alters something else says so here.
const fn touch_sync(change: &SyncChange) {
    match change {
        SyncChange::PutKeys(_)
        | SyncChange::NoteKeysRequested { .. }
        | SyncChange::Advance(_)
        | SyncChange::PutPending(_)
        | SyncChange::RemovePending(_)
        | SyncChange::PutLabel(_)
        | SyncChange::DeleteLabel(_)
        | SyncChange::SetLabel { .. }
        | SyncChange::PutQuickReply(_)
        | SyncChange::DeleteQuickReply(_)
        | SyncChange::SetStatusMuted { .. }
        | SyncChange::SetLocked { .. }
        | SyncChange::RemoveContactNames(_)
        | SyncChange::ClearChat { .. } => {}
    }
}

fn text_of(user: &Jid) -> CompactString {
    user.to_user().to_compact_string()
}
