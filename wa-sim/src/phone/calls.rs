//! Calls of a phone: it rings at others, and sees what they do about it. Nobody talks.

use rand_core::Rng as _;
use wa_proto::{
    Jid, Node, OwnedNode, Stanza,
    stanza::{Call, CallEvent},
};

use super::{Phone, endpoint::Endpoint};
use crate::server::{Server, directory::Addressing};

/// How many words about calls a phone remembers.
pub(crate) const MAX_CALLS: usize = 100;

/// A word about a call, as a phone got it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PhoneCall {
    /// The call's id.
    pub id: String,
    /// Who said it, by phone number.
    pub by: Jid,
    /// What: `offer`, `reject`, `accept`, `terminate` and so on.
    pub word: &'static str,
}

impl Phone {
    /// Calls a person or a group; answers the call's id.
    pub fn call(&self, to: &Jid, video: bool) -> String {
        let call = |phone: &mut Endpoint, server: &mut Server| {
            let mut bytes = [0; 16];
            server.rng.fill_bytes(&mut bytes);
            let id = hex::encode_upper(bytes);
            let word = if to.is_group() {
                phone
                    .call_word(server, "offer_notice", &id)
                    .attr("media", if video { "video" } else { "audio" })
                    .attr("type", "group")
                    .attr("group-jid", to.clone())
            } else {
                let picture = video.then(|| Node::new("video"));
                phone.call_word(server, "offer", &id).children(picture)
            };
            phone.say_call(server, to, word);
            id
        };
        self.act(call).unwrap_or_default()
    }

    /// Ends a call of its own, as somebody who hangs up, or after some time (`timeout`).
    pub fn end_call(&self, to: &Jid, id: &str, reason: Option<&'static str>) {
        self.act(|phone, server| {
            let word = phone.call_word(server, "terminate", id).attr_opt("reason", reason);
            phone.say_call(server, to, word);
        });
    }

    /// Takes somebody's call.
    pub fn accept_call(&self, caller: &Jid, id: &str) {
        self.act(|phone, server| {
            let word = phone.call_word(server, "accept", id);
            phone.say_call(server, caller, word);
        });
    }

    /// What others said about calls, in order.
    pub fn calls(&self) -> Vec<PhoneCall> {
        self.act(|phone, _| phone.calls.iter().cloned().collect()).unwrap_or_default()
    }
}

impl Endpoint {
    fn call_word(&self, server: &Server, tag: &'static str, id: &str) -> OwnedNode {
        Node::new(tag)
            .attr("call-id", id.to_owned())
            .attr("call-creator", server.device_jid(self.address, Addressing::Lid))
            .attr("caller_pn", server.user_jid(self.address.account, Addressing::Phone))
    }

    fn say_call(&self, server: &mut Server, to: &Jid, word: OwnedNode) {
        let id = format!("call-{}", server.rng.next_u32());
        let call = Node::new("call").attr("id", id).attr("to", to.clone()).child(word);
        server.receive_from_device(self.address, &call);
    }

    /// A `<call>` for this phone.
    pub(crate) fn note_call(&mut self, server: &Server, node: &Node<'_>) {
        let Stanza::Call(call) = Stanza::parse(node.clone().into_owned()) else { return };
        let Call { envelope, call_id, event, .. } = *call;
        let word = match event {
            CallEvent::Offer { .. } => "offer",
            CallEvent::PreAccept => "preaccept",
            CallEvent::Accept => "accept",
            CallEvent::Reject => "reject",
            CallEvent::Terminate { .. } => "terminate",
            _ => "other",
        };
        let by = server.account_of(&envelope.from);
        let by = by.map_or(envelope.from, |by| server.user_jid(by, Addressing::Phone));
        if self.calls.len() == MAX_CALLS {
            self.calls.pop_front();
        }
        self.calls.push_back(PhoneCall { id: call_id.into(), by, word });
    }
}
