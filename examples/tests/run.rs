//! Runs the programs against a WhatsApp on loopback: the bot answers, also what came while
//! it was off, and what was said is then exported and found.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::{
    io::{BufRead, BufReader},
    net::Ipv4Addr,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use wa_sim::{Phone, PhoneMessage, Serving, Sim, SimConfig};

const PATIENCE: Duration = Duration::from_secs(20);

fn program(path: &str, database: &Path, serving: &Serving) -> Command {
    let mut command = Command::new(path);
    command
        .arg(database)
        .env("WA_DB_KEY", "5a".repeat(32))
        .env("WA_SERVER_URL", &serving.ws_url)
        .env("WA_NOISE_ROOT", hex::encode(serving.noise_root.as_bytes()))
        .stdout(Stdio::piped());
    command
}

fn bot(database: &Path, serving: &Serving) -> Child {
    program(env!("CARGO_BIN_EXE_echo_bot"), database, serving).spawn().unwrap()
}

async fn is_echoed(friend: &Phone, text: &str) -> bool {
    let is_it = |m: &PhoneMessage| !m.from_me && m.text.as_deref() == Some(text);
    friend.wait_for_message(is_it, PATIENCE).await.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bot_echoes_and_the_archive_is_exported_and_searched() {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let sim = Sim::new(SimConfig::seeded(3).starting_at(now));
    let serving = sim.serve((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let owner = sim.add_account("447700900201", "Owner").unwrap();
    let friend = sim.add_account("447700900202", "Friend").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("bot.db");

    let mut running = bot(&database, &serving);
    let mut code = String::new();
    BufReader::new(running.stdout.take().unwrap()).read_line(&mut code).unwrap();
    owner.scan_qr(code.trim()).unwrap();
    assert!(owner.wait_for_device(1, PATIENCE).await);
    friend.send_text(&owner.jid(), "hello café").unwrap();
    assert!(is_echoed(&friend, "hello café").await);

    running.kill().unwrap();
    running.wait().unwrap();
    friend.send_text(&owner.jid(), "are you asleep?").unwrap();
    let mut running = bot(&database, &serving);
    assert!(is_echoed(&friend, "are you asleep?").await);
    running.kill().unwrap();
    running.wait().unwrap();
    let echoes = friend.messages().into_iter().filter(|message| !message.from_me).count();
    assert_eq!(echoes, 2, "nothing is echoed twice");

    let run = |mut command: Command| {
        let output = command.output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let exported = run(program(env!("CARGO_BIN_EXE_export"), &database, &serving));
    assert_eq!(exported.lines().count(), 4, "{exported}");
    let mut search = program(env!("CARGO_BIN_EXE_search"), &database, &serving);
    search.arg("cafe");
    let found = run(search);
    assert_eq!(found.matches("hello [café]").count(), 2, "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bot_keeps_pictures_and_says_what_they_are() {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let sim = Sim::new(SimConfig::seeded(4).starting_at(now));
    let serving = sim.serve((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let owner = sim.add_account("447700900201", "Owner").unwrap();
    let friend = sim.add_account("447700900202", "Friend").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (pictures, authority) = (folder.path().join("pictures"), folder.path().join("ca.pem"));
    std::fs::create_dir(&pictures).unwrap();
    std::fs::write(&authority, &serving.media_ca).unwrap();

    let path = env!("CARGO_BIN_EXE_picture_bot");
    let mut bot = program(path, &folder.path().join("bot.db"), &serving);
    let mut running = bot.arg(&pictures).env("WA_MEDIA_CA", &authority).spawn().unwrap();
    let mut code = String::new();
    BufReader::new(running.stdout.take().unwrap()).read_line(&mut code).unwrap();
    owner.scan_qr(code.trim()).unwrap();
    assert!(owner.wait_for_device(1, PATIENCE).await);
    friend.send_image(&owner.jid(), b"a picture, or so", None).unwrap();
    let is_answer = |m: &PhoneMessage| {
        !m.from_me && m.text.as_deref().is_some_and(|text| text.contains("16 bytes"))
    };
    assert!(friend.wait_for_message(is_answer, PATIENCE).await.is_some());
    running.kill().unwrap();
    running.wait().unwrap();
    let kept = std::fs::read_dir(&pictures).unwrap().next().unwrap().unwrap();
    assert_eq!(std::fs::read(kept.path()).unwrap(), b"a picture, or so");
}
