//! What other people get: sent once, after the gate, and followed until the server has it.

use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep_until};
use wa_client::{Client, Typing as TypingState};
use wa_proto::{Jid, MessageId};
use wa_store::{ArchivedMessage, MessageStatus, OutboxEntry, OutboxState, Store, Timestamp};

use super::{
    Call, Perform, account,
    call::no_message_id,
    gate::OutgoingAction,
    now_ms,
    outgoing::{Payload, Ready, check_text},
};
use crate::{
    api::{
        Disappearing, Edit, Forward, PinMessage, React, Revoke, SendMessage, SentGet, SentStatus,
        SentView, TypedView, Typing, Vote,
    },
    failure::{Cause, Failure, ending, remedy},
    moment,
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
        let action = OutgoingAction {
            chat: &chat,
            field: Some("chat"),
            preview: preview(&ready, quoted.as_ref()),
            content: ready.content.clone(),
        };
        let name = SendingName::of(call, self.idempotency_key, &action);
        if let Some(entry) = name.find(call.store()).await? {
            return call.repeated(&entry, self.wait).await;
        }
        call.require_link().await?;
        if let Some(quoted) = &quoted {
            call.message_in(&chat, &self.chat, quoted.as_str()).await?;
        }
        call.authorize(&action).await?;
        let id = call.hand_over(&chat, ready, quoted, name.key).await?;
        call.follow(&chat, id, self.wait).await
    }
}

/// What a person agrees to: also which message is answered.
fn preview(ready: &Ready, quoted: Option<&MessageId>) -> String {
    match quoted {
        Some(id) => format!("(in answer to {id}) {}", ready.preview),
        None => ready.preview.clone(),
    }
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
        let digest = action.digest(call.path);
        let window = now_ms().div_euclid(REPEAT_WINDOW_MS);
        let name = |window| Some(said(&call.caller.name, &digest, window));
        Self { key: name(window), earlier: name(window - 1) }
    }

    async fn find(&self, store: &dyn Store) -> Result<Option<OutboxEntry>, Failure> {
        for key in [&self.key, &self.earlier].into_iter().flatten() {
            if let Some(entry) = store.outbox_by_idempotency_key(key).await? {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }
}

/// The name of what an assistant says now.
pub(super) fn said_now(caller: &str, digest: &str) -> String {
    said(caller, digest, now_ms().div_euclid(REPEAT_WINDOW_MS))
}

fn said(caller: &str, digest: &str, window: i64) -> String {
    let mut hash = Sha256::new();
    hash.update(caller.as_bytes());
    hash.update(digest);
    format!("said/{window}/{}", hex::encode(hash.finalize()))
}

impl Call<'_> {
    /// Puts a message on disk, from where it is sent once. Files are uploaded before.
    async fn hand_over(
        &self,
        chat: &Jid,
        ready: Ready,
        quoted: Option<MessageId>,
        key: Option<String>,
    ) -> Result<MessageId, Failure> {
        let client = self.service.line.client();
        let id = match ready.payload {
            Payload::Content(content) => {
                let mut message =
                    client.send(chat.clone(), *content).mentions(ready.mentions).queue();
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
                let mut message =
                    client.send_media(chat.clone(), *media).mentions(ready.mentions).queue();
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
                view.reason = Some(reason.clone());
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
        preview: String,
        send: impl FnOnce(&Client) -> wa_client::SendMessage,
    ) -> Result<SentView, Failure> {
        let (chat, field) = (&message.key.chat, Some("chat"));
        self.pass(&OutgoingAction { chat, field, preview, content: Vec::new() }, send).await
    }

    /// Lets something without a file go, puts it on disk and follows it.
    async fn pass(
        &self,
        action: &OutgoingAction<'_>,
        send: impl FnOnce(&Client) -> wa_client::SendMessage,
    ) -> Result<SentView, Failure> {
        self.require_link().await?;
        self.authorize(action).await?;
        let client = self.service.line.client();
        let id = send(&client).queue().await.map_err(ending::of_error)?.id;
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

/// A message as it is shown beside what is said about it.
fn about(message: &ArchivedMessage) -> String {
    const SHOWN: usize = 120;
    let text = message.text.as_deref().unwrap_or_default();
    let shown: String = text.chars().take(SHOWN).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("{} [{}] {shown}{more}", message.key.id, message.kind)
}

impl Perform for React {
    async fn perform(self, call: &Call<'_>) -> Result<SentView, Failure> {
        if !self.emoji.is_empty() && !is_emoji(&self.emoji) {
            return Err(Failure::new(Cause::Usage, format!("{:?} is no emoji", self.emoji))
                .remedy(remedy::EMOJI));
        }
        let message = call.message(&self.chat, &self.id).await?;
        let what = if self.emoji.is_empty() { "no reaction" } else { self.emoji.as_str() };
        let preview = format!("[reaction] {what} to {}", about(&message));
        let (key, emoji) = (message.key.clone(), self.emoji);
        call.say(&message, preview, |client| client.react(&key, emoji)).await
    }
}

impl Perform for Edit {
    async fn perform(self, call: &Call<'_>) -> Result<SentView, Failure> {
        let text = check_text(&self.text)?;
        let message = call.message(&self.chat, &self.id).await?;
        let preview = format!("[edit of {}]\n{text}", about(&message));
        let key = message.key.clone();
        call.say(&message, preview, |client| {
            let edit = client.edit(&key, text);
            if self.even_if_late { edit.even_if_late() } else { edit }
        })
        .await
    }
}

impl Perform for Revoke {
    async fn perform(self, call: &Call<'_>) -> Result<SentView, Failure> {
        let message = call.message(&self.chat, &self.id).await?;
        let preview = format!("[delete for everyone] {}", about(&message));
        let key = message.key.clone();
        call.say(&message, preview, |client| client.revoke(&key)).await
    }
}

impl Perform for Forward {
    async fn perform(self, call: &Call<'_>) -> Result<SentView, Failure> {
        let message = call.message(&self.chat, &self.id).await?;
        let to = call.recipient(&self.to).await?;
        let preview = format!("[forward] {}", about(&message));
        let action = OutgoingAction { chat: &to, field: Some("to"), preview, content: Vec::new() };
        call.pass(&action, |client| client.forward(&message.key, to.clone())).await
    }
}

impl Perform for Vote {
    async fn perform(self, call: &Call<'_>) -> Result<SentView, Failure> {
        let message = call.message(&self.chat, &self.id).await?;
        let preview = format!("[vote] {} in {}", self.options.join(", "), about(&message));
        let key = message.key.clone();
        call.say(&message, preview, |client| client.vote(&key, self.options)).await
    }
}

impl Perform for PinMessage {
    async fn perform(self, call: &Call<'_>) -> Result<SentView, Failure> {
        let message = call.message(&self.chat, &self.id).await?;
        let what = if self.seconds.is_some() { "pin" } else { "unpin" };
        let preview = format!("[{what} for everyone] {}", about(&message));
        let key = message.key.clone();
        call.say(&message, preview, |client| match self.seconds {
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
        let preview = match self.seconds {
            Some(seconds) => format!("[disappearing messages] after {seconds} seconds"),
            None => "[disappearing messages] off".to_owned(),
        };
        let action =
            OutgoingAction { chat: &chat, field: Some("chat"), preview, content: Vec::new() };
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
