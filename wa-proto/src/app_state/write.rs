//! Writing an action: its operation, index, value and version.

use super::{MuteEnd, SyncAction, SyncEntry, SyncIndex, SyncOperation};
use crate::{
    Jid,
    pb::{SyncActionValue, sync_action_value as value},
};

/// An action as it goes into a patch.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncRecord {
    /// Set or removed.
    pub operation: SyncOperation,
    /// Where.
    pub index: SyncIndex,
    /// The value, with the time of the action.
    pub value: SyncActionValue,
    /// The version of its form.
    pub action_version: i32,
}

impl SyncAction {
    /// The place it is about.
    pub fn entry(&self) -> SyncEntry {
        match self {
            Self::Mute { chat, .. } => SyncEntry::Mute(chat.clone()),
            Self::Pin { chat, .. } => SyncEntry::Pin(chat.clone()),
            Self::Archive { chat, .. } => SyncEntry::Archive(chat.clone()),
            Self::MarkRead { chat, .. } => SyncEntry::MarkRead(chat.clone()),
            Self::ClearChat { chat, starred_too, media_too, .. } => SyncEntry::ClearChat {
                chat: chat.clone(),
                starred_too: *starred_too,
                media_too: *media_too,
            },
            Self::DeleteChat { chat, media_too, .. } => {
                SyncEntry::DeleteChat { chat: chat.clone(), media_too: *media_too }
            }
            Self::DeleteForMe { message, .. } => SyncEntry::DeleteForMe(message.clone()),
            Self::Star { message, .. } => SyncEntry::Star(message.clone()),
            Self::Contact { person, .. } => SyncEntry::Contact(person.clone()),
            Self::LidContact { person, .. } => SyncEntry::LidContact(person.clone()),
            Self::StatusMute { person, .. } => SyncEntry::StatusMute(person.clone()),
            Self::PushName(_) => SyncEntry::PushName,
            Self::Locale(_) => SyncEntry::Locale,
            Self::UnarchiveChats(_) => SyncEntry::UnarchiveChats,
            Self::DisableLinkPreviews(_) => SyncEntry::DisableLinkPreviews,
            Self::RelayAllCalls(_) => SyncEntry::RelayAllCalls,
            Self::TwentyFourHours(_) => SyncEntry::TimeFormat,
            Self::Lock { chat, .. } => SyncEntry::Lock(chat.clone()),
            Self::Label { id, .. } => SyncEntry::Label(id.clone()),
            Self::LabelChat { label, chat, .. } => {
                SyncEntry::LabelChat { label: label.clone(), chat: chat.clone() }
            }
            Self::LabelMessage { label, message, .. } => {
                SyncEntry::LabelMessage { label: label.clone(), message: message.clone() }
            }
            Self::QuickReply { id, .. } => SyncEntry::QuickReply(id.clone()),
            Self::PhoneOfLid { lid, .. } => SyncEntry::PhoneOfLid(lid.clone()),
            Self::NctSalt(_) => SyncEntry::NctSalt,
            Self::Other(unknown) => SyncEntry::Other(unknown.index.clone()),
        }
    }

    /// Its form in a patch. `timestamp` is the time of the action in milliseconds since 1970.
    pub fn to_record(&self, timestamp: i64) -> SyncRecord {
        let entry = self.entry();
        let mut written = SyncActionValue { timestamp: Some(timestamp), ..Default::default() };
        let operation = self.fill(&mut written);
        if let Self::Other(unknown) = self {
            written = unknown.value.clone();
        }
        SyncRecord {
            operation,
            index: entry.to_index(),
            value: written,
            action_version: entry.action_version(),
        }
    }

    /// Writes the value; of what is removed there is none.
    fn fill(&self, to: &mut SyncActionValue) -> SyncOperation {
        match self {
            Self::Contact { names: None, .. }
            | Self::LidContact { names: None, .. }
            | Self::NctSalt(None) => return SyncOperation::Remove,
            Self::Other(unknown) => return unknown.operation,
            Self::Contact { names: Some(names), .. } => {
                to.contact_action = Some(value::ContactAction {
                    full_name: names.full.clone(),
                    first_name: names.first.clone(),
                    lid_jid: names.lid.as_ref().map(Jid::to_string),
                    save_on_primary_addressbook: names.on_phone,
                    pn_jid: names.phone.as_ref().map(Jid::to_string),
                    username: names.username.clone(),
                });
            }
            Self::LidContact { names: Some(names), .. } => {
                to.lid_contact_action = Some(value::LidContactAction {
                    full_name: names.full.clone(),
                    first_name: names.first.clone(),
                    username: names.username.clone(),
                });
            }
            Self::NctSalt(Some(salt)) => {
                to.nct_salt_sync_action =
                    Some(value::NctSaltSyncAction { salt: Some(salt.clone()) });
            }
            _ => self.fill_chat(to),
        }
        SyncOperation::Set
    }

    /// Actions on chats and messages.
    fn fill_chat(&self, to: &mut SyncActionValue) {
        match self {
            Self::Mute { until, .. } => {
                to.mute_action = Some(value::MuteAction {
                    muted: Some(until.is_some()),
                    mute_end_timestamp: until.map(|end| match end {
                        MuteEnd::Never => -1,
                        MuteEnd::At(at) => at,
                    }),
                    ..Default::default()
                });
            }
            Self::Pin { pinned, .. } => {
                to.pin_action = Some(value::PinAction { pinned: Some(*pinned) });
            }
            Self::Archive { archived, range, .. } => {
                to.archive_chat_action = Some(value::ArchiveChatAction {
                    archived: Some(*archived),
                    message_range: range.as_ref().map(super::MessageRange::to_pb),
                });
            }
            Self::MarkRead { read, range, .. } => {
                to.mark_chat_as_read_action = Some(value::MarkChatAsReadAction {
                    read: Some(*read),
                    message_range: range.as_ref().map(super::MessageRange::to_pb),
                });
            }
            Self::ClearChat { range, .. } => {
                to.clear_chat_action = Some(value::ClearChatAction {
                    message_range: range.as_ref().map(super::MessageRange::to_pb),
                });
            }
            Self::DeleteChat { range, .. } => {
                to.delete_chat_action = Some(value::DeleteChatAction {
                    message_range: range.as_ref().map(super::MessageRange::to_pb),
                });
            }
            Self::DeleteForMe { media_too, timestamp, .. } => {
                to.delete_message_for_me_action = Some(value::DeleteMessageForMeAction {
                    delete_media: Some(*media_too),
                    message_timestamp: *timestamp,
                });
            }
            Self::Star { starred, .. } => {
                to.star_action = Some(value::StarAction { starred: Some(*starred) });
            }
            Self::Lock { locked, .. } => {
                to.lock_chat_action = Some(value::LockChatAction { locked: Some(*locked) });
            }
            Self::StatusMute { muted, .. } => {
                to.user_status_mute_action =
                    Some(value::UserStatusMuteAction { muted: Some(*muted) });
            }
            Self::PhoneOfLid { phone, .. } => {
                to.pn_for_lid_chat_action =
                    Some(value::PnForLidChatAction { pn_jid: Some(phone.to_string()) });
            }
            _ => self.fill_setting(to),
        }
    }

    /// Settings, labels and ready-made answers.
    fn fill_setting(&self, to: &mut SyncActionValue) {
        match self {
            Self::PushName(name) => {
                to.push_name_setting = Some(value::PushNameSetting { name: Some(name.clone()) });
            }
            Self::Locale(locale) => {
                to.locale_setting = Some(value::LocaleSetting { locale: Some(locale.clone()) });
            }
            Self::UnarchiveChats(on) => {
                to.unarchive_chats_setting =
                    Some(value::UnarchiveChatsSetting { unarchive_chats: Some(*on) });
            }
            Self::DisableLinkPreviews(on) => {
                to.privacy_setting_disable_link_previews_action =
                    Some(value::PrivacySettingDisableLinkPreviewsAction {
                        is_previews_disabled: Some(*on),
                    });
            }
            Self::RelayAllCalls(on) => {
                to.privacy_setting_relay_all_calls =
                    Some(value::PrivacySettingRelayAllCalls { is_enabled: Some(*on) });
            }
            Self::TwentyFourHours(on) => {
                to.time_format_action =
                    Some(value::TimeFormatAction { is_twenty_four_hour_format_enabled: Some(*on) });
            }
            Self::Label { edit, .. } => {
                let shown = edit.clone().unwrap_or_default();
                to.label_edit_action = Some(value::LabelEditAction {
                    name: shown.name,
                    color: shown.color,
                    predefined_id: shown.predefined_id,
                    deleted: Some(edit.is_none()),
                    order_index: shown.order,
                    ..Default::default()
                });
            }
            Self::LabelChat { labeled, .. } | Self::LabelMessage { labeled, .. } => {
                to.label_association_action = Some(value::LabelAssociationAction {
                    labeled: Some(*labeled),
                    ..Default::default()
                });
            }
            Self::QuickReply { reply, .. } => {
                let shown = reply.clone().unwrap_or_default();
                to.quick_reply_action = Some(value::QuickReplyAction {
                    shortcut: Some(shown.shortcut),
                    message: Some(shown.message),
                    keywords: shown.keywords,
                    count: Some(shown.count),
                    deleted: Some(reply.is_none()),
                    ..Default::default()
                });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        MessageId, MessageKey,
        app_state::{ContactNames, LabelEdit, MessageEntry, MessageRange, QuickReply},
    };

    fn message() -> MessageEntry {
        MessageEntry {
            chat: Jid::group("1"),
            id: MessageId::new("3EB0").unwrap(),
            from_me: false,
            sender: Some(Jid::lid("2")),
        }
    }

    fn actions() -> Vec<SyncAction> {
        let chat = Jid::lid("7");
        let key = MessageKey {
            chat: Some(chat.clone()),
            from_me: true,
            id: MessageId::new("A").unwrap(),
            sender: None,
        };
        let range = Some(MessageRange::up_to(key, 1_700_000_000));
        let names = ContactNames::new("Ada Lovelace", Some("Ada".to_owned()));
        vec![
            SyncAction::Mute { chat: chat.clone(), until: Some(MuteEnd::Never) },
            SyncAction::Mute { chat: chat.clone(), until: Some(MuteEnd::At(1_800_000_000_000)) },
            SyncAction::Mute { chat: chat.clone(), until: None },
            SyncAction::Pin { chat: chat.clone(), pinned: true },
            SyncAction::Archive { chat: chat.clone(), archived: true, range: range.clone() },
            SyncAction::MarkRead { chat: chat.clone(), read: false, range: range.clone() },
            SyncAction::ClearChat {
                chat: chat.clone(),
                starred_too: false,
                media_too: true,
                range: range.clone(),
            },
            SyncAction::DeleteChat { chat: chat.clone(), media_too: true, range },
            SyncAction::DeleteForMe { message: message(), media_too: true, timestamp: Some(7) },
            SyncAction::Star { message: message(), starred: true },
            SyncAction::Star {
                message: MessageEntry { chat: Jid::lid("2"), sender: None, ..message() },
                starred: false,
            },
            SyncAction::Contact { person: Jid::phone("1555"), names: Some(names.clone()) },
            SyncAction::Contact { person: Jid::phone("1555"), names: None },
            SyncAction::LidContact { person: chat.clone(), names: Some(names) },
            SyncAction::LidContact { person: chat.clone(), names: None },
            SyncAction::StatusMute { person: chat.clone(), muted: true },
            SyncAction::PushName("Ada".to_owned()),
            SyncAction::Locale("de_DE".to_owned()),
            SyncAction::UnarchiveChats(true),
            SyncAction::DisableLinkPreviews(true),
            SyncAction::RelayAllCalls(true),
            SyncAction::TwentyFourHours(true),
            SyncAction::Lock { chat: chat.clone(), locked: true },
            SyncAction::Label { id: "3".into(), edit: Some(LabelEdit::new("New", 2)) },
            SyncAction::Label { id: "3".into(), edit: None },
            SyncAction::LabelChat { label: "3".into(), chat: chat.clone(), labeled: true },
            SyncAction::LabelMessage { label: "3".into(), message: message(), labeled: true },
            SyncAction::QuickReply { id: "9".into(), reply: Some(QuickReply::new("hi", "Hi!")) },
            SyncAction::QuickReply { id: "9".into(), reply: None },
            SyncAction::PhoneOfLid { lid: chat, phone: Jid::phone("1555") },
            SyncAction::NctSalt(Some(bytes::Bytes::from_static(&[1, 2]))),
            SyncAction::NctSalt(None),
        ]
    }

    #[test]
    fn every_action_reads_as_it_was_written() {
        for action in actions() {
            let SyncRecord { operation, index, value, action_version } = action.to_record(5);
            assert!(action_version > 0 && value.timestamp == Some(5));
            let index = SyncIndex::parse(&index.to_json()).unwrap();
            assert_eq!(SyncAction::read(operation, index, value), action);
        }
    }

    #[test]
    fn what_was_removed_reads_as_its_default() {
        let removed = |entry: SyncEntry| {
            SyncAction::read(SyncOperation::Remove, entry.to_index(), SyncActionValue::default())
        };
        let chat = Jid::lid("7");
        let pin = removed(SyncEntry::Pin(chat.clone()));
        assert_eq!(pin, SyncAction::Pin { chat: chat.clone(), pinned: false });
        let read = removed(SyncEntry::MarkRead(chat.clone()));
        assert!(
            matches!(read, SyncAction::Other(unknown) if unknown.index.name() == "markChatAsRead")
        );
    }

    #[test]
    fn what_is_not_known_is_kept_whole_and_named() {
        let index = SyncIndex::new(["payment_info", "x"]);
        let value = SyncActionValue { timestamp: Some(9), ..Default::default() };
        let read = SyncAction::read(SyncOperation::Set, index, value.clone());
        assert_eq!(format!("{read:?}"), "SyncAction(\"payment_info\")");
        assert_eq!(read.to_record(1).value, value);
        let broken = SyncIndex::new(["mute", "nobody"]);
        let read = SyncAction::read(SyncOperation::Set, broken, value);
        assert!(matches!(read, SyncAction::Other(_)));
    }
}
