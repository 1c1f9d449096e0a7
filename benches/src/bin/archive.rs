//! What a large archive costs: searches and lists with two filters, expiry with nothing to expire, and
//! how long another commit waits while a chat is being removed.
//!
//! ```text
//! cargo run --release -p wa-benches --bin archive -- --keep /tmp/archive
//! ```

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::Parser;
use wa_proto::Jid;
use wa_store::{
    Change, Changes, DatabaseKey, MessageFilter, MessageKey, MessageKind, MessageQuery, NewMessage,
    SearchQuery, SqliteStore, Store, Timestamp,
};

/// Measures the store with a large archive.
#[derive(Parser)]
struct Arguments {
    /// How many messages the archive holds.
    #[arg(long, default_value_t = 1_000_000)]
    messages: u64,
    /// How often each thing is measured.
    #[arg(long, default_value_t = 30)]
    rounds: usize,
    /// Keeps the archive in this folder, or takes the one that was kept there.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Removes a chat of 30,000 messages at the end.
    #[arg(long)]
    remove: bool,
}

/// How many messages are put with one commit.
const BATCH: u64 = 1_000;

/// The chat that is removed, and its messages.
const LARGE: (&str, u64) = ("777", 30_000);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let kept = arguments.keep.as_deref().unwrap_or(folder.path());
    let store = open(kept).await?;
    if store.last_seq().await?.0 == 0 {
        fill(&store, arguments.messages).await?;
    }
    for (what, word, filter) in questions() {
        let mut times = Vec::new();
        let mut found = 0;
        for _ in 0..arguments.rounds {
            let began = Instant::now();
            found = ask(&store, word, &filter).await?;
            times.push(began.elapsed());
        }
        tell(&format!("{what} ({found} found)"), times)?;
    }
    let mut times = Vec::new();
    for _ in 0..arguments.rounds {
        let began = Instant::now();
        store.commit(Change::ExpireMessages { now: Timestamp::from_secs(1) }.into()).await?;
        times.push(began.elapsed());
    }
    tell("expiry with nothing to expire", times)?;
    if arguments.remove {
        remove(&store).await?;
    }
    store.close().await?;
    Ok(())
}

async fn open(folder: &Path) -> anyhow::Result<SqliteStore> {
    std::fs::create_dir_all(folder)?;
    Ok(SqliteStore::open(folder.join("archive.db"), DatabaseKey::from_bytes([7; 32])).await?)
}

async fn ask(store: &SqliteStore, word: &str, filter: &MessageFilter) -> anyhow::Result<usize> {
    if word.is_empty() {
        let mut query = MessageQuery::default();
        query.filter = filter.clone();
        query.limit = 20;
        return Ok(store.messages(&query).await?.len());
    }
    let mut query = SearchQuery::new(word);
    query.filter = filter.clone();
    Ok(store.search(&query).await?.hits.len())
}

/// What is asked, by two filters each.
fn questions() -> Vec<(&'static str, &'static str, MessageFilter)> {
    let filter = |set: &dyn Fn(&mut MessageFilter)| {
        let mut filter = MessageFilter::default();
        set(&mut filter);
        filter
    };
    let chat = || Some(Jid::lid("1007"));
    let rare_chat = || Some(Jid::lid("999"));
    let group = || Some(Jid::group("1203"));
    let image = || Some(MessageKind::new("image"));
    let poll = || Some(MessageKind::new("poll"));
    vec![
        ("a common word in a chat", "the", filter(&|filter| filter.chat = chat())),
        ("a common word in a rare chat", "the", filter(&|filter| filter.chat = rare_chat())),
        ("a word of a twelfth in a rare chat", "garden", filter(&|f| f.chat = rare_chat())),
        ("a rare word in a chat", "quetzal", filter(&|filter| filter.chat = chat())),
        ("a rare word in a large group", "quetzal", filter(&|filter| filter.chat = group())),
        ("a common word by a rare kind", "the", filter(&|filter| filter.kind = poll())),
        ("a common word by kind", "garden", filter(&|filter| filter.kind = image())),
        ("a common word by a person", "garden", filter(&|filter| filter.sender = chat())),
        (
            "a common word of a year, old",
            "garden",
            filter(&|filter| filter.until = Some(Timestamp::from_secs(1_480_000_000))),
        ),
        (
            "a word that was said ten years ago alone",
            "telegram",
            filter(&|filter| filter.from_me = Some(false)),
        ),
        (
            "a rare kind in a large group",
            "",
            filter(&|filter| (filter.chat, filter.kind) = (group(), poll())),
        ),
        (
            "pictures of a person in a group",
            "",
            filter(&|filter| (filter.chat, filter.sender) = (group(), chat())),
        ),
        (
            "pictures of a person",
            "",
            filter(&|filter| (filter.sender, filter.kind) = (chat(), image())),
        ),
        (
            "one's own in a large group",
            "",
            filter(&|filter| (filter.chat, filter.from_me) = (group(), Some(true))),
        ),
        ("the newest of all", "", filter(&|_| {})),
        ("a rare word", "quetzal", filter(&|_| {})),
        ("the commonest word", "the", filter(&|_| {})),
    ]
}

/// Asks for small commits while a large chat is being removed.
async fn remove(store: &SqliteStore) -> anyhow::Result<()> {
    let (name, count) = LARGE;
    let chat = Jid::lid(name);
    let first = store.last_seq().await?.0;
    for batch in 0..count / BATCH {
        let some = (batch * BATCH..(batch + 1) * BATCH).map(|n| {
            let key = MessageKey::received(chat.clone(), chat.clone(), format!("L{first}-{n}"));
            let time = Timestamp::from_secs(1_700_000_000 + i64::try_from(n).unwrap_or_default());
            let text = format!("one of a long row of messages about the garden, number {n}");
            Change::Archive(Box::new(NewMessage::text(key, time, text)))
        });
        store.commit(some.collect()).await?;
    }
    let began = Instant::now();
    store.commit(Change::DeleteChat(chat).into()).await?;
    tell("deleting a chat of 30,000: until it is gone", vec![began.elapsed()])?;
    let (mut waits, mut left) = (Vec::new(), true);
    while left {
        let step = store.commit(Change::Upkeep { now: Timestamp::from_secs(1) }.into());
        let asked = Instant::now();
        let small = Change::PutSetting { name: "bench".to_owned(), value: Some(vec![1]) };
        let (step, small) = tokio::join!(step, store.commit(Changes::from(small)));
        small?;
        waits.push(asked.elapsed());
        left = step?.upkeep_left;
    }
    tell("until it is out, another commit waits", waits)?;
    let took = began.elapsed();
    writeln!(std::io::stdout(), "the whole removal took {took:.1?}")?;
    Ok(())
}

/// Tells the median, the 99th percentile and the fastest.
fn tell(what: &str, mut times: Vec<Duration>) -> anyhow::Result<()> {
    times.sort_unstable();
    let at = |part: usize| {
        let place = (times.len() * part / 100).min(times.len().saturating_sub(1));
        times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
    };
    let (median, slow, fastest) = (at(50), at(99), at(0));
    writeln!(
        std::io::stdout(),
        "{what:58} median {median:8.2} ms   99 % {slow:8.2} ms   fastest {fastest:8.2} ms"
    )?;
    Ok(())
}

/// Fills an archive: ten years of 200 chats, a large group and a rare chat.
async fn fill(store: &SqliteStore, messages: u64) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut number = 0;
    while number < messages {
        let mut changes = Changes::default();
        for _ in 0..BATCH.min(messages - number) {
            changes.push(Change::Archive(Box::new(message(number, messages))));
            number += 1;
        }
        store.commit(changes).await?;
    }
    let rate = messages as f64 / began.elapsed().as_secs_f64();
    writeln!(std::io::stdout(), "{messages} messages put into the archive, {rate:.0} a second")?;
    Ok(())
}

fn message(number: u64, of: u64) -> NewMessage {
    const TEN_YEARS: u64 = 315_360_000;
    const WORDS: [&str; 24] = [
        "the", "garden", "tuesday", "ticket", "six", "tomorrow", "invoice", "tea", "rain", "train",
        "meet", "call", "picture", "please", "thanks", "late", "early", "kitchen", "school",
        "beans", "music", "bicycle", "doctor", "letter",
    ];
    // A small generator of its own, so that the same archive comes out every time.
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d;
    let mut next = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let person = Jid::lid(format!("{}", 1_000 + next(200)));
    let id = format!("3EB0{number:016X}");
    let own = Jid::lid("1");
    let key = match (number % 5_000, next(10)) {
        (11, _) => MessageKey::received(Jid::lid("999"), Jid::lid("999"), id),
        (_, 0) if next(500) == 0 => MessageKey::sent(Jid::group("1203"), own, id),
        (_, 0) => MessageKey::received(Jid::group("1203"), person, id),
        (_, 1..5) => MessageKey::sent(person, own, id),
        _ => MessageKey::received(person.clone(), person, id),
    };
    let mut text = String::from("the");
    for _ in 0..next(12) {
        text.push(' ');
        let word = usize::try_from(next(WORDS.len() as u64)).unwrap_or_default();
        text.push_str(WORDS.get(word).copied().unwrap_or_default());
    }
    if number % 50_000 == 7 {
        text.push_str(" quetzal");
    }
    if number < of / 100 {
        text.push_str(" telegram");
    }
    let kind = match next(1_000) {
        0 => MessageKind::new("poll"),
        1..60 => MessageKind::new("image"),
        _ => MessageKind::TEXT,
    };
    let at = 1_450_000_000 + number * TEN_YEARS / of.max(1);
    let time = Timestamp::from_secs(i64::try_from(at).unwrap_or_default());
    let mut message = NewMessage::new(key, time, kind);
    message.text = Some(text);
    message
}
