//! The form of requests, and what their answers mean.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use wa_proto::{
    Jid, Node, OwnedNode, Request,
    request::{
        AbProps, Blocklist, CleanDirty, LinkCodeHello, MediaConn, Ping, PreKeyCount, PreKeyDigest,
        PreKeyFetch, PreKeyUpload, PrivacySettings, RemoveCompanionDevice, RequestError,
        RotateSignedPreKey, SetActive, Usync, UsyncContext, UsyncMode, UsyncProtocol, UsyncQuery,
    },
    stanza::{IqErrorKind, ParseError, WirePreKey, WireSignedPreKey},
};

fn jid(text: &str) -> Jid {
    text.parse().unwrap()
}

fn result(child: OwnedNode) -> OwnedNode {
    Node::new("iq").attr("type", "result").attr("id", "1").child(child)
}

fn signed_prekey() -> WireSignedPreKey {
    WireSignedPreKey { id: 1, key: [2; 32], signature: [3; 64] }
}

fn check_outside(node: &OwnedNode, kind: &str, xmlns: &str, child: &str) {
    assert!(
        node.attrs.is("type", kind) && node.attrs.is("xmlns", xmlns) && node.attrs.is("id", "1")
    );
    assert_eq!(node.attrs.jid("to"), Some(Jid::server()));
    assert!(node.find(child).is_some(), "{child} missing");
}

#[test]
fn each_request_has_its_name_space_and_kind() {
    check_outside(&Ping.to_node("1"), "get", "w:p", "ping");
    check_outside(&SetActive.to_node("1"), "set", "passive", "active");
    check_outside(&PreKeyCount.to_node("1"), "get", "encrypt", "count");
    check_outside(&PreKeyDigest.to_node("1"), "get", "encrypt", "digest");
    let rotate = RotateSignedPreKey { signed_prekey: signed_prekey() };
    check_outside(&rotate.to_node("1"), "set", "encrypt", "rotate");
    check_outside(&MediaConn.to_node("1"), "set", "w:m", "media_conn");
    check_outside(&AbProps::default().to_node("1"), "get", "abt", "props");
    check_outside(&PrivacySettings.to_node("1"), "get", "privacy", "privacy");
    let remove = RemoveCompanionDevice { device: jid("1555:3@s.whatsapp.net") };
    check_outside(&remove.to_node("1"), "set", "md", "remove-companion-device");
    let clean = CleanDirty { kind: "groups".into(), timestamp: Some(5) };
    check_outside(&clean.to_node("1"), "set", "urn:xmpp:whatsapp:dirty", "clean");
    assert!(Blocklist.to_node("1").attrs.is("xmlns", "blocklist"));
}

#[test]
fn an_upload_has_all_keys_with_ids_of_three_bytes() {
    let upload = PreKeyUpload {
        registration_id: 0x0102_0304,
        identity: [1; 32],
        prekeys: vec![WirePreKey { id: 0x01_0203, key: [4; 32] }],
        signed_prekey: signed_prekey(),
    };
    let node = upload.to_node("1");
    let tags: Vec<_> = node.nodes().iter().map(|child| child.tag.as_ref()).collect();
    assert_eq!(tags, ["registration", "type", "identity", "list", "skey"]);
    assert_eq!(node.find("registration").unwrap().content_bytes(), Some(&[1, 2, 3, 4][..]));
    assert_eq!(node.find("type").unwrap().content_bytes(), Some(&[5][..]));
    let key = node.find("list").unwrap().find("key").unwrap();
    assert_eq!(key.find("id").unwrap().content_bytes(), Some(&[1, 2, 3][..]));
    let signature = node.find("skey").unwrap().find("signature").unwrap();
    assert_eq!(signature.content_bytes(), Some(&[3; 64][..]));
}

#[test]
fn one_device_without_keys_costs_no_other_its_keys() {
    let fetch = PreKeyFetch {
        devices: vec![jid("1@lid"), jid("2:3@lid"), jid("3@lid")],
        identity_changed: true,
    };
    let asked = fetch.to_node("1");
    let users = asked.find("key").unwrap();
    assert_eq!(users.find_all("user").count(), 3);
    assert!(users.find("user").unwrap().attrs.is("reason", "identity"));

    let good = Node::new("user")
        .attr("jid", jid("1@lid"))
        .child(Node::new("registration").bytes(vec![0, 0, 0, 9]))
        .child(Node::new("type").bytes(vec![5]))
        .child(Node::new("identity").bytes([vec![5], vec![1; 32]].concat()))
        .child(signed_prekey().to_node())
        .child(WirePreKey { id: 8, key: [7; 32] }.to_node());
    let refused = Node::new("user")
        .attr("jid", jid("2:3@lid"))
        .child(Node::new("error").attr("code", "404").attr("text", "item-not-found"));
    let broken = Node::new("user").attr("jid", jid("3@lid"));
    let list = Node::new("list").child(good).child(refused).child(broken);
    let answer = fetch.parse(&result(list)).unwrap();
    let [(first, keys), (_, refused), (_, broken)] = answer.as_slice() else { panic!() };
    let keys = keys.as_ref().unwrap();
    assert_eq!((first, keys.registration_id), (&jid("1@lid"), 9));
    assert_eq!(keys.bundle.identity, [1; 32]);
    assert_eq!(keys.bundle.prekey, Some(WirePreKey { id: 8, key: [7; 32] }));
    let Err(RequestError::Refused(error)) = refused else { panic!() };
    assert_eq!(error.kind, IqErrorKind::NotFound);
    assert!(matches!(broken, Err(RequestError::Answer(ParseError::MissingChild(_)))));
}

#[test]
fn keys_of_another_type_are_refused() {
    let user = Node::new("user")
        .attr("jid", jid("1@lid"))
        .child(Node::new("registration").bytes(vec![0, 0, 0, 9]))
        .child(Node::new("type").bytes(vec![6]));
    let fetch = PreKeyFetch { devices: vec![jid("1@lid")], identity_changed: false };
    let answer = fetch.parse(&result(Node::new("list").child(user))).unwrap();
    let [(_, Err(RequestError::Answer(ParseError::KeyType)))] = answer.as_slice() else { panic!() };
}

#[test]
fn device_lists_come_with_their_signed_index() {
    let usync = Usync {
        context: UsyncContext::Message,
        mode: UsyncMode::Query,
        protocols: vec![UsyncProtocol::Devices, UsyncProtocol::Lid, UsyncProtocol::Contact],
        users: vec![
            UsyncQuery::Jid(jid("1555:9@s.whatsapp.net")),
            UsyncQuery::Phone("1666".into()),
        ],
    };
    let asked = usync.to_node("1");
    let node = asked.find("usync").unwrap();
    assert!(node.attrs.is("context", "message") && node.attrs.is("mode", "query"));
    assert!(node.find("query").unwrap().find("devices").unwrap().attrs.is("version", "2"));
    let [first, second] = node.find("list").unwrap().nodes() else { panic!() };
    assert_eq!(first.attrs.jid("jid"), Some(jid("1555@s.whatsapp.net")));
    assert_eq!(second.find("contact").unwrap().content_text(), Some("+1666"));

    let devices = Node::new("devices")
        .child(
            Node::new("device-list")
                .child(Node::new("device").attr("id", "0"))
                .child(Node::new("device").attr("id", "12").attr("key-index", "3")),
        )
        .child(Node::new("key-index-list").attr("ts", "77").bytes(vec![1, 2]));
    let user = Node::new("user")
        .attr("jid", jid("1555@s.whatsapp.net"))
        .child(devices)
        .child(Node::new("lid").attr("val", jid("9@lid")))
        .child(Node::new("contact").attr("type", "in"));
    let hidden = Node::new("user")
        .attr("jid", jid("1666@s.whatsapp.net"))
        .child(Node::new("devices").child(Node::new("error").attr("code", "403")))
        .child(Node::new("lid"));
    let refused =
        Node::new("result").child(Node::new("lid").child(Node::new("error").attr("code", "429")));
    let list = Node::new("list").child(user).child(hidden);
    let answer = usync.parse(&result(Node::new("usync").child(refused).child(list))).unwrap();
    let [user, hidden] = answer.users.as_slice() else { panic!() };
    let devices = user.devices.as_ref().unwrap().as_ref().unwrap();
    let listed: Vec<_> = devices.devices.iter().map(|d| (d.id, d.key_index)).collect();
    assert_eq!(listed, [(0, None), (12, Some(3))]);
    let index = devices.key_index_list.as_ref().unwrap();
    assert_eq!((index.timestamp, index.signed.as_deref()), (Some(77), Some(&[1, 2][..])));
    assert_eq!(user.lid, Some(Ok(jid("9@lid"))));
    assert_eq!(user.is_registered, Some(Ok(true)));
    let kind = hidden.devices.as_ref().unwrap().as_ref().unwrap_err().kind;
    assert_eq!((kind, &hidden.lid), (IqErrorKind::Forbidden, &None));
    let [(UsyncProtocol::Lid, error)] = answer.errors.as_slice() else { panic!() };
    assert_eq!(error.kind, IqErrorKind::RateOverlimit);
}

#[test]
fn what_a_server_says_of_people_nobody_asked_about_is_left_out() {
    let users = vec![UsyncQuery::Jid(jid("1@lid")), UsyncQuery::Phone("1555".into())];
    let protocols = vec![UsyncProtocol::Lid];
    let (context, mode) = (UsyncContext::Message, UsyncMode::Query);
    let usync = Usync { context, mode, protocols, users };
    let user = |text: &str, number: Option<&'static str>| {
        let contact =
            |number: &'static str| Node::new("contact").attr("type", "in").bytes(number.as_bytes());
        Node::new("user").attr("jid", jid(text)).children(number.map(contact))
    };
    let list = Node::new("list")
        .child(user("2@lid", None))
        .child(user("1@lid", None).child(Node::new("lid").attr("val", jid("7@lid"))))
        .child(user("1@lid", None).child(Node::new("lid").attr("val", jid("8@lid"))))
        .child(user("1556@s.whatsapp.net", None))
        .child(user("1666@s.whatsapp.net", Some("+1666")))
        .child(user("15550@s.whatsapp.net", Some("+1555")));
    let answer = usync.parse(&result(Node::new("usync").child(list))).unwrap();
    let told: Vec<_> = answer.users.iter().map(|user| user.jid.clone()).collect();
    assert_eq!(told, [jid("1@lid"), jid("15550@s.whatsapp.net")]);
    assert_eq!(answer.users[0].lid, Some(Ok(jid("7@lid"))), "the first word counts");
}

#[test]
fn keys_of_devices_nobody_asked_about_are_left_out() {
    let fetch = PreKeyFetch { devices: vec![jid("1:2@lid")], identity_changed: false };
    let refused = |text: &str| {
        Node::new("user").attr("jid", jid(text)).child(Node::new("error").attr("code", "404"))
    };
    let users = ["1@lid", "1:2@lid", "1:2@lid", "2:2@lid"].map(refused);
    let answer = fetch.parse(&result(Node::new("list").children(users))).unwrap();
    let told: Vec<_> = answer.into_iter().map(|(device, _)| device).collect();
    assert_eq!(told, [jid("1:2@lid")]);
}

#[test]
fn media_hosts_come_with_a_token_that_is_not_logged() {
    let host = Node::new("host").attr("hostname", "127.0.0.1:443").attr("type", "primary");
    let node = Node::new("media_conn")
        .attr("auth", "secret-token")
        .attr("ttl", "300")
        .attr("auth_ttl", "21600")
        .child(host);
    let answer = MediaConn.parse(&result(node)).unwrap();
    assert_eq!((answer.ttl, answer.auth_ttl, answer.auth.as_str()), (300, 21_600, "secret-token"));
    assert_eq!(answer.hosts.first().unwrap().hostname, "127.0.0.1:443");
    assert!(!format!("{answer:?}").contains("secret-token"));
}

#[test]
fn simple_answers_are_read_and_an_answer_without_its_content_is_an_error() {
    let count = Node::new("count").attr("value", "812");
    assert_eq!(PreKeyCount.parse(&result(count)), Ok(812));
    assert_eq!(PreKeyCount.parse(&result(Node::new("x"))), Err(ParseError::MissingChild("count")));
    let category = Node::new("category").attr("name", "last").attr("value", "contacts");
    let settings = PrivacySettings.parse(&result(Node::new("privacy").child(category))).unwrap();
    assert_eq!(settings, [("last".into(), "contacts".into())]);
    let item = Node::new("item").attr("jid", jid("1@lid"));
    let blocked = Blocklist.parse(&result(Node::new("list").child(item))).unwrap();
    assert_eq!(blocked.blocked, [jid("1@lid")]);
    assert!(Blocklist.parse(&Node::new("iq")).unwrap().blocked.is_empty());
    let digest = Node::new("digest")
        .child(Node::new("registration").bytes(vec![0, 0, 1, 0]))
        .child(Node::new("list").child(Node::new("id").bytes(vec![0, 0, 7])));
    let digest = PreKeyDigest.parse(&result(digest)).unwrap();
    assert_eq!((digest.registration_id, digest.prekey_ids), (256, vec![7]));
    let prop = Node::new("prop").attr("config_code", "1234").attr("config_value", "true");
    let props = AbProps::default().parse(&result(Node::new("props").attr("hash", "h").child(prop)));
    assert_eq!(props.unwrap().props, [("1234".into(), "true".into())]);
}

#[test]
fn pairing_by_code_begins_with_a_reference() {
    let hello = LinkCodeHello {
        account: jid("1555@s.whatsapp.net"),
        wrapped_ephemeral: [1; 80],
        noise_key: [2; 32],
        platform_id: "1".into(),
        platform_display: "Chrome (Linux)".into(),
        notify: true,
    };
    let node = hello.to_node("1");
    let registration = node.find("link_code_companion_reg").unwrap();
    assert!(registration.attrs.is("stage", "companion_hello"));
    let reference = Node::new("link_code_pairing_ref").bytes(vec![7]);
    let answer = Node::new("link_code_companion_reg").child(reference);
    assert_eq!(hello.parse(&result(answer)).unwrap().as_ref(), [7]);
}
