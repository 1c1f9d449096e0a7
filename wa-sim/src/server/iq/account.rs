//! What a client asks about its own account: privacy, who is blocked, where media go.

use std::collections::BTreeSet;

use wa_crypto::sha256;
use wa_proto::{Node, OwnedNode};

use super::{BAD_REQUEST, IqError};
use crate::{
    address::{DeviceAddress, PhoneNumber},
    media_host::TOKEN_TTL,
    server::{Server, directory::Addressing},
};

/// The most people an account may block.
const MAX_BLOCKED: usize = 1_000;

impl Server {
    pub(super) fn blocklist(
        &mut self,
        from: DeviceAddress,
        iq: &Node<'_>,
        set: bool,
    ) -> Result<Option<OwnedNode>, IqError> {
        if set {
            let item = iq.find("item").ok_or(BAD_REQUEST)?;
            let who = item.attrs.jid("jid").and_then(|jid| self.account_of(&jid));
            let who = who.ok_or(BAD_REQUEST)?;
            self.change_blocked(from, who, item.attrs.is("action", "block"));
        }
        let items = self.blocked(from.account).into_iter().map(|number| {
            Node::new("item")
                .attr("jid", self.user_jid(number, Addressing::Lid))
                .attr("pn_jid", self.user_jid(number, Addressing::Phone))
        });
        let hash = self.blocked_hash(from.account);
        Ok(Some(
            Node::new("list").attr("addressing_mode", "lid").attr("dhash", hash).children(items),
        ))
    }

    fn blocked(&self, account: PhoneNumber) -> BTreeSet<PhoneNumber> {
        self.accounts.get(&account).map(|account| account.blocked.clone()).unwrap_or_default()
    }

    fn blocked_hash(&self, account: PhoneNumber) -> String {
        let people: Vec<String> = self.blocked(account).iter().map(ToString::to_string).collect();
        hex::encode(sha256(&[people.join(",").as_bytes()]).first_chunk::<6>().unwrap_or(&[0; 6]))
    }

    /// Blocks somebody or no longer, and tells the account's other devices.
    pub(crate) fn change_blocked(&mut self, by: DeviceAddress, who: PhoneNumber, block: bool) {
        let before = self.blocked_hash(by.account);
        let Some(account) = self.accounts.get_mut(&by.account) else { return };
        if block && account.blocked.len() < MAX_BLOCKED {
            account.blocked.insert(who);
        } else {
            account.blocked.remove(&who);
        }
        let item = Node::new("item")
            .attr("jid", self.user_jid(who, Addressing::Lid))
            .attr("action", if block { "block" } else { "unblock" });
        let change = Node::new("blocklist")
            .attr("dhash", self.blocked_hash(by.account))
            .attr("prev_dhash", before)
            .child(item);
        self.tell_account(by.account, Some(by), &change);
    }

    /// The privacy settings, and the tokens that are given to people.
    pub(super) fn privacy(
        &mut self,
        from: DeviceAddress,
        iq: &Node<'_>,
        set: bool,
    ) -> Result<Option<OwnedNode>, IqError> {
        if set {
            if let Some(tokens) = iq.find("tokens") {
                self.give_tokens(from, tokens);
                return Ok(None);
            }
            let Some(settings) = iq.find("privacy") else { return Ok(None) };
            let account = self.accounts.get_mut(&from.account).ok_or(BAD_REQUEST)?;
            for category in settings.find_all("category") {
                let (name, value) = (category.attrs.text("name"), category.attrs.text("value"));
                // Only what there is can be changed.
                let kept = name.and_then(|name| account.privacy.get_mut(&*name));
                if let (Some(kept), Some(value)) = (kept, value) {
                    *kept = value.into_owned();
                }
            }
            let change = Node::new("privacy")
                .children(settings.nodes().iter().map(|node| node.clone().into_owned()));
            self.tell_account(from.account, Some(from), &change);
        }
        let account = self.accounts.get(&from.account).ok_or(BAD_REQUEST)?;
        let categories = account.privacy.iter().map(|(name, value)| {
            Node::new("category").attr("name", name.clone()).attr("value", value.clone())
        });
        Ok(Some(Node::new("privacy").children(categories)))
    }

    /// `<media_conn>`: the media hosts and what to show there.
    pub(super) fn media_connection(&mut self, from: DeviceAddress) -> OwnedNode {
        let auth = format!("sim-{}-{}", from.device, self.stanza_id());
        self.media.grant(auth.clone());
        let mut hosts = self.media.hosts().into_iter();
        let first = hosts.next().map(|host| Node::new("host").attr("hostname", host));
        let others =
            hosts.map(|host| Node::new("host").attr("hostname", host).attr("type", "fallback"));
        Node::new("media_conn")
            .attr("auth", auth)
            .attr("ttl", "3600")
            .attr("auth_ttl", TOKEN_TTL)
            .attr("max_buckets", "12")
            .children(first.into_iter().chain(others))
    }
}
