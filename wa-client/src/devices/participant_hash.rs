//! The hash over a set of devices by which server and client notice that they disagree about it.
//!
//! Knows nothing of where the set comes from.

use base64::{Engine, prelude::BASE64_STANDARD};
use wa_crypto::sha256;
use wa_proto::Jid;

/// `2:` and the base64 of the first six bytes of SHA-256 over the sorted `user.agent:device@server`
/// forms, one after the other.
pub(crate) fn participant_hash<'a>(devices: impl IntoIterator<Item = &'a Jid>) -> String {
    let mut names: Vec<String> = devices.into_iter().map(full_name).collect();
    names.sort_unstable();
    let [a, b, c, d, e, f, ..] = sha256(&[names.concat().as_bytes()]);
    format!("2:{}", BASE64_STANDARD.encode([a, b, c, d, e, f]))
}

/// A JID with every part written out, also those that are 0.
fn full_name(jid: &Jid) -> String {
    format!("{}.{}:{}@{}", jid.user, jid.agent, jid.device, jid.server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_devices_does_not_matter() {
        let (one, two) = (Jid::lid("1").with_device(3), Jid::lid("2"));
        assert_eq!(participant_hash([&one, &two]), participant_hash([&two, &one]));
        assert_ne!(participant_hash([&one, &two]), participant_hash([&one]));
    }
}
