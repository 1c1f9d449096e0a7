//! What is logged of a conversation. A test binary of its own: what is logged is decided once for
//! a whole process.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod parties;

use parties::{ada_and_bob, settle};
use wa_sim::{Chance, FaultPlan};

/// Everything that is logged while it is installed.
#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_of_a_conversation_holds_no_text_no_number_and_no_key() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _installed = tracing::subscriber::set_default(subscriber);
    let (sim, ada, mut bob) = ada_and_bob(14).await;
    ada.client.send(bob.phone.jid(), "a secret garden").await.unwrap();
    bob.message().await;
    let mut plan = FaultPlan::default();
    plan.corrupt = Chance::times(1);
    sim.set_faults(plan);
    ada.client.send(bob.phone.jid(), "another secret").await.unwrap();
    bob.repaired().await;
    settle().await;
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let ours: Vec<&str> = text.lines().filter(|line| line.contains("wa_client")).collect();
    assert!(ours.len() > 10, "the conversation is logged at all: {}", ours.len());
    let account = bob.store.account().await.unwrap().unwrap();
    let identity = account.identity.public;
    let hidden = [
        "secret".to_owned(),
        ada.phone.jid().user.to_string(),
        bob.phone.jid().user.to_string(),
        ada.phone.lid().user.to_string(),
        bob.phone.lid().user.to_string(),
        hex::encode(identity.as_bytes()),
        hex::encode(account.identity.private.as_bytes()),
        "Ada".to_owned(),
    ];
    for line in ours {
        for hidden in &hidden {
            assert!(!line.contains(hidden.as_str()), "the log tells too much: {line}");
        }
    }
}
