//! Files that the media hosts have no more, and the phone that may have them.

use std::time::Duration;

use wa_client::media::{MediaError, MediaFile};
use wa_sim::{Chance, FileKind, MediaAct, MediaFault, MediaFaultKind, OutgoingFile};

use crate::{
    downloads::{media_faults, noise},
    parties::{Party, ada_and_bob, settle},
};

/// Ada's phone sends Bob a picture, which is then gone from the hosts.
async fn expired_picture(seed: u64) -> (wa_sim::Sim, Party, Party, MediaFile) {
    let (sim, ada, mut bob) = ada_and_bob(seed).await;
    let file = OutgoingFile::new(FileKind::Image, noise()).captioned("long ago");
    ada.phone.send_file(&bob.phone.jid(), file).unwrap();
    bob.message().await;
    settle().await;
    let kept = bob.archive(&ada.phone.jid()).await.pop().unwrap();
    let file = MediaFile::from_archive(&kept).unwrap();
    assert!(sim.expire_media(file.media.direct_path.as_deref().unwrap()));
    (sim, ada, bob, file)
}

#[tokio::test(start_paused = true)]
async fn a_file_gone_from_the_hosts_comes_by_way_of_the_phone() {
    let (_sim, _ada, bob, file) = expired_picture(421).await;
    let bytes = bob.client.download(file).to_bytes(1 << 20).await.unwrap();
    assert_eq!(bytes, noise());
}

#[tokio::test(start_paused = true)]
async fn a_path_that_expired_is_healed_by_the_phone_too() {
    for status in [403, 404, 410] {
        let (sim, ada, mut bob) = ada_and_bob(430 + u64::from(status)).await;
        ada.phone.send_image(&bob.phone.jid(), b"picture", None).unwrap();
        bob.message().await;
        settle().await;
        let kept = bob.archive(&ada.phone.jid()).await.pop().unwrap();
        let gone = MediaFaultKind::Status { status, retry_after: None };
        let once = MediaFault::new(gone, Chance::times(1)).on(MediaAct::Download);
        media_faults(&sim, [once]);
        let file = MediaFile::from_archive(&kept).unwrap();
        let before = sim.now();
        assert_eq!(bob.client.download(file).to_bytes(100).await.unwrap(), b"picture");
        assert!(sim.now() - before < 5, "no host is tried twice for a file that is gone");
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_the_phone_has_no_more_is_lost_and_said_to_be() {
    let (_sim, _ada, bob, file) = expired_picture(422).await;
    let id = file.message.clone().unwrap().id;
    assert!(bob.phone.delete_media(id.as_str()));
    let lost = bob.client.download(file).to_bytes(1 << 20).await;
    assert!(matches!(lost, Err(MediaError::NotOnPhone)), "{lost:?}");
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_does_not_answer_is_not_waited_for_forever() {
    let (sim, _ada, bob, file) = expired_picture(423).await;
    bob.phone.answer_media_retries(false);
    let before = sim.now();
    let silent = bob.client.download(file.clone()).to_bytes(1 << 20).await;
    assert!(matches!(silent, Err(MediaError::PhoneSilent(_))), "{silent:?}");
    assert!(sim.now() - before < 120);
    bob.phone.answer_media_retries(true);
    bob.client.download(file).to_bytes(1 << 20).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_phone_is_not_asked_where_that_is_not_wanted_or_not_possible() {
    let (_sim, _ada, bob, mut file) = expired_picture(424).await;
    let gone = bob.client.download(file.clone()).ask_phone(false).to_bytes(1 << 20).await;
    assert!(matches!(gone, Err(MediaError::Gone)), "{gone:?}");
    file.message = None;
    let gone = bob.client.download(file.clone()).to_bytes(1 << 20).await;
    assert!(matches!(gone, Err(MediaError::Gone)), "{gone:?}");
}

#[tokio::test(start_paused = true)]
async fn a_file_one_sent_oneself_comes_by_way_of_the_phone_as_well() {
    let (sim, ada, bob) = ada_and_bob(425).await;
    ada.phone.send_image(&bob.phone.jid(), &noise(), None).unwrap();
    settle().await;
    let kept = ada.archive(&bob.phone.jid()).await.pop().unwrap();
    let file = MediaFile::from_archive(&kept).unwrap();
    assert!(sim.expire_media(file.media.direct_path.as_deref().unwrap()));
    assert_eq!(ada.client.download(file).to_bytes(1 << 20).await.unwrap(), noise());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(ada.stats().acks_owed, 0);
}
