//! The file as the decoders read it: of a known length, and never without end.

use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

use crate::{
    AudioError, AudioLimits, StopFlag,
    limits::{MAX_NOTE_BYTES, MAX_READINGS},
};

/// A file that is within the limit.
pub(crate) struct Input<R> {
    inner: R,
    length: u64,
    /// How many bytes may still be read of it.
    left: u64,
    stop: StopFlag,
}

impl<R: Read + Seek> Input<R> {
    pub(crate) fn open(mut inner: R, limits: &AudioLimits) -> Result<Self, AudioError> {
        let length = inner.seek(SeekFrom::End(0))?;
        inner.seek(SeekFrom::Start(0))?;
        match length {
            0 => Err(AudioError::Empty),
            length if length > limits.bytes => Err(AudioError::TooLarge { limit: limits.bytes }),
            length => {
                let left = length.saturating_mul(MAX_READINGS).saturating_add(MIN_READ);
                Ok(Self { inner, length, left, stop: limits.stop.clone() })
            }
        }
    }

    /// The first bytes, from which it is read again afterwards.
    pub(crate) fn head(&mut self) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        self.by_ref().take(HEAD_LEN).read_to_end(&mut head)?;
        self.seek(SeekFrom::Start(0))?;
        Ok(head)
    }

    /// Whether a voice note of this length is handed on as it is.
    pub(crate) const fn fits_note(&self) -> bool {
        self.length <= MAX_NOTE_BYTES
    }

    /// All of it, from its beginning.
    pub(crate) fn read_again(&mut self) -> io::Result<Vec<u8>> {
        self.seek(SeekFrom::Start(0))?;
        let mut bytes = Vec::new();
        self.take(MAX_NOTE_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.is_stopped() {
            // Also whoever looks for a beginning in a long file ends here.
            return Err(io::ErrorKind::InvalidData.into());
        }
        let read = self.inner.read(buffer)?;
        let Some(left) = self.left.checked_sub(read as u64) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        self.left = left;
        Ok(read)
    }
}

impl<R: Seek> Seek for Input<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

impl<R: Read + Seek + Send + Sync> MediaSource for &mut Input<R> {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length)
    }
}

/// How much tells an Ogg file of Opus: its first page.
const HEAD_LEN: u64 = 64;
/// How many bytes may be read of the smallest file.
const MIN_READ: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn a_file_above_the_limit_is_refused_before_it_is_read() {
        let limits = AudioLimits::default().bytes(10);
        assert!(matches!(
            Input::open(Cursor::new([0; 11]), &limits),
            Err(AudioError::TooLarge { limit: 10 })
        ));
        assert!(matches!(Input::open(Cursor::new([]), &limits), Err(AudioError::Empty)));
    }

    #[test]
    fn nobody_reads_a_file_for_ever() {
        let mut input = Input::open(Cursor::new([0; 4096]), &AudioLimits::default()).unwrap();
        let mut read = 0;
        let error = loop {
            input.seek(SeekFrom::Start(0)).unwrap();
            match input.read(&mut [0; 4096]) {
                Ok(bytes) => read += bytes as u64,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(read, MIN_READ + MAX_READINGS * 4096);
    }
}
