//! What the MCP conformance suite expects of a server, on the handler that WhatsApp is served by.
//!
//! Only a build with the feature `conformance-fixtures` has these tools, prompts and resources. Their
//! names and their answers are the suite's; they know nothing of WhatsApp. `interop/mcp` runs it.

use std::time::Duration;

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock,
        ProgressNotificationParam, ServerCapabilities, Tool,
    },
    service::RequestContext,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

mod asking;
mod prompts;
mod resources;
mod rounds;

pub(crate) use prompts::{get as prompt, listed as with_prompts};
pub(crate) use resources::{is_fixture, listed as with_resources, read, templates};

/// A tool's answer.
type Answer = Result<CallToolResponse, ErrorData>;

/// Calls a fixture; nothing if the tool is none.
pub(crate) async fn call(
    request: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Option<Answer> {
    let name: &str = &request.name;
    let answer = match name {
        "test_simple_text" => text("This is a simple text response for testing."),
        "test_image_content" => content(json!([image()])),
        "test_audio_content" => {
            content(json!([{ "type": "audio", "data": SOUND, "mimeType": "audio/wav" }]))
        }
        "test_embedded_resource" => content(json!([embedded(
            "test://embedded-resource",
            "text/plain",
            "This is an embedded resource content."
        )])),
        "test_multiple_content_types" => content(json!([
            { "type": "text", "text": "Multiple content types test:" },
            image(),
            embedded(
                "test://mixed-content-resource",
                "application/json",
                &json!({ "test": "data", "value": 123 }).to_string()
            ),
        ])),
        "test_error_handling" => {
            let what = "This tool intentionally returns an error for testing";
            Ok(CallToolResult::error(vec![ContentBlock::text(what)]).into())
        }
        "test_tool_with_logging" => with_logging(context).await,
        "test_tool_with_progress" => with_progress(context).await,
        "test_reconnection" => text("The stream was kept open."),
        "test_header" => text("The header says the same."),
        "json_schema_2020_12_tool" => text("The schema is what this tool is for."),
        _ => {
            return match asking::call(request, context).await {
                None => rounds::call(request, context),
                answer => answer,
            };
        }
    };
    Some(answer)
}

/// The tools of the server and the fixtures.
pub(crate) fn with_tools(mut tools: Vec<Tool>) -> Vec<Tool> {
    let plain = || json!({ "type": "object", "properties": {} });
    for (name, about) in PLAIN.iter().chain(asking::PLAIN).chain(rounds::PLAIN) {
        tools.extend(described(name, about, plain()));
    }
    tools.extend(asking::tools());
    tools.extend(described(
        "json_schema_2020_12_tool",
        "Tool with JSON Schema 2020-12 features",
        schema(),
    ));
    let in_header = json!({ "region": { "type": "string", "x-mcp-header": "Region" } });
    let in_header = json!({ "type": "object", "properties": in_header, "required": ["region"] });
    tools.extend(described("test_header", "Takes an argument that is a header too", in_header));
    tools
}

/// A fixture's description; nothing if the tool is none.
pub(crate) fn tool(name: &str) -> Option<Tool> {
    with_tools(Vec::new()).into_iter().find(|tool| tool.name == name)
}

/// The capabilities of the server, and logging, which it does not have without the fixtures.
pub(crate) fn with_capabilities(mut capabilities: ServerCapabilities) -> ServerCapabilities {
    capabilities.logging = Some(serde_json::Map::new());
    capabilities
}

/// The tools that take nothing and ask for nothing.
const PLAIN: &[(&str, &str)] = &[
    ("test_simple_text", "Returns a text"),
    ("test_image_content", "Returns an image"),
    ("test_audio_content", "Returns sound"),
    ("test_embedded_resource", "Returns a resource"),
    ("test_multiple_content_types", "Returns a text, an image and a resource"),
    ("test_error_handling", "Fails"),
    ("test_tool_with_logging", "Logs three times while it runs"),
    ("test_tool_with_progress", "Reports its progress"),
    ("test_reconnection", "Returns a text on a stream that can be resumed"),
];

/// One red pixel: a PNG.
const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

/// One sample of silence: a WAV.
const SOUND: &str = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQIAAAAAAA==";

/// How long a tool takes between two of its reports.
const PAUSE: Duration = Duration::from_millis(50);

fn image() -> Value {
    json!({ "type": "image", "data": PIXEL, "mimeType": "image/png" })
}

fn embedded(uri: &str, mime: &str, text: &str) -> Value {
    json!({ "type": "resource", "resource": { "uri": uri, "mimeType": mime, "text": text } })
}

/// A schema with what other drafts do not have, and with what servers are tempted to leave out.
fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": { "street": { "type": "string" }, "city": { "type": "string" } },
            },
        },
        "properties": {
            "name": { "type": "string" },
            "address": { "$ref": "#/$defs/address" },
            "contactMethod": { "type": "string", "enum": ["phone", "email"] },
            "phone": { "type": "string" },
            "email": { "type": "string" },
        },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": {
            "properties": { "contactMethod": { "const": "phone" } },
            "required": ["contactMethod"],
        },
        "then": { "required": ["phone"] },
        "else": { "required": ["email"] },
        "additionalProperties": false,
    })
}

#[expect(deprecated, reason = "the suite checks logging, which the protocol gives up")]
async fn with_logging(context: &RequestContext<RoleServer>) -> Answer {
    use rmcp::model::{LoggingLevel, LoggingMessageNotificationParam};
    let steps = ["Tool execution started", "Tool processing data", "Tool execution completed"];
    // The newer era wants no log where the client did not ask for one.
    let steps = if rounds::is_new_era(context) { &[] } else { steps.as_slice() };
    for step in steps {
        let logged = LoggingMessageNotificationParam::new(LoggingLevel::Info, json!(step));
        context.peer.notify_logging_message(logged).await.map_err(failed)?;
        tokio::time::sleep(PAUSE).await;
    }
    text("It was logged.")
}

async fn with_progress(context: &RequestContext<RoleServer>) -> Answer {
    let token = context.meta.get_progress_token();
    for progress in [0.0, 50.0, 100.0] {
        if let Some(token) = token.clone() {
            let progress = ProgressNotificationParam::new(token, progress).with_total(100.0);
            context.peer.notify_progress(progress).await.map_err(failed)?;
        }
        tokio::time::sleep(PAUSE).await;
    }
    text("It is done.")
}

/// A tool's description. All of them are written here, so none is left out.
fn described(name: &str, about: &str, schema: Value) -> Option<Tool> {
    parse(json!({ "name": name, "title": name, "description": about, "inputSchema": schema })).ok()
}

fn text(text: &str) -> Answer {
    Ok(CallToolResult::success(vec![ContentBlock::text(text)]).into())
}

fn content(content: Value) -> Answer {
    Ok(CallToolResult::success(parse(content)?).into())
}

/// What the suite gives as JSON, as the type it is.
fn parse<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}
