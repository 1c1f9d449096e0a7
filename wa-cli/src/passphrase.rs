//! Asking for a passphrase at the terminal, without showing it.
//!
//! Knows nothing of what it opens.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use zeroize::Zeroizing;

use crate::failure::{Cause, Failure};

/// The longest passphrase that is typed, in bytes.
const MAX_LEN: usize = 1024;

/// Asks for the passphrase of a sealed key; nothing where there is no terminal.
pub(crate) fn ask(sealed: &Path) -> io::Result<Option<Zeroizing<String>>> {
    let Ok(terminal) = terminal() else { return Ok(None) };
    hidden(&terminal, &format!("Passphrase for {}: ", sealed.display())).map(Some)
}

/// Asks for a new one, twice.
pub(crate) fn choose() -> Result<Zeroizing<String>, Failure> {
    let nobody = |error: io::Error| {
        Failure::new(Cause::Usage, format!("no passphrase was typed: {error}"))
            .remedy("run it at a terminal, or name a file with --new-passphrase-file")
    };
    let terminal = terminal().map_err(nobody)?;
    let first = hidden(&terminal, "New passphrase: ").map_err(nobody)?;
    let second = hidden(&terminal, "The same again: ").map_err(nobody)?;
    if *first != *second {
        return Err(Failure::new(Cause::Usage, "the two are not the same; nothing was changed")
            .remedy("try again"));
    }
    Ok(first)
}

#[cfg(unix)]
fn terminal() -> io::Result<File> {
    File::options().read(true).write(true).open("/dev/tty")
}

#[cfg(not(unix))]
fn terminal() -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Prints a question, and reads a line that nobody sees.
#[cfg(unix)]
fn hidden(mut terminal: &File, question: &str) -> io::Result<Zeroizing<String>> {
    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    /// Puts the terminal back as it was, however the reading ends.
    struct Restored<'a>(&'a File, Termios);

    impl Drop for Restored<'_> {
        fn drop(&mut self) {
            // Nobody is left to tell if the terminal is gone.
            let _ = tcsetattr(self.0, OptionalActions::Flush, &self.1);
        }
    }

    write!(terminal, "{question}")?;
    let before = tcgetattr(terminal)?;
    let mut silent = before.clone();
    // Signals too are read as characters: a process that is ended by one would leave the terminal
    // silent.
    silent.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
    let restored = Restored(terminal, before);
    tcsetattr(terminal, OptionalActions::Flush, &silent)?;
    let line = read_line(terminal);
    drop(restored);
    writeln!(terminal)?;
    line
}

#[cfg(not(unix))]
fn hidden(_terminal: &File, _question: &str) -> io::Result<Zeroizing<String>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Reads up to the end of a line, byte by byte, with the few keys that people use while they type
/// what they do not see.
fn read_line(mut from: impl io::Read) -> io::Result<Zeroizing<String>> {
    const INTERRUPT: u8 = 3;
    const END: u8 = 4;
    const BACKSPACE: [u8; 2] = [8, 127];
    const KILL_LINE: u8 = 21;
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_LEN));
    loop {
        let mut byte = [0];
        if from.read(&mut byte)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match byte[0] {
            b'\n' | b'\r' => break,
            INTERRUPT => return Err(io::Error::other("interrupted")),
            END if bytes.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
            KILL_LINE => bytes.clear(),
            key if BACKSPACE.contains(&key) => {
                // The whole of a character that has several bytes.
                while bytes.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            _ if bytes.len() == MAX_LEN => return Err(io::Error::other("it is too long")),
            key => bytes.push(key),
        }
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| io::Error::other("it is no UTF-8"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_what_was_typed_without_what_was_taken_back() {
        let typed = |bytes: &[u8]| read_line(bytes).map(|line| line.to_string());
        assert_eq!(typed(b"correct horse\nmore").unwrap(), "correct horse");
        assert_eq!(typed(b"horss\x7fe\r").unwrap(), "horse");
        assert_eq!(typed("h\u{e9}\x7fo\x08\n".as_bytes()).unwrap(), "h");
        assert_eq!(typed(b"wrong\x15right\n").unwrap(), "right");
        assert_eq!(typed(b"\x7f\x7fa\n").unwrap(), "a");
        for bytes in [&b"no end"[..], b"\x04", b"half\x03", b"\xff\n"] {
            assert!(typed(bytes).is_err(), "{bytes:?}");
        }
        assert!(typed(&[b'x'; 1_025]).is_err());
    }
}
