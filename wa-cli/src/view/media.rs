//! What a message says of its file.

use wa_bridge::{api::MediaView, foreign};

/// Size, length and name, as far as they are known.
pub(crate) fn facts(view: &MediaView) -> String {
    let size = view.bytes.map(bytes);
    let seconds = view.seconds.map(|seconds| format!("{}:{:02}", seconds / 60, seconds % 60));
    let sides = view.width.zip(view.height).map(|(width, height)| format!("{width}×{height}"));
    let name = view.file_name.as_deref().map(|name| foreign::plain(name, " "));
    let facts = [name, size, sides, seconds].into_iter().flatten();
    facts.collect::<Vec<_>>().join(", ")
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
    use wa_proto::content::Media;

    use super::*;

    #[test]
    fn facts_of_strangers_are_made_safe_and_unknown_ones_are_left_out() {
        let mut media = Media::default();
        media.file_name = Some("a\u{202e}gpj.exe".into());
        media.file_length = Some(1_234);
        assert_eq!(facts(&MediaView::new(&media)), "agpj.exe, 2 kB");
        media = Media::default();
        media.seconds = Some(75);
        assert_eq!(facts(&MediaView::new(&media)), "1:15");
        assert_eq!(bytes(12_345_678), "12.3 MB");
    }
}
