//! What is sent: on disk first, then on its way, then with the server.
//!
//! Knows nothing of what it says.

use serde::Serialize;
use wa_client::{SendMessage, Sent, media::SendMedia};
use wa_proto::{Jid, MessageId};
use wa_store::{Store, StoreError, Timestamp};

use crate::{
    account::OpenAccount,
    args::SendOptions,
    ending,
    failure::{Cause, Failure},
    moment,
    output::Output,
    session::Session,
    view::number,
};

/// What was sent, in `--json`.
#[derive(Debug, Serialize)]
pub(crate) struct SentView {
    pub(crate) id: String,
    pub(crate) chat: String,
    status: &'static str,
    /// When the server took it.
    sent_at: Option<String>,
}

impl SentView {
    pub(crate) async fn new(
        sent: &Sent,
        chat: &Jid,
        store: &dyn Store,
    ) -> Result<Self, StoreError> {
        let sent_at = sent.timestamp.and_then(|seconds| i64::try_from(seconds).ok());
        Ok(Self {
            id: sent.id.to_string(),
            chat: chat_label(chat, store).await?,
            status: "sent",
            sent_at: sent_at.map(|seconds| moment::rfc3339(Timestamp::from_secs(seconds))),
        })
    }

    /// Tells that it was sent.
    pub(crate) fn print(&self, output: &Output) -> Result<(), Failure> {
        Ok(output.result(self, &format!("sent {} to {}", self.id, self.chat))?)
    }
}

/// Puts a message on disk, connects, and waits until the server has it.
pub(crate) async fn deliver(
    session: &mut Session,
    chat: &Jid,
    message: SendMessage,
    account: &OpenAccount,
) -> Result<SentView, Failure> {
    let id = message.queue().await.map_err(ending::of_error)?.id;
    let sent = until_sent(session, &id, account).await;
    let sent = sent.map_err(|failure| explain(failure, &id))?;
    Ok(SentView::new(&sent, chat, account.store.as_ref()).await?)
}

/// Connects, uploads a file, puts its message on disk, and waits until the server has it.
pub(crate) async fn deliver_file(
    session: &mut Session,
    chat: &Jid,
    message: SendMedia,
    account: &OpenAccount,
) -> Result<SentView, Failure> {
    session.begin().await?;
    let id = session.ask(message.queue()).await?.id;
    let sent = until_sent(session, &id, account).await;
    let sent = sent.map_err(|failure| explain(failure, &id))?;
    Ok(SentView::new(&sent, chat, account.store.as_ref()).await?)
}

/// Adds to a message what was said about it.
pub(crate) fn with_options(
    mut message: SendMessage,
    options: &SendOptions,
) -> Result<SendMessage, Failure> {
    if let Some(key) = &options.id_key {
        message = message.idempotency_key(key.clone());
    }
    if let Some(quoted) = &options.reply_to {
        message = message.quoting(message_id(quoted)?);
    }
    Ok(message)
}

/// A message's id, as it was typed.
pub(crate) fn message_id(typed: &str) -> Result<MessageId, Failure> {
    MessageId::new(typed).map_err(|_| {
        Failure::new(Cause::Usage, format!("{typed:?} is no message id"))
            .remedy("see: wa-cli messages CHAT --ids")
    })
}

/// How a chat is named in answers: by number where that is known.
pub(crate) async fn chat_label(chat: &Jid, store: &dyn Store) -> Result<String, StoreError> {
    let shown = match number(chat) {
        Some(number) => Some(number),
        None => store.phone_of(chat).await?.as_ref().and_then(number),
    };
    Ok(shown.unwrap_or_else(|| chat.to_string()))
}

/// Connects, and waits until the server has the message.
async fn until_sent(
    session: &mut Session,
    id: &MessageId,
    account: &OpenAccount,
) -> Result<Sent, Failure> {
    session.connect()?;
    let waiting = session.client.wait_for_ack(id).timeout(session.time_left());
    let sent = session.ask(waiting).await?;
    // What was queued before goes first or beside it.
    session.until_flushed(account).await?;
    Ok(sent)
}

/// Says of a message that is on disk that it is not lost.
fn explain(failure: Failure, id: &MessageId) -> Failure {
    let failure = match failure.cause {
        Cause::Offline | Cause::TimedOut => {
            let message = format!("the message is queued, not sent: {}", failure.message);
            Failure::new(Cause::Queued, message)
                .remedy("it is sent the next time wa-cli connects; do not send it again")
        }
        _ => failure,
    };
    failure.about(id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_disk_is_called_queued_and_not_lost() {
        let id = MessageId::new("3EB0C0FFEE").unwrap();
        let queued = explain(Failure::new(Cause::Offline, "no network"), &id);
        assert_eq!((queued.cause, queued.exit_code), (Cause::Queued, 5));
        assert_eq!(queued.message_id.as_deref(), Some("3EB0C0FFEE"));
        let refused = explain(Failure::new(Cause::Failed, "refused"), &id);
        assert_eq!(refused.cause, Cause::Failed);
    }
}
