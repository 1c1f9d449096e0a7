//! Prekeys are on disk before the server hears of them, and are those the server has.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use wa_proto::{Node, OwnedNode};
use wa_store::{MemoryStore, Store};

use crate::script::{Line, Server, asked, link};

/// The ids and keys of an upload.
fn uploaded(request: &OwnedNode) -> BTreeMap<u32, Vec<u8>> {
    let keys = request.find("list").unwrap().find_all("key").map(|key| {
        let id = key.find("id").unwrap().content_bytes().unwrap();
        let id = id.iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
        (id, key.find("value").unwrap().content_bytes().unwrap().to_vec())
    });
    keys.collect()
}

/// Says `<success>` and answers until a request for this comes.
async fn until(line: &mut Line, wanted: &str) -> OwnedNode {
    loop {
        let request = line.hear().await;
        if asked(&request) == wanted {
            return request;
        }
        line.serve(&request).await;
    }
}

async fn is_uploaded(store: &dyn Store, id: u32) -> Option<bool> {
    store.prekey(id).await.unwrap().map(|prekey| prekey.uploaded)
}

#[tokio::test(start_paused = true)]
async fn prekeys_whose_upload_nobody_confirmed_are_uploaded_again_and_no_id_has_two_keys() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    link(store.as_ref()).await;
    let mut server = Server::new();

    let client = server.client(Arc::clone(&store), 1).await;
    client.connect().unwrap();
    let mut line = server.accept().await;
    line.succeed().await;
    let first = uploaded(&until(&mut line, "registration").await);
    assert_eq!(first.len(), 812);
    for (id, key) in &first {
        let kept = store.prekey(*id).await.unwrap().expect("it is on disk already");
        assert_eq!(kept.pair.public.as_bytes()[..], key[..]);
        assert!(!kept.uploaded);
    }
    // The process ends before the server's answer.
    drop((client, line));

    let client = server.client(Arc::clone(&store), 2).await;
    client.connect().unwrap();
    let mut line = server.accept().await;
    line.succeed().await;
    let request = until(&mut line, "registration").await;
    assert_eq!(uploaded(&request), first);
    let id = *first.keys().next().unwrap();
    assert_eq!(is_uploaded(store.as_ref(), id).await, Some(false));
    line.answer(&request, None).await;
    until(&mut line, "active").await;
    assert_eq!(is_uploaded(store.as_ref(), id).await, Some(true));
    assert_eq!(store.prekey_count().await.unwrap().uploaded, 812);
    drop((client, line));

    // The next ones have other ids.
    let client = server.client(Arc::clone(&store), 3).await;
    client.connect().unwrap();
    let mut line = server.accept().await;
    line.succeed().await;
    let more = uploaded(&until(&mut line, "registration").await);
    assert_eq!(more.len(), 50);
    let old: HashSet<_> = first.keys().collect();
    assert!(more.keys().all(|id| !old.contains(id)), "an id was used twice");
}

fn digest(registration: u32, prekeys: &[u32]) -> OwnedNode {
    let ids = prekeys.iter().map(|id| Node::new("id").bytes(id.to_be_bytes()[1..].to_vec()));
    Node::new("digest")
        .child(Node::new("registration").bytes(registration.to_be_bytes().to_vec()))
        .child(Node::new("list").children(ids))
}

/// Lets a client with a full stock log in to a server with enough prekeys, whose digest is this,
/// or is refused; gives back what is asked afterwards.
async fn after_digest(answer: Option<OwnedNode>) -> Vec<OwnedNode> {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    link(store.as_ref()).await;
    let mut server = Server::new();
    let client = server.client(Arc::clone(&store), 1).await;
    client.connect().unwrap();
    let mut line = server.accept().await;
    line.log_in().await;
    line.say(Node::new("stream:error").attr("code", "515")).await;
    let mut line = server.accept().await;
    line.succeed().await;
    let count = until(&mut line, "count").await;
    line.answer(&count, Some(Node::new("count").attr("value", "812"))).await;
    let request = until(&mut line, "digest").await;
    match answer {
        Some(answer) => line.answer(&request, Some(answer)).await,
        None => line.refuse(&request, "404").await,
    }
    let mut then = Vec::new();
    loop {
        let request = line.hear().await;
        if request.tag == "ib" {
            return then;
        }
        line.serve(&request).await;
        if asked(&request) != "privacy" {
            then.push(request);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_with_the_keys_of_this_device_gets_no_others() {
    let all: Vec<u32> = (1..=812).collect();
    let then = after_digest(Some(digest(7, &all))).await;
    assert_eq!(then.iter().map(asked).collect::<Vec<_>>(), ["active"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_with_other_keys_gets_new_ones_before_the_device_is_active() {
    let strange: Vec<u32> = (5_001..=5_812).collect();
    let all: Vec<u32> = (1..=812).collect();
    for answer in [Some(digest(7, &strange)), Some(digest(8, &all)), None] {
        let then = after_digest(answer).await;
        assert_eq!(then.iter().map(asked).collect::<Vec<_>>(), ["registration", "active"]);
        let keys = uploaded(&then[0]);
        assert_eq!(keys.len(), 812);
        assert!(keys.keys().all(|id| *id > 812), "the old keys were not replaced");
    }
}
