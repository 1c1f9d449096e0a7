//! Groups: who is in them, what they may do there, and what a client is told of them. Knows nothing
//! of messages.

mod change;
mod community;
mod create;
mod invite;
mod notice;

use std::collections::BTreeMap;

use wa_proto::{Jid, Node, OwnedNode};

pub(crate) use self::{
    change::{GroupEdit, MemberChange, PersonResult},
    create::NewGroup,
    invite::Joined,
};
use super::{Server, directory::Addressing, iq::IqError};
use crate::address::PhoneNumber;

/// The most members of a group.
pub(crate) const MAX_MEMBERS: usize = 1_024;

/// The most groups of a simulation.
pub(crate) const MAX_GROUPS: usize = 10_000;

/// The longest subject, in characters.
pub(crate) const MAX_SUBJECT: usize = 100;

#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) addressing: Addressing,
    pub(crate) subject: Wording,
    pub(crate) created: u64,
    pub(crate) creator: PhoneNumber,
    members: Vec<Member>,
    /// Counts the changes of its members.
    version: u64,
    description: Option<(String, Wording)>,
    locked: bool,
    announcement: bool,
    ephemeral: u32,
    approval: bool,
    everybody_adds: bool,
    link: String,
    /// Who waits to be let in, and since when.
    waiting: BTreeMap<PhoneNumber, u64>,
    /// Invitations for people whom nobody may add.
    offers: BTreeMap<PhoneNumber, Offer>,
    picture: Option<String>,
    community: Community,
}

/// A text, who wrote it, and when.
#[derive(Debug, Clone)]
pub(crate) struct Wording {
    pub(crate) text: String,
    by: PhoneNumber,
    at: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Member {
    account: PhoneNumber,
    role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Member,
    Admin,
    Creator,
}

/// An invitation that one person can take up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) code: String,
    pub(crate) expiration: u64,
    by: PhoneNumber,
}

/// What a group is to a community.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Community {
    None,
    Parent,
    SubGroup { parent: String, default: bool },
}

/// Why an account may not write to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupError {
    Unknown,
    NotAMember,
    AdminsOnly,
}

/// Only for members, or only for admins.
const FORBIDDEN: IqError = (403, "forbidden");
const NOT_FOUND: IqError = (404, "item-not-found");
const NOT_ACCEPTABLE: IqError = (406, "not-acceptable");
const CONFLICT: IqError = (409, "conflict");
const GONE: IqError = (410, "gone");
const BAD_REQUEST: IqError = (400, "bad-request");

impl Group {
    fn role(&self, account: PhoneNumber) -> Option<Role> {
        self.members.iter().find(|member| member.account == account).map(|member| member.role)
    }

    pub(crate) fn has(&self, account: PhoneNumber) -> bool {
        self.role(account).is_some()
    }

    fn is_admin(&self, account: PhoneNumber) -> bool {
        self.role(account) >= Some(Role::Admin)
    }

    pub(crate) fn accounts(&self) -> Vec<PhoneNumber> {
        self.members.iter().map(|member| member.account).collect()
    }

    /// The first who may do everything.
    pub(crate) fn first_admin(&self) -> Option<PhoneNumber> {
        self.members.iter().find(|member| member.role >= Role::Admin).map(|member| member.account)
    }

    fn jid(&self) -> Jid {
        Jid::group(self.id.clone())
    }
}

impl Server {
    /// The members, if the account is one of them.
    pub(crate) fn group_members_for(
        &self,
        account: PhoneNumber,
        group: &str,
    ) -> Result<Vec<PhoneNumber>, GroupError> {
        let group = self.groups.get(group).ok_or(GroupError::Unknown)?;
        if group.has(account) { Ok(group.accounts()) } else { Err(GroupError::NotAMember) }
    }

    /// The members, if the account may write to them.
    pub(crate) fn group_readers_of(
        &self,
        account: PhoneNumber,
        group: &str,
    ) -> Result<Vec<PhoneNumber>, GroupError> {
        let members = self.group_members_for(account, group)?;
        let group = self.groups.get(group).ok_or(GroupError::Unknown)?;
        if group.announcement && !group.is_admin(account) {
            return Err(GroupError::AdminsOnly);
        }
        Ok(members)
    }

    /// By which kind of address a group names its people.
    pub(crate) fn group_addressing(&self, group: &str) -> Addressing {
        self.groups.get(group).map_or(Addressing::Lid, |group| group.addressing)
    }

    /// A group for somebody in it.
    fn group_of(&self, account: PhoneNumber, group: &str) -> Result<&Group, IqError> {
        let group = self.groups.get(group).ok_or(NOT_FOUND)?;
        if group.has(account) { Ok(group) } else { Err(FORBIDDEN) }
    }

    /// A group for one of its admins.
    fn group_run_by(&mut self, admin: PhoneNumber, group: &str) -> Result<&mut Group, IqError> {
        let group = self.groups.get_mut(group).ok_or(NOT_FOUND)?;
        if group.is_admin(admin) { Ok(group) } else { Err(FORBIDDEN) }
    }

    /// The groups an account is in, as queries have them.
    pub(super) fn own_groups(&self, account: PhoneNumber) -> Vec<OwnedNode> {
        let own = self.groups.values().filter(|group| group.has(account));
        own.map(|group| self.group_node(group)).collect()
    }

    /// One group, as queries have it.
    pub(super) fn described_group(
        &self,
        account: PhoneNumber,
        group: &str,
    ) -> Result<OwnedNode, IqError> {
        Ok(self.group_node(self.group_of(account, group)?))
    }

    /// `<group>` as queries and notifications have it, with its members.
    pub(crate) fn group_node(&self, group: &Group) -> OwnedNode {
        let members = group.members.iter().map(|member| self.member_node(group, *member));
        self.group_outside(group).children(members)
    }

    /// `<group>` without its members, as those see it who are not in it.
    fn group_outside(&self, group: &Group) -> OwnedNode {
        let mode = match group.addressing {
            Addressing::Lid => "lid",
            Addressing::Phone => "pn",
        };
        let jid = |account| self.user_jid(account, group.addressing);
        let phone = |account| (mode == "lid").then(|| self.user_jid(account, Addressing::Phone));
        let description = group.description.as_ref().map(|(id, wording)| {
            Node::new("description")
                .attr("id", id.clone())
                .attr("participant", jid(wording.by))
                .attr("t", wording.at)
                .child(Node::new("body").bytes(wording.text.clone().into_bytes()))
        });
        let mode_node = if group.everybody_adds { "all_member_add" } else { "admin_add" };
        Node::new("group")
            .attr("id", group.id.clone())
            .attr("subject", group.subject.text.clone())
            .attr("s_t", group.subject.at)
            .attr("s_o", jid(group.subject.by))
            .attr_opt("s_o_pn", phone(group.subject.by))
            .attr("creation", group.created)
            .attr("creator", jid(group.creator))
            .attr_opt("creator_pn", phone(group.creator))
            .attr("addressing_mode", mode)
            .attr("p_v_id", group.version)
            .attr("size", group.members.len())
            .children(description)
            .child(Node::new("member_add_mode").bytes(mode_node.as_bytes()))
            .children(settings_nodes(group))
            .children(community_nodes(group))
    }

    /// `<participant>`, by both addresses.
    fn member_node(&self, group: &Group, member: Member) -> OwnedNode {
        let role = match member.role {
            Role::Member => None,
            Role::Admin => Some("admin"),
            Role::Creator => Some("superadmin"),
        };
        self.person_node(group.addressing, member.account).attr_opt("type", role)
    }

    fn person_node(&self, addressing: Addressing, account: PhoneNumber) -> OwnedNode {
        let other = match addressing {
            Addressing::Lid => "phone_number",
            Addressing::Phone => "lid",
        };
        Node::new("participant")
            .attr("jid", self.user_jid(account, addressing))
            .attr(other, self.user_jid(account, addressing.other()))
            .attr_opt("username", self.username_of(account))
    }

    /// The name by which an account can be found, if it has one.
    pub(super) fn username_of(&self, account: PhoneNumber) -> Option<String> {
        self.accounts.get(&account)?.username.clone()
    }
}

fn settings_nodes(group: &Group) -> Vec<OwnedNode> {
    let mut nodes = Vec::new();
    if group.locked {
        nodes.push(Node::new("locked"));
    }
    if group.announcement {
        nodes.push(Node::new("announcement"));
    }
    if group.ephemeral != 0 {
        nodes.push(Node::new("ephemeral").attr("expiration", group.ephemeral));
    }
    if group.approval {
        let join = Node::new("group_join").attr("state", "on");
        nodes.push(Node::new("membership_approval_mode").child(join));
    }
    nodes
}

fn community_nodes(group: &Group) -> Vec<OwnedNode> {
    match &group.community {
        Community::None => Vec::new(),
        Community::Parent => vec![Node::new("parent")],
        Community::SubGroup { parent, default } => {
            let mut nodes =
                vec![Node::new("linked_parent").attr("jid", Jid::group(parent.clone()))];
            if *default {
                nodes.push(Node::new("default_sub_group"));
            }
            nodes
        }
    }
}
