//! The same seed and the same inputs give the same bytes.

#![expect(clippy::unwrap_used, reason = "for tests")]

#[expect(dead_code, reason = "each test binary uses its own part")]
mod support;

use support::Companion;
use wa_sim::{Sim, SimConfig};

async fn transcript(seed: u64) -> Vec<u8> {
    let sim = Sim::new(SimConfig::seeded(seed));
    let alice = sim.add_account("15550001", "Alice").unwrap();
    let bob = sim.add_account("15550002", "Bob").unwrap();
    let mut companion = Companion::linked(&sim, &alice, 7).await;
    let mut link = companion.online(&sim).await;
    let group = sim.create_group("Friends", &[&bob, &alice]).unwrap();
    for n in 0..5 {
        bob.send_text(&alice.jid(), format!("{n}")).unwrap();
        bob.send_text(&group, format!("to all: {n}")).unwrap();
        link.expect_message().await;
        link.expect_message().await;
    }
    link.transcript
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_transcript_and_another_another() {
    let first = transcript(1).await;
    assert!(first.len() > 1_000);
    assert_eq!(first, transcript(1).await);
    assert_ne!(first, transcript(2).await);
}
