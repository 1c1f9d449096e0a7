//! A text that was typed, or stands on standard input.

use std::io::{self, Read};

use wa_client::MAX_TEXT_LEN;

use crate::failure::{Cause, Failure};

/// The text that was typed, or for `-` the one that stands on standard input.
pub(crate) fn read(typed: &str) -> Result<String, Failure> {
    if typed != "-" {
        return Ok(typed.to_owned());
    }
    let mut bytes = Vec::new();
    // One byte more than can be sent is enough to be refused.
    let limit = u64::try_from(MAX_TEXT_LEN + 2).unwrap_or(u64::MAX);
    io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(|error| {
        Failure::new(Cause::Failed, format!("cannot read standard input: {error}"))
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::new(Cause::Usage, "standard input is no text in UTF-8"))?;
    // The line's end belongs to the pipe, not to the message.
    Ok(text.strip_suffix('\n').map(str::to_owned).unwrap_or(text))
}
