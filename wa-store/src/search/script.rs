//! Facts about characters: which are words of their own, which are accents, which are invisible.
//!
//! Knows nothing of texts.

/// Whether a character is taken as a word of its own: scripts that are written without spaces, and
/// emoji.
pub(super) const fn stands_alone(c: char) -> bool {
    match c as u32 {
        // Thai and Lao, Myanmar, Khmer; without their punctuation.
        0x0E01..=0x0E3A | 0x0E40..=0x0E4E | 0x0E50..=0x0E59 | 0x0E80..=0x0EFF => true,
        0x1000..=0x1049 | 0x1050..=0x109F => true,
        0x1780..=0x17D3 | 0x17DC..=0x17E9 => true,
        // Hangul letters and syllables, Hiragana, Katakana, Bopomofo, Yi.
        0x1100..=0x11FF | 0x3131..=0x318E | 0xAC00..=0xD7A3 => true,
        0x3041..=0x3096 | 0x309D..=0x309F | 0x30A1..=0x30FA | 0x30FC..=0x312F => true,
        0x31A0..=0x31BF | 0x31F0..=0x31FF | 0xA000..=0xA48C => true,
        // Han.
        0x3005..=0x3007 | 0x3400..=0x4DBF | 0x4E00..=0x9FFF => true,
        0xF900..=0xFAFF | 0x20000..=0x3FFFD => true,
        _ => is_emoji(c),
    }
}

/// Whether a character is a picture; skin tones are not, they only tint the one before.
const fn is_emoji(c: char) -> bool {
    matches!(c as u32, 0x2600..=0x27BF | 0x2B50 | 0x2B55 | 0x1F000..=0x1F3FA | 0x1F400..=0x1FAFF)
}

/// Whether a character may be taken apart into letter and accent. Those that stand alone may not:
/// taken apart, a Hangul syllable is three letters and が is another kana.
pub(super) const fn decomposes(c: char) -> bool {
    !stands_alone(c) || matches!(c as u32, 0xF900..=0xFAFF | 0x2F800..=0x2FA1F)
}

/// Whether a character completes the one before it: voicing marks of kana, the later letters of a
/// Hangul syllable.
pub(super) const fn completes(c: char) -> bool {
    matches!(c as u32, 0x3099 | 0x309A | 0x1160..=0x11FF)
}

/// Whether a character is nothing to a search: accents and vowel points, which may be left out in
/// writing, and what cannot be seen.
pub(super) const fn is_ignored(c: char) -> bool {
    match c as u32 {
        0x0300..=0x036F | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF => true,
        0xFE20..=0xFE2F => true,
        // Hebrew and Arabic points; the Arabic stretch sign.
        0x0591..=0x05BD | 0x05BF | 0x05C1 | 0x05C2 | 0x05C4 | 0x05C5 | 0x05C7 => true,
        0x0610..=0x061A | 0x0640 | 0x064B..=0x065F | 0x0670 | 0x06D6..=0x06DC => true,
        0x06DF..=0x06E4 | 0x06E7 | 0x06E8 | 0x06EA..=0x06ED => true,
        // Soft hyphen, joiners, direction marks, variation selectors, skin tones.
        0x00AD | 0x200C..=0x200F | 0x202A..=0x202E | 0x2060..=0x2069 | 0xFEFF => true,
        0xFE00..=0xFE0F | 0x1F3FB..=0x1F3FF | 0xE0100..=0xE01EF => true,
        _ => false,
    }
}

/// The plain letters for those that Unicode does not take apart.
pub(super) const fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ŧ' => "t",
        'ς' => "σ",
        'þ' => "th",
        _ => return None,
    })
}
