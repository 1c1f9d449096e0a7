//! What cannot be read costs nothing but itself, and a server that says nothing else is left.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use wa_client::{RequestError, State};
use wa_proto::{Jid, Node, OwnedNode, request::Ping, stanza::ParseError};

use crate::script::{Line, NOW, scripted};

fn message(id: &'static str) -> OwnedNode {
    Node::new("message")
        .attr("id", id)
        .attr("from", Jid::phone("15550199"))
        .attr("type", "text")
        .attr("t", NOW)
        .child(Node::new("unavailable").attr("type", "view_once"))
}

/// The stanza without its last byte.
fn cut(stanza: &OwnedNode) -> Vec<u8> {
    let mut bytes = stanza.encode();
    bytes.pop();
    bytes
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_cannot_be_decoded_is_refused_and_what_stands_behind_it_is_answered() {
    let (mut server, client, _) = scripted(true).await;
    let mut line = server.accept().await;
    line.log_in().await;
    // Of the first nothing can be read, of the second its outside.
    line.say_bytes(&[0, 0xff, 0xff, 0xff]).await;
    line.say_bytes(&cut(&message("1"))).await;
    line.say(message("2")).await;
    let heard = line.hear_all().await;
    let answered = |id: &str| heard.iter().filter(|node| node.attrs.is("id", id)).count();
    assert_eq!((answered("1"), answered("2")), (1, 1), "{heard:?}");
    let nack = heard.iter().find(|node| node.attrs.is("id", "1")).unwrap();
    assert!(nack.tag == "ack" && nack.attrs.is("error", "487"), "{nack:?}");
    assert_eq!(client.state(), State::Connected);
    assert_eq!(server.waiting(), 0);
    let unreadable = client.health().unreadable;
    assert_eq!((unreadable.frames, unreadable.last.unwrap().secs()), (2, NOW as i64));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_decoded_fails_its_question_at_once() {
    let (mut server, client, _) = scripted(true).await;
    let mut line = server.accept().await;
    line.log_in().await;
    let asked = tokio::spawn(async move { client.request(&Ping).await });
    let question = line.hear().await;
    let id = question.attrs.text("id").unwrap().into_owned();
    let answer = Node::new("iq").attr("type", "result").attr("id", id);
    line.say_bytes(&cut(&answer.child(Node::new("x").bytes(vec![1; 9])))).await;
    let answer = timeout(Duration::from_secs(1), asked).await.unwrap().unwrap();
    assert_eq!(answer, Err(RequestError::Answer(ParseError::Undecodable)));
}

#[tokio::test(start_paused = true)]
async fn a_word_on_which_the_connection_depends_is_not_skipped() {
    let (mut server, _client, _) = scripted(true).await;
    // A login that cannot be read would be waited for for ever.
    let mut line = server.accept().await;
    line.say_bytes(&cut(&Node::new("success").attr("t", NOW).attr("x", "long enough"))).await;
    assert_eq!(line.hear_next().await, None);
    let mut line = server.accept().await;
    line.log_in().await;
    line.say_bytes(&cut(&Node::new("stream:error").attr("code", "515").attr("x", "y z"))).await;
    assert_eq!(line.hear_next().await, None);
}

/// Says frames that cannot be read until the client has enough of them; how many it took.
async fn poison(line: &mut Line) -> usize {
    for count in 1..1_000 {
        line.say_bytes(&[0, 0xff]).await;
        sleep(Duration::from_millis(10)).await;
        let ended = timeout(Duration::from_millis(10), line.hear_next()).await;
        if matches!(ended, Ok(None)) {
            return count;
        }
    }
    panic!("the client bears everything");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_readable_is_met_again_after_growing_delays() {
    let (mut server, _client, _) = scripted(true).await;
    let started = Instant::now();
    let mut connections = 0;
    while started.elapsed() < Duration::from_secs(600) {
        let mut line = server.accept().await;
        connections += 1;
        line.log_in().await;
        assert_eq!(poison(&mut line).await, 17);
    }
    assert!(connections <= 16, "{connections}");
}
