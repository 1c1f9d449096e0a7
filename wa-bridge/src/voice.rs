//! A voice note of any recording a person has, for every frontend alike.
//!
//! What `wa-transcode` decodes becomes one in this process. Another format is first given to
//! `ffmpeg`, if that is installed: without a shell, as a file of a known kind, within a time and a
//! size. Everything here blocks; a frontend runs it where that does no harm.

use std::{
    ffi::OsString,
    fs::File,
    io,
    path::Path,
    process::{Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use wa_transcode::{AUDIO_FORMATS, AudioError, AudioLimits, VoiceNote, voice_note};

/// No voice note was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VoiceError {
    /// The recording cannot be decoded, or is not to be.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// Only `ffmpeg` could decode it, and there is none.
    #[error(
        "audio of this format can be decoded only with ffmpeg, which is not installed; these \
         formats work without it: {AUDIO_FORMATS}"
    )]
    NoFfmpeg,
    /// `ffmpeg` finds no sound in it either.
    #[error(
        "there is no audio in this file that can be decoded; these formats work: {AUDIO_FORMATS}"
    )]
    NotAudio,
    /// `ffmpeg` took too long.
    #[error("ffmpeg did not convert this file within {} seconds; convert it first", .0.as_secs())]
    TooSlow(Duration),
    /// A file could not be opened, or `ffmpeg` could not be run.
    #[error("the recording could not be read")]
    Io(#[from] io::Error),
}

/// Makes a voice note of a recording in a file. This blocks for as long as decoding takes.
///
/// # Errors
/// [`VoiceError`].
pub fn prepare_voice_note(path: &Path) -> Result<VoiceNote, VoiceError> {
    prepare(path, &Ffmpeg::default())
}

fn prepare(path: &Path, ffmpeg: &Ffmpeg) -> Result<VoiceNote, VoiceError> {
    match voice_note(File::open(path)?, &AudioLimits::default()) {
        Err(AudioError::UnsupportedFormat) => ffmpeg.prepare(path),
        made => Ok(made?),
    }
}

/// How `ffmpeg` is run.
struct Ffmpeg {
    program: OsString,
    /// What stands before all other arguments.
    first: Vec<OsString>,
    patience: Duration,
}

impl Default for Ffmpeg {
    fn default() -> Self {
        Self { program: "ffmpeg".into(), first: Vec::new(), patience: PATIENCE }
    }
}

impl Ffmpeg {
    fn prepare(&self, path: &Path) -> Result<VoiceNote, VoiceError> {
        let folder = tempfile::Builder::new().prefix("wa-").tempdir()?;
        let wav = folder.path().join("converted.wav");
        if !self.convert(path, &wav)?.success() {
            return Err(VoiceError::NotAudio);
        }
        Ok(voice_note(File::open(&wav)?, &AudioLimits::default())?)
    }

    fn convert(&self, from: &Path, to: &Path) -> Result<ExitStatus, VoiceError> {
        let mut command = Command::new(&self.program);
        command.args(&self.first);
        command.args(["-nostdin", "-loglevel", "quiet", "-protocol_whitelist", "file"]);
        command.args(["-format_whitelist", CONTAINERS, "-i"]).arg(local(from));
        command.args(["-map", "0:a:0", "-map_metadata", "-1", "-ac", "1", "-ar", "16000"]);
        command.args(["-t", MAX_SECONDS, "-fs", MAX_BYTES, "-c:a", "pcm_s16le", "-f", "wav", "-y"]);
        command.arg(local(to));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => VoiceError::NoFfmpeg,
            _ => VoiceError::Io(error),
        })?;
        let begun = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if begun.elapsed() >= self.patience {
                child.kill()?;
                child.wait()?;
                return Err(VoiceError::TooSlow(self.patience));
            }
            std::thread::sleep(PAUSE);
        }
    }
}

/// A path that is neither an option nor the address of something else.
fn local(path: &Path) -> OsString {
    let mut argument = OsString::from("file:");
    argument.push(path);
    argument
}

/// How long a conversion may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often it is asked whether it has ended.
const PAUSE: Duration = Duration::from_millis(20);
/// How much is converted: one second more than a voice note may last, so that one that is too long
/// is refused rather than cut.
const MAX_SECONDS: &str = "14401";
/// The most bytes of the conversion: so many seconds of 16,000 samples of two bytes.
const MAX_BYTES: &str = "460900000";
/// The kinds of file that are given to `ffmpeg`: none of them names other files.
const CONTAINERS: &str = "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,eac3,flac,flv,matroska,\
                          mov,mp3,mpeg,mpegts,ogg,tta,voc,w64,wav,wv";

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A second of a tone that changes its sign with each sample.
    fn wav() -> Vec<u8> {
        let mut file = b"RIFF\xa4\x3e\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        file.extend([8_000_u32, 16_000].iter().flat_map(|number| number.to_le_bytes()));
        file.extend(b"\x02\0\x10\0data\x80\x3e\0\0");
        let samples = (0..8_000).flat_map(|place| (place % 40 * 500 - 10_000_i16).to_le_bytes());
        file.extend(samples);
        file
    }

    /// A shell that stands for `ffmpeg`; its last argument is `$last`.
    #[cfg(unix)]
    fn script(body: &str, patience: Duration) -> Ffmpeg {
        let script = format!("for last; do :; done; last=${{last#file:}}; {body}");
        let first = ["-c", &script, "ffmpeg"].map(OsString::from).to_vec();
        Ffmpeg { program: "sh".into(), first, patience }
    }

    fn folder_with(bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("-recording");
        fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    #[test]
    fn a_known_format_needs_nobody_else() {
        let (_folder, path) = folder_with(&wav());
        let nobody = Ffmpeg { program: "no-such-program".into(), ..Ffmpeg::default() };
        let note = prepare(&path, &nobody).unwrap();
        assert!(note.bytes.starts_with(b"OggS"));
        assert_eq!(note.analysis.seconds(), 1);
    }

    #[test]
    fn without_ffmpeg_the_formats_that_work_are_named() {
        let (_folder, path) = folder_with(b"#!AMR\n and more");
        let nobody = Ffmpeg { program: "no-such-program".into(), ..Ffmpeg::default() };
        let error = prepare(&path, &nobody).unwrap_err();
        assert!(matches!(error, VoiceError::NoFfmpeg), "{error}");
        assert!(error.to_string().contains("mp3") && error.to_string().contains("ogg"));
    }

    #[test]
    fn a_file_that_is_not_there_is_told() {
        let error = prepare(Path::new("/no/such/file"), &Ffmpeg::default()).unwrap_err();
        assert!(matches!(error, VoiceError::Io(_)), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn what_ffmpeg_made_becomes_the_voice_note() {
        let (folder, path) = folder_with(b"#!AMR\n and more");
        let ready = folder.path().join("ready.wav");
        fs::write(&ready, wav()).unwrap();
        let copies = script(&format!("cp '{}' \"$last\"", ready.display()), PATIENCE);
        let note = prepare(&path, &copies).unwrap();
        assert_eq!(note.analysis.seconds(), 1);
        let refuses = prepare(&path, &script("exit 1", PATIENCE)).unwrap_err();
        assert!(matches!(refuses, VoiceError::NotAudio), "{refuses}");
        let empty = prepare(&path, &script("exit 0", PATIENCE)).unwrap_err();
        assert!(matches!(empty, VoiceError::Io(_)), "{empty}");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_waits_for_ffmpeg_for_ever() {
        let (_folder, path) = folder_with(b"#!AMR\n and more");
        let sleeps = script("exec sleep 600", Duration::from_millis(50));
        let error = prepare(&path, &sleeps).unwrap_err();
        assert!(matches!(error, VoiceError::TooSlow(_)), "{error}");
    }
}
