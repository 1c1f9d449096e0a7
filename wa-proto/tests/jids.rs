//! The text and wire forms of JIDs, against the vectors.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::{fs, path::PathBuf};

use serde_json::Value;
use wa_proto::{Jid, Node, Server, node};

#[test]
fn vectors_jids() {
    let cases = cases("jids.json");
    assert!(!cases.is_empty());
    for case in &cases {
        let text = |name: &str| case[name].as_str().unwrap();
        let parsed = text("string").parse::<Jid>();
        if case.get("invalid").is_some() {
            assert!(parsed.is_err(), "{:?} should be refused", text("string"));
            continue;
        }
        let jid = parsed.unwrap_or_else(|error| unreachable!("{}: {error}", text("string")));
        assert_eq!(jid.user, text("user"));
        assert_eq!(u64::from(jid.device), case["device"].as_u64().unwrap());
        assert_eq!(u64::from(jid.agent), case["agent"].as_u64().unwrap());
        assert_eq!(jid.server.as_str(), text("server"));
        assert_eq!(jid.to_string(), text("canonical"));
        assert_eq!(jid.to_user().to_string(), text("non_ad"));
        assert_eq!(jid.signal_name(), text("signal_name"), "{jid}");
        assert_eq!(u64::from(jid.device), case["signal_device"].as_u64().unwrap());
        assert_eq!(jid.is_bot(), case["is_bot"].as_bool().unwrap(), "{jid}");
        check_kind(&jid, text("kind"));
        check_wire(&jid, case);
    }
}

fn check_kind(jid: &Jid, kind: &str) {
    assert_eq!(jid.is_group(), kind == "group" || jid.server == Server::Group, "{jid}");
    assert_eq!(jid.is_status(), kind == "status", "{jid}");
    assert_eq!(jid.is_lid(), matches!(kind, "lid" | "hosted-lid"), "{jid}");
    assert_eq!(jid.is_phone(), matches!(kind, "user" | "hosted"), "{jid}");
}

fn check_wire(jid: &Jid, case: &Value) {
    let Some(wire) = case.get("wire") else { return };
    // A node with one attribute: flags, list of three, two tokens (`to`, `jid`), the JID.
    let encoded = Node::new("to").attr("jid", jid).encode();
    assert_eq!(hex::encode(&encoded[5..]), wire.as_str().unwrap(), "{jid}");
    assert_eq!(node::read(&encoded).unwrap().attrs.jid("jid").as_ref(), Some(jid));
}

fn cases(file: &str) -> Vec<Value> {
    let folder = std::env::var_os("WA_VECTORS_DIR")
        .map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors").into(), PathBuf::from);
    let text = fs::read_to_string(folder.join(file)).unwrap();
    let mut file: Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(file["cases"].take()).unwrap()
}
