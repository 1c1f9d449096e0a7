//! What is shown of a file before it is fetched: made by who sends it, seen by who receives it.

use std::{fs, io::Cursor, path::PathBuf};

use wa_client::media::{MediaSource, OutgoingMedia};
use wa_proto::{Unwrapped, content::Media};

use crate::{
    downloads::noise,
    parties::{Party, ada_and_bob},
};

fn made_elsewhere(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// 24 by 16 pixels, and the camera was turned.
fn photo() -> PathBuf {
    made_elsewhere("fuzz/corpus/transcode/jpeg-turned")
}

fn tone(name: &str) -> Vec<u8> {
    fs::read(made_elsewhere("wa-transcode/tests/fixtures").join(name)).unwrap()
}

/// Sends a file, and gives what the other side is told of it.
async fn arrived(from: &Party, to: &mut Party, media: OutgoingMedia) -> Media {
    from.client.send_media(to.phone.jid(), media).await.unwrap();
    to.message().await;
    let kept = to.archive(&from.phone.jid()).await.pop().unwrap();
    let content = Unwrapped::decode(kept.raw.as_bytes().to_vec()).unwrap().content;
    content.media().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn a_picture_goes_with_a_small_jpeg_and_its_size_as_it_is_shown() {
    let (_sim, ada, mut bob) = ada_and_bob(481).await;
    let bytes = fs::read(photo()).unwrap();
    let sources: [MediaSource; 4] = [
        bytes.clone().into(),
        photo().into(),
        fs::File::open(photo()).unwrap().into(),
        MediaSource::reader(Cursor::new(bytes)),
    ];
    for source in sources {
        let told = arrived(&ada, &mut bob, OutgoingMedia::image(source)).await;
        assert_eq!((told.width, told.height), (Some(16), Some(24)));
        let jpeg = told.thumbnail.unwrap();
        assert!(jpeg.starts_with(b"\xff\xd8\xff"));
        let small = wa_transcode::thumbnail(Cursor::new(jpeg), 100).unwrap();
        assert_eq!((small.width, small.height), (16, 24));
    }
}

#[tokio::test(start_paused = true)]
async fn a_recording_goes_with_its_length_and_64_bars() {
    let (_sim, ada, mut bob) = ada_and_bob(482).await;
    let recordings =
        [OutgoingMedia::voice_note(tone("note.ogg")), OutgoingMedia::audio(tone("tone.mp3"))];
    for media in recordings {
        let told = arrived(&ada, &mut bob, media).await;
        assert!((2..=3).contains(&told.seconds.unwrap()), "{:?}", told.seconds);
        let bars = told.waveform.unwrap();
        assert_eq!((bars.len(), bars.iter().max()), (64, Some(&100)));
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_caller_says_stands() {
    let (_sim, ada, mut bob) = ada_and_bob(483).await;
    let media = OutgoingMedia::voice_note(tone("note.ogg")).seconds(9).waveform(vec![1; 64]);
    let told = arrived(&ada, &mut bob, media).await;
    assert_eq!((told.seconds, told.waveform.as_deref()), (Some(9), Some(&[1; 64][..])));
    let media = OutgoingMedia::image(photo()).dimensions(1, 2);
    let told = arrived(&ada, &mut bob, media).await;
    assert_eq!((told.width, told.height), (Some(1), Some(2)));
    assert!(told.thumbnail.is_some());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_decoded_is_sent_without() {
    let (_sim, ada, mut bob) = ada_and_bob(484).await;
    let told = arrived(&ada, &mut bob, OutgoingMedia::image(noise())).await;
    assert!(told.thumbnail.is_none() && told.file_length.is_some());
    let told = arrived(&ada, &mut bob, OutgoingMedia::voice_note(noise())).await;
    assert!(told.waveform.is_none() && told.file_length.is_some());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_seen_before_of_what_may_be_looked_at_once() {
    let (_sim, ada, mut bob) = ada_and_bob(485).await;
    let told = arrived(&ada, &mut bob, OutgoingMedia::image(photo()).view_once()).await;
    assert_eq!((told.thumbnail, told.width), (None, Some(16)));
}
