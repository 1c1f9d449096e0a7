//! The ids this client gives its messages.
//!
//! Owns their form. Knows nothing of what is sent under them.

use rand_core::CryptoRng;
use wa_crypto::sha256;
use wa_proto::Jid;

/// Makes an id as WhatsApp Web does: `3EB0` and nine bytes of SHA-256 over the time, the own user
/// and 16 random bytes, in upper-case hex. Draws 16 bytes.
pub(crate) fn message_id(unix: u64, own: &Jid, rng: &mut impl CryptoRng) -> String {
    let mut random = [0; 16];
    rng.fill_bytes(&mut random);
    message_id_from(unix, &own.user, &random)
}

/// The id of these ingredients.
pub(crate) fn message_id_from(unix: u64, user: &str, random: &[u8; 16]) -> String {
    let hash = sha256(&[&unix.to_be_bytes(), user.as_bytes(), b"@c.us", random]);
    let mut id = String::from("3EB0");
    id.extend(hash.iter().take(9).map(|byte| format!("{byte:02X}")));
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_messages_of_one_second_have_different_ids() {
        let mut rng: rand_chacha::ChaCha8Rng = rand_core::SeedableRng::seed_from_u64(1);
        let own = Jid::phone("15550100");
        let one = message_id(1_700_000_000, &own, &mut rng);
        assert_ne!(one, message_id(1_700_000_000, &own, &mut rng));
        assert_eq!(one.len(), 22);
    }
}
