//! A picture and a voice note, made here byte by byte, so that they are real files and nobody's.

/// A PNG of 48 by 32 pixels: a sunset, uncompressed.
pub(super) fn picture() -> Vec<u8> {
    let square = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
    let mut rows = Vec::new();
    for y in 0..HEIGHT {
        rows.push(0); // No filter.
        for x in 0..WIDTH {
            let is_sun = square(x, WIDTH / 2) + square(y, HEIGHT / 2) < 64;
            let sky = [255 - y * 4, 96 + y * 2, 64 + y * 5];
            rows.extend(if is_sun { [255, 230, 120] } else { sky });
        }
    }
    let mut header = Vec::new();
    header.extend(u32::from(WIDTH).to_be_bytes());
    header.extend(u32::from(HEIGHT).to_be_bytes());
    header.extend([8, 2, 0, 0, 0]); // 8 bits a colour, RGB, not interlaced.
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in [(b"IHDR", header), (b"IDAT", stored(&rows)), (b"IEND", Vec::new())] {
        let length = u32::try_from(data.len()).unwrap_or_default();
        let chunk = [name.as_slice(), &data].concat();
        png.extend(length.to_be_bytes());
        png.extend(&chunk);
        png.extend((!crc(&chunk, 0xedb8_8320, !0)).to_be_bytes());
    }
    png
}

const WIDTH: u8 = 48;
const HEIGHT: u8 = 32;

/// Data in zlib's form (RFC 1950), in one block that is not compressed.
fn stored(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap_or_default();
    let mut zlib = vec![0x78, 0x01, 0x01];
    zlib.extend(length.to_le_bytes());
    zlib.extend((!length).to_le_bytes());
    zlib.extend(data);
    let [mut a, mut b] = [1_u32, 0];
    for byte in data {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    zlib.extend((b << 16 | a).to_be_bytes());
    zlib
}

/// The checksum of PNG: reflected, of this polynomial.
fn crc(data: &[u8], polynomial: u32, start: u32) -> u32 {
    data.iter().fold(start, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ polynomial } else { crc >> 1 }
        })
    })
}

/// How long the voice note is.
pub(super) const VOICE_SECONDS: u32 = 2;

/// Opus in Ogg (RFC 7845): silence, 20 milliseconds a packet.
pub(super) fn voice_note() -> Vec<u8> {
    let mut head = b"OpusHead\x01\x01".to_vec(); // Version 1, one channel.
    head.extend(PRE_SKIP.to_le_bytes());
    head.extend(48_000_u32.to_le_bytes());
    head.extend([0, 0, 0]); // No gain, one stream.
    let mut tags = b"OpusTags".to_vec();
    tags.extend(4_u32.to_le_bytes());
    tags.extend(b"demo\0\0\0\0");
    let packets = vec![SILENCE.to_vec(); usize::try_from(VOICE_SECONDS * 50).unwrap_or_default()];
    let end = u64::from(PRE_SKIP) + u64::from(VOICE_SECONDS) * 48_000;
    [page(2, 0, 0, &[head]), page(0, 0, 1, &[tags]), page(4, end, 2, &packets)].concat()
}

/// Samples to leave out at the beginning.
const PRE_SKIP: u16 = 312;
/// A packet of 20 milliseconds of silence: CELT, full band, mono.
const SILENCE: [u8; 3] = [0xf8, 0xff, 0xfe];

/// A page of Ogg (RFC 3533) with short packets.
fn page(flags: u8, granule: u64, number: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    let mut page = b"OggS\0".to_vec();
    page.push(flags);
    page.extend(granule.to_le_bytes());
    page.extend(1_u32.to_le_bytes());
    page.extend(number.to_le_bytes());
    page.extend([0; 4]); // The checksum's place.
    let lengths = packets.iter().map(|packet| u8::try_from(packet.len()).unwrap_or_default());
    page.push(u8::try_from(packets.len()).unwrap_or_default());
    page.extend(lengths);
    page.extend(packets.concat());
    let checksum = ogg_crc(&page).to_le_bytes();
    page.splice(CHECKSUM, checksum);
    page
}

/// Where a page has its checksum.
const CHECKSUM: std::ops::Range<usize> = 22..26;

/// The checksum of Ogg: not reflected, nothing inverted.
fn ogg_crc(data: &[u8]) -> u32 {
    data.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << 24, |crc, _| {
            if crc >> 31 == 1 { crc << 1 ^ 0x04c1_1db7 } else { crc << 1 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_their_formats() {
        assert_eq!(!crc(b"123456789", 0xedb8_8320, !0), 0xcbf4_3926);
        assert_eq!(ogg_crc(b"123456789"), 0x89a1_897f);
        // The end of every PNG.
        assert!(picture().ends_with(b"IEND\xae\x42\x60\x82"));
        assert_eq!(stored(b"Wikipedia")[16..], 0x11e6_0398_u32.to_be_bytes());
    }

    #[test]
    fn the_voice_note_has_its_three_pages() {
        let note = voice_note();
        assert_eq!(note.windows(4).filter(|bytes| bytes == b"OggS").count(), 3);
        assert!(note.len() < 1_000);
    }
}
