//! What is known of groups: kept on disk, asked for when nothing is known.
//!
//! Owns what is learnt with it: which addresses are one person's, what a chat is called and when
//! its messages disappear. One answer or notice about a group is dealt with at a time.

use wa_proto::{
    Jid,
    request::{GroupQuery, ParticipatingGroups, ParticipatingGroupsAnswer},
    stanza::{GroupInfo, GroupParticipant, IqError, OwnJids},
};
use wa_store::{Change, Changes, ChatUpdate, ContactUpdate, StoreError};

use super::known_members as members;
use crate::{
    error::Error,
    event::Event,
    inner::Inner,
    lid,
    request::{RequestError, budget::may_ask},
};

/// What is known of a group; asked for if nothing is.
///
/// # Errors
/// [`Error::NotInGroup`]; or the server could not be asked, or the store failed.
pub(crate) async fn info(inner: &Inner, group: &Jid) -> Result<GroupInfo, Error> {
    match inner.store.group(group).await? {
        Some(info) => Ok(info),
        None => refresh(inner, group).await,
    }
}

/// Asks for a group and keeps the answer.
///
/// # Errors
/// As [`info`].
pub(crate) async fn refresh(inner: &Inner, group: &Jid) -> Result<GroupInfo, Error> {
    may_ask()?;
    // A notice that comes behind the answer is to change it, so it waits.
    let _one_at_a_time = inner.locks.group(group.clone()).await;
    match inner.request(&GroupQuery { group: group.clone() }).await {
        Ok(info) => {
            keep(inner, std::slice::from_ref(&info)).await?;
            Ok(info)
        }
        Err(RequestError::Refused(IqError { code: 401 | 403 | 404, .. })) => {
            inner.store.commit(leave(group)).await?;
            Err(Error::NotInGroup)
        }
        Err(error) => Err(error.into()),
    }
}

/// Asks for every group that the account is in, keeps the answers, and forgets all others. To be
/// called when anything may have changed unseen, as the server's mark `groups` says.
///
/// # Errors
/// The server could not be asked, or the store failed.
pub(crate) async fn refresh_all(inner: &Inner) -> Result<Vec<GroupInfo>, Error> {
    let ParticipatingGroupsAnswer { groups, unreadable, .. } =
        inner.request(&ParticipatingGroups).await?;
    let known = inner.store.groups().await?;
    // One that cannot be read was not left.
    let gone = known
        .iter()
        .filter(|known| unreadable == 0 && groups.iter().all(|group| group.jid != known.jid));
    let mut forgotten = Changes::new();
    for known in gone {
        forgotten.merge(leave(&known.jid));
    }
    inner.store.commit(forgotten).await?;
    for group in &groups {
        let _one_at_a_time = inner.locks.group(group.jid.clone()).await;
        keep(inner, std::slice::from_ref(group)).await?;
    }
    Ok(groups)
}

/// Believes what is known of a group no longer: it is asked for before the next message.
///
/// # Errors
/// The store's.
pub(crate) async fn forget(inner: &Inner, group: &Jid) -> Result<(), StoreError> {
    let _one_at_a_time = inner.locks.group(group.clone()).await;
    let known = inner.store.group(group).await?;
    inner.store.commit(doubt(group, known.as_ref())).await?;
    Ok(())
}

/// Forgets a group that the account left.
///
/// # Errors
/// The store's.
pub(super) async fn forget_left(inner: &Inner, group: &Jid) -> Result<(), StoreError> {
    let _one_at_a_time = inner.locks.group(group.clone()).await;
    inner.store.commit(leave(group)).await?;
    Ok(())
}

/// What is known of a group is void. Who was in it is remembered, so that whoever the next answer
/// adds is named.
pub(crate) fn doubt(group: &Jid, known: Option<&GroupInfo>) -> Changes {
    let remembered = known.map(members::remember);
    let forgotten = Changes::from(Change::DeleteGroup(group.clone()));
    remembered.into_iter().fold(forgotten, Changes::with)
}

/// The account is not in a group: nothing is known of it.
pub(crate) fn leave(group: &Jid) -> Changes {
    Changes::from(Change::DeleteGroup(group.clone())).with(members::forget(group))
}

/// Keeps what the server told of groups, in one commit, and tells who came and went since. The
/// caller holds their locks.
///
/// # Errors
/// The store's.
pub(super) async fn keep(inner: &Inner, groups: &[GroupInfo]) -> Result<(), StoreError> {
    let mut changes = Changes::new();
    let mut news = Vec::new();
    for group in groups {
        learn(inner, &group.participants).await?;
        news.extend(members::changes(inner, group).await?);
        changes.push(Change::PutChat(Box::new(chat_update(group))));
        changes.push(Change::PutGroup(Box::new(group.clone())));
        changes.push(members::forget(&group.jid));
    }
    inner.store.commit(changes).await?;
    news.into_iter().for_each(|event| inner.emit(Event::Group(event)));
    Ok(())
}

/// Notes which addresses are one person's, and by which names people can be found.
///
/// # Errors
/// The store's.
pub(super) async fn learn(
    inner: &Inner,
    participants: &[GroupParticipant],
) -> Result<(), StoreError> {
    let pairs = participants.iter().filter_map(|person| Some((&person.jid, person.other()?)));
    lid::learn_all(inner, &pairs.collect::<Vec<_>>()).await?;
    let named = participants.iter().filter_map(|person| {
        let mut contact = ContactUpdate::new(person.jid.to_user());
        contact.username = Some(person.username.clone()?);
        Some(Change::PutContact(Box::new(contact)))
    });
    let named: Changes = named.collect();
    if !named.is_empty() {
        inner.store.commit(named).await?;
    }
    Ok(())
}

/// What a group says about its chat.
pub(super) fn chat_update(group: &GroupInfo) -> ChatUpdate {
    let mut update = ChatUpdate::new(group.jid.clone());
    update.name = Some(group.subject.clone());
    update.ephemeral_secs = Some(Some(group.ephemeral).filter(|seconds| *seconds != 0));
    update
}

/// Whether the account is in a group, as far as is known.
pub(crate) fn is_in(group: &GroupInfo, own: &OwnJids) -> bool {
    group.participants.iter().any(|person| is_me(person, own))
}

/// Whether a participant is this account.
pub(crate) fn is_me(person: &GroupParticipant, own: &OwnJids) -> bool {
    own.is_me(&person.jid) || person.other().is_some_and(|other| own.is_me(other))
}
