//! What an index names: the place of an entry, without its value.
//!
//! Owns reading an index into a place and writing it back, and which collection a place is in.

use std::fmt;

use compact_str::CompactString;

use super::{Collection, SyncIndex};
use crate::{Jid, MessageId};

/// The place of an entry. `Debug` shows its name alone.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SyncEntry {
    /// Whether a chat is silent.
    Mute(Jid),
    /// Whether a chat is pinned.
    Pin(Jid),
    /// Whether a chat is archived.
    Archive(Jid),
    /// Whether a chat is read.
    MarkRead(Jid),
    /// A chat was emptied.
    ClearChat {
        /// The chat.
        chat: Jid,
        /// Whether starred messages went too.
        starred_too: bool,
        /// Whether media files went too.
        media_too: bool,
    },
    /// A chat was deleted.
    DeleteChat {
        /// The chat.
        chat: Jid,
        /// Whether media files went too.
        media_too: bool,
    },
    /// A message was deleted on the own devices.
    DeleteForMe(MessageEntry),
    /// Whether a message has a star.
    Star(MessageEntry),
    /// A person in the address book.
    Contact(Jid),
    /// A person in the address book who is known by LID alone.
    LidContact(Jid),
    /// Whether a person's status posts are hidden.
    StatusMute(Jid),
    /// The own name.
    PushName,
    /// The language.
    Locale,
    /// Whether archived chats come back with new messages.
    UnarchiveChats,
    /// Whether links are shown without a preview.
    DisableLinkPreviews,
    /// Whether calls go through a server.
    RelayAllCalls,
    /// Twelve hours or twenty-four.
    TimeFormat,
    /// How locked chats are hidden.
    ChatLockSettings,
    /// Whether a chat is locked.
    Lock(Jid),
    /// A label itself.
    Label(CompactString),
    /// Whether a chat has a label.
    LabelChat {
        /// The label.
        label: CompactString,
        /// The chat.
        chat: Jid,
    },
    /// Whether a message has a label.
    LabelMessage {
        /// The label.
        label: CompactString,
        /// The message.
        message: MessageEntry,
    },
    /// A ready-made answer.
    QuickReply(CompactString),
    /// The phone number behind a LID.
    PhoneOfLid(Jid),
    /// The salt for tokens that permit writing to people.
    NctSalt,
    /// Anything else, or one of the above with parts that cannot be read.
    Other(SyncIndex),
}

/// A message as an index names it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MessageEntry {
    /// The chat.
    pub chat: Jid,
    /// The message's id.
    pub id: MessageId,
    /// Whether the account sent it.
    pub from_me: bool,
    /// In groups, who sent it, if it was somebody else.
    pub sender: Option<Jid>,
}

impl SyncEntry {
    /// Reads an index. One with parts that cannot be read is [`SyncEntry::Other`].
    pub fn read(index: SyncIndex) -> Self {
        Self::known(&index).unwrap_or(Self::Other(index))
    }

    fn known(index: &SyncIndex) -> Option<Self> {
        let jid = |position: usize| index.part(position).parse::<Jid>().ok();
        let chat = || jid(1);
        Some(match index.name() {
            "mute" => Self::Mute(chat()?),
            "pin_v1" => Self::Pin(chat()?),
            "archive" => Self::Archive(chat()?),
            "markChatAsRead" => Self::MarkRead(chat()?),
            "clearChat" => Self::ClearChat {
                chat: chat()?,
                starred_too: index.part(2) != "0",
                media_too: index.part(3) == "1",
            },
            "deleteChat" => Self::DeleteChat { chat: chat()?, media_too: index.part(2) == "1" },
            "deleteMessageForMe" => Self::DeleteForMe(MessageEntry::read(index, 1)?),
            "star" => Self::Star(MessageEntry::read(index, 1)?),
            "contact" => Self::Contact(chat()?),
            "lid_contact" => Self::LidContact(chat()?),
            "userStatusMute" => Self::StatusMute(chat()?),
            "setting_pushName" => Self::PushName,
            "setting_locale" => Self::Locale,
            "setting_unarchiveChats" => Self::UnarchiveChats,
            "setting_disableLinkPreviews" => Self::DisableLinkPreviews,
            "setting_relayAllCalls" => Self::RelayAllCalls,
            "time_format" => Self::TimeFormat,
            "setting_chatLock" => Self::ChatLockSettings,
            "lock" => Self::Lock(chat()?),
            "label_edit" => Self::Label(label(index)?),
            "label_jid" => Self::LabelChat { label: label(index)?, chat: jid(2)? },
            "label_message" => {
                Self::LabelMessage { label: label(index)?, message: MessageEntry::read(index, 2)? }
            }
            "quick_reply" => Self::QuickReply(label(index)?),
            "pnForLidChat" => Self::PhoneOfLid(chat()?),
            "nct_salt_sync" => Self::NctSalt,
            _ => return None,
        })
    }

    /// The index.
    pub fn to_index(&self) -> SyncIndex {
        let flag = |on: bool| if on { "1" } else { "0" }.to_owned();
        let name = self.name().to_owned();
        match self {
            Self::Other(index) => index.clone(),
            Self::Mute(jid)
            | Self::Pin(jid)
            | Self::Archive(jid)
            | Self::MarkRead(jid)
            | Self::Contact(jid)
            | Self::LidContact(jid)
            | Self::StatusMute(jid)
            | Self::Lock(jid)
            | Self::PhoneOfLid(jid) => SyncIndex::new([name, jid.to_string()]),
            Self::ClearChat { chat, starred_too, media_too } => {
                SyncIndex::new([name, chat.to_string(), flag(*starred_too), flag(*media_too)])
            }
            Self::DeleteChat { chat, media_too } => {
                SyncIndex::new([name, chat.to_string(), flag(*media_too)])
            }
            Self::DeleteForMe(message) | Self::Star(message) => {
                SyncIndex::new(std::iter::once(name).chain(message.parts()))
            }
            Self::Label(label) | Self::QuickReply(label) => {
                SyncIndex::new([name, label.to_string()])
            }
            Self::LabelChat { label, chat } => {
                SyncIndex::new([name, label.to_string(), chat.to_string()])
            }
            Self::LabelMessage { label, message } => {
                SyncIndex::new([name, label.to_string()].into_iter().chain(message.parts()))
            }
            Self::PushName
            | Self::Locale
            | Self::UnarchiveChats
            | Self::DisableLinkPreviews
            | Self::RelayAllCalls
            | Self::TimeFormat
            | Self::ChatLockSettings
            | Self::NctSalt => SyncIndex::new([name]),
        }
    }

    /// The first part of the index.
    pub fn name(&self) -> &str {
        match self {
            Self::Mute(_) => "mute",
            Self::Pin(_) => "pin_v1",
            Self::Archive(_) => "archive",
            Self::MarkRead(_) => "markChatAsRead",
            Self::ClearChat { .. } => "clearChat",
            Self::DeleteChat { .. } => "deleteChat",
            Self::DeleteForMe(_) => "deleteMessageForMe",
            Self::Star(_) => "star",
            Self::Contact(_) => "contact",
            Self::LidContact(_) => "lid_contact",
            Self::StatusMute(_) => "userStatusMute",
            Self::PushName => "setting_pushName",
            Self::Locale => "setting_locale",
            Self::UnarchiveChats => "setting_unarchiveChats",
            Self::DisableLinkPreviews => "setting_disableLinkPreviews",
            Self::RelayAllCalls => "setting_relayAllCalls",
            Self::TimeFormat => "time_format",
            Self::ChatLockSettings => "setting_chatLock",
            Self::Lock(_) => "lock",
            Self::Label(_) => "label_edit",
            Self::LabelChat { .. } => "label_jid",
            Self::LabelMessage { .. } => "label_message",
            Self::QuickReply(_) => "quick_reply",
            Self::PhoneOfLid(_) => "pnForLidChat",
            Self::NctSalt => "nct_salt_sync",
            Self::Other(index) => index.name(),
        }
    }

    /// The collection it is in.
    pub const fn collection(&self) -> Collection {
        match self {
            Self::PushName | Self::Locale => Collection::CriticalBlock,
            Self::Contact(_) | Self::LidContact(_) => Collection::CriticalUnblockLow,
            Self::Mute(_)
            | Self::ClearChat { .. }
            | Self::DeleteChat { .. }
            | Self::DeleteForMe(_)
            | Self::Star(_)
            | Self::StatusMute(_)
            | Self::NctSalt => Collection::RegularHigh,
            Self::Pin(_)
            | Self::Archive(_)
            | Self::MarkRead(_)
            | Self::UnarchiveChats
            | Self::TimeFormat
            | Self::ChatLockSettings
            | Self::Lock(_) => Collection::RegularLow,
            Self::DisableLinkPreviews
            | Self::RelayAllCalls
            | Self::Label(_)
            | Self::LabelChat { .. }
            | Self::LabelMessage { .. }
            | Self::QuickReply(_)
            | Self::PhoneOfLid(_)
            | Self::Other(_) => Collection::Regular,
        }
    }

    /// The version of the form in which it is written, as phones write it.
    pub const fn action_version(&self) -> i32 {
        match self {
            Self::PushName => 1,
            Self::Mute(_) | Self::Contact(_) | Self::Star(_) | Self::QuickReply(_) => 2,
            Self::Archive(_)
            | Self::MarkRead(_)
            | Self::DeleteForMe(_)
            | Self::Locale
            | Self::Label(_)
            | Self::LabelChat { .. }
            | Self::LabelMessage { .. } => 3,
            Self::UnarchiveChats => 4,
            Self::Pin(_) => 5,
            Self::ClearChat { .. } | Self::DeleteChat { .. } => 6,
            Self::StatusMute(_)
            | Self::TimeFormat
            | Self::Lock(_)
            | Self::NctSalt
            | Self::LidContact(_)
            | Self::RelayAllCalls
            | Self::ChatLockSettings
            | Self::Other(_) => 7,
            Self::DisableLinkPreviews | Self::PhoneOfLid(_) => 8,
        }
    }
}

impl fmt::Debug for SyncEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SyncEntry({:?})", self.name())
    }
}

/// The id of a label or quick reply.
fn label(index: &SyncIndex) -> Option<CompactString> {
    Some(index.part(1)).filter(|id| !id.is_empty()).map(CompactString::from)
}

impl MessageEntry {
    fn read(index: &SyncIndex, at: usize) -> Option<Self> {
        Some(Self {
            chat: index.part(at).parse().ok()?,
            id: MessageId::new(index.part(at + 1)).ok()?,
            from_me: index.part(at + 2) == "1",
            // `0` stands for nobody.
            sender: Some(index.part(at + 3))
                .filter(|part| *part != "0")
                .and_then(|part| part.parse().ok()),
        })
    }

    fn parts(&self) -> [String; 4] {
        [
            self.chat.to_string(),
            self.id.as_str().to_owned(),
            if self.from_me { "1" } else { "0" }.to_owned(),
            self.sender.as_ref().map_or_else(|| "0".to_owned(), Jid::to_string),
        ]
    }
}

impl fmt::Debug for MessageEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageEntry").field("id", &self.id).finish_non_exhaustive()
    }
}
