//! What a person sees on the phone of the app state: chats that are silent, pinned, archived,
//! messages with a star, names. Knows nothing of patches.

use std::collections::{BTreeMap, BTreeSet};

use wa_proto::{
    Jid,
    app_state::{LabelEdit, MessageRange, MuteEnd, QuickReply, SyncAction},
};

use super::{Chat, Endpoint, chat_of};
use crate::server::Server;

/// The settings of a chat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ChatState {
    pub(crate) muted: Option<MuteEnd>,
    pub(crate) pinned: bool,
    pub(crate) archived: bool,
    pub(crate) marked_unread: bool,
    pub(crate) locked: bool,
    pub(crate) cleared: u32,
    pub(crate) deleted: u32,
    pub(crate) labels: BTreeSet<String>,
}

/// Everything there is to see.
#[derive(Default)]
pub(crate) struct Synced {
    pub(crate) chats: BTreeMap<Chat, ChatState>,
    pub(crate) starred: BTreeSet<String>,
    pub(crate) deleted_for_me: BTreeSet<String>,
    pub(crate) contacts: BTreeMap<Jid, String>,
    pub(crate) labels: BTreeMap<String, LabelEdit>,
    pub(crate) replies: BTreeMap<String, QuickReply>,
    pub(crate) muted_status: BTreeSet<Jid>,
    pub(crate) locale: Option<String>,
    pub(crate) unarchives: bool,
    /// How many actions on chats were ignored because they did not name the last message.
    pub(crate) ignored: u32,
    /// How many patches were refused.
    pub(crate) refused: u32,
    /// How often a companion asked for keys.
    pub(crate) key_requests: u32,
    /// How often a companion asked for a copy of a collection.
    pub(crate) recoveries: u32,
}

impl Endpoint {
    pub(super) fn take_action(&mut self, server: &mut Server, action: &SyncAction, own: bool) {
        match action {
            SyncAction::Archive { chat, range, .. }
            | SyncAction::MarkRead { chat, range, .. }
            | SyncAction::ClearChat { chat, range, .. }
            | SyncAction::DeleteChat { chat, range, .. } => {
                let Some(chat) = chat_of(server, chat) else { return };
                if !own && !self.knows_end(&chat, range.as_ref()) {
                    self.app_state.synced.ignored += 1;
                    return;
                }
                self.take_chat_action(&chat, action);
            }
            SyncAction::Mute { chat, .. }
            | SyncAction::Pin { chat, .. }
            | SyncAction::Lock { chat, .. }
            | SyncAction::LabelChat { chat, .. } => {
                let Some(chat) = chat_of(server, chat) else { return };
                self.take_chat_action(&chat, action);
            }
            _ => self.take_other_action(server, action),
        }
    }

    /// Whether a range names a message that the phone knows; nothing needs to be named in a chat
    /// without messages.
    fn knows_end(&self, chat: &Chat, range: Option<&MessageRange>) -> bool {
        let mut messages = self.messages.iter().filter(|kept| kept.chat == *chat).peekable();
        if messages.peek().is_none() {
            return true;
        }
        let Some(range) = range else { return false };
        let named = |id: &str| range.messages.iter().any(|named| named.key.id.as_str() == id);
        range.end().is_some() && messages.any(|kept| named(&kept.id))
    }

    fn take_chat_action(&mut self, chat: &Chat, action: &SyncAction) {
        let state = self.app_state.synced.chats.entry(chat.clone()).or_default();
        match action {
            SyncAction::Mute { until, .. } => state.muted = *until,
            SyncAction::Pin { pinned, .. } => state.pinned = *pinned,
            SyncAction::Archive { archived, .. } => state.archived = *archived,
            SyncAction::MarkRead { read, .. } => state.marked_unread = !read,
            SyncAction::Lock { locked, .. } => state.locked = *locked,
            SyncAction::ClearChat { .. } => state.cleared += 1,
            SyncAction::DeleteChat { .. } => state.deleted += 1,
            SyncAction::LabelChat { label, labeled, .. } => {
                if *labeled {
                    state.labels.insert(label.to_string());
                } else {
                    state.labels.remove(label.as_str());
                }
            }
            _ => {}
        }
    }

    fn take_other_action(&mut self, server: &mut Server, action: &SyncAction) {
        let synced = &mut self.app_state.synced;
        match action {
            SyncAction::Star { message, starred } => {
                set(&mut synced.starred, message.id.as_str().to_owned(), *starred);
            }
            SyncAction::DeleteForMe { message, .. } => {
                synced.deleted_for_me.insert(message.id.as_str().to_owned());
            }
            SyncAction::Contact { person, names } | SyncAction::LidContact { person, names } => {
                match names.as_ref().and_then(|names| names.full.clone()) {
                    Some(name) => drop(synced.contacts.insert(person.clone(), name)),
                    None => drop(synced.contacts.remove(person)),
                }
            }
            SyncAction::StatusMute { person, muted } => {
                set(&mut synced.muted_status, person.clone(), *muted);
            }
            SyncAction::PushName(name) => {
                if let Some(account) = server.accounts.get_mut(&self.address.account) {
                    account.name.clone_from(name);
                }
            }
            SyncAction::Locale(locale) => synced.locale = Some(locale.clone()),
            SyncAction::UnarchiveChats(on) => synced.unarchives = *on,
            SyncAction::Label { id, edit } => match edit {
                Some(edit) => drop(synced.labels.insert(id.to_string(), edit.clone())),
                None => drop(synced.labels.remove(id.as_str())),
            },
            SyncAction::QuickReply { id, reply } => match reply {
                Some(reply) => drop(synced.replies.insert(id.to_string(), reply.clone())),
                None => drop(synced.replies.remove(id.as_str())),
            },
            _ => {}
        }
    }
}

fn set<T: Ord>(all: &mut BTreeSet<T>, one: T, is_in: bool) {
    if is_in {
        all.insert(one);
    } else {
        all.remove(&one);
    }
}
