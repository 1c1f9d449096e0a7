//! The link against a simulated server: pairing, ends of connections and what follows from each.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod support;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use support::{Bench, next};
use tokio::time::{Instant, sleep, timeout};
use wa_client::{
    ClientVersion, ConnectRefusal, DisconnectReason, Error, Event, LogoutReason, PairingFailure,
    RequestError, State, VersionError, VersionSource,
};
use wa_crypto::PublicKey;
use wa_proto::request::Ping;
use wa_sim::{Chance, FaultPlan};
use wa_store::{Change, Changes};

const MINUTE: Duration = Duration::from_secs(60);

fn disconnected(event: &Event) -> Option<DisconnectReason> {
    match event {
        Event::Disconnected { reason } => Some(reason.clone()),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_scanned_code_links_the_device_and_logs_it_in() {
    let mut bench = Bench::new(1).await;
    bench.scan().await;
    let jid = bench
        .until(|event| match event {
            Event::PairingSucceeded { jid, lid, .. } => {
                assert!(lid.is_some());
                Some(jid.clone())
            }
            _ => None,
        })
        .await;
    assert_eq!(bench.until(disconnected).await, DisconnectReason::RestartRequired);
    bench.expect(Event::Connected).await;
    assert_eq!(bench.client.state(), State::Connected);
    assert_eq!(bench.client.jid(), Some(jid.clone()));
    assert_eq!(bench.store.account().await.unwrap().unwrap().jid, Some(jid.clone()));
    let device = format!("{}:{}", jid.user, jid.device);
    assert_eq!(bench.sim.stats().devices[&device].prekeys_left, 812);
    assert_eq!(bench.store.prekey_count().await.unwrap().uploaded, 812);
    assert_eq!(bench.client.request(&Ping).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn the_restart_after_linking_is_tried_until_it_succeeds() {
    let mut bench = Bench::new(2).await;
    bench.scan().await;
    bench.connector.failures.store(3, Ordering::Relaxed);
    bench.expect(Event::Connected).await;
    assert_eq!(bench.connector.attempts.load(Ordering::Relaxed), 5);
}

#[tokio::test(start_paused = true)]
async fn timestamps_follow_the_server_after_the_login() {
    let mut bench = Bench::new(3).await;
    assert_eq!(bench.clock.unix(), bench.sim.now() - 3600);
    bench.link().await;
    assert!(bench.clock.unix().abs_diff(bench.sim.now()) <= 1);
}

#[tokio::test(start_paused = true)]
async fn codes_that_nobody_scans_end_the_attempt() {
    let mut bench = Bench::new(4).await;
    bench.client.connect().unwrap();
    let mut codes = Vec::new();
    let started = Instant::now();
    let reason = bench
        .until(|event| match event {
            Event::Qr { code, expires_in } => {
                codes.push((code.clone(), *expires_in));
                None
            }
            Event::PairingFailed { reason } => Some(*reason),
            _ => None,
        })
        .await;
    assert_eq!(reason, PairingFailure::Timeout);
    assert_eq!(codes.len(), 6);
    assert_eq!(codes[0].1, MINUTE);
    assert!(codes[1..].iter().all(|(_, shown)| *shown == Duration::from_secs(20)));
    assert_eq!(started.elapsed().as_secs(), 60 + 5 * 20);
    bench.until(disconnected).await;
    assert_eq!(bench.client.state(), State::Idle);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_replaced_does_not_fight_back() {
    let mut bench = Bench::new(5).await;
    bench.link().await;
    let twin = bench.twin().await;
    twin.connect().unwrap();
    bench.expect(Event::Replaced).await;
    twin.wait_until_connected(MINUTE).await.unwrap();
    let attempts = bench.connector.attempts.load(Ordering::Relaxed);
    sleep(60 * MINUTE).await;
    assert_eq!(bench.connector.attempts.load(Ordering::Relaxed), attempts);
    assert_eq!(bench.client.state(), State::Stopped);
    assert_eq!(twin.state(), State::Connected);
    assert!(matches!(bench.client.wait_until_connected(MINUTE).await, Err(Error::Refused(_))));
}

#[tokio::test(start_paused = true)]
async fn an_unlinked_device_forgets_itself_and_stays_so() {
    let mut bench = Bench::new(6).await;
    bench.link().await;
    let device = bench.client.jid().unwrap().device;
    bench.phone.unlink(device).unwrap();
    bench.expect(Event::LoggedOut { reason: LogoutReason::DeviceRemoved }).await;
    assert_eq!(bench.store.account().await.unwrap(), None);
    assert!(matches!(bench.client.connect(), Err(Error::LoggedOut)));
    assert_eq!(bench.client.request(&Ping).await, Err(RequestError::LoggedOut));
    // Work that was still under way brings nothing back.
    let late = Changes::from(Change::RemovePreKey(1));
    assert!(bench.store.commit(late).await.is_err());
    // A new client of the same store can be linked again.
    let again = bench.twin().await;
    assert_eq!(again.jid(), None);
    let mut events = again.events();
    again.connect().unwrap();
    let code = next(&mut events, |event| match event {
        Event::Qr { code, .. } => Some(code.clone()),
        _ => None,
    });
    bench.phone.scan_qr(&code.await).unwrap();
    again.wait_until_connected(5 * MINUTE).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn logging_out_tells_the_server_and_forgets_the_device() {
    let mut bench = Bench::new(7).await;
    bench.link().await;
    bench.client.logout().await.unwrap();
    assert_eq!(bench.client.state(), State::LoggedOut);
    assert_eq!(bench.store.account().await.unwrap(), None);
    assert_eq!(bench.phone.devices().len(), 1);
}

#[derive(Debug)]
struct Newer(ClientVersion);

#[async_trait]
impl VersionSource for Newer {
    async fn current(&self) -> Result<ClientVersion, VersionError> {
        Ok(self.0)
    }
}

#[tokio::test(start_paused = true)]
async fn an_outdated_version_is_refreshed_and_remembered() {
    let newer = ClientVersion([2, 3000, u32::MAX]);
    let source = Arc::new(Newer(newer));
    let mut bench = Bench::with(8, |builder| builder.version_source(Some(source))).await;
    bench.sim.require_version(Some(newer.0));
    bench.scan().await;
    bench.expect(Event::Connected).await;
    let kept = bench.store.setting("client_version").await.unwrap();
    assert_eq!(kept, Some(newer.to_string().into_bytes()));
}

#[tokio::test(start_paused = true)]
async fn an_outdated_version_without_a_newer_one_stops() {
    let too_old = ClientVersion([2, 3000, u32::MAX - 1]);
    let source = Arc::new(Newer(too_old));
    let mut bench = Bench::with(9, |builder| builder.version_source(Some(source))).await;
    bench.sim.require_version(Some([2, 3000, u32::MAX]));
    bench.client.connect().unwrap();
    bench.expect(Event::ClientOutdated).await;
    sleep(60 * MINUTE).await;
    assert_eq!(bench.connector.attempts.load(Ordering::Relaxed), 2);
    assert_eq!(bench.client.state(), State::Stopped);
}

#[tokio::test(start_paused = true)]
async fn frames_may_be_split_at_every_byte() {
    for sizes in [vec![1], vec![2], vec![3, 1, 4, 1, 5]] {
        let mut bench = Bench::new(10).await;
        let mut plan = FaultPlan::default();
        plan.split = sizes;
        bench.sim.set_faults(plan);
        bench.link().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_half_open_socket_is_noticed_and_replaced() {
    let mut bench = Bench::new(11).await;
    bench.link().await;
    let mut plan = FaultPlan::default();
    plan.silence = true;
    bench.sim.set_faults(plan);
    let started = Instant::now();
    bench.until(|event| matches!(event, Event::KeepAliveTimeout { .. }).then_some(())).await;
    assert!(started.elapsed() <= Duration::from_secs(45));
    assert_eq!(bench.until(disconnected).await, DisconnectReason::Silence);
    assert!(started.elapsed() <= Duration::from_secs(190));
    bench.sim.set_faults(FaultPlan::default());
    bench.expect(Event::Connected).await;
}

#[tokio::test(start_paused = true)]
async fn a_silence_that_ends_is_told_and_costs_nothing() {
    let mut bench = Bench::new(12).await;
    bench.link().await;
    let mut plan = FaultPlan::default();
    plan.delay = Chance::times(1);
    plan.delay_ms = 40_000;
    bench.sim.set_faults(plan);
    bench.until(|event| matches!(event, Event::KeepAliveTimeout { .. }).then_some(())).await;
    bench.expect(Event::KeepAliveRestored).await;
    assert_eq!(bench.client.state(), State::Connected);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_lives_for_days() {
    let mut bench = Bench::new(13).await;
    bench.link().await;
    sleep(3 * 24 * 60 * MINUTE).await;
    assert_eq!(bench.client.state(), State::Connected);
    assert_eq!(bench.events.try_next().filter(|event| disconnected(event).is_some()), None);
}

#[tokio::test(start_paused = true)]
async fn a_disconnect_ends_the_waiting_for_the_next_attempt() {
    let mut bench = Bench::new(14).await;
    bench.connector.failures.store(u32::MAX, Ordering::Relaxed);
    bench.client.connect().unwrap();
    for _ in 0..6 {
        bench.until(|event| matches!(event, Event::Reconnecting { .. }).then_some(())).await;
    }
    let started = Instant::now();
    bench.client.disconnect().await;
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(bench.client.state(), State::Idle);
    let attempts = bench.connector.attempts.load(Ordering::Relaxed);
    sleep(60 * MINUTE).await;
    assert_eq!(bench.connector.attempts.load(Ordering::Relaxed), attempts);
    assert_eq!(bench.client.request(&Ping).await, Err(RequestError::NotConnected));
}

#[tokio::test(start_paused = true)]
async fn a_flapping_server_is_asked_less_and_less() {
    let mut bench = Bench::new(15).await;
    bench.link().await;
    bench.connector.failures.store(u32::MAX, Ordering::Relaxed);
    bench.connector.cut();
    let mut delays = Vec::new();
    while delays.len() < 7 {
        let next = bench.until(|event| match event {
            Event::Reconnecting { delay, .. } => Some(*delay),
            _ => None,
        });
        delays.push(next.await);
    }
    for (delay, full) in delays.iter().zip([2, 4, 8, 16, 32, 64, 120]) {
        let full = Duration::from_secs(full);
        assert!(full / 2 <= *delay && *delay <= full, "{delays:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stranger_is_told_nothing() {
    let stranger = PublicKey::from_bytes([7; 32]);
    let mut bench = Bench::with(16, |builder| builder.noise_root(stranger)).await;
    bench.client.connect().unwrap();
    bench.expect(Event::ConnectFailure { reason: ConnectRefusal::UntrustedServer }).await;
    assert_eq!(bench.client.state(), State::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_request_survives_the_end_of_its_connection() {
    let mut bench = Bench::new(17).await;
    bench.link().await;
    // What follows a login has been said.
    sleep(Duration::from_secs(5)).await;
    let mut plan = FaultPlan::default();
    plan.drop_incoming = Chance::times(1);
    bench.sim.set_faults(plan);
    let client = bench.client.clone();
    let request = tokio::spawn(async move { client.request(&Ping).await });
    sleep(Duration::from_secs(1)).await;
    assert!(!request.is_finished());
    bench.connector.cut();
    let answer = timeout(MINUTE, request).await.unwrap().unwrap();
    assert_eq!(answer, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_lost_times_out() {
    let mut bench = Bench::new(18).await;
    bench.link().await;
    // What follows a login has been said.
    sleep(Duration::from_secs(5)).await;
    let mut plan = FaultPlan::default();
    plan.drop_incoming = Chance::times(1);
    bench.sim.set_faults(plan);
    let answer = bench.client.request(&Ping).await;
    assert_eq!(answer, Err(RequestError::Timeout(Duration::from_secs(75))));
}

#[tokio::test(start_paused = true)]
async fn a_damaged_frame_ends_the_connection_and_not_the_client() {
    let mut bench = Bench::new(19).await;
    bench.link().await;
    let mut plan = FaultPlan::default();
    plan.corrupt_frames = Chance::times(1);
    bench.sim.set_faults(plan);
    assert_eq!(bench.until(disconnected).await, DisconnectReason::Protocol);
    bench.expect(Event::Connected).await;
}

#[tokio::test(start_paused = true)]
async fn a_restarted_client_logs_in_without_the_phone() {
    let mut bench = Bench::new(20).await;
    bench.link().await;
    bench.client.disconnect().await;
    let twin = bench.twin().await;
    twin.connect().unwrap();
    twin.wait_until_connected(MINUTE).await.unwrap();
    // Nothing was uploaded again: the server's digest matches the store.
    assert_eq!(bench.store.prekey_count().await.unwrap().uploaded, 812);
}

#[tokio::test(start_paused = true)]
async fn the_signed_prekey_is_rotated_weekly_and_the_old_one_kept() {
    let mut bench = Bench::new(21).await;
    bench.link().await;
    sleep(8 * 24 * 60 * MINUTE).await;
    let signed = bench.store.signed_prekeys().await.unwrap();
    assert_eq!(signed.iter().map(|key| key.id).collect::<Vec<_>>(), [2, 1]);
}
