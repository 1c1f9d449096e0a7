//! What a file's first and last bytes tell without decoding it: its format, the size of a picture,
//! the length of a recording.
//!
//! Owns nothing but looking. Whatever it does not know it leaves to the caller, and nothing it
//! finds is more than a hint for whoever shows the file.

/// Width and height in pixels, of a PNG, JPEG, WebP or GIF whose first bytes are given.
pub(super) fn dimensions(head: &[u8]) -> Option<(u32, u32)> {
    png(head).or_else(|| gif(head)).or_else(|| webp(head)).or_else(|| jpeg(head))
}

/// The MIME type of a picture or recording, by its first bytes.
pub(super) fn mimetype(head: &[u8]) -> Option<&'static str> {
    Some(match head {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'O', b'g', b'g', b'S', ..] => "audio/ogg; codecs=opus",
        [b'I', b'D', b'3', ..] => "audio/mpeg",
        [0xff, second, ..] if second & 0xe6 == 0xe2 => "audio/mpeg",
        [_, _, _, _, b'f', b't', b'y', b'p', b'M', b'4', b'A', ..] => "audio/mp4",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "video/mp4",
        [b'%', b'P', b'D', b'F', ..] => "application/pdf",
        _ => return None,
    })
}

/// How long an Ogg/Opus recording plays, in seconds, rounded up: by the position that its last
/// page tells, at the 48,000 samples a second that Opus always counts in (RFC 7845).
pub(super) fn opus_seconds(head: &[u8], tail: &[u8]) -> Option<u32> {
    let header = head.windows(8).take(256).position(|window| window == b"OpusHead")?;
    let skipped = head.get(header + 10..header + 12)?;
    let skipped = u64::from(u16::from_le_bytes(skipped.try_into().ok()?));
    let page = tail.windows(5).rposition(|window| window == b"OggS\0")?;
    let position = tail.get(page + 6..page + 14)?;
    let position = u64::from_le_bytes(position.try_into().ok()?);
    let samples = position.checked_sub(skipped).filter(|_| position != u64::MAX)?;
    u32::try_from(samples.div_ceil(48_000)).ok()
}

fn png(head: &[u8]) -> Option<(u32, u32)> {
    head.strip_prefix(b"\x89PNG\r\n\x1a\n").filter(|rest| rest.get(4..8) == Some(b"IHDR"))?;
    Some((be32(head.get(16..20)?)?, be32(head.get(20..24)?)?))
}

fn gif(head: &[u8]) -> Option<(u32, u32)> {
    head.strip_prefix(b"GIF8")?;
    Some((le16(head.get(6..8)?)?, le16(head.get(8..10)?)?))
}

fn webp(head: &[u8]) -> Option<(u32, u32)> {
    let (b"RIFF", b"WEBP") = (head.get(..4)?, head.get(8..12)?) else { return None };
    match head.get(12..16)? {
        b"VP8 " => Some((le16(head.get(26..28)?)? & 0x3fff, le16(head.get(28..30)?)? & 0x3fff)),
        b"VP8L" => {
            let bits = u32::from_le_bytes(head.get(21..25)?.try_into().ok()?);
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8X" => {
            let le24 = |at: usize| {
                let [a, b, c] = head.get(at..at + 3)?.try_into().ok()?;
                Some(u32::from_le_bytes([a, b, c, 0]) + 1)
            };
            Some((le24(24)?, le24(27)?))
        }
        _ => None,
    }
}

/// Goes from segment to segment up to the one that begins a frame.
fn jpeg(head: &[u8]) -> Option<(u32, u32)> {
    let mut rest = head.strip_prefix(&[0xff, 0xd8])?;
    loop {
        let [0xff, marker, after @ ..] = rest else { return None };
        match marker {
            0xff => rest = rest.get(1..)?,
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                return Some((be16(after.get(5..7)?)?, be16(after.get(3..5)?)?));
            }
            _ => rest = after.get(usize::try_from(be16(after.get(..2)?)?).ok()?..)?,
        }
    }
}

fn be32(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

fn be16(bytes: &[u8]) -> Option<u32> {
    Some(u32::from(u16::from_be_bytes(bytes.try_into().ok()?)))
}

fn le16(bytes: &[u8]) -> Option<u32> {
    Some(u32::from(u16::from_le_bytes(bytes.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pictures_tell_their_size() {
        let png = hex::decode("89504e470d0a1a0a0000000d49484452000000640000003208").unwrap();
        assert_eq!(dimensions(&png), Some((100, 50)));
        assert_eq!(dimensions(b"GIF89a\x64\0\x32\0"), Some((100, 50)));
        let jpeg = hex::decode("ffd8ffe000044a46ffdb0003aaffc0001108003200640301").unwrap();
        assert_eq!(dimensions(&jpeg), Some((100, 50)));
        let mut webp = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0".to_vec();
        webp.extend([99, 0, 0, 49, 0, 0]);
        assert_eq!(dimensions(&webp), Some((100, 50)));
        assert_eq!(dimensions(b"no picture"), None);
    }

    #[test]
    fn a_recording_tells_its_length() {
        let mut head = b"OggS\0\x02".to_vec();
        head.extend([0; 22]);
        head.extend(b"OpusHead\x01\x01\x38\x01");
        let mut tail = b"....OggS\0\x04".to_vec();
        tail.extend((48_000_u64 * 3 + 312).to_le_bytes());
        assert_eq!(opus_seconds(&head, &tail), Some(3));
        assert_eq!(opus_seconds(&head, b"cut"), None);
        assert_eq!(opus_seconds(b"ID3", &tail), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(head: Vec<u8>, tail: Vec<u8>, start in 0..4usize) {
            let starts: [&[u8]; 4] = [b"", b"\xff\xd8", b"RIFF....WEBP", b"\x89PNG\r\n\x1a\n...."];
            let head = [starts[start], &head].concat();
            let _ = (dimensions(&head), mimetype(&head), opus_seconds(&head, &tail));
        }
    }
}
