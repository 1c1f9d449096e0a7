//! Ways into a group besides being added: its link, an invitation for one person, and asking to be
//! let in. Knows nothing of how they are taken.

use wa_proto::{Jid, Node, OwnedNode};

use super::{
    CONFLICT, FORBIDDEN, GONE, Group, MAX_MEMBERS, Member, MemberChange, NOT_ACCEPTABLE, NOT_FOUND,
    Offer, PersonResult, Role,
};
use crate::{
    address::PhoneNumber,
    server::{Server, iq::IqError},
};

/// How long an invitation for one person holds, in seconds.
const OFFER_LIFETIME: u64 = 3 * 24 * 3600;

/// What became of joining by a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Joined {
    In(String),
    Waiting(String),
}

impl Server {
    /// The code of a group's link; another one if asked, which makes the old one void.
    pub(crate) fn group_link(
        &mut self,
        actor: PhoneNumber,
        id: &str,
        reset: bool,
    ) -> Result<String, IqError> {
        self.group_run_by(actor, id)?;
        let fresh = reset.then(|| self.fresh_link());
        let group = self.group_run_by(actor, id)?;
        if let Some(fresh) = fresh {
            group.link.clone_from(&fresh);
            let change = Node::new("invite").attr("code", fresh);
            self.tell_members(id, actor, &change);
        }
        Ok(self.group_of(actor, id)?.link.clone())
    }

    fn group_behind(&self, code: &str) -> Result<&Group, IqError> {
        if code.len() != 22 || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(NOT_ACCEPTABLE);
        }
        self.groups.values().find(|group| group.link == code).ok_or(GONE)
    }

    /// The outside of the group behind a link.
    pub(crate) fn group_by_link(&self, code: &str) -> Result<OwnedNode, IqError> {
        self.group_behind(code).map(|group| self.group_outside(group))
    }

    /// Joins by a link, or asks to be let in where that is needed.
    pub(crate) fn join_by_link(
        &mut self,
        account: PhoneNumber,
        code: &str,
    ) -> Result<Joined, IqError> {
        let group = self.group_behind(code)?;
        let id = group.id.clone();
        if group.has(account) {
            return Err(CONFLICT);
        }
        if !group.approval {
            self.come_in(account, account, &id, Some("invite"))?;
            return Ok(Joined::In(id));
        }
        let admins = group.members.iter().filter(|member| member.role >= Role::Admin);
        let admins = admins.map(|member| member.account).collect();
        let person = self.person_node(group.addressing, account);
        let change = Node::new("created_membership_requests")
            .attr("request_method", "invite_link")
            .child(person);
        let now = self.now;
        let group = self.groups.get_mut(&id).ok_or(NOT_FOUND)?;
        group.waiting.insert(account, now);
        self.tell(&id, account, admins, &change);
        Ok(Joined::Waiting(id))
    }

    /// Somebody comes in who was not added by an admin's request.
    fn come_in(
        &mut self,
        actor: PhoneNumber,
        account: PhoneNumber,
        id: &str,
        reason: Option<&'static str>,
    ) -> Result<(), IqError> {
        let group = self.groups.get_mut(id).ok_or(NOT_FOUND)?;
        if group.has(account) {
            return Err(CONFLICT);
        }
        if group.members.len() >= MAX_MEMBERS {
            return Err((419, "resource-limit"));
        }
        let member = Member { account, role: Role::Member };
        let previous = group.version;
        group.members.push(member);
        group.version += 1;
        group.waiting.remove(&account);
        group.offers.remove(&account);
        let Some(group) = self.groups.get(id) else { return Ok(()) };
        let mut others = group.accounts();
        others.retain(|other| *other != account);
        let add = self.members_node("add", group, previous, &[member]).attr_opt("reason", reason);
        self.tell(id, actor, others, &add);
        let create = Node::new("create").attr_opt("reason", reason);
        self.tell_of_group(id, actor, vec![account], create);
        Ok(())
    }

    /// An invitation for somebody whom nobody may add.
    pub(super) fn offer(&mut self, actor: PhoneNumber, id: &str, to: PhoneNumber) -> Offer {
        let code = self.fresh_link();
        let offer = Offer { code, expiration: self.now + OFFER_LIFETIME, by: actor };
        if let Some(group) = self.groups.get_mut(id) {
            group.offers.insert(to, offer.clone());
        }
        offer
    }

    fn offer_of(
        &self,
        account: PhoneNumber,
        id: &str,
        code: &str,
        admin: &Jid,
    ) -> Result<&Group, IqError> {
        let group = self.groups.get(id).ok_or(NOT_FOUND)?;
        let offer = group.offers.get(&account).filter(|offer| offer.code == code).ok_or(GONE)?;
        if self.account_of(admin) != Some(offer.by) {
            return Err(NOT_ACCEPTABLE);
        }
        if offer.expiration < self.now { Err(GONE) } else { Ok(group) }
    }

    /// The outside of the group behind an invitation.
    pub(crate) fn group_by_offer(
        &self,
        account: PhoneNumber,
        id: &str,
        code: &str,
        admin: &Jid,
    ) -> Result<OwnedNode, IqError> {
        self.offer_of(account, id, code, admin).map(|group| self.group_outside(group))
    }

    /// Takes an invitation up.
    pub(crate) fn accept_offer(
        &mut self,
        account: PhoneNumber,
        id: &str,
        code: &str,
        admin: &Jid,
    ) -> Result<(), IqError> {
        self.offer_of(account, id, code, admin)?;
        self.come_in(account, account, id, None)
    }

    /// Takes an invitation back.
    pub(crate) fn revoke_offer(
        &mut self,
        actor: PhoneNumber,
        id: &str,
        to: &Jid,
    ) -> Result<(), IqError> {
        let account = self.account_of(to).ok_or(NOT_FOUND)?;
        self.group_run_by(actor, id)?.offers.remove(&account).map(drop).ok_or(NOT_FOUND)
    }

    /// `<membership_approval_requests>`
    pub(crate) fn join_requests(&self, actor: PhoneNumber, id: &str) -> Result<OwnedNode, IqError> {
        let group = self.group_of(actor, id)?;
        if !group.is_admin(actor) {
            return Err(FORBIDDEN);
        }
        let waiting = group.waiting.iter().map(|(&account, &since)| {
            let mut node = self.person_node(group.addressing, account);
            node.tag = "membership_approval_request".into();
            node.attr("request_time", since).attr("request_method", "invite_link")
        });
        Ok(Node::new("membership_approval_requests").children(waiting))
    }

    /// Lets people in, or turns them down.
    pub(crate) fn answer_join_requests(
        &mut self,
        actor: PhoneNumber,
        id: &str,
        approve: bool,
        people: &[Jid],
    ) -> Result<Vec<PersonResult>, IqError> {
        self.group_run_by(actor, id)?;
        let mut results = Vec::new();
        for jid in people {
            let account = self.account_of(jid);
            let waits = |account: &PhoneNumber| {
                self.groups.get(id).is_some_and(|group| group.waiting.contains_key(account))
            };
            let error = match account.filter(waits) {
                None => Some(NOT_FOUND.0),
                Some(account) if approve => {
                    self.come_in(actor, account, id, None).err().map(|(code, _)| code)
                }
                Some(account) => {
                    self.turn_down(actor, id, account);
                    None
                }
            };
            results.push(PersonResult { jid: jid.clone(), error, offer: None });
        }
        Ok(results)
    }

    fn turn_down(&mut self, actor: PhoneNumber, id: &str, account: PhoneNumber) {
        let Some(group) = self.groups.get_mut(id) else { return };
        group.waiting.remove(&account);
        let Some(group) = self.groups.get(id) else { return };
        let admins = group.members.iter().filter(|member| member.role >= Role::Admin);
        let told = admins.map(|member| member.account).chain([account]).collect();
        let person = self.person_node(group.addressing, account);
        let change = Node::new("revoked_membership_requests").child(person);
        self.tell(id, actor, told, &change);
    }

    /// Adds people who follow from something else, as a community's members from its groups.
    pub(super) fn add_along(&mut self, actor: PhoneNumber, id: &str, people: &[PhoneNumber]) {
        let Some(group) = self.groups.get_mut(id) else { return };
        let previous = group.version;
        let mut done = Vec::new();
        for &account in people {
            if !group.has(account) && group.members.len() < MAX_MEMBERS {
                let member = Member { account, role: Role::Member };
                group.members.push(member);
                group.version += 1;
                done.push(member);
            }
        }
        self.tell_of_members(actor, id, MemberChange::Add, previous, &done);
    }
}
