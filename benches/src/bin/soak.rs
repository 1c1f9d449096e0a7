//! Many messages through one client, with the resident memory at each tenth: it must not grow with
//! them. Server, phones and media host are in the same process and remember little.
//!
//! ```text
//! cargo run --release -p wa-benches --bin soak -- --messages 200000
//! cargo run --release -p wa-benches --bin soak -- --history 100000
//! ```

use std::{
    io::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use clap::Parser;
use wa_client::{Client, Event, EventStream, HistoryEvent};
use wa_sim::{HistoryPlan, Phone, Serving, Sim, SimConfig};
use wa_store::{DatabaseKey, SqliteStore, Store};

/// Puts many messages through one client, into an encrypted database in a temporary folder.
#[derive(Parser)]
struct Arguments {
    /// How many messages somebody sends.
    #[arg(long, default_value_t = 200_000, conflicts_with = "history")]
    messages: u64,
    /// How many messages the phone has from before the link; they come in place of new ones.
    #[arg(long)]
    history: Option<u64>,
    /// How many messages wait on the server when the client connects, of those somebody sends.
    #[arg(long, default_value_t = 0)]
    backlog: u64,
    /// By how many KiB memory may grow from the second tenth to the last; more is a failure.
    #[arg(long, default_value_t = 65_536)]
    allowed_growth: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    let sim = Sim::new(SimConfig::seeded(1).starting_at(now).remembering(REMEMBERED));
    let serving = sim.serve(([127, 0, 0, 1], 0).into()).await?;
    let phone = sim.add_account("15550100", "Ada")?;
    let key = DatabaseKey::from_bytes([7; 32]);
    let store = Arc::new(SqliteStore::open(folder.path().join("wa.db"), key).await?);
    let mut soak = Soak { sim, serving, phone, store, tenths: Vec::new(), began: Instant::now() };
    match arguments.history {
        Some(messages) => soak.history(messages).await?,
        None => soak.live(arguments.messages, arguments.backlog).await?,
    }
    soak.verdict(arguments.allowed_growth)
}

struct Soak {
    sim: Sim,
    serving: Serving,
    phone: Phone,
    store: Arc<SqliteStore>,
    /// Resident memory in KiB at each tenth.
    tenths: Vec<u64>,
    began: Instant,
}

impl Soak {
    /// The phone's past arrives.
    async fn history(&mut self, messages: u64) -> anyhow::Result<()> {
        let chats = (messages / MESSAGES_PER_CHAT).clamp(1, 200);
        let plan = HistoryPlan::new(u32::try_from(chats)?, u32::try_from(messages / chats)?, 1);
        self.phone.fill_history(plan)?;
        let total = messages / chats * chats;
        let (_client, mut events) = self.link().await?;
        self.began = Instant::now();
        loop {
            match next(&mut events).await? {
                Event::History(HistoryEvent::Progress { messages, .. }) => {
                    self.reach(messages, total)?;
                }
                Event::History(HistoryEvent::Completed { messages, is_whole, .. }) => {
                    let archived = self.store.stats().await?.messages;
                    if !is_whole || messages != total || archived != total {
                        bail!("{archived} of {total} messages are in the archive");
                    }
                    return Ok(());
                }
                Event::History(HistoryEvent::ChunkFailed { reason, .. }) => {
                    bail!("a part of the history failed: {reason:?}");
                }
                _ => {}
            }
        }
    }

    /// Somebody writes, some of it while the client is away.
    async fn live(&mut self, total: u64, backlog: u64) -> anyhow::Result<()> {
        let friend = self.sim.add_account("15550200", "Bob")?;
        let (client, mut events) = self.link().await?;
        if backlog > 0 {
            client.disconnect().await;
            send(&friend, &self.phone, backlog.min(total))?;
            client.connect()?;
        }
        self.began = Instant::now();
        let (mut sent, mut received) = (backlog.min(total), 0);
        while received < total {
            if sent < total && sent - received < IN_FLIGHT / 2 {
                let more = IN_FLIGHT.min(total - sent);
                send(&friend, &self.phone, more)?;
                sent += more;
            }
            match next(&mut events).await? {
                Event::Message(_) => received += 1,
                Event::Lagged { missed } => received += missed,
                _ => continue,
            }
            self.reach(received, total)?;
        }
        let archived = self.store.stats().await?.messages;
        if archived != total {
            bail!("{archived} of {total} messages are in the archive");
        }
        Ok(())
    }

    /// A client that is linked and connected.
    async fn link(&self) -> anyhow::Result<(Client, EventStream)> {
        let client = Client::builder(Arc::clone(&self.store) as Arc<dyn Store>)
            .server(&self.serving.ws_url)
            .noise_root(self.serving.noise_root)
            .media_ca_pem(self.serving.media_ca.clone())
            .version_source(None)
            .build()
            .await?;
        let mut events = client.events();
        client.connect()?;
        loop {
            match next(&mut events).await? {
                Event::Qr { code, .. } => drop(self.phone.scan_qr(&code)?),
                Event::Connected => return Ok((client, events)),
                _ => {}
            }
        }
    }

    /// So much is done: at each tenth the memory is reported.
    fn reach(&mut self, done: u64, total: u64) -> anyhow::Result<()> {
        while (self.tenths.len() as u64) < 10 && done * 10 >= total * (self.tenths.len() as u64 + 1)
        {
            let resident = resident_kib()?;
            self.tenths.push(resident);
            let seconds = self.began.elapsed().as_secs_f64();
            let rate = done as f64 / seconds.max(0.001);
            let tenth = self.tenths.len();
            writeln!(
                std::io::stdout(),
                "{tenth:>2}/10  {done:>9} messages  {seconds:>7.1} s  {rate:>7.0}/s  {resident:>8} KiB"
            )?;
        }
        Ok(())
    }

    /// Whether memory stayed where it was.
    fn verdict(&self, allowed: u64) -> anyhow::Result<()> {
        let (Some(early), Some(late)) = (self.tenths.get(1), self.tenths.last()) else {
            bail!("too few messages to tell");
        };
        let grown = late.saturating_sub(*early);
        writeln!(std::io::stdout(), "from the second tenth to the last: {grown} KiB more")?;
        if grown > allowed {
            bail!("memory grew by {grown} KiB, more than the {allowed} allowed");
        }
        Ok(())
    }
}

fn send(from: &Phone, to: &Phone, count: u64) -> anyhow::Result<()> {
    let to = to.lid();
    for number in 0..count {
        from.send_text(&to, format!("message {number} of many, about as long as people write"))?;
    }
    Ok(())
}

async fn next(events: &mut EventStream) -> anyhow::Result<Event> {
    let event = tokio::time::timeout(PATIENCE, events.next()).await;
    event.context("nothing happens any more")?.context("the client is gone")
}

/// What Linux says this process holds in memory.
fn resident_kib() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("needs Linux's /proc")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.context("no VmRSS")?.parse()?)
}

/// How many messages a phone of the simulation remembers.
const REMEMBERED: usize = 1_000;
/// How many messages may be under way.
const IN_FLIGHT: u64 = 1_000;
/// How many messages of history each chat has.
const MESSAGES_PER_CHAT: u64 = 1_000;
/// How long nothing may happen.
const PATIENCE: Duration = Duration::from_secs(180);
