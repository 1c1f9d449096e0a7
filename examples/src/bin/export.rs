//! Prints the archive, one JSON object a message, in the order of arrival:
//! `WA_DB_KEY=… export DATABASE`.

#![expect(clippy::print_stdout, reason = "it is what an export does")]

use serde_json::json;
use wa_store::Seq;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let store = wa_examples::open().await?;
    let mut last = Seq(0);
    loop {
        let messages = store.messages_after(last, 500).await?;
        let Some(newest) = messages.last() else { break };
        last = newest.seq;
        for message in messages {
            println!(
                "{}",
                json!({
                    "seq": message.seq.0,
                    "chat": message.key.chat.to_string(),
                    "sender": message.key.sender.to_string(),
                    "from_me": message.key.from_me,
                    "time": message.timestamp.secs(),
                    "kind": message.kind.as_str(),
                    "text": message.text,
                })
            );
        }
    }
    Ok(store.close().await?)
}
