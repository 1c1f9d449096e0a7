//! Messages that come in: read, kept, answered, told.
//!
//! The life of one: its addresses become canonical, each of its ciphertexts is decrypted on copies
//! of the keys, and what they say becomes changes. One commit holds the ratchet step, the used
//! prekey, the dedupe mark, the archive row and the receipt that is owed; only after it does the
//! receipt leave. What cannot be read goes to [`crate::retry`].

pub(crate) mod batch;
pub(crate) mod decrypt;
pub(crate) mod later;
pub(crate) mod pipeline;
mod protocol;
pub(crate) mod provenance;
mod reader;
pub(crate) mod record;
pub(crate) mod settle;
mod unseal;
mod verdict;

use wa_proto::{
    Jid,
    stanza::{
        ChatKind, Edit, Enc, IncomingMessage, MessageSource, NackReason, OwnJids, SentReceiptKind,
    },
};
use wa_store::{Account, Change, ContactUpdate, StoreError, Timestamp};

use crate::{
    app_state,
    draft::Draft,
    encryption::{Turn, former},
    event::{Event, MessageEvent, NewsletterEvent, Repair},
    history,
    inner::Inner,
    lid, placeholder,
    publisher::Announcement,
    receipts, retry,
    stanza_handler::{HandleError, Outcome, StanzaContext},
};
use decrypt::{Opened, Origin};
use provenance::{Authenticated, Clear};
use record::{Arrival, Recorded, Way};
use verdict::{Part, Reading, Verdict};

/// Deals with a `<message>`.
pub(crate) async fn handle(
    cx: &StanzaContext,
    message: IncomingMessage,
) -> Result<Outcome, HandleError> {
    let inner = &*cx.inner;
    let Some(own) = own_jids(&inner.account()) else {
        return Ok(Outcome::Nack(NackReason::UnhandledError));
    };
    let source = match message.source(&own) {
        Ok(source) => source,
        Err(error) => {
            tracing::warn!(id = %message.id, %error, "a message's addresses contradict each other");
            return Ok(Outcome::Nack(NackReason::ParsingError));
        }
    };
    let Some(form) = Form::of(&message, &source) else {
        tracing::warn!(id = %message.id, "a message that is not encrypted, or a post that is");
        return Ok(Outcome::Nack(NackReason::ParsingError));
    };
    learn_addresses(inner, &source).await?;
    if let Form::Post(post) = form {
        let arrival = arrival(inner, &message, &source, source.sender.clone(), own).await?;
        return keep_post(inner, &message, &arrival, post).await;
    }

    let turn = Turn::take(inner, std::slice::from_ref(&source.sender)).await?;
    let arrival = arrival(inner, &message, &source, turn.name(&source.sender), own).await?;

    let mut draft = Draft::new(&*inner.store);
    note_usernames(&mut draft, &message, &arrival);
    let reading = read(&mut draft, inner, &message, &arrival).await?;
    match reading.verdict(&message) {
        Verdict::Keep => {
            let kind = receipt_kind(inner, &arrival, &message);
            let receipt = message.envelope.receipt(message.id.clone(), kind);
            let owed = receipts::owe(inner, &mut draft, &receipt);
            let announcement = announcement(&arrival, &reading);
            let commit = inner.publisher.commit_holding(draft.into_changes(), announcement, turn);
            let committed = commit.landed().await?;
            placeholder::arrived(inner, &committed);
            placeholder::was_read(inner, &arrival.id);
            if reading.of_history {
                history::wake(&cx.inner);
            }
            if reading.keys_came {
                app_state::keys_came(inner);
            }
            if reading.for_later {
                later::take(inner, &arrival.id).await?;
            }
            settle::open(inner, committed.openable).await?;
            receipts::deliver(cx, vec![owed]).await?;
            Ok(Outcome::Answered)
        }
        Verdict::Refuse(code) => {
            inner.store.commit(draft.into_changes()).await?;
            Ok(Outcome::Nack(code))
        }
        Verdict::Repair { reason, phone_first } => {
            let failure = retry::Failure { reason, phone_first, hidden: reading.hidden };
            let asked = retry::ask(cx, &message, &arrival, draft, turn, failure).await;
            if reading.former_identity {
                former::ask_for_keys(&cx.inner, arrival.sender);
            }
            asked
        }
        Verdict::Withheld => retry::withheld(cx, &message, &arrival, draft).await,
    }
}

/// How a message says what it says.
enum Form<'a> {
    /// In ciphertexts, or withheld from this device.
    Encrypted,
    /// In the open: a post of a channel, or nothing but the outside of one.
    Post(Option<Clear<'a>>),
}

impl<'a> Form<'a> {
    /// Posts come in the open, everything else encrypted: nothing of a message is looked at where
    /// that is otherwise, because nobody but the server would answer for it.
    fn of(message: &'a IncomingMessage, source: &'a MessageSource) -> Option<Self> {
        let plaintext = message.plaintext.as_deref();
        match source.kind {
            ChatKind::Newsletter if message.encs.is_empty() => {
                Some(Self::Post(plaintext.and_then(|it| Clear::post(&source.chat, it))))
            }
            ChatKind::Newsletter => None,
            _ if plaintext.is_some() => None,
            _ => Some(Self::Encrypted),
        }
    }
}

/// A post of a channel: nobody is told that it was received, so that an ack is all its answer.
async fn keep_post(
    inner: &Inner,
    message: &IncomingMessage,
    arrival: &Arrival,
    post: Option<Clear<'_>>,
) -> Result<Outcome, HandleError> {
    let Some(post) = post else { return Ok(Outcome::Nack(NackReason::ParsingError)) };
    let mut draft = Draft::new(&*inner.store);
    let recorded = record::record_post(&mut draft, arrival, &post).await?;
    if matches!(recorded, Recorded::Malformed) {
        inner.store.commit(draft.into_changes()).await?;
        return Ok(Outcome::Nack(NackReason::InvalidProtobuf));
    }
    let mut announcement = Announcement::arrived(Repair::Retry);
    if let Some(server_id) = message.server_id.filter(|_| message.edit == Edit::None) {
        let (newsletter, id) = (arrival.chat.clone(), arrival.id.clone());
        let posted = NewsletterEvent::Posted { newsletter, id, server_id };
        announcement = announcement.then(Event::Newsletter(posted));
    }
    let committed = inner.publisher.commit(draft.into_changes(), announcement).landed().await?;
    settle::open(inner, committed.openable).await?;
    Ok(Outcome::Ack)
}

/// The account's addresses, once it is linked.
pub(crate) fn own_jids(account: &Account) -> Option<OwnJids> {
    Some(OwnJids { phone: account.jid.clone()?, lid: account.lid.clone() })
}

/// Whoever stands in a stanza under two addresses is one person from now on.
async fn learn_addresses(inner: &Inner, source: &MessageSource) -> Result<(), StoreError> {
    if let Some(alt) = &source.sender_alt {
        lid::learn(inner, &source.sender, alt).await?;
    }
    if let Some(alt) = &source.chat_alt {
        lid::learn(inner, &source.chat, alt).await?;
    }
    Ok(())
}

/// How a message arrives that is not read; nothing if its addresses make no sense.
///
/// # Errors
/// The store's.
pub(crate) async fn arrival_of(
    inner: &Inner,
    message: &IncomingMessage,
) -> Result<Option<Arrival>, StoreError> {
    let Some(own) = own_jids(&inner.account()) else { return Ok(None) };
    let Ok(source) = message.source(&own) else { return Ok(None) };
    let sender = lid::canonical(&*inner.store, &source.sender).await?;
    arrival(inner, message, &source, sender, own).await.map(Some)
}

async fn arrival(
    inner: &Inner,
    message: &IncomingMessage,
    source: &MessageSource,
    sender: Jid,
    own: OwnJids,
) -> Result<Arrival, StoreError> {
    let chat = lid::canonical(&*inner.store, &source.chat).await?;
    Ok(arrival_in(message, source, chat, sender, own))
}

/// A message on its way, by the canonical addresses of its chat and its sender.
fn arrival_in(
    message: &IncomingMessage,
    source: &MessageSource,
    chat: Jid,
    sender: Jid,
    own: OwnJids,
) -> Arrival {
    Arrival {
        id: message.id.as_str().to_owned(),
        chat,
        kind: source.kind,
        sender,
        from_me: source.is_from_me,
        way: Way::Live,
        deletes_as_admin: message.edit == Edit::AdminRevoke,
        timestamp: Timestamp::from_secs(i64::try_from(message.timestamp).unwrap_or(i64::MAX)),
        push_name: message.push_name.clone(),
        own,
    }
}

/// Notes by which names the people in a message can be found, as the stanza tells.
fn note_usernames(draft: &mut Draft<'_>, message: &IncomingMessage, arrival: &Arrival) {
    let recipient = Some(&arrival.chat).filter(|chat| arrival.from_me && chat.is_person());
    let told = [
        (Some(&arrival.sender), &message.usernames.participant),
        (recipient, &message.usernames.recipient),
    ];
    for (person, username) in told {
        if let (Some(person), Some(username)) = (person, username) {
            let mut contact = ContactUpdate::new(person.to_user());
            contact.username = Some(username.clone());
            draft.push(Change::PutContact(Box::new(contact)));
        }
    }
}

/// Decrypts and records every ciphertext, also behind one that fails.
async fn read(
    draft: &mut Draft<'_>,
    inner: &Inner,
    message: &IncomingMessage,
    arrival: &Arrival,
) -> Result<Reading, StoreError> {
    let mut reading = Reading::default();
    for enc in &message.encs {
        let part = match open(draft, inner, message, enc, arrival, &mut reading).await? {
            Ok(said) => recorded(draft, inner, arrival, &said, &mut reading).await?,
            Err(part) => part,
        };
        reading.parts.push(part);
    }
    Ok(reading)
}

/// The same of a message that concerns nothing but the archive and keys; of any other nothing is
/// said, and what is in the draft is to be forgotten.
async fn read_plain(
    draft: &mut Draft<'_>,
    inner: &Inner,
    message: &IncomingMessage,
    arrival: &Arrival,
) -> Result<Option<Reading>, StoreError> {
    let mut reading = Reading::default();
    for enc in &message.encs {
        let part = match open(draft, inner, message, enc, arrival, &mut reading).await? {
            Ok(said) => match record::record(draft, arrival, &said).await? {
                // What own devices tell this one does more than change the archive and keys.
                Recorded::Protocol(_) if arrival.from_me => return Ok(None),
                Recorded::Protocol(protocol) => {
                    protocol::handle(draft, inner, arrival, &said, &protocol).await?;
                    Part::Content
                }
                recorded => of_record(&recorded).unwrap_or(Part::Content),
            },
            Err(part) => part,
        };
        reading.parts.push(part);
    }
    Ok(Some(reading))
}

/// Decrypts one ciphertext; what cannot be read is a part all the same.
async fn open(
    draft: &mut Draft<'_>,
    inner: &Inner,
    message: &IncomingMessage,
    enc: &Enc,
    arrival: &Arrival,
    reading: &mut Reading,
) -> Result<Result<Authenticated, Part>, StoreError> {
    let device_identity = message.device_identity.as_deref();
    let origin = Origin { chat: &arrival.chat, sender: &arrival.sender, device_identity };
    let opened = decrypt::open(draft, inner, origin, enc).await?;
    reading.hidden |= enc.hide_failure;
    Ok(Err(match opened {
        Opened::Plaintext { said, identity_changed } => {
            reading.identity_changed |= identity_changed;
            return Ok(Ok(said));
        }
        Opened::Duplicate => Part::Duplicate,
        Opened::BadPadding => Part::Malformed,
        Opened::Unsupported => Part::Unsupported,
        Opened::Failed(reason) => Part::Failed(reason),
        Opened::FormerIdentity(reason) => {
            reading.former_identity = true;
            Part::Failed(reason)
        }
    }))
}

/// What a plaintext is to its message; nothing if it is for the client itself, which has to see to
/// it first.
const fn of_record(recorded: &Recorded) -> Option<Part> {
    Some(match recorded {
        Recorded::Message | Recorded::Noted | Recorded::Forged => Part::Content,
        Recorded::KeyOnly => Part::KeyOnly,
        Recorded::Malformed => Part::Malformed,
        Recorded::Protocol(_) => return None,
    })
}

async fn recorded(
    draft: &mut Draft<'_>,
    inner: &Inner,
    arrival: &Arrival,
    said: &Authenticated,
    reading: &mut Reading,
) -> Result<Part, StoreError> {
    let recorded = record::record(draft, arrival, said).await?;
    if let Recorded::Protocol(protocol) = &recorded {
        let told = protocol::handle(draft, inner, arrival, said, protocol).await?;
        reading.from_phone |= told == protocol::Told::FromPhone;
        reading.of_history |= told == protocol::Told::OfHistory;
        reading.keys_came |= told == protocol::Told::Keys;
        reading.for_later |= told == protocol::Told::Later;
    }
    Ok(of_record(&recorded).unwrap_or(Part::Content))
}

/// Which receipt a readable message gets.
fn receipt_kind(inner: &Inner, arrival: &Arrival, message: &IncomingMessage) -> SentReceiptKind {
    match () {
        () if message.is_peer => SentReceiptKind::PeerMessage,
        () if arrival.from_me => SentReceiptKind::Sender,
        () if inner.receipts.is_available() => SentReceiptKind::Delivered,
        () => SentReceiptKind::Inactive,
    }
}

/// What listeners hear of a message that was read.
fn announcement(arrival: &Arrival, reading: &Reading) -> Announcement {
    let announcement = Announcement::arrived(match reading.from_phone {
        true => Repair::Phone,
        false => Repair::Retry,
    });
    match reading.identity_changed {
        true => announcement
            .after(Event::IdentityChanged { user: arrival.sender.to_user(), implicit: true }),
        false => announcement,
    }
}

/// An archived message as an event.
pub(crate) fn message_event(archived: wa_store::Archived) -> MessageEvent {
    let message = archived.message;
    MessageEvent {
        sequence: message.seq.0,
        chat: message.key.chat,
        sender: message.key.sender,
        sender_alt: archived.sender_alt,
        id: message.key.id.as_str().to_owned(),
        timestamp: u64::try_from(message.timestamp.secs()).unwrap_or_default(),
        from_me: message.key.from_me,
        kind: message.kind,
        text: message.text,
    }
}
