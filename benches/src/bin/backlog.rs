//! A race over the way of a message: a backlog that waited on the server, until its last receipt,
//! and sends that each wait for the server's ack. Server and phones are in this process; each
//! client is a process of its own, and what it took is told by itself.
//!
//! ```text
//! cargo run --release -p wa-benches --bin backlog -- --messages 19000 --rounds 3
//! cargo run --release -p wa-benches --bin backlog -- --peer other=/path/to/program
//! ```
//!
//! A peer is any program that takes the contract of [`client`]: it is started with the folder it
//! may keep things in, `WA_URL` and `WA_NOISE_ROOT` (hex) in its environment, and writes one line
//! of JSON for each thing that happens: `{"qr": TEXT}`, `{"connected": true}`. It reads commands as
//! lines: `send JID COUNT` sends so many texts, each once the one before is acknowledged, and
//! answers `{"sent_ms": [..]}`; `flood JID COUNT` sends them without waiting and answers
//! `{"flooded_ms": N}` once all are acknowledged; `end` closes everything, and answers
//! `{"cpu_ms": N, "peak_kib": N}`.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};
use wa_client::{Client, Event};
use wa_crypto::PublicKey;
use wa_proto::Jid;
use wa_sim::{Phone, Serving, Sim, SimConfig};
use wa_store::{DatabaseKey, SqliteStore, Store};

/// Measures how fast clients take in a backlog, and send.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    role: Option<Role>,
    /// How many messages wait on the server when a client connects.
    #[arg(long, default_value_t = 19_000)]
    messages: u64,
    /// How many people write them.
    #[arg(long, default_value_t = 20)]
    writers: u32,
    /// How many messages the client sends one after another, and how many without waiting.
    #[arg(long, default_value_t = 200)]
    sends: u64,
    /// How often everything is measured; the clients take turns.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// What is measured: any of direct, group, send.
    #[arg(long, value_delimiter = ',', default_value = "direct,group,send")]
    rows: Vec<String>,
    /// Another client, as NAME=PROGRAM; may be given several times.
    #[arg(long)]
    peer: Vec<String>,
    /// Leaves our own client out.
    #[arg(long)]
    only_peers: bool,
}

#[derive(Subcommand)]
enum Role {
    /// Is the client that is measured.
    #[command(hide = true)]
    Client {
        /// Where it keeps its database.
        folder: PathBuf,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(Role::Client { folder }) = &arguments.role {
        return client(folder).await;
    }
    let mut racers = Vec::new();
    if !arguments.only_peers {
        let own = std::env::current_exe()?;
        racers.push(Racer { name: "wa-client".into(), program: own, role: Some("client") });
    }
    for peer in &arguments.peer {
        let (name, program) = peer.split_once('=').context("a peer is NAME=PROGRAM")?;
        racers.push(Racer { name: name.into(), program: program.into(), role: None });
    }
    for round in 1..=arguments.rounds {
        for row in &arguments.rows {
            for racer in &racers {
                let told = match row.as_str() {
                    "direct" | "group" => backlog(&arguments, racer, row == "group").await?,
                    "send" => sends(&arguments, racer).await?,
                    other => bail!("there is no row {other:?}; there are direct, group, send"),
                };
                writeln!(std::io::stdout(), "{round}  {row:<7} {:<12} {told}", racer.name)?;
            }
        }
    }
    Ok(())
}

/// A client that is measured.
struct Racer {
    name: String,
    program: PathBuf,
    role: Option<&'static str>,
}

/// A simulated WhatsApp with the account that the client is linked with.
struct World {
    sim: Sim,
    serving: Serving,
    phone: Phone,
    friends: Vec<Phone>,
    folder: tempfile::TempDir,
}

impl World {
    async fn new(friends: u32) -> anyhow::Result<Self> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
        let sim = Sim::new(SimConfig::seeded(1).starting_at(now).remembering(REMEMBERED));
        let serving = sim.serve(([127, 0, 0, 1], 0).into()).await?;
        let phone = sim.add_account("15550100", "Ada")?;
        let friends = (0..friends)
            .map(|number| sim.add_account(&format!("1555{:07}", 200 + number), "Friend"))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { sim, serving, phone, friends, folder: tempfile::tempdir()? })
    }

    /// Starts the client, and links it if it is not.
    async fn start(&self, racer: &Racer) -> anyhow::Result<Process> {
        let mut process = Process::start(racer, &self.serving, self.folder.path())?;
        loop {
            let told = process.hear().await?;
            if let Some(code) = told.get("qr").and_then(Value::as_str) {
                // A code that was scanned already, or has run out, is followed by another.
                drop(self.phone.scan_qr(code));
            } else if told.get("connected").is_some() {
                return Ok(process);
            }
        }
    }

    /// What the server counts of the client's device.
    fn owed(&self) -> Option<(bool, usize)> {
        let stats = self.sim.stats();
        let mut devices = stats.devices.iter();
        let found =
            devices.find(|(name, _)| name.starts_with("15550100:") && !name.ends_with(":0"));
        found.map(|(_, device)| (device.connected, device.acks_owed))
    }

    /// Waits until the server has an answer to everything.
    async fn all_answered(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some((true, 0)) = self.owed() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("the server still waits for {:?} answers", self.owed())
    }
}

/// A backlog: from the start of the process to the last receipt.
async fn backlog(arguments: &Arguments, racer: &Racer, of_group: bool) -> anyhow::Result<String> {
    let world = World::new(arguments.writers).await?;
    let group = match of_group {
        true => {
            let everybody: Vec<&Phone> =
                std::iter::once(&world.phone).chain(&world.friends).collect();
            Some(world.sim.create_group("Everybody", &everybody)?)
        }
        false => None,
    };
    let linked = world.start(racer).await?;
    world.all_answered().await?;
    linked.end().await?;
    while matches!(world.owed(), Some((true, _))) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let to = group.unwrap_or_else(|| world.phone.lid());
    for number in 0..arguments.messages {
        let writer = world.friends.get(usize::try_from(number)? % world.friends.len().max(1));
        let writer = writer.context("nobody writes")?;
        writer
            .send_text(&to, format!("message {number} of many, about as long as people write"))?;
    }
    let began = Instant::now();
    let process = world.start(racer).await?;
    world.all_answered().await?;
    let took = began.elapsed();
    let Spent { cpu_ms, peak_kib } = process.end().await?;
    let messages = arguments.messages as f64;
    Ok(format!(
        "{:>8.0} messages/s  {:>7.3} ms CPU each  peak {peak_kib:>7} KiB",
        messages / took.as_secs_f64(),
        cpu_ms / messages,
    ))
}

/// Sends: each after the ack of the one before, then all at once.
async fn sends(arguments: &Arguments, racer: &Racer) -> anyhow::Result<String> {
    let world = World::new(1).await?;
    let friend = world.friends.first().context("nobody to write to")?;
    let mut process = world.start(racer).await?;
    world.all_answered().await?;
    let to = friend.jid();
    process.ask(&format!("send {to} 5"), "sent_ms").await?;
    let told = process.ask(&format!("send {to} {}", arguments.sends), "sent_ms").await?;
    let mut times: Vec<f64> =
        told.as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    times.sort_by(f64::total_cmp);
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
    let flooded = process.ask(&format!("flood {to} {}", arguments.sends), "flooded_ms").await?;
    let flooded = flooded.as_f64().context("no time")?;
    let Spent { cpu_ms, peak_kib } = process.end().await?;
    Ok(format!(
        "median {:>6.2} ms  95 % {:>6.2} ms  all at once {:>6.0}/s  {:.0} ms CPU  peak {peak_kib} KiB",
        at(50),
        at(95),
        arguments.sends as f64 / (flooded / 1_000.0),
        cpu_ms,
    ))
}

/// What a process took.
struct Spent {
    cpu_ms: f64,
    peak_kib: u64,
}

/// A client at work.
struct Process {
    child: Child,
    commands: ChildStdin,
    told: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(racer: &Racer, serving: &Serving, folder: &Path) -> anyhow::Result<Self> {
        let root = hex::encode(serving.noise_root.as_bytes());
        let mut command = Command::new(&racer.program);
        command.args(racer.role).arg(folder);
        command.env("WA_URL", &serving.ws_url).env("WA_NOISE_ROOT", root);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("cannot start {}", racer.name))?;
        let commands = child.stdin.take().context("no standard input")?;
        let told = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        Ok(Self { child, commands, told })
    }

    async fn hear(&mut self) -> anyhow::Result<Value> {
        let line = tokio::time::timeout(PATIENCE, self.told.next_line()).await;
        let line = line.context("nothing is told any more")??.context("the client ended")?;
        serde_json::from_str(&line).with_context(|| format!("no JSON: {line}"))
    }

    /// Gives a command, and waits for the answer with this name.
    async fn ask(&mut self, command: &str, answer: &str) -> anyhow::Result<Value> {
        self.commands.write_all(format!("{command}\n").as_bytes()).await?;
        loop {
            let mut told = self.hear().await?;
            if let Some(answer) = told.get_mut(answer) {
                return Ok(answer.take());
            }
        }
    }

    async fn end(mut self) -> anyhow::Result<Spent> {
        self.commands.write_all(b"end\n").await?;
        let spent = loop {
            let told = self.hear().await?;
            let cpu_ms = told.get("cpu_ms").and_then(Value::as_f64);
            let peak_kib = told.get("peak_kib").and_then(Value::as_u64);
            if let (Some(cpu_ms), Some(peak_kib)) = (cpu_ms, peak_kib) {
                break Spent { cpu_ms, peak_kib };
            }
        };
        self.child.wait().await?;
        Ok(spent)
    }
}

/// Our own client, with everything archived in an encrypted database.
async fn client(folder: &Path) -> anyhow::Result<()> {
    let (url, root) = (std::env::var("WA_URL")?, std::env::var("WA_NOISE_ROOT")?);
    let key = DatabaseKey::from_bytes([7; 32]);
    let store = Arc::new(SqliteStore::open(folder.join("wa.db"), key).await?);
    let client = Client::builder(Arc::clone(&store) as Arc<dyn Store>)
        .server(&url)
        .noise_root(PublicKey::from_slice(&hex::decode(root)?)?)
        .version_source(None)
        .build()
        .await?;
    let mut events = client.events();
    client.connect()?;
    let mut commands = BufReader::new(tokio::io::stdin()).lines();
    loop {
        tokio::select! {
            event = events.next() => match event.context("the client is gone")? {
                Event::Qr { code, .. } => tell(&json!({ "qr": code }))?,
                Event::Connected => tell(&json!({ "connected": true }))?,
                _ => {}
            },
            command = commands.next_line() => {
                let command = command?.unwrap_or_else(|| "end".to_owned());
                let mut words = command.split(' ');
                match (words.next(), words.next(), words.next()) {
                    (Some("send"), Some(to), Some(count)) => {
                        send(&client, &to.parse()?, count.parse()?).await?;
                    }
                    (Some("flood"), Some(to), Some(count)) => {
                        flood(&client, &to.parse()?, count.parse()?).await?;
                    }
                    (Some("end"), ..) => break,
                    _ => bail!("no such command: {command}"),
                }
            }
        }
    }
    client.disconnect().await;
    drop(client);
    store.close().await?;
    tell(&json!({ "cpu_ms": cpu_ms()?, "peak_kib": peak_kib()? }))
}

async fn send(client: &Client, to: &Jid, count: u64) -> anyhow::Result<()> {
    let mut times = Vec::new();
    for number in 0..count {
        let began = Instant::now();
        client.send(to.clone(), format!("number {number}, one after another")).await?;
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    tell(&json!({ "sent_ms": times }))
}

async fn flood(client: &Client, to: &Jid, count: u64) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut sends = tokio::task::JoinSet::new();
    for number in 0..count {
        let (client, to) = (client.clone(), to.clone());
        sends.spawn(async move { client.send(to, format!("number {number} at once")).await });
    }
    while let Some(sent) = sends.join_next().await {
        sent??;
    }
    tell(&json!({ "flooded_ms": began.elapsed().as_secs_f64() * 1_000.0 }))
}

fn tell(what: &Value) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{what}")?)
}

/// The processor time this process took, in milliseconds.
fn cpu_ms() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("needs Linux's /proc")?;
    // Behind the name, which may hold anything: utime and stime are the 14th and 15th field.
    let (_, fields) = stat.rsplit_once(')').context("an odd /proc/self/stat")?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next().and_then(|field| field.parse::<f64>().ok());
    let (user, system) = (ticks().context("no utime")?, ticks().context("no stime")?);
    Ok((user + system) * 1_000.0 / TICKS_A_SECOND)
}

/// The most memory this process held.
fn peak_kib() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("needs Linux's /proc")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.context("no VmHWM")?.parse()?)
}

/// `USER_HZ`, which is the same on every Linux.
const TICKS_A_SECOND: f64 = 100.0;
/// How many messages a phone of the simulation remembers.
const REMEMBERED: usize = 1_000;
/// How long nothing may happen.
const PATIENCE: Duration = Duration::from_secs(600);
