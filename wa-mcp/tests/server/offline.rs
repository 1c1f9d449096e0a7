//! Without a linked device, without a network, with a policy nobody can read: the server is up, and
//! says what is the matter.

use serde_json::json;

use crate::client::Machine;

#[test]
fn without_a_linked_device_every_tool_says_what_to_do_and_the_server_stays() {
    let machine = Machine::new("");
    let mut client = machine.start(&[]);
    let (status, _) = client.call("get_status", json!({}));
    assert_eq!(status["linked"], false);
    assert!(status["advice"].to_string().contains("link_device"), "{status}");
    let refusal =
        client.refusal("send_message", json!({ "recipient": "+447700900101", "message": "x" }));
    assert!(
        refusal.contains("no device is linked") && refusal.contains("link_device"),
        "{refusal}"
    );
    let (found, _) = client.call("search_messages", json!({ "query": "x" }));
    assert_eq!(found["hits"], json!([]));
    assert_eq!(client.request("resources/list", json!({}))["resources"][0]["uri"], "wa://chats");
}

#[test]
fn a_link_without_a_network_is_a_failure_and_not_an_end() {
    let machine = Machine::new("");
    let mut client = machine.start(&[]);
    let refusal = client.refusal("link_device", json!({}));
    assert!(refusal.contains("cannot be reached") || refusal.contains("connection"), "{refusal}");
    client.call("get_status", json!({}));
}

#[test]
fn a_policy_that_cannot_be_read_stops_everything() {
    for policy in ["read_only = maybe", "readonly = true", "[read]\nchats = ['07700 900123']"] {
        let machine = Machine::new(policy);
        let mut client = machine.start(&[]);
        for tool in ["get_status", "list_chats", "list_drafts"] {
            let refusal = client.refusal(tool, json!({}));
            assert!(refusal.contains("policy.toml is wrong"), "{refusal}");
        }
    }
}
