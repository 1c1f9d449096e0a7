//! What is said about an earlier message.

use std::time::Duration;

use wa_client::Error;
use wa_store::{Added, Alteration, Attendance};

use super::{archived, changed, key, parties::ada_and_bob, parties::settle, shown, tally};

#[tokio::test(start_paused = true)]
async fn a_reaction_is_set_replaced_and_taken_back() {
    let (_sim, ada, mut bob) = ada_and_bob(301).await;
    let sent = ada.client.send(bob.phone.jid(), "tea?").await.unwrap();
    let message = bob.message().await;
    let on = key(&bob, &sent.id).await;
    bob.client.react(&on, "👍").await.unwrap();
    bob.client.react(&on, "🎉").await.unwrap();
    settle().await;
    for party in [&ada, &bob] {
        let reactions = party.store.reactions(&key(party, &sent.id).await).await.unwrap();
        assert_eq!((reactions.len(), reactions[0].emoji.as_str()), (1, "🎉"));
        assert_eq!(reactions[0].sender, bob.phone.lid());
        let on_phone = shown(&party.phone, &message.id).reactions;
        assert_eq!(on_phone.into_values().collect::<Vec<_>>(), ["🎉"]);
    }
    bob.client.react(&on, "").await.unwrap();
    settle().await;
    assert!(ada.store.reactions(&key(&ada, &sent.id).await).await.unwrap().is_empty());
    assert!(shown(&ada.phone, &message.id).reactions.is_empty());
    assert_eq!(ada.archive(&bob.phone.lid()).await.len(), 1, "a reaction is no message");
}

#[tokio::test(start_paused = true)]
async fn an_edit_changes_the_text_everywhere_and_keeps_the_earlier_one() {
    let (_sim, mut ada, mut bob) = ada_and_bob(302).await;
    let sent = ada.client.send(bob.phone.jid(), "helo").await.unwrap();
    bob.message().await;
    let mine = key(&ada, &sent.id).await;
    let edit = ada.client.edit(&mine, "hello").await.unwrap();
    assert_ne!(edit.id, sent.id, "an edit has an id of its own");
    changed(&mut ada, Alteration::Edited).await;
    let change = changed(&mut bob, Alteration::Edited).await;
    assert_eq!((change.key.id.as_str(), change.by), (sent.id.as_str(), Some(ada.phone.lid())));
    settle().await;
    for party in [&ada, &bob] {
        let message = archived(party, sent.id.as_str()).await;
        assert_eq!(message.text.as_deref(), Some("hello"));
        assert!(!message.is_edited_late());
        let versions = party.store.text_versions(&message.key).await.unwrap();
        let texts: Vec<_> = versions.iter().filter_map(|one| one.text.as_deref()).collect();
        assert_eq!(texts, ["helo", "hello"]);
        assert_eq!(shown(&party.phone, sent.id.as_str()).edited.as_deref(), Some("hello"));
        let found = party.store.search(&wa_store::SearchQuery::new("hello")).await.unwrap();
        assert_eq!(found.hits.len(), 1, "search follows the edit");
    }
}

#[tokio::test(start_paused = true)]
async fn only_own_messages_are_edited_and_only_for_a_while_unless_forced() {
    let (_sim, ada, mut bob) = ada_and_bob(303).await;
    let sent = ada.client.send(bob.phone.jid(), "early").await.unwrap();
    bob.message().await;
    let theirs = key(&bob, &sent.id).await;
    let refused = bob.client.edit(&theirs, "mine now").await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))));
    let mine = key(&ada, &sent.id).await;
    tokio::time::sleep(Duration::from_secs(21 * 60)).await;
    assert!(matches!(ada.client.edit(&mine, "late").await, Err(Error::InvalidInput(_))));
    tokio::time::sleep(Duration::from_secs(10 * 60)).await;
    ada.client.edit(&mine, "late").even_if_late().await.unwrap();
    settle().await;
    let message = archived(&bob, sent.id.as_str()).await;
    assert_eq!(message.text.as_deref(), Some("late"), "nothing is lost");
    assert!(message.is_edited_late(), "but it is marked");
}

#[tokio::test(start_paused = true)]
async fn a_revoked_message_is_gone_and_takes_no_late_edit() {
    let (_sim, ada, mut bob) = ada_and_bob(304).await;
    let sent = ada.client.send(bob.phone.jid(), "regret").await.unwrap();
    bob.message().await;
    let theirs = key(&bob, &sent.id).await;
    let refused = bob.client.revoke(&theirs).await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))), "it is not Bob's to take back");
    let mine = key(&ada, &sent.id).await;
    ada.client.revoke(&mine).await.unwrap();
    let change = changed(&mut bob, Alteration::Revoked).await;
    assert_eq!(change.by, Some(ada.phone.lid()));
    ada.phone.edit(&bob.phone.jid(), sent.id.as_str(), "back again").unwrap();
    settle().await;
    for party in [&ada, &bob] {
        let message = archived(party, sent.id.as_str()).await;
        assert_eq!((message.text, message.raw.len()), (None, 0));
        assert!(message.revoked.is_some());
        assert!(shown(&party.phone, sent.id.as_str()).revoked);
    }
    let mine = key(&ada, &sent.id).await;
    assert!(ada.client.edit(&mine, "x").await.is_err());
    assert!(ada.client.forward(&mine, bob.phone.jid()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_poll_is_voted_on_by_clients_and_phones() {
    let (_sim, mut ada, mut bob) = ada_and_bob(305).await;
    let options = ["tea", "coffee", "water"];
    let poll = ada.client.send_poll(bob.phone.jid(), "What?", options).selectable(1);
    let poll = poll.await.unwrap();
    let asked = bob.message().await;
    assert_eq!((asked.kind.as_str(), asked.text.as_deref()), ("poll", Some("What?")));
    let on = key(&bob, &poll.id).await;
    for wrong in [vec!["milk"], vec!["tea", "coffee"]] {
        let refused = bob.client.vote(&on, wrong).await;
        assert!(matches!(refused, Err(Error::InvalidInput(_))));
    }
    bob.client.vote(&on, ["tea"]).await.unwrap();
    let change = changed(&mut ada, Alteration::PollVoted).await;
    assert_eq!(change.by, Some(bob.phone.lid()));
    ada.phone.vote(&bob.phone.jid(), poll.id.as_str(), &["coffee"]).unwrap();
    changed(&mut bob, Alteration::PollVoted).await;
    bob.client.vote(&on, ["coffee"]).await.unwrap();
    settle().await;
    let expected = [("tea", 0), ("coffee", 2), ("water", 0)].map(|(o, n)| (o.to_owned(), n));
    for party in [&ada, &bob] {
        assert_eq!(tally(party, poll.id.as_str()).await, expected);
        let tally = party.phone.poll(poll.id.as_str()).unwrap();
        let mut voters = vec![ada.phone.number().to_string(), bob.phone.number().to_string()];
        voters.sort();
        assert_eq!((&tally["coffee"], tally["tea"].len()), (&voters, 0));
    }
    bob.client.vote(&on, Vec::<String>::new()).await.unwrap();
    settle().await;
    assert_eq!(tally(&ada, poll.id.as_str()).await[1], ("coffee".to_owned(), 1));
}

#[tokio::test(start_paused = true)]
async fn an_event_is_answered() {
    let (_sim, mut ada, mut bob) = ada_and_bob(306).await;
    let mut tea = wa_proto::content::Event::default();
    tea.name = "Tea".to_owned();
    tea.starts_at = Some(1_800_000_000);
    let event = ada.client.send_event(bob.phone.jid(), tea).await.unwrap();
    let asked = bob.message().await;
    assert_eq!((asked.kind.as_str(), asked.text.as_deref()), ("event", Some("Tea")));
    let on = key(&bob, &event.id).await;
    bob.client.answer_event(&on, Attendance::Going).guests(2).await.unwrap();
    changed(&mut ada, Alteration::EventAnswered).await;
    ada.phone.answer_event(&bob.phone.jid(), event.id.as_str(), 3).unwrap();
    settle().await;
    for party in [&ada, &bob] {
        let responses = party.store.event_responses(&key(party, &event.id).await).await.unwrap();
        let of = |person: &wa_proto::Jid| {
            responses.iter().find(|(who, _)| who == person).map(|(_, answer)| *answer).unwrap()
        };
        assert_eq!(of(&bob.phone.lid()).attendance, Attendance::Going);
        assert_eq!(of(&bob.phone.lid()).guests, 2);
        assert_eq!(of(&ada.phone.lid()).attendance, Attendance::Maybe);
        let on_phone = shown(&party.phone, event.id.as_str()).answers;
        let mut answers: Vec<_> = on_phone.into_values().collect();
        answers.sort_unstable();
        assert_eq!(answers, [1, 3]);
    }
    let refused = bob.client.vote(&on, ["tea"]).await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))));
}

#[tokio::test(start_paused = true)]
async fn a_message_is_pinned_for_a_while_and_unpinned() {
    let (sim, ada, mut bob) = ada_and_bob(307).await;
    let sent = ada.client.send(bob.phone.jid(), "the address").await.unwrap();
    bob.message().await;
    let on = key(&bob, &sent.id).await;
    bob.client.pin(&on, Duration::from_secs(86_400)).await.unwrap();
    settle().await;
    let now = |later: u64| {
        let now = sim.now() + later;
        wa_store::Timestamp::from_secs(i64::try_from(now).unwrap())
    };
    for party in [&ada, &bob] {
        let chat = key(party, &sent.id).await.chat;
        let pins = party.store.pins(&chat, now(0)).await.unwrap();
        assert_eq!(pins[0].target.id.as_str(), sent.id.as_str());
        assert_eq!(pins[0].by, bob.phone.lid());
        assert!(party.store.pins(&chat, now(86_401)).await.unwrap().is_empty());
        assert!(shown(&party.phone, sent.id.as_str()).pinned);
    }
    let mine = key(&ada, &sent.id).await;
    ada.client.unpin(&mine).await.unwrap();
    settle().await;
    assert!(bob.store.pins(&on.chat, now(0)).await.unwrap().is_empty());
    assert!(!shown(&bob.phone, sent.id.as_str()).pinned);
}

#[tokio::test(start_paused = true)]
async fn disappearing_messages_carry_the_timer_go_in_time_and_stay_if_kept() {
    let (_sim, ada, mut bob) = ada_and_bob(308).await;
    let hour = Duration::from_secs(3600);
    ada.client.set_disappearing(bob.phone.jid(), Some(hour)).await.unwrap();
    settle().await;
    let going = ada.client.send(bob.phone.jid(), "soon gone").await.unwrap();
    let staying = bob.client.send(ada.phone.jid(), "to be kept").await.unwrap();
    settle().await;
    for party in [&ada, &bob] {
        for id in [&going.id, &staying.id] {
            let message = archived(party, id.as_str()).await;
            let lifetime = message.expires_at.unwrap().secs() - message.timestamp.secs();
            assert_eq!(lifetime, 3600, "each side's messages carry it");
            assert_eq!(shown(&party.phone, id.as_str()).expires_after, Some(3600));
        }
    }
    ada.client.keep(&key(&ada, &staying.id).await).await.unwrap();
    changed(&mut bob, Alteration::Kept).await;
    tokio::time::sleep(hour).await;
    changed(&mut bob, Alteration::Expired).await;
    settle().await;
    for party in [&ada, &bob] {
        let texts = party.texts(&key(party, &staying.id).await.chat).await;
        assert_eq!(texts, ["to be kept"]);
        assert!(shown(&party.phone, staying.id.as_str()).kept);
    }
    ada.client.unkeep(&key(&ada, &staying.id).await).await.unwrap();
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert!(bob.texts(&ada.phone.lid()).await.is_empty());
    ada.client.set_disappearing(bob.phone.jid(), None).await.unwrap();
    let last = ada.client.send(bob.phone.jid(), "for good").await.unwrap();
    assert_eq!(archived(&ada, last.id.as_str()).await.expires_at, None);
}

#[tokio::test(start_paused = true)]
async fn a_comment_is_a_message_that_hangs_on_another() {
    let (_sim, ada, mut bob) = ada_and_bob(309).await;
    let sent = ada.client.send(bob.phone.jid(), "an announcement").await.unwrap();
    bob.message().await;
    let on = key(&bob, &sent.id).await;
    bob.client.comment(&on, "well said").await.unwrap();
    settle().await;
    for party in [&ada, &bob] {
        let comments = party.store.comments(&key(party, &sent.id).await).await.unwrap();
        assert_eq!(comments[0].text.as_deref(), Some("well said"));
        assert_eq!(comments[0].key.sender, bob.phone.lid());
        assert_eq!(shown(&party.phone, sent.id.as_str()).comments, ["well said"]);
    }
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_sealed_vote_changes_nothing() {
    let (_sim, ada, mut bob) = ada_and_bob(310).await;
    let poll = ada.client.send_poll(bob.phone.jid(), "What?", ["tea", "coffee"]).await.unwrap();
    bob.message().await;
    let on = key(&bob, &poll.id).await;
    bob.client.vote(&on, ["tea"]).await.unwrap();
    settle().await;
    // Ada sends the bytes of Bob's vote as if they were her own.
    let vote = bob.phone.messages().into_iter().find(|message| message.kind == "poll-vote");
    let vote = bob.phone.message(&vote.unwrap().id).unwrap();
    ada.phone.send(&bob.phone.jid(), vote).unwrap();
    settle().await;
    for party in [&ada, &bob] {
        let tally = tally(party, poll.id.as_str()).await;
        assert_eq!(tally[0], ("tea".to_owned(), 1), "Bob's own vote alone");
        let additions = party.store.additions(&key(party, &poll.id).await).await.unwrap();
        let votes = additions.iter().filter(|one| matches!(one.what, Added::Vote(_)));
        assert_eq!(votes.count(), 1);
    }
    assert_eq!(ada.phone.poll(poll.id.as_str()).unwrap()["tea"].len(), 1);
}
