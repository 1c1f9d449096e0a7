//! Answers every text with the same text: `WA_DB_KEY=… echo_bot DATABASE`.
//!
//! Without a link it prints codes to scan, one a line. What arrived while it was off is answered
//! when it starts again, because it remembers how far it got by the archive's sequence numbers.

#![expect(clippy::print_stdout, reason = "it is how the codes are shown")]

use wa_client::{Client, Event};
use wa_store::{Change, Changes, Seq, Store};

const DONE: &str = "echo_bot.done";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let store = wa_examples::open().await?;
    let client = wa_examples::client(store.clone())?.build().await?;
    let mut events = client.events();
    client.connect()?;
    while let Some(event) = events.next().await {
        match event {
            Event::Qr { code, .. } => println!("{code}"),
            Event::Connected | Event::Message(_) | Event::MessageRepaired { .. } => {
                answer(&client, store.as_ref()).await?;
            }
            Event::LoggedOut { reason } => anyhow::bail!("no longer linked: {reason:?}"),
            _ => {}
        }
    }
    Ok(())
}

/// Answers what came since the last answer.
async fn answer(client: &Client, store: &dyn Store) -> anyhow::Result<()> {
    let done = store.setting(DONE).await?.and_then(|bytes| bytes.try_into().ok());
    let done = Seq(u64::from_be_bytes(done.unwrap_or_default()));
    for message in store.messages_after(done, 100).await? {
        if let (false, true, Some(text)) =
            (message.key.from_me, message.key.chat.is_person(), message.text)
        {
            // The same key sends once, so that a crash right here echoes nothing twice.
            let key = format!("echo {} {}", message.key.chat, message.key.id);
            client.send(message.key.chat, text).idempotency_key(key).queue().await?;
        }
        let value = message.seq.0.to_be_bytes().to_vec();
        let setting = Change::PutSetting { name: DONE.into(), value: Some(value) };
        store.commit(Changes::from(setting)).await?;
    }
    Ok(())
}
