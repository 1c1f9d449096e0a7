//! What other people get: sent once, after the gate, and followed until the server has it.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use wa_client::{Client, Typing as TypingState, forward_content, forward_digest};
use wa_proto::{Content, Jid, MessageId};
use wa_store::{ArchivedMessage, MessageStatus, Origin, OutboxEntry, OutboxState, Timestamp};

use super::{
    Call, Perform, account,
    call::no_message_id,
    drafts::recipient_label,
    gate::{OutgoingAction, bound},
    now_ms,
    outgoing::{Payload, Ready, check_text},
    reach::is_same_chat,
};
use crate::{
    api::{
        Disappearing, Edit, Forward, Outgoing, PinMessage, React, Revoke, SendMessage, SentGet,
        SentStatus, SentView, TypedView, Typing, Vote,
    },
    failure::{Cause, Failure, ending, remedy},
    moment,
    policy::ActionKind,
    shown::Shown,
    view::{ChatTitle, chat_label},
};

/// How long to wait for the server unless that is said. What was not sent by then stays queued.
const WAIT: Duration = Duration::from_secs(20);

/// For how long the same thing to the same chat counts as said once, where the assistant that says
/// it gives it no name: programs try again, and people do not say things twice within it.
const REPEAT_WINDOW_MS: i64 = 120_000;

impl Perform for SendMessage {
    async fn perform(self, call: &Call<'_>) -> Result<SentView, Failure> {
        let chat = call.recipient(&self.chat).await?;
        call.note_chat(&chat);
        let quoted = self.reply_to.as_deref().map(message_id).transpose()?;
        // Before a file is read or converted: that may take long.
        call.may_write_to_all(std::slice::from_ref(&chat)).await?;
        let ready = call.ready(&self.what, &self.mention).await?;
        let mut action = OutgoingAction {
            chat: &chat,
            field: Some("chat"),
            kind: ActionKind::Message,
            shown: ready.shown.clone(),
            content: content_of(&self.what, &ready, quoted.as_ref())?,
            context: Vec::new(),
        };
        let name = SendingName::of(call, self.idempotency_key, &action);
        if let Some(entry) = name.find(call, &action).await? {
            return call.repeated(&entry, self.wait).await;
        }
        call.require_link().await?;
        if let Some(quoted) = &quoted {
            let quoted = call.message_in(&chat, &self.chat, quoted.as_str()).await?;
            action.shown = quoting(action.shown, &quoted);
            action.context = state_of(&quoted);
            // A draft shows it.
            call.note_read([&quoted]).await?;
        }
        call.authorize(&action).await?;
        let origin = call.origin(&action);
        let id = call.hand_over(&chat, ready, quoted, name.key, origin).await?;
        call.follow(&chat, id, self.wait).await
    }
}

/// A hash of all that a caller gave: what is said, to whom it draws attention, and what it answers.
fn content_of(
    what: &Outgoing,
    ready: &Ready,
    quoted: Option<&MessageId>,
) -> Result<Vec<u8>, Failure> {
    let what = serde_json::to_vec(what).map_err(|error| {
        Failure::new(Cause::Failed, format!("what is sent is no JSON: {error}"))
    })?;
    let mentions: Vec<_> = ready.mentions.iter().map(ToString::to_string).collect();
    let quoted = quoted.map(MessageId::as_str).unwrap_or_default();
    let parts = [what.as_slice(), ready.content.as_slice(), quoted.as_bytes()];
    Ok(bound(parts.into_iter().chain(mentions.iter().map(String::as_bytes))).to_vec())
}

/// The names by which an act of sending is known again.
struct SendingName {
    /// The name it is given.
    key: Option<String>,
    /// The name it would have been given a little earlier.
    earlier: Option<String>,
}

impl SendingName {
    /// The caller's own name for it; an assistant's sending gets one by what it says and when.
    fn of(call: &Call<'_>, named: Option<String>, action: &OutgoingAction<'_>) -> Self {
        if named.is_some() || call.is_human() {
            return Self { key: named, earlier: None };
        }
        let (chat, asked_for) = (action.chat.to_string(), action.asked_for(call.path));
        let window = now_ms().div_euclid(REPEAT_WINDOW_MS);
        let name = |window| Some(said(&call.caller.name, &chat, &asked_for, window));
        Self { key: name(window), earlier: name(window - 1) }
    }

    /// What was sent under one of the names before.
    ///
    /// # Errors
    /// [`Cause::Usage`] if that was something else; the archive's.
    async fn find(
        &self,
        call: &Call<'_>,
        action: &OutgoingAction<'_>,
    ) -> Result<Option<OutboxEntry>, Failure> {
        for key in [&self.key, &self.earlier].into_iter().flatten() {
            if let Some(entry) = call.store().outbox_by_idempotency_key(key).await? {
                call.is_same(&entry, action).await?;
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }
}

/// The name of what an assistant says now.
pub(super) fn said_now(caller: &str, chat: &str, asked_for: &str) -> String {
    said(caller, chat, asked_for, now_ms().div_euclid(REPEAT_WINDOW_MS))
}

fn said(caller: &str, chat: &str, asked_for: &str, window: i64) -> String {
    let name = bound([caller.as_bytes(), chat.as_bytes(), asked_for.as_bytes()]);
    format!("said/{window}/{}", hex::encode(name))
}

impl Call<'_> {
    /// Whether what was sent under a name is what is asked for now, by the same caller, to the same
    /// chat. Entries of earlier versions do not know who asked.
    ///
    /// # Errors
    /// [`Cause::Usage`], with the difference.
    async fn is_same(
        &self,
        entry: &OutboxEntry,
        action: &OutgoingAction<'_>,
    ) -> Result<(), Failure> {
        let other = |what: &str| {
            let message = format!("under this idempotency key {what}; nothing was sent now");
            Err(Failure::new(Cause::Usage, message)
                .remedy("give every message a key of its own")
                .about(entry.id.to_string()))
        };
        let origin = entry.origin.as_ref();
        if origin.is_some_and(|origin| origin.caller != self.caller.label()) {
            return other("another caller has sent something");
        }
        if !is_same_chat(action.chat, &entry.chat, self.store()).await? {
            return other(&format!("something was sent to another chat, {}", entry.chat));
        }
        let asked_for = origin.and_then(|origin| origin.digest.as_ref());
        if asked_for.is_some_and(|digest| *digest != action.asked_for(self.path)) {
            return other("another text, file or answer was sent to this chat");
        }
        Ok(())
    }
}

impl Call<'_> {
    /// Puts a message on disk, from where it is sent once. Files are uploaded before.
    async fn hand_over(
        &self,
        chat: &Jid,
        ready: Ready,
        quoted: Option<MessageId>,
        key: Option<String>,
        origin: Origin,
    ) -> Result<MessageId, Failure> {
        let client = self.service.line.client();
        let id = match ready.payload {
            Payload::Content(content) => {
                let message = client.send(chat.clone(), *content).origin(origin);
                let mut message = message.mentions(ready.mentions).queue();
                if let Some(quoted) = quoted {
                    message = message.quoting(quoted);
                }
                if let Some(key) = key {
                    message = message.idempotency_key(key);
                }
                message.await.map_err(ending::of_error)?.id
            }
            Payload::Media(media) => {
                let client = self.online().await?;
                let message = client.send_media(chat.clone(), *media).origin(origin);
                let mut message = message.mentions(ready.mentions).queue();
                if let Some(quoted) = quoted {
                    message = message.quoting(quoted);
                }
                if let Some(key) = key {
                    message = message.idempotency_key(key);
                }
                self.ask(message).await?.id
            }
        };
        self.note_detail(id.to_string());
        Ok(id)
    }

    /// Connects, and waits a while until the server has a message. What is not sent by then is
    /// queued, which is no failure.
    pub(super) async fn follow(
        &self,
        chat: &Jid,
        id: MessageId,
        wait: Option<u64>,
    ) -> Result<SentView, Failure> {
        let store = self.store();
        let (label, title) =
            (chat_label(chat, store).await?, ChatTitle::look_up(chat, store).await?);
        let mut view = SentView::queued(id.to_string(), label, chat.to_string(), title);
        let deadline = match wait.map(Duration::from_secs) {
            // A person says by the command's own time how long to wait.
            None if self.is_human() => self.deadline(),
            wait => self.deadline().min(Instant::now() + wait.unwrap_or(WAIT)),
        };
        match self.acked(&id, deadline).await {
            Ok(Some(seconds)) => {
                view.status = SentStatus::Sent;
                view.sent_at = Some(moment::rfc3339(Timestamp::from_secs(seconds)));
            }
            Ok(None) => view.status = SentStatus::Sent,
            Err(failure) => match failure.cause {
                Cause::Offline | Cause::TimedOut => view.reason = Some(failure.to_string()),
                _ => return Err(failure.about(id.to_string())),
            },
        }
        Ok(view)
    }

    /// Waits until the server has a message; when it took it.
    async fn acked(&self, id: &MessageId, deadline: Instant) -> Result<Option<i64>, Failure> {
        let line = &self.service.line;
        line.connect()?;
        let left = deadline.saturating_duration_since(Instant::now());
        let waiting = line.client().wait_for_ack(id).timeout(left);
        let sent = line.ask(deadline, waiting).await?;
        // What was queued before goes first or beside it.
        account::flush(self).await?;
        Ok(sent.timestamp.and_then(|seconds| i64::try_from(seconds).ok()))
    }

    /// What became of something that was accepted before; what still waits is followed.
    async fn repeated(&self, entry: &OutboxEntry, wait: Option<u64>) -> Result<SentView, Failure> {
        let mut view = self.sent(entry).await?;
        if view.status == SentStatus::Queued
            && let Ok(id) = MessageId::new(entry.id.to_string())
        {
            view = self.follow(&entry.chat, id, wait).await?;
        }
        view.repeated = true;
        Ok(view)
    }

    /// What became of an entry of the outbox.
    async fn sent(&self, entry: &OutboxEntry) -> Result<SentView, Failure> {
        let store = self.store();
        let chat = &entry.chat;
        let (label, title) =
            (chat_label(chat, store).await?, ChatTitle::look_up(chat, store).await?);
        let mut view = SentView::queued(entry.id.to_string(), label, chat.to_string(), title);
        match &entry.state {
            OutboxState::Failed(reason) => {
                view.status = SentStatus::Failed;
                view.reason = Some(reason.to_string());
            }
            OutboxState::Acked => view.status = SentStatus::Sent,
            _ => {}
        }
        let archived = store.messages_by_id(chat, &entry.id).await?;
        if let Some(message) = archived.iter().find(|message| message.key.from_me) {
            view.status = view.status.max(status(message));
        }
        Ok(view)
    }

    /// Says something about a message that is there: after the gate, and once.
    async fn say(
        &self,
        message: &ArchivedMessage,
        kind: ActionKind,
        shown: Shown,
        said: &[&[u8]],
        send: impl FnOnce(&Client) -> wa_client::SendMessage,
    ) -> Result<SentView, Failure> {
        let target = target(message);
        let content = bound([target.as_slice()].into_iter().chain(said.iter().copied())).to_vec();
        let (chat, field, context) = (&message.key.chat, Some("chat"), Vec::new());
        // A draft shows it.
        self.note_read([message]).await?;
        self.pass(&OutgoingAction { chat, field, kind, shown, content, context }, send).await
    }

    /// Authorizes something without a file, puts it on disk and follows it.
    async fn pass(
        &self,
        action: &OutgoingAction<'_>,
        send: impl FnOnce(&Client) -> wa_client::SendMessage,
    ) -> Result<SentView, Failure> {
        self.require_link().await?;
        self.authorize(action).await?;
        let client = self.service.line.client();
        let message = send(&client).origin(self.origin(action));
        let id = message.queue().await.map_err(ending::of_error)?.id;
        self.note_detail(id.to_string());
        self.follow(action.chat, id, None).await
    }
}

fn status(message: &ArchivedMessage) -> SentStatus {
    match message.status {
        MessageStatus::Sent => SentStatus::Sent,
        MessageStatus::Delivered => SentStatus::Delivered,
        MessageStatus::Read => SentStatus::Read,
        MessageStatus::Played => SentStatus::Played,
        _ => SentStatus::Queued,
    }
}

fn message_id(typed: &str) -> Result<MessageId, Failure> {
    MessageId::new(typed).map_err(|_| no_message_id(typed))
}

/// Which message something is about, as a hash.
pub(super) fn target(message: &ArchivedMessage) -> Vec<u8> {
    let key = &message.key;
    let (chat, sender) = (key.chat.to_string(), key.sender.to_string());
    bound([chat.as_bytes(), sender.as_bytes(), key.id.as_str().as_bytes()]).to_vec()
}

/// All that a message says now, as a hash: its sender may edit it.
fn state_of(message: &ArchivedMessage) -> Vec<u8> {
    forward_digest(message).to_vec()
}

/// What would be done about a message, with all of the message.
pub(super) fn about(what: &str, message: &ArchivedMessage) -> Shown {
    let shown = Shown::new(what);
    let shown = shown.line("message", &format!("{} ({})", message.key.id, message.kind));
    shown.quote_some("it says", message.text.as_deref())
}

/// The same of a message that is answered.
fn quoting(shown: Shown, message: &ArchivedMessage) -> Shown {
    let shown = shown.line("in answer to", &format!("{} ({})", message.key.id, message.kind));
    shown.quote_some("which says", message.text.as_deref())
}

impl Perform for React {
    async fn perform(self, call: &Call<'_>) -> Result<SentView, Failure> {
        if !self.emoji.is_empty() && !is_emoji(&self.emoji) {
            return Err(Failure::new(Cause::Usage, format!("{:?} is no emoji", self.emoji))
                .remedy(remedy::EMOJI));
        }
        let message = call.message(&self.chat, &self.id).await?;
        let what = if self.emoji.is_empty() { "none" } else { self.emoji.as_str() };
        let shown = about("reaction", &message).line("emoji", what);
        let (key, emoji) = (message.key.clone(), self.emoji.clone());
        let said = [self.emoji.as_bytes()];
        call.say(&message, ActionKind::Message, shown, &said, |client| client.react(&key, emoji))
            .await
    }
}

impl Perform for Edit {
    async fn perform(self, call: &Call<'_>) -> Result<SentView, Failure> {
        let text = check_text(&self.text)?;
        let message = call.message(&self.chat, &self.id).await?;
        let shown = about("change of a message", &message).quote("it is to say", &text);
        let key = message.key.clone();
        let said = [self.text.as_bytes(), &[u8::from(self.even_if_late)]];
        call.say(&message, ActionKind::Edit, shown, &said, |client| {
            let edit = client.edit(&key, text);
            if self.even_if_late { edit.even_if_late() } else { edit }
        })
        .await
    }
}

impl Perform for Revoke {
    async fn perform(self, call: &Call<'_>) -> Result<SentView, Failure> {
        let message = call.message(&self.chat, &self.id).await?;
        let shown = about("delete a message for everyone", &message);
        let key = message.key.clone();
        call.say(&message, ActionKind::Delete, shown, &[], |client| client.revoke(&key)).await
    }
}

impl Perform for Forward {
    async fn perform(self, call: &Call<'_>) -> Result<SentView, Failure> {
        let message = call.message(&self.chat, &self.id).await?;
        let to = call.recipient(&self.to).await?;
        let from = recipient_label(&message.key.chat, call.store()).await?;
        let content = forward_content(&message).map_err(ending::of_error)?;
        let shown = Shown::new("forward of a message").line("out of the chat with", &from);
        let shown = shown.line("message", &format!("{} ({})", message.key.id, message.kind));
        let unchanged = forward_digest(&message);
        // A draft shows all of it.
        call.note_read([&message]).await?;
        let action = OutgoingAction {
            chat: &to,
            field: Some("to"),
            kind: ActionKind::Forward,
            shown: passed_on(shown, &content),
            content: target(&message),
            context: unchanged.to_vec(),
        };
        call.pass(&action, |client| {
            client.forward(&message.key, to.clone()).if_unchanged(unchanged)
        })
        .await
    }
}

/// All that people see of what is passed on.
fn passed_on(mut shown: Shown, content: &Content) -> Shown {
    if let Some(media) = content.media() {
        let name = media.file_name.as_deref().or(media.title.as_deref()).unwrap_or("no name");
        shown = shown.line("file", name);
        if let Some(bytes) = media.file_length {
            shown = shown.line("bytes", &bytes.to_string());
        }
    }
    match content {
        Content::Text(text) => {
            shown = shown.quote("text", &text.body);
            if let Some(link) = &text.preview {
                shown = shown.line("link", &link.url);
                shown = shown.quote_some("link title", link.title.as_deref());
                shown = shown.quote_some("link description", link.description.as_deref());
            }
            shown
        }
        Content::Location(place) => {
            let words = [&place.name, &place.address, &place.url, &place.comment];
            shown = shown.line("place", &format!("{}, {}", place.latitude, place.longitude));
            words.into_iter().flatten().fold(shown, |shown, text| shown.quote("words", text))
        }
        Content::Contact(card) => shown.line("card", &card.name).quote("vCard", &card.vcard),
        Content::Contacts(cards) => cards
            .contacts
            .iter()
            .fold(shown, |shown, card| shown.line("card", &card.name).quote("vCard", &card.vcard)),
        content => shown.quote_some("text", content.text()),
    }
}

impl Perform for Vote {
    async fn perform(self, call: &Call<'_>) -> Result<SentView, Failure> {
        let message = call.message(&self.chat, &self.id).await?;
        let shown = about("vote in a poll", &message);
        let shown = self.options.iter().fold(shown, |shown, option| shown.line("for", option));
        let key = message.key.clone();
        let options = self.options.clone();
        let said: Vec<_> = self.options.iter().map(String::as_bytes).collect();
        call.say(&message, ActionKind::Message, shown, &said, |client| client.vote(&key, options))
            .await
    }
}

impl Perform for PinMessage {
    async fn perform(self, call: &Call<'_>) -> Result<SentView, Failure> {
        let message = call.message(&self.chat, &self.id).await?;
        let shown = match self.seconds {
            Some(seconds) => {
                about("pin a message for everyone", &message).line("seconds", &seconds.to_string())
            }
            None => about("unpin a message for everyone", &message),
        };
        let key = message.key.clone();
        let seconds = self.seconds.unwrap_or_default().to_be_bytes();
        call.say(&message, ActionKind::Message, shown, &[&seconds], |client| match self.seconds {
            Some(seconds) => client.pin(&key, Duration::from_secs(seconds)),
            None => client.unpin(&key),
        })
        .await
    }
}

impl Perform for Disappearing {
    async fn perform(self, call: &Call<'_>) -> Result<SentView, Failure> {
        let chat = call.recipient(&self.chat).await?;
        if chat.is_group() {
            return Err(
                Failure::new(Cause::Usage, "this chat is a group").remedy(remedy::GROUP_SETTING)
            );
        }
        let after = match self.seconds {
            Some(seconds) => format!("{seconds} seconds"),
            None => "never".to_owned(),
        };
        let action = OutgoingAction {
            chat: &chat,
            field: Some("chat"),
            kind: ActionKind::Message,
            shown: Shown::new("disappearing messages").line("they disappear after", &after),
            content: self.seconds.unwrap_or_default().to_be_bytes().to_vec(),
            context: Vec::new(),
        };
        let after = self.seconds.map(Duration::from_secs);
        call.pass(&action, |client| client.set_disappearing(chat.clone(), after)).await
    }
}

impl Perform for Typing {
    async fn perform(self, call: &Call<'_>) -> Result<TypedView, Failure> {
        let chat = call.recipient(&self.chat).await?;
        let seconds = self.seconds.unwrap_or(5).clamp(1, 300);
        call.may_write(&chat).await?;
        call.note_chat(&chat);
        let typing = if self.recording { TypingState::Recording } else { TypingState::Composing };
        let client = call.online().await?;
        // Showing it takes being available for as long.
        call.ask(client.set_available(true)).await?;
        call.ask(client.set_typing(&chat, typing)).await?;
        let until = (Instant::now() + Duration::from_secs(seconds)).min(call.deadline());
        let shown = async {
            sleep_until(until).await;
            Ok::<_, Failure>(())
        };
        call.ask(shown).await?;
        call.ask(client.set_typing(&chat, TypingState::Paused)).await?;
        call.ask(client.set_available(false)).await?;
        Ok(TypedView { seconds })
    }
}

impl Perform for SentGet {
    async fn perform(self, call: &Call<'_>) -> Result<SentView, Failure> {
        let store = call.store();
        let entry = match store.outbox_by_idempotency_key(&self.id).await? {
            Some(entry) => Some(entry),
            None => store.outbox_entry(&self.id.as_str().into()).await?,
        };
        match entry {
            Some(entry) if call.may_read(&entry.chat).await? => call.sent(&entry).await,
            _ => Err(Failure::new(Cause::NotFound, format!("nothing was sent as {:?}", self.id))
                .remedy("name the id or the idempotency key that sending it gave")),
        }
    }
}

/// Whether a text can be one emoji: short, beyond ASCII, and without letters.
fn is_emoji(text: &str) -> bool {
    let sign = |c: char| !c.is_alphabetic() && !c.is_whitespace() && !c.is_control();
    !text.is_ascii() && text.len() <= MAX_EMOJI_LEN && text.chars().all(sign)
}

/// The longest emoji have some 35 bytes: families, and people of two skin colours.
const MAX_EMOJI_LEN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_no_emoji() {
        for emoji in ["👍", "❤️", "👩‍🚀", "🇳🇱", "1️⃣"] {
            assert!(is_emoji(emoji), "{emoji}");
        }
        for text in ["ok", ":)", "", " ", "👍 yes", "é"] {
            assert!(!is_emoji(text), "{text:?}");
        }
    }
}
