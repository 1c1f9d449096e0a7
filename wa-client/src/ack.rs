//! The ack, and the nack, that a stanza is answered with.
//!
//! A pure function of the stanza. Knows nothing of when it is due.

use wa_proto::{Node, OwnedNode};
use wa_store::Account;

use crate::stanza_handler::NackCode;

/// Answers a stanza: the same id and class, back to where it came from, with `participant` and
/// `recipient` as they came, and `type` for everything but messages. A message's answer says which
/// device answers.
pub(crate) fn ack(stanza: &OwnedNode, error: Option<NackCode>, account: &Account) -> OwnedNode {
    let is_message = stanza.tag == "message";
    let copied = |name: &str| stanza.attrs.value(name).cloned();
    Node::new("ack")
        .attr("class", stanza.tag.clone().into_owned())
        .attr_opt("id", copied("id"))
        .attr_opt("to", copied("from"))
        .attr_opt("participant", copied("participant"))
        .attr_opt("recipient", copied("recipient"))
        .attr_opt("type", (!is_message).then(|| copied("type")).flatten())
        .attr_opt("from", account.jid.as_ref().filter(|_| is_message))
        .attr_opt("error", error.map(|code| code as u32))
}

#[cfg(test)]
mod tests {
    use wa_crypto::{KeyPair, PrivateKey};
    use wa_proto::Jid;
    use wa_store::{AdvSecret, Timestamp};

    use super::*;

    fn account() -> Account {
        let keys = KeyPair::from_private(PrivateKey::from_bytes([1; 32]));
        let secret = AdvSecret::from_bytes([2; 32]);
        let mut account = Account::new(1, keys.clone(), keys, secret, Timestamp::MIN);
        account.jid = Some(Jid::phone("1555").with_device(3));
        account
    }

    #[test]
    fn an_ack_goes_back_the_way_the_stanza_came() {
        let receipt = Node::new("receipt")
            .attr("id", "R1")
            .attr("type", "read")
            .attr("from", Jid::group("42"))
            .attr("participant", Jid::lid("7"));
        let ack = ack(&receipt, None, &account());
        assert!(ack.attrs.is("class", "receipt") && ack.attrs.is("id", "R1"));
        assert!(ack.attrs.is("type", "read"));
        assert_eq!(ack.attrs.jid("to"), Some(Jid::group("42")));
        assert_eq!(ack.attrs.jid("participant"), Some(Jid::lid("7")));
        assert!(ack.attrs.value("from").is_none() && ack.attrs.value("error").is_none());
    }

    #[test]
    fn a_message_is_refused_without_its_type_and_with_a_code() {
        let message = Node::new("message").attr("id", "M1").attr("type", "text");
        let nack = ack(&message, Some(NackCode::Parse), &account());
        assert!(nack.attrs.value("type").is_none());
        assert!(nack.attrs.is("error", "487"));
        assert_eq!(nack.attrs.jid("from"), Some(Jid::phone("1555").with_device(3)));
    }
}
