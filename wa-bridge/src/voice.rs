//! A voice note of any recording a person has, for every frontend alike.
//!
//! What `wa-transcode` decodes becomes one in this process. Another format is first given to
//! `ffmpeg`, if that is installed: without a shell, as an open file of a known kind, within a time
//! and a size. A small file can be hours of sound, so that a recording has a longest duration, few
//! are converted at once, and none for whoever waits no longer.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Seek},
    path::Path,
    process::{Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;
use wa_transcode::{AUDIO_FORMATS, AudioError, AudioLimits, StopFlag, VoiceNote, voice_note};

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

/// Makes a voice note of a recording of at most [`MAX_VOICE_DURATION`]. Dropped, it stops decoding.
///
/// # Errors
/// [`VoiceError`].
pub async fn prepare_voice_note(recording: File) -> Result<VoiceNote, VoiceError> {
    prepare_with(recording, Ffmpeg::default()).await
}

async fn prepare_with(recording: File, ffmpeg: Ffmpeg) -> Result<VoiceNote, VoiceError> {
    // It is never closed.
    let _turn = CONVERSIONS.acquire().await.ok();
    let stop = StopFlag::default();
    let _stopped_when_given_up = stop.stop_on_drop();
    let limits = AudioLimits::default().duration(MAX_VOICE_DURATION).stopped_by(&stop);
    let made = tokio::task::spawn_blocking(move || prepare(recording, &ffmpeg, &limits));
    made.await.unwrap_or(Err(VoiceError::Audio(AudioError::Stopped)))
}

fn prepare(
    mut recording: File,
    ffmpeg: &Ffmpeg,
    limits: &AudioLimits,
) -> Result<VoiceNote, VoiceError> {
    match voice_note(&recording, limits) {
        Err(AudioError::UnsupportedFormat) => {
            recording.rewind()?;
            ffmpeg.prepare(recording, limits)
        }
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
    fn prepare(&self, recording: File, limits: &AudioLimits) -> Result<VoiceNote, VoiceError> {
        let folder = tempfile::Builder::new().prefix("wa-").tempdir()?;
        let wav = folder.path().join("converted.wav");
        if !self.convert(recording, &wav, &limits.stop)?.success() {
            return Err(VoiceError::NotAudio);
        }
        Ok(voice_note(File::open(&wav)?, limits)?)
    }

    /// Converts what is open, which `ffmpeg` gets as its standard input: it opens no other file.
    fn convert(&self, from: File, to: &Path, stop: &StopFlag) -> Result<ExitStatus, VoiceError> {
        let mut command = Command::new(&self.program);
        command.args(&self.first);
        command.args(["-nostdin", "-loglevel", "quiet", "-protocol_whitelist", "file"]);
        command.args(["-format_whitelist", CONTAINERS, "-i", "file:/dev/stdin"]);
        command.args(["-map", "0:a:0", "-map_metadata", "-1", "-ac", "1", "-ar", "16000"]);
        command.args(["-t", MAX_SECONDS, "-fs", MAX_BYTES, "-c:a", "pcm_s16le", "-f", "wav", "-y"]);
        command.arg(local(to));
        command.stdin(Stdio::from(from)).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => VoiceError::NoFfmpeg,
            _ => VoiceError::Io(error),
        })?;
        let begun = Instant::now();
        let why = loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if stop.is_stopped() {
                break VoiceError::Audio(AudioError::Stopped);
            }
            if begun.elapsed() >= self.patience {
                break VoiceError::TooSlow(self.patience);
            }
            std::thread::sleep(PAUSE);
        };
        child.kill()?;
        child.wait()?;
        Err(why)
    }
}

/// A path that is neither an option nor the address of something else.
fn local(path: &Path) -> OsString {
    let mut argument = OsString::from("file:");
    argument.push(path);
    argument
}

/// How long a recording may play that becomes a voice message.
pub const MAX_VOICE_DURATION: Duration = Duration::from_secs(60 * 60);
/// How many recordings are converted at once; each takes a processor.
static CONVERSIONS: Semaphore = Semaphore::const_new(2);
/// How long a conversion may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often it is asked whether it has ended.
const PAUSE: Duration = Duration::from_millis(20);
/// How much is converted: one second more than [`MAX_VOICE_DURATION`], so that what is too long is
/// refused rather than cut.
const MAX_SECONDS: &str = "3601";
/// The most bytes of the conversion: so many seconds of 16,000 samples of two bytes.
const MAX_BYTES: &str = "115300000";
/// The kinds of file that are given to `ffmpeg`: none of them names other files.
const CONTAINERS: &str = "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,eac3,flac,flv,matroska,\
                          mov,mp3,mpeg,mpegts,ogg,tta,voc,w64,wav,wv";

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

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

    fn recording(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        file
    }

    fn made(bytes: &[u8], ffmpeg: &Ffmpeg) -> Result<VoiceNote, VoiceError> {
        prepare(recording(bytes), ffmpeg, &AudioLimits::default())
    }

    #[test]
    fn a_known_format_needs_nobody_else() {
        let nobody = Ffmpeg { program: "no-such-program".into(), ..Ffmpeg::default() };
        let note = made(&wav(), &nobody).unwrap();
        assert!(note.bytes.starts_with(b"OggS"));
        assert_eq!(note.analysis.seconds(), 1);
    }

    #[test]
    fn without_ffmpeg_the_formats_that_work_are_named() {
        let nobody = Ffmpeg { program: "no-such-program".into(), ..Ffmpeg::default() };
        let error = made(AMR, &nobody).unwrap_err();
        assert!(matches!(error, VoiceError::NoFfmpeg), "{error}");
        assert!(error.to_string().contains("mp3") && error.to_string().contains("ogg"));
    }

    #[cfg(unix)]
    #[test]
    fn what_ffmpeg_made_becomes_the_voice_note() {
        let folder = tempfile::tempdir().unwrap();
        let ready = folder.path().join("ready.wav");
        fs::write(&ready, wav()).unwrap();
        // It is given the very bytes that were opened, from their beginning.
        let body = format!(
            "test \"$(head -c 5 /dev/stdin)\" = '#!AMR' && cp '{}' \"$last\"",
            ready.display()
        );
        let note = made(AMR, &script(&body, PATIENCE)).unwrap();
        assert_eq!(note.analysis.seconds(), 1);
        let refuses = made(AMR, &script("exit 1", PATIENCE)).unwrap_err();
        assert!(matches!(refuses, VoiceError::NotAudio), "{refuses}");
        let empty = made(AMR, &script("exit 0", PATIENCE)).unwrap_err();
        assert!(matches!(empty, VoiceError::Io(_)), "{empty}");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_waits_for_ffmpeg_for_ever() {
        let sleeps = script("exec sleep 600", Duration::from_millis(50));
        let error = made(AMR, &sleeps).unwrap_err();
        assert!(matches!(error, VoiceError::TooSlow(_)), "{error}");
    }

    #[test]
    fn a_recording_of_more_than_an_hour_is_refused_before_it_is_decoded() {
        assert_eq!(MAX_VOICE_DURATION.as_secs(), 3_600);
        // A header that tells of an hour and a second, and nothing of it.
        let mut file = wav();
        let bytes = 3_601_u32 * 16_000;
        file[4..8].copy_from_slice(&(bytes + 36).to_le_bytes());
        file[40..44].copy_from_slice(&bytes.to_le_bytes());
        let limits = AudioLimits::default().duration(MAX_VOICE_DURATION);
        let error = prepare(recording(&file), &Ffmpeg::default(), &limits).unwrap_err();
        assert_eq!(error.to_string(), "the audio is longer than 60 minutes; cut it");
    }

    /// Whoever gave up is not worked for.
    #[cfg(unix)]
    #[tokio::test]
    async fn a_conversion_that_nobody_waits_for_ends() {
        let folder = tempfile::tempdir().unwrap();
        let (begun, pid) = (folder.path().join("begun"), folder.path().join("pid"));
        let body =
            format!("echo $$ > '{}'; touch '{}'; exec sleep 600", pid.display(), begun.display());
        let waits = tokio::spawn(prepare_with(recording(AMR), script(&body, PATIENCE)));
        while !begun.exists() {
            tokio::time::sleep(PAUSE).await;
        }
        waits.abort();
        let number = fs::read_to_string(&pid).unwrap();
        let process = number.trim().parse().ok().and_then(rustix::process::Pid::from_raw).unwrap();
        // It ends by being killed, long before its own end.
        while rustix::process::test_kill_process(process).is_ok() {
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What only `ffmpeg` decodes.
    const AMR: &[u8] = b"#!AMR\n and more";
}
