//! `wa-sim serve`: a simulation on ports of this machine. All it does is in the library.

use std::{
    io::Write as _,
    net::SocketAddr,
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use serde_json::json;
use wa_sim::{Sim, SimConfig};

/// WhatsApp in a box, on loopback only.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until stopped; the first line on stdout says, in JSON, where everything is.
    Serve {
        /// Where clients connect; loopback only. Port 0 takes a free one.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// All randomness comes from it.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Where the media host's certificate authority is written, as `media-ca.pem`; a folder of
        /// its own below the system's temporary one if not given.
        #[arg(long)]
        dir: Option<PathBuf>,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Command::Serve { listen, seed, dir } = Arguments::parse().command;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    let sim = Sim::new(SimConfig::seeded(seed).starting_at(now.as_secs()));
    let serving = sim.serve(listen).await?;
    let dir =
        dir.unwrap_or_else(|| std::env::temp_dir().join(format!("wa-sim-{}", std::process::id())));
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let media_ca = dir.join("media-ca.pem");
    std::fs::write(&media_ca, &serving.media_ca)
        .with_context(|| format!("cannot write {}", media_ca.display()))?;
    let ready = json!({
        "ws_url": serving.ws_url,
        "control_url": serving.control_url,
        "media_url": serving.media_url,
        "media_ca": media_ca,
        "noise_root": hex::encode(serving.noise_root.as_bytes()),
    });
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{ready}")?;
    stdout.flush()?;
    stopped().await?;
    serving.shutdown().await;
    Ok(())
}

/// Waits for SIGINT, or SIGTERM where there is one.
async fn stopped() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
