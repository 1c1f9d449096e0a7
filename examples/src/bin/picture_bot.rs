//! Keeps every picture it is sent, and answers with what it is: `WA_DB_KEY=… picture_bot DATABASE
//! FOLDER`.
//!
//! Without a link it prints codes to scan, one a line. A picture is seen in the folder only after
//! every checksum was right, and under no name that its sender could choose to do harm with.

#![expect(clippy::print_stdout, reason = "it is how the codes are shown")]

use std::path::Path;

use anyhow::Context;
use wa_client::{Client, Event, MessageEvent, media::MediaFile};
use wa_proto::MessageId;
use wa_store::Store;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = std::env::args().nth(2).context("name a folder for the pictures")?;
    let store = wa_examples::open().await?;
    let client = wa_examples::client(store.clone())?.build().await?;
    let mut events = client.events();
    client.connect()?;
    while let Some(event) = events.next().await {
        match event {
            Event::Qr { code, .. } => println!("{code}"),
            Event::Message(message) if !message.from_me && message.chat.is_person() => {
                answer(&client, store.as_ref(), &message, folder.as_ref()).await?;
            }
            Event::LoggedOut { reason } => anyhow::bail!("no longer linked: {reason:?}"),
            _ => {}
        }
    }
    Ok(())
}

/// Downloads the picture of a message, if it is one, and says what it is.
async fn answer(
    client: &Client,
    store: &dyn Store,
    event: &MessageEvent,
    folder: &Path,
) -> anyhow::Result<()> {
    let found = store.messages_by_id(&event.chat, &event.id.as_str().into()).await?;
    let file = found.first().filter(|message| message.kind.as_str() == "image");
    let Some(file) = file.and_then(MediaFile::from_archive) else { return Ok(()) };
    let sides = file.media.width.zip(file.media.height);
    let answer = match client.download(file).into_folder(folder).await {
        Ok(path) => {
            let bytes = std::fs::metadata(&path)?.len();
            let sides = sides.map(|(width, height)| format!("{width} by {height}, "));
            format!("A picture, {}{bytes} bytes. Thank you!", sides.unwrap_or_default())
        }
        Err(error) => format!("I could not get that picture: {error}"),
    };
    // The same key answers once, so that a crash right here says nothing twice.
    let key = format!("picture {} {}", event.chat, event.id);
    let reply = client.send(event.chat.clone(), answer).quoting(MessageId::new(event.id.as_str())?);
    reply.idempotency_key(key).queue().await?;
    Ok(())
}
