//! `xmlns=w:g2`: what a client asks about groups, and what it changes. Knows nothing of who may do
//! what.

use wa_proto::{Jid, Node, OwnedNode};

use super::{BAD_REQUEST, IqError};
use crate::{
    address::{DeviceAddress, PhoneNumber},
    server::{
        Server,
        groups::{
            GroupEdit, Joined, MAX_GROUPS, MAX_MEMBERS, MAX_SUBJECT, MemberChange, NewGroup,
            PersonResult,
        },
    },
};

type Answer = Result<Option<OwnedNode>, IqError>;

impl Server {
    /// A question about groups.
    pub(super) fn group_get(&mut self, from: DeviceAddress, iq: &Node<'_>) -> Answer {
        let account = from.account;
        let (group, asked) = addressed(iq)?;
        let id = group.user.as_str();
        let code = |node: &Node<'_>| node.attrs.text("code").map(|code| code.into_owned());
        Ok(Some(match &*asked.tag {
            "participating" => Node::new("groups").children(self.own_groups(account)),
            "query" => match asked.find("add_request") {
                Some(offer) => {
                    let admin = offer.attrs.jid("admin").ok_or(BAD_REQUEST)?;
                    let code = code(offer).ok_or(BAD_REQUEST)?;
                    self.group_by_offer(account, id, &code, &admin)?
                }
                None => self.described_group(account, id)?,
            },
            "invite" => match code(asked) {
                Some(code) => self.group_by_link(&code)?,
                None => {
                    let code = self.group_link(account, id, false)?;
                    Node::new("invite").attr("code", code)
                }
            },
            "membership_approval_requests" => self.join_requests(account, id)?,
            "sub_groups" => self.sub_groups(account, id)?,
            "linked_groups_participants" => self.linked_participants(account, id)?,
            _ => return Err(BAD_REQUEST),
        }))
    }

    /// A change to groups.
    pub(super) fn group_set(&mut self, from: DeviceAddress, iq: &Node<'_>) -> Answer {
        let account = from.account;
        let (group, asked) = addressed(iq)?;
        let id = group.user.as_str();
        match &*asked.tag {
            "create" => self.create_asked(account, asked),
            "leave" => self.leave_asked(account, asked),
            "add" => self.members_asked(account, id, MemberChange::Add, asked),
            "remove" => self.members_asked(account, id, MemberChange::Remove, asked),
            "promote" => self.members_asked(account, id, MemberChange::Promote, asked),
            "demote" => self.members_asked(account, id, MemberChange::Demote, asked),
            "invite" => self.invite_asked(account, id, asked),
            "accept" => {
                let admin = asked.attrs.jid("admin").ok_or(BAD_REQUEST)?;
                let code = asked.attrs.text("code").ok_or(BAD_REQUEST)?;
                self.accept_offer(account, id, &code, &admin).map(|()| None)
            }
            "revoke" => {
                for jid in people(asked) {
                    self.revoke_offer(account, id, &jid)?;
                }
                Ok(Some(Node::new("revoke")))
            }
            "membership_requests_action" => self.requests_asked(account, id, asked),
            "links" => {
                for group in asked.find_all("link").flat_map(|link| link.nodes()) {
                    let sub = group.attrs.jid("jid").ok_or(BAD_REQUEST)?;
                    self.link_group(account, id, &sub.user)?;
                }
                Ok(Some(Node::new("links")))
            }
            "unlink" => {
                for group in asked.find_all("group") {
                    let sub = group.attrs.jid("jid").ok_or(BAD_REQUEST)?;
                    self.unlink_group(account, id, &sub.user)?;
                }
                Ok(Some(Node::new("unlink")))
            }
            _ => {
                let edit = group_edit(asked).ok_or(BAD_REQUEST)?;
                self.edit_group(account, id, edit).map(|()| None)
            }
        }
    }

    /// `<picture/>` for a group: a new one, or none.
    pub(super) fn set_group_picture(
        &mut self,
        from: DeviceAddress,
        group: &Jid,
        iq: &Node<'_>,
    ) -> Answer {
        let picture = iq.find("picture").and_then(|picture| picture.content_bytes());
        let edit = GroupEdit::Picture(picture.is_some_and(|bytes| !bytes.is_empty()));
        self.edit_group(from.account, &group.user, edit)?;
        let id = self.group_picture(&group.user);
        Ok(id.map(|id| Node::new("picture").attr("id", id.to_owned())))
    }

    fn create_asked(&mut self, creator: PhoneNumber, create: &Node<'_>) -> Answer {
        let subject = create.attrs.text("subject").ok_or(BAD_REQUEST)?.into_owned();
        let asked = people(create);
        let fits = asked.len() < MAX_MEMBERS
            && !subject.is_empty()
            && subject.chars().count() <= MAX_SUBJECT
            && self.groups.len() < MAX_GROUPS;
        if !fits {
            return Err(BAD_REQUEST);
        }
        let mut new = NewGroup::new(subject, creator);
        new.key = create.attrs.text("key").map(|key| key.into_owned());
        let timer = create.find("ephemeral").and_then(|timer| timer.attrs.number("expiration"));
        new.ephemeral = timer.unwrap_or(0);
        new.locked = create.find("locked").is_some();
        new.announcement = create.find("announcement").is_some();
        new.approval = create.find("membership_approval_mode").is_some();
        new.description = create.find("description").and_then(|about| {
            let id = about.attrs.text("id")?.into_owned();
            Some((id, about.find("body")?.content_text()?.to_owned()))
        });
        if create.find("parent").is_some() {
            let community = self.create_community(new);
            return self.described_group(creator, &community.user).map(Some);
        }
        if let Some(parent) = create.find("linked_parent") {
            let parent = parent.attrs.jid("jid").ok_or(BAD_REQUEST)?;
            self.described_group(creator, &parent.user)?;
            new.parent = Some(parent.user.to_string());
        }
        let (jid, failed) = self.create_group_with(new, &asked);
        let failed = failed.iter().map(person_node);
        Ok(Some(self.described_group(creator, &jid.user)?.children(failed)))
    }

    fn leave_asked(&mut self, account: PhoneNumber, leave: &Node<'_>) -> Answer {
        let mut answer = Node::new("leave");
        for group in leave.nodes() {
            let id = group.attrs.text("id").ok_or(BAD_REQUEST)?.into_owned();
            let user = id.split('@').next().unwrap_or_default();
            let code = self.leave_group(account, user).err().map(|(code, _)| u32::from(code));
            answer = answer.child(Node::new("group").attr("id", id).attr_opt("error", code));
        }
        Ok(Some(answer))
    }

    fn members_asked(
        &mut self,
        account: PhoneNumber,
        id: &str,
        change: MemberChange,
        asked: &Node<'_>,
    ) -> Answer {
        let results = self.change_members(account, id, change, &people(asked))?;
        Ok(Some(Node::new(change.tag()).children(results.iter().map(person_node))))
    }

    fn invite_asked(&mut self, account: PhoneNumber, id: &str, invite: &Node<'_>) -> Answer {
        let Some(code) = invite.attrs.text("code") else {
            let code = self.group_link(account, id, true)?;
            return Ok(Some(Node::new("invite").attr("code", code)));
        };
        Ok(Some(match self.join_by_link(account, &code)? {
            Joined::In(id) => Node::new("group").attr("jid", Jid::group(id)),
            Joined::Waiting(id) => {
                Node::new("membership_approval_request").attr("jid", Jid::group(id))
            }
        }))
    }

    fn requests_asked(&mut self, account: PhoneNumber, id: &str, asked: &Node<'_>) -> Answer {
        let mut answer = Node::new("membership_requests_action");
        for action in asked.nodes() {
            let (approve, tag) = match &*action.tag {
                "approve" => (true, "approve"),
                "reject" => (false, "reject"),
                _ => return Err(BAD_REQUEST),
            };
            let results = self.answer_join_requests(account, id, approve, &people(action))?;
            answer = answer.child(Node::new(tag).children(results.iter().map(person_node)));
        }
        Ok(Some(answer))
    }
}

/// Whom the question is for, and what it is.
fn addressed<'n, 'a>(iq: &'n Node<'a>) -> Result<(Jid, &'n Node<'a>), IqError> {
    let to = iq.attrs.jid("to").filter(Jid::is_group).ok_or(BAD_REQUEST)?;
    let asked = iq.nodes().first().ok_or(BAD_REQUEST)?;
    Ok((to, asked))
}

fn people(node: &Node<'_>) -> Vec<Jid> {
    node.find_all("participant").filter_map(|person| person.attrs.jid("jid")).collect()
}

fn person_node(result: &PersonResult) -> OwnedNode {
    let request = result.offer.as_ref().map(|offer| {
        Node::new("add_request")
            .attr("code", offer.code.clone())
            .attr("expiration", offer.expiration)
    });
    Node::new("participant")
        .attr("jid", result.jid.clone())
        .attr_opt("error", result.error.map(u32::from))
        .children(request)
}

/// One thing about a group, as a request has it.
fn group_edit(node: &Node<'_>) -> Option<GroupEdit> {
    let text = || node.content_text().map(str::to_owned);
    Some(match &*node.tag {
        "subject" => GroupEdit::Subject(text()?),
        "description" => {
            let body = node.find("body").and_then(|body| body.content_text()).map(str::to_owned);
            let id = node.attrs.text("id").map(|id| id.into_owned());
            let previous = node.attrs.text("prev").map(|id| id.into_owned());
            GroupEdit::Description(id.zip(body), previous)
        }
        "locked" => GroupEdit::Locked(true),
        "unlocked" => GroupEdit::Locked(false),
        "announcement" => GroupEdit::Announcement(true),
        "not_announcement" => GroupEdit::Announcement(false),
        "ephemeral" => GroupEdit::Ephemeral(node.attrs.number("expiration")?),
        "not_ephemeral" => GroupEdit::Ephemeral(0),
        "membership_approval_mode" => {
            let join = node.nodes().first()?;
            GroupEdit::Approval(join.attrs.is("state", "on"))
        }
        "member_add_mode" => GroupEdit::EverybodyAdds(text()? == "all_member_add"),
        _ => return None,
    })
}
