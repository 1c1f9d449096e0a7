//! The form of requests about groups, and what their answers mean.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use wa_proto::{
    Jid, Node, OwnedNode, Request,
    request::{
        ChangeParticipants, CreateGroup, DescribeGroup, GroupByInvite, GroupByLink, GroupPicture,
        GroupQuery, GroupSetting, InviteCode, JoinByInvite, JoinByLink, JoinRequests, JoinedByLink,
        LeaveGroup, LinkSubGroup, LinkedParticipants, NewCommunity, ParticipantAction,
        ParticipatingGroups, SetGroup, SubGroups, UnlinkSubGroup, UpdateJoinRequests,
    },
    stanza::{MemberAddMode, ParseError},
};

fn group() -> Jid {
    Jid::group("120363000000000001")
}

fn result(child: OwnedNode) -> OwnedNode {
    Node::new("iq").attr("type", "result").attr("id", "1").child(child)
}

/// Checks the outside of a request, and gives what is asked.
fn asked(node: OwnedNode, kind: &str, to: &Jid) -> OwnedNode {
    assert!(node.attrs.is("type", kind) && node.attrs.is("xmlns", "w:g2"), "{node:?}");
    assert_eq!(node.attrs.jid("to").as_ref(), Some(to));
    assert_eq!(node.nodes().len(), 1);
    node.nodes()[0].clone()
}

fn servers() -> Jid {
    "g.us".parse().unwrap()
}

#[test]
fn questions_go_to_the_group_or_to_all_of_them() {
    let query = asked(GroupQuery { group: group() }.to_node("1"), "get", &group());
    assert!(query.tag == "query" && query.attrs.is("request", "interactive"));
    let all = asked(ParticipatingGroups.to_node("1"), "get", &servers());
    assert!(all.find("participants").is_some() && all.find("description").is_some());
    let leave = asked(LeaveGroup { group: group() }.to_node("1"), "set", &servers());
    assert_eq!(leave.find("group").unwrap().attrs.jid("id"), Some(group()));
    for (reset, kind) in [(false, "get"), (true, "set")] {
        let invite = InviteCode { group: group(), reset };
        assert_eq!(asked(invite.to_node("1"), kind, &group()).tag, "invite");
    }
    let link = asked(GroupByLink { code: "C".into() }.to_node("1"), "get", &servers());
    assert!(link.tag == "invite" && link.attrs.is("code", "C"));
    let join = asked(JoinByLink { code: "C".into() }.to_node("1"), "set", &servers());
    assert!(join.tag == "invite" && join.attrs.is("code", "C"));
    let requests = JoinRequests { group: group() };
    assert_eq!(asked(requests.to_node("1"), "get", &group()).tag, "membership_approval_requests");
    let subs = SubGroups { community: group() };
    assert_eq!(asked(subs.to_node("1"), "get", &group()).tag, "sub_groups");
    let people = LinkedParticipants { community: group() };
    assert_eq!(asked(people.to_node("1"), "get", &group()).tag, "linked_groups_participants");
}

#[test]
fn a_new_group_says_everything_at_once() {
    let mut create = CreateGroup::new("Tea", "3EB0KEY");
    create.participants = vec![(Jid::lid("7"), Some(Jid::phone("1555")))];
    create.ephemeral = 86_400;
    create.needs_approval = true;
    create.is_locked = true;
    create.is_announcement = true;
    create.community = Some(Jid::group("9"));
    let node = asked(create.to_node("1"), "set", &servers());
    assert!(node.attrs.is("subject", "Tea") && node.attrs.is("key", "3EB0KEY"));
    let person = node.find("participant").unwrap();
    assert_eq!(person.attrs.jid("jid"), Some(Jid::lid("7")));
    assert_eq!(person.attrs.jid("phone_number"), Some(Jid::phone("1555")));
    assert!(node.find("ephemeral").unwrap().attrs.is("expiration", "86400"));
    let join = node.find("membership_approval_mode").and_then(|mode| mode.find("group_join"));
    assert!(join.unwrap().attrs.is("state", "on"));
    assert!(node.find("locked").is_some() && node.find("announcement").is_some());
    assert_eq!(node.find("linked_parent").unwrap().attrs.jid("jid"), Some(Jid::group("9")));
    let plain = asked(CreateGroup::new("Tea", "K").to_node("1"), "set", &servers());
    assert!(plain.nodes().is_empty());

    let person = |jid: &str| Node::new("participant").attr("jid", Jid::lid(jid));
    let made = Node::new("group")
        .attr("id", "120363000000000001")
        .attr("subject", "Tea")
        .child(person("7"))
        .child(person("8").attr("error", "403"));
    let info = create.parse(&result(made)).unwrap();
    assert_eq!((info.jid, info.participants.len()), (group(), 1));
    assert_eq!(create.parse(&result(Node::new("x"))), Err(ParseError::MissingChild("group")));

    let community = NewCommunity {
        subject: "House".to_owned(),
        description: ("d1".into(), "All".to_owned()),
        members_may_add_groups: true,
    };
    let node = asked(community.to_node("1"), "set", &servers());
    let tags: Vec<_> = node.nodes().iter().map(|child| child.tag.as_ref()).collect();
    let expected =
        ["description", "parent", "allow_non_admin_sub_group_creation", "create_general_chat"];
    assert_eq!(tags, expected);
}

#[test]
fn each_person_has_a_result() {
    let actions = [
        (ParticipantAction::Add, "add"),
        (ParticipantAction::Remove, "remove"),
        (ParticipantAction::Promote, "promote"),
        (ParticipantAction::Demote, "demote"),
    ];
    for (action, tag) in actions {
        let participants = vec![(Jid::lid("7"), None)];
        let change = ChangeParticipants { group: group(), action, participants };
        let node = asked(change.to_node("1"), "set", &group());
        assert_eq!((node.tag.as_ref(), node.nodes().len()), (tag, 1));
        let invite = Node::new("add_request").attr("code", "C").attr("expiration", "99");
        let answer =
            Node::new(tag).child(Node::new("participant").attr("jid", Jid::lid("7"))).child(
                Node::new("participant")
                    .attr("jid", Jid::lid("8"))
                    .attr("error", "403")
                    .child(invite),
            );
        let results = change.parse(&result(answer)).unwrap();
        assert!(results[0].is_done() && !results[1].is_done());
        assert_eq!(results[1].error, Some(403));
        assert_eq!(results[1].add_request.as_ref().unwrap().expiration, 99);
    }
    let people = vec![Jid::lid("7")];
    let update = UpdateJoinRequests { group: group(), approve: false, people };
    let node = asked(update.to_node("1"), "set", &group());
    assert_eq!(node.find("reject").unwrap().nodes().len(), 1);
    let person = Node::new("participant").attr("jid", Jid::lid("7")).attr("error", "404");
    let answer = Node::new("membership_requests_action").child(Node::new("reject").child(person));
    assert_eq!(update.parse(&result(answer)).unwrap(), [(Jid::lid("7"), Some(404))]);
}

#[test]
fn settings_have_their_words() {
    let words = [
        (GroupSetting::Locked(true), "locked"),
        (GroupSetting::Locked(false), "unlocked"),
        (GroupSetting::Announcement(true), "announcement"),
        (GroupSetting::Announcement(false), "not_announcement"),
        (GroupSetting::Ephemeral(0), "not_ephemeral"),
        (GroupSetting::Ephemeral(5), "ephemeral"),
        (GroupSetting::Approval(true), "membership_approval_mode"),
        (GroupSetting::MemberAddMode(MemberAddMode::Everybody), "member_add_mode"),
        (GroupSetting::Subject("Tea".to_owned()), "subject"),
    ];
    for (setting, word) in words {
        let node = asked(SetGroup { group: group(), setting }.to_node("1"), "set", &group());
        assert_eq!(node.tag, word);
    }
    let describe = |text: Option<&str>| DescribeGroup {
        group: group(),
        id: "d2".into(),
        previous: Some("d1".into()),
        text: text.map(str::to_owned),
    };
    let node = asked(describe(Some("Tea")).to_node("1"), "set", &group());
    assert!(node.attrs.is("id", "d2") && node.attrs.is("prev", "d1"));
    assert_eq!(node.find("body").unwrap().content_text(), Some("Tea"));
    let node = asked(describe(None).to_node("1"), "set", &group());
    assert!(node.attrs.is("delete", "true") && node.find("body").is_none());
    let picture = GroupPicture { group: group(), jpeg: Some(vec![1, 2].into()) };
    let node = picture.to_node("1");
    assert_eq!(node.attrs.jid("target"), Some(group()));
    assert!(node.attrs.is("xmlns", "w:profile:picture"));
    let taken = GroupPicture { group: group(), jpeg: None }.to_node("1");
    assert!(taken.find("picture").is_none());
}

#[test]
fn invitations_name_who_sent_them() {
    let (code, expiration, admin) = ("C", 99, Jid::lid("7"));
    let join = JoinByInvite { group: group(), code: code.into(), expiration, admin: admin.clone() };
    let node = asked(join.to_node("1"), "set", &group());
    assert!(node.tag == "accept" && node.attrs.is("code", "C"));
    assert!(node.attrs.is("expiration", "99") && node.attrs.jid("admin") == Some(admin.clone()));
    let info = GroupByInvite { group: group(), code: code.into(), expiration, admin };
    let node = asked(info.to_node("1"), "get", &group());
    assert!(node.find("add_request").unwrap().attrs.is("code", "C"));
    let join = JoinByLink { code: "C".into() };
    let joined = Node::new("group").attr("jid", group());
    assert_eq!(join.parse(&result(joined)), Ok(JoinedByLink::Joined(group())));
    let waits = Node::new("membership_approval_request").attr("jid", group());
    assert_eq!(join.parse(&result(waits)), Ok(JoinedByLink::Requested(group())));
    let invite = InviteCode { group: group(), reset: false };
    let answer = result(Node::new("invite").attr("code", "C"));
    assert_eq!(invite.parse(&answer).unwrap(), "C");
}

#[test]
fn communities_link_and_unlink_their_groups() {
    let community = Jid::group("9");
    let link = LinkSubGroup { community: community.clone(), group: group() };
    let node = asked(link.to_node("1"), "set", &community);
    let link = node.find("link").unwrap();
    assert!(node.tag == "links" && link.attrs.is("link_type", "sub_group"));
    assert_eq!(link.find("group").unwrap().attrs.jid("jid"), Some(group()));
    let unlink = UnlinkSubGroup { community: community.clone(), group: group() };
    let node = asked(unlink.to_node("1"), "set", &community);
    assert!(node.tag == "unlink" && node.attrs.is("unlink_type", "sub_group"));
    let sub = Node::new("group")
        .attr("id", "1")
        .attr("subject", "House")
        .child(Node::new("default_sub_group"));
    let answer = result(Node::new("sub_groups").child(sub));
    let subs = SubGroups { community }.parse(&answer).unwrap();
    assert!(subs[0].is_default && subs[0].subject == "House");
}

#[test]
fn an_answer_about_another_group_is_none() {
    let node = |id: &'static str| result(Node::new("group").attr("id", id).attr("subject", "Tea"));
    let query = GroupQuery { group: group() };
    assert_eq!(query.parse(&node("120363000000000001")).unwrap().jid, group());
    assert_eq!(query.parse(&node("120363000000000002")), Err(ParseError::NotAsked("group")));
    let (code, admin) = ("C".into(), Jid::lid("1"));
    let invite = GroupByInvite { group: group(), code, expiration: 5, admin };
    assert_eq!(invite.parse(&node("120363000000000002")), Err(ParseError::NotAsked("group")));
}
