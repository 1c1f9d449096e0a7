//! Who was in a group when it was last told, so that nobody joins it unnamed.
//!
//! Owns the comparison of two answers about a group. The list of members is the server's to make;
//! that it changed is told to the user, also where no notice said so. Knows nothing of when a group
//! is asked for.

use std::collections::BTreeSet;

use wa_proto::{
    Jid,
    stanza::{
        GroupChange, GroupInfo, GroupNotification, GroupParticipant, MAX_GROUP_PARTICIPANTS,
        ParticipantChange, ParticipantChangeKind,
    },
};
use wa_store::{Change, StoreError};

use super::cache;
use crate::{event::GroupEvent, inner::Inner, lid, receive::own_jids};

/// The setting of the store under which the members of a group stand while nothing else is known
/// of it: one address a line.
const SETTING: &str = "group-members/";

fn setting(group: &Jid, value: Option<Vec<u8>>) -> Change {
    Change::PutSetting { name: format!("{SETTING}{group}"), value }
}

/// Remembers who is in a group of which all else is forgotten.
pub(super) fn remember(known: &GroupInfo) -> Change {
    let people: Vec<Jid> = known.participants.iter().map(|person| person.jid.to_user()).collect();
    setting(&known.jid, Some(lines(&people)))
}

/// Remembers who is in a group of which nothing may be believed, after a notice named people: they
/// are not named again. Nothing where nobody is remembered.
///
/// # Errors
/// The store's.
pub(super) async fn follow(
    inner: &Inner,
    known: Option<&GroupInfo>,
    notice: &GroupNotification,
) -> Result<Option<Change>, StoreError> {
    let mut people = told_last(inner, &notice.group, known).await?;
    if people.is_empty() {
        return Ok(None);
    }
    for change in &notice.changes {
        let GroupChange::Participants(change) = change else { continue };
        let jids = change.participants.iter().map(|person| person.jid.to_user());
        match change.kind {
            ParticipantChangeKind::Add => people.extend(jids),
            ParticipantChangeKind::Remove => {
                people.retain(|jid| !change.participants.iter().any(|gone| gone.is(jid)));
            }
            _ => {}
        }
    }
    people.sort();
    people.dedup();
    people.truncate(MAX_GROUP_PARTICIPANTS);
    Ok(Some(setting(&notice.group, Some(lines(&people)))))
}

fn lines(people: &[Jid]) -> Vec<u8> {
    let lines: Vec<String> = people.iter().map(Jid::to_string).collect();
    lines.join("\n").into_bytes()
}

/// Forgets who was in a group.
pub(super) fn forget(group: &Jid) -> Change {
    setting(group, None)
}

/// Who was in a group when it was last told; nobody where nothing is known.
async fn told_last(
    inner: &Inner,
    group: &Jid,
    known: Option<&GroupInfo>,
) -> Result<Vec<Jid>, StoreError> {
    if let Some(known) = known {
        return Ok(known.participants.iter().map(|person| person.jid.to_user()).collect());
    }
    let kept = inner.store.setting(&format!("{SETTING}{group}")).await?;
    let text = String::from_utf8(kept.unwrap_or_default()).unwrap_or_default();
    Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
}

/// The same by canonical address.
async fn before(inner: &Inner, group: &Jid) -> Result<BTreeSet<Jid>, StoreError> {
    let known = inner.store.group(group).await?;
    let people = told_last(inner, group, known.as_ref()).await?;
    Ok(lid::canonical_all(&*inner.store, &people).await?.into_iter().collect())
}

/// What an answer says about the members that was not known: who came and who went, as events.
/// Nothing where nothing was known before, or where the answer names nobody.
///
/// # Errors
/// The store's.
pub(super) async fn changes(
    inner: &Inner,
    told: &GroupInfo,
) -> Result<Vec<GroupEvent>, StoreError> {
    let before = before(inner, &told.jid).await?;
    let Some(own) = own_jids(&inner.account()) else { return Ok(Vec::new()) };
    if before.is_empty() || told.participants.is_empty() {
        return Ok(Vec::new());
    }
    let people: Vec<Jid> = told.participants.iter().map(|person| person.jid.to_user()).collect();
    let people = lid::canonical_all(&*inner.store, &people).await?;
    let came = told.participants.iter().zip(&people);
    let came = came.filter(|(person, jid)| !before.contains(*jid) && !cache::is_me(person, &own));
    let came: Vec<_> = came.map(|(person, _)| person.clone()).collect();
    let now: BTreeSet<&Jid> = people.iter().collect();
    let went = before.iter().filter(|jid| !now.contains(jid) && !own.is_me(jid));
    let went: Vec<_> = went.cloned().map(GroupParticipant::new).collect();
    let event = |kind, people| GroupEvent {
        group: told.jid.clone(),
        actor: None,
        push_name: None,
        timestamp: inner.clock.unix(),
        change: GroupChange::Participants(ParticipantChange::new(kind, people)),
    };
    let changes =
        [(ParticipantChangeKind::Add, came), (ParticipantChangeKind::Remove, went)].into_iter();
    let changes = changes.filter(|(_, people)| !people.is_empty());
    Ok(changes.map(|(kind, people)| event(kind, people)).collect())
}
