//! Requests made of the calls' own schemas: the plainest that is right, and wrong ones.

use serde_json::{Map, Value, json};
use wa_bridge::Route;

/// The plainest request that a call takes.
pub(crate) fn plainest(route: &Route) -> Value {
    let schema = (route.request)().to_value();
    value(&schema, &schema)
}

fn value(schema: &Value, root: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return value(&root["$defs"][name], root);
    }
    if let Some(constant) = schema.get("const") {
        return constant.clone();
    }
    if let Some(first) = schema["enum"].as_array() {
        return first[0].clone();
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        if let Some(first) = schema[several].as_array() {
            return value(&first[0], root);
        }
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    match kind.unwrap_or("object") {
        "string" => json!("447700900101"),
        "integer" | "number" => json!(1),
        "boolean" => json!(true),
        "array" => json!([]),
        _ => {
            let mut object = Map::new();
            for name in schema["required"].as_array().into_iter().flatten() {
                let name = name.as_str().unwrap();
                object.insert(name.into(), value(&schema["properties"][name], root));
            }
            Value::Object(object)
        }
    }
}

/// The names of everything a call takes.
pub(crate) fn fields(route: &Route) -> Vec<String> {
    let schema = (route.request)().to_value();
    schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}
