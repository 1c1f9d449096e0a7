//! Names for files on disk, whatever the sender called them.
//!
//! Owns what a name may hold and how it is made to differ from others in a folder. A name made here
//! is one name and no path, on every system.

use std::io;

use super::folder::Part;

/// A name under which a file can be put on disk: that of the sender as far as it is harmless, or
/// one made up, with an ending that suits the MIME type where it has none.
///
/// No separators, no `..`, no control characters, no marks that turn the direction of writing, none
/// of the names that Windows keeps for devices; at most 180 bytes.
pub fn safe_file_name(told: Option<&str>, mimetype: Option<&str>) -> String {
    let mut name: String = told.unwrap_or_default().chars().map(harmless).collect();
    // Whatever stands before the last separator was a folder.
    if let Some((_, last)) = name.rsplit_once(SEPARATOR) {
        name = last.to_owned();
    }
    let trimmed = name.trim_matches(|c: char| c.is_whitespace() || c == '.');
    let trimmed = if trimmed.chars().all(|c| c == REPLACED) { "" } else { trimmed };
    let (stem, ending) = match trimmed.rsplit_once('.') {
        Some((stem, ending)) if is_ending(ending) && !stem.is_empty() => (stem, Some(ending)),
        _ => (trimmed, None),
    };
    let ending = ending.or_else(|| mimetype.and_then(usual_ending));
    let mut stem = cut(stem, MAX_LEN - ending.map_or(0, |ending| ending.len() + 1));
    stem.truncate(stem.trim_end_matches([' ', '.']).len());
    if stem.is_empty() {
        "file".clone_into(&mut stem);
    }
    if is_reserved(&stem) {
        stem.insert(0, REPLACED);
    }
    match ending {
        Some(ending) => format!("{stem}.{ending}"),
        None => stem,
    }
}

/// Puts a whole file into a folder under a name that is free there: the name itself, or with
/// ` (2)` and so on. Nothing is ever replaced. Gives the name.
///
/// # Errors
/// The file system's.
pub(super) fn put_into(part: &Part, name: &str) -> io::Result<String> {
    for number in 1..=MAX_NUMBER {
        let name = numbered(name, number);
        match part.put_as(&name) {
            Ok(()) => return Ok(name),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn numbered(name: &str, number: u32) -> String {
    match (number, name.rsplit_once('.')) {
        (1, _) => name.to_owned(),
        (_, Some((stem, ending))) if is_ending(ending) => format!("{stem} ({number}).{ending}"),
        _ => format!("{name} ({number})"),
    }
}

/// A character as it may stand in a name.
fn harmless(c: char) -> char {
    match c {
        '/' | '\\' => SEPARATOR,
        '<' | '>' | ':' | '"' | '|' | '?' | '*' => REPLACED,
        c if c.is_control() || is_invisible(c) => REPLACED,
        c => c,
    }
}

/// Marks of direction, joiners and other characters that show nothing and mislead.
const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether what stands behind the last dot says what kind of file it is.
fn is_ending(ending: &str) -> bool {
    (1..=10).contains(&ending.len()) && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Names that Windows keeps for devices, with whatever ending.
fn is_reserved(stem: &str) -> bool {
    let base = stem.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |device: &str| {
        base.strip_prefix(device).is_some_and(|rest| {
            matches!(rest, "\u{b9}" | "\u{b2}" | "\u{b3}")
                || (rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_digit()))
        })
    };
    matches!(base.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || numbered("COM")
        || numbered("LPT")
}

/// The beginning of a text, at most so many bytes.
fn cut(text: &str, max: usize) -> String {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

/// The usual ending for a MIME type.
fn usual_ending(mimetype: &str) -> Option<&'static str> {
    let bare = mimetype.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Some(match bare.as_str() {
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "image/webp" => "webp",
        "image/gif" => "gif",
        "video/mp4" => "mp4",
        "video/3gpp" => "3gp",
        "video/quicktime" => "mov",
        "audio/ogg" => "ogg",
        "audio/mpeg" => "mp3",
        "audio/mp4" => "m4a",
        "audio/aac" => "aac",
        "audio/amr" => "amr",
        "audio/wav" | "audio/x-wav" => "wav",
        "application/pdf" => "pdf",
        "application/zip" => "zip",
        "text/plain" => "txt",
        "text/csv" => "csv",
        "text/vcard" | "text/x-vcard" => "vcf",
        "application/msword" => "doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => "pptx",
        _ => return None,
    })
}

/// What takes the place of characters that a name may not hold.
const REPLACED: char = '_';
/// What separators become, before the last one cuts the name.
const SEPARATOR: char = '\0';
/// The longest name, in bytes: with a number behind it, it still fits every file system.
const MAX_LEN: usize = 180;
/// How many files of one name a folder takes.
const MAX_NUMBER: u32 = 10_000;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::media::Folder;

    fn named(told: &str) -> String {
        safe_file_name(Some(told), None)
    }

    #[test]
    fn a_harmless_name_stays_as_it_is() {
        for name in ["report.pdf", "Å ü 文件.tar.gz", "no ending", ".."] {
            let expected = if name == ".." { "file" } else { name };
            assert_eq!(named(name), expected);
        }
    }

    #[test]
    fn a_name_never_leaves_its_folder() {
        assert_eq!(named("../../etc/passwd"), "passwd");
        assert_eq!(named("..\\..\\boot.ini"), "boot.ini");
        assert_eq!(named("/absolute"), "absolute");
        assert_eq!(named("C:evil.exe"), "C_evil.exe");
        assert_eq!(named("folder/"), "file");
        assert_eq!(named("a/.."), "file");
        assert_eq!(named(".bashrc"), "bashrc");
    }

    #[test]
    fn nothing_hides_in_a_name() {
        assert_eq!(named("nul\0byte.txt"), "nul_byte.txt");
        assert_eq!(named("invoice\u{202e}fdp.exe"), "invoice_fdp.exe");
        assert_eq!(named("a\u{200f}\u{2066}b\n\t.txt"), "a__b__.txt");
        assert_eq!(named("trailing. . "), "trailing");
        assert_eq!(named("\u{202e}\u{202d}"), "file");
    }

    #[test]
    fn names_of_devices_are_none() {
        for (told, safe) in [
            ("CON", "_CON"),
            ("nul.txt", "_nul.txt"),
            ("com1.tar.gz", "_com1.tar.gz"),
            ("LPT9", "_LPT9"),
            ("console.txt", "console.txt"),
            ("com10", "com10"),
        ] {
            assert_eq!(named(told), safe);
        }
    }

    #[test]
    fn the_mime_type_gives_an_ending_where_there_is_none() {
        assert_eq!(safe_file_name(None, Some("image/jpeg")), "file.jpg");
        assert_eq!(safe_file_name(Some("voice"), Some("audio/ogg; codecs=opus")), "voice.ogg");
        assert_eq!(safe_file_name(Some("a.bin"), Some("image/png")), "a.bin");
        assert_eq!(safe_file_name(Some(""), Some("x/y")), "file");
    }

    #[test]
    fn a_folder_takes_files_of_one_name_beside_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str| {
            let part = Folder::open(dir.path()).unwrap().part().unwrap();
            put_into(&part, name).unwrap()
        };
        assert_eq!([put("a.txt"), put("a.txt"), put("a.txt")], ["a.txt", "a (2).txt", "a (3).txt"]);
        assert_eq!([put("b"), put("b")], ["b", "b (2)"]);
    }

    proptest! {
        #[test]
        fn any_text_becomes_one_short_name(told in any::<String>(), mimetype in any::<String>()) {
            let name = safe_file_name(Some(&told), Some(&mimetype));
            prop_assert!(!name.is_empty() && name.len() <= MAX_LEN + 1);
            prop_assert!(name != "." && name != ".." && !name.starts_with('.'));
            prop_assert!(!name.chars().any(|c| "/\\:<>\"|?*".contains(c) || c.is_control()));
            prop_assert!(!name.chars().any(is_invisible));
            prop_assert_eq!(Path::new(&name).components().count(), 1);
        }
    }
}
