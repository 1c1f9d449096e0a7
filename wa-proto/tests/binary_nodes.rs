//! The binary form of nodes, against the vectors and by its properties.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may panic"
)]

use std::{borrow::Cow, fs, io::Write, path::PathBuf};

use proptest::prelude::*;
use serde_json::Value;
use wa_proto::{
    AttrValue, Attrs, Jid, Node, NodeContent, OwnedNode, Server,
    node::{self, DecodeError, MAX_DEPTH, MAX_INFLATED_LEN, MAX_TEXT_LEN},
};

#[test]
fn vectors_binary_nodes() {
    let cases = cases("binary-nodes.json");
    assert!(!cases.is_empty());
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        if case.get("invalid").is_some() {
            let payload = bytes(&case["encoded"]);
            assert!(node::read(&payload).is_err(), "{name}: should be refused");
            continue;
        }
        let tree = node_of(&case["node"]);
        if case.get("decode_only").is_none() {
            check_encoding(name, case, &tree);
        }
        let payload = match case.get("encoded") {
            Some(encoded) => bytes(encoded),
            None => tree.encode(),
        };
        let expected = case.get("decoded").map_or(tree, node_of);
        let unpacked = node::unpack(&payload).unwrap_or_else(|e| panic!("{name}: {e}"));
        let borrowed = Node::decode(&unpacked).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(borrowed, expected, "{name}");
        assert_eq!(node::read(&payload).unwrap(), expected, "{name}");
    }
}

fn check_encoding(name: &str, case: &Value, tree: &Node<'_>) {
    let encoded = tree.encode();
    if let Some(expected) = case.get("encoded") {
        assert_eq!(hex::encode(encoded), expected.as_str().unwrap(), "{name}");
        return;
    }
    assert_eq!(encoded.len() as u64, case["encoded_len"].as_u64().unwrap(), "{name}");
    assert!(encoded.starts_with(&bytes(&case["encoded_prefix"])), "{name}");
    let digest = <sha2::Sha256 as sha2::Digest>::digest(&encoded);
    assert_eq!(hex::encode(digest), case["encoded_sha256"].as_str().unwrap(), "{name}");
}

#[test]
fn a_zlib_bomb_is_refused_at_the_limit() {
    assert_eq!(node::unpack(&bomb(MAX_INFLATED_LEN + 1)), Err(DecodeError::InflatedTooLong));
    assert_eq!(node::unpack(&bomb(MAX_INFLATED_LEN)).unwrap().len(), MAX_INFLATED_LEN);
}

#[test]
fn bytes_behind_the_zlib_stream_are_refused() {
    let mut payload = bomb(10);
    payload.push(0);
    assert_eq!(node::unpack(&payload), Err(DecodeError::TrailingBytes(1)));
}

#[test]
fn nodes_nested_too_deep_are_refused() {
    let nested = |depth: usize| {
        let leaf = Node::new("leaf");
        (1..depth).fold(leaf, |inner, _| Node::new("list").child(inner)).encode()
    };
    assert!(node::read(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(node::read(&nested(MAX_DEPTH + 1)), Err(DecodeError::TooDeep));
}

#[test]
fn a_frame_with_too_many_nodes_is_refused() {
    let child = Node::new("item").children(vec![Node::new("item"); 65_000]);
    let full = |lists| Node::new("list").children(vec![child.clone(); lists]).encode();
    assert!(node::read(&full(4)).is_ok());
    assert_eq!(node::read(&full(5)), Err(DecodeError::TooManyNodes));
}

#[test]
fn a_frame_with_too_many_attributes_is_refused() {
    let mut child = Node::new("item");
    child.attrs.0 = vec![("id".into(), "1".into()); 30_000];
    let full = |children| Node::new("list").children(vec![child.clone(); children]).encode();
    assert!(node::read(&full(17)).is_ok());
    assert_eq!(node::read(&full(18)), Err(DecodeError::TooManyAttrs));
}

#[test]
fn an_attribute_that_is_too_long_is_refused() {
    let long = |len| Node::new("x").attr("a", "y".repeat(len)).encode();
    assert!(node::read(&long(MAX_TEXT_LEN)).is_ok());
    assert_eq!(node::read(&long(MAX_TEXT_LEN + 1)), Err(DecodeError::TextTooLong));
}

#[test]
fn bytes_and_tokens_are_borrowed_from_the_frame() {
    let jid = Jid::phone("15550001111").with_device(3);
    let payload = Node::new("to").attr("jid", &jid).bytes(&b"cipher"[..]).encode();
    let unpacked = node::unpack(&payload).unwrap();
    let node = Node::decode(&unpacked).unwrap();
    assert!(matches!(node.tag, Cow::Borrowed("to")));
    assert!(matches!(node.content, NodeContent::Bytes(Cow::Borrowed(b"cipher"))));
}

#[test]
fn a_device_number_that_no_jid_form_carries_survives_as_text() {
    let jid = Jid::lid("123").with_device(300);
    let decoded = node::read(&Node::new("to").attr("jid", &jid).encode()).unwrap();
    assert_eq!(decoded.attrs.jid("jid"), Some(jid));
}

#[test]
fn a_log_shows_no_user_no_text_and_no_key() {
    let node = Node::new("message")
        .attr("id", "3EB0AAAA")
        .attr("type", "text")
        .attr("from", Jid::phone("15550001111").with_device(3))
        .attr("recipient", "15550002222@s.whatsapp.net")
        .attr("id", "15550003333@s.whatsapp.net")
        .attr("notify", "Ada Lovelace")
        .child(Node::new("enc").attr("type", "pkmsg").bytes(&b"ciphertext"[..]))
        .child(Node::new("body").text("7654321"))
        .child(Node::new("jid").bytes(&b"forged</jid>\n<x>"[..]))
        .child(Node::new("a\nb\"<c>"));
    let log = node.redacted().to_string();
    for shown in ["<message", "id=\"3EB0AAAA\"", "\"…:3@s.whatsapp.net\"", "type=\"pkmsg\""] {
        assert!(log.contains(shown), "{shown} missing in {log}");
    }
    for hidden in ["1555", "Ada", "ciphertext", "7654321", "forged", "\n"] {
        assert!(!log.contains(hidden), "{hidden:?} shown in {log}");
    }
}

#[test]
fn the_fuzz_target_holds_for_its_seeds() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/nodes");
    let seeds: Vec<_> = fs::read_dir(folder).unwrap().collect();
    assert!(!seeds.is_empty());
    for seed in seeds {
        wa_proto::fuzzing::nodes(&fs::read(seed.unwrap().path()).unwrap());
    }
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_the_same(tree in tree()) {
        let payload = tree.encode();
        prop_assert_eq!(&node::read(&payload).unwrap(), &tree);
        prop_assert_eq!(Node::decode(&payload[1..]).unwrap().into_owned(), tree);
    }

    #[test]
    fn any_bytes_decode_or_are_refused(payload in prop::collection::vec(any::<u8>(), 0..300)) {
        wa_proto::fuzzing::nodes(&payload);
    }

    #[test]
    fn a_damaged_frame_decodes_or_is_refused(
        tree in tree(), place in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut payload = tree.encode();
        let place = place.index(payload.len());
        payload[place] = byte;
        wa_proto::fuzzing::nodes(&payload);
    }

    #[test]
    fn no_prefix_of_a_frame_is_a_frame(tree in tree(), cut in any::<prop::sample::Index>()) {
        let payload = tree.encode();
        prop_assert!(node::read(&payload[..cut.index(payload.len())]).is_err());
    }
}

fn tree() -> impl Strategy<Value = OwnedNode> {
    let content = prop_oneof![
        Just(NodeContent::Empty),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(|b| NodeContent::Bytes(b.into())),
        packed_or_token().prop_map(|text| NodeContent::Text(text.into())),
        jid().prop_map(NodeContent::Jid),
    ];
    let leaf = (attrs(), content).prop_map(|((tag, attrs), content)| Node { tag, attrs, content });
    leaf.prop_recursive(4, 40, 6, |inner| {
        (attrs(), prop::collection::vec(inner, 0..6)).prop_map(|((tag, attrs), children)| Node {
            tag,
            attrs,
            content: NodeContent::Nodes(children),
        })
    })
}

fn attrs() -> impl Strategy<Value = (Cow<'static, str>, Attrs<'static>)> {
    let value = prop_oneof![
        "\\PC{0,40}".prop_map(AttrValue::from),
        packed_or_token().prop_map(AttrValue::from),
        jid().prop_map(AttrValue::from),
    ];
    let name = prop_oneof![packed_or_token(), "[a-z_]{1,9}"];
    let pair = (name.clone(), value).prop_map(|(name, value)| (name.into(), value));
    (name, prop::collection::vec(pair, 0..6)).prop_map(|(tag, attrs)| (tag.into(), Attrs(attrs)))
}

fn packed_or_token() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9.-]{1,127}",
        "[0-9A-F]{1,127}",
        prop::sample::select(vec!["message", "enc", "s.whatsapp.net", "picture"])
            .prop_map(str::to_owned),
    ]
}

fn jid() -> impl Strategy<Value = Jid> {
    let plain = prop::sample::select(vec![
        Server::Group,
        Server::Broadcast,
        Server::Newsletter,
        Server::Call,
        Server::Bot,
        Server::Legacy,
        Server::Other("somewhere".into()),
    ]);
    let device = prop::sample::select(vec![
        Server::User,
        Server::Lid,
        Server::Hosted,
        Server::HostedLid,
        Server::Messenger,
        Server::Interop,
    ]);
    prop_oneof![
        ("[0-9-]{1,20}", plain).prop_map(|(user, server)| Jid::new(user, server)),
        ("[0-9]{1,18}", device, any::<u8>())
            .prop_map(|(user, server, device)| Jid::new(user, server).with_device(device.into())),
        ("[0-9]{1,18}", any::<(u16, u16)>()).prop_map(|(user, (device, integrator))| Jid {
            device,
            integrator,
            ..Jid::new(user, Server::Interop)
        }),
        Just(Jid::server()),
    ]
}

fn bomb(len: usize) -> Vec<u8> {
    let mut payload = vec![2];
    let mut writer = flate2::write::ZlibEncoder::new(&mut payload, flate2::Compression::fast());
    writer.write_all(&vec![0; len]).unwrap();
    writer.finish().unwrap();
    payload
}

fn cases(file: &str) -> Vec<Value> {
    let folder = std::env::var_os("WA_VECTORS_DIR")
        .map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors").into(), PathBuf::from);
    let text = fs::read_to_string(folder.join(file)).unwrap();
    let mut file: Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(file["cases"].take()).unwrap()
}

fn bytes(hex: &Value) -> Vec<u8> {
    hex::decode(hex.as_str().unwrap()).unwrap()
}

fn node_of(json: &Value) -> OwnedNode {
    let attrs = json["attrs"].as_array().unwrap().iter().map(|pair| {
        let value = match &pair[1] {
            Value::String(text) => AttrValue::from(text.clone()),
            jid => AttrValue::Jid(jid_of(jid)),
        };
        (pair[0].as_str().unwrap().to_owned().into(), value)
    });
    Node {
        tag: json["tag"].as_str().unwrap().to_owned().into(),
        attrs: Attrs(attrs.collect()),
        content: content_of(&json["content"]),
    }
}

fn content_of(json: &Value) -> NodeContent<'static> {
    match json {
        Value::Null => NodeContent::Empty,
        Value::Array(nodes) => NodeContent::Nodes(nodes.iter().map(node_of).collect()),
        Value::Object(object) => match object.iter().next().unwrap() {
            (key, text) if key == "text" => {
                NodeContent::Text(text.as_str().unwrap().to_owned().into())
            }
            (key, hex) if key == "bytes" => NodeContent::Bytes(bytes(hex).into()),
            (key, jid) if key == "jid" => NodeContent::Jid(jid_of(jid)),
            (key, rule) if key == "gen" => {
                let len = usize::try_from(rule["len"].as_u64().unwrap()).unwrap();
                let pattern = bytes(&rule["pattern"]);
                NodeContent::Bytes(pattern.into_iter().cycle().take(len).collect())
            }
            other => panic!("content {other:?}"),
        },
        other => panic!("content {other}"),
    }
}

fn jid_of(json: &Value) -> Jid {
    let number = |name: &str| json.get(name).and_then(Value::as_u64).unwrap_or(0);
    Jid {
        user: json["user"].as_str().unwrap().into(),
        server: Server::from_name(json["server"].as_str().unwrap()),
        device: number("device").try_into().unwrap(),
        agent: number("agent").try_into().unwrap(),
        integrator: number("integrator").try_into().unwrap(),
    }
}
