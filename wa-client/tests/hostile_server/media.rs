//! Files that the server swaps.

use wa_client::media::MediaFile;
use wa_sim::{FileKind, OutgoingFile};

use crate::{Scene, settle};

#[tokio::test(start_paused = true)]
async fn a_file_that_was_swapped_is_an_error_and_never_another_file() {
    let scene = Scene::new(1801).await;
    let mut files = Vec::new();
    for bytes in [&b"the first file, as Bob sent it"[..], &b"the second file"[..]] {
        let file = OutgoingFile::new(FileKind::Document, bytes);
        scene.bob.send_file(&scene.ada.phone.jid(), file).unwrap();
        settle().await;
        let kept = scene.ada.archive(&scene.bob.jid()).await.pop().unwrap();
        files.push((MediaFile::from_archive(&kept).unwrap(), direct_path(&kept)));
    }
    let [(first, path), (_, other_path)] = &files[..] else { panic!("two files") };
    let whole = scene.sim.media_blob(path).unwrap();
    let other = scene.sim.media_blob(other_path).unwrap();
    let mut flipped = whole.to_vec();
    flipped[3] ^= 1;
    let longer = [&whole[..], &[0; 16]].concat();
    let swaps =
        [other.to_vec(), flipped, longer, whole[..16].to_vec(), Vec::new(), vec![0; 1 << 20]];
    for (at, swap) in swaps.into_iter().enumerate() {
        assert!(scene.hostile.swap_media(path, swap));
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("file");
        let download = scene.ada.client.download(first.clone());
        assert!(download.clone().to_bytes(1 << 21).await.is_err(), "swap {at}");
        assert!(download.to_file(&target).await.is_err(), "swap {at}");
        let left = std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(left, 0, "swap {at}: nothing of it stays on disk");
    }
    assert!(scene.hostile.swap_media(path, whole));
    let bytes = scene.ada.client.download(first.clone()).to_bytes(1 << 21).await.unwrap();
    assert_eq!(bytes, b"the first file, as Bob sent it");
    scene.holds().await;
}

/// Where the file of a message lies.
fn direct_path(kept: &wa_store::ArchivedMessage) -> String {
    use prost::Message as _;
    let message = wa_proto::pb::Message::decode(kept.raw.as_bytes()).unwrap();
    let document = message.document_message.or_else(|| {
        let wrapped = message.document_with_caption_message?;
        wrapped.message?.document_message
    });
    document.unwrap().direct_path.unwrap()
}
