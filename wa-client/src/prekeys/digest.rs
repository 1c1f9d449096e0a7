//! Whether the server's view of this device's keys is the store's.
//!
//! A pure function. The digest's hash is not computed: everything it covers is compared by itself.

use wa_proto::request::PreKeyDigestAnswer;
use wa_store::Account;

/// What is to be done about the server's view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DigestVerdict {
    /// Nothing: it is right.
    Matches,
    /// Only the signed prekey is another: an earlier rotation got lost.
    Rotate,
    /// The keys are those of another time: upload all anew.
    Upload,
}

/// Compares. `unknown` is how many of the listed prekeys the store does not hold. A few may have
/// been used by messages that are on their way; most of them means another stock.
pub(super) fn compare(
    answer: &PreKeyDigestAnswer,
    account: &Account,
    signed_prekey_id: u32,
    unknown: usize,
) -> DigestVerdict {
    let identity = account.identity.public;
    let listed = answer.prekey_ids.len();
    if answer.registration_id != account.registration_id
        || answer.identity.is_some_and(|theirs| theirs != *identity.as_bytes())
        || unknown > 0 && unknown * 2 >= listed
    {
        return DigestVerdict::Upload;
    }
    match answer.signed_prekey_id {
        Some(id) if id != signed_prekey_id => DigestVerdict::Rotate,
        _ => DigestVerdict::Matches,
    }
}

#[cfg(test)]
mod tests {
    use wa_crypto::{KeyPair, PrivateKey};
    use wa_proto::{Node, Request, request::PreKeyDigest};
    use wa_store::{AdvSecret, Timestamp};

    use super::*;

    fn account() -> Account {
        let keys = KeyPair::from_private(PrivateKey::from_bytes([1; 32]));
        Account::new(7, keys.clone(), keys, AdvSecret::from_bytes([0; 32]), Timestamp::MIN)
    }

    fn answer(registration: u32, signed: u8, prekeys: &[u8]) -> PreKeyDigestAnswer {
        let ids = prekeys.iter().map(|id| Node::new("id").bytes(vec![0, 0, *id]));
        let digest = Node::new("digest")
            .child(Node::new("registration").bytes(registration.to_be_bytes().to_vec()))
            .child(Node::new("skey").child(Node::new("id").bytes(vec![0, 0, signed])))
            .child(Node::new("list").children(ids));
        PreKeyDigest.parse(&Node::new("iq").child(digest)).unwrap()
    }

    #[test]
    fn the_same_keys_need_nothing() {
        assert_eq!(compare(&answer(7, 2, &[1, 2]), &account(), 2, 0), DigestVerdict::Matches);
        assert_eq!(compare(&answer(7, 2, &[]), &account(), 2, 0), DigestVerdict::Matches);
    }

    #[test]
    fn a_rotation_that_got_lost_is_done_again() {
        assert_eq!(compare(&answer(7, 1, &[1, 2]), &account(), 2, 0), DigestVerdict::Rotate);
    }

    #[test]
    fn a_stock_of_another_time_is_replaced() {
        assert_eq!(compare(&answer(8, 2, &[1, 2]), &account(), 2, 0), DigestVerdict::Upload);
        assert_eq!(compare(&answer(7, 2, &[1, 2]), &account(), 2, 2), DigestVerdict::Upload);
        let mut other = answer(7, 2, &[1, 2]);
        other.identity = Some([9; 32]);
        assert_eq!(compare(&other, &account(), 2, 0), DigestVerdict::Upload);
    }

    #[test]
    fn a_prekey_that_is_being_used_is_no_reason() {
        assert_eq!(compare(&answer(7, 2, &[1, 2, 3]), &account(), 2, 1), DigestVerdict::Matches);
    }
}
