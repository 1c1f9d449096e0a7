//! A zlib stream, inflated a piece at a time and up to a bound.
//!
//! Knows nothing of what is in it.

use flate2::{Decompress, FlushDecompress, Status};

use super::{FREE_INFLATION, HistoryError, MAX_INFLATED_LEN, MAX_INFLATION, wire::Wire};

#[derive(Debug)]
pub(super) struct Inflater {
    stream: Decompress,
    is_over: bool,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self { stream: Decompress::new(true), is_over: false }
    }

    /// Whether the stream has ended as it should, its checksum included.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Inflates a piece more; false if there is nothing left to inflate. Bytes behind the end of
    /// the stream are dropped.
    pub(super) fn inflate(
        &mut self,
        compressed: &mut &[u8],
        to: &mut Wire,
    ) -> Result<bool, HistoryError> {
        if self.is_over {
            *compressed = &[];
            return Ok(false);
        }
        let (taken, given) = (self.stream.total_in(), self.stream.total_out());
        let status = to.grow(PIECE, |room| {
            self.stream.decompress(compressed, room, FlushDecompress::None).map(|status| {
                let given = self.stream.total_out() - given;
                (status, usize::try_from(given).unwrap_or(usize::MAX))
            })
        });
        let status = status.map_err(|_| HistoryError::Compression)?;
        self.is_over = status == Status::StreamEnd;
        let used = self.stream.total_in() - taken;
        *compressed =
            compressed.get(usize::try_from(used).unwrap_or(usize::MAX)..).unwrap_or_default();
        self.check_bounds()?;
        let gave = self.stream.total_out() > given;
        Ok(gave || (used > 0 && !compressed.is_empty()))
    }

    fn check_bounds(&self) -> Result<(), HistoryError> {
        let (taken, given) = (self.stream.total_in(), self.stream.total_out());
        let is_bomb = given > FREE_INFLATION && given / taken.max(1) > MAX_INFLATION;
        if given > MAX_INFLATED_LEN || is_bomb {
            return Err(HistoryError::TooLarge);
        }
        Ok(())
    }
}

/// How many bytes are inflated at a time.
const PIECE: usize = 1 << 16;
