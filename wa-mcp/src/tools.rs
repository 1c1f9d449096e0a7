//! The tools: one type for each, its arguments and its answer, and the list of them all.
//!
//! A tool says of itself what it does, what it changes and to which set it belongs; what is done
//! with every answer is done here, once: texts that others wrote are made safe and marked.

use std::{future::Future, pin::Pin, sync::Arc};

use rmcp::model::{CallToolResult, ContentBlock, JsonObject, Tool as Described, ToolAnnotations};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use wa_bridge::{
    Cause, Failure,
    api::{GroupChangedView, GroupView, MemberResultView, SentView},
};

use crate::{call::ToolCall, untrusted};

mod account;
mod chats;
mod contacts;
mod drafts;
#[cfg(feature = "conformance-fixtures")]
pub(crate) mod fixtures;
mod groups;
mod media;
mod messages;
mod search;
mod send;

pub(crate) use send::Delivery;

/// What a tool changes; clients show it to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing. The archive is closed; `true` if the server or the phone is asked.
    Reads { outside: bool },
    /// How the account's own devices show things.
    Arranges,
    /// Something that other people get or see.
    Sends,
    /// It takes away or changes something that was there.
    Destroys,
}

/// A set of tools that is offered or not as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
pub(crate) enum Toolset {
    /// Reading and searching messages, chats and contacts.
    Read,
    /// Sending, answering, reacting, editing and deleting.
    Send,
    /// Files of messages.
    Media,
    /// Groups.
    Groups,
    /// Read, muted, archived; older messages.
    Arrange,
    /// The account itself: status and linking.
    Account,
}

/// A tool: its arguments.
pub(crate) trait Tool: DeserializeOwned + JsonSchema + Send + 'static {
    type Output: Serialize + JsonSchema + Readable + Send;
    const NAME: &'static str;
    const TITLE: &'static str;
    const ABOUT: &'static str;
    const SET: Toolset;
    const KIND: Kind;
    /// Asked for twice, it is done once.
    const IDEMPOTENT: bool = false;

    /// Does it.
    fn run(self, call: &ToolCall<'_>)
    -> impl Future<Output = Result<Self::Output, Failure>> + Send;
}

/// An answer in words, besides its structure.
pub(crate) trait Readable {
    /// The answer as a text to read.
    fn text(&self) -> String;

    /// What is shown besides the text: pictures and sound.
    fn pictures(&self) -> Vec<ContentBlock> {
        Vec::new()
    }
}

/// An answer with the mark that others wrote what is in it.
#[derive(Serialize, JsonSchema)]
struct Marked<T> {
    /// What to think of the texts below.
    notice: String,
    #[serde(flatten)]
    answer: T,
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<CallToolResult, Failure>> + Send + 'a>>;

/// A tool among the others.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) described: Described,
    pub(crate) set: Toolset,
    pub(crate) kind: Kind,
    run: for<'a> fn(JsonObject, &'a ToolCall<'a>) -> Answer<'a>,
}

impl Entry {
    fn of<T: Tool>() -> Self {
        let annotations = ToolAnnotations::with_title(T::TITLE)
            .read_only(matches!(T::KIND, Kind::Reads { .. }))
            .destructive(T::KIND == Kind::Destroys)
            .idempotent(T::IDEMPOTENT || matches!(T::KIND, Kind::Reads { .. } | Kind::Arranges))
            .open_world(!matches!(T::KIND, Kind::Reads { outside: false }));
        let mut described = Described::new(T::NAME, T::ABOUT, schema::<T>());
        described.title = Some(T::TITLE.to_owned());
        described.output_schema = Some(Arc::new(schema::<Marked<T::Output>>()));
        described.annotations = Some(annotations);
        Self {
            described,
            set: T::SET,
            kind: T::KIND,
            run: |args, call| Box::pin(run::<T>(args, call)),
        }
    }

    /// Has the tool do its work.
    pub(crate) async fn run(
        &self,
        arguments: JsonObject,
        call: &ToolCall<'_>,
    ) -> Result<CallToolResult, Failure> {
        (self.run)(arguments, call).await
    }
}

async fn run<T: Tool>(
    arguments: JsonObject,
    call: &ToolCall<'_>,
) -> Result<CallToolResult, Failure> {
    let tool: T = serde_json::from_value(Value::Object(arguments)).map_err(|error| {
        Failure::new(Cause::Usage, format!("{}: {error}", T::NAME))
            .remedy("see the tool's input schema for its arguments")
    })?;
    answer(tool.run(call).await?)
}

/// An answer with its texts made safe and marked.
pub(crate) fn answer<O: Serialize + Readable>(output: O) -> Result<CallToolResult, Failure> {
    let (text, pictures) = (output.text(), output.pictures());
    let marked = Marked { notice: untrusted::NOTICE.to_owned(), answer: output };
    let structure = serde_json::to_value(&marked)
        .map_err(|error| Failure::new(Cause::Failed, format!("the answer is no JSON: {error}")))?;
    let mut content = vec![ContentBlock::text(untrusted::marked(&text))];
    content.extend(pictures);
    let mut result = CallToolResult::success(content);
    result.structured_content = Some(untrusted::clean(structure));
    Ok(result)
}

/// The answer of something that a person agreed to, by what came of it.
pub(crate) fn approved(done: Value) -> Result<CallToolResult, Failure> {
    if let Ok(sent) = serde_json::from_value::<SentView>(done.clone()) {
        return answer(Delivery::new(sent));
    }
    if let Ok(group) = serde_json::from_value::<GroupView>(done.clone()) {
        return answer(groups::GroupDone::made(group));
    }
    if let Ok(results) = serde_json::from_value::<Vec<MemberResultView>>(done.clone()) {
        return answer(groups::GroupDone::of_members(results));
    }
    match serde_json::from_value::<GroupChangedView>(done) {
        Ok(changed) => answer(groups::GroupDone::changed(changed.changed)),
        Err(_) => answer(Delivery::done()),
    }
}

/// A type's schema as an object of its own, without references.
fn schema<T: JsonSchema>() -> JsonObject {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    drop_formats(&mut schema);
    let Value::Object(mut object) = schema else { return JsonObject::new() };
    object.remove("title");
    // Even a tool without arguments takes an object.
    object.entry("properties").or_insert_with(|| Value::Object(JsonObject::new()));
    object
}

/// Takes out the names of Rust's numbers, which no other validator knows; the bounds say the same.
fn drop_formats(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.remove("format");
            object.values_mut().for_each(drop_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_formats),
        _ => {}
    }
}

/// Every tool there is, in the order in which they are listed.
pub(crate) fn all() -> Vec<Entry> {
    vec![
        Entry::of::<contacts::SearchContacts>(),
        Entry::of::<messages::ListMessages>(),
        Entry::of::<chats::ListChats>(),
        Entry::of::<chats::GetChat>(),
        Entry::of::<chats::GetDirectChatByContact>(),
        Entry::of::<chats::GetContactChats>(),
        Entry::of::<messages::GetLastInteraction>(),
        Entry::of::<messages::GetMessageContext>(),
        Entry::of::<send::SendMessage>(),
        Entry::of::<send::SendFile>(),
        Entry::of::<send::SendAudioMessage>(),
        Entry::of::<media::DownloadMedia>(),
        Entry::of::<search::SearchMessages>(),
        Entry::of::<send::Reply>(),
        Entry::of::<send::React>(),
        Entry::of::<send::EditMessage>(),
        Entry::of::<send::DeleteMessage>(),
        Entry::of::<send::ForwardMessage>(),
        Entry::of::<send::SendPoll>(),
        Entry::of::<messages::GetPoll>(),
        Entry::of::<send::SendLocation>(),
        Entry::of::<send::SendContact>(),
        Entry::of::<chats::MarkRead>(),
        Entry::of::<send::SetTyping>(),
        Entry::of::<groups::GetGroup>(),
        Entry::of::<groups::CreateGroup>(),
        Entry::of::<groups::UpdateGroup>(),
        Entry::of::<groups::ManageGroupMembers>(),
        Entry::of::<chats::ArchiveOrMuteChat>(),
        Entry::of::<messages::FetchOlderMessages>(),
        Entry::of::<media::GetMedia>(),
        Entry::of::<contacts::CheckNumbers>(),
        Entry::of::<account::GetStatus>(),
        Entry::of::<account::LinkDevice>(),
        Entry::of::<drafts::ListDrafts>(),
        Entry::of::<drafts::ConfirmSend>(),
        Entry::of::<drafts::CancelSend>(),
    ]
}

/// How many rows are given: at least one, and no more than fit an answer.
pub(crate) fn bounded(limit: Option<u32>, unless_said: u32, most: u32) -> u32 {
    limit.unwrap_or(unless_said).clamp(1, most)
}

/// A page of an earlier server's kind: 0 for the first.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) struct Page {
    pub(crate) page: u32,
    pub(crate) limit: u32,
}

impl Page {
    /// Where the page begins.
    pub(crate) fn offset(self) -> u32 {
        self.page.saturating_mul(self.limit)
    }
}
