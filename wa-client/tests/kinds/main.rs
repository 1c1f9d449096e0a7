//! Every kind of message between clients and phones on a simulated server: said by one, shown by
//! the others, and kept in every archive.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod additions;
mod from_phones;
#[path = "../handmade/mod.rs"]
mod handmade;
mod messages;
#[path = "../parties/mod.rs"]
mod parties;
mod reporting;

use parties::Party;
use wa_client::{Event, MessageChange};
use wa_proto::MessageId;
use wa_sim::{Outcome, Phone};
use wa_store::{Alteration, ArchivedMessage, MessageKey};

/// The one message of this id in the archive of a party.
async fn archived(party: &Party, id: &str) -> ArchivedMessage {
    for chat in party.store.chats(&wa_store::ChatQuery::default()).await.unwrap() {
        let found = party.store.messages_by_id(&chat.jid, &id.into()).await.unwrap();
        if let Some(message) = found.into_iter().next() {
            return message;
        }
    }
    panic!("the archive has no message {id}");
}

/// The key under which a party has a message.
async fn key(party: &Party, id: &MessageId) -> MessageKey {
    archived(party, id.as_str()).await.key
}

/// Waits until a party is told of such a change.
async fn changed(party: &mut Party, what: Alteration) -> MessageChange {
    party
        .until(|event| match event {
            Event::MessageChanged(change) if change.what == what => Some(change.clone()),
            _ => None,
        })
        .await
}

/// What a phone shows of a message.
fn shown(phone: &Phone, id: &str) -> Outcome {
    let messages = phone.messages();
    messages.into_iter().find(|message| message.id == id).unwrap().outcome
}

async fn tally(party: &Party, id: &str) -> Vec<(String, usize)> {
    let key = archived(party, id).await.key;
    let tally = party.store.poll(&key).await.unwrap().unwrap();
    tally.options.iter().map(|option| (option.name.clone(), option.voters.len())).collect()
}
