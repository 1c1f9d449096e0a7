//! Killed at a bad moment: what was accepted is sent by the next start, once.

use wa_sim::{Chance, FaultPlan};

use crate::support::{BORIS, Machine, PATIENCE, World, until};

/// Sends, and kills the process when the message is on disk.
fn send_and_kill(machine: &Machine, text: &str, when: impl Fn() -> bool) {
    let mut child = machine.command(&["send", BORIS, text]).spawn().unwrap();
    until("the message on disk", || {
        let pending = machine.json(&["status"])["outbox_pending"] == 1;
        (pending && when()).then_some(())
    });
    child.kill().unwrap();
    // The recipient's receipt may have told it that the server has the message, a moment before.
    let code = child.wait().unwrap().code();
    assert!(matches!(code, None | Some(0)), "it was killed: {code:?}");
}

async fn assert_sent_once(world: &World, machine: &Machine, text: &str) {
    machine.json(&["status", "--online"]);
    assert_eq!(machine.json(&["status"])["outbox_pending"], 0);
    let is_it = |message: &wa_sim::PhoneMessage| message.text.as_deref() == Some(text);
    assert!(world.boris.wait_for_message(is_it, PATIENCE).await.is_some());
    machine.json(&["status", "--online"]);
    assert_eq!(world.boris.messages().iter().filter(|message| is_it(message)).count(), 1);
    let archived = machine.json(&["messages", BORIS]);
    assert_eq!(archived.as_array().unwrap().len(), 1);
    assert_ne!(archived[0]["status"], "pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_queued_before_the_kill_is_sent_once() {
    let world = World::new().await;
    let machine = world.linked();
    let mut silent = FaultPlan::default();
    silent.silence = true;
    world.sim.set_faults(silent);
    send_and_kill(&machine, "queued", || true);
    assert!(world.boris.messages().is_empty());
    world.sim.set_faults(FaultPlan::default());
    assert_sent_once(&world, &machine, "queued").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_sent_but_not_acknowledged_before_the_kill_arrives_once() {
    let world = World::new().await;
    let machine = world.linked();
    let mut unacked = FaultPlan::default();
    unacked.withhold_acks = Chance::with_probability(1.0);
    world.sim.set_faults(unacked);
    send_and_kill(&machine, "unacknowledged", || !world.boris.messages().is_empty());
    world.sim.set_faults(FaultPlan::default());
    assert_sent_once(&world, &machine, "unacknowledged").await;
}
