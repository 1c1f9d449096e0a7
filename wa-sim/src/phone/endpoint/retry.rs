//! Retries both ways: asking the sender of what could not be read, and sending again what another
//! device could not. Knows nothing of why it could not.

use wa_crypto::{KEY_TYPE_CURVE25519, PublicKey};
use wa_proto::{Jid, Node, OwnedNode};
use wa_signal::{PreKeyBundle, RegistrationId};

use super::{
    Chat, Endpoint,
    receive::Envelope,
    send::{device_sent, labelled, mode_of},
    stored::{STATUS, shared_jid},
};
use crate::{
    address::DeviceAddress,
    server::{
        Server,
        directory::Addressing,
        prekey_shelf::{
            fixed, one_time_prekey, one_time_prekey_node, signed_prekey, signed_prekey_node,
        },
    },
};

/// How often a phone asks for one message.
const MAX_ASKED: u32 = 5;

/// How often a phone sends one message again to one device.
const MAX_RESENT: u32 = 10;

/// From this count on a retry receipt brings keys for a new session.
const KEYS_FROM_COUNT: u32 = 2;

/// The most messages whose retries are counted.
const MAX_COUNTED: usize = 10_000;

impl Endpoint {
    /// Asks the sender to send again: `<receipt type=retry>`.
    pub(super) fn ask_again(
        &mut self,
        server: &mut Server,
        node: &Node<'_>,
        envelope: &Envelope,
        reason: u32,
    ) {
        if self.asked.len() >= MAX_COUNTED {
            self.asked.clear();
        }
        let count = self.asked.entry((envelope.author, envelope.id.clone())).or_default();
        *count += 1;
        let count = *count;
        if count > MAX_ASKED {
            return;
        }
        let retry = Node::new("retry")
            .attr("v", "1")
            .attr("count", count)
            .attr("id", envelope.id.clone())
            .attr("t", node.attrs.text("t").unwrap_or_default().into_owned())
            .attr("error", reason);
        let registration = self.registration_id.as_u32().to_be_bytes().to_vec();
        let session = self.sessions.get(&envelope.author);
        let has_session = session.is_some_and(wa_signal::SessionRecord::has_session);
        let keys = (count >= KEYS_FROM_COUNT || !has_session).then(|| self.keys_node(server));
        let receipt = Node::new("receipt")
            .attr("id", envelope.id.clone())
            .attr("type", "retry")
            .attr_opt("to", node.attrs.jid("from"))
            .attr_opt("participant", node.attrs.jid("participant"))
            .attr_opt("recipient", node.attrs.jid("recipient"))
            .child(retry)
            .child(Node::new("registration").bytes(registration))
            .children(keys);
        server.receive_from_device(self.address, &receipt);
    }

    fn keys_node(&mut self, server: &mut Server) -> OwnedNode {
        let prekey = self.fresh_prekey(server);
        Node::new("keys")
            .child(Node::new("type").bytes(vec![KEY_TYPE_CURVE25519]))
            .child(Node::new("identity").bytes(self.identity.public.as_bytes().to_vec()))
            .child(one_time_prekey_node(&prekey.public()))
            .child(signed_prekey_node(&self.signed_prekey.public()))
    }

    /// Sends a message again to the one device that asks for it.
    pub(super) fn answer_retry(&mut self, server: &mut Server, node: &Node<'_>) {
        let Some(from) = node.attrs.jid("from") else { return };
        let asking = if from.is_group() { node.attrs.jid("participant") } else { Some(from) };
        let Some(to) = asking.and_then(|jid| server.address_of(&jid)) else { return };
        let (Some(id), Some(retry)) = (node.attrs.text("id"), node.find("retry")) else { return };
        let count = retry.attrs.number("count").unwrap_or(1);
        if let Some(message) = self.unconfirmed_chunk(to, &id) {
            if self.may_resend(to, &id) {
                self.renew_session(server, to, node, count);
                self.send_to_companion(server, to, id.into_owned(), &message);
            }
            return;
        }
        let Some(kept) = self.own_message(&id).cloned() else { return };
        if !self.may_resend(to, &id) {
            return;
        }
        self.renew_session(server, to, node, count);
        let mut message = kept.message.clone();
        let chat = match &kept.chat {
            Chat::Person(account) => server.user_jid(*account, Addressing::Lid),
            Chat::Group(group) => {
                // Whoever has left gets no key.
                let members = server.group_members_for(to.account, group);
                if members.is_err() {
                    return;
                }
                self.tell_again(server, group, &mut message)
            }
            Chat::Status => {
                // Nor does whoever it was not posted to.
                if !self.told.get(STATUS).is_some_and(|told| told.contains(&to)) {
                    return;
                }
                self.tell_again(server, STATUS, &mut message)
            }
        };
        let own = to.account == self.address.account;
        let message = if own { device_sent(&chat, &message) } else { message };
        let Some(enc) = self.encrypt_for(server, to, &message) else { return };
        let stanza = Node::new("message").attr("id", kept.id.clone()).attr("t", kept.timestamp);
        let stanza = labelled(stanza, &kept.message);
        let stanza = match &kept.chat {
            Chat::Group(group) => {
                let addressing = server.group_addressing(group);
                stanza
                    .attr("to", chat)
                    .attr("participant", server.device_jid(to, addressing))
                    .attr("addressing_mode", mode_of(addressing))
            }
            Chat::Status => {
                stanza.attr("to", chat).attr("participant", server.device_jid(to, Addressing::Lid))
            }
            Chat::Person(_) => stanza
                .attr("to", server.device_jid(to, Addressing::Lid))
                .attr("device_fanout", "false")
                .attr_opt("recipient", own.then_some(chat)),
        };
        server.receive_from_device(self.address, &stanza.child(enc.attr("count", count)));
    }

    /// Puts the own sender key into a message that goes out again, and gives the chat's address.
    fn tell_again(
        &mut self,
        server: &mut Server,
        scope: &str,
        message: &mut wa_proto::pb::Message,
    ) -> Jid {
        let told = self.own_distribution(server, scope);
        message.sender_key_distribution_message =
            told.and_then(|told| told.sender_key_distribution_message);
        shared_jid(scope)
    }

    fn may_resend(&mut self, to: DeviceAddress, id: &str) -> bool {
        if self.resent.len() >= MAX_COUNTED {
            self.resent.clear();
        }
        let resent = self.resent.entry((to, id.to_owned())).or_default();
        *resent += 1;
        *resent <= MAX_RESENT
    }

    /// Starts anew with the keys in the receipt, or with those on the shelf if the session is of
    /// another registration or has failed twice.
    fn renew_session(
        &mut self,
        server: &mut Server,
        with: DeviceAddress,
        receipt: &Node<'_>,
        count: u32,
    ) {
        let registration = fixed::<4>(receipt.find("registration")).map(u32::from_be_bytes);
        if let Some(bundle) = bundle_in(receipt, registration) {
            // Only the keys of the device that was linked are believed.
            let known = server.device(with).map(|device| device.shelf.identity());
            if known == Some(bundle.identity) {
                self.start_session(server, with, &bundle);
                return;
            }
        }
        let Some(record) = self.sessions.get(&with) else { return };
        let same = record.remote_registration_id().map(RegistrationId::as_u32) == registration;
        if count >= KEYS_FROM_COUNT || !same {
            let archived = record.archive_current();
            self.sessions.insert(with, archived);
        }
    }
}

/// The bundle a retry receipt may bring.
fn bundle_in(receipt: &Node<'_>, registration: Option<u32>) -> Option<PreKeyBundle> {
    let keys = receipt.find("keys")?;
    Some(PreKeyBundle {
        registration_id: RegistrationId::new(registration?),
        identity: PublicKey::from_bytes(fixed(keys.find("identity"))?),
        signed_prekey: signed_prekey(keys.find("skey")?)?,
        prekey: keys.find("key").and_then(one_time_prekey),
    })
}
