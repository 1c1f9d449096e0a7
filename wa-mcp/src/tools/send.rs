//! What other people get. The policy of the account decides whether it leaves, and whether a person
//! has to agree first; the answer says which of the two it was.

use std::time::Duration;

use rmcp::schemars::{self, JsonSchema};
use serde::{Deserialize, Serialize};
use wa_bridge::{
    Failure, Perform,
    api::{self, ChatTitle, DraftView, Operation, Outgoing, SentStatus, SentView, TypedView},
};

use super::{Kind, Readable, Tool, Toolset};
use crate::{call::ToolCall, text};

/// What became of something that was to be sent.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Delivery {
    /// Whether it was accepted: it is on disk and is sent once.
    success: bool,
    /// What happened, in words.
    message: String,
    /// The id of the message.
    message_id: Option<String>,
    /// Whom it is for.
    recipient: Option<String>,
    /// Who or what that is.
    recipient_is: Option<ChatTitle>,
    /// How far it got: queued, sent, delivered, read, played or failed.
    status: Option<SentStatus>,
    /// When the server took it (RFC 3339).
    sent_at: Option<String>,
    /// Whether this was accepted before, so that nothing was sent again.
    repeated: bool,
    /// What waits for the person to agree, if they have to first.
    draft: Option<DraftView>,
}

impl Delivery {
    pub(crate) fn new(sent: SentView) -> Self {
        let message = match (sent.repeated, sent.status) {
            (true, _) => "this was accepted already, and was not sent again".to_owned(),
            (false, SentStatus::Queued) => {
                "it is queued and leaves as soon as there is a connection; do not send it again"
                    .to_owned()
            }
            (false, SentStatus::Failed) => "it was given up".to_owned(),
            (false, _) => format!("sent to {}", text::title(&sent.recipient, &sent.jid)),
        };
        Self {
            success: sent.status != SentStatus::Failed,
            message,
            message_id: Some(sent.id),
            recipient: Some(sent.chat),
            recipient_is: Some(sent.recipient),
            status: Some(sent.status),
            sent_at: sent.sent_at,
            repeated: sent.repeated,
            draft: None,
        }
    }

    /// Something else than a message was done, as the person agreed.
    pub(crate) fn done() -> Self {
        let message = "done, as the person agreed".into();
        Self { success: true, ..Self::nothing(message) }
    }

    /// Nothing left: a person has to agree first, and was not asked here.
    pub(crate) fn waiting(draft: DraftView) -> Self {
        let mut message = format!(
            "NOT done: {}. It waits as draft {} for the person, who can send it with: wa-cli drafts approve {}",
            draft.why, draft.id, draft.id
        );
        if let Some(page) = &draft.page {
            message.push_str(&format!("; or in a browser at {page}"));
        }
        Self { draft: Some(draft), ..Self::nothing(message) }
    }

    /// Nothing left: the person said no.
    pub(crate) fn declined() -> Self {
        Self::nothing(
            "NOT done: the person declined. Do not try again unless they ask for it.".into(),
        )
    }

    fn nothing(message: String) -> Self {
        Self {
            success: false,
            message,
            message_id: None,
            recipient: None,
            recipient_is: None,
            status: None,
            sent_at: None,
            repeated: false,
            draft: None,
        }
    }
}

impl Readable for Delivery {
    fn text(&self) -> String {
        let mut text = self.message.clone();
        if let Some(id) = &self.message_id {
            text.push_str(&format!(" (id {id})"));
        }
        if let Some(draft) = &self.draft {
            text.push_str(&format!("\n{}", draft.shown));
        }
        text
    }
}

/// For how long a call that uploads a file may take.
const FILE_TIME: Duration = Duration::from_secs(600);

async fn sent<O: Perform + Operation<Answer = SentView>>(
    call: &ToolCall<'_>,
    operation: O,
) -> Result<Delivery, Failure> {
    Ok(Delivery::new(call.ask(operation).await?))
}

fn message(chat: String, what: Outgoing) -> api::SendMessage {
    api::SendMessage {
        chat,
        what,
        reply_to: None,
        mention: Vec::new(),
        idempotency_key: None,
        wait: None,
    }
}

/// Sends a text.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendMessage {
    /// Whom to write to: a phone number in any usual notation, a jid of a person or group, or a
    /// name.
    recipient: String,
    /// The text.
    #[schemars(length(min = 1, max = 65536))]
    message: String,
    /// People to mention, named as the text names them after an @.
    #[serde(default)]
    mention: Vec<String>,
    /// A name for this act of sending: with the same name nothing is sent again.
    #[serde(default)]
    idempotency_key: Option<String>,
}

impl Tool for SendMessage {
    type Output = Delivery;
    const NAME: &'static str = "send_message";
    const TITLE: &'static str = "Send a message";
    const ABOUT: &'static str = "Send a text to a person or group. The person who owns the account may have to agree first: then nothing leaves until they do, and the answer says so. A name that fits several, or that only its bearer chose (a group's subject, a push name), is refused with the candidates: name the right one by its jid.";
    const SET: Toolset = Toolset::Send;
    const KIND: Kind = Kind::Sends;

    async fn run(self, call: &ToolCall<'_>) -> Result<Delivery, Failure> {
        let mut send = message(self.recipient, Outgoing::Text { text: self.message });
        send.mention = self.mention;
        send.idempotency_key = self.idempotency_key;
        sent(call, send).await
    }
}

/// Answers a message.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reply {
    /// The chat: a jid, a phone number or a name.
    chat: String,
    /// The id of the message that is answered.
    message_id: String,
    /// The text.
    #[schemars(length(min = 1, max = 65536))]
    message: String,
    /// A name for this act of sending: with the same name nothing is sent again.
    #[serde(default)]
    idempotency_key: Option<String>,
}

impl Tool for Reply {
    type Output = Delivery;
    const NAME: &'static str = "reply";
    const TITLE: &'static str = "Reply to a message";
    const ABOUT: &'static str = "Send a text that quotes a message of the same chat.";
    const SET: Toolset = Toolset::Send;
    const KIND: Kind = Kind::Sends;

    async fn run(self, call: &ToolCall<'_>) -> Result<Delivery, Failure> {
        let mut send = message(self.chat, Outgoing::Text { text: self.message });
        send.reply_to = Some(self.message_id);
        send.idempotency_key = self.idempotency_key;
        sent(call, send).await
    }
}

/// Sends a file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendFile {
    /// Whom to send it to: a phone number in any usual notation, a jid of a person or group, or a
    /// name.
    recipient: String,
    /// The file's path on this machine, inside a folder the policy names.
    media_path: String,
    /// A text to go with it.
    #[serde(default)]
    caption: Option<String>,
    /// What to send it as; by its content unless said.
    #[serde(default)]
    send_as: Option<api::FileKind>,
    /// A name for this act of sending: with the same name nothing is sent again.
    #[serde(default)]
    idempotency_key: Option<String>,
}

impl Tool for SendFile {
    type Output = Delivery;
    const NAME: &'static str = "send_file";
    const TITLE: &'static str = "Send a file";
    const ABOUT: &'static str = "Send a picture, video, audio file or document from this machine. Only files inside the folders the account's policy names can be sent.";
    const SET: Toolset = Toolset::Media;
    const KIND: Kind = Kind::Sends;

    async fn run(self, call: &ToolCall<'_>) -> Result<Delivery, Failure> {
        let mut send = message(
            self.recipient,
            Outgoing::File {
                path: self.media_path,
                caption: self.caption,
                send_as: self.send_as,
                name: None,
                view_once: false,
            },
        );
        send.idempotency_key = self.idempotency_key;
        Ok(Delivery::new(call.ask_long(send, FILE_TIME, "sending the file").await?))
    }
}

/// Sends a voice message.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendAudioMessage {
    /// Whom to send it to: a phone number in any usual notation, a jid of a person or group, or a
    /// name.
    recipient: String,
    /// The audio file's path on this machine, inside a folder the policy names: mp3, m4a, wav,
    /// flac, ogg or opus.
    media_path: String,
    /// A name for this act of sending: with the same name nothing is sent again.
    #[serde(default)]
    idempotency_key: Option<String>,
}

impl Tool for SendAudioMessage {
    type Output = Delivery;
    const NAME: &'static str = "send_audio_message";
    const TITLE: &'static str = "Send a voice message";
    const ABOUT: &'static str = "Send an audio file as a voice message, which is converted as needed. Use send_file to send it as a file instead.";
    const SET: Toolset = Toolset::Media;
    const KIND: Kind = Kind::Sends;

    async fn run(self, call: &ToolCall<'_>) -> Result<Delivery, Failure> {
        let mut send =
            message(self.recipient, Outgoing::Voice { path: self.media_path, view_once: false });
        send.idempotency_key = self.idempotency_key;
        Ok(Delivery::new(call.ask_long(send, FILE_TIME, "sending the voice message").await?))
    }
}

/// Puts an emoji on a message.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct React {
    /// The chat: a jid, a phone number or a name.
    chat: String,
    /// The message's id.
    message_id: String,
    /// One emoji; empty to take the reaction back.
    emoji: String,
}

impl Tool for React {
    type Output = Delivery;
    const NAME: &'static str = "react";
    const TITLE: &'static str = "React to a message";
    const ABOUT: &'static str = "Put an emoji on a message, or take it back with an empty one.";
    const SET: Toolset = Toolset::Send;
    const KIND: Kind = Kind::Sends;
    const IDEMPOTENT: bool = true;

    async fn run(self, call: &ToolCall<'_>) -> Result<Delivery, Failure> {
        let (chat, id, emoji) = (self.chat, self.message_id, self.emoji);
        sent(call, api::React { chat, id, emoji }).await
    }
}

/// Changes an own message.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EditMessage {
    /// The chat: a jid, a phone number or a name.
    chat: String,
    /// The message's id; it must be this account's own and not older than 20 minutes.
    message_id: String,
    /// What it says from now on.
    #[schemars(length(min = 1, max = 65536))]
    message: String,
}

impl Tool for EditMessage {
    type Output = Delivery;
    const NAME: &'static str = "edit_message";
    const TITLE: &'static str = "Edit a message";
    const ABOUT: &'static str =
        "Change what a message of this account says. People see that it was edited.";
    const SET: Toolset = Toolset::Send;
    const KIND: Kind = Kind::Destroys;
    const IDEMPOTENT: bool = true;

    async fn run(self, call: &ToolCall<'_>) -> Result<Delivery, Failure> {
        let (chat, id, text) = (self.chat, self.message_id, self.message);
        sent(call, api::Edit { chat, id, text, even_if_late: false }).await
    }
}

/// Deletes a message for everyone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeleteMessage {
    /// The chat: a jid, a phone number or a name.
    chat: String,
    /// The message's id.
    message_id: String,
}

impl Tool for DeleteMessage {
    type Output = Delivery;
    const NAME: &'static str = "delete_message";
    const TITLE: &'static str = "Delete a message for everyone";
    const ABOUT: &'static str = "Delete a message for everyone in the chat: an own one, or as a group's admin anyone's. It cannot be undone.";
    const SET: Toolset = Toolset::Send;
    const KIND: Kind = Kind::Destroys;
    const IDEMPOTENT: bool = true;

    async fn run(self, call: &ToolCall<'_>) -> Result<Delivery, Failure> {
        sent(call, api::Revoke { chat: self.chat, id: self.message_id }).await
    }
}

/// Passes a message on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForwardMessage {
    /// The chat the message is in: a jid, a phone number or a name.
    chat: String,
    /// The message's id.
    message_id: String,
    /// Whom it goes to: a phone number, a jid or a name.
    recipient: String,
}

impl Tool for ForwardMessage {
    type Output = Delivery;
    const NAME: &'static str = "forward_message";
    const TITLE: &'static str = "Forward a message";
    const ABOUT: &'static str = "Pass a message on to another chat, marked as forwarded.";
    const SET: Toolset = Toolset::Send;
    const KIND: Kind = Kind::Sends;

    async fn run(self, call: &ToolCall<'_>) -> Result<Delivery, Failure> {
        let forward = api::Forward { chat: self.chat, id: self.message_id, to: self.recipient };
        sent(call, forward).await
    }
}

/// Sends a poll.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendPoll {
    /// Whom to ask: a phone number, a jid of a person or group, or a name.
    recipient: String,
    /// What is asked.
    #[schemars(length(min = 1, max = 255))]
    question: String,
    /// What can be chosen.
    #[schemars(length(min = 2, max = 12))]
    options: Vec<String>,
    /// How many options a vote may choose; 1 unless said, 0 for any number.
    #[serde(default)]
    selectable: Option<u32>,
    /// A name for this act of sending: with the same name nothing is sent again.
    #[serde(default)]
    idempotency_key: Option<String>,
}

impl Tool for SendPoll {
    type Output = Delivery;
    const NAME: &'static str = "send_poll";
    const TITLE: &'static str = "Send a poll";
    const ABOUT: &'static str =
        "Send a question with options to choose from. Read the votes with get_poll.";
    const SET: Toolset = Toolset::Send;
    const KIND: Kind = Kind::Sends;

    async fn run(self, call: &ToolCall<'_>) -> Result<Delivery, Failure> {
        let what = Outgoing::Poll {
            question: self.question,
            options: self.options,
            selectable: self.selectable.unwrap_or(1),
        };
        let mut send = message(self.recipient, what);
        send.idempotency_key = self.idempotency_key;
        sent(call, send).await
    }
}

/// Sends a place.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendLocation {
    /// Whom to send it to: a phone number, a jid of a person or group, or a name.
    recipient: String,
    /// Degrees north, negative for south.
    #[schemars(range(min = -90, max = 90))]
    latitude: f64,
    /// Degrees east, negative for west.
    #[schemars(range(min = -180, max = 180))]
    longitude: f64,
    /// The place's name.
    #[serde(default)]
    name: Option<String>,
    /// The place's address.
    #[serde(default)]
    address: Option<String>,
}

impl Tool for SendLocation {
    type Output = Delivery;
    const NAME: &'static str = "send_location";
    const TITLE: &'static str = "Send a place";
    const ABOUT: &'static str = "Send a place on the map.";
    const SET: Toolset = Toolset::Send;
    const KIND: Kind = Kind::Sends;

    async fn run(self, call: &ToolCall<'_>) -> Result<Delivery, Failure> {
        let Self { recipient, latitude, longitude, name, address } = self;
        let what = Outgoing::Location { latitude, longitude, name, address };
        sent(call, message(recipient, what)).await
    }
}

/// Sends a contact card.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendContact {
    /// Whom to send it to: a phone number, a jid of a person or group, or a name.
    recipient: String,
    /// The name on the card.
    #[schemars(length(min = 1, max = 200))]
    name: String,
    /// The phone number on the card, with its country code.
    number: String,
}

impl Tool for SendContact {
    type Output = Delivery;
    const NAME: &'static str = "send_contact";
    const TITLE: &'static str = "Send a contact card";
    const ABOUT: &'static str = "Send somebody's name and phone number as a contact card.";
    const SET: Toolset = Toolset::Send;
    const KIND: Kind = Kind::Sends;

    async fn run(self, call: &ToolCall<'_>) -> Result<Delivery, Failure> {
        let what = Outgoing::Contact { name: self.name, number: self.number };
        sent(call, message(self.recipient, what)).await
    }
}

/// Shows that somebody writes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetTyping {
    /// The chat: a jid, a phone number or a name.
    chat: String,
    /// As if a voice message were being recorded.
    #[serde(default)]
    recording: bool,
    /// For how many seconds; 5 unless said.
    #[serde(default)]
    #[schemars(range(min = 1, max = 60))]
    seconds: Option<u64>,
}

/// For how long it was shown.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Typed {
    #[serde(flatten)]
    typed: TypedView,
}

impl Readable for Typed {
    fn text(&self) -> String {
        format!("shown for {} seconds", self.typed.seconds)
    }
}

impl Tool for SetTyping {
    type Output = Typed;
    const NAME: &'static str = "set_typing";
    const TITLE: &'static str = "Show typing";
    const ABOUT: &'static str =
        "Show in a chat for some seconds that this account is typing or recording.";
    const SET: Toolset = Toolset::Send;
    const KIND: Kind = Kind::Sends;
    const IDEMPOTENT: bool = true;

    async fn run(self, call: &ToolCall<'_>) -> Result<Typed, Failure> {
        let seconds = self.seconds.map(|seconds| seconds.clamp(1, 60));
        let typing = api::Typing { chat: self.chat, recording: self.recording, seconds };
        Ok(Typed { typed: call.ask_long(typing, FILE_TIME, "typing").await? })
    }
}
