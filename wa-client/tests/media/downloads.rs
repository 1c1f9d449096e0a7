//! Downloads: to memory, to files, to readers.

use std::{
    fs,
    io::{ErrorKind, Read as _},
    time::Duration,
};

use wa_client::media::{Folder, MediaError, MediaFile};
use wa_sim::{
    Chance, FaultPlan, FileKind, MediaAct, MediaFault, MediaFaultKind, OutgoingFile, Sim,
};

use crate::parties::{Party, ada_and_bob};

/// 150,000 bytes that do not repeat soon.
pub(crate) fn noise() -> Vec<u8> {
    (0..150_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

pub(crate) fn media_faults(sim: &Sim, faults: impl IntoIterator<Item = MediaFault>) {
    let mut plan = FaultPlan::default();
    plan.media = faults.into_iter().collect();
    sim.set_faults(plan);
}

fn status(status: u16) -> MediaFaultKind {
    MediaFaultKind::Status { status, retry_after: None }
}

/// Ada's phone sends Bob a document; what his archive says of it.
async fn document(ada: &Party, bob: &mut Party, bytes: &[u8]) -> MediaFile {
    let file = OutgoingFile::new(FileKind::Document, bytes);
    ada.phone.send_file(&bob.phone.jid(), file).unwrap();
    bob.message().await;
    let kept = bob.archive(&ada.phone.jid()).await.pop().unwrap();
    MediaFile::from_archive(&kept).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_file_comes_the_same_to_memory_to_disk_and_to_a_reader() {
    let (_sim, ada, mut bob) = ada_and_bob(401).await;
    let file = document(&ada, &mut bob, &noise()).await;
    let download = bob.client.download(file);
    assert_eq!(download.clone().to_bytes(1 << 20).await.unwrap(), noise());
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("file");
    download.clone().to_file(&target).await.unwrap();
    assert_eq!(fs::read(&target).unwrap(), noise());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let mut read = Vec::new();
    download.to_reader().await.unwrap().read_to_end(&mut read).unwrap();
    assert_eq!(read, noise());
}

#[tokio::test(start_paused = true)]
async fn a_host_that_fails_makes_room_for_another_at_once() {
    let (sim, ada, mut bob) = ada_and_bob(402).await;
    let file = document(&ada, &mut bob, b"two hosts").await;
    for kind in [status(500), status(503), MediaFaultKind::Refused, MediaFaultKind::Cut] {
        media_faults(&sim, [MediaFault::new(kind, Chance::with_probability(1.0)).at(0)]);
        let before = sim.now();
        let bytes = bob.client.download(file.clone()).to_bytes(100).await.unwrap();
        assert_eq!((bytes.as_slice(), sim.now()), (&b"two hosts"[..], before), "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_is_left_alone_for_as_long_as_it_asks() {
    let (sim, ada, mut bob) = ada_and_bob(403).await;
    let file = document(&ada, &mut bob, b"later").await;
    let busy = MediaFaultKind::Status { status: 503, retry_after: Some(40) };
    media_faults(&sim, [MediaFault::new(busy, Chance::times(2))]);
    let before = sim.now();
    assert_eq!(bob.client.download(file.clone()).to_bytes(100).await.unwrap(), b"later");
    assert!((40..42).contains(&(sim.now() - before)), "{}", sim.now() - before);

    let weary = MediaFaultKind::Status { status: 503, retry_after: Some(7200) };
    media_faults(&sim, [MediaFault::new(weary, Chance::with_probability(1.0))]);
    let refused = bob.client.download(file).to_bytes(100).await;
    let Err(MediaError::Unavailable { retry_after: Some(wait) }) = refused else {
        panic!("{refused:?}");
    };
    assert!(wait > Duration::from_secs(7000), "the caller is told, and not kept waiting");
}

#[tokio::test(start_paused = true)]
async fn hosts_that_never_answer_well_are_given_up() {
    let (sim, ada, mut bob) = ada_and_bob(404).await;
    let file = document(&ada, &mut bob, b"never").await;
    let always = Chance::with_probability(1.0);
    let slow = MediaFaultKind::Slow { milliseconds: 600_000 };
    for kind in [status(500), MediaFaultKind::Refused, slow] {
        media_faults(&sim, [MediaFault::new(kind, always)]);
        let refused = bob.client.download(file.clone()).to_bytes(100).await;
        assert!(matches!(refused, Err(MediaError::Unavailable { .. })), "{kind:?}: {refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_damaged_file_is_never_seen_and_leaves_nothing_on_disk() {
    let (sim, ada, mut bob) = ada_and_bob(405).await;
    let file = document(&ada, &mut bob, &noise()).await;
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("file");
    fs::write(&target, "what was there").unwrap();
    for kind in [MediaFaultKind::Corrupted, MediaFaultKind::Truncated] {
        media_faults(&sim, [MediaFault::new(kind, Chance::with_probability(1.0))]);
        let download = bob.client.download(file.clone());
        let refused = download.clone().to_file(&target).await;
        assert!(matches!(refused, Err(MediaError::Corrupt(_))), "{kind:?}: {refused:?}");
        assert!(matches!(download.clone().to_bytes(1 << 20).await, Err(MediaError::Corrupt(_))));
        assert!(matches!(download.to_reader().await, Err(MediaError::Corrupt(_))));
        assert_eq!(fs::read(&target).unwrap(), b"what was there");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "{kind:?}");
    }
    // Another host may have it whole.
    let once = MediaFault::new(MediaFaultKind::Corrupted, Chance::times(1));
    media_faults(&sim, [once]);
    bob.client.download(file).to_file(&target).await.unwrap();
    assert_eq!(fs::read(&target).unwrap(), noise());
}

#[tokio::test(start_paused = true)]
async fn a_file_larger_than_the_limit_is_refused_whatever_is_claimed() {
    let (sim, ada, mut bob) = ada_and_bob(406).await;
    let mut file = document(&ada, &mut bob, &noise()).await;
    let large = |refused: Result<Vec<u8>, MediaError>| {
        assert!(matches!(refused, Err(MediaError::TooLarge { limit: 149_999 })), "{refused:?}");
    };
    large(bob.client.download(file.clone()).to_bytes(149_999).await);
    // A sender that claims little, and a host that claims much.
    file.media.file_length = Some(5);
    large(bob.client.download(file.clone()).to_bytes(149_999).await);
    let bomb = MediaFaultKind::Length { claimed: 1 << 50 };
    media_faults(&sim, [MediaFault::new(bomb, Chance::with_probability(1.0))]);
    let small = document(&ada, &mut bob, b"small").await;
    large(bob.client.download(small.clone()).to_bytes(149_999).await);
    media_faults(&sim, []);
    let mut bomb = small;
    bomb.media.file_length = Some(1 << 60);
    large(bob.client.download(bomb).to_bytes(149_999).await);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_no_longer_taken_is_asked_for_again_once() {
    let (sim, ada, mut bob) = ada_and_bob(407).await;
    let file = document(&ada, &mut bob, b"fresh").await;
    let download = bob.client.download(file);
    media_faults(&sim, [MediaFault::new(status(401), Chance::times(1)).on(MediaAct::Download)]);
    assert_eq!(download.clone().to_bytes(100).await.unwrap(), b"fresh");
    media_faults(&sim, [MediaFault::new(status(401), Chance::with_probability(1.0))]);
    let refused = download.to_bytes(100).await;
    assert!(matches!(refused, Err(MediaError::Refused { status: 401 })), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_not_encrypted_is_checked_all_the_same() {
    let (sim, ada, mut bob) = ada_and_bob(408).await;
    let mut file = document(&ada, &mut bob, b"x").await;
    // What lies there is a blob; take it for a channel's file.
    let blob = sim.media_blob(file.media.direct_path.as_deref().unwrap()).unwrap();
    file.media.media_key = None;
    file.media.file_enc_sha256 = None;
    file.media.file_length = None;
    let checksum = wa_crypto::sha256(&[&blob]);
    file.media.file_sha256 = Some(checksum.to_vec().into());
    assert_eq!(bob.client.download(file.clone()).to_bytes(100).await.unwrap(), blob);
    file.media.file_sha256 = Some(vec![7; 32].into());
    let refused = bob.client.download(file).to_bytes(100).await;
    assert!(matches!(refused, Err(MediaError::Corrupt(_))), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_larger_preview_is_downloaded_and_checked_like_any_file() {
    let (sim, ada, mut bob) = ada_and_bob(409).await;
    for kind in [FileKind::Image, FileKind::Video, FileKind::Document] {
        let mut file = OutgoingFile::new(kind, b"large");
        file.preview = Some(noise());
        ada.phone.send_file(&bob.phone.jid(), file).unwrap();
        bob.message().await;
        let kept = bob.archive(&ada.phone.jid()).await.pop().unwrap();
        let preview = MediaFile::from_archive(&kept).unwrap().thumbnail().unwrap();
        let download = bob.client.download(preview);
        assert_eq!(download.clone().to_bytes(1 << 20).await.unwrap(), noise());
        let always = Chance::with_probability(1.0);
        media_faults(&sim, [MediaFault::new(MediaFaultKind::Corrupted, always)]);
        assert!(matches!(download.to_bytes(1 << 20).await, Err(MediaError::Corrupt(_))));
        media_faults(&sim, []);
    }
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_download_goes_where_the_folder_was_whatever_takes_its_name() {
    use std::os::unix::fs::symlink;

    let (_sim, ada, mut bob) = ada_and_bob(431).await;
    let file = document(&ada, &mut bob, b"for this folder").await;
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    fs::create_dir(path("chosen")).unwrap();
    fs::create_dir(path("other")).unwrap();
    let folder = Folder::open(path("chosen")).unwrap();
    fs::rename(path("chosen"), path("aside")).unwrap();
    symlink(path("other"), path("chosen")).unwrap();
    let download = bob.client.download(file);
    let saved = download.clone().to_new_file(&folder, "a.txt").await.unwrap();
    assert_eq!(saved.bytes, 15);
    assert_eq!(fs::read(path("aside/a.txt")).unwrap(), b"for this folder");
    let refused = download.clone().to_new_file(&folder, "a.txt").await.unwrap_err();
    assert!(matches!(&refused, MediaError::Io(error) if error.kind() == ErrorKind::AlreadyExists));
    for name in ["", ".", "..", "../a", "/etc/a"] {
        assert!(download.clone().to_new_file(&folder, name).await.is_err(), "{name}");
    }
    assert_eq!(fs::read_dir(path("other")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(path("aside")).unwrap().count(), 1);
}
