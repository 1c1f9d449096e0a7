//! How long an assistant waits: from the start of the MCP server to its first list of tools, for a
//! search in a large archive, and for one server to take over from another. Drives the binary over
//! standard input and output, as clients do.
//!
//! ```text
//! cargo build --release -p wa-mcp
//! cargo run --release -p wa-benches --bin mcp -- --server target/release/wa-mcp
//! ```

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use clap::Parser;
use serde_json::{Value, json};
use wa_proto::Jid;
use wa_store::{
    Change, Changes, DatabaseKey, MessageKey, NewMessage, SqliteStore, Store, Timestamp,
};

/// Measures the MCP server from outside.
#[derive(Parser)]
struct Arguments {
    /// The server's binary.
    #[arg(long)]
    server: PathBuf,
    /// How many messages the archive holds.
    #[arg(long, default_value_t = 1_000_000)]
    messages: u64,
    /// How often each thing is measured.
    #[arg(long, default_value_t = 200)]
    rounds: usize,
    /// Keeps the archive in this folder, or takes the one that was kept there.
    #[arg(long)]
    keep: Option<PathBuf>,
}

/// The key of the archive.
const KEY: [u8; 32] = [7; 32];

/// How many messages are put with one commit.
const BATCH: u64 = 1_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let kept = arguments.keep.as_deref().unwrap_or(folder.path());
    let home = Home { folder: kept.to_owned(), server: arguments.server.clone() };
    let is_filled = kept.join("key").exists();
    if !is_filled {
        std::fs::create_dir_all(kept)?;
        home.prepare()?;
    }
    let starts = || {
        let starts = (0..arguments.rounds.clamp(1, 50)).map(|_| home.start_to_tools());
        starts.collect::<anyhow::Result<Vec<_>>>()
    };
    if !is_filled {
        tell("start to first tools/list: a new archive", starts()?)?;
        fill(&home.folder.join("account"), arguments.messages).await?;
    }
    tell("start to first tools/list", starts()?)?;
    let mut server = home.start()?;
    let memory = |server: &Server| -> anyhow::Result<String> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        Ok(line.unwrap_or("VmRSS: not told").replace("VmRSS:", "resident memory").trim().to_owned())
    };
    for (what, query) in [
        ("search: a rare word", "quetzal"),
        ("search: the commonest word, newest first", "the"),
        ("search: two words", "garden tuesday"),
        ("search: in Chinese", "花园"),
    ] {
        let ask = json!({ "query": query });
        tell(what, server.time_calls("search_messages", &ask, arguments.rounds)?)?;
    }
    let ranked = json!({ "query": "the", "ranked": true });
    tell(
        "search: the commonest word, ranked",
        server.time_calls("search_messages", &ranked, arguments.rounds)?,
    )?;
    let newest = json!({ "limit": 20 });
    tell(
        "list_messages: the newest 20",
        server.time_calls("list_messages", &newest, arguments.rounds)?,
    )?;
    tell("list_chats: 20", server.time_calls("list_chats", &newest, arguments.rounds)?)?;
    let nothing = json!({});
    tell("get_status", server.time_calls("get_status", &nothing, arguments.rounds.min(20))?)?;
    writeln!(std::io::stdout(), "{}", memory(&server)?)?;
    drop(server);
    let takeovers = (0..arguments.rounds.clamp(1, 20)).map(|_| home.take_over());
    tell("taking over from a killed server", takeovers.collect::<anyhow::Result<Vec<_>>>()?)?;
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
        "{what:42} median {median:8.2} ms   99 % {slow:8.2} ms   fastest {fastest:8.2} ms"
    )?;
    Ok(())
}

/// Where the server keeps things.
struct Home {
    folder: PathBuf,
    server: PathBuf,
}

impl Home {
    fn prepare(&self) -> anyhow::Result<()> {
        let file = self.folder.join("key");
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let hex: String = KEY.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(options.open(file)?, "{hex}")?;
        Ok(())
    }

    fn start(&self) -> anyhow::Result<Server> {
        let mut child = Command::new(&self.server)
            .arg("--store")
            .arg(self.folder.join("account"))
            .arg("--key-file")
            .arg(self.folder.join("key"))
            .env("XDG_CONFIG_HOME", self.folder.join("config"))
            .env("WA_SERVER_URL", "ws://127.0.0.1:9/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", self.server.display()))?;
        let stdin = child.stdin.take().context("no standard input")?;
        let stdout = BufReader::new(child.stdout.take().context("no standard output")?);
        let mut server = Server { child, stdin, stdout, next: 0 };
        let about = json!({ "name": "bench", "version": "1" });
        server.ask(
            "initialize",
            json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": about }),
        )?;
        server.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))?;
        Ok(server)
    }

    /// How long a server that went through another one needs to answer by itself after that is
    /// killed.
    fn take_over(&self) -> anyhow::Result<Duration> {
        let chats = json!({ "limit": 1 });
        let mut owner = self.start()?;
        owner.time_calls("list_chats", &chats, 1)?;
        let mut guest = self.start()?;
        guest.time_calls("list_chats", &chats, 1)?;
        let began = Instant::now();
        drop(owner);
        guest.time_calls("list_chats", &chats, 1)?;
        Ok(began.elapsed())
    }

    fn start_to_tools(&self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let mut server = self.start()?;
        let tools = server.ask("tools/list", json!({}))?;
        let took = began.elapsed();
        if tools.pointer("/tools/0").is_none() {
            bail!("the server lists no tools");
        }
        Ok(took)
    }
}

/// A server that was started.
struct Server {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    next: u64,
}

impl Server {
    fn send(&mut self, message: &Value) -> anyhow::Result<()> {
        writeln!(self.stdin, "{message}")?;
        Ok(())
    }

    fn ask(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        self.next += 1;
        let id = self.next;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))?;
        let mut line = String::new();
        loop {
            line.clear();
            if self.stdout.read_line(&mut line)? == 0 {
                bail!("the server ended");
            }
            let mut answer: Value = serde_json::from_str(&line)?;
            if answer.get("id") == Some(&json!(id)) {
                return answer.get_mut("result").map(Value::take).context("the server refuses");
            }
        }
    }

    fn time_calls(
        &mut self,
        tool: &str,
        arguments: &Value,
        rounds: usize,
    ) -> anyhow::Result<Vec<Duration>> {
        let mut times = Vec::with_capacity(rounds);
        for _ in 0..rounds {
            let began = Instant::now();
            let result = self.ask("tools/call", json!({ "name": tool, "arguments": arguments }))?;
            times.push(began.elapsed());
            if result.get("isError") != Some(&json!(false)) {
                bail!("{tool} refuses {arguments}");
            }
        }
        Ok(times)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What it held is in a folder that goes with this process.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Fills an archive: ten years of 200 chats, in three scripts, with common and rare words.
async fn fill(folder: &Path, messages: u64) -> anyhow::Result<()> {
    let store = SqliteStore::open(folder.join("wa.db"), DatabaseKey::from_bytes(KEY)).await?;
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
    store.close().await?;
    Ok(())
}

fn message(number: u64, of: u64) -> NewMessage {
    const PEOPLE: u64 = 200;
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
    let chat = Jid::lid(format!("{}", 1_000 + next(PEOPLE)));
    let id = format!("3EB0{number:016X}");
    let key = match next(2) {
        0 => MessageKey::received(chat.clone(), chat, id),
        _ => MessageKey::sent(chat, Jid::lid("1"), id),
    };
    let mut text = String::from("the");
    for _ in 0..next(12) {
        text.push(' ');
        let word = usize::try_from(next(WORDS.len() as u64)).unwrap_or_default();
        text.push_str(WORDS.get(word).copied().unwrap_or_default());
    }
    match number % 50_000 {
        7 => text.push_str(" quetzal"),
        n if n % 100 == 3 => text.push_str(" 我们在花园见面"),
        n if n % 100 == 4 => text.push_str(" встретимся в саду"),
        _ => {}
    }
    let at = 1_450_000_000 + number * TEN_YEARS / of.max(1);
    NewMessage::text(key, Timestamp::from_secs(i64::try_from(at).unwrap_or_default()), text)
}
