//! `send`: the message is on disk first, then it leaves, then the server has it.

use std::{
    io::{self, Read},
    time::Duration,
};

use serde::Serialize;
use wa_client::{Client, MAX_TEXT_LEN, SendMessage};
use wa_proto::{Jid, MessageId};
use wa_store::Timestamp;

use crate::{
    account::{Access, OpenAccount},
    args::{GlobalArguments, SendArguments},
    ending,
    failure::{Cause, Failure},
    moment,
    output::Output,
    plan,
    session::Session,
    view::number,
};

/// What was sent, in `--json`.
#[derive(Debug, Serialize)]
struct SentView {
    id: String,
    chat: String,
    status: &'static str,
    /// When the server took it.
    sent_at: Option<String>,
}

pub(crate) async fn run(
    arguments: &SendArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let text = text(&arguments.text)?;
    let account = OpenAccount::open(global, Access::Own).await?;
    let result = send(arguments, &text, &account, global.timeout()).await;
    let view = account.close_after(result).await?;
    Ok(output.result(&view, &format!("sent {} to {}", view.id, view.chat))?)
}

async fn send(
    arguments: &SendArguments,
    text: &str,
    account: &OpenAccount,
    limit: Duration,
) -> Result<SentView, Failure> {
    account.require_link().await?;
    let store = account.store.as_ref();
    let chat = plan::recipient(&arguments.recipient, arguments.pick, store).await?;
    let mut session = Session::new(account, Some(limit), |builder| builder).await?;
    let message = message(arguments, text, &chat, &session.client)?;
    let id = message.queue().await.map_err(ending::of_error)?.id;
    let sent = deliver(&mut session, &chat, text, &id, account).await;
    session.close().await;
    let timestamp = sent.map_err(|failure| explain(failure, &id))?;
    let shown = match number(&chat) {
        Some(number) => Some(number),
        None => store.phone_of(&chat).await?.as_ref().and_then(number),
    };
    Ok(SentView {
        id: id.to_string(),
        chat: shown.unwrap_or_else(|| chat.to_string()),
        status: "sent",
        sent_at: timestamp
            .and_then(|seconds| i64::try_from(seconds).ok())
            .map(|seconds| moment::rfc3339(Timestamp::from_secs(seconds))),
    })
}

/// What was typed, as a message to be sent.
fn message(
    arguments: &SendArguments,
    text: &str,
    chat: &Jid,
    client: &Client,
) -> Result<SendMessage, Failure> {
    let mut message = client.send(chat.clone(), text);
    if let Some(key) = &arguments.id_key {
        message = message.idempotency_key(key.clone());
    }
    if let Some(quoted) = &arguments.reply_to {
        let id = MessageId::new(quoted.as_str()).map_err(|_| {
            Failure::new(Cause::Usage, format!("{quoted:?} is no message id"))
                .remedy("see: wa-cli messages CHAT --json")
        })?;
        message = message.quoting(id);
    }
    Ok(message)
}

/// Connects, and waits until the server has the message.
async fn deliver(
    session: &mut Session,
    chat: &Jid,
    text: &str,
    id: &MessageId,
    account: &OpenAccount,
) -> Result<Option<u64>, Failure> {
    session.connect()?;
    // The same id is sent once; asking for it again is how one waits for its ack.
    let left = session.time_left();
    let waiting = session.client.send(chat.clone(), text).with_id(id.clone()).timeout(left);
    let mut waiting = waiting.into_future();
    let sent = loop {
        tokio::select! {
            sent = &mut waiting => break sent.map_err(ending::of_error)?,
            event = session.next() => event?,
        };
    };
    // What was queued before goes first or beside it.
    session.until_flushed(account).await?;
    Ok(sent.timestamp)
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

/// The text that was typed, or that stands on standard input.
fn text(typed: &str) -> Result<String, Failure> {
    if typed != "-" {
        return check(typed.to_owned());
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_TEXT_LEN + 2).unwrap_or(u64::MAX);
    io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(|error| {
        Failure::new(Cause::Failed, format!("cannot read standard input: {error}"))
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::new(Cause::Usage, "standard input is no text in UTF-8"))?;
    // The line's end belongs to the pipe, not to the message.
    let text = text.strip_suffix('\n').map(str::to_owned).unwrap_or(text);
    check(text)
}

fn check(text: String) -> Result<String, Failure> {
    if text.trim().is_empty() {
        return Err(Failure::new(Cause::Usage, "there is no text to send")
            .remedy("write it after the recipient, or '-' to read it from standard input"));
    }
    if text.len() > MAX_TEXT_LEN {
        let message = format!("the text is too long: more than {MAX_TEXT_LEN} bytes");
        return Err(Failure::new(Cause::Usage, message).remedy("send it in parts"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_an_end_and_a_beginning() {
        assert_eq!(check("x".repeat(MAX_TEXT_LEN)).map(|text| text.len()), Ok(MAX_TEXT_LEN));
        let long = check("x".repeat(MAX_TEXT_LEN + 1)).unwrap_err();
        assert!(long.message.contains(&MAX_TEXT_LEN.to_string()));
        assert_eq!([long.exit_code, check(" \n".into()).unwrap_err().exit_code], [2, 2]);
    }

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
