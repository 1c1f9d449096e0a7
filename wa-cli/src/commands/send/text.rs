//! A text that was typed, or stands on standard input.

use std::io::{self, Read};

use wa_client::MAX_TEXT_LEN;

use crate::failure::{Cause, Failure};

/// The text that was typed, or for `-` the one that stands on standard input.
pub(crate) fn read(typed: &str) -> Result<String, Failure> {
    if typed != "-" {
        return check(typed.to_owned());
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_TEXT_LEN + 2).unwrap_or(u64::MAX);
    io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(|error| {
        Failure::new(Cause::Failed, format!("cannot read standard input: {error}"))
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::new(Cause::Usage, "standard input is no text in UTF-8"))?;
    // The line's end belongs to the pipe, not to the message.
    let text = text.strip_suffix('\n').map(str::to_owned).unwrap_or(text);
    check(text)
}

/// Refuses what is longer than what is sent.
pub(crate) fn check_length(text: &str) -> Result<(), Failure> {
    if text.len() > MAX_TEXT_LEN {
        let message = format!("the text is too long: more than {MAX_TEXT_LEN} bytes");
        return Err(Failure::new(Cause::Usage, message).remedy("send it in parts"));
    }
    Ok(())
}

fn check(text: String) -> Result<String, Failure> {
    if text.trim().is_empty() {
        return Err(Failure::new(Cause::Usage, "there is no text to send")
            .remedy("write it after the recipient, or '-' to read it from standard input"));
    }
    check_length(&text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_an_end_and_a_beginning() {
        assert_eq!(check("x".repeat(MAX_TEXT_LEN)).map(|text| text.len()), Ok(MAX_TEXT_LEN));
        let long = check("x".repeat(MAX_TEXT_LEN + 1)).unwrap_err();
        assert!(long.message.contains(&MAX_TEXT_LEN.to_string()));
        assert_eq!([long.exit_code, check(" \n".into()).unwrap_err().exit_code], [2, 2]);
    }
}
