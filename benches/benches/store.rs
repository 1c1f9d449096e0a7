//! The SQLCipher store: commits, and searches in 100,000 messages.
//!
//! The fixture is made once per run; its folder stays with the other temporary files.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a benchmark that fails may panic"
)]

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use divan::{Bencher, black_box};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng as _, SeedableRng as _},
};
use tokio::runtime::Runtime;
use wa_proto::Jid;
use wa_store::{
    Change, Changes, DatabaseKey, MessageKey, NewMessage, PendingReceipt, SearchOrder, SearchQuery,
    Seen, SqliteStore, Store, Timestamp,
};

fn main() {
    divan::main();
}

/// How many messages the fixture holds.
const MESSAGES: u64 = 100_000;

/// How many messages share a transaction while the fixture is made, as in a drained backlog.
const BATCH: u64 = 400;

/// Words as frequent as in talk: the first of them stand in most messages, the last in few.
const WORDS: [&str; 40] = [
    "the",
    "you",
    "and",
    "that",
    "have",
    "for",
    "not",
    "with",
    "this",
    "but",
    "from",
    "they",
    "lunch",
    "tomorrow",
    "okay",
    "thanks",
    "meeting",
    "photo",
    "school",
    "train",
    "dinner",
    "please",
    "evening",
    "kitchen",
    "football",
    "birthday",
    "holiday",
    "doctor",
    "garden",
    "receipt",
    "umbrella",
    "mountain",
    "guitar",
    "insurance",
    "chocolate",
    "telescope",
    "parrot",
    "lighthouse",
    "xylophone",
    "zeppelin",
];

const CHINESE: [&str; 6] =
    ["我明天去北京", "今天吃什么", "晚上开会", "谢谢你", "周末去爬山", "上海下雨了"];

struct Fixture {
    runtime: Runtime,
    store: SqliteStore,
    _folder: tempfile::TempDir,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let fixture = empty();
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let start = Instant::now();
    for batch in 0..MESSAGES / BATCH {
        let from = batch * BATCH;
        let changes = (from..from + BATCH).map(|n| message(n, said(n, &mut random))).collect();
        fixture.runtime.block_on(fixture.store.commit(changes)).unwrap();
    }
    let took = start.elapsed();
    let rate = MESSAGES as f64 / took.as_secs_f64();
    eprintln!("{MESSAGES} messages in batches of {BATCH}: {took:.2?}, {rate:.0} messages/s");
    fixture
});

fn empty() -> Fixture {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wa.db");
    let store = runtime.block_on(SqliteStore::open(path, DatabaseKey::from_bytes([1; 32])));
    Fixture { runtime, store: store.unwrap(), _folder: folder }
}

/// Some 12 words; each place in the list half as likely as four places before.
fn said(n: u64, random: &mut ChaCha8Rng) -> String {
    if n.is_multiple_of(50) {
        return CHINESE[(n / 50) as usize % CHINESE.len()].to_owned();
    }
    let count = 4 + random.next_u32() % 16;
    let mut words = Vec::new();
    for _ in 0..count {
        let place = random.next_u64().leading_zeros() as usize * 4;
        let place = (place + (random.next_u32() % 4) as usize).min(WORDS.len() - 1);
        words.push(WORDS[place].to_owned());
    }
    if n == MESSAGES / 3 {
        words.push("archaeopteryx".to_owned());
    }
    words.push(format!("{:x}", random.next_u32() % 20_000));
    words.join(" ")
}

fn message(n: u64, text: String) -> Change {
    let sender = Jid::lid(format!("9{:05}", n % 300));
    let chat =
        if n.is_multiple_of(3) { Jid::group(format!("1203{}", n % 40)) } else { sender.clone() };
    let key = MessageKey::received(chat, sender, format!("3EB0{n:016X}"));
    let mut new = NewMessage::text(key, Timestamp::from_secs(1_600_000_000 + n as i64 * 60), text);
    new.raw = new.text.as_deref().unwrap_or_default().as_bytes().into();
    Change::Archive(Box::new(new))
}

static NEXT: AtomicU64 = AtomicU64::new(MESSAGES);

#[divan::bench(args = [1, 100], sample_count = 200, sample_size = 1)]
fn commit(bencher: Bencher<'_, '_>, messages: u64) {
    let fixture = empty();
    let mut random = ChaCha8Rng::seed_from_u64(8);
    bencher
        .counter(divan::counter::ItemsCount::new(messages))
        .with_inputs(|| {
            let from = NEXT.fetch_add(messages, Ordering::Relaxed);
            (from..from + messages).map(|n| message(n, said(n, &mut random))).collect::<Changes>()
        })
        .bench_local_values(|changes| {
            fixture.runtime.block_on(fixture.store.commit(changes)).unwrap()
        });
}

/// What is committed of a message from a backlog besides the message.
fn received(n: u64, random: &mut ChaCha8Rng, changes: &mut Changes) {
    let device = Jid::lid(format!("9{:05}", n % 300)).with_device(1);
    let at = Timestamp::from_secs(1_600_000_000 + n as i64 * 60);
    let mut hash = [0; 32];
    random.fill_bytes(&mut hash);
    let archive = message(n, said(n, random));
    if let Change::Archive(new) = &archive {
        let secret = [7; 32].into();
        changes.push(Change::PutMessageSecret { key: new.key.clone(), secret });
    }
    changes.push(Change::PutSession { device, record: vec![7; 900].into() });
    changes.push(Change::MarkSeen { seen: Seen(hash), at });
    changes.push(archive);
    changes.push(Change::PutReceipt(PendingReceipt {
        name: format!("receipt/{n:x}"),
        stanza: vec![7; 90],
        created_at: at,
    }));
    changes.push(Change::RemoveReceipt(format!("receipt/{:x}", n - 64)));
}

#[divan::bench(sample_count = 100, sample_size = 1)]
fn commit_a_backlog_batch_of_64(bencher: Bencher<'_, '_>) {
    let fixture = &*FIXTURE;
    let mut random = ChaCha8Rng::seed_from_u64(9);
    bencher
        .counter(divan::counter::ItemsCount::new(64_u64))
        .with_inputs(|| {
            let from = NEXT.fetch_add(64, Ordering::Relaxed);
            let mut changes = Changes::new();
            (from..from + 64).for_each(|n| received(n, &mut random, &mut changes));
            changes
        })
        .bench_local_values(|changes| {
            fixture.runtime.block_on(fixture.store.commit(changes)).unwrap()
        });
}

/// Several commits asked for at once, as by sends to different chats.
#[divan::bench(args = [1, 8], sample_count = 100, sample_size = 1)]
fn commits_at_once(bencher: Bencher<'_, '_>, commits: u64) {
    let fixture = empty();
    let mut random = ChaCha8Rng::seed_from_u64(10);
    bencher
        .counter(divan::counter::ItemsCount::new(commits))
        .with_inputs(|| {
            let from = NEXT.fetch_add(commits, Ordering::Relaxed);
            (from..from + commits).map(|n| message(n, said(n, &mut random))).collect::<Vec<_>>()
        })
        .bench_local_values(|messages| {
            let commits = messages.into_iter().map(|m| fixture.store.commit(Changes::from(m)));
            fixture.runtime.block_on(futures_util::future::try_join_all(commits)).unwrap()
        });
}

#[divan::bench(sample_count = 100, sample_size = 1)]
fn look_up_beside_four_searches(bencher: Bencher<'_, '_>) {
    let fixture = &*FIXTURE;
    let mut query = SearchQuery::new("the");
    query.filter.chat = Some(Jid::lid("900299"));
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let mut hash = [0; 32];
    bencher.bench_local(|| {
        random.fill_bytes(&mut hash);
        let seen = Seen(hash);
        let searches = async {
            let search = || fixture.store.search(&query);
            loop {
                let _ = tokio::join!(search(), search(), search(), search());
            }
        };
        fixture.runtime.block_on(async {
            tokio::select! {
                biased;
                () = searches => {}
                seen = fixture.store.is_seen(&seen) => assert!(!seen.unwrap()),
            }
        });
    });
}

fn search(bencher: Bencher<'_, '_>, query: SearchQuery, finds: bool) {
    let fixture = &*FIXTURE;
    let page = fixture.runtime.block_on(fixture.store.search(&query)).unwrap();
    assert_eq!(!page.hits.is_empty(), finds);
    bencher
        .bench_local(|| fixture.runtime.block_on(fixture.store.search(black_box(&query))).unwrap());
}

#[divan::bench(sample_count = 50, args = [
    "archaeopteryx", "lunch", "the", "\"lunch\"", "lun*", "to", "北京", "山", "elesco", "lunch guitar", "absentword",
])]
fn search_newest_first(bencher: Bencher<'_, '_>, query: &str) {
    search(bencher, SearchQuery::new(query), query != "absentword");
}

#[divan::bench(sample_count = 20, args = ["archaeopteryx", "lunch", "the"])]
fn search_ranked(bencher: Bencher<'_, '_>, query: &str) {
    let mut query = SearchQuery::new(query);
    query.order = SearchOrder::Ranked;
    search(bencher, query, true);
}

#[divan::bench(sample_count = 20)]
fn search_common_word_in_a_rare_chat(bencher: Bencher<'_, '_>) {
    let mut query = SearchQuery::new("lunch");
    query.filter.chat = Some(Jid::lid("900299"));
    search(bencher, query, true);
}
