//! A part of the client that panics is started again, the others go on, and health tells.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};
use wa_client::{Client, State, TaskHealth, TaskState};
use wa_proto::{Jid, Node, OwnedNode};
use wa_store::Change;

use crate::script::{
    Line, NOW,
    moody_store::{MoodyStore, POISONED},
    scripted_over,
};

fn is_upkeep(change: &Change) -> bool {
    matches!(change, Change::Upkeep { .. })
}

fn marks_prekeys(change: &Change) -> bool {
    matches!(change, Change::MarkPreKeysUploaded(_))
}

fn health(client: &Client, name: &str) -> TaskHealth {
    client.health().tasks.into_iter().find(|task| task.name == name).unwrap()
}

/// Answers every request for so long.
async fn serve(line: &mut Line, how_long: Duration) {
    let started = Instant::now();
    while started.elapsed() < how_long {
        let heard = timeout(Duration::from_secs(60), line.hear_next()).await;
        match heard {
            Ok(Some(node)) if node.tag == "iq" => line.serve(&node).await,
            Ok(None) => panic!("the client closed the connection"),
            _ => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn upkeep_that_panics_is_started_again_on_the_same_connection_and_health_tells() {
    let store = MoodyStore::new();
    let (mut server, client, _) = scripted_over(Arc::new(store.clone()), true).await;
    let mut line = server.accept().await;
    line.log_in().await;
    line.hear_all().await;
    store.poison_next(is_upkeep);
    serve(&mut line, Duration::from_secs(60 * 60)).await;
    assert_eq!((client.state(), server.waiting()), (State::Connected, 0));
    let upkeep = health(&client, "expiry");
    assert_eq!((upkeep.state, upkeep.panics), (TaskState::Running, 1));
    assert!(upkeep.last_panic.unwrap().secs() >= NOW as i64);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_panics_is_tried_again_on_another_connection() {
    let store = MoodyStore::new();
    store.poison_next(marks_prekeys);
    let (mut server, client, _) = scripted_over(Arc::new(store.clone()), true).await;
    let mut line = server.accept().await;
    line.succeed().await;
    while let Some(node) = line.hear_next().await {
        if node.tag == "iq" {
            line.serve(&node).await;
        }
    }
    let mut line = server.accept().await;
    line.log_in().await;
    assert_eq!(client.state(), State::Connected);
    assert_eq!(health(&client, "connection").panics, 1);
}

#[tokio::test(start_paused = true)]
async fn a_stanza_whose_handler_panics_is_counted() {
    let (mut server, client, _) = scripted_over(Arc::new(MoodyStore::new()), true).await;
    let mut line = server.accept().await;
    line.log_in().await;
    let message: OwnedNode = Node::new("message")
        .attr("id", "1")
        .attr("from", Jid::phone(POISONED))
        .attr("type", "text")
        .attr("t", NOW);
    line.say(message).await;
    line.hear_all().await;
    assert_eq!(health(&client, "stanzas").panics, 1);
}
