//! Files: sent as what they are, downloaded byte for byte, and never over another file.

use wa_proto::content::{Content, Unwrapped};
use wa_sim::{FileKind, OutgoingFile};

use crate::{
    bad_input::fails,
    support::{BORIS, PATIENCE, World},
};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x03 and so on";

#[tokio::test(flavor = "multi_thread")]
async fn files_are_sent_as_what_they_are() {
    let world = World::new().await;
    let machine = world.linked();
    std::fs::write(machine.path("dot.png"), PNG).unwrap();
    std::fs::write(machine.path("notes.pdf"), "%PDF-1.7 or so").unwrap();
    let sent = machine.json(&["send", BORIS, "A dot", "--file", "dot.png"]);
    let id = sent["id"].as_str().unwrap();
    world.boris.wait_for_message(|message| message.id == id, PATIENCE).await.unwrap();
    let received = Unwrapped::from_message(world.boris.message(id).unwrap());
    let Content::Image(image) = received.content else { panic!("no picture") };
    assert_eq!(image.caption.as_deref(), Some("A dot"));
    assert_eq!((image.width, image.height, image.file_length), (Some(2), Some(3), Some(34)));

    let sent = machine.json(&["send", BORIS, "--file", "notes.pdf"]);
    let id = sent["id"].as_str().unwrap();
    let shown = world.boris.wait_for_message(|message| message.id == id, PATIENCE).await.unwrap();
    assert_eq!(shown.kind, "document");
    let listed = machine.run(&["messages", BORIS]);
    assert!(listed.stdout.contains("[image: 34 bytes, 2×3] A dot"), "{}", listed.stdout);
    assert!(listed.stdout.contains("[document: notes.pdf, 14 bytes]"), "{}", listed.stdout);
}

/// Two seconds of a tone that changes its sign 200 times a second, at 8,000 samples a second.
fn wav() -> Vec<u8> {
    let mut file = b"RIFF\x24\x7d\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    file.extend([8_000_u32, 16_000].iter().flat_map(|number| number.to_le_bytes()));
    file.extend(b"\x02\0\x10\0data\0\x7d\0\0");
    file.extend((0..16_000).flat_map(|place| (place % 40 * 500 - 10_000_i16).to_le_bytes()));
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn any_recording_is_sent_as_a_voice_message() {
    let world = World::new().await;
    let machine = world.linked();
    std::fs::write(machine.path("memo.wav"), wav()).unwrap();
    let sent = machine.json(&["send", BORIS, "--voice", "memo.wav"]);
    let id = sent["id"].as_str().unwrap();
    world.boris.wait_for_message(|message| message.id == id, PATIENCE).await.unwrap();
    let received = Unwrapped::from_message(world.boris.message(id).unwrap());
    let Content::VoiceNote(note) = received.content else { panic!("no voice message") };
    assert_eq!(note.mimetype.as_deref(), Some("audio/ogg; codecs=opus"));
    assert_eq!((note.seconds, note.waveform.unwrap().len()), (Some(2), 64));
    assert!(world.boris.media(id).unwrap().starts_with(b"OggS"));
    std::fs::write(machine.path("page.txt"), "no sound at all").unwrap();
    let error = fails(&machine, &["send", BORIS, "--voice", "page.txt"], 2, "usage");
    assert!(error["message"].as_str().unwrap().contains("mp3"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_downloaded_and_nothing_is_replaced() {
    let world = World::new().await;
    let machine = world.linked();
    let mut file = OutgoingFile::new(FileKind::Document, b"precious".to_vec());
    file.file_name = Some("../../evil\u{202e}txt.exe".into());
    let id = world.boris.send_file(&world.anna.jid(), file).unwrap();
    machine.json(&["sync"]);

    let first = machine.json(&["media", "download", BORIS, &id, "--output", "mine.bin"]);
    assert_eq!((&first["bytes"], &first["kind"]), (&8.into(), &"document".into()));
    assert_eq!(std::fs::read(machine.path("mine.bin")).unwrap(), b"precious");
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(machine.path("mine.bin")).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
    }
    let again = ["media", "download", BORIS, &id, "--output", "mine.bin"];
    assert!(fails(&machine, &again, 2, "usage")["remedy"].is_string());
    for _ in 0..2 {
        machine.json(&["media", "download", BORIS, &id]);
    }
    let names: Vec<String> = std::fs::read_dir(machine.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("evil"))
        .collect();
    assert_eq!(names.len(), 2, "each under a name of its own: {names:?}");
    assert!(names.iter().all(|name| !name.contains(['/', '\u{202e}'])), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_files_are_told_before_anything_is_sent() {
    let world = World::new().await;
    let machine = world.linked();
    std::fs::write(machine.path("empty"), "").unwrap();
    std::fs::write(machine.path("note.mp3"), "ID3").unwrap();
    fails(&machine, &["send", BORIS, "--file", "nowhere.jpg"], 2, "usage");
    fails(&machine, &["send", BORIS, "--file", "."], 2, "usage");
    fails(&machine, &["send", BORIS, "--file", "empty"], 2, "usage");
    fails(&machine, &["send", BORIS, "--file", "note.mp3", "--as", "voice"], 2, "usage");
    fails(&machine, &["send", BORIS, "text", "--file", "note.mp3"], 2, "usage");
    fails(&machine, &["send", BORIS, "--voice", "nowhere.mp3"], 2, "usage");
    fails(&machine, &["send", BORIS, "--voice", "note.mp3"], 2, "usage");
    for wrong in [["text", "--voice", "note.mp3"].as_slice(), &["--voice", "a", "--file", "b"]] {
        let refused = machine.run(&[&["send", BORIS], wrong].concat());
        assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    }
    let text = machine.json(&["send", BORIS, "no file"]);
    let id = text["id"].as_str().unwrap();
    fails(&machine, &["media", "download", BORIS, id], 2, "usage");
    fails(&machine, &["media", "download", BORIS, "3EB0FFFF"], 1, "not_found");
    fails(&machine, &["media", "download", BORIS, id, "--folder", "nowhere"], 2, "usage");
    assert_eq!(world.boris.messages().len(), 1);
}
