//! `xmlns=w:g2`: what a client asks about groups, and making one.

use std::collections::BTreeSet;

use wa_proto::{Node, OwnedNode};

use super::{BAD_REQUEST, FORBIDDEN, IqError, NOT_FOUND};
use crate::{
    address::DeviceAddress,
    server::{
        Server,
        groups::{GroupError, MAX_GROUPS, MAX_MEMBERS, MAX_SUBJECT},
    },
};

impl Server {
    /// `<query request=interactive/>` of one group, or `<participating/>`: all of one's own.
    pub(super) fn group_get(
        &self,
        from: DeviceAddress,
        iq: &Node<'_>,
    ) -> Result<Option<OwnedNode>, IqError> {
        if iq.find("participating").is_some() {
            let own = self.groups.values().filter(|group| group.members.contains(&from.account));
            let nodes = own.map(|group| self.group_node(group));
            return Ok(Some(Node::new("groups").children(nodes)));
        }
        let to = iq.attrs.jid("to").filter(|jid| jid.is_group()).ok_or(BAD_REQUEST)?;
        match self.group_members_for(from.account, &to.user) {
            Err(GroupError::Unknown) => Err(NOT_FOUND),
            Err(GroupError::NotAMember) => Err(FORBIDDEN),
            Ok(_) => {
                let group = self.groups.get(to.user.as_str()).ok_or(NOT_FOUND)?;
                Ok(Some(self.group_node(group)))
            }
        }
    }

    /// `<create subject><participant jid/>…</create>`
    pub(super) fn group_set(
        &mut self,
        from: DeviceAddress,
        iq: &Node<'_>,
    ) -> Result<Option<OwnedNode>, IqError> {
        let Some(create) = iq.find("create") else { return Err(BAD_REQUEST) };
        let subject = create.attrs.text("subject").ok_or(BAD_REQUEST)?.into_owned();
        let invited = create.find_all("participant").filter_map(|node| node.attrs.jid("jid"));
        let invited: Option<BTreeSet<_>> = invited.map(|jid| self.account_of(&jid)).collect();
        let invited = invited.ok_or(NOT_FOUND)?;
        let mut members = vec![from.account];
        members.extend(invited.into_iter().filter(|&member| member != from.account));
        let fits = members.len() <= MAX_MEMBERS
            && subject.chars().count() <= MAX_SUBJECT
            && self.groups.len() < MAX_GROUPS;
        if !fits {
            return Err(BAD_REQUEST);
        }
        let jid = self.create_group(subject, members);
        let group = self.groups.get(jid.user.as_str()).ok_or(NOT_FOUND)?;
        Ok(Some(self.group_node(group)))
    }
}
