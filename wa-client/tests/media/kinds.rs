//! Every kind of file, both ways, and what is said of it.

use std::{fs, time::Duration};

use wa_client::{
    Error,
    media::{MediaFile, MediaType, OutgoingMedia},
};
use wa_proto::{Content, Unwrapped};
use wa_sim::{FileKind, OutgoingFile};
use wa_store::ArchivedMessage;

use crate::{
    downloads::noise,
    parties::{Party, ada_and_bob, settle},
};

fn content(message: &ArchivedMessage) -> Unwrapped {
    Unwrapped::decode(message.raw.as_bytes().to_vec()).unwrap()
}

/// 100 by 50 pixels, as far as its first bytes say.
fn png() -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x64\0\0\0\x32".to_vec();
    png.extend(noise());
    png
}

/// Three seconds, as far as its last page says.
fn opus() -> Vec<u8> {
    let mut ogg = b"OggS\0\x02".to_vec();
    ogg.extend([0; 22]);
    ogg.extend(b"OpusHead\x01\x01\x38\x01");
    ogg.extend(noise().iter().map(|byte| byte | 1));
    ogg.extend(b"OggS\0\x04");
    ogg.extend((48_000_u64 * 3 + 312).to_le_bytes());
    ogg.extend([1; 40]);
    ogg
}

fn outgoing() -> Vec<(&'static str, Vec<u8>, OutgoingMedia)> {
    let noise = noise();
    vec![
        ("image", png(), OutgoingMedia::image(png()).caption("an image").thumbnail(vec![7; 9])),
        ("video", noise.clone(), OutgoingMedia::video(noise.clone()).seconds(9).caption("film")),
        ("gif", noise.clone(), OutgoingMedia::gif(noise.clone()).dimensions(3, 4)),
        ("video-note", noise.clone(), OutgoingMedia::video_note(noise.clone())),
        ("audio", noise.clone(), OutgoingMedia::audio(noise.clone()).mimetype("audio/mp4")),
        ("voice-note", opus(), OutgoingMedia::voice_note(opus()).waveform(vec![50; 64])),
        ("document", noise.clone(), OutgoingMedia::document(noise.clone(), "a.bin").pages(3)),
        ("sticker", noise.clone(), OutgoingMedia::sticker(noise).animated()),
    ]
}

#[tokio::test(start_paused = true)]
async fn every_kind_goes_out_and_its_bytes_are_the_same_on_phone_and_client() {
    let (_sim, ada, mut bob) = ada_and_bob(441).await;
    for (kind, bytes, media) in outgoing() {
        let sent = ada.client.send_media(bob.phone.jid(), media).await.unwrap();
        let message = bob.message().await;
        assert_eq!(message.id, sent.id.as_str());
        let kept = bob.archive(&ada.phone.jid()).await.pop().unwrap();
        assert_eq!(kept.kind.as_str(), kind);
        let file = MediaFile::from_archive(&kept).unwrap();
        assert_eq!(bob.client.download(file).to_bytes(1 << 20).await.unwrap(), bytes, "{kind}");
        settle().await;
        for phone in [&ada.phone, &bob.phone] {
            let there = phone.media(sent.id.as_str());
            assert_eq!(there.as_deref(), Some(&bytes[..]), "{kind}");
        }
    }
    assert_eq!((bob.stats().acks_owed, bob.stats().counters.retries), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_said_of_a_file_is_in_the_archive_and_the_rest_is_found_out() {
    let (_sim, ada, mut bob) = ada_and_bob(442).await;
    for (_, _, media) in outgoing() {
        ada.client.send_media(bob.phone.jid(), media).await.unwrap();
        bob.message().await;
    }
    for archive in [ada.archive(&bob.phone.jid()).await, bob.archive(&ada.phone.jid()).await] {
        let said: Vec<_> = archive.iter().map(|message| content(message).content).collect();
        let media = |index: usize| said[index].media().unwrap();
        assert_eq!(archive[0].text.as_deref(), Some("an image"));
        assert_eq!(media(0).mimetype.as_deref(), Some("image/png"));
        assert_eq!((media(0).width, media(0).height), (Some(100), Some(50)));
        assert_eq!(media(0).thumbnail.as_deref(), Some(&[7; 9][..]));
        assert_eq!((media(1).seconds, media(1).caption.as_deref()), (Some(9), Some("film")));
        assert!(media(1).streaming_sidecar.is_some() && media(0).streaming_sidecar.is_none());
        assert_eq!((media(2).width, media(2).height), (Some(3), Some(4)));
        assert_eq!(media(4).mimetype.as_deref(), Some("audio/mp4"));
        assert_eq!(media(5).mimetype.as_deref(), Some("audio/ogg; codecs=opus"));
        assert_eq!(media(5).seconds, Some(3));
        assert_eq!(media(5).waveform.as_deref(), Some(&[50; 64][..]));
        assert_eq!(media(6).file_name.as_deref(), Some("a.bin"));
        assert_eq!(media(6).page_count, Some(3));
        assert!(media(7).animated);
        for media in said.iter().filter_map(Content::media) {
            assert!(media.file_length.is_some() && media.media_key_timestamp.is_some());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_kind_comes_in() {
    let (_sim, ada, mut bob) = ada_and_bob(443).await;
    let kinds = [
        (FileKind::Image, MediaType::Image),
        (FileKind::Video, MediaType::Video),
        (FileKind::Gif, MediaType::Gif),
        (FileKind::VideoNote, MediaType::VideoNote),
        (FileKind::Audio, MediaType::Audio),
        (FileKind::VoiceNote, MediaType::VoiceNote),
        (FileKind::Document, MediaType::Document),
        (FileKind::Sticker, MediaType::Sticker),
    ];
    for (kind, media_type) in kinds {
        ada.phone.send_file(&bob.phone.jid(), OutgoingFile::new(kind, noise())).unwrap();
        bob.message().await;
        let kept = bob.archive(&ada.phone.jid()).await.pop().unwrap();
        let file = MediaFile::from_archive(&kept).unwrap();
        assert_eq!(file.media_type, media_type);
        assert_eq!(bob.client.download(file).to_bytes(1 << 20).await.unwrap(), noise());
    }
}

async fn once(bob: &Party, from: &Party) -> bool {
    let kept = bob.archive(&from.phone.jid()).await.pop().unwrap();
    content(&kept).is_view_once()
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_looked_at_once_is_marked_both_ways() {
    let (_sim, ada, mut bob) = ada_and_bob(444).await;
    let secret = OutgoingMedia::image(png()).view_once();
    ada.client.send_media(bob.phone.jid(), secret).await.unwrap();
    bob.message().await;
    assert!(once(&bob, &ada).await);
    let file = OutgoingFile::new(FileKind::Video, noise()).once();
    ada.phone.send_file(&bob.phone.jid(), file).unwrap();
    bob.message().await;
    assert!(once(&bob, &ada).await);
    let document = OutgoingMedia::document(noise(), "x").view_once();
    let refused = ada.client.send_media(bob.phone.jid(), document).await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn an_album_is_announced_and_each_of_its_files_names_it() {
    let (_sim, ada, mut bob) = ada_and_bob(445).await;
    let files = vec![
        OutgoingMedia::image(png()).caption("first"),
        OutgoingMedia::video(noise()),
        OutgoingMedia::image(noise()),
    ];
    let sent = ada.client.send_album(bob.phone.jid(), files).await.unwrap();
    assert_eq!(sent.len(), 4);
    for _ in 0..4 {
        bob.message().await;
    }
    let kept = bob.archive(&ada.phone.jid()).await;
    assert!(matches!(content(&kept[0]).content, Content::Album { images: 2, videos: 1 }));
    for part in &kept[1..] {
        let parent = content(part).context.parent.unwrap();
        assert_eq!((parent.id, parent.from_me), (sent[0].id.clone(), true));
    }
    ada.phone
        .send_album(
            &bob.phone.jid(),
            vec![
                OutgoingFile::new(FileKind::Image, noise()),
                OutgoingFile::new(FileKind::Image, png()),
            ],
        )
        .unwrap();
    for _ in 0..3 {
        bob.message().await;
    }
    let kept = bob.archive(&ada.phone.jid()).await;
    assert!(matches!(content(&kept[4]).content, Content::Album { images: 2, videos: 0 }));
    assert_eq!(content(&kept[6]).context.parent.unwrap().id.as_str(), kept[4].key.id.as_str());

    for wrong in [
        vec![OutgoingMedia::image(png())],
        vec![OutgoingMedia::image(png()), OutgoingMedia::sticker(noise())],
    ] {
        let refused = ada.client.send_album(bob.phone.jid(), wrong).await;
        assert!(matches!(refused, Err(Error::InvalidInput(_))), "{refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_caption_that_is_too_long_is_refused_before_anything_is_uploaded() {
    let (sim, ada, bob) = ada_and_bob(446).await;
    let before = sim.media_count();
    let media = OutgoingMedia::image(png()).caption("x".repeat(10 << 20));
    let refused = ada.client.send_media(bob.phone.jid(), media).await;
    assert!(matches!(refused, Err(Error::TextTooLong { len: 10_485_760, .. })), "{refused:?}");
    let nobody = wa_proto::Jid::phone("no number");
    let refused = ada.client.send_media(nobody, OutgoingMedia::image(png())).await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))), "{refused:?}");
    assert_eq!(sim.media_count(), before);
    assert!(ada.archive(&bob.phone.jid()).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_file_is_sent_once_under_one_name_and_can_answer_a_message() {
    let (sim, ada, mut bob) = ada_and_bob(447).await;
    let asked = bob.client.send(ada.phone.jid(), "a picture?").await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let send = || {
        ada.client
            .send_media(bob.phone.jid(), OutgoingMedia::image(png()))
            .quoting(asked.id.clone())
            .idempotency_key("picture")
    };
    let first = send().await.unwrap();
    let blobs = sim.media_count();
    assert_eq!(send().await.unwrap().id, first.id);
    assert_eq!(sim.media_count(), blobs, "nor is it uploaded again");
    bob.message().await;
    let kept = bob.archive(&ada.phone.jid()).await;
    assert_eq!(kept.len(), 2);
    assert_eq!(content(&kept[1]).context.quoted.unwrap().id, asked.id);
}

#[tokio::test(start_paused = true)]
async fn a_senders_name_for_a_file_never_leaves_the_folder_nor_replaces_anything() {
    let (_sim, ada, mut bob) = ada_and_bob(448).await;
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("inbox");
    fs::create_dir(&folder).unwrap();
    fs::write(dir.path().join("evil.txt"), "safe").unwrap();
    let names = [
        ("../evil.txt", "evil.txt"),
        ("..\\evil.txt", "evil (2).txt"),
        ("nul\0evil.txt", "nul_evil.txt"),
        ("annex\u{202e}txt.exe", "annex_txt.exe"),
        ("CON", "_CON"),
    ];
    for (told, expected) in names {
        let mut file = OutgoingFile::new(FileKind::Document, noise());
        file.file_name = Some(told.to_owned());
        ada.phone.send_file(&bob.phone.jid(), file).unwrap();
        bob.message().await;
        let kept = bob.archive(&ada.phone.jid()).await.pop().unwrap();
        let file = MediaFile::from_archive(&kept).unwrap();
        let path = bob.client.download(file).into_folder(&folder).await.unwrap();
        assert_eq!(path, folder.join(expected), "{told:?}");
        assert_eq!(fs::read(path).unwrap(), noise());
    }
    assert_eq!(fs::read(dir.path().join("evil.txt")).unwrap(), b"safe");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), names.len());
}
