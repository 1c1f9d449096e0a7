//! What a collection means for the archive: actions become changes and events.
//!
//! Owns who and what an action is about, by the archive's own names. Commits nothing by itself
//! but what two addresses are one person.

use wa_appstate::{Mutation, Operation};
use wa_proto::{
    Jid,
    app_state::{
        Collection, ContactNames, MessageEntry, MessageRange, MuteEnd, SyncAction, SyncIndex,
        SyncOperation,
    },
};
use wa_store::{
    Change, Changes, ChatUpdate, ContactUpdate, Label, Labelled, MessageKey, MessageQuery,
    QuickReply, StoreError, SyncChange, Timestamp,
};

use super::{UNARCHIVE, brings_chats_back, setting};
use crate::{
    event::{AccountSetting, AddressBookEvent, AppStateEvent, ChatChange, ChatEvent, Event},
    inner::Inner,
    lid,
};

/// What is to be written and told.
#[derive(Default)]
pub(super) struct Effects {
    pub(super) changes: Changes,
    events: Vec<Event>,
    push_name: Option<String>,
    full: bool,
    /// How many people's names were read, which are told together after a full sync.
    contacts: usize,
}

/// More events than this are not told one by one after a full sync.
const MAX_FULL_SYNC_EVENTS: usize = 1_000;
/// The most messages that are counted as unread behind a chat's read ones.
const MAX_UNREAD: usize = 1_000;

/// What mutations change.
///
/// # Errors
/// The store's.
pub(super) async fn of(
    inner: &Inner,
    collection: Collection,
    mutations: &[Mutation],
    full: bool,
) -> Result<Effects, StoreError> {
    let mut effects = Effects { full, ..Effects::default() };
    for mutation in mutations {
        let Ok(index) = SyncIndex::parse(&mutation.index) else {
            tracing::warn!(%collection, "a mutation has no index that can be read");
            continue;
        };
        let operation = match mutation.operation {
            Operation::Set => SyncOperation::Set,
            Operation::Remove => SyncOperation::Remove,
        };
        let action = SyncAction::read(operation, index, mutation.value.clone());
        effects.take(inner, action, mutation.value.timestamp).await?;
    }
    if full {
        effects.events.truncate(MAX_FULL_SYNC_EVENTS);
        if effects.contacts > 0 {
            let count = effects.contacts;
            effects.events.push(Event::AddressBook(AddressBookEvent::Synced { count }));
        }
    }
    let mutations = mutations.len();
    let done = AppStateEvent::SyncCompleted { collection, full, mutations };
    effects.events.push(Event::AppState(done));
    Ok(effects)
}

impl Effects {
    /// Writes everything in one commit, and tells it.
    ///
    /// # Errors
    /// The store's; then nothing was written or told.
    pub(super) async fn commit(self, inner: &Inner) -> Result<(), StoreError> {
        let Self { changes, events, push_name, .. } = self;
        match push_name {
            Some(name) => {
                inner
                    .update_account(|account, with| {
                        account.push_name = Some(name);
                        with.merge(changes);
                    })
                    .await?;
            }
            None => drop(inner.store.commit(changes).await?),
        }
        events.into_iter().for_each(|event| inner.emit(event));
        Ok(())
    }

    async fn take(
        &mut self,
        inner: &Inner,
        action: SyncAction,
        timestamp: Option<i64>,
    ) -> Result<(), StoreError> {
        match action {
            SyncAction::Mute { chat, until } => {
                let muted = until.map(|end| match end {
                    MuteEnd::Never => Timestamp::MAX,
                    MuteEnd::At(at) => Timestamp::from_secs(at / 1000),
                });
                self.chat(inner, &chat, ChatChange::Muted(muted), |update| {
                    update.muted_until = Some(muted);
                })
                .await
            }
            SyncAction::Pin { chat, pinned } => {
                let at = timestamp.map_or(inner.now(), |at| Timestamp::from_secs(at / 1000));
                self.chat(inner, &chat, ChatChange::Pinned(pinned), |update| {
                    update.pinned_at = Some(pinned.then_some(at));
                })
                .await
            }
            SyncAction::Archive { chat, archived, range } => {
                let end = end_of(range.as_ref(), timestamp);
                let archived = archived && !has_come_back(inner, &chat, end).await?;
                self.chat(inner, &chat, ChatChange::Archived(archived), |update| {
                    update.archived = Some(archived);
                    if archived {
                        update.pinned_at = Some(None);
                    }
                })
                .await
            }
            SyncAction::MarkRead { chat, read, range } => {
                let end = end_of(range.as_ref(), timestamp);
                self.mark_read(inner, &chat, read, end).await
            }
            SyncAction::ClearChat { .. } | SyncAction::DeleteChat { .. } => {
                self.empty(inner, action, timestamp).await
            }
            SyncAction::Star { .. }
            | SyncAction::DeleteForMe { .. }
            | SyncAction::LabelMessage { .. } => self.message(inner, action).await,
            SyncAction::Contact { person, names } | SyncAction::LidContact { person, names } => {
                self.contact(inner, &person, names).await
            }
            SyncAction::PhoneOfLid { lid, phone } => {
                lid::learn(inner, &lid, &phone).await.map(drop)
            }
            other => self.take_setting(inner, other).await,
        }
    }

    /// Changes a chat and tells it.
    async fn chat(
        &mut self,
        inner: &Inner,
        chat: &Jid,
        change: ChatChange,
        update: impl FnOnce(&mut ChatUpdate) + Send,
    ) -> Result<(), StoreError> {
        let chat = lid::canonical(&*inner.store, &chat.to_user()).await?;
        let mut changed = ChatUpdate::new(chat.clone());
        update(&mut changed);
        self.changes.push(Change::PutChat(Box::new(changed)));
        self.tell(chat, change);
        Ok(())
    }

    fn tell(&mut self, chat: Jid, change: ChatChange) {
        self.events.push(Event::Chat(ChatEvent { chat, change, full_sync: self.full }));
    }

    /// What came after the last message that was read stays unread.
    async fn mark_read(
        &mut self,
        inner: &Inner,
        chat: &Jid,
        read: bool,
        end: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let known = inner.store.chat(chat).await?;
        if known.is_none() && read {
            // A chat in which nothing is needs not be made to be read.
            return Ok(());
        }
        let left = match end.filter(|_| read) {
            Some(end) => {
                let mut newer = MessageQuery::chat(chat.clone());
                newer.filter.from_me = Some(false);
                newer.filter.since = Some(end.plus_secs(1));
                newer.limit = MAX_UNREAD;
                let newer = inner.store.messages(&newer).await?.len();
                let known = known.map_or(0, |chat| chat.unread);
                u32::try_from(newer).unwrap_or(u32::MAX).min(known)
            }
            None => 0,
        };
        self.chat(inner, chat, ChatChange::Read(read), |update| {
            update.marked_unread = Some(!read);
            if read {
                update.unread = Some(left);
            }
        })
        .await
    }

    /// A chat was emptied or deleted: what came after that stays.
    async fn empty(
        &mut self,
        inner: &Inner,
        action: SyncAction,
        timestamp: Option<i64>,
    ) -> Result<(), StoreError> {
        let (chat, range, keep_starred, deletes) = match action {
            SyncAction::ClearChat { chat, range, starred_too, .. } => {
                (chat, range, !starred_too, false)
            }
            SyncAction::DeleteChat { chat, range, .. } => (chat, range, false, true),
            _ => return Ok(()),
        };
        let chat = lid::canonical(&*inner.store, &chat.to_user()).await?;
        let until = end_of(range.as_ref(), timestamp);
        if inner.store.chat(&chat).await?.is_none() {
            return Ok(());
        }
        let mut newest = MessageQuery::chat(chat.clone());
        newest.limit = 1;
        let newest = inner.store.messages(&newest).await?.pop().map(|message| message.timestamp);
        let is_over = newest.is_none_or(|newest| until.is_none_or(|until| newest <= until));
        if deletes && is_over {
            self.changes.push(Change::DeleteChat(chat.clone()));
        } else {
            let clear = SyncChange::ClearChat { chat: chat.clone(), until, keep_starred };
            self.changes.push(Change::Sync(clear));
            if is_over {
                let mut update = ChatUpdate::new(chat.clone());
                (update.unread, update.marked_unread) = (Some(0), Some(false));
                self.changes.push(Change::PutChat(Box::new(update)));
            }
        }
        self.tell(chat, if deletes { ChatChange::Deleted } else { ChatChange::Cleared });
        Ok(())
    }

    async fn message(&mut self, inner: &Inner, action: SyncAction) -> Result<(), StoreError> {
        let (SyncAction::Star { message, .. }
        | SyncAction::DeleteForMe { message, .. }
        | SyncAction::LabelMessage { message, .. }) = &action
        else {
            return Ok(());
        };
        for key in found(inner, message).await? {
            let id = key.id.as_str().to_owned();
            let chat = key.chat.clone();
            let (change, told) = match &action {
                SyncAction::Star { starred, .. } => (
                    Change::SetStarred { key, starred: *starred },
                    ChatChange::Starred { id, starred: *starred },
                ),
                SyncAction::LabelMessage { label, labeled, .. } => (
                    label_change(label, Labelled::Message(key), *labeled),
                    ChatChange::MessageLabelled {
                        id,
                        label: label.to_string(),
                        labelled: *labeled,
                    },
                ),
                _ => (Change::DeleteMessage(key), ChatChange::MessageDeleted { id }),
            };
            self.changes.push(change);
            self.tell(chat, told);
        }
        Ok(())
    }

    async fn contact(
        &mut self,
        inner: &Inner,
        person: &Jid,
        names: Option<ContactNames>,
    ) -> Result<(), StoreError> {
        if let Some(ContactNames { lid: Some(lid), .. }) = &names {
            lid::learn(inner, person, lid).await?;
        }
        if let Some(ContactNames { phone: Some(phone), .. }) = &names {
            lid::learn(inner, person, phone).await?;
        }
        let person = lid::canonical(&*inner.store, &person.to_user()).await?;
        let is_there = names.is_some();
        let remove = Change::Sync(SyncChange::RemoveContactNames(person.clone()));
        match names {
            Some(names) => {
                // A name that is left out is no longer there.
                self.changes.push(remove);
                let mut update = ContactUpdate::new(person.clone());
                update.full_name = names.full.filter(|name| !name.is_empty());
                update.first_name = names.first.filter(|name| !name.is_empty());
                update.username = names.username.filter(|name| !name.is_empty());
                self.changes.push(Change::PutContact(Box::new(update)));
            }
            None => drop(self.changes.push(remove)),
        }
        self.contacts += 1;
        if !self.full {
            let event = AddressBookEvent::Changed { person, in_address_book: is_there };
            self.events.push(Event::AddressBook(event));
        }
        Ok(())
    }

    /// Settings of the account, labels and answers.
    async fn take_setting(&mut self, inner: &Inner, action: SyncAction) -> Result<(), StoreError> {
        let store = &*inner.store;
        match action {
            SyncAction::PushName(name) => {
                self.push_name = Some(name.clone());
                self.setting(AccountSetting::PushName(name));
            }
            SyncAction::Locale(locale) => {
                self.changes.push(setting("locale", locale.clone().into_bytes()));
                self.setting(AccountSetting::Locale(locale));
            }
            SyncAction::UnarchiveChats(on) => {
                self.flag(UNARCHIVE, on, AccountSetting::UnarchiveChats(on));
            }
            SyncAction::DisableLinkPreviews(on) => {
                self.flag("disable-link-previews", on, AccountSetting::DisableLinkPreviews(on));
            }
            SyncAction::RelayAllCalls(on) => {
                self.flag("relay-all-calls", on, AccountSetting::RelayAllCalls(on));
            }
            SyncAction::TwentyFourHours(on) => {
                self.flag("twenty-four-hours", on, AccountSetting::TwentyFourHours(on));
            }
            SyncAction::StatusMute { person, muted } => {
                let person = lid::canonical(store, &person.to_user()).await?;
                let change = SyncChange::SetStatusMuted { person: person.clone(), muted };
                self.changes.push(Change::Sync(change));
                let event = AddressBookEvent::StatusMuted { person, muted };
                self.events.push(Event::AddressBook(event));
            }
            SyncAction::Lock { chat, locked } => {
                let chat = lid::canonical(store, &chat.to_user()).await?;
                let change = SyncChange::SetLocked { chat: chat.clone(), locked };
                self.changes.push(Change::Sync(change));
                self.tell(chat, ChatChange::Locked(locked));
            }
            SyncAction::LabelChat { label, chat, labeled } => {
                let chat = lid::canonical(store, &chat.to_user()).await?;
                let on = Labelled::Chat(chat.clone());
                self.changes.push(label_change(&label, on, labeled));
                let label = label.to_string();
                self.tell(chat, ChatChange::Labelled { label, labelled: labeled });
            }
            SyncAction::NctSalt(salt) => {
                let salt = salt.map(|salt| salt.to_vec().into());
                self.changes.push(Change::PutNctSalt(salt));
            }
            other => self.take_list(other),
        }
        Ok(())
    }

    fn take_list(&mut self, action: SyncAction) {
        match action {
            SyncAction::Label { id, edit } => {
                let id = id.to_string();
                let change = match edit {
                    Some(edit) => SyncChange::PutLabel(Box::new(Label {
                        id: id.clone(),
                        name: edit.name.unwrap_or_default(),
                        color: edit.color,
                        predefined_id: edit.predefined_id,
                        position: edit.order,
                    })),
                    None => SyncChange::DeleteLabel(id.clone()),
                };
                self.changes.push(Change::Sync(change));
                self.events.push(Event::AppState(AppStateEvent::LabelChanged { id }));
            }
            SyncAction::QuickReply { id, reply } => {
                let id = id.to_string();
                let change = match reply {
                    Some(reply) => SyncChange::PutQuickReply(Box::new(QuickReply {
                        id: id.clone(),
                        shortcut: reply.shortcut,
                        message: reply.message,
                        keywords: reply.keywords,
                        count: reply.count,
                    })),
                    None => SyncChange::DeleteQuickReply(id.clone()),
                };
                self.changes.push(Change::Sync(change));
                self.events.push(Event::AppState(AppStateEvent::QuickReplyChanged { id }));
            }
            other => {
                let event = AppStateEvent::Other(Box::new(other));
                self.events.push(Event::AppState(event));
            }
        }
    }

    fn flag(&mut self, name: &str, on: bool, told: AccountSetting) {
        self.changes.push(setting(name, vec![u8::from(on)]));
        self.setting(told);
    }

    fn setting(&mut self, setting: AccountSetting) {
        self.events.push(Event::AppState(AppStateEvent::Setting(setting)));
    }
}

/// Whether something came into a chat after it was archived, with which it came back.
async fn has_come_back(
    inner: &Inner,
    chat: &Jid,
    archived_at: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let store = &*inner.store;
    if !brings_chats_back(store).await? {
        return Ok(false);
    }
    let known = store.chat(chat).await?;
    let last = known
        .and_then(|chat| chat.last_message.filter(|(_, at)| !chat.is_muted(*at)).map(|(_, at)| at));
    Ok(last.is_some_and(|last| archived_at.is_some_and(|archived_at| last > archived_at)))
}

/// Up to when an action goes: to the last message it names, else to when it was made. An old one
/// that is read anew must not reach what came since.
fn end_of(range: Option<&MessageRange>, made_at: Option<i64>) -> Option<Timestamp> {
    let named = range.and_then(MessageRange::end);
    named.or(made_at.map(|at| at / 1000)).map(Timestamp::from_secs)
}

fn label_change(label: &str, on: Labelled, labelled: bool) -> Change {
    Change::Sync(SyncChange::SetLabel { label: label.to_owned(), on: Box::new(on), labelled })
}

/// The archived messages that an entry names: nearly always one at most. Not every device says who
/// sent a message in a group.
async fn found(inner: &Inner, entry: &MessageEntry) -> Result<Vec<MessageKey>, StoreError> {
    let messages = inner.store.messages_by_id(&entry.chat, &entry.id.as_str().into()).await?;
    let sender = match &entry.sender {
        Some(sender) => Some(lid::canonical(&*inner.store, &sender.to_user()).await?),
        None => None,
    };
    let keys = messages.into_iter().map(|message| message.key);
    let is_meant = |key: &MessageKey| {
        key.from_me == entry.from_me
            && (key.from_me || sender.as_ref().is_none_or(|sender| *sender == key.sender))
    };
    Ok(keys.filter(is_meant).collect())
}
