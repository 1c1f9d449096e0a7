//! Who may log in, and what ends a login.

#![expect(clippy::unwrap_used, reason = "for tests")]

#[expect(dead_code, reason = "each test binary uses its own part")]
mod support;

use support::{Companion, user_agent};
use wa_sim::{Phone, Sim, SimConfig};

async fn linked() -> (Sim, Phone, Companion) {
    let sim = Sim::new(SimConfig::seeded(1));
    let phone = sim.add_account("15550001", "Alice").unwrap();
    let companion = Companion::linked(&sim, &phone, 7).await;
    (sim, phone, companion)
}

#[tokio::test(start_paused = true)]
async fn a_device_with_another_noise_key_is_refused() {
    let (sim, _phone, companion) = linked().await;
    let mut thief = Companion::new(9);
    thief.jid = companion.jid.clone();
    let mut link = thief.log_in(&sim).await;
    let failure = link.expect(|node| node.tag == "failure").await;
    assert!(failure.attrs.is("reason", "401"));
    link.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn an_outdated_client_is_refused_until_it_is_a_newer_one() {
    let (sim, _phone, mut companion) = linked().await;
    sim.require_version(Some([2, 3000, 2]));
    let mut link = companion.log_in(&sim).await;
    let failure = link.expect(|node| node.tag == "failure").await;
    assert!(failure.attrs.is("reason", "405"));
    let mut login = companion.login_payload();
    login.user_agent = Some(user_agent([2, 3000, 2]));
    let mut link = companion.connect(&sim, &login).await.unwrap();
    link.expect(|node| node.tag == "success").await;
}

#[tokio::test(start_paused = true)]
async fn the_older_connection_of_a_device_is_replaced() {
    let (sim, _phone, mut companion) = linked().await;
    let mut older = companion.online(&sim).await;
    let mut newer = companion.online(&sim).await;
    let told = older.expect(|node| node.tag == "stream:error").await;
    assert!(told.find("conflict").unwrap().attrs.is("type", "replaced"));
    older.expect_end().await;
    newer.expect(|node| node.find("offline").is_some()).await;
    assert!(newer.is_quiet().await);
    assert_eq!(sim.stats().devices["15550001:1"].counters.logins, 2);
    assert!(sim.stats().devices["15550001:1"].connected);
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_resumed_or_falls_back_if_the_server_has_another_key() {
    let (sim, _phone, mut companion) = linked().await;
    let server = companion.server_static.unwrap();
    let (mut link, known) = companion.resume(&sim, server).await;
    assert!(known);
    link.expect(|node| node.tag == "success").await;
    let other = companion.identity.public;
    let (mut link, known) = companion.resume(&sim, other).await;
    assert!(!known);
    link.expect(|node| node.tag == "success").await;
}
