//! What people add to messages, in whichever order it comes.

use wa_proto::Jid;
use wa_store::{
    Added, Addition, Alteration, Attendance, Change, Edit, EventResponse, MAX_POLL_OPTIONS,
    MAX_SEALED_PER_TARGET, MessageKey, MessageKind, Moment, NewMessage, Poll, PollTally, Position,
    Reaction, SEALED_RETENTION_SECS, SealedAddition, Store, Timestamp,
};

use super::samples::{ada, ada_lid, archive, at, bob, commit, group, me, text};

fn add(target: &MessageKey, author: &Jid, seconds: i64, what: Added) -> Change {
    let id = format!("X{seconds}-{}", author.user);
    Change::Add(Box::new(Addition {
        target: target.clone(),
        author: author.clone(),
        moment: Moment::new(at(seconds), id),
        what,
    }))
}

fn hash(option: &str) -> [u8; 32] {
    wa_crypto::sha256(&[option.as_bytes()])
}

fn vote(target: &MessageKey, voter: &Jid, seconds: i64, options: &[&str]) -> Change {
    let hashes = options.iter().map(|option| hash(option)).collect();
    add(target, voter, seconds, Added::Vote(hashes))
}

fn poll(key: &MessageKey, options: &[&str], selectable: u32) -> [Change; 2] {
    let message = NewMessage::new(key.clone(), at(0), MessageKind::new("poll"));
    let options = options.iter().map(|&option| option.to_owned());
    let poll = Added::Poll(Poll::new("What?", options, selectable));
    [archive(message), add(key, &key.sender, 0, poll)]
}

fn in_group(id: &str) -> MessageKey {
    MessageKey::received(group(), bob(), id)
}

fn outcome(tally: &PollTally) -> Vec<(&str, Vec<Jid>)> {
    tally.options.iter().map(|option| (option.name.as_str(), option.voters.clone())).collect()
}

pub(crate) async fn a_poll_counts_the_newest_vote_of_each_voter(store: &dyn Store) {
    let key = in_group("P");
    commit(
        store,
        [
            vote(&key, &me(), 5, &["tea"]),
            vote(&key, &bob().with_device(4), 6, &["coffee"]),
            vote(&key, &me(), 9, &["coffee", "unheard of"]),
            vote(&key, &me(), 7, &["tea"]),
            vote(&key, &ada(), 7, &["tea"]),
            vote(&key, &ada(), 8, &[]),
        ],
    )
    .await;
    assert_eq!(store.poll(&key).await.unwrap(), None, "the poll has not come");
    commit(store, poll(&key, &["tea", "coffee", "tea"], 0)).await;
    let tally = store.poll(&key).await.unwrap().unwrap();
    let (mut coffee, nobody) = (vec![me(), bob()], Vec::new());
    coffee.sort();
    assert_eq!(outcome(&tally), [("tea", nobody), ("coffee", coffee)]);
    assert_eq!((tally.question.as_str(), tally.voters), ("What?", 2));
    assert_eq!(tally.unknown[0].hash, hash("unheard of"));
    assert_eq!(tally.unknown[0].voters, [me()]);
    assert_eq!(store.poll(&in_group("none")).await.unwrap(), None);
}

pub(crate) async fn a_poll_of_a_thousand_options_is_counted(store: &dyn Store) {
    let key = in_group("P");
    let names: Vec<String> = (0..1_200).map(|n| format!("option {n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    commit(store, poll(&key, &names, 0)).await;
    let every = vote(&key, &me(), 5, &names);
    commit(store, [every, vote(&key, &bob(), 6, &["option 999", "option 1100"])]).await;
    let tally = store.poll(&key).await.unwrap().unwrap();
    assert_eq!((tally.options.len(), tally.unknown.len()), (MAX_POLL_OPTIONS, 200));
    assert_eq!(tally.option("option 999").unwrap().voters.len(), 2);
}

pub(crate) async fn a_vote_under_both_names_of_a_person_counts_once(store: &dyn Store) {
    let older = MessageKey::received(ada(), ada(), "P");
    let newer = MessageKey::received(ada_lid(), ada_lid(), "P");
    commit(store, poll(&older, &["tea", "coffee"], 1)).await;
    commit(
        store,
        [
            vote(&newer, &ada_lid(), 5, &["tea"]),
            vote(&older, &ada(), 6, &["coffee"]),
            vote(&newer, &me(), 5, &["tea"]),
            add(&older, &ada(), 7, Added::PollOption("water".to_owned())),
            Change::LearnLid { phone: ada(), lid: ada_lid() },
        ],
    )
    .await;
    for key in [&older, &newer] {
        let tally = store.poll(key).await.unwrap().unwrap();
        let expected = [("tea", vec![me()]), ("coffee", vec![ada_lid()]), ("water", Vec::new())];
        assert_eq!(outcome(&tally), expected);
        assert_eq!(tally.options[2].added_by, Some(ada_lid()));
    }
}

pub(crate) async fn answers_pins_keeps_and_positions_are_replaced_by_newer_ones(store: &dyn Store) {
    let (event, pinned) = (in_group("E"), in_group("M"));
    let answer = |attendance, guests| Added::EventResponse(EventResponse { attendance, guests });
    let pin = |seconds: Option<i64>| Added::Pin { until: seconds.map(at) };
    commit(
        store,
        [
            add(&event, &ada(), 9, answer(Attendance::Going, 2)),
            add(&event, &ada(), 8, answer(Attendance::NotGoing, 0)),
            add(&event, &me(), 8, answer(Attendance::Maybe, 0)),
            add(&pinned, &me(), 5, pin(Some(100))),
            add(&pinned, &bob(), 4, pin(None)),
            add(&event, &bob(), 6, pin(Some(50))),
            add(&event, &bob(), 7, Added::Position(Position::new(2, 1.5, -3.25))),
            add(&event, &bob(), 8, Added::Position(Position::new(1, 0.0, 0.0))),
        ],
    )
    .await;
    let responses = store.event_responses(&event).await.unwrap();
    let going = EventResponse { attendance: Attendance::Going, guests: 2 };
    let maybe = EventResponse { attendance: Attendance::Maybe, guests: 0 };
    assert_eq!(responses, [(ada(), going), (me(), maybe)]);
    let pins = store.pins(&group(), at(10)).await.unwrap();
    let shown: Vec<_> = pins.iter().map(|pin| (pin.target.id.as_str(), &pin.by)).collect();
    assert_eq!(shown, [("E", &bob()), ("M", &me())]);
    assert_eq!((pins[1].since, pins[1].until), (at(5), at(100)));
    assert_eq!(store.pins(&group(), at(50)).await.unwrap().len(), 1, "a pin's time is over");
    commit(store, [add(&pinned, &bob(), 6, pin(None))]).await;
    assert!(store.pins(&group(), at(50)).await.unwrap().is_empty());
    let additions = store.additions(&event).await.unwrap();
    let position = additions.iter().find_map(|addition| match &addition.what {
        Added::Position(position) => Some(position.clone()),
        _ => None,
    });
    assert!(position == Some(Position::new(2, 1.5, -3.25)));
}

pub(crate) async fn a_revoked_message_takes_no_additions(store: &dyn Store) {
    let key = in_group("P");
    commit(store, poll(&key, &["tea"], 0)).await;
    let revoke = Change::Revoke { key: key.clone(), by: bob(), at: at(5) };
    commit(store, [vote(&key, &me(), 4, &["tea"]), sealed(&key, 4), revoke]).await;
    commit(
        store,
        [
            vote(&key, &ada(), 6, &["tea"]),
            sealed(&key, 6),
            Change::PutMessageSecret { key: key.clone(), secret: [1; 32].into() },
            Change::Edit(Box::new(Edit::new(key.clone(), "E", Some("late".to_owned()), at(7)))),
        ],
    )
    .await;
    assert!(store.additions(&key).await.unwrap().is_empty());
    assert!(store.sealed(&key).await.unwrap().is_empty());
    assert_eq!(store.message_secret(&key).await.unwrap(), None);
    assert_eq!(store.message(&key).await.unwrap().unwrap().text, None);
}

/// All orders of so many things.
fn orders(length: usize) -> Vec<Vec<usize>> {
    let Some(last) = length.checked_sub(1) else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for shorter in orders(last) {
        for place in 0..length {
            let mut order = shorter.clone();
            order.insert(place, last);
            all.push(order);
        }
    }
    all
}

pub(crate) async fn whatever_the_order_the_archive_is_the_same(store: &dyn Store) {
    let edit = |key: &MessageKey, id: &str, ms| {
        let mut edit = Edit::new(key.clone(), id, Some(id.to_owned()), at(7));
        edit.sender_ms = ms;
        Change::Edit(Box::new(edit))
    };
    let react = |key: &MessageKey, emoji: &str, ms| {
        let mut reaction = Reaction::new(key.clone(), me(), emoji, at(7));
        reaction.sender_ms = ms;
        Change::React(Box::new(reaction))
    };
    let mut expected = None;
    for (round, order) in orders(5).into_iter().enumerate() {
        let seen = |with_revoke: bool| format!("{}{round}", if with_revoke { "R" } else { "P" });
        let mut shown = Vec::new();
        for with_revoke in [false, true] {
            let key = in_group(&seen(with_revoke));
            let [message, asks] = poll(&key, &["tea", "coffee"], 1);
            let last = match with_revoke {
                false => vec![vote(&key, &ada(), 9, &["tea"]), react(&key, "👍", 1)],
                true => vec![Change::Revoke { key: key.clone(), by: bob(), at: at(9) }],
            };
            let steps = [
                vec![message, asks, Change::SetStarred { key: key.clone(), starred: false }],
                vec![edit(&key, "EA", 1), vote(&key, &me(), 8, &["coffee"])],
                vec![edit(&key, "EB", 2), vote(&key, &me(), 7, &["tea"])],
                vec![react(&key, "🎉", 2), add(&key, &ada(), 3, Added::PollOption("x".into()))],
                last,
            ];
            for step in &order {
                commit(store, steps[*step].clone()).await;
            }
            let message = store.message(&key).await.unwrap().unwrap();
            shown.push((
                (message.kind, message.timestamp, message.text, message.edited_at),
                (message.revoked, message.raw.len(), message.status),
                store.poll(&key).await.unwrap(),
                store.reactions(&key).await.unwrap().pop().map(|reaction| reaction.emoji),
                store.text_versions(&key).await.unwrap(),
            ));
        }
        assert_eq!(expected.get_or_insert(shown.clone()), &shown, "in the order {order:?}");
    }
    let expected = expected.unwrap();
    assert_eq!(expected[0].0.2.as_deref(), Some("EB"));
    assert_eq!(expected[0].3.as_deref(), Some("🎉"));
    assert_eq!(expected[0].2.as_ref().unwrap().voters, 2);
    assert!(expected[1].1.0.is_some() && expected[1].2.is_none() && expected[1].3.is_none());
}

fn sealed(target: &MessageKey, seconds: i64) -> Change {
    Change::PutSealed(Box::new(SealedAddition {
        target: target.clone(),
        author: ada(),
        from_me: false,
        moment: Moment::new(at(seconds), format!("S{seconds}")),
        raw: [seconds.unsigned_abs() as u8; 9].into(),
    }))
}

pub(crate) async fn a_sealed_addition_waits_for_the_secret_of_its_message(store: &dyn Store) {
    let key = in_group("P");
    let waiting = commit(store, [sealed(&key, 6), sealed(&key, 5), sealed(&key, 5)]).await;
    assert!(waiting.openable.is_empty());
    assert!(store.openable(9).await.unwrap().is_empty());
    let secret = Change::PutMessageSecret { key: key.clone(), secret: [1; 32].into() };
    assert_eq!(commit(store, [secret]).await.openable, std::slice::from_ref(&key));
    assert_eq!(store.openable(9).await.unwrap(), std::slice::from_ref(&key));
    let found = store.sealed(&key).await.unwrap();
    let ids: Vec<_> = found.iter().map(|sealed| sealed.moment.id.as_str()).collect();
    assert_eq!(ids, ["S5", "S6"]);
    assert_eq!((found[0].raw.as_bytes(), &found[0].author), (&[5; 9][..], &ada()));
    let remove = Change::RemoveSealed { target: key.clone(), author: ada(), id: "S5".into() };
    commit(store, [remove]).await;
    assert_eq!(store.sealed(&key).await.unwrap().len(), 1);
    let next = commit(store, [sealed(&key, 7)]).await;
    assert_eq!(next.openable, [key], "the secret was there first");
}

pub(crate) async fn what_did_not_open_is_tried_again_under_another_name(store: &dyn Store) {
    let key = MessageKey::received(ada(), ada(), "P");
    let secret = Change::PutMessageSecret { key: key.clone(), secret: [1; 32].into() };
    commit(store, [secret, sealed(&key, 5)]).await;
    let tried = Change::SetSealedTried { target: key.clone(), author: ada(), id: "S5".into() };
    commit(store, [tried]).await;
    assert!(store.openable(9).await.unwrap().is_empty());
    assert_eq!(store.sealed(&key).await.unwrap().len(), 1);
    commit(store, [Change::LearnLid { phone: ada(), lid: ada_lid() }]).await;
    let openable = store.openable(9).await.unwrap();
    assert_eq!(openable, [MessageKey::received(ada_lid(), ada_lid(), "P")]);
    assert_eq!(store.sealed(&key).await.unwrap()[0].author, ada_lid());
}

pub(crate) async fn sealed_additions_are_bounded_in_number_and_time(store: &dyn Store) {
    let key = in_group("P");
    let many = i64::try_from(MAX_SEALED_PER_TARGET).unwrap() + 3;
    commit(store, (0..many).map(|seconds| sealed(&key, seconds))).await;
    let kept = store.sealed(&key).await.unwrap();
    assert_eq!((kept.len(), kept[0].moment.at), (MAX_SEALED_PER_TARGET, at(3)));
    let now = at(many - 1 + SEALED_RETENTION_SECS);
    while commit(store, [Change::Upkeep { now }]).await.upkeep_left {}
    assert_eq!(store.sealed(&key).await.unwrap().len(), 1);
}

pub(crate) async fn disappearing_messages_go_in_time_unless_kept(store: &dyn Store) {
    let message = |id: &str, expires_at: Option<Timestamp>| {
        let mut message = text(&bob(), id, 1, id);
        message.expires_at = expires_at;
        archive(message)
    };
    let key = |id: &str| text(&bob(), id, 1, "").key;
    let keep = |id: &str, seconds, kept| add(&key(id), &me(), seconds, Added::Keep { kept });
    let star = Change::SetStarred { key: key("starred"), starred: true };
    commit(
        store,
        [
            keep("kept", 2, true),
            message("kept", Some(at(10))),
            message("unkept", Some(at(10))),
            keep("unkept", 3, true),
            keep("unkept", 4, false),
            message("starred", Some(at(10))),
            star,
            message("later", Some(at(11))),
            message("ever", None),
        ],
    )
    .await;
    assert_eq!(store.next_expiry().await.unwrap(), Some(at(10)));
    let expired = commit(store, [Change::ExpireMessages { now: at(10) }]).await;
    let ids: Vec<_> = expired.altered.iter().map(|one| (one.key.id.as_str(), one.what)).collect();
    assert_eq!(ids, [("unkept", Alteration::Expired), ("starred", Alteration::Expired)]);
    assert_eq!(expired.altered[0].by, None);
    for (id, is_there) in [("kept", true), ("unkept", false), ("later", true), ("ever", true)] {
        assert_eq!(store.message(&key(id)).await.unwrap().is_some(), is_there, "{id}");
    }
    assert_eq!(store.next_expiry().await.unwrap(), Some(at(11)), "what is kept is not due");
    let kept = store.message(&key("kept")).await.unwrap().unwrap();
    assert_eq!(kept.expires_at, Some(at(10)));
    commit(store, [keep("kept", 20, false), Change::ExpireMessages { now: at(20) }]).await;
    assert_eq!(store.stats().await.unwrap().messages, 1);
}

pub(crate) async fn comments_are_found_on_their_message(store: &dyn Store) {
    let key = in_group("M");
    let comment = |id: &str, seconds| {
        let place = MessageKey::received(group(), ada(), id);
        let mut comment = NewMessage::new(place, at(seconds), MessageKind::COMMENT);
        (comment.text, comment.reply_to) = (Some(id.to_owned()), Some("M".into()));
        archive(comment)
    };
    let before = commit(store, [comment("second", 9)]).await;
    assert!(before.altered.is_empty());
    let message = NewMessage::text(key.clone(), at(1), "commented on");
    let after = commit(store, [archive(message), comment("first", 5)]).await;
    assert_eq!(after.altered[0].what, Alteration::Commented);
    assert_eq!((&after.altered[0].key, &after.altered[0].by), (&key, &Some(ada())));
    let comments = store.comments(&key).await.unwrap();
    let said: Vec<_> = comments.iter().filter_map(|one| one.text.as_deref()).collect();
    assert_eq!(said, ["first", "second"]);
}

pub(crate) async fn what_a_commit_altered_is_told(store: &dyn Store) {
    let key = in_group("P");
    let edit = Change::Edit(Box::new(Edit::new(key.clone(), "E", Some("?".into()), at(7))));
    let react = |seconds| {
        let reaction = Reaction::new(key.clone(), ada().with_device(2), "👍", at(seconds));
        Change::React(Box::new(reaction))
    };
    let revoke = Change::Revoke { key: key.clone(), by: me(), at: at(9) };
    let before = commit(store, [edit.clone(), react(6), vote(&key, &me(), 6, &["tea"])]).await;
    assert!(before.altered.is_empty(), "nobody saw the message yet");
    let arrived = commit(store, poll(&key, &["tea"], 1)).await;
    assert!(arrived.altered.is_empty());
    let keep = add(&key, &me(), 8, Added::Keep { kept: true });
    let option = add(&key, &bob(), 8, Added::PollOption("water".into()));
    let changes = [
        (edit, None),
        (react(5), None),
        (react(7), Some((ada(), Alteration::Reacted))),
        (vote(&key, &me(), 5, &[]), None),
        (vote(&key, &me(), 7, &[]), Some((me(), Alteration::PollVoted))),
        (option, Some((bob(), Alteration::PollChanged))),
        (keep, Some((me(), Alteration::Kept))),
        (revoke.clone(), Some((me(), Alteration::Revoked))),
        (revoke, None),
        (react(9), None),
    ];
    for (change, told) in changes {
        let said = format!("{change:?}");
        let altered = commit(store, [change]).await.altered;
        let altered = altered.into_iter().next();
        assert!(altered.iter().all(|altered| altered.key == key));
        assert_eq!(altered.map(|one| (one.by.unwrap(), one.what)), told, "{said}");
    }
}
