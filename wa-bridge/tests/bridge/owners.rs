//! Several processes on one account: one owns it, the others go through it, and one of them takes
//! over when it ends.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::sleep;
use wa_bridge::{
    Bridge, Caller, Cause, Endpoint,
    api::{EventView, Status},
};
use wa_sim::{Chance, FaultPlan};

use crate::support::{ANNA, World, arrives, last, options, refused, send, shown, text, until};

/// The texts of the messages that a bridge tells from now on.
async fn listen(bridge: &Bridge) -> Arc<Mutex<Vec<String>>> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let mut events = bridge.events(Some(last(bridge).await));
    let told = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok(Some(event)) = events.next().await {
            if let EventView::Message { message } = event {
                told.lock().unwrap().push(message.text.unwrap_or_default());
            }
        }
    });
    heard
}

/// What Anna says meanwhile.
const SAID: usize = 30;

fn said(number: usize) -> String {
    format!("news {number}")
}

/// Anna says one thing after the other; in the middle of it the owner ends.
async fn end_owner_meanwhile(world: &World, heard: &Mutex<Vec<String>>, end: impl AsyncFnOnce()) {
    for number in 0..SAID / 3 {
        world.anna.send_text(&world.ada.jid(), said(number)).unwrap();
    }
    until("the first news", async || (heard.lock().unwrap().len() >= 3).then_some(())).await;
    let (anna, ada) = (world.anna.clone(), world.ada.jid());
    let talking = tokio::spawn(async move {
        for number in SAID / 3..SAID {
            anna.send_text(&ada, said(number)).unwrap();
            sleep(Duration::from_millis(5)).await;
        }
    });
    end().await;
    talking.await.unwrap();
}

async fn assert_told_once(heard: &Mutex<Vec<String>>) {
    until("all news", async || (heard.lock().unwrap().len() >= SAID).then_some(())).await;
    // Whatever is told twice is told soon.
    sleep(Duration::from_millis(200)).await;
    let expected: Vec<String> = (0..SAID).map(said).collect();
    assert_eq!(*heard.lock().unwrap(), expected);
}

async fn owns(bridge: &Bridge) {
    until("the guest owns the account", async || bridge.is_owner().await.then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_owns_the_account_and_both_can_use_it() {
    let world = World::linked().await;
    let (owner, guest) = (world.person().await, world.person().await);
    assert!(owner.is_owner().await && !guest.is_owner().await);
    let (by_owner, by_guest) = (listen(&owner).await, listen(&guest).await);
    world.anna.send_text(&world.ada.jid(), "to both").unwrap();
    for heard in [&by_owner, &by_guest] {
        until("the news", async || (!heard.lock().unwrap().is_empty()).then_some(())).await;
        assert_eq!(*heard.lock().unwrap(), ["to both"]);
    }
    send(&owner, ANNA, "by the owner").await.unwrap();
    send(&guest, ANNA, "by the guest").await.unwrap();
    arrives(&world.anna, "by the owner").await;
    arrives(&world.anna, "by the guest").await;
    assert!(guest.call(Status::default()).await.unwrap().connected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guest_takes_over_from_an_owner_that_closes_and_tells_each_message_once() {
    let world = World::linked().await;
    let (owner, guest) = (world.person().await, world.person().await);
    let heard = listen(&guest).await;
    end_owner_meanwhile(&world, &heard, async || owner.close().await.unwrap()).await;
    owns(&guest).await;
    assert_told_once(&heard).await;
    send(&guest, ANNA, "I am the owner now").await.unwrap();
    arrives(&world.anna, "I am the owner now").await;
    refused(send(&owner, ANNA, "closed").await, Cause::Failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guest_takes_over_from_an_owner_that_is_dropped_and_tells_each_message_once() {
    let world = World::linked().await;
    let (owner, guest) = (world.person().await, world.person().await);
    let heard = listen(&guest).await;
    end_owner_meanwhile(&world, &heard, async || drop(owner)).await;
    owns(&guest).await;
    assert_told_once(&heard).await;
    // Nobody else is connected as this device.
    assert_eq!(world.sim.stats().connections, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guest_takes_over_from_an_owner_that_is_killed_and_tells_each_message_once() {
    let world = World::linked().await;
    let mut owner = Killable::start(&world).await;
    let guest = world.person().await;
    assert!(!guest.is_owner().await);
    let heard = listen(&guest).await;
    end_owner_meanwhile(&world, &heard, async || owner.kill()).await;
    owns(&guest).await;
    assert_told_once(&heard).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_under_way_when_the_owner_is_killed_is_sent_once() {
    let world = World::linked().await;
    let mut owner = Killable::start(&world).await;
    let guest = world.person().await;
    let mut unacked = FaultPlan::default();
    unacked.withhold_acks = Chance::with_probability(1.0);
    world.sim.set_faults(unacked);

    let mut message = text(ANNA, "under way");
    message.idempotency_key = Some("once and for all".into());
    let sending = tokio::spawn({
        let guest = guest.clone();
        async move { guest.call(message).await }
    });
    arrives(&world.anna, "under way").await;
    owner.kill();
    world.sim.set_faults(FaultPlan::default());

    sending.await.unwrap().unwrap();
    assert!(guest.is_owner().await);
    until("nothing left to send", async || {
        let status = guest.call(Status::default()).await.unwrap();
        (status.connected && status.outbox_pending == 0).then_some(())
    })
    .await;
    assert_eq!(shown(&world.anna, "under way"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_under_way_when_the_owner_closes_is_sent_once() {
    let world = World::linked().await;
    let (owner, guest) = (world.person().await, world.person().await);
    let mut unacked = FaultPlan::default();
    unacked.withhold_acks = Chance::with_probability(1.0);
    world.sim.set_faults(unacked);
    let sending = tokio::spawn({
        let guest = guest.clone();
        async move { send(&guest, ANNA, "under way").await }
    });
    arrives(&world.anna, "under way").await;
    owner.close().await.unwrap();
    world.sim.set_faults(FaultPlan::default());
    sending.await.unwrap().unwrap();
    owns(&guest).await;
    until("nothing left to send", async || {
        let status = guest.call(Status::default()).await.unwrap();
        (status.connected && status.outbox_pending == 0).then_some(())
    })
    .await;
    assert_eq!(shown(&world.anna, "under way"), 1);
}

/// An owner in a process of its own.
struct Killable(Child);

/// Tells the process which folder is the account's.
const FOLDER: &str = "WA_BRIDGE_TEST_FOLDER";

impl Killable {
    async fn start(world: &World) -> Self {
        let ca = world.path("ca.pem");
        std::fs::write(&ca, &world.serving.media_ca).unwrap();
        let root = world.serving.noise_root.as_bytes().map(|byte| format!("{byte:02x}")).concat();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "owners::is_the_owner_until_it_is_killed", "--ignored"])
            .env(FOLDER, world.path(""))
            .env("WA_SERVER_URL", &world.serving.ws_url)
            .env("WA_NOISE_ROOT", root)
            .env("WA_MEDIA_CA", ca)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let owner = Self(child);
        until("the socket of the owner", async || world.socket().exists().then_some(())).await;
        owner
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Killable {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "other tests run it in a process of its own, and kill that"]
async fn is_the_owner_until_it_is_killed() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let options = options(&folder, Endpoint::from_process().unwrap(), Caller::person("killable"));
    let owner = Bridge::open(options).await.unwrap();
    assert!(owner.is_owner().await);
    std::future::pending::<()>().await;
}
