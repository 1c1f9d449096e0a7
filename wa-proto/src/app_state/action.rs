//! What stands at an entry: actions as values.
//!
//! An entry that was removed reads as its default: a chat without a pin, a person without a name.
//! Where a removal undoes nothing (a chat that was emptied stays so) it is kept as it came.

use std::fmt;

use bytes::Bytes;
use compact_str::CompactString;

use super::{MessageEntry, MessageRange, SyncEntry, SyncIndex};
use crate::{Jid, pb::SyncActionValue};

/// Whether a value was set or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SyncOperation {
    /// It stands there from now on.
    Set,
    /// Nothing stands there from now on.
    Remove,
}

/// One thing that a device of the account tells the others. `Debug` shows its name alone.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum SyncAction {
    /// A chat is silent, or no longer.
    Mute {
        /// The chat.
        chat: Jid,
        /// Until when; `None` if it is not silent.
        until: Option<MuteEnd>,
    },
    /// A chat is pinned, or no longer.
    Pin {
        /// The chat.
        chat: Jid,
        /// Whether it is.
        pinned: bool,
    },
    /// A chat is archived, or no longer.
    Archive {
        /// The chat.
        chat: Jid,
        /// Whether it is.
        archived: bool,
        /// Up to which message.
        range: Option<MessageRange>,
    },
    /// A chat was read, or marked as unread.
    MarkRead {
        /// The chat.
        chat: Jid,
        /// Whether it is read.
        read: bool,
        /// Up to which message.
        range: Option<MessageRange>,
    },
    /// A chat was emptied.
    ClearChat {
        /// The chat.
        chat: Jid,
        /// Whether starred messages went too.
        starred_too: bool,
        /// Whether media files went too.
        media_too: bool,
        /// Up to which message.
        range: Option<MessageRange>,
    },
    /// A chat was deleted.
    DeleteChat {
        /// The chat.
        chat: Jid,
        /// Whether media files went too.
        media_too: bool,
        /// Up to which message.
        range: Option<MessageRange>,
    },
    /// A message was deleted on the own devices.
    DeleteForMe {
        /// The message.
        message: MessageEntry,
        /// Whether its file went too.
        media_too: bool,
        /// Its time, in seconds since 1970.
        timestamp: Option<i64>,
    },
    /// A message has a star, or no longer.
    Star {
        /// The message.
        message: MessageEntry,
        /// Whether it has.
        starred: bool,
    },
    /// A person is in the address book under these names, or no longer.
    Contact {
        /// The person.
        person: Jid,
        /// The names; `None` if they were removed.
        names: Option<ContactNames>,
    },
    /// The same for a person known by LID alone.
    LidContact {
        /// The person.
        person: Jid,
        /// The names; `None` if they were removed.
        names: Option<ContactNames>,
    },
    /// A person's status posts are hidden, or no longer.
    StatusMute {
        /// The person.
        person: Jid,
        /// Whether they are.
        muted: bool,
    },
    /// The own name.
    PushName(String),
    /// The language, `de_DE` for instance.
    Locale(String),
    /// Whether archived chats come back with new messages.
    UnarchiveChats(bool),
    /// Whether links are shown without a preview.
    DisableLinkPreviews(bool),
    /// Whether calls go through a server.
    RelayAllCalls(bool),
    /// Whether times are shown with 24 hours.
    TwentyFourHours(bool),
    /// A chat is locked, or no longer.
    Lock {
        /// The chat.
        chat: Jid,
        /// Whether it is.
        locked: bool,
    },
    /// A label was made, changed or deleted.
    Label {
        /// The label's id.
        id: CompactString,
        /// What it is now; `None` if it is no more.
        edit: Option<LabelEdit>,
    },
    /// A chat has a label, or no longer.
    LabelChat {
        /// The label's id.
        label: CompactString,
        /// The chat.
        chat: Jid,
        /// Whether it has.
        labeled: bool,
    },
    /// A message has a label, or no longer.
    LabelMessage {
        /// The label's id.
        label: CompactString,
        /// The message.
        message: MessageEntry,
        /// Whether it has.
        labeled: bool,
    },
    /// A ready-made answer was made, changed or deleted.
    QuickReply {
        /// Its id.
        id: CompactString,
        /// What it is now; `None` if it is no more.
        reply: Option<QuickReply>,
    },
    /// The phone number behind a LID.
    PhoneOfLid {
        /// The person by LID.
        lid: Jid,
        /// The person by phone number.
        phone: Jid,
    },
    /// The salt for tokens that permit writing to people; `None` if it is void.
    NctSalt(Option<Bytes>),
    /// Anything else, whole.
    Other(Box<UnknownAction>),
}

/// Until when a chat is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MuteEnd {
    /// For ever.
    Never,
    /// Until this time, in milliseconds since 1970.
    At(i64),
}

/// The names of a person in the address book.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ContactNames {
    /// The whole name.
    pub full: Option<String>,
    /// The first name.
    pub first: Option<String>,
    /// The person's user name.
    pub username: Option<String>,
    /// The person by LID.
    pub lid: Option<Jid>,
    /// The person by phone number.
    pub phone: Option<Jid>,
    /// Whether the phone's own address book gets it too.
    pub on_phone: Option<bool>,
}

impl ContactNames {
    /// These names and nothing more.
    pub fn new(full: impl Into<String>, first: Option<String>) -> Self {
        Self { full: Some(full.into()), first, ..Self::default() }
    }
}

/// What a label looks like.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LabelEdit {
    /// Its name.
    pub name: Option<String>,
    /// Its colour, a number from a fixed palette.
    pub color: Option<i32>,
    /// Which ready-made label it is.
    pub predefined_id: Option<i32>,
    /// Its place in the list.
    pub order: Option<i32>,
}

impl LabelEdit {
    /// A label of this name.
    pub fn new(name: impl Into<String>, color: i32) -> Self {
        Self { name: Some(name.into()), color: Some(color), ..Self::default() }
    }
}

/// A ready-made answer.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct QuickReply {
    /// What one types to get it.
    pub shortcut: String,
    /// Its text.
    pub message: String,
    /// Words by which it is found.
    pub keywords: Vec<String>,
    /// How often it was used.
    pub count: i32,
}

impl QuickReply {
    /// An answer that was never used.
    pub fn new(shortcut: impl Into<String>, message: impl Into<String>) -> Self {
        Self { shortcut: shortcut.into(), message: message.into(), ..Self::default() }
    }
}

/// What this version has no form for.
#[derive(Clone, PartialEq)]
pub struct UnknownAction {
    /// Set or removed.
    pub operation: SyncOperation,
    /// Where.
    pub index: SyncIndex,
    /// The value.
    pub value: SyncActionValue,
}

impl SyncAction {
    /// Reads what stands at an entry. What has no form here, or lacks its value, is
    /// [`SyncAction::Other`].
    pub fn read(operation: SyncOperation, index: SyncIndex, value: SyncActionValue) -> Self {
        let entry = SyncEntry::read(index.clone());
        let known = match operation {
            SyncOperation::Set => set(entry, &value),
            SyncOperation::Remove => removed(entry),
        };
        known.unwrap_or_else(|| Self::Other(Box::new(UnknownAction { operation, index, value })))
    }
}

/// What a value that was set says.
fn set(entry: SyncEntry, value: &SyncActionValue) -> Option<SyncAction> {
    Some(match entry {
        SyncEntry::Mute(chat) => {
            let action = value.mute_action.as_ref()?;
            let end = match action.mute_end_timestamp {
                Some(end) if end > 0 => MuteEnd::At(end),
                _ => MuteEnd::Never,
            };
            SyncAction::Mute { chat, until: action.muted.unwrap_or(false).then_some(end) }
        }
        SyncEntry::Pin(chat) => {
            SyncAction::Pin { chat, pinned: value.pin_action.as_ref()?.pinned.unwrap_or(false) }
        }
        SyncEntry::Contact(person) => {
            let contact = value.contact_action.as_ref()?;
            let jid = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
            let names = ContactNames {
                full: contact.full_name.clone(),
                first: contact.first_name.clone(),
                username: contact.username.clone(),
                lid: jid(&contact.lid_jid),
                phone: jid(&contact.pn_jid),
                on_phone: contact.save_on_primary_addressbook,
            };
            SyncAction::Contact { person, names: Some(names) }
        }
        SyncEntry::LidContact(person) => {
            let contact = value.lid_contact_action.as_ref()?;
            let names = ContactNames {
                full: contact.full_name.clone(),
                first: contact.first_name.clone(),
                username: contact.username.clone(),
                ..ContactNames::default()
            };
            SyncAction::LidContact { person, names: Some(names) }
        }
        SyncEntry::StatusMute(person) => {
            let muted = value.user_status_mute_action.as_ref()?.muted.unwrap_or(false);
            SyncAction::StatusMute { person, muted }
        }
        SyncEntry::PhoneOfLid(lid) => {
            let phone = value.pn_for_lid_chat_action.as_ref()?.pn_jid.as_ref()?;
            SyncAction::PhoneOfLid { lid, phone: phone.parse().ok()? }
        }
        SyncEntry::Lock(chat) => {
            let locked = value.lock_chat_action.as_ref()?.locked.unwrap_or(false);
            SyncAction::Lock { chat, locked }
        }
        SyncEntry::NctSalt => {
            SyncAction::NctSalt(Some(value.nct_salt_sync_action.as_ref()?.salt.clone()?))
        }
        entry => return set_with_range(entry, value),
    })
}

/// Actions on the messages of a chat.
fn set_with_range(entry: SyncEntry, value: &SyncActionValue) -> Option<SyncAction> {
    Some(match entry {
        SyncEntry::Archive(chat) => {
            let action = value.archive_chat_action.as_ref()?;
            SyncAction::Archive {
                chat,
                archived: action.archived.unwrap_or(false),
                range: action.message_range.clone().map(MessageRange::from_pb),
            }
        }
        SyncEntry::MarkRead(chat) => {
            let action = value.mark_chat_as_read_action.as_ref()?;
            SyncAction::MarkRead {
                chat,
                read: action.read.unwrap_or(false),
                range: action.message_range.clone().map(MessageRange::from_pb),
            }
        }
        SyncEntry::ClearChat { chat, starred_too, media_too } => {
            let range = value.clear_chat_action.as_ref()?.message_range.clone();
            let range = range.map(MessageRange::from_pb);
            SyncAction::ClearChat { chat, starred_too, media_too, range }
        }
        SyncEntry::DeleteChat { chat, media_too } => {
            let range = value.delete_chat_action.as_ref()?.message_range.clone();
            SyncAction::DeleteChat { chat, media_too, range: range.map(MessageRange::from_pb) }
        }
        SyncEntry::DeleteForMe(message) => {
            let action = value.delete_message_for_me_action.as_ref()?;
            SyncAction::DeleteForMe {
                message,
                media_too: action.delete_media.unwrap_or(false),
                timestamp: action.message_timestamp,
            }
        }
        SyncEntry::Star(message) => {
            let starred = value.star_action.as_ref()?.starred.unwrap_or(false);
            SyncAction::Star { message, starred }
        }
        entry => return set_setting(entry, value),
    })
}

/// Settings, labels and ready-made answers.
fn set_setting(entry: SyncEntry, value: &SyncActionValue) -> Option<SyncAction> {
    Some(match entry {
        SyncEntry::PushName => {
            SyncAction::PushName(value.push_name_setting.as_ref()?.name.clone()?)
        }
        SyncEntry::Locale => SyncAction::Locale(value.locale_setting.as_ref()?.locale.clone()?),
        SyncEntry::UnarchiveChats => SyncAction::UnarchiveChats(
            value.unarchive_chats_setting.as_ref()?.unarchive_chats.unwrap_or(false),
        ),
        SyncEntry::DisableLinkPreviews => {
            let setting = value.privacy_setting_disable_link_previews_action.as_ref()?;
            SyncAction::DisableLinkPreviews(setting.is_previews_disabled.unwrap_or(false))
        }
        SyncEntry::RelayAllCalls => SyncAction::RelayAllCalls(
            value.privacy_setting_relay_all_calls.as_ref()?.is_enabled.unwrap_or(false),
        ),
        SyncEntry::TimeFormat => {
            let format = value.time_format_action.as_ref()?;
            SyncAction::TwentyFourHours(format.is_twenty_four_hour_format_enabled.unwrap_or(false))
        }
        SyncEntry::Label(id) => {
            let action = value.label_edit_action.as_ref()?;
            let edit = LabelEdit {
                name: action.name.clone(),
                color: action.color,
                predefined_id: action.predefined_id,
                order: action.order_index,
            };
            SyncAction::Label { id, edit: (!action.deleted.unwrap_or(false)).then_some(edit) }
        }
        SyncEntry::LabelChat { label, chat } => {
            let labeled = value.label_association_action.as_ref()?.labeled.unwrap_or(false);
            SyncAction::LabelChat { label, chat, labeled }
        }
        SyncEntry::LabelMessage { label, message } => {
            let labeled = value.label_association_action.as_ref()?.labeled.unwrap_or(false);
            SyncAction::LabelMessage { label, message, labeled }
        }
        SyncEntry::QuickReply(id) => {
            let action = value.quick_reply_action.as_ref()?;
            let reply = QuickReply {
                shortcut: action.shortcut.clone().unwrap_or_default(),
                message: action.message.clone().unwrap_or_default(),
                keywords: action.keywords.clone(),
                count: action.count.unwrap_or_default(),
            };
            let reply = (!action.deleted.unwrap_or(false)).then_some(reply);
            SyncAction::QuickReply { id, reply }
        }
        _ => return None,
    })
}

/// What is the case once an entry is gone, where that says something.
fn removed(entry: SyncEntry) -> Option<SyncAction> {
    Some(match entry {
        SyncEntry::Mute(chat) => SyncAction::Mute { chat, until: None },
        SyncEntry::Pin(chat) => SyncAction::Pin { chat, pinned: false },
        SyncEntry::Archive(chat) => SyncAction::Archive { chat, archived: false, range: None },
        SyncEntry::Star(message) => SyncAction::Star { message, starred: false },
        SyncEntry::Contact(person) => SyncAction::Contact { person, names: None },
        SyncEntry::LidContact(person) => SyncAction::LidContact { person, names: None },
        SyncEntry::StatusMute(person) => SyncAction::StatusMute { person, muted: false },
        SyncEntry::Lock(chat) => SyncAction::Lock { chat, locked: false },
        SyncEntry::Label(id) => SyncAction::Label { id, edit: None },
        SyncEntry::LabelChat { label, chat } => {
            SyncAction::LabelChat { label, chat, labeled: false }
        }
        SyncEntry::LabelMessage { label, message } => {
            SyncAction::LabelMessage { label, message, labeled: false }
        }
        SyncEntry::QuickReply(id) => SyncAction::QuickReply { id, reply: None },
        SyncEntry::NctSalt => SyncAction::NctSalt(None),
        _ => return None,
    })
}

macro_rules! hidden {
    ($($name:ident)*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}
hidden!(ContactNames LabelEdit QuickReply);

impl fmt::Debug for SyncAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SyncAction({:?})", self.entry().name())
    }
}

impl fmt::Debug for UnknownAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnknownAction")
            .field("operation", &self.operation)
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}
