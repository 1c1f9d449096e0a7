//! A minute of sound becomes a voice note, or is only measured.

#![expect(clippy::unwrap_used, reason = "benchmarks")]

use std::io::Cursor;

use divan::Bencher;
use wa_transcode::{Analysis, AudioLimits, VoiceNote, analyse, voice_note};

const RATES: [u32; 3] = [16_000, 44_100, 48_000];

fn main() {
    divan::main();
}

#[divan::bench(args = RATES, sample_count = 10)]
fn voice_note_of_a_minute(bencher: Bencher<'_, '_>, rate: u32) {
    let file = minute(rate);
    bencher.bench(|| note(&file));
}

#[divan::bench(sample_count = 10)]
fn measuring_a_voice_note_of_a_minute(bencher: Bencher<'_, '_>) {
    let file = note(&minute(16_000)).bytes;
    bencher.bench(|| -> Analysis { analyse(Cursor::new(&file), &AudioLimits::default()).unwrap() });
}

fn note(file: &[u8]) -> VoiceNote {
    voice_note(Cursor::new(file), &AudioLimits::default()).unwrap()
}

/// A WAV file of one channel in which a sweep comes and goes, as syllables do.
fn minute(rate: u32) -> Vec<u8> {
    let count = rate * 60;
    let mut file = b"RIFF".to_vec();
    file.extend((count * 2 + 36).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(rate.to_le_bytes());
    file.extend((rate * 2).to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend((count * 2).to_le_bytes());
    for place in 0..count {
        let seconds = f64::from(place) / f64::from(rate);
        let pitch = (seconds * 900.0 + (seconds * 3.0).sin() * 90.0).sin();
        let loudness = (seconds * 12.0).sin().max(0.0) * 12_000.0;
        file.extend(((pitch * loudness) as i16).to_le_bytes());
    }
    file
}
