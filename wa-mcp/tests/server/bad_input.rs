//! What is no request, no tool or no argument: an answer, and the server stays up.

use serde_json::json;

use crate::client::Machine;

#[test]
fn what_is_wrong_with_a_call_is_told() {
    let machine = Machine::new("");
    let mut client = machine.start(&[]);
    assert!(client.ask("tools/call", json!({ "name": "format_disk", "arguments": {} })).is_err());
    assert!(client.ask("tools/call", json!({ "arguments": {} })).is_err());
    assert!(client.ask("no/such/method", json!({})).is_err());
    assert!(client.ask("resources/read", json!({ "uri": "file:///etc/passwd" })).is_err());
    assert!(client.ask("prompts/get", json!({ "name": "catch_up" })).is_err());
    for arguments in [
        json!({}),
        json!({ "query": 7 }),
        json!({ "query": "x", "limit": -1 }),
        json!({ "query": "x", "surprise": true }),
        json!({ "query": "x", "after": "the day before" }),
        json!({ "query": "x", "cursor": "\u{0}" }),
        json!({ "query": "x".repeat(100_000) }),
    ] {
        client.refusal("search_messages", arguments);
    }
    client.call("get_status", json!({}));
}

#[test]
fn a_tool_that_is_not_offered_cannot_be_called() {
    let machine = Machine::new("");
    let mut client = machine.start(&["--read-only", "--exclude-tools", "get_media"]);
    for tool in ["send_message", "delete_message", "get_media", "confirm_send", "mark_read"] {
        let call = json!({ "name": tool, "arguments": { "recipient": "a", "message": "b" } });
        assert!(client.ask("tools/call", call).is_err(), "{tool}");
    }
    client.call("get_status", json!({}));
}
