//! A list with one malformed entry: the others are read.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::fmt::Debug;

use wa_proto::{
    Jid, Node, OwnedNode, Request, Stanza,
    entries::count_left_out,
    node,
    request::{
        Blocklist, BusinessProfile, ChangeParticipants, JoinRequests, LinkedParticipants,
        MediaConn, NewsletterMessages, ParticipantAction, ParticipatingGroups, PreKeyFetch,
        PrivacySettings, StatusPrivacy, SubGroups, UpdateJoinRequests, Usync, UsyncContext,
        UsyncMode, UsyncProtocol, UsyncQuery,
    },
    samples::{Cast, Sample, samples},
    stanza::{AccountChange, GroupChange, NotificationBody},
};

/// The tags of what stands in lists.
const ENTRIES: [&str; 11] = [
    "item",
    "device",
    "participant",
    "participants",
    "token",
    "collection",
    "category",
    "reaction",
    "ref",
    "user",
    "dirty",
];

/// The node with a malformed twin before each of its entries, one at a time.
fn with_malformed_twins(stanza: &OwnedNode) -> Vec<(String, OwnedNode)> {
    let mut found = Vec::new();
    for (at, child) in stanza.nodes().iter().enumerate() {
        let with = |new: OwnedNode, skip: usize| {
            let nodes = stanza.nodes();
            let mut outside = stanza.clone();
            let before = nodes.iter().take(at).cloned();
            let behind = nodes.iter().skip(at + skip).cloned();
            outside.content =
                wa_proto::NodeContent::Nodes(before.chain([new]).chain(behind).collect());
            outside
        };
        // Posts of a channel are entries too.
        let is_post = child.tag == "message" && stanza.tag != "message";
        // The device that was linked is one, and no list.
        let is_single = stanza.tag == "pair-success";
        if (ENTRIES.contains(&&*child.tag) || is_post) && !is_single {
            found.push((child.tag.to_string(), with(Node::new(child.tag.clone()), 0)));
        }
        for (what, damaged) in with_malformed_twins(child) {
            found.push((format!("{}/{what}", child.tag), with(damaged, 1)));
        }
    }
    found
}

#[test]
fn a_malformed_entry_of_any_list_in_any_stanza_costs_no_other_entry() {
    let mut count = 0;
    for Sample { name, stanza } in samples(&Cast::strangers()) {
        let whole = Stanza::parse(node::read(&stanza.encode()).unwrap());
        for (what, damaged) in with_malformed_twins(&stanza) {
            let damaged = node::read(&damaged.encode()).unwrap();
            let (read, left_out) = count_left_out(|| Stanza::parse(damaged));
            assert!(!matches!(read, Stanza::Malformed(_)), "{name}, {what}: {read:?}");
            if left_out == 0 {
                continue;
            }
            count += 1;
            assert_eq!(left_out, 1, "{name}, {what}");
            assert_eq!(entries(&read), entries(&whole), "{name}, {what}");
        }
    }
    assert!(count >= 15, "{count}");
}

/// What a stanza says, without the marks that a part of it is missing.
fn entries(stanza: &Stanza) -> String {
    let mut stanza = stanza.clone();
    if let Stanza::Notification(notification) = &mut stanza {
        match &mut notification.body {
            NotificationBody::Devices(change) => change.hash = None,
            NotificationBody::Group(notice) => {
                notice.is_partial = false;
                for change in &mut notice.changes {
                    if let GroupChange::Created(created) = change {
                        created.info.participant_version = None;
                    }
                }
            }
            NotificationBody::Account(changes) => {
                for change in changes {
                    if let AccountChange::Blocklist(change) = change {
                        change.items.clear();
                    }
                }
            }
            _ => {}
        }
    }
    format!("{stanza:?}")
}

fn answer(child: OwnedNode) -> OwnedNode {
    Node::new("iq").attr("type", "result").attr("id", "1").child(child)
}

/// What is read of a list with a good entry, and with malformed ones around it.
fn read<R: Request>(request: &R, list: OwnedNode, good: &OwnedNode) -> R::Response
where
    R::Response: Debug,
{
    let bad = || Node::new(good.tag.clone());
    let parse = |entries: Vec<OwnedNode>| {
        let list = list.clone().children(entries);
        let list = match request.to_node("1").attrs.text("xmlns").as_deref() {
            Some("usync") => Node::new("usync").child(list),
            _ => list,
        };
        count_left_out(|| request.parse(&answer(list)).unwrap())
    };
    let (alone, left_out) = parse(vec![good.clone()]);
    assert_eq!(left_out, 0, "{alone:?}");
    let (among, left_out) = parse(vec![bad(), good.clone(), bad()]);
    assert_eq!(left_out, 2, "{alone:?}");
    among
}

fn person() -> OwnedNode {
    Node::new("participant").attr("jid", Jid::lid("7"))
}

#[test]
fn one_malformed_group_does_not_cost_the_answer_of_all_groups_and_is_not_taken_for_left() {
    let good = Node::new("group").attr("id", "1").attr("subject", "Tea").child(person());
    let all = read(&ParticipatingGroups, Node::new("groups"), &good);
    assert_eq!((all.groups.len(), all.unreadable), (1, 2));
    // One of its people is malformed: the others are in it, and it is no version to build on.
    let partial = good.attr("p_v_id", "7").child(Node::new("participant"));
    let all = read(&ParticipatingGroups, Node::new("groups"), &Node::new("group").attr("id", "2"));
    assert_eq!(all.groups.len(), 1);
    let answer = answer(Node::new("groups").child(partial));
    let read = ParticipatingGroups.parse(&answer).unwrap();
    assert_eq!(read.groups[0].participants.len(), 1);
    assert_eq!(read.groups[0].participant_version, None);
}

#[test]
fn one_malformed_user_device_or_field_costs_no_other_in_what_is_told_of_people() {
    let device = |id: &'static str| Node::new("device").attr("id", id).attr("key-index", "1");
    let list = Node::new("device-list").child(device("none")).child(device("3"));
    let good = Node::new("user")
        .attr("jid", Jid::lid("7"))
        .child(Node::new("devices").child(list))
        .child(Node::new("picture"))
        .child(Node::new("disappearing_mode").attr("duration", "long"));
    let usync = Usync {
        mode: UsyncMode::Query,
        context: UsyncContext::Message,
        protocols: vec![UsyncProtocol::Devices],
        users: vec![UsyncQuery::Jid(Jid::lid("7"))],
    };
    let answer =
        answer(Node::new("usync").child(Node::new("list").child(Node::new("user")).child(good)));
    let told = usync.parse(&answer).unwrap();
    let devices = told.users[0].devices.as_ref().unwrap().as_ref().unwrap();
    assert_eq!(devices.devices.iter().map(|device| device.id).collect::<Vec<_>>(), [3]);
    assert_eq!((&told.users[0].picture_id, &told.users[0].disappearing_mode), (&None, &None));
}

#[test]
fn a_malformed_entry_costs_no_other_in_any_answer() {
    let group = Jid::group("1");
    let results = read(
        &ChangeParticipants {
            group: group.clone(),
            action: ParticipantAction::Add,
            participants: vec![],
        },
        Node::new("add"),
        &person(),
    );
    assert_eq!(results.len(), 1);
    let asked = JoinRequests { group: group.clone() };
    let request = Node::new("membership_approval_request").attr("jid", Jid::lid("7"));
    let requests = read(&asked, Node::new("membership_approval_requests"), &request);
    assert_eq!(requests.len(), 1);
    let subgroup = Node::new("group").attr("id", "1");
    let community = SubGroups { community: group.clone() };
    assert_eq!(read(&community, Node::new("sub_groups"), &subgroup).len(), 1);
    let linked = LinkedParticipants { community: group.clone() };
    assert_eq!(read(&linked, Node::new("linked_groups_participants"), &person()).len(), 1);
    let category = Node::new("category").attr("name", "last").attr("value", "none");
    assert_eq!(read(&PrivacySettings, Node::new("privacy"), &category).len(), 1);
    let host = Node::new("host").attr("hostname", "mmg.example");
    let hosts = Node::new("media_conn").attr("ttl", "60").attr("auth", "a");
    assert_eq!(read(&MediaConn, hosts, &host).hosts.len(), 1);
    let post = Node::new("message").attr("server_id", "7");
    let posts = NewsletterMessages {
        newsletter: Jid::new("9", wa_proto::Server::Newsletter),
        count: 1,
        before: None,
    };
    assert_eq!(read(&posts, Node::new("messages"), &post).len(), 1);
    let device = Node::new("user").attr("jid", Jid::lid("7"));
    let keys = PreKeyFetch { devices: vec![Jid::lid("7")], identity_changed: false };
    assert_eq!(read(&keys, Node::new("list"), &device).len(), 1);
    let update = UpdateJoinRequests { group, approve: true, people: vec![] };
    let approved = Node::new("approve").child(Node::new("participant")).child(person());
    let results =
        update.parse(&answer(Node::new("membership_requests_action").child(approved))).unwrap();
    assert_eq!(results.len(), 1);
    let hours = Node::new("business_hours").child(Node::new("business_hours_config")).child(
        Node::new("business_hours_config").attr("day_of_week", "mon").attr("mode", "open_24h"),
    );
    let profile = Node::new("profile").attr("jid", Jid::lid("7")).child(hours);
    let profile = BusinessProfile { of: Jid::lid("7") }
        .parse(&answer(Node::new("business_profile").child(profile)))
        .unwrap();
    assert_eq!(profile.unwrap().hours.len(), 1);
}

#[test]
fn nobody_counts_as_unblocked_because_their_entry_cannot_be_read() {
    let item = Node::new("item").attr("jid", Jid::lid("7"));
    let list = read(&Blocklist, Node::new("list").attr("dhash", "h"), &item);
    assert_eq!((list.blocked.len(), list.unreadable, list.hash), (1, 2, None));
}

#[test]
fn a_list_of_those_who_see_no_status_is_refused_rather_than_read_in_part() {
    let user = |user: OwnedNode| {
        let list = Node::new("list").attr("type", "blacklist").attr("default", "true");
        StatusPrivacy.parse(&answer(Node::new("privacy").child(list.child(user))))
    };
    let lists = user(Node::new("user").attr("jid", Jid::lid("7"))).unwrap();
    assert_eq!(lists[0].people, [Jid::lid("7")]);
    assert!(user(Node::new("user")).is_err());
}

#[test]
fn whoever_was_removed_does_not_stay_because_another_entry_cannot_be_read() {
    let gone = |tag: &'static str, kind: &'static str, from: Jid, entry: OwnedNode| {
        let change = Node::new(tag)
            .attr("device_hash", "2:abc")
            .child(Node::new(entry.tag.clone()))
            .child(entry);
        let notice = Node::new("notification")
            .attr("id", "1")
            .attr("from", from)
            .attr("type", kind)
            .child(change);
        match Stanza::parse(notice) {
            Stanza::Notification(notice) => notice.body,
            other => panic!("{other:?}"),
        }
    };
    let device = Node::new("device").attr("jid", Jid::lid("7").with_device(3));
    let NotificationBody::Devices(change) = gone("remove", "devices", Jid::lid("7"), device) else {
        panic!()
    };
    // Without a hash the list is asked for again.
    assert_eq!((change.devices.len(), change.hash), (1, None));
    let NotificationBody::Group(notice) = gone("remove", "w:gp2", Jid::group("1"), person()) else {
        panic!()
    };
    assert!(notice.is_partial);
    assert!(
        matches!(&notice.changes[..], [GroupChange::Participants(change)] if change.participants.len() == 1)
    );
}

#[test]
fn the_outside_of_a_frame_that_cannot_be_decoded_says_whom_to_refuse() {
    let stanza = Node::new("message")
        .attr("id", "3EB0")
        .attr("from", Jid::lid("7"))
        .attr("t", "5")
        .child(Node::new("enc").bytes(vec![7; 300]));
    let whole = stanza.encode();
    let cut = &whole[..whole.len() - 1];
    assert!(node::read(cut).is_err());
    let Stanza::Malformed(malformed) = Stanza::undecodable(&node::read_outside(cut).unwrap())
    else {
        panic!()
    };
    let nack = malformed.nack().unwrap().to_node();
    assert!(nack.attrs.is("id", "3EB0") && nack.attrs.is("error", "487"));
    assert_eq!(nack.attrs.jid("to"), Some(Jid::lid("7")));
    // However little there is, it does not panic.
    for len in 0..whole.len() {
        let _ = node::read_outside(&whole[..len]);
    }
}
