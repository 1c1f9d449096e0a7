//! Uploads: over hosts that fail, in pieces, and no more than once through the file.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, ReadBuf};
use wa_client::media::{MediaError, MediaFile, MediaSource, MediaType, OutgoingMedia};
use wa_sim::{Chance, MediaAct, MediaFault, MediaFaultKind};

use crate::{
    downloads::{media_faults, noise},
    parties::ada_and_bob,
};

/// So many zeroes, which must be asked for in pieces.
struct Zeroes {
    left: u64,
    largest: Arc<AtomicU64>,
}

impl AsyncRead for Zeroes {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = into.remaining() as u64;
        self.largest.fetch_max(room, Ordering::Relaxed);
        let now = room.min(self.left);
        into.initialize_unfilled_to(usize::try_from(now).unwrap());
        into.advance(usize::try_from(now).unwrap());
        self.left -= now;
        Poll::Ready(Ok(()))
    }
}

const fn status(status: u16) -> MediaFaultKind {
    MediaFaultKind::Status { status, retry_after: None }
}

#[tokio::test(start_paused = true)]
async fn a_large_file_goes_up_in_pieces_and_comes_down_in_pieces() {
    // The line to the hosts refuses larger pieces than 64 KiB, either way.
    let (_sim, ada, _bob) = ada_and_bob(461).await;
    let largest = Arc::new(AtomicU64::new(0));
    let source = Zeroes { left: 64 << 20, largest: Arc::clone(&largest) };
    let source = MediaSource::reader(source);
    let uploaded = ada.client.upload(MediaType::Video, source).await.unwrap();
    assert_eq!(uploaded.length, 64 << 20);
    assert!(largest.load(Ordering::Relaxed) <= 64 * 1024, "{largest:?}");
    let file = MediaFile::new(MediaType::Video, uploaded.to_media());
    let mut reader = ada.client.download(file).to_reader().await.unwrap();
    let length = io::copy(&mut reader, &mut io::sink()).unwrap();
    assert_eq!(length, 64 << 20);
}

#[tokio::test(start_paused = true)]
async fn an_upload_goes_to_another_host_and_the_file_is_read_once() {
    let (sim, ada, _bob) = ada_and_bob(462).await;
    for kind in [status(500), status(503), status(507), MediaFaultKind::Refused] {
        media_faults(&sim, [MediaFault::new(kind, Chance::with_probability(1.0)).at(0)]);
        // A reader cannot be read again.
        let source = MediaSource::reader(io::Cursor::new(noise()));
        let uploaded = ada.client.upload(MediaType::Document, source).await.unwrap();
        let file = MediaFile::new(MediaType::Document, uploaded.to_media());
        media_faults(&sim, []);
        assert_eq!(ada.client.download(file).to_bytes(1 << 20).await.unwrap(), noise());
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_is_asked_for_again() {
    let (sim, ada, _bob) = ada_and_bob(463).await;
    ada.client.upload(MediaType::Image, noise()).await.unwrap();
    sim.revoke_media_tokens();
    ada.client.upload(MediaType::Image, noise()).await.unwrap();
    media_faults(&sim, [MediaFault::new(status(403), Chance::times(1))]);
    ada.client.upload(MediaType::Image, noise()).await.unwrap();
    media_faults(&sim, [MediaFault::new(status(401), Chance::with_probability(1.0))]);
    let refused = ada.client.upload(MediaType::Image, noise()).await;
    assert!(matches!(refused, Err(MediaError::Refused { status: 401 })), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_broke_off_goes_on_where_it_was() {
    let (sim, ada, _bob) = ada_and_bob(464).await;
    let cut = MediaFault::new(MediaFaultKind::Cut, Chance::times(1)).on(MediaAct::Upload);
    media_faults(&sim, [cut]);
    let before = sim.media_stats();
    let uploaded = ada.client.upload(MediaType::Document, noise()).await.unwrap();
    let after = sim.media_stats();
    let sent = after.uploaded_bytes - before.uploaded_bytes;
    assert_eq!(sent, 150_000 / 16 * 16 + 16 + 10, "each byte went up once");
    assert_eq!(after.probes - before.probes, 1);
    let file = MediaFile::new(MediaType::Document, uploaded.to_media());
    assert_eq!(ada.client.download(file).to_bytes(1 << 20).await.unwrap(), noise());
}

#[tokio::test(start_paused = true)]
async fn a_host_that_cannot_go_on_gets_the_whole_file() {
    let (sim, ada, _bob) = ada_and_bob(465).await;
    let cut = MediaFault::new(MediaFaultKind::Cut, Chance::times(1)).on(MediaAct::Upload);
    let gap = MediaFault::new(status(416), Chance::times(1)).on(MediaAct::Upload);
    media_faults(&sim, [cut, gap]);
    let uploaded = ada.client.upload(MediaType::Document, noise()).await.unwrap();
    let file = MediaFile::new(MediaType::Document, uploaded.to_media());
    assert_eq!(ada.client.download(file).to_bytes(1 << 20).await.unwrap(), noise());
}

#[tokio::test(start_paused = true)]
async fn what_a_host_refuses_for_good_is_not_tried_again() {
    let (sim, ada, _bob) = ada_and_bob(466).await;
    media_faults(&sim, [MediaFault::new(status(413), Chance::times(1))]);
    let refused = ada.client.upload(MediaType::Document, noise()).await;
    assert!(matches!(refused, Err(MediaError::Refused { status: 413 })), "{refused:?}");
    let limited = ada.client.upload(MediaType::Document, noise()).limit(1_000).await;
    assert!(matches!(limited, Err(MediaError::TooLarge { limit: 1_000 })), "{limited:?}");
    let missing = std::path::Path::new("/nonexistent/file");
    let missing = ada.client.upload(MediaType::Document, missing).await;
    assert!(matches!(missing, Err(MediaError::Io(_))), "{missing:?}");
}

#[tokio::test(start_paused = true)]
async fn a_channels_file_goes_up_as_it_is_and_is_checked_when_it_comes_down() {
    let (sim, ada, _bob) = ada_and_bob(467).await;
    let uploaded = ada.client.upload(MediaType::Image, noise()).for_channel().await.unwrap();
    assert!(uploaded.media_key.is_none() && uploaded.handle.is_some());
    assert_eq!(sim.media_blob(&uploaded.direct_path).unwrap(), noise());
    let file = MediaFile::new(MediaType::Image, uploaded.to_media());
    assert_eq!(ada.client.download(file.clone()).to_bytes(1 << 20).await.unwrap(), noise());
    let always = Chance::with_probability(1.0);
    media_faults(&sim, [MediaFault::new(MediaFaultKind::Corrupted, always)]);
    let refused = ada.client.download(file).to_bytes(1 << 20).await;
    assert!(matches!(refused, Err(MediaError::Corrupt(_))), "{refused:?}");
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn an_open_file_is_sent_and_not_what_took_its_name() {
    let (_sim, ada, mut bob) = ada_and_bob(432).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter.txt");
    std::fs::write(&path, "dear Bob").unwrap();
    let mut file = std::fs::File::open(&path).unwrap();
    // Whoever looked at it left it somewhere in its middle.
    io::Read::read_exact(&mut file, &mut [0; 4]).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "the PIN is 1234").unwrap();
    let media = OutgoingMedia::document(file, "letter.txt");
    ada.client.send_media(bob.phone.jid(), media).await.unwrap();
    bob.message().await;
    let kept = bob.archive(&ada.phone.jid()).await.pop().unwrap();
    let received = MediaFile::from_archive(&kept).unwrap();
    assert_eq!(bob.client.download(received).to_bytes(100).await.unwrap(), b"dear Bob");
}
