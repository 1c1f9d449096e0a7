//! What the client does at single words of the server, said by a server that follows a script.

mod script;

use std::time::Duration;

use script::{NOW, scripted};
use tokio::time::sleep;
use wa_client::{Event, State};
use wa_proto::{Jid, Node, OwnedNode};

#[tokio::test(start_paused = true)]
async fn a_success_before_the_device_is_linked_is_ignored() {
    let (mut server, client, _) = scripted(false).await;
    let mut events = client.events();
    let mut line = server.accept().await;
    assert!(line.payload.device_pairing_data.is_some());
    line.say(Node::new("success").attr("t", NOW).attr("lid", Jid::lid("9"))).await;
    assert_eq!(line.hear_all().await, []);
    assert_eq!(client.state(), State::Pairing);
    let pair = Node::new("pair-device").child(Node::new("ref").bytes(b"2@abc".to_vec()));
    let iq = Node::new("iq").attr("type", "set").attr("id", "1").attr("from", Jid::server());
    line.say(iq.child(pair)).await;
    assert!(line.hear().await.attrs.is("type", "result"));
    assert!(matches!(events.next().await, Some(Event::Qr { .. })));
}

#[tokio::test(start_paused = true)]
async fn prekeys_come_before_active_and_active_before_anybody_is_told() {
    let (mut server, client, store) = scripted(true).await;
    let mut events = client.events();
    let mut line = server.accept().await;
    assert_eq!(line.payload.username, Some(15_550_100));
    assert_eq!((line.payload.passive, line.payload.device), (Some(true), Some(3)));
    assert_eq!(client.state(), State::LoggingIn);
    let asked = line.log_in().await;
    assert_eq!(asked, ["rotate", "count", "registration", "digest", "active"]);
    assert_eq!(events.next().await, Some(Event::Connected));
    let account = store.account().await.unwrap().unwrap();
    assert_eq!(account.lid, Some(Jid::lid("9").with_device(3)));
    assert_eq!(store.lid_of(&Jid::phone("15550100")).await.unwrap(), Some(Jid::lid("9")));
}

#[tokio::test(start_paused = true)]
async fn the_edge_that_was_named_is_asked_for_the_next_time() {
    let (mut server, _client, _) = scripted(true).await;
    let mut line = server.accept().await;
    assert_eq!(line.routing_info, None);
    line.log_in().await;
    let info = Node::new("routing_info").bytes(vec![8, 8, 9]);
    line.say(Node::new("ib").child(Node::new("edge_routing").child(info))).await;
    sleep(Duration::from_secs(1)).await;
    line.say(Node::new("stream:error").attr("code", "515")).await;
    assert_eq!(server.accept().await.routing_info, Some(vec![8, 8, 9]));
}

#[tokio::test(start_paused = true)]
async fn every_stanza_is_answered_once_whatever_it_is() {
    let (mut server, _client, _) = scripted(true).await;
    let mut line = server.accept().await;
    line.log_in().await;
    let from = Jid::phone("15550199");
    let stanza = |tag: &'static str, id: &'static str| {
        Node::new(tag).attr("id", id).attr("from", from.clone()).attr("t", NOW)
    };
    line.say(stanza("novelty", "1")).await;
    line.say(stanza("notification", "2").attr("type", "novelty")).await;
    line.say(stanza("notification", "3")).await;
    line.say(stanza("call", "4")).await;
    line.say(stanza("receipt", "5").attr("type", "novelty")).await;
    line.say(stanza("message", "6").attr("type", "text")).await;
    line.say(stanza("iq", "7").attr("type", "get").child(Node::new("novelty"))).await;
    let heard = line.hear_all().await;
    let mut answered: Vec<_> =
        heard.iter().map(|node| node.attrs.text("id").unwrap().into_owned()).collect();
    answered.sort();
    assert_eq!(answered, ["1", "2", "3", "4", "5", "6", "7"], "{heard:?}");
    let answer = |id: &str| heard.iter().find(|node| node.attrs.is("id", id)).unwrap();
    assert!(answer("1").attrs.is("error", "488"));
    assert!(answer("2").attrs.is("class", "notification"));
    assert!(answer("7").attrs.is("type", "result"));
}

#[tokio::test(start_paused = true)]
async fn the_backlog_is_asked_for_until_its_end_is_told() {
    let (mut server, client, _) = scripted(true).await;
    let mut line = server.accept().await;
    line.log_in().await;
    let mut events = client.events();
    let preview = Node::new("offline_preview").attr("count", "150").attr("notification", "150");
    line.say(Node::new("ib").child(preview)).await;
    let is_batch = |node: &OwnedNode| node.find("offline_batch").is_some();
    let asked = line.hear().await;
    assert!(asked.find("offline_batch").unwrap().attrs.is("count", "200"));
    let mut acks = 0;
    for id in 0..150_u32 {
        let notification = Node::new("notification")
            .attr("id", id)
            .attr("from", Jid::server())
            .attr("type", "novelty")
            .attr("t", NOW)
            .attr("offline", "0");
        line.say(notification).await;
        if id == 0 {
            // At the first of a batch the next one is asked for.
            loop {
                match line.hear().await {
                    node if is_batch(&node) => break,
                    _ => acks += 1,
                }
            }
        }
    }
    line.say(Node::new("ib").child(Node::new("offline").attr("count", "150"))).await;
    let rest = line.hear_all().await;
    assert_eq!(acks + rest.len(), 150);
    assert!(
        matches!(events.next().await, Some(Event::OfflineSyncPreview(counts)) if counts.total == 150)
    );
    assert_eq!(events.next().await, Some(Event::OfflineSyncCompleted { count: 150 }));
}

#[tokio::test(start_paused = true)]
async fn what_an_old_connection_brought_is_not_answered_on_the_next() {
    let (mut server, _client, _) = scripted(true).await;
    let mut line = server.accept().await;
    line.log_in().await;
    for id in 0..20_u32 {
        let call = Node::new("call").attr("id", id).attr("from", Jid::lid("1")).attr("t", NOW);
        line.say(call).await;
    }
    line.say(Node::new("stream:error").attr("code", "515")).await;
    let mut line = server.accept().await;
    let asked = line.log_in().await;
    assert_eq!(asked.last().map(String::as_str), Some("active"));
    assert_eq!(line.hear_all().await, []);
}
