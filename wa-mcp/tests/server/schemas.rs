//! The tools as clients see them. A change of the file is a decision, and is to be told to users.

use serde_json::{Value, json};

use crate::client::Machine;

#[test]
fn the_tools_are_those_of_the_file() {
    let machine = Machine::new("");
    let mut client = machine.start(&[]);
    let mut tools = client.request("tools/list", json!({}));
    let Value::Array(tools) = tools["tools"].take() else { panic!("no list") };
    let mut text = serde_json::to_string_pretty(&tools).unwrap();
    text.push('\n');
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools.json");
    if std::env::var_os("UPDATE_TOOLS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let file = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        file == text,
        "tests/tools.json is out of date; run: UPDATE_TOOLS=1 cargo test -p wa-mcp --test server"
    );
}

#[test]
fn every_tool_says_what_it_does_and_what_it_changes() {
    let machine = Machine::new("confirm_in_chat = true");
    let mut client = machine.start(&[]);
    let tools = client.request("tools/list", json!({}));
    let tools = tools["tools"].as_array().unwrap().clone();
    assert_eq!(tools.len(), 37);
    for tool in tools {
        let name = tool["name"].as_str().unwrap();
        assert!(tool["description"].as_str().unwrap().len() > 20, "{name}");
        assert!(!tool["title"].as_str().unwrap().is_empty(), "{name}");
        for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            assert!(tool["annotations"][hint].is_boolean(), "{name}: {hint}");
        }
        for schema in ["inputSchema", "outputSchema"] {
            assert_eq!(tool[schema]["type"], "object", "{name}: {schema}");
            jsonschema::meta::validate(&tool[schema]).unwrap();
        }
        for (argument, about) in tool["inputSchema"]["properties"].as_object().unwrap() {
            assert!(about["description"].is_string(), "{name}: {argument} has no description");
        }
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{name}");
    }
}
