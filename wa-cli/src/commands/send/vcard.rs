//! A contact card as text (RFC 2426, vCard 3.0), with the parameter by which WhatsApp finds the
//! account: `waid`, the number's digits.

use wa_bridge::Recipient;

use crate::failure::{Cause, Failure};

/// Writes a card with a name and a number.
pub(super) fn write(name: &str, number: &str) -> Result<String, Failure> {
    let digits = match number.parse() {
        Ok(Recipient::Phone(digits)) => digits,
        Err(error) => return Err(Failure::new(Cause::Usage, error.to_string())),
        Ok(_) => {
            return Err(Failure::new(Cause::Usage, format!("{number:?} is no phone number"))
                .remedy("write it with its country code"));
        }
    };
    if name.trim().is_empty() {
        return Err(Failure::new(Cause::Usage, "a contact card needs a name"));
    }
    let name = escape(name);
    Ok(format!(
        "BEGIN:VCARD\nVERSION:3.0\nN:;{name};;;\nFN:{name}\n\
         TEL;type=CELL;type=VOICE;waid={digits}:+{digits}\nEND:VCARD"
    ))
}

/// A value may hold anything; what would end it is escaped.
fn escape(value: &str) -> String {
    let mut escaped = String::new();
    for c in value.chars() {
        match c {
            '\\' | ',' | ';' => escaped.extend(['\\', c]),
            '\n' => escaped.push_str("\\n"),
            _ if c.is_control() => {}
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_has_the_number_and_no_name_ends_it_early() {
        let card = write("Ada;\nEND:VCARD\\", "+44 7700 900123").unwrap();
        assert!(card.contains("waid=447700900123:+447700900123"), "{card}");
        assert!(card.contains("FN:Ada\\;\\nEND:VCARD\\\\\n"), "{card}");
        assert_eq!(write("Ada", "Grace").unwrap_err().cause, Cause::Usage);
    }
}
