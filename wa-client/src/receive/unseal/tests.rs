//! Sealed additions in every order and under every name.

use std::sync::Arc;

use proptest::prelude::*;
use prost::Message as _;
use rand_core::SeedableRng as _;
use wa_addon::poll_option_hash;
use wa_proto::{
    Content, MessageId,
    content::{
        MessageContext, MessageSecret, Poll, PollOption, PollVote, Sealed, SealedEdit,
        SealedEditKind,
    },
    pb::{self, message},
};
use wa_store::{MemoryStore, PollTally, Timestamp};

use super::*;
use crate::{
    Client,
    receive::{provenance::Authenticated, record::record, settle},
};

const SECRET: [u8; 32] = [7; 32];

fn group() -> Jid {
    Jid::group("9")
}

/// A person's LID and phone number.
fn names(person: u32) -> (Jid, Jid) {
    (Jid::lid(person.to_string()), Jid::phone(format!("1555{person}")))
}

async fn inner() -> Arc<Inner> {
    let store = Arc::new(MemoryStore::new());
    let client = Client::builder(store).version_source(None).build().await.unwrap();
    let inner = Arc::clone(client.inner());
    // What it does in the background goes on until it is dropped.
    std::mem::forget(client);
    let (lid, phone) = names(1);
    inner
        .update_account(|account, _| (account.jid, account.lid) = (Some(phone), Some(lid)))
        .await
        .unwrap();
    for person in 1..=4 {
        let (lid, phone) = names(person);
        inner.store.commit(Change::LearnLid { phone, lid }.into()).await.unwrap();
    }
    inner
}

async fn arrive(inner: &Inner, id: &str, person: u32, second: i64, raw: &[u8]) {
    let (lid, phone) = names(1);
    let arrival = Arrival {
        id: id.to_owned(),
        chat: group(),
        kind: ChatKind::Group,
        sender: names(person).0,
        from_me: person == 1,
        way: Way::Live,
        deletes_as_admin: false,
        timestamp: Timestamp::from_secs(1_700_000_000 + second),
        push_name: None,
        own: wa_proto::stanza::OwnJids { phone, lid: Some(lid) },
    };
    let mut draft = Draft::new(&*inner.store);
    let said = Authenticated::opened(arrival.sender.clone(), raw.to_vec());
    record(&mut draft, &arrival, &said).await.unwrap();
    let committed = inner.store.commit(draft.into_changes()).await.unwrap();
    settle::open(inner, committed.openable).await.unwrap();
}

/// Something sealed with the poll's secret, under these names of the asker and the sealer.
fn sealed(asker: &Jid, sealer: &Jid, secret_use: SecretUse, plaintext: &[u8]) -> Sealed {
    let context = SecretContext {
        secret: &SECRET,
        message_id: "P",
        original_sender: asker,
        modification_sender: sealer,
        secret_use,
    };
    let (iv, payload) = context.seal(plaintext, &mut rand_chacha::ChaCha8Rng::seed_from_u64(1));
    let target = Some(wa_proto::MessageKey {
        chat: Some(group()),
        from_me: false,
        id: MessageId::new("P").unwrap(),
        sender: Some(names(2).0),
    });
    Sealed { target, payload: payload.into(), iv: iv.to_vec().into() }
}

fn vote(asker: &Jid, voter: &Jid, option: &str) -> Content {
    let hash = poll_option_hash(option).to_vec().into();
    let vote = message::PollVoteMessage { selected_options: vec![hash] };
    let sealed = sealed(asker, voter, SecretUse::PollVote, &vote.encode_to_vec());
    Content::PollVote(PollVote { sealed, at_ms: None })
}

fn edit(kind: SealedEditKind, sealer: &Jid, secret_use: SecretUse, new: &Content) -> Content {
    let new = new.to_message(&MessageContext::default()).unwrap().encode_to_vec();
    let sealed = sealed(&names(2).0, sealer, secret_use, &new);
    Content::EncryptedEdit(SealedEdit { kind, sealed })
}

/// A poll of person 2 and what others add to it, each with its id, sender and second.
fn steps() -> Vec<(&'static str, u32, i64, Vec<u8>)> {
    let raw =
        |content: &Content| content.to_message(&MessageContext::default()).unwrap().encode_to_vec();
    let asks = |question: &str| {
        let options = ["tea", "coffee"].map(str::to_owned).to_vec();
        Content::Poll(Poll::new(question, options, 1))
    };
    let mut context = MessageContext::default();
    context.message_secret = Some(MessageSecret::new(SECRET.to_vec()));
    let poll = asks("What?").to_message(&context).unwrap().encode_to_vec();
    let ((asker, asker_phone), (lid, _), (_, phone)) = (names(2), names(3), names(4));
    let reaction = message::ReactionMessage { text: Some("👍".into()), ..Default::default() };
    let reaction = sealed(&asker, &lid, SecretUse::Reaction, &reaction.encode_to_vec());
    let comment = pb::Message { conversation: Some("why?".into()), ..Default::default() };
    let comment = sealed(&asker, &lid, SecretUse::Comment, &comment.encode_to_vec());
    let water = Content::PollOption(PollOption { target: None, option: "water".into() });
    let (poll_edit, add) = (SealedEditKind::Poll, SealedEditKind::PollOption);
    let own = names(1).1;
    vec![
        ("P", 2, 0, poll),
        ("V1", 3, 3, raw(&vote(&asker, &lid, "tea"))),
        ("V2", 3, 4, raw(&vote(&asker, &lid, "coffee"))),
        ("V3", 4, 3, raw(&vote(&asker_phone, &phone, "water"))),
        ("V4", 1, 3, raw(&vote(&asker, &own, "tea"))),
        // Sealed by person 3, and sent by person 4.
        ("V5", 4, 9, raw(&vote(&asker, &lid, "coffee"))),
        ("R", 3, 5, raw(&Content::EncryptedReaction(reaction))),
        ("C", 3, 5, raw(&Content::EncryptedComment(comment))),
        ("E1", 2, 6, raw(&edit(poll_edit, &asker, SecretUse::PollEdit, &asks("Which?")))),
        // Somebody else edits the poll.
        ("E2", 3, 7, raw(&edit(poll_edit, &lid, SecretUse::PollEdit, &asks("Forged?")))),
        ("O1", 3, 5, raw(&edit(add, &lid, SecretUse::PollAddOption, &water))),
    ]
}

async fn archive_after(order: &[usize]) -> (PollTally, Vec<Option<String>>) {
    let inner = inner().await;
    let steps = steps();
    for step in order {
        let (id, person, second, raw) = &steps[*step];
        arrive(&inner, id, *person, *second, raw).await;
    }
    let key = MessageKey::received(group(), names(2).0, "P");
    let store = &inner.store;
    let message = store.message(&key).await.unwrap().unwrap();
    let reaction = store.reactions(&key).await.unwrap().pop();
    let comment = store.comments(&key).await.unwrap().pop();
    let shown = vec![
        message.text,
        reaction.map(|reaction| reaction.emoji),
        comment.and_then(|comment| comment.text),
    ];
    (store.poll(&key).await.unwrap().unwrap(), shown)
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn whatever_comes_first_the_archive_is_the_same(
        order in Just((0..steps().len()).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let (tally, shown) = run(archive_after(&order));
        let expected = ["Which?", "👍", "why?"].map(|text| Some(text.to_owned()));
        prop_assert_eq!(shown, expected);
        let voters: Vec<_> = tally
            .options
            .iter()
            .map(|option| (option.name.as_str(), option.voters.clone()))
            .collect();
        let of = |person| vec![names(person).0];
        prop_assert_eq!(voters, [("tea", of(1)), ("coffee", of(3)), ("water", of(4))]);
        prop_assert_eq!((tally.voters, tally.unknown.len()), (3, 0));
    }
}

#[tokio::test]
async fn a_vote_opens_under_whichever_names_it_was_sealed() {
    let ((asker, asker_phone), (voter, voter_phone)) = (names(2), names(3));
    for asker in [&asker, &asker_phone] {
        for voter in [&voter, &voter_phone] {
            let inner = inner().await;
            let (id, person, second, poll) = &steps()[0];
            let vote = vote(asker, voter, "tea").to_message(&MessageContext::default());
            arrive(&inner, "V", 3, 1, &vote.unwrap().encode_to_vec()).await;
            arrive(&inner, id, *person, *second, poll).await;
            let key = MessageKey::received(group(), names(2).0, "P");
            let tally = inner.store.poll(&key).await.unwrap().unwrap();
            assert_eq!(tally.options[0].voters, [names(3).0]);
            assert!(inner.store.sealed(&key).await.unwrap().is_empty());
        }
    }
}
