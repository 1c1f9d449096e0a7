//! Tokens that people give those they let reach them, and what is asked of those without one. Knows
//! nothing of messages.

use rand_core::Rng as _;
use wa_crypto::hmac_sha256;
use wa_proto::{Jid, Node};

use super::{Server, directory::Addressing};
use crate::address::{DeviceAddress, PhoneNumber};

/// A token is good in the week it is given in and the three after, in seconds.
const WEEK: u64 = 7 * 24 * 60 * 60;
const WEEKS: u64 = 4;
/// The most tokens one query may give.
const MAX_TOKENS: usize = 100;

/// A token as the server made it.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    bytes: Vec<u8>,
    given: u64,
}

impl Server {
    /// `<tokens>` of an account: each person named is told their token.
    pub(super) fn give_tokens(&mut self, from: DeviceAddress, tokens: &Node<'_>) {
        for token in tokens.find_all("token").take(MAX_TOKENS) {
            let Some(to) = token.attrs.jid("jid").and_then(|jid| self.account_of(&jid)) else {
                continue;
            };
            let given = token.attrs.number("t").unwrap_or(self.now);
            let mut bytes = vec![0; 16];
            self.rng.fill_bytes(&mut bytes);
            self.tokens.insert((from.account, to), Token { bytes: bytes.clone(), given });
            self.tell_token(from.account, to, bytes, given);
        }
    }

    fn tell_token(&mut self, giver: PhoneNumber, to: PhoneNumber, bytes: Vec<u8>, given: u64) {
        let token = Node::new("token")
            .attr("jid", self.user_jid(to, Addressing::Lid))
            .attr("t", given)
            .attr("type", "trusted_contact")
            .bytes(bytes);
        for address in self.devices_of(to) {
            let id = self.stanza_id();
            let notification = Node::new("notification")
                .attr("from", self.user_jid(giver, Addressing::Phone))
                .attr("sender_lid", self.user_jid(giver, Addressing::Lid))
                .attr("type", "privacy_token")
                .attr("id", id)
                .attr("t", self.now)
                .child(Node::new("tokens").child(token.clone()));
            self.deliver(address, notification);
        }
    }

    /// Whether an account may reach another with this stanza: the other has written to it, or the
    /// stanza carries the token that the other gave, or what stands in for it.
    pub(super) fn is_permitted(
        &self,
        from: PhoneNumber,
        to: PhoneNumber,
        stanza: &Node<'_>,
    ) -> bool {
        let carried = |tag| stanza.find(tag).and_then(|node| node.content_bytes());
        let given = self.tokens.get(&(to, from));
        let is_good = given.is_some_and(|token| {
            carried("tctoken") == Some(&token.bytes) && self.now / WEEK < token.given / WEEK + WEEKS
        });
        is_good || carried("cstoken").is_some_and(|told| self.is_stand_in(from, to, told))
    }

    fn is_stand_in(&self, from: PhoneNumber, to: PhoneNumber, told: &[u8]) -> bool {
        let salt = self.accounts.get(&from).and_then(|account| account.nct_salt.as_ref());
        let lid: Jid = self.user_jid(to, Addressing::Lid);
        salt.is_some_and(|salt| hmac_sha256(salt, &[lid.to_string().as_bytes()]) == told)
    }
}
