//! What a message says of its file.

use serde::Serialize;
use wa_proto::content::{Media, Unwrapped};
use wa_store::ArchivedMessage;

use crate::output::foreign;

/// A file in `--json`, as its sender described it.
#[derive(Debug, Serialize)]
pub(crate) struct MediaView {
    pub(crate) mime: Option<String>,
    pub(crate) bytes: Option<u64>,
    pub(crate) seconds: Option<u32>,
    pub(crate) width: Option<u32>,
    pub(crate) height: Option<u32>,
    pub(crate) file_name: Option<String>,
}

impl MediaView {
    /// The file of a message, if it has one.
    pub(crate) fn of(message: &ArchivedMessage) -> Option<Self> {
        let unwrapped = Unwrapped::decode(message.raw.as_bytes().to_vec()).ok()?;
        unwrapped.content.media().map(Self::new)
    }

    fn new(media: &Media) -> Self {
        Self {
            mime: media.mimetype.clone(),
            bytes: media.file_length,
            seconds: media.seconds,
            width: media.width,
            height: media.height,
            file_name: media.file_name.clone(),
        }
    }

    /// For a person: size, length and name, as far as they are known.
    pub(crate) fn facts(&self) -> String {
        let size = self.bytes.map(bytes);
        let seconds = self.seconds.map(|seconds| format!("{}:{:02}", seconds / 60, seconds % 60));
        let sides = self.width.zip(self.height).map(|(width, height)| format!("{width}×{height}"));
        let name = self.file_name.as_deref().map(|name| foreign::plain(name, " "));
        let facts = [name, size, sides, seconds].into_iter().flatten();
        facts.collect::<Vec<_>>().join(", ")
    }
}

/// A size as people read it.
pub(crate) fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} bytes"),
        1_000..1_000_000 => format!("{} kB", count.div_ceil(1_000)),
        _ => format!("{}.{} MB", count / 1_000_000, count / 100_000 % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_strangers_are_made_safe_and_unknown_ones_are_left_out() {
        let mut media = Media::default();
        media.file_name = Some("a\u{202e}gpj.exe".into());
        media.file_length = Some(1_234);
        assert_eq!(MediaView::new(&media).facts(), "agpj.exe, 2 kB");
        media = Media::default();
        media.seconds = Some(75);
        assert_eq!(MediaView::new(&media).facts(), "1:15");
        assert_eq!(bytes(12_345_678), "12.3 MB");
    }
}
