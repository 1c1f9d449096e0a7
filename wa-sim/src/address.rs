//! Who an account is: its phone number, and which of its devices is meant. Knows nothing of the
//! JID forms in which clients write either (see `server::directory`).

use std::{fmt, str::FromStr};

/// The number of a phone: 5 to 15 digits, the country code first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(u64);

impl PhoneNumber {
    /// The digits as one number, which is how a login names the account.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// Takes the number of a login.
    pub(crate) const fn from_login(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(..)")
    }
}

/// A text is not a phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a phone number: 5 to 15 digits, the country code first")]
pub struct InvalidPhoneNumber;

impl FromStr for PhoneNumber {
    type Err = InvalidPhoneNumber;

    fn from_str(text: &str) -> Result<Self, InvalidPhoneNumber> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let plausible = (5..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !plausible {
            return Err(InvalidPhoneNumber);
        }
        digits.parse().map(Self).map_err(|_| InvalidPhoneNumber)
    }
}

/// One device of one account; device 0 is the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DeviceAddress {
    pub(crate) account: PhoneNumber,
    pub(crate) device: u16,
}

impl DeviceAddress {
    pub(crate) const fn new(account: PhoneNumber, device: u16) -> Self {
        Self { account, device }
    }

    pub(crate) const fn phone(account: PhoneNumber) -> Self {
        Self { account, device: PHONE }
    }

    pub(crate) const fn is_phone(self) -> bool {
        self.device == PHONE
    }
}

/// The device id of every account's phone.
pub(crate) const PHONE: u16 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_may_begin_with_a_plus_sign_and_holds_digits_only() {
        assert_eq!("+15550001".parse::<PhoneNumber>().unwrap().as_u64(), 15_550_001);
        for text in ["", "1234", "0123456", "1555x001", "1234567890123456", "++15550001"] {
            assert_eq!(text.parse::<PhoneNumber>(), Err(InvalidPhoneNumber), "{text}");
        }
    }

    #[test]
    fn debug_shows_no_number() {
        let number: PhoneNumber = "15550001".parse().unwrap();
        assert!(!format!("{number:?}").contains("15550001"));
    }
}
