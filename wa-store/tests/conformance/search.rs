//! What a search finds, in which order, and how its pages hold together.

use wa_store::{
    Change, Edit, MessageKey, MessageKind, NewMessage, SearchOrder, SearchQuery, Seq, Store,
    StoreError,
};

use super::samples::{ada, ada_lid, archive, at, bob, commit, group, me, text};

async fn put(store: &dyn Store, texts: &[&str]) {
    let messages = texts.iter().zip(1..);
    commit(store, messages.map(|(said, n)| archive(text(&bob(), &n.to_string(), n, said)))).await;
}

/// The numbers of the messages a search finds.
async fn find(store: &dyn Store, query: &str) -> Vec<u64> {
    let page = store.search(&SearchQuery::new(query)).await.unwrap();
    page.hits.iter().map(|hit| hit.message.seq.0).collect()
}

async fn assert_finds(store: &dyn Store, expected: &[(&str, &[u64])]) {
    for (query, seqs) in expected {
        assert_eq!(find(store, query).await, *seqs, "{query}");
    }
}

pub(crate) async fn words_are_found_in_many_scripts(store: &dyn Store) {
    put(
        store,
        &[
            "Lunch on Monday?",
            "我明天去北京",
            "東京タワーで会いましょう",
            "내일 한국에서 만나요",
            "Встретимся в понедельник",
            "نلتقي يوم الاثنين",
            "शुभ प्रभात दोस्त",
            "สวัสดีครับเพื่อน",
            "Τα λέμε την Δευτέρα",
            "להתראות ביום שני",
            "ជំរាបសួរអ្នក",
            "Happy birthday 🎉🎂",
        ],
    )
    .await;
    assert_finds(
        store,
        &[
            ("monday", &[1]),
            ("京", &[3, 2]),
            ("北京", &[2]),
            ("東京", &[3]),
            ("タワー", &[3]),
            ("한국", &[4]),
            ("понедельник", &[5]),
            ("الاثنين", &[6]),
            ("प्रभात", &[7]),
            ("สวัสดี", &[8]),
            ("เพื่อน", &[8]),
            ("δευτερα", &[9]),
            ("שני", &[10]),
            ("សួរ", &[11]),
            ("🎂", &[12]),
            ("京北", &[]),
            ("tuesday", &[]),
        ],
    )
    .await;
}

pub(crate) async fn accents_case_and_width_do_not_matter(store: &dyn Store) {
    put(
        store,
        &["Café au lait", "cafe\u{301} NOIR", "STRASSE", "Straße", "ＦＵＬＬ width", "İzmir"],
    )
    .await;
    assert_finds(
        store,
        &[
            ("cafe", &[2, 1]),
            ("CAFÉ", &[2, 1]),
            ("straße", &[4, 3]),
            ("full", &[5]),
            ("izmir", &[6]),
            ("ＣＡＦＥ noir", &[2]),
        ],
    )
    .await;
}

pub(crate) async fn parts_of_words_are_found(store: &dyn Store) {
    put(store, &["mitochondria", "a tochond too", "go to town", "Donaudampfschifffahrt", "auto"])
        .await;
    assert_finds(
        store,
        &[
            ("chond", &[2, 1]),
            ("mito", &[1]),
            ("dria", &[1]),
            ("schiff", &[4]),
            ("to", &[3, 2]),
            ("a", &[5, 2]),
            ("tow", &[3]),
            ("xyz", &[]),
        ],
    )
    .await;
}

pub(crate) async fn phrases_prefixes_and_exclusions_hold(store: &dyn Store) {
    put(store, &["see you later", "you see later", "see your lattes", "mail ada@example.org"])
        .await;
    assert_finds(
        store,
        &[
            ("later see", &[2, 1]),
            ("\"see you\"", &[1]),
            ("\"see you\"*", &[3, 1]),
            ("lat*", &[3, 2, 1]),
            ("att*", &[]),
            ("see -later", &[3]),
            ("see -lat*", &[]),
            ("see -\"you later\"", &[3, 2]),
            ("ada@example.org", &[4]),
        ],
    )
    .await;
}

pub(crate) async fn no_text_is_an_error(store: &dyn Store) {
    put(store, &["a harmless message", "NEAR( OR AND *"]).await;
    for query in [
        "",
        " ",
        "\"",
        "\"\"",
        "*",
        "-",
        "--",
        "'",
        ";",
        "?!",
        "^",
        "$",
        "a^",
        "^a",
        "NEAR(",
        "NEAR(a b, 3)",
        "a AND",
        "OR",
        "NOT a",
        "(",
        ")",
        "{x}",
        "text:a",
        "a:b",
        "a + b",
        "\\",
        "%",
        "_",
        "\0",
        "\u{feff}",
        "\"a\" \"b",
        "a*b*c",
        "***a***",
        "-\"",
        "' OR 1=1 --",
        "\u{301}",
        "京*",
        "-京",
        "\u{d7a3}\u{11ff}",
    ] {
        let found = store.search(&SearchQuery::new(query)).await;
        // What only leaves out is refused, and told why.
        let is_told = query == "-京" && matches!(found, Err(StoreError::SearchOnlyExcludes));
        assert!(found.is_ok() || is_told, "{query:?}: {found:?}");
    }
    assert_finds(store, &[("near or and", &[2]), ("(harmless)", &[1])]).await;
    let long = "word ".repeat(1_000);
    let refused = store.search(&SearchQuery::new(long)).await;
    assert!(matches!(refused, Err(StoreError::SearchTooLong)), "{refused:?}");
    let many = "a".repeat(1_024);
    assert!(store.search(&SearchQuery::new(many)).await.is_ok());
}

pub(crate) async fn every_filter_holds(store: &dyn Store) {
    let mut image =
        NewMessage::new(MessageKey::sent(group(), me(), "E"), at(50), MessageKind::new("image"));
    image.text = Some("lunch photo".to_owned());
    commit(
        store,
        [
            archive(text(&ada(), "A", 10, "lunch")),
            archive(text(&bob(), "B", 20, "lunch")),
            archive(NewMessage::text(MessageKey::received(group(), ada(), "C"), at(30), "lunch")),
            archive(NewMessage::text(MessageKey::received(group(), bob(), "D"), at(40), "lunch")),
            archive(image),
            Change::LearnLid { phone: ada(), lid: ada_lid() },
        ],
    )
    .await;
    let find = async |change: &dyn Fn(&mut SearchQuery)| {
        let mut found = Vec::new();
        for order in [SearchOrder::NewestFirst, SearchOrder::Ranked] {
            let mut query = SearchQuery::new("lunch");
            query.order = order;
            change(&mut query);
            let page = store.search(&query).await.unwrap();
            let mut ids: Vec<_> =
                page.hits.iter().map(|hit| hit.message.key.id.to_string()).collect();
            ids.sort();
            found.push(ids.concat());
        }
        assert_eq!(found[0], found[1]);
        found.remove(0)
    };
    assert_eq!(find(&|_| {}).await, "ABCDE");
    assert_eq!(find(&|query| query.filter.chat = Some(group())).await, "CDE");
    assert_eq!(find(&|query| query.filter.sender = Some(ada())).await, "AC");
    assert_eq!(find(&|query| query.filter.sender = Some(ada_lid())).await, "AC");
    assert_eq!(find(&|query| query.filter.kind = Some(MessageKind::TEXT)).await, "ABCD");
    assert_eq!(find(&|query| query.filter.from_me = Some(true)).await, "E");
    assert_eq!(find(&|query| query.filter.since = Some(at(30))).await, "CDE");
    assert_eq!(find(&|query| query.filter.until = Some(at(30))).await, "AB");
}

pub(crate) async fn the_newest_come_first_and_pages_do_not_shift(store: &dyn Store) {
    for n in 1..=25 {
        commit(store, [archive(text(&bob(), &n.to_string(), 100 - n, "common word"))]).await;
    }
    let mut query = SearchQuery::new("common");
    query.limit = 10;
    let mut found = Vec::new();
    loop {
        let page = store.search(&query).await.unwrap();
        found.extend(page.hits.iter().map(|hit| hit.message.seq.0));
        let Some(cursor) = page.cursor else { break };
        // What arrives between two pages, and a cursor kept as text, change nothing.
        commit(store, [archive(text(&ada(), &found.len().to_string(), 200, "common too"))]).await;
        query.cursor = Some(cursor.to_string().parse().unwrap());
    }
    // The last that was committed is the oldest.
    assert_eq!(found, (1..=25).collect::<Vec<u64>>());
}

pub(crate) async fn the_best_come_first_and_pages_do_not_shift(store: &dyn Store) {
    put(
        store,
        &[
            "a party in the evening with many people and much music until late",
            "art",
            "artist",
            "party",
            "the art of art",
            "nothing",
        ],
    )
    .await;
    let mut query = SearchQuery::new("art");
    (query.order, query.limit) = (SearchOrder::Ranked, 2);
    let mut found = Vec::new();
    loop {
        let page = store.search(&query).await.unwrap();
        found.extend(page.hits.iter().map(|hit| (hit.message.seq, hit.rank)));
        let Some(cursor) = page.cursor else { break };
        commit(store, [archive(text(&ada(), &found.len().to_string(), 200, "art"))]).await;
        query.cursor = Some(cursor);
    }
    let order: Vec<_> = found.iter().map(|(seq, _)| seq.0).collect();
    assert_eq!(order, [2, 5, 3, 4, 1]);
    assert!(found.windows(2).all(|pair| pair[0].1 >= pair[1].1));
}

pub(crate) async fn edits_and_revocations_change_what_is_found(store: &dyn Store) {
    put(store, &["first words", "second words", "third words"]).await;
    let key = |id: &str| MessageKey::received(bob(), bob(), id);
    let edit = Edit::new(key("1"), "E", Some("other words".to_owned()), at(9));
    commit(
        store,
        [
            Change::Edit(Box::new(edit)),
            Change::Revoke { key: key("2"), by: bob(), at: at(9) },
            Change::DeleteMessage(key("3")),
        ],
    )
    .await;
    assert_finds(
        store,
        &[("first", &[]), ("other", &[1]), ("second", &[]), ("third", &[]), ("words", &[1])],
    )
    .await;
}

pub(crate) async fn highlights_stand_in_the_original_text(store: &dyn Store) {
    put(store, &["Tea at the CAFÉ, cafe\u{301}s", "我在北京，北京！", "prelunchtime"]).await;
    for (query, shown) in [
        ("cafe", "Tea at the [CAFÉ], [cafe\u{301}]s"),
        ("北京", "我在[北京]，[北京]！"),
        ("lunch time*", ""),
        ("lunch", "pre[lunch]time"),
    ] {
        let page = store.search(&SearchQuery::new(query)).await.unwrap();
        let marked = page
            .hits
            .first()
            .map(|hit| hit.snippet.marked(hit.message.text.as_deref().unwrap(), "[", "]"));
        assert_eq!(marked.unwrap_or_default(), shown, "{query}");
    }
}

pub(crate) async fn a_cursor_of_another_order_is_refused(store: &dyn Store) {
    put(store, &["word", "word"]).await;
    let mut query = SearchQuery::new("word");
    query.limit = 1;
    let page = store.search(&query).await.unwrap();
    assert_eq!(page.hits[0].message.seq, Seq(2));
    (query.cursor, query.order) = (page.cursor, SearchOrder::Ranked);
    assert!(matches!(store.search(&query).await, Err(StoreError::BadCursor)));
}

pub(crate) async fn imported_history_comes_after_what_is_newer(store: &dyn Store) {
    commit(store, [archive(text(&bob(), "yesterday", 1_000, "a word"))]).await;
    let history = (1..=5).map(|n| archive(text(&bob(), &n.to_string(), n * 10, "an older word")));
    commit(store, history.collect::<Vec<_>>()).await;
    let mut query = SearchQuery::new("word");
    query.limit = 2;
    let mut found = Vec::new();
    loop {
        let page = store.search(&query).await.unwrap();
        found.extend(page.hits.iter().map(|hit| hit.message.key.id.to_string()));
        let Some(cursor) = page.cursor else { break };
        query.cursor = Some(cursor.to_string().parse().unwrap());
        // More history comes between two pages: what was given does not come again.
        let id = format!("late {}", found.len());
        commit(store, [archive(text(&ada(), &id, 5_000, "a word of tomorrow"))]).await;
    }
    assert_eq!(found, ["yesterday", "5", "4", "3", "2", "1"]);
}

pub(crate) async fn a_query_that_only_leaves_out_is_refused(store: &dyn Store) {
    put(store, &["one word"]).await;
    for query in ["-see", "-a -\"b c\""] {
        let refused = store.search(&SearchQuery::new(query)).await.unwrap_err();
        assert!(matches!(refused, StoreError::SearchOnlyExcludes), "{query}");
        assert!(refused.to_string().contains("add a word"));
    }
}

/// A message of many, with parts that are common and rare, and in another order than that of time.
fn one_of_many(n: i64) -> NewMessage {
    let chat = match n % 7 {
        0 => group(),
        1 => ada(),
        _ => bob(),
    };
    let (id, time) = (format!("N{n}"), at((n * 7_919) % 1_000));
    let key = match n % 5 {
        0 => MessageKey::sent(chat, me(), id),
        _ if chat == group() => {
            MessageKey::received(chat, if n % 2 == 0 { ada() } else { bob() }, id)
        }
        _ => MessageKey::received(chat.clone(), chat, id),
    };
    let kind = if n % 11 == 0 { MessageKind::new("image") } else { MessageKind::TEXT };
    let mut message = NewMessage::new(key, time, kind);
    let mut text = "the common words".to_owned();
    for (every, word) in [(3, " umbrella"), (97, " zeppelin")] {
        if n % every == 0 {
            text.push_str(word);
        }
    }
    message.text = Some(text);
    message
}

pub(crate) async fn any_two_filters_find_what_reading_everything_finds(store: &dyn Store) {
    const MANY: i64 = 900;
    commit(store, (1..=MANY).map(|n| archive(one_of_many(n))).collect::<Vec<_>>()).await;
    type Filter = (fn(&mut wa_store::MessageFilter), fn(&NewMessage) -> bool);
    let filters: [Filter; 8] = [
        (|filter| filter.chat = Some(group()), |message| message.key.chat == group()),
        (|filter| filter.chat = Some(ada()), |message| message.key.chat == ada()),
        (|filter| filter.sender = Some(ada()), |message| message.key.sender == ada()),
        (|filter| filter.kind = Some(MessageKind::new("image")), |m| m.kind.as_str() == "image"),
        (|filter| filter.from_me = Some(true), |message| message.key.from_me),
        (|filter| filter.since = Some(at(700)), |message| message.timestamp >= at(700)),
        (|filter| filter.until = Some(at(300)), |message| message.timestamp < at(300)),
        (|filter| filter.kind = Some(MessageKind::TEXT), |m| m.kind == MessageKind::TEXT),
    ];
    for word in ["common", "zeppelin", "absent", ""] {
        for (one, other) in (0..8).flat_map(|one| (0..8).map(move |other| (one, other))) {
            let mut filter = wa_store::MessageFilter::default();
            (filters[one].0)(&mut filter);
            (filters[other].0)(&mut filter);
            // Of two chats, and of two kinds, the one that was named last counts.
            let replaced = matches!((one, other), (0 | 1, 0 | 1) | (3 | 7, 3 | 7));
            let passes = |message: &NewMessage| {
                (replaced || filters[one].1(message))
                    && filters[other].1(message)
                    && message.text.as_deref().unwrap().contains(word)
            };
            let mut wanted: Vec<_> = (1..=MANY)
                .map(|n| (one_of_many(n), n))
                .filter(|(message, _)| passes(message))
                .map(|(message, n)| (message.timestamp, n))
                .collect();
            wanted.sort_unstable_by(|a, b| b.cmp(a));
            let wanted: Vec<String> = wanted.iter().map(|(_, n)| format!("N{n}")).collect();
            let found: Vec<String> = match word {
                "" => listed(store, &filter).await,
                word => searched(store, word, &filter).await,
            };
            assert_eq!(found, wanted, "{word:?} with the filters {one} and {other}");
        }
    }
}

/// All pages of a search.
async fn searched(store: &dyn Store, word: &str, filter: &wa_store::MessageFilter) -> Vec<String> {
    let mut query = SearchQuery::new(word);
    (query.filter, query.limit) = (filter.clone(), 120);
    let mut found = Vec::new();
    loop {
        let page = store.search(&query).await.unwrap();
        found.extend(page.hits.iter().map(|hit| hit.message.key.id.to_string()));
        match page.cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return found,
        }
    }
}

/// All pages of a list, from the newest; and from the oldest the same.
async fn listed(store: &dyn Store, filter: &wa_store::MessageFilter) -> Vec<String> {
    let mut found = Vec::new();
    for order in [wa_store::Order::NewestFirst, wa_store::Order::OldestFirst] {
        let mut query = wa_store::MessageQuery::default();
        (query.filter, query.limit, query.order) = (filter.clone(), 170, order);
        let mut ids = Vec::new();
        loop {
            let page = store.messages(&query).await.unwrap();
            ids.extend(page.iter().map(|message| message.key.id.to_string()));
            let Some(last) = page.last() else { break };
            match order {
                wa_store::Order::OldestFirst => query.after = Some(last.seq),
                _ => query.before = Some(last.seq),
            }
        }
        found.push(ids);
    }
    let oldest_first: Vec<_> = found.pop().unwrap().into_iter().rev().collect();
    assert_eq!(found[0], oldest_first);
    oldest_first
}
