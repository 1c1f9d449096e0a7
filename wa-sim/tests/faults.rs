//! What goes wrong on purpose.

#![expect(clippy::unwrap_used, reason = "for tests")]

#[expect(dead_code, reason = "each test binary uses its own part")]
mod support;

use std::time::Duration;

use support::{Companion, id};
use wa_proto::{Jid, Node};
use wa_sim::{Chance, FaultPlan, Phone, Sim, SimConfig};

async fn stage() -> (Sim, Phone, Phone, Companion) {
    let sim = Sim::new(SimConfig::seeded(1));
    let alice = sim.add_account("15550001", "Alice").unwrap();
    let bob = sim.add_account("15550002", "Bob").unwrap();
    let mut companion = Companion::linked(&sim, &alice, 7).await;
    // Enough prekeys that the server has no reason to speak of them.
    let upload = companion.prekey_upload(20);
    companion.online(&sim).await.request(upload).await;
    (sim, alice, bob, companion)
}

fn plan(change: impl FnOnce(&mut FaultPlan)) -> FaultPlan {
    let mut plan = FaultPlan::default();
    change(&mut plan);
    plan
}

#[tokio::test(start_paused = true)]
async fn a_dropped_message_comes_after_a_reconnect() {
    let (sim, alice, bob, mut companion) = stage().await;
    let mut link = companion.online(&sim).await;
    sim.set_faults(plan(|plan| plan.drop = Chance::times(1)));
    let dropped = bob.send_text(&alice.jid(), "one").unwrap();
    let sent = bob.send_text(&alice.jid(), "two").unwrap();
    assert_eq!(id(&link.expect_message().await), sent);
    let mut link = companion.online(&sim).await;
    assert_eq!(id(&link.expect_message().await), dropped);
    assert_eq!(sim.stats().faults, 1);
}

#[tokio::test(start_paused = true)]
async fn a_duplicated_message_comes_twice() {
    let (sim, alice, bob, mut companion) = stage().await;
    let mut link = companion.online(&sim).await;
    sim.set_faults(plan(|plan| plan.duplicate = Chance::times(1)));
    bob.send_text(&alice.jid(), "one").unwrap();
    assert_eq!(link.expect_message().await, link.expect_message().await);
}

#[tokio::test(start_paused = true)]
async fn bytes_split_at_every_offset_are_the_same_stanzas() {
    let (sim, alice, bob, mut companion) = stage().await;
    sim.set_faults(plan(|plan| plan.split = vec![1, 2, 3]));
    let mut link = companion.online(&sim).await;
    let sent = bob.send_text(&alice.jid(), "one").unwrap();
    assert_eq!(id(&link.expect_message().await), sent);
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_ends_at_once_and_the_next_one_does_not() {
    let (sim, _alice, _bob, mut companion) = stage().await;
    sim.set_faults(plan(|plan| plan.refuse_connects = Chance::times(1)));
    let login = companion.login_payload();
    assert!(companion.connect(&sim, &login).await.is_none());
    companion.online(&sim).await;
    assert_eq!(sim.stats().connections_refused, 1);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_frame_does_not_open() {
    let (sim, alice, bob, mut companion) = stage().await;
    let mut link = companion.online(&sim).await;
    link.expect(|node| node.find("offline").is_some()).await;
    sim.set_faults(plan(|plan| plan.corrupt_frames = Chance::times(1)));
    bob.send_text(&alice.jid(), "one").unwrap();
    assert!(link.try_receive().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_closed_after_so_many_stanzas() {
    let (sim, _alice, _bob, mut companion) = stage().await;
    sim.set_faults(plan(|plan| plan.close_after = Some(2)));
    let mut link = companion.log_in(&sim).await;
    assert!(link.receive().await.is_some());
    assert!(link.receive().await.is_some());
    assert!(link.receive().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_half_open_connection_stays_open_and_says_nothing() {
    let (sim, alice, bob, mut companion) = stage().await;
    let mut link = companion.online(&sim).await;
    link.expect(|node| node.find("offline").is_some()).await;
    sim.set_faults(plan(|plan| plan.silence = true));
    bob.send_text(&alice.jid(), "one").unwrap();
    assert!(link.is_quiet().await);
}

#[tokio::test(start_paused = true)]
async fn late_stanzas_are_late() {
    let (sim, alice, bob, mut companion) = stage().await;
    let mut link = companion.online(&sim).await;
    link.expect(|node| node.find("offline").is_some()).await;
    sim.set_faults(plan(|plan| {
        plan.delay = Chance::times(1);
        plan.delay_ms = 3_000;
    }));
    let began = tokio::time::Instant::now();
    bob.send_text(&alice.jid(), "one").unwrap();
    link.expect_message().await;
    assert_eq!(began.elapsed(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_unavailable_has_no_ciphertext() {
    let (sim, alice, bob, mut companion) = stage().await;
    let mut link = companion.online(&sim).await;
    sim.set_faults(plan(|plan| plan.unavailable = Chance::times(1)));
    bob.send_text(&alice.jid(), "one").unwrap();
    let message = link.expect_message().await;
    assert!(message.find("enc").is_none() && message.find("unavailable").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_withheld_ack_does_not_come_and_an_unknown_recipient_is_an_error() {
    let (sim, _alice, _bob, mut companion) = stage().await;
    let mut link = companion.online(&sim).await;
    link.expect(|node| node.find("offline").is_some()).await;
    let to_nobody = |id: &'static str| {
        let message = Node::new("message").attr("id", id).attr("type", "text");
        message.attr("to", Jid::phone("4999999"))
    };
    sim.set_faults(plan(|plan| plan.withhold_acks = Chance::times(1)));
    link.send(&to_nobody("A")).await;
    assert!(link.is_quiet().await);
    link.send(&to_nobody("B")).await;
    let ack = link.expect(|node| node.tag == "ack").await;
    assert!(ack.attrs.is("id", "B") && ack.attrs.is("error", "404"));
}

#[test]
fn a_plan_with_an_unknown_name_is_refused() {
    let known: FaultPlan = serde_json::from_str(r#"{"drop":{"count":2},"split":[1]}"#).unwrap();
    assert_eq!(known.drop, Chance::times(2));
    assert!(serde_json::from_str::<FaultPlan>(r#"{"dorp":{"count":2}}"#).is_err());
}
