//! QR codes as half blocks: two modules above one another in each character.

use qrcode::{Color, EcLevel, QrCode};

/// The light border a scanner needs, in modules.
const QUIET_ZONE: usize = 2;

/// The text is too long for a QR code.
#[derive(Debug, thiserror::Error)]
#[error("the code does not fit into a QR code")]
pub(crate) struct TooLong;

/// Draws a QR code. With escape sequences it is dark on light whatever the terminal's colours are;
/// without, it takes the terminal to write light on dark.
pub(crate) fn half_blocks(text: &str, escapes: bool) -> Result<String, TooLong> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).map_err(|_| TooLong)?;
    let width = code.width();
    let side = width + 2 * QUIET_ZONE;
    let is_dark = |x: usize, y: usize| {
        let inside = |n: usize| n.checked_sub(QUIET_ZONE).filter(|n| *n < width);
        match (inside(x), inside(y)) {
            (Some(x), Some(y)) => code[(x, y)] == Color::Dark,
            _ => false,
        }
    };
    let mut drawing = String::new();
    for y in (0..side).step_by(2) {
        if escapes {
            // Black on bright white, set explicitly: many terminals are dark.
            drawing.push_str("\x1b[30;107m");
        }
        for x in 0..side {
            let is_inked = |y| y < side && is_dark(x, y) == escapes;
            drawing.push(match (is_inked(y), is_inked(y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        drawing.push_str(if escapes { "\x1b[0m\n" } else { "\n" });
    }
    Ok(drawing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_drawn_with_its_quiet_zone() {
        let drawing = half_blocks("https://wa.me/settings/linked_devices#a,b,c,d,1", true).unwrap();
        let lines: Vec<&str> = drawing.lines().collect();
        let width = |line: &str| line.chars().filter(|c| " █▀▄".contains(*c)).count();
        assert!(lines.iter().all(|line| width(line) == width(lines[0])));
        assert_eq!(lines.len(), width(lines[0]).div_ceil(2));
        assert!(!lines[0].contains('█'), "the first row of characters is quiet zone");
    }

    #[test]
    fn a_plain_code_has_no_escape_sequence_and_a_light_border() {
        let drawing = half_blocks("plain", false).unwrap();
        assert!(!drawing.contains('\x1b'));
        assert!(drawing.lines().next().unwrap().chars().all(|c| c == '█'));
    }
}
