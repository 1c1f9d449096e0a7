//! Notices about groups (`w:gp2`): what is known changes alike, and the user hears of it.
//!
//! Owns the effect of each change. A list of participants whose version is another than the notice
//! builds on is no longer believed and asked for again before the next message.

use wa_proto::stanza::{
    CommunityRole, GroupChange, GroupDescription, GroupInfo, GroupNotification, GroupParticipant,
    GroupRole, LinkKind, Notification, OwnJids, ParticipantChange, ParticipantChangeKind,
};
use wa_store::{Change, Changes, ChatUpdate, StoreError};

use super::{cache, known_members};
use crate::{
    event::{Event, GroupEvent},
    inner::Inner,
    lid,
    receive::own_jids,
};

/// Deals with a notice about a group.
///
/// # Errors
/// The store's.
pub(crate) async fn handle(
    inner: &Inner,
    notification: &Notification,
    group: &GroupNotification,
) -> Result<(), StoreError> {
    let Some(own) = own_jids(&inner.account()) else { return Ok(()) };
    if let (Some(actor), Some(alt)) = (&group.actor, &group.actor_alt) {
        lid::learn(inner, actor, alt).await?;
    }
    for change in &group.changes {
        cache::learn(inner, people_of(change)).await?;
    }
    {
        let _one_at_a_time = inner.locks.group(group.group.clone()).await;
        let known = inner.store.group(&group.group).await?;
        let (mut changes, is_void) = changes(known.clone(), group, &own);
        if is_void {
            changes.extend(known_members::follow(inner, known.as_ref(), group).await?);
        }
        inner.store.commit(changes).await?;
    }
    let actor = match &group.actor {
        Some(actor) => Some(lid::canonical(&*inner.store, &actor.to_user()).await?),
        None => None,
    };
    for change in &group.changes {
        inner.emit(Event::Group(GroupEvent {
            group: group.group.clone(),
            actor: actor.clone(),
            push_name: notification.push_name.clone(),
            timestamp: notification.timestamp.unwrap_or_else(|| inner.clock.unix()),
            change: change.clone(),
        }));
    }
    Ok(())
}

/// The people a change names, with all that is told of them.
fn people_of(change: &GroupChange) -> &[GroupParticipant] {
    match change {
        GroupChange::Created(created) => &created.info.participants,
        GroupChange::Participants(change) => &change.participants,
        GroupChange::NumberChanged(people) | GroupChange::JoinRequestsRevoked(people) => people,
        GroupChange::JoinRequested { people, .. } => people,
        _ => &[],
    }
}

/// What a notice changes in the store, and whether who is in the group has to be asked for.
fn changes(known: Option<GroupInfo>, notice: &GroupNotification, own: &OwnJids) -> (Changes, bool) {
    let mut changes = Changes::new();
    let mut state = known.map_or(State::Unknown, |info| State::Known(Box::new(info)));
    for change in &notice.changes {
        let update = chat_update(notice, change);
        changes.extend(update.map(|update| Change::PutChat(Box::new(update))));
        state = state.after(change, own);
    }
    if let (true, State::Known(info)) = (notice.is_partial, &state) {
        state = State::Doubtful(info.clone());
    }
    let is_void = matches!(state, State::Unknown | State::Doubtful(_));
    match state {
        State::Unknown => {}
        State::Known(info) => drop(changes.push(Change::PutGroup(info))),
        State::Doubtful(info) => {
            changes.merge(cache::doubt(&notice.group, Some(&info)));
        }
        State::Left => drop(changes.merge(cache::leave(&notice.group))),
    }
    (changes, is_void)
}

/// What a change says about the chat.
fn chat_update(notice: &GroupNotification, change: &GroupChange) -> Option<ChatUpdate> {
    let mut update = ChatUpdate::new(notice.group.clone());
    match change {
        GroupChange::Created(created) => return Some(cache::chat_update(&created.info)),
        GroupChange::Subject { subject, .. } => update.name = Some(subject.clone()),
        GroupChange::Ephemeral(seconds) => {
            update.ephemeral_secs = Some(Some(*seconds).filter(|seconds| *seconds != 0));
        }
        _ => return None,
    }
    Some(update)
}

/// What is known of a group while a notice is gone through.
#[derive(Debug, PartialEq)]
enum State {
    /// Nothing, and nothing was.
    Unknown,
    /// This.
    Known(Box<GroupInfo>),
    /// This, which is wrong.
    Doubtful(Box<GroupInfo>),
    /// Nothing any more: the account is not in it.
    Left,
}

impl State {
    fn after(self, change: &GroupChange, own: &OwnJids) -> Self {
        if let GroupChange::Created(created) = change {
            return Self::Known(Box::new(created.info.clone()));
        }
        let Self::Known(mut info) = self else { return self };
        let is_me = |person: &GroupParticipant| cache::is_me(person, own);
        match change {
            GroupChange::Deleted => return Self::Left,
            GroupChange::Participants(change)
                if change.kind == ParticipantChangeKind::Remove
                    && change.participants.iter().any(is_me) =>
            {
                return Self::Left;
            }
            GroupChange::Participants(change) => {
                if !apply_participants(&mut info, change) {
                    return Self::Doubtful(info);
                }
            }
            GroupChange::NumberChanged(_) => return Self::Doubtful(info),
            change => apply_setting(&mut info, change),
        }
        Self::Known(info)
    }
}

/// Changes the list of participants; whether the change builds on it.
fn apply_participants(info: &mut GroupInfo, change: &ParticipantChange) -> bool {
    if change.version.is_some() && change.version == info.participant_version {
        // Asked for after it happened.
        return true;
    }
    let builds_on = &change.previous_version;
    let is_stale = builds_on.is_some()
        && info.participant_version.is_some()
        && *builds_on != info.participant_version;
    if is_stale {
        return false;
    }
    let is = |one: &GroupParticipant, other: &GroupParticipant| {
        one.is(&other.jid) || other.other().is_some_and(|jid| one.is(jid))
    };
    for person in &change.participants {
        let at = info.participants.iter().position(|known| is(known, person));
        match (change.kind, at) {
            (ParticipantChangeKind::Add, None) => info.participants.push(person.clone()),
            (ParticipantChangeKind::Remove, Some(at)) => drop(info.participants.remove(at)),
            (ParticipantChangeKind::Promote, at) => set_role(info, at, GroupRole::Admin),
            (ParticipantChangeKind::Demote, at) => set_role(info, at, GroupRole::Member),
            _ => {}
        }
    }
    info.size = u32::try_from(info.participants.len()).ok();
    if change.version.is_some() {
        info.participant_version.clone_from(&change.version);
    }
    true
}

fn set_role(info: &mut GroupInfo, at: Option<usize>, role: GroupRole) {
    if let Some(person) = at.and_then(|at| info.participants.get_mut(at)) {
        person.role = role;
    }
}

/// Changes anything else; what is not known leaves everything as it is.
fn apply_setting(info: &mut GroupInfo, change: &GroupChange) {
    match change {
        GroupChange::Subject { subject, owner, timestamp } => {
            info.subject.clone_from(subject);
            info.subject_owner.clone_from(owner);
            info.subject_time = *timestamp;
        }
        GroupChange::Description { id, text } => {
            let text = text.clone();
            info.description = text.map(|text| GroupDescription::new(id.clone(), text));
        }
        GroupChange::Locked(on) => info.is_locked = *on,
        GroupChange::Announcement(on) => info.is_announcement = *on,
        GroupChange::Ephemeral(seconds) => info.ephemeral = *seconds,
        GroupChange::MembershipApproval(on) => info.needs_approval = *on,
        GroupChange::MemberAddMode(mode) => info.member_add_mode = *mode,
        GroupChange::Suspended(on) => info.is_suspended = *on,
        GroupChange::Linked { group, kind: LinkKind::Parent } => {
            let parent = Some(group.clone());
            info.community = CommunityRole::SubGroup { parent, is_default: false };
        }
        GroupChange::Unlinked { kind: LinkKind::Parent, .. } => {
            info.community = CommunityRole::None;
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use wa_proto::{Jid, stanza::AddressingMode};

    use super::*;

    fn own() -> OwnJids {
        OwnJids { phone: Jid::phone("1555").with_device(2), lid: Some(Jid::lid("1")) }
    }

    fn group(version: &str) -> GroupInfo {
        let mut info = GroupInfo::new(Jid::group("9"), AddressingMode::Lid, "Tea");
        info.participants = ["1", "2"].map(|lid| GroupParticipant::new(Jid::lid(lid))).to_vec();
        info.participant_version = Some(version.into());
        info
    }

    fn change(kind: ParticipantChangeKind, lid: &str, from: &str, to: &str) -> GroupChange {
        let node = match kind {
            ParticipantChangeKind::Add => "add",
            ParticipantChangeKind::Remove => "remove",
            ParticipantChangeKind::Promote => "promote",
            _ => "demote",
        };
        let person = wa_proto::Node::new("participant").attr("jid", Jid::lid(lid));
        let node = wa_proto::Node::new(node)
            .attr("prev_v_id", from.to_owned())
            .attr("v_id", to.to_owned())
            .child(person);
        let stanza = wa_proto::Node::new("notification")
            .attr("id", "1")
            .attr("from", Jid::group("9"))
            .attr("type", "w:gp2")
            .child(node);
        match wa_proto::Stanza::parse(stanza) {
            wa_proto::Stanza::Notification(notification) => match notification.body {
                wa_proto::stanza::NotificationBody::Group(mut group) => group.changes.remove(0),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    fn after(info: GroupInfo, change: &GroupChange) -> State {
        State::Known(Box::new(info)).after(change, &own())
    }

    #[test]
    fn a_list_follows_notices_that_build_on_it() {
        let add = change(ParticipantChangeKind::Add, "3", "5", "6");
        let State::Known(info) = after(group("5"), &add) else { panic!() };
        assert_eq!((info.participants.len(), info.size), (3, Some(3)));
        assert_eq!(info.participant_version.as_deref(), Some("6"));
        let promote = change(ParticipantChangeKind::Promote, "3", "6", "7");
        let State::Known(info) = after(*info, &promote) else { panic!() };
        assert!(info.participant(&Jid::lid("3")).unwrap().role.is_admin());
        let remove = change(ParticipantChangeKind::Remove, "2", "7", "8");
        let State::Known(info) = after(*info, &remove) else { panic!() };
        assert!(info.participant(&Jid::lid("2")).is_none());
    }

    #[test]
    fn a_list_that_a_notice_does_not_build_on_is_not_believed() {
        let add = change(ParticipantChangeKind::Add, "3", "5", "6");
        assert_eq!(after(group("4"), &add), State::Doubtful(Box::new(group("4"))));
        // It was asked for after this happened.
        assert_eq!(after(group("6"), &add), State::Known(Box::new(group("6"))));
        assert_eq!(State::Unknown.after(&add, &own()), State::Unknown);
    }

    #[test]
    fn whoever_is_put_out_knows_nothing_of_the_group_any_more() {
        let remove = change(ParticipantChangeKind::Remove, "1", "5", "6");
        assert_eq!(after(group("5"), &remove), State::Left);
    }

    #[test]
    fn an_unknown_change_leaves_everything_as_it_is() {
        let raw = GroupChange::Raw(wa_proto::Node::new("brand_new"));
        assert_eq!(after(group("5"), &raw), State::Known(Box::new(group("5"))));
    }
}
