//! Notices about groups.

use super::{Cast, Named, outside};
use crate::{Jid, Node, OwnedNode};

/// A notice of one change.
fn notice(cast: &Cast, change: OwnedNode) -> OwnedNode {
    outside("notification", "3EB0GROUP", &cast.group, cast)
        .attr("type", "w:gp2")
        .attr("notify", "Somebody")
        .attr("participant", &cast.other_lid)
        .attr("participant_pn", cast.other.to_user())
        .attr("addressing_mode", "lid")
        .child(change)
}

fn person() -> OwnedNode {
    Node::new("participant")
        .attr("jid", Jid::lid("900000000000077"))
        .attr("phone_number", Jid::phone("15550007777"))
        .attr("type", "admin")
        .attr("username", "seventh")
}

/// Members who come or go.
fn members(tag: &'static str) -> OwnedNode {
    Node::new(tag).attr("reason", "invite").attr("prev_v_id", "1").attr("v_id", "2").child(person())
}

pub(super) fn all(cast: &Cast) -> Vec<Named> {
    let other = |tag: &'static str, attr: &'static str, kind: &'static str| {
        let group = Node::new("group").attr("jid", Jid::group("120363000000000042"));
        Node::new(tag).attr(attr, kind).child(group)
    };
    let approval = Node::new("group_join").attr("state", "on");
    let changes = vec![
        ("a group that is new", created(cast)),
        ("somebody came", members("add")),
        ("somebody was put out", members("remove")),
        ("somebody became an admin", members("promote")),
        ("somebody is an admin no longer", members("demote")),
        ("a number changed", Node::new("modify").child(person())),
        ("a subject", {
            Node::new("subject")
                .attr("subject", "Lab")
                .attr("s_o", &cast.other_lid)
                .attr("s_t", cast.now)
        }),
        ("a description", {
            let body = Node::new("body").bytes(b"About".to_vec());
            Node::new("description").attr("id", "d1").child(body)
        }),
        ("locked", Node::new("locked")),
        ("announcements alone", Node::new("announcement")),
        ("disappearing messages", Node::new("ephemeral").attr("expiration", "86400")),
        ("a new link", Node::new("invite").attr("code", "AbCdEf")),
        ("admins let people in", Node::new("membership_approval_mode").child(approval)),
        ("everybody adds", Node::new("member_add_mode").bytes(b"all_member_add".to_vec())),
        ("somebody asks to join", {
            Node::new("created_membership_requests")
                .attr("request_method", "invite_link")
                .child(person())
        }),
        ("nobody asks any more", Node::new("revoked_membership_requests").child(person())),
        ("part of a community", other("link", "link_type", "parent_group")),
        ("part of no community", other("unlink", "unlink_type", "sub_group")),
        ("a suspended group", Node::new("suspended")),
        ("a change of a new kind", Node::new("brand_new").attr("word", "new")),
        ("a group that is gone", Node::new("delete").attr("reason", "admin")),
    ];
    changes.into_iter().map(|(name, change)| (name, notice(cast, change))).collect()
}

fn created(cast: &Cast) -> OwnedNode {
    let text = |tag: &'static str, text: &'static str| Node::new(tag).bytes(text.as_bytes());
    let description = Node::new("description")
        .attr("id", "d1")
        .attr("participant", &cast.other_lid)
        .attr("t", cast.now)
        .child(text("body", "About"));
    let group = Node::new("group")
        .attr("id", cast.group.user.as_str().to_owned())
        .attr("subject", "Lab")
        .attr("s_t", cast.now)
        .attr("s_o", &cast.other_lid)
        .attr("creation", cast.now)
        .attr("creator", &cast.other_lid)
        .attr("addressing_mode", "lid")
        .attr("p_v_id", "1")
        .attr("size", "2")
        .child(description)
        .child(text("member_add_mode", "admin_add"))
        .child(Node::new("ephemeral").attr("expiration", "0"))
        .child(Node::new("linked_parent").attr("jid", Jid::group("120363000000000042")))
        .child(Node::new("participant").attr("jid", cast.own_lid.to_user()))
        .child(person());
    Node::new("create").attr("type", "new").attr("reason", "invite").attr("key", "k").child(group)
}
