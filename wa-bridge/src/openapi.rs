//! The description of the calls, in OpenAPI 3.1, made of the types themselves.

use serde_json::{Map, Value, json};

use crate::{
    api::{API_VERSION, EventView},
    failure::Failure,
    service::{Route, routes},
};

/// The whole document.
pub fn document() -> Value {
    let mut schemas = Map::new();
    let mut paths = Map::new();
    for route in routes() {
        paths.insert(format!("/v1/{}", route.path), path(&route, &mut schemas));
    }
    paths.insert("/v1/events".into(), events(&mut schemas));
    let failure = lift(schemars::schema_for!(Failure).to_value(), &mut schemas);
    schemas.insert("Failure".into(), failure);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "wa bridge",
            "version": API_VERSION.to_string(),
            "summary": "The calls of the process that owns a WhatsApp account, on its local socket.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

fn path(route: &Route, schemas: &mut Map<String, Value>) -> Value {
    let request = lift((route.request)().to_value(), schemas);
    let answer = lift((route.answer)().to_value(), schemas);
    let done = json!({ "type": "object", "required": ["data"], "properties": { "data": answer } });
    json!({ "post": {
        "operationId": route.path.replace('/', "_"),
        "summary": route.about,
        "x-effect": route.effect,
        "parameters": parameters(),
        "requestBody": { "required": true, "content": content(request) },
        "responses": {
            "200": { "description": "Done.", "content": content(done) },
            "default": { "description": "Not done.", "content": content(not_done()) },
        },
    } })
}

fn events(schemas: &mut Map<String, Value>) -> Value {
    let event = lift(schemars::schema_for!(EventView).to_value(), schemas);
    json!({ "get": {
        "operationId": "events",
        "summary": "What happens from now on, one object a line; an empty line says that nothing did.",
        "parameters": [{
            "name": "after",
            "in": "query",
            "description": "The number of the last message that was seen: those after it come first.",
            "schema": { "type": "integer", "minimum": 0 },
        }],
        "responses": {
            "200": {
                "description": "A stream.",
                "content": { "application/x-ndjson": { "schema": event } },
            },
            "default": { "description": "Not done.", "content": content(not_done()) },
        },
    } })
}

fn parameters() -> Value {
    let header = |name: &str, description: &str| {
        json!({
            "name": name,
            "in": "header",
            "description": description,
            "schema": { "type": "string" },
        })
    };
    json!([
        header("wa-version", "The version of the calls the caller speaks."),
        header(
            "authorization",
            "`Bearer TOKEN`: the person's token, or an assistant's. Without one, on the local socket alone, an assistant without a name asks."
        ),
        header(
            "wa-frontend",
            "`assistant` where a person's program asks as one; `person` has to be proven by the token."
        ),
        header("wa-caller", "The name of the caller's program, for the audit."),
        header("wa-time-limit", "How long the call may take, in milliseconds."),
        header("wa-tighten", "What the caller forbids itself besides the policy, as JSON."),
    ])
}

fn content(schema: Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

fn not_done() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": { "error": { "$ref": "#/components/schemas/Failure" } },
    })
}

/// Moves a schema's own definitions to the document's, so that each stands there once.
fn lift(mut schema: Value, schemas: &mut Map<String, Value>) -> Value {
    if let Some(object) = schema.as_object_mut() {
        object.remove("$schema");
        if let Some(Value::Object(definitions)) = object.remove("$defs") {
            for (name, definition) in definitions {
                schemas.entry(name).or_insert_with(|| point_up(definition));
            }
        }
    }
    point_up(schema)
}

/// Rewrites references from a schema's own definitions to the document's.
fn point_up(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                match value {
                    Value::String(target) if key == "$ref" => {
                        *target = target.replace("#/$defs/", "#/components/schemas/");
                    }
                    value => *value = point_up(value.take()),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                *item = point_up(item.take());
            }
        }
        _ => {}
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The description in the file is what users read; a change of it is a decision.
    #[test]
    fn the_file_describes_the_calls_there_are() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        let mut text = serde_json::to_string_pretty(&document()).unwrap();
        text.push('\n');
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        let file = std::fs::read_to_string(path).unwrap();
        assert!(
            file == text,
            "openapi.json is out of date; run: UPDATE_OPENAPI=1 cargo test -p wa-bridge openapi"
        );
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        for part in text.split("\"$ref\":\"#").skip(1) {
            let pointer = part.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
