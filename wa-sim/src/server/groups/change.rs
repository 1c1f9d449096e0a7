//! Changes to a group, by somebody who may or may not make them: members and settings. Knows nothing
//! of how a change is asked for.

use wa_proto::{Jid, Node, OwnedNode};

use super::{
    BAD_REQUEST, CONFLICT, FORBIDDEN, Group, MAX_MEMBERS, MAX_SUBJECT, Member, NOT_FOUND, Offer,
    Role, Wording,
};
use crate::{
    address::PhoneNumber,
    server::{Server, iq::IqError},
};

/// The longest description, in characters.
const MAX_DESCRIPTION: usize = 2_048;

/// What happens to members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberChange {
    Add,
    Remove,
    Promote,
    Demote,
}

impl MemberChange {
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Promote => "promote",
            Self::Demote => "demote",
        }
    }
}

/// What became of one person.
#[derive(Debug, Clone)]
pub(crate) struct PersonResult {
    /// As they were named.
    pub(crate) jid: Jid,
    pub(crate) error: Option<u16>,
    /// How they can join by themselves.
    pub(crate) offer: Option<Offer>,
}

/// One thing about a group that can change.
#[derive(Debug, Clone)]
pub(crate) enum GroupEdit {
    Subject(String),
    /// The new wording with its id, or none; and the id of the one it replaces.
    Description(Option<(String, String)>, Option<String>),
    Locked(bool),
    Announcement(bool),
    Ephemeral(u32),
    Approval(bool),
    EverybodyAdds(bool),
    /// Whether there is one from now on.
    Picture(bool),
}

impl Server {
    /// Does something to members of a group; each has a result of their own.
    pub(crate) fn change_members(
        &mut self,
        actor: PhoneNumber,
        id: &str,
        change: MemberChange,
        people: &[Jid],
    ) -> Result<Vec<PersonResult>, IqError> {
        let group = self.group_of(actor, id)?;
        let may = group.is_admin(actor) || change == MemberChange::Add && group.everybody_adds;
        if !may {
            return Err(FORBIDDEN);
        }
        let previous = group.version;
        let mut done = Vec::new();
        let mut results = Vec::new();
        for jid in people {
            let outcome = match self.account_of(jid) {
                Some(account) => self.change_member(actor, id, change, account),
                None => Err((NOT_FOUND.0, None)),
            };
            let (error, offer) = match outcome {
                Ok(member) => {
                    done.push(member);
                    (None, None)
                }
                Err((code, offer)) => (Some(code), offer),
            };
            results.push(PersonResult { jid: jid.clone(), error, offer });
        }
        self.tell_of_members(actor, id, change, previous, &done);
        Ok(results)
    }

    fn change_member(
        &mut self,
        actor: PhoneNumber,
        id: &str,
        change: MemberChange,
        account: PhoneNumber,
    ) -> Result<Member, (u16, Option<Offer>)> {
        if change == MemberChange::Add && !self.may_be_added_by(account, actor) {
            return Err((403, Some(self.offer(actor, id, account))));
        }
        let group = self.groups.get_mut(id).ok_or((NOT_FOUND.0, None))?;
        let at = group.members.iter().position(|member| member.account == account);
        let member = match (change, at) {
            (MemberChange::Add, Some(_)) => return Err((409, None)),
            (MemberChange::Add, None) if group.members.len() >= MAX_MEMBERS => {
                return Err((419, None));
            }
            (MemberChange::Add, None) => {
                let member = Member { account, role: Role::Member };
                group.waiting.remove(&account);
                group.offers.remove(&account);
                group.members.push(member);
                member
            }
            (_, None) => return Err((NOT_FOUND.0, None)),
            (MemberChange::Remove, Some(at)) => {
                if group.role(account) == Some(Role::Creator) && account != actor {
                    return Err((406, None));
                }
                group.members.remove(at)
            }
            (MemberChange::Promote | MemberChange::Demote, Some(at)) => {
                let role = if change == MemberChange::Promote { Role::Admin } else { Role::Member };
                let Some(member) = group.members.get_mut(at) else { return Err((404, None)) };
                if member.role == Role::Creator {
                    return Err((406, None));
                }
                member.role = role;
                *member
            }
        };
        group.version += 1;
        Ok(member)
    }

    /// Whether somebody lets this person add them to groups.
    pub(super) fn may_be_added_by(&self, account: PhoneNumber, actor: PhoneNumber) -> bool {
        let Some(account) = self.accounts.get(&account) else { return false };
        match account.privacy.get("groupadd").map(String::as_str) {
            Some("none") => false,
            Some("contacts") => account.contacts.contains(&actor),
            _ => true,
        }
    }

    /// Members learn who came or went; whoever came gets the whole group.
    pub(super) fn tell_of_members(
        &mut self,
        actor: PhoneNumber,
        id: &str,
        change: MemberChange,
        previous: u64,
        done: &[Member],
    ) {
        let Some(group) = self.groups.get(id) else { return };
        if done.is_empty() {
            return;
        }
        let node = self.members_node(change.tag(), group, previous, done);
        let changed: Vec<_> = done.iter().map(|member| member.account).collect();
        let mut told = group.accounts();
        match change {
            MemberChange::Add => told.retain(|account| !changed.contains(account)),
            MemberChange::Remove => told.extend(changed.iter().copied()),
            MemberChange::Promote | MemberChange::Demote => {}
        }
        self.tell(id, actor, told, &node);
        if change == MemberChange::Add {
            self.tell_of_group(id, actor, changed, Node::new("create"));
        }
    }

    /// Leaves. Whoever is left has an admin; a group that nobody is in is gone.
    pub(crate) fn leave_group(&mut self, account: PhoneNumber, id: &str) -> Result<(), IqError> {
        self.group_of(account, id)?;
        let group = self.groups.get_mut(id).ok_or(NOT_FOUND)?;
        let previous = group.version;
        let gone: Vec<_> =
            group.members.iter().filter(|member| member.account == account).copied().collect();
        group.members.retain(|member| member.account != account);
        group.version += 1;
        self.tell_of_members(account, id, MemberChange::Remove, previous, &gone);
        let Some(group) = self.groups.get_mut(id) else { return Ok(()) };
        if group.members.is_empty() {
            self.groups.remove(id);
            return Ok(());
        }
        if group.first_admin().is_none()
            && let Some(heir) = group.members.first_mut()
        {
            heir.role = Role::Admin;
            let (heir, previous) = (*heir, group.version);
            group.version += 1;
            self.tell_of_members(account, id, MemberChange::Promote, previous, &[heir]);
        }
        Ok(())
    }

    /// Changes one thing about a group, and tells its members.
    pub(crate) fn edit_group(
        &mut self,
        actor: PhoneNumber,
        id: &str,
        edit: GroupEdit,
    ) -> Result<(), IqError> {
        let group = self.group_of(actor, id)?;
        let open_to_all = match edit {
            GroupEdit::Subject(_)
            | GroupEdit::Description(..)
            | GroupEdit::Picture(_)
            | GroupEdit::Ephemeral(_) => !group.locked,
            _ => false,
        };
        if !open_to_all && !group.is_admin(actor) {
            return Err(FORBIDDEN);
        }
        if let GroupEdit::Picture(is_set) = edit {
            let picture = is_set.then(|| self.stanza_id());
            let group = self.groups.get_mut(id).ok_or(NOT_FOUND)?;
            group.picture.clone_from(&picture);
            self.tell_of_picture(id, actor, picture);
            return Ok(());
        }
        let owner = self.user_jid(actor, self.group_addressing(id));
        let now = self.now;
        let group = self.groups.get_mut(id).ok_or(NOT_FOUND)?;
        let change = apply(group, edit, actor, &owner, now)?;
        self.tell_members(id, actor, &change);
        Ok(())
    }

    /// The id of a group's picture.
    pub(crate) fn group_picture(&self, id: &str) -> Option<&str> {
        self.groups.get(id)?.picture.as_deref()
    }
}

/// Changes the group, and says what its members are told.
fn apply(
    group: &mut Group,
    edit: GroupEdit,
    actor: PhoneNumber,
    owner: &Jid,
    now: u64,
) -> Result<OwnedNode, IqError> {
    let either = |is_set: bool, on, off| Node::new(if is_set { on } else { off });
    Ok(match edit {
        GroupEdit::Subject(text) => {
            if text.is_empty() || text.chars().count() > MAX_SUBJECT {
                return Err(BAD_REQUEST);
            }
            group.subject = Wording { text: text.clone(), by: actor, at: now };
            Node::new("subject").attr("subject", text).attr("s_t", now).attr("s_o", owner.clone())
        }
        GroupEdit::Description(wording, previous) => {
            if group.description.as_ref().map(|(id, _)| id) != previous.as_ref() {
                return Err(CONFLICT);
            }
            if wording.as_ref().is_some_and(|(_, text)| text.chars().count() > MAX_DESCRIPTION) {
                return Err(BAD_REQUEST);
            }
            let node = Node::new("description");
            let node = match &wording {
                Some((id, text)) => node
                    .attr("id", id.clone())
                    .child(Node::new("body").bytes(text.clone().into_bytes())),
                None => node.child(Node::new("delete")),
            };
            group.description =
                wording.map(|(id, text)| (id, Wording { text, by: actor, at: now }));
            node
        }
        GroupEdit::Locked(on) => {
            group.locked = on;
            either(on, "locked", "unlocked")
        }
        GroupEdit::Announcement(on) => {
            group.announcement = on;
            either(on, "announcement", "not_announcement")
        }
        GroupEdit::Ephemeral(seconds) => {
            group.ephemeral = seconds;
            match seconds {
                0 => Node::new("not_ephemeral"),
                _ => Node::new("ephemeral").attr("expiration", seconds),
            }
        }
        GroupEdit::Approval(on) => {
            group.approval = on;
            let state = if on { "on" } else { "off" };
            Node::new("membership_approval_mode")
                .child(Node::new("group_join").attr("state", state))
        }
        GroupEdit::EverybodyAdds(on) => {
            group.everybody_adds = on;
            let mode = if on { "all_member_add" } else { "admin_add" };
            Node::new("member_add_mode").bytes(mode.as_bytes())
        }
        GroupEdit::Picture(_) => return Err(BAD_REQUEST),
    })
}
