//! The socket: whose it is, what was left behind, and who speaks another version.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixListener,
};
use wa_bridge::{AccountLock, Bridge, Caller, Cause, Profile, api::Status};

use crate::support::{World, refused};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_its_owners_alone_and_gone_when_it_is_closed() {
    let world = World::new().await;
    let owner = world.person().await;
    assert_eq!(mode(&world.socket()), 0o600);
    assert_eq!(mode(world.socket().parent().unwrap()), 0o700);
    owner.close().await.unwrap();
    assert!(!world.socket().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_was_left_behind_is_no_obstacle() {
    let world = World::new().await;
    fs::create_dir(world.path("account")).unwrap();
    drop(UnixListener::bind(world.socket()).unwrap());
    assert!(world.socket().exists());
    let owner = world.person().await;
    assert!(owner.is_owner().await);
    let guest = world.person().await;
    assert!(!guest.is_owner().await);
    guest.call(Status::default()).await.unwrap();
}

/// Holds the lock, and answers every request on the socket with this.
async fn pretend(world: &World, answer: &'static str) -> AccountLock {
    let options = world.options(Caller::person("other"));
    let profile =
        Profile::locate(&options.profile, options.store.as_deref(), &options.environment).unwrap();
    profile.prepare().unwrap();
    let lock = AccountLock::acquire(&profile).unwrap();
    let listener = UnixListener::bind(world.socket()).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
            let answer = format!("{head}content-length: {}\r\n\r\n{answer}", answer.len());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    lock
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_of_another_version_is_not_spoken_with() {
    let world = World::new().await;
    let hello = r#"{"data":{"api":99,"version":"9.9.9","profile":"default","pid":4242}}"#;
    let _lock = pretend(&world, hello).await;
    let opened = Bridge::open(world.options(Caller::person("terminal"))).await;
    let failure = refused(opened, Cause::Version);
    assert!(failure.message.contains("4242") && failure.message.contains("9.9.9"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_of_another_version_is_refused() {
    let world = World::new().await;
    let _owner = world.person().await;
    for version in ["wa-version: 99\r\n", "wa-version: \u{7}one\r\n", "wa-version: \u{f1}\r\n"] {
        let (status, answer) = world.request("POST", "/v1/account/status", version, b"{}").await;
        assert!(status == 400, "{version:?}: {status} {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_nobody_linked_is_not_made_unless_that_is_wanted() {
    let world = World::new().await;
    let mut options = world.options(Caller::person("terminal"));
    options.create = false;
    refused(Bridge::open(options).await, Cause::NotLinked);
    assert!(!world.path("account").exists());
}
