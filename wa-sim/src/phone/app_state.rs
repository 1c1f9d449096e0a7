//! What a person changes on the phone that all devices of the account share: chats silent, pinned,
//! archived, names, labels. And what can go wrong with it on purpose. Knows nothing of patches.

use serde::Serialize;
use wa_proto::{
    Jid, MessageId, MessageKey,
    app_state::{
        Collection, ContactNames, LabelEdit, MessageEntry, MessageRange, MuteEnd, QuickReply,
        SyncAction, SyncIndex,
    },
};

use super::{
    Phone,
    endpoint::{ChatState, Endpoint, StoredMessage, chat_of},
};
use crate::{
    address::DeviceAddress,
    server::{Server, directory::Addressing},
    world::World,
};

/// The settings of a chat, as the phone shows them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ChatSettings {
    /// Until when it is silent, in milliseconds since 1970; -1 for ever; `None` if it is not.
    pub muted_until: Option<i64>,
    /// Whether it is pinned.
    pub pinned: bool,
    /// Whether it is archived.
    pub archived: bool,
    /// Whether it was marked as unread.
    pub marked_unread: bool,
    /// Whether it is locked.
    pub locked: bool,
    /// How often it was emptied.
    pub cleared: u32,
    /// How often it was deleted.
    pub deleted: u32,
    /// The ids of its labels.
    pub labels: Vec<String>,
}

/// What the phone has heard from its companions about the app state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AppStateCounts {
    /// Actions on chats that it ignored because they did not name the last message.
    pub ignored: u32,
    /// Patches it refused.
    pub refused: u32,
    /// Requests for keys.
    pub key_requests: u32,
    /// Requests for its own copy of a collection.
    pub recoveries: u32,
}

impl ChatSettings {
    fn of(state: &ChatState) -> Self {
        Self {
            muted_until: state.muted.map(|end| match end {
                MuteEnd::Never => -1,
                MuteEnd::At(at) => at,
            }),
            pinned: state.pinned,
            archived: state.archived,
            marked_unread: state.marked_unread,
            locked: state.locked,
            cleared: state.cleared,
            deleted: state.deleted,
            labels: state.labels.iter().cloned().collect(),
        }
    }
}

impl Phone {
    /// Makes a chat silent, or no longer.
    pub fn mute_chat(&self, chat: &Jid, until: Option<MuteEnd>) {
        self.sync_chat(chat, |chat, _| vec![SyncAction::Mute { chat, until }]);
    }

    /// Pins a chat, or no longer.
    pub fn pin_chat(&self, chat: &Jid, pinned: bool) {
        self.sync_chat(chat, |chat, _| vec![SyncAction::Pin { chat, pinned }]);
    }

    /// Archives a chat, which takes its pin away, or brings it back.
    pub fn archive_chat(&self, chat: &Jid, archived: bool) {
        self.sync_chat(chat, |chat, range| {
            let mut actions = Vec::new();
            if archived {
                actions.push(SyncAction::Pin { chat: chat.clone(), pinned: false });
            }
            actions.push(SyncAction::Archive { chat, archived, range });
            actions
        });
    }

    /// Marks a chat as read or unread. The senders are not told; see [`Phone::mark_read`].
    pub fn mark_chat(&self, chat: &Jid, read: bool) {
        self.sync_chat(chat, |chat, range| vec![SyncAction::MarkRead { chat, read, range }]);
    }

    /// Empties a chat.
    pub fn clear_chat(&self, chat: &Jid, starred_too: bool) {
        self.sync_chat(chat, |chat, range| {
            vec![SyncAction::ClearChat { chat, starred_too, media_too: false, range }]
        });
    }

    /// Deletes a chat.
    pub fn delete_chat(&self, chat: &Jid) {
        self.sync_chat(chat, |chat, range| {
            vec![SyncAction::DeleteChat { chat, media_too: true, range }]
        });
    }

    /// Puts a star on a message of a chat, or takes it off. False if there is no such message.
    pub fn star_message(&self, chat: &Jid, id: &str, starred: bool) -> bool {
        self.sync_message(chat, id, |message, _| SyncAction::Star { message, starred })
    }

    /// Deletes a message on the own devices. False if there is no such message.
    pub fn delete_for_me(&self, chat: &Jid, id: &str) -> bool {
        self.sync_message(chat, id, |message, timestamp| SyncAction::DeleteForMe {
            message,
            media_too: true,
            timestamp: Some(timestamp),
        })
    }

    /// Puts a person into the address book, or takes them out.
    pub fn set_contact(&self, person: &Jid, name: Option<&str>) {
        let first = |name: &str| name.split(' ').next().map(str::to_owned);
        let names = name.map(|name| ContactNames::new(name, first(name)));
        self.sync_action(SyncAction::Contact { person: person.clone(), names });
    }

    /// Changes the account's name.
    pub fn set_push_name(&self, name: &str) {
        self.sync_action(SyncAction::PushName(name.to_owned()));
    }

    /// Makes, changes or deletes a label.
    pub fn edit_label(&self, id: &str, name: Option<&str>) {
        let edit = name.map(|name| LabelEdit::new(name, 1));
        self.sync_action(SyncAction::Label { id: id.into(), edit });
    }

    /// Puts a label on a chat, or takes it off.
    pub fn label_chat(&self, chat: &Jid, label: &str, labeled: bool) {
        self.sync_chat(chat, |chat, _| {
            vec![SyncAction::LabelChat { label: label.into(), chat, labeled }]
        });
    }

    /// Makes, changes or deletes a ready-made answer.
    pub fn set_quick_reply(&self, id: &str, reply: Option<(&str, &str)>) {
        let reply = reply.map(|(shortcut, message)| QuickReply::new(shortcut, message));
        self.sync_action(SyncAction::QuickReply { id: id.into(), reply });
    }

    /// Tells the other devices anything else.
    pub fn sync_action(&self, action: SyncAction) {
        self.act(|phone, server| phone.sync_actions(server, &[action]));
    }

    /// Tells the other devices several things, those of one collection in one patch.
    pub fn sync_actions(&self, actions: &[SyncAction]) {
        self.act(|phone, server| phone.sync_actions(server, actions));
    }

    /// Removes an entry of a collection, whatever it says.
    pub fn remove_entry(&self, collection: Collection, index: &SyncIndex) {
        self.act(|phone, server| phone.remove_entry(server, collection, index));
    }

    /// The settings of a chat.
    pub fn chat_settings(&self, chat: &Jid) -> ChatSettings {
        self.look_at(|phone, server| {
            let chat = chat_of(server, chat)?;
            phone.app_state.synced.chats.get(&chat).map(ChatSettings::of)
        })
        .unwrap_or_default()
    }

    /// Whether a message has a star.
    pub fn is_starred(&self, id: &str) -> bool {
        self.look_at(|phone, _| phone.app_state.synced.starred.contains(id).then_some(())).is_some()
    }

    /// Whether a message was deleted on the own devices.
    pub fn is_deleted_for_me(&self, id: &str) -> bool {
        self.look_at(|phone, _| phone.app_state.synced.deleted_for_me.contains(id).then_some(()))
            .is_some()
    }

    /// A person's name in the address book.
    pub fn contact_name(&self, person: &Jid) -> Option<String> {
        self.look_at(|phone, _| phone.app_state.synced.contacts.get(person).cloned())
    }

    /// The name of a label.
    pub fn label_name(&self, id: &str) -> Option<String> {
        self.look_at(|phone, _| phone.app_state.synced.labels.get(id)?.name.clone())
    }

    /// The text of a ready-made answer.
    pub fn quick_reply(&self, id: &str) -> Option<String> {
        self.look_at(|phone, _| Some(phone.app_state.synced.replies.get(id)?.message.clone()))
    }

    /// Whether a person's status posts are hidden.
    pub fn is_status_muted(&self, person: &Jid) -> bool {
        self.look_at(|phone, _| phone.app_state.synced.muted_status.contains(person).then_some(()))
            .is_some()
    }

    /// The account's name.
    pub fn push_name(&self) -> Option<String> {
        self.look_at(|phone, server| {
            Some(server.accounts.get(&phone.address.account)?.name.clone())
        })
    }

    /// What the phone has heard from its companions about the app state.
    pub fn app_state_counts(&self) -> AppStateCounts {
        self.look_at(|phone, _| {
            let synced = &phone.app_state.synced;
            Some(AppStateCounts {
                ignored: synced.ignored,
                refused: synced.refused,
                key_requests: synced.key_requests,
                recoveries: synced.recoveries,
            })
        })
        .unwrap_or_default()
    }

    /// The version of a collection that the phone is at.
    pub fn collection_version(&self, collection: Collection) -> u64 {
        self.look_at(|phone, _| Some(phone.collection_version(collection))).unwrap_or_default()
    }

    /// Whether companions that are linked from now on are told no keys until
    /// [`Phone::share_sync_keys`].
    pub fn withhold_sync_keys(&self, withhold: bool) {
        self.act(|phone, _| phone.app_state.withholds_keys = withhold);
    }

    /// Whether companions' requests for keys and for help go unanswered.
    pub fn ignore_app_state_requests(&self, ignore: bool) {
        self.act(|phone, _| phone.app_state.is_silent = ignore);
    }

    /// Tells every companion all keys.
    pub fn share_sync_keys(&self) {
        self.act(|phone, server| {
            for address in server.devices_of(phone.address.account) {
                if !address.is_phone() {
                    phone.share_sync_keys(server, address);
                }
            }
        });
    }

    /// Uses a new key from now on, which nobody is told.
    pub fn rotate_sync_key(&self) {
        self.act(Endpoint::make_sync_key);
    }

    /// From now on the phone's hash of a collection is wrong, so that what it writes adds up for
    /// nobody.
    pub fn spoil_app_state_hash(&self, collection: Collection) {
        self.act(|phone, server| phone.spoil_hash(server, collection));
    }

    fn sync_chat(
        &self,
        chat: &Jid,
        actions: impl FnOnce(Jid, Option<MessageRange>) -> Vec<SyncAction>,
    ) {
        self.act(|phone, server| {
            let Some(place) = chat_of(server, chat) else { return };
            let jid = by_lid(server, chat);
            let last = phone.messages.iter().rev().find(|kept| kept.chat == place);
            let range = last.and_then(|last| range_to(phone.address, server, &jid, last));
            let actions = actions(jid, range);
            phone.sync_actions(server, &actions);
        });
    }

    fn sync_message(
        &self,
        chat: &Jid,
        id: &str,
        action: impl FnOnce(MessageEntry, i64) -> SyncAction,
    ) -> bool {
        let done = self.act(|phone, server| {
            let place = chat_of(server, chat)?;
            let kept = phone.messages.iter().find(|kept| kept.id == id && kept.chat == place)?;
            let from_me = kept.sender.account == phone.address.account;
            let message = MessageEntry {
                chat: by_lid(server, chat),
                id: MessageId::new(id).ok()?,
                from_me,
                sender: (chat.is_group() && !from_me)
                    .then(|| server.user_jid(kept.sender.account, Addressing::Lid)),
            };
            let action = action(message, seconds(kept.timestamp));
            phone.sync_actions(server, &[action]);
            Some(())
        });
        done.flatten().is_some()
    }

    fn look_at<R>(&self, look: impl FnOnce(&Endpoint, &Server) -> Option<R>) -> Option<R> {
        self.sim.with(|World { phones, server, .. }| look(phones.get(&self.number)?, server))
    }
}

fn range_to(
    own: DeviceAddress,
    server: &Server,
    chat: &Jid,
    last: &StoredMessage,
) -> Option<MessageRange> {
    let from_me = last.sender.account == own.account;
    let key = MessageKey {
        chat: Some(chat.clone()),
        from_me,
        id: MessageId::new(last.id.as_str()).ok()?,
        sender: (chat.is_group() && !from_me)
            .then(|| server.user_jid(last.sender.account, Addressing::Lid)),
    };
    Some(MessageRange::up_to(key, seconds(last.timestamp)))
}

fn by_lid(server: &Server, chat: &Jid) -> Jid {
    server
        .account_of(chat)
        .map_or_else(|| chat.clone(), |account| server.user_jid(account, Addressing::Lid))
}

fn seconds(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}
