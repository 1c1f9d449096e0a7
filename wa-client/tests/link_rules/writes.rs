//! What is known of the account is what was written last, whoever stopped waiting for it.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;
use wa_proto::{Jid, Node, OwnedNode};
use wa_store::Store as _;

use crate::script::{moody_store::MoodyStore, scripted_over};

fn routing(info: &'static [u8]) -> OwnedNode {
    let info = Node::new("routing_info").bytes(info.to_vec());
    Node::new("ib").child(Node::new("edge_routing").child(info))
}

/// A change of the account is held up by `hold`, and the connection it came on ends meanwhile.
async fn cut_off_while(hold: fn(&MoodyStore)) {
    let store = MoodyStore::new();
    let (mut server, client, _) = scripted_over(Arc::new(store.clone()), true).await;
    let mut line = server.accept().await;
    line.log_in().await;
    line.hear_all().await;
    hold(&store);
    line.say(routing(b"first")).await;
    sleep(Duration::from_secs(1)).await;
    line.say(Node::new("stream:error").attr("code", "515")).await;
    assert_eq!(line.hear_next().await, None);
    store.release();
    // What is in memory is sent with the next connection.
    let mut line = server.accept().await;
    let kept = async || store.account().await.unwrap().unwrap();
    let on_disk = kept().await.routing_info;
    if let Some(on_disk) = on_disk.clone() {
        line.say(Node::new("stream:error").attr("code", "515")).await;
        line = server.accept().await;
        assert_eq!(line.routing_info, Some(on_disk));
    }
    // Another change is made of what was written last: here the own LID is news.
    line.say(
        Node::new("success")
            .attr("t", crate::script::NOW)
            .attr("lid", Jid::lid("8").with_device(3)),
    )
    .await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(client.lid(), Some(Jid::lid("8").with_device(3)));
    assert_eq!(kept().await.lid, Some(Jid::lid("8").with_device(3)));
    assert_eq!(kept().await.routing_info, Some(b"first".to_vec()));
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_account_that_is_cut_off_before_it_lands_is_not_lost() {
    cut_off_while(MoodyStore::hold).await;
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_account_that_is_cut_off_after_it_landed_is_not_undone_by_the_next() {
    cut_off_while(MoodyStore::hold_landed).await;
}
