//! The safety number: sixty digits two people compare to know that nobody stands between them.
//! Knows nothing of how a user identifier is spelt.

use std::fmt;

use wa_crypto::{PublicKey, sha512};

/// How many times the hash is taken over, to make a search for look-alikes dear.
pub const ITERATIONS: usize = 5_200;

const VERSION: [u8; 2] = [0, 0];

/// The safety number of two users; the same, whoever of the two computes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafetyNumber(String);

impl SafetyNumber {
    /// Computes the number from both identities and the identifiers the two are known by.
    pub fn new(one: (&PublicKey, &[u8]), other: (&PublicKey, &[u8])) -> Self {
        let mut halves = [half(one.0, one.1), half(other.0, other.1)];
        halves.sort();
        Self(halves.concat())
    }

    /// The sixty digits in a row.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

/// Twelve groups of five digits, with spaces between.
impl fmt::Display for SafetyNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, digit) in self.0.chars().enumerate() {
            if i > 0 && i % 5 == 0 {
                f.write_str(" ")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// One user's half. The first of the rounds takes in the version, the key and the user as they
/// are; each later one takes in the hash before it.
fn half(identity: &PublicKey, user: &[u8]) -> String {
    let key = identity.to_wire();
    let mut hash = sha512(&[&VERSION, &key, user, &key]);
    for _ in 1..ITERATIONS {
        hash = sha512(&[&hash, &key]);
    }
    let (groups, _) = hash.as_chunks::<5>();
    groups
        .iter()
        .take(6)
        .map(|&[a, b, c, d, e]| {
            let number = u64::from_be_bytes([0, 0, 0, a, b, c, d, e]) % 100_000;
            format!("{number:05}")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example that is published for the first version of the number: two identities, the
    /// identifiers of their owners, and what both are shown.
    #[test]
    fn the_number_of_the_published_example_is_reached() {
        let key = |hex: &str| PublicKey::from_wire(&hex::decode(hex).unwrap()).unwrap();
        let alice = key("0506863bc66d02b40d27b8d49ca7c09e9239236f9d7d25d6fcca5ce13c7064d868");
        let bob = key("05f781b6fb32fed9ba1cf2de978d4d5da28dc34046ae814402b5c0dbd96fda907b");
        let number = SafetyNumber::new((&alice, b"+14152222222"), (&bob, b"+14153333333"));
        assert_eq!(number.digits(), "300354477692869396892869876765458257569162576843440918079131");
        assert_eq!(
            number.to_string(),
            "30035 44776 92869 39689 28698 76765 45825 75691 62576 84344 09180 79131"
        );
    }

    #[test]
    fn both_sides_see_the_same_sixty_digits() {
        let (one, other) = (PublicKey::from_bytes([1; 32]), PublicKey::from_bytes([2; 32]));
        let seen = SafetyNumber::new((&one, b"1"), (&other, b"2"));
        assert_eq!(seen, SafetyNumber::new((&other, b"2"), (&one, b"1")));
        assert_eq!(seen.digits().len(), 60);
        assert_eq!(seen.to_string().split(' ').count(), 12);
        assert_ne!(seen, SafetyNumber::new((&one, b"1"), (&other, b"3")));
    }
}
