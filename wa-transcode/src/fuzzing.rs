//! The entry point for fuzzing: what must hold for any bytes at all. Of no use to a client.

use std::{io::Cursor, time::Duration};

use crate::{AudioLimits, THUMBNAIL_SIDE, analyse, thumbnail, voice_note};

/// Any bytes are a recording or a picture that can be decoded, or an error. What became a voice
/// note is one: it passes through unchanged and plays as long as what it was made of.
///
/// # Panics
/// If that does not hold.
pub fn transcode(bytes: &[u8]) {
    let limits = AudioLimits::default().bytes(1 << 20).duration(Duration::from_secs(60));
    if let Ok(made) = thumbnail(Cursor::new(bytes), THUMBNAIL_SIDE) {
        let again = thumbnail(Cursor::new(&made.jpeg), THUMBNAIL_SIDE);
        assert!(again.is_ok_and(|it| it.width.max(it.height) <= THUMBNAIL_SIDE));
    }
    let note = voice_note(Cursor::new(bytes), &limits);
    let measured = analyse(Cursor::new(bytes), &limits);
    assert_eq!(note.is_ok(), measured.is_ok());
    let Ok(note) = note else { return };
    assert_eq!(Some(note.analysis), measured.ok());
    if note.unchanged {
        return assert_eq!(note.bytes, bytes);
    }
    let again = voice_note(Cursor::new(&note.bytes), &AudioLimits::default());
    assert!(again.as_ref().is_ok_and(|again| again.unchanged), "no voice note after all");
    let Ok(again) = again else { return };
    let difference = again.analysis.duration.abs_diff(note.analysis.duration);
    assert!(difference < Duration::from_millis(1), "{difference:?}");
}
