//! A picture's size as it is shown, and a small JPEG of it.

use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageReader, Limits, RgbImage,
    codecs::jpeg::JpegEncoder, metadata::Orientation,
};

/// A small JPEG of a picture, and the size of the picture itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Thumbnail {
    /// The JPEG.
    pub jpeg: Vec<u8>,
    /// The picture's width in pixels, as it is shown.
    pub width: u32,
    /// The picture's height in pixels, as it is shown.
    pub height: u32,
}

/// A picture could not be decoded, or is not to be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// No known format, or a kind of one that is not known.
    #[error("pictures of this format cannot be decoded; these can: JPEG, PNG, WebP, GIF")]
    UnsupportedFormat,
    /// It begins like a known format, and is not what that begins.
    #[error("the picture is broken or cut off; choose a file that can be shown")]
    Broken,
    /// It has too many bytes or pixels, or decoding it takes too much memory.
    #[error("the picture is too large to be decoded; scale it down")]
    TooLarge,
    /// The file could not be read.
    #[error("the picture could not be read")]
    Read(#[source] io::Error),
}

/// Makes a JPEG of a JPEG, PNG, WebP or GIF picture, of which the longer side has at most so many
/// pixels: [`THUMBNAIL_SIDE`] for messages, never more than [`MAX_THUMBNAIL_SIDE`]. It stands
/// upright, as the camera says, and what is transparent becomes white. Of what moves it is the
/// first picture.
///
/// # Errors
/// [`PictureError`]. A picture of more than [`MAX_PICTURE_BYTES`], [`MAX_PICTURE_PIXELS`],
/// [`MAX_PICTURE_SIDE`] or [`MAX_PICTURE_MEMORY`] is not decoded.
pub fn thumbnail(
    mut input: impl Read + Seek,
    longest_side: u32,
) -> Result<Thumbnail, PictureError> {
    let length = input.seek(SeekFrom::End(0)).map_err(PictureError::Read)?;
    if length > MAX_PICTURE_BYTES {
        return Err(PictureError::TooLarge);
    }
    input.seek(SeekFrom::Start(0)).map_err(PictureError::Read)?;
    let (picture, orientation) = decode(BufReader::new(input))?;
    let (width, height) = (picture.width(), picture.height());
    let side = longest_side.clamp(1, MAX_THUMBNAIL_SIDE).min(width.max(height));
    let mut small = picture.thumbnail(side, side);
    drop(picture);
    small.apply_orientation(orientation);
    let mut jpeg = Cursor::new(Vec::new());
    on_white(&small)
        .write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, QUALITY))
        .map_err(|_| PictureError::Broken)?;
    let (width, height) = if is_turned(orientation) { (height, width) } else { (width, height) };
    Ok(Thumbnail { jpeg: jpeg.into_inner(), width, height })
}

/// Width and height of a JPEG, PNG, WebP or GIF picture, in pixels, as its header says. Nothing is
/// decoded. A few bytes can say that they are a picture of gigabytes; who hands a picture on to a
/// program that shows it looks here first.
///
/// # Errors
/// [`PictureError::UnsupportedFormat`] for what begins like no picture,
/// [`PictureError::TooLarge`] for more than [`MAX_PICTURE_PIXELS`] or [`MAX_PICTURE_SIDE`],
/// [`PictureError::Broken`] where a picture begins and its size is not to be found.
pub fn picture_size(input: impl BufRead + Seek) -> Result<(u32, u32), PictureError> {
    let size = opened(input)?.dimensions();
    check_size(size)?;
    Ok(size)
}

/// A decoder that has read the header and nothing else.
fn opened<'a>(input: impl BufRead + Seek + 'a) -> Result<impl ImageDecoder + 'a, PictureError> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_PICTURE_SIDE);
    limits.max_image_height = Some(MAX_PICTURE_SIDE);
    limits.max_alloc = Some(MAX_PICTURE_MEMORY);
    let mut reader = ImageReader::new(input).with_guessed_format().map_err(PictureError::Read)?;
    if reader.format().is_none() {
        return Err(PictureError::UnsupportedFormat);
    }
    reader.limits(limits);
    reader.into_decoder().map_err(failed)
}

fn check_size((width, height): (u32, u32)) -> Result<(), PictureError> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MAX_PICTURE_PIXELS || width.max(height) > MAX_PICTURE_SIDE {
        return Err(PictureError::TooLarge);
    }
    if pixels == 0 {
        return Err(PictureError::Broken);
    }
    Ok(())
}

fn decode(input: impl BufRead + Seek) -> Result<(DynamicImage, Orientation), PictureError> {
    let mut decoder = opened(input)?;
    check_size(decoder.dimensions())?;
    if decoder.total_bytes() > MAX_PICTURE_MEMORY {
        return Err(PictureError::TooLarge);
    }
    // A picture whose notes cannot be read is still a picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(failed)?;
    Ok((picture, orientation))
}

fn failed(error: ImageError) -> PictureError {
    match error {
        ImageError::Unsupported(_) => PictureError::UnsupportedFormat,
        ImageError::Limits(_) => PictureError::TooLarge,
        _ => PictureError::Broken,
    }
}

/// Whether width and height change places.
const fn is_turned(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

/// JPEG knows no transparency.
fn on_white(picture: &DynamicImage) -> DynamicImage {
    let picture = picture.to_rgba8();
    let mut opaque = RgbImage::new(picture.width(), picture.height());
    for (pixel, colour) in opaque.pixels_mut().zip(picture.pixels()) {
        let [red, green, blue, alpha] = colour.0;
        let mixed = |colour: u8| {
            let sum = u32::from(colour) * u32::from(alpha) + 255 * (255 - u32::from(alpha));
            u8::try_from((sum + 127) / 255).unwrap_or(u8::MAX)
        };
        pixel.0 = [mixed(red), mixed(green), mixed(blue)];
    }
    DynamicImage::ImageRgb8(opaque)
}

/// The longer side of the preview that travels within a message, in pixels.
pub const THUMBNAIL_SIDE: u32 = 100;
/// The longest side of any preview, in pixels.
pub const MAX_THUMBNAIL_SIDE: u32 = 1024;
/// The most bytes of a picture that is decoded.
pub const MAX_PICTURE_BYTES: u64 = 64 << 20;
/// The most pixels of a picture that is decoded; the cameras of most phones have fewer.
pub const MAX_PICTURE_PIXELS: u64 = 50_000_000;
/// The longest side of a picture that is decoded, in pixels.
pub const MAX_PICTURE_SIDE: u32 = 32_768;
/// The most bytes that a decoded picture may take.
pub const MAX_PICTURE_MEMORY: u64 = 256 << 20;
/// Of the JPEG, out of 100.
const QUALITY: u8 = 75;

#[cfg(test)]
mod tests {
    use image::{ImageFormat, Rgba, RgbaImage};

    use super::*;

    /// The left half red, the right half transparent.
    fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let image = RgbaImage::from_fn(width, height, |x, _| {
            if x < width / 2 { Rgba([200, 0, 0, 255]) } else { Rgba([0, 0, 0, 0]) }
        });
        let mut file = Cursor::new(Vec::new());
        let image = DynamicImage::ImageRgba8(image);
        match format {
            ImageFormat::Jpeg => on_white(&image).write_to(&mut file, format).unwrap(),
            _ => image.write_to(&mut file, format).unwrap(),
        }
        file.into_inner()
    }

    /// Adds to a JPEG what the camera says of how it was held (EXIF tag 0x0112).
    fn held(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let mut notes = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        notes.extend([orientation, 0, 0, 0, 0, 0, 0]);
        let length = u16::try_from(notes.len() + 2).unwrap().to_be_bytes();
        [&jpeg[..2], b"\xff\xe1", &length, &notes, &jpeg[2..]].concat()
    }

    fn pixel(jpeg: &[u8], x: u32, y: u32) -> [u8; 3] {
        image::load_from_memory(jpeg).unwrap().to_rgb8().get_pixel(x, y).0
    }

    #[test]
    fn every_format_gives_a_small_jpeg_and_the_true_size() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif] {
            let made = thumbnail(Cursor::new(picture(400, 200, format)), THUMBNAIL_SIDE).unwrap();
            assert_eq!((made.width, made.height), (400, 200), "{format:?}");
            let small = image::load_from_memory_with_format(&made.jpeg, ImageFormat::Jpeg).unwrap();
            assert_eq!((small.width(), small.height()), (100, 50), "{format:?}");
            assert!(made.jpeg.len() < 4096);
            let [red, green, _] = pixel(&made.jpeg, 10, 25);
            assert!(red > 180 && green < 30, "{format:?}");
            let transparent = pixel(&made.jpeg, 90, 25);
            assert!(transparent.iter().all(|&part| part > 240), "{format:?}: {transparent:?}");
        }
    }

    #[test]
    fn a_picture_stands_upright() {
        let jpeg = held(&picture(400, 200, ImageFormat::Jpeg), 6);
        let made = thumbnail(Cursor::new(jpeg), THUMBNAIL_SIDE).unwrap();
        assert_eq!((made.width, made.height), (200, 400));
        let small = image::load_from_memory(&made.jpeg).unwrap();
        assert_eq!((small.width(), small.height()), (50, 100));
        // Turned to the right, what was left is above.
        assert!(pixel(&made.jpeg, 25, 10)[1] < 30);
        assert!(pixel(&made.jpeg, 25, 90)[1] > 240);
    }

    #[test]
    fn a_small_picture_is_not_made_larger_and_the_side_can_be_chosen() {
        let png = picture(40, 10, ImageFormat::Png);
        let small = thumbnail(Cursor::new(&png), THUMBNAIL_SIDE).unwrap();
        let small = image::load_from_memory(&small.jpeg).unwrap();
        assert_eq!((small.width(), small.height()), (40, 10));
        let chosen = thumbnail(Cursor::new(&png), 20).unwrap();
        assert_eq!(image::load_from_memory(&chosen.jpeg).unwrap().width(), 20);
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_decoded() {
        let mut png = picture(16, 16, ImageFormat::Png);
        for (width, height) in [(60_000_u32, 2_u32), (20_000, 20_000), (8_000, 8_000)] {
            png[16..20].copy_from_slice(&width.to_be_bytes());
            png[20..24].copy_from_slice(&height.to_be_bytes());
            let checksum = crc32(&png[12..29]).to_be_bytes();
            png[29..33].copy_from_slice(&checksum);
            let refused = thumbnail(Cursor::new(&png), THUMBNAIL_SIDE);
            assert!(matches!(refused, Err(PictureError::TooLarge)), "{refused:?}");
            let refused = picture_size(Cursor::new(&png));
            assert!(matches!(refused, Err(PictureError::TooLarge)), "{refused:?}");
        }
    }

    #[test]
    fn the_size_of_a_picture_is_told_by_its_header_alone() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif] {
            let size = picture_size(Cursor::new(picture(400, 200, format)));
            assert_eq!(size.unwrap(), (400, 200), "{format:?}");
        }
        let other = picture_size(Cursor::new(b"%PDF-1.7 and so on"));
        assert!(matches!(other, Err(PictureError::UnsupportedFormat)), "{other:?}");
        let without = picture_size(Cursor::new(b"\x89PNG\r\n\x1a\n and no header"));
        assert!(matches!(without, Err(PictureError::Broken)), "{without:?}");
    }

    #[test]
    fn what_is_no_picture_or_half_of_one_is_an_error() {
        let other = thumbnail(Cursor::new(b"%PDF-1.7 and so on"), THUMBNAIL_SIDE);
        assert!(matches!(other, Err(PictureError::UnsupportedFormat)), "{other:?}");
        let empty = thumbnail(Cursor::new(b""), THUMBNAIL_SIDE);
        assert!(matches!(empty, Err(PictureError::UnsupportedFormat)), "{empty:?}");
        let png = picture(400, 200, ImageFormat::Png);
        let half = thumbnail(Cursor::new(&png[..png.len() / 2]), THUMBNAIL_SIDE);
        assert!(matches!(half, Err(PictureError::Broken)), "{half:?}");
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |sum, &byte| {
            (0..8).fold(sum ^ u32::from(byte), |sum, _| {
                if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 }
            })
        })
    }
}
