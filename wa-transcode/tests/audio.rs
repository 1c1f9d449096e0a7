//! Recordings of every format become voice notes that sound and last as they did.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where it fails")]

use std::{f32::consts::TAU, fs, io::Cursor, time::Duration};

use opus_pure::{MAX_PACKET_SAMPLES, OggOpusReader, Trim};
use wa_transcode::{AudioError, AudioLimits, BARS, StopFlag, VoiceNote, analyse, voice_note};

fn fixture(name: &str) -> Vec<u8> {
    fs::read(format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn made_of(bytes: &[u8]) -> Result<VoiceNote, AudioError> {
    voice_note(Cursor::new(bytes), &AudioLimits::default())
}

/// A WAV file of 16 bits a sample.
fn wav(rate: u32, channels: u16, samples: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let length = u32::try_from(data.len()).unwrap();
    let mut file = b"RIFF".to_vec();
    file.extend((length + 36).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(channels) * 2).to_le_bytes());
    file.extend((channels * 2).to_le_bytes());
    file.extend(b"\x10\0data");
    file.extend(length.to_le_bytes());
    file.extend(data);
    file
}

fn tone(rate: u32, count: u32, loudness: impl Fn(f32) -> f32) -> Vec<i16> {
    let at = |place: u32| {
        let share = place as f32 / count as f32;
        let angle = place as f32 / rate as f32 * 440.0 * TAU;
        (angle.sin() * loudness(share) * 32_000.0) as i16
    };
    (0..count).map(at).collect()
}

/// The samples of a voice note, at 48,000 a second, as a player hears them.
fn heard(note: &[u8]) -> Vec<f32> {
    let mut reader = OggOpusReader::new(Cursor::new(note)).unwrap();
    let head = reader.head().clone();
    assert_eq!((head.channel_count, head.mapping_family), (1, 0));
    let mut decoder = head.decoder(48_000).unwrap();
    let mut trim = Trim::new(&head, 48_000, 1).unwrap();
    let mut block = vec![0.0; MAX_PACKET_SAMPLES];
    let mut samples = Vec::new();
    while let Some(packet) = reader.read_packet().unwrap() {
        let count = decoder.decode(&packet.data, MAX_PACKET_SAMPLES, &mut block).unwrap();
        samples.extend_from_slice(trim.keep(&packet, &block[..count]));
    }
    samples
}

/// How strong a frequency is, of all that is heard: near 1 for nothing but it.
fn purity(samples: &[f32], hertz: f32) -> f32 {
    let (mut sine, mut cosine, mut all) = (0.0, 0.0, 0.0);
    for (place, sample) in samples.iter().enumerate() {
        let angle = (place % 48_000) as f32 / 48_000.0 * hertz * TAU;
        sine += sample * angle.sin();
        cosine += sample * angle.cos();
        all += sample * sample;
    }
    (sine * sine + cosine * cosine) * 2.0 / (all * samples.len() as f32)
}

/// The pages of an Ogg file: flags, position, and how many packets end on each.
fn pages(mut file: &[u8]) -> Vec<(u8, u64, usize)> {
    let mut pages = Vec::new();
    while !file.is_empty() {
        assert!(file.starts_with(b"OggS\0"));
        let count = usize::from(file[26]);
        let lengths = &file[27..27 + count];
        let body: usize = lengths.iter().map(|&length| usize::from(length)).sum();
        let position = u64::from_le_bytes(file[6..14].try_into().unwrap());
        pages.push((file[5], position, lengths.iter().filter(|&&it| it < 255).count()));
        file = &file[27 + count + body..];
    }
    pages
}

#[test]
fn every_format_keeps_its_pitch_and_its_length() {
    for (name, millis, tolerance) in [
        ("tone.mp3", 2000, 30),
        ("tone.m4a", 2000, 60),
        ("tone.flac", 1000, 0),
        ("vorbis.ogg", 2000, 10),
        ("stereo.ogg", 2000, 1),
    ] {
        let note = made_of(&fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!note.unchanged, "{name}");
        let off = note.analysis.duration.abs_diff(Duration::from_millis(millis));
        assert!(off <= Duration::from_millis(tolerance), "{name}: off by {off:?}");
        let samples = heard(&note.bytes);
        let off =
            samples.len().abs_diff((note.analysis.duration.as_secs_f64() * 48_000.0) as usize);
        assert!(off <= 3, "{name}: the note is off by {off}");
        assert!(purity(&samples[9_600..38_400], 440.0) > 0.95, "{name}");
        assert!(purity(&samples[9_600..38_400], 460.0) < 0.05, "{name}");
        assert!(note.bytes.len() < 10_000, "{name}: {}", note.bytes.len());
    }
}

#[test]
fn every_wav_is_mixed_and_resampled() {
    for (rate, channels) in [(8_000, 1), (16_000, 1), (22_050, 2), (44_100, 2), (96_000, 4)] {
        let one = tone(rate, rate, |_| 0.5);
        let all: Vec<i16> =
            one.iter().flat_map(|&it| std::iter::repeat_n(it, usize::from(channels))).collect();
        let note = made_of(&wav(rate, channels, &all)).unwrap();
        assert_eq!(note.analysis.duration, Duration::from_secs(1), "{rate}");
        let samples = heard(&note.bytes);
        assert_eq!(samples.len(), 48_000, "{rate}");
        assert!(purity(&samples[9_600..38_400], 440.0) > 0.95, "{rate}");
        let loudest = samples.iter().fold(0.0_f32, |all, one| all.max(one.abs()));
        assert!((0.4..0.6).contains(&loudest), "{rate}: {loudest}");
    }
}

#[test]
fn a_length_that_nobody_told_is_found_out() {
    let mut piped = wav(16_000, 1, &tone(16_000, 24_000, |_| 0.5));
    piped[4..8].fill(0xff);
    piped[40..44].fill(0xff);
    assert_eq!(made_of(&piped).unwrap().analysis.duration, Duration::from_millis(1500));
    let bare = made_of(&fixture("bare.mp3")).unwrap();
    let off = bare.analysis.duration.abs_diff(Duration::from_secs(1));
    assert!(off < Duration::from_millis(80), "{off:?}");
}

#[test]
fn the_pages_count_as_players_expect() {
    let note = made_of(&wav(16_000, 1, &tone(16_000, 16_000 * 5 + 77, |_| 0.5))).unwrap();
    let pages = pages(&note.bytes);
    assert_eq!(&pages[..2], [(2, 0, 1), (0, 0, 1)]);
    let pre_skip = u64::from(u16::from_le_bytes(note.bytes[38..40].try_into().unwrap()));
    let (flags, end, _) = pages[pages.len() - 1];
    assert_eq!((flags, end), (4, pre_skip + (16_000 * 5 + 77) * 3));
    let mut position = 0;
    for &(flags, told, packets) in &pages[2..pages.len() - 1] {
        position += packets as u64 * 960;
        assert_eq!((flags, told), (0, position));
    }
    let head = &note.bytes[28..47];
    assert_eq!(
        (&head[..8], head[8], head[9], &head[12..16]),
        (b"OpusHead".as_slice(), 1, 1, 16_000_u32.to_le_bytes().as_slice())
    );
}

#[test]
fn a_voice_note_passes_unchanged_and_is_measured() {
    let file = fixture("note.ogg");
    let note = made_of(&file).unwrap();
    assert!(note.unchanged && note.bytes == file);
    assert_eq!(note.analysis.duration, Duration::from_secs(2));
    let made = made_of(&wav(44_100, 1, &tone(44_100, 100_000, |_| 0.3))).unwrap();
    let again = made_of(&made.bytes).unwrap();
    assert!(again.unchanged && again.bytes == made.bytes);
    assert_eq!(again.analysis.seconds(), 3);
}

#[test]
fn the_bars_are_those_of_the_samples() {
    let file = wav(44_100, 1, &tone(44_100, 441_000, |share| share));
    let note = made_of(&file).unwrap();
    let bars = note.analysis.waveform;
    assert_eq!(bars.len(), BARS);
    assert!(bars.is_sorted(), "{bars:?}");
    assert_eq!((bars[0], bars[31], bars[63]), (1, 50, 100));
    assert_eq!(analyse(Cursor::new(file), &AudioLimits::default()).unwrap(), note.analysis);
    let silent = made_of(&wav(16_000, 1, &[0; 32_000])).unwrap();
    assert_eq!(silent.analysis.waveform, [0; BARS]);
}

#[test]
fn what_cannot_be_decoded_says_which_formats_can() {
    for bytes in [fixture("tone.webm"), b"%PDF-1.7 is no sound".to_vec(), vec![0; 5000]] {
        let error = made_of(&bytes).unwrap_err();
        assert!(matches!(error, AudioError::UnsupportedFormat), "{error}");
        let text = error.to_string();
        assert!(["mp3", "m4a", "wav", "flac", "ogg"].iter().all(|name| text.contains(name)));
    }
}

#[test]
fn a_recording_that_was_cut_off_is_an_error() {
    let wav = wav(16_000, 1, &tone(16_000, 32_000, |_| 0.5));
    for (name, file) in [
        ("wav", wav),
        ("m4a", fixture("tone.m4a")),
        ("flac", fixture("tone.flac")),
        ("mp3", fixture("tone.mp3")),
        ("opus", fixture("note.ogg")),
    ] {
        let error = made_of(&file[..file.len() / 2]).unwrap_err();
        let known = matches!(error, AudioError::Broken(_) | AudioError::UnsupportedFormat);
        assert!(known, "{name}: {error}");
    }
}

#[test]
fn a_file_at_which_a_decoder_panics_is_broken() {
    let error = made_of(&fixture("refused.ogg")).unwrap_err();
    assert!(matches!(error, AudioError::Broken(_)), "{error}");
}

#[test]
fn limits_hold() {
    let file = wav(16_000, 1, &tone(16_000, 32_000, |_| 0.5));
    let with = |limits: AudioLimits| voice_note(Cursor::new(&file), &limits).unwrap_err();
    let defaults = AudioLimits::default;
    let error = with(defaults().duration(Duration::from_secs(1)));
    assert!(matches!(error, AudioError::TooLong { .. }), "{error}");
    let error = with(defaults().bytes(1000));
    assert!(matches!(error, AudioError::TooLarge { limit: 1000 }), "{error}");
    let error = made_of(&wav(1_000, 1, &[1; 1000])).unwrap_err();
    assert!(matches!(error, AudioError::SampleRate { rate: 1_000 }), "{error}");
    let error = made_of(&wav(16_000, 12, &[1; 12_000])).unwrap_err();
    assert!(matches!(error, AudioError::Channels { count: 12 }), "{error}");
    assert!(matches!(made_of(b"").unwrap_err(), AudioError::Empty));
    let error = made_of(&wav(16_000, 1, &[])).unwrap_err();
    assert!(matches!(error, AudioError::Empty), "{error}");
}

/// A FLAC file of this many blocks of 65,535 samples of silence each at 8,000 a second: 15 bytes a
/// block (RFC 9639: a constant subframe of zero).
fn silence(blocks: u32) -> Vec<u8> {
    const BLOCK: u64 = 65_535;
    let samples = u64::from(blocks) * BLOCK;
    let mut file = b"fLaC\x80\0\0\x22\xff\xff\xff\xff\0\0\0\0\0\0".to_vec();
    // 20 bits of rate, 3 of channels less one, 5 of bits a sample less one, 36 of samples.
    let told = (8_000_u64 << 44) | (15_u64 << 36) | samples;
    file.extend(told.to_be_bytes());
    file.extend([0; 16]);
    for number in 0..blocks {
        // A fixed block size, told in 16 bits at the end of the header; 8 kHz; mono; 16 bits.
        let mut frame = vec![0xff, 0xf8, 0x74, 0x08];
        let coded = char::from_u32(number).unwrap();
        frame.extend(coded.encode_utf8(&mut [0; 4]).bytes());
        frame.extend(65_534_u16.to_be_bytes());
        frame.push(crc(&frame, 0x07, 8) as u8);
        frame.extend([0, 0, 0]);
        frame.extend((crc(&frame, 0x8005, 16) as u16).to_be_bytes());
        file.extend(frame);
    }
    file
}

fn crc(bytes: &[u8], polynomial: u32, bits: u32) -> u32 {
    let top = 1 << (bits - 1);
    bytes.iter().fold(0, |sum, &byte| {
        let sum = sum ^ (u32::from(byte) << (bits - 8));
        let all = (top << 1) - 1;
        (0..8).fold(sum, |sum, _| {
            if sum & top == 0 { (sum << 1) & all } else { ((sum << 1) ^ polynomial) & all }
        })
    })
}

#[test]
fn hours_of_silence_in_a_few_kilobytes_are_refused_by_their_own_word() {
    // Four hours and a half: 1,978 blocks, less than 30 kB.
    let bomb = silence(1_978);
    assert!(bomb.len() < 30_000);
    let stop = StopFlag::default();
    // Whoever would decode any of it ends with another error.
    let hour = AudioLimits::default().duration(Duration::from_secs(3600));
    for limits in [AudioLimits::default(), hour.clone()] {
        let refused = voice_note(Cursor::new(&bomb), &limits);
        assert!(matches!(refused, Err(AudioError::TooLong { .. })), "{refused:?}");
    }
    let refused = voice_note(Cursor::new(&bomb), &hour.stopped_by(&stop)).unwrap_err();
    assert_eq!(refused.to_string(), "the audio is longer than 60 minutes; cut it");
    let short = analyse(Cursor::new(silence(2)), &AudioLimits::default()).unwrap();
    assert_eq!(short.seconds(), 17);
}

#[test]
fn decoding_ends_when_nobody_waits_for_it() {
    let stop = StopFlag::default();
    drop(stop.stop_on_drop());
    let limits = AudioLimits::default().stopped_by(&stop);
    for made in [
        voice_note(Cursor::new(silence(400)), &limits).map(|_| ()),
        analyse(Cursor::new(silence(400)), &limits).map(|_| ()),
    ] {
        assert!(matches!(made, Err(AudioError::Stopped)), "{made:?}");
    }
}

/// A file that calls for an end once so many bytes of it were read.
struct Impatient {
    file: Cursor<Vec<u8>>,
    left: usize,
    stop: StopFlag,
}

impl std::io::Read for Impatient {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.left = self.left.saturating_sub(read);
        if self.left == 0 {
            self.stop.stop();
        }
        Ok(read)
    }
}

impl std::io::Seek for Impatient {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

#[test]
fn decoding_also_ends_in_the_middle() {
    let stop = StopFlag::default();
    let limits = AudioLimits::default().stopped_by(&stop);
    let file = wav(8_000, 1, &vec![7; 8_000 * 300]);
    let half = file.len() / 2;
    let input = Impatient { file: Cursor::new(file), left: half, stop: stop.clone() };
    let made = voice_note(input, &limits);
    assert!(matches!(made, Err(AudioError::Stopped)), "{made:?}");
}
