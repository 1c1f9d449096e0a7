//! What a device has been sent and has not confirmed: kept, in order, until its receipt or ack
//! comes, and given again after each reconnect. Knows nothing of connections.

use std::collections::VecDeque;

use wa_proto::{Jid, Node, OwnedNode};

/// The most stanzas kept for one device; beyond them the oldest is given up.
pub(crate) const MAX_QUEUED: usize = 20_000;

/// Which ack or receipt confirms a stanza.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum StanzaClass {
    Message,
    Receipt,
    Notification,
    Call,
}

impl StanzaClass {
    pub(crate) fn of(tag: &str) -> Option<Self> {
        Some(match tag {
            "message" => Self::Message,
            "receipt" => Self::Receipt,
            "notification" => Self::Notification,
            "call" => Self::Call,
            _ => return None,
        })
    }
}

#[derive(Debug)]
struct Queued {
    class: StanzaClass,
    id: String,
    from: Option<Jid>,
    node: OwnedNode,
}

#[derive(Debug, Default)]
pub(crate) struct OfflineQueue {
    entries: VecDeque<Queued>,
    /// How many, from the front, the present connection has been given.
    given: usize,
}

/// How many of each class wait, for `offline_preview`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Preview {
    pub(crate) messages: usize,
    pub(crate) receipts: usize,
    pub(crate) notifications: usize,
    pub(crate) calls: usize,
}

impl Preview {
    pub(crate) const fn total(self) -> usize {
        self.messages + self.receipts + self.notifications + self.calls
    }
}

impl OfflineQueue {
    /// Keeps a stanza; answers whether the oldest had to be given up for it.
    pub(crate) fn push(&mut self, class: StanzaClass, node: OwnedNode) -> bool {
        let id = node.attrs.text("id").unwrap_or_default().into_owned();
        let from = node.attrs.jid("from");
        let full = self.entries.len() >= MAX_QUEUED;
        if full {
            self.entries.pop_front();
            self.given = self.given.saturating_sub(1);
        }
        self.entries.push_back(Queued { class, id, from, node });
        full
    }

    /// Takes out the first stanza of this class and id whose sender is the one confirmed.
    pub(crate) fn confirm(
        &mut self,
        class: StanzaClass,
        id: &str,
        from_matches: impl Fn(Option<&Jid>) -> bool,
    ) -> bool {
        let place = self.entries.iter().position(|queued| {
            queued.class == class && queued.id == id && from_matches(queued.from.as_ref())
        });
        let Some(place) = place else { return false };
        if place < self.given {
            self.given -= 1;
        }
        self.entries.remove(place).is_some()
    }

    /// A new connection has been given nothing yet.
    pub(crate) fn begin_connection(&mut self) {
        self.given = 0;
    }

    /// The next stanzas to give, at most `limit`.
    pub(crate) fn release(&mut self, limit: usize) -> Vec<OwnedNode> {
        let released: Vec<_> = self
            .entries
            .iter()
            .skip(self.given)
            .take(limit)
            .map(|queued| queued.node.clone())
            .collect();
        self.given += released.len();
        released
    }

    /// How many the present connection has been given and not confirmed.
    pub(crate) const fn in_flight(&self) -> usize {
        self.given
    }

    pub(crate) fn has_unsent(&self) -> bool {
        self.given < self.entries.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn preview(&self) -> Preview {
        let count = |class| self.entries.iter().filter(|queued| queued.class == class).count();
        Preview {
            messages: count(StanzaClass::Message),
            receipts: count(StanzaClass::Receipt),
            notifications: count(StanzaClass::Notification),
            calls: count(StanzaClass::Call),
        }
    }
}

/// `<ib><offline_preview count message receipt notification call/></ib>`
pub(crate) fn preview_node(preview: Preview) -> OwnedNode {
    Node::new("ib").attr("from", Jid::server()).child(
        Node::new("offline_preview")
            .attr("count", preview.total())
            .attr("message", preview.messages)
            .attr("receipt", preview.receipts)
            .attr("notification", preview.notifications)
            .attr("appdata", "0")
            .attr("call", preview.calls),
    )
}

/// `<ib><offline count/></ib>`: the backlog is over.
pub(crate) fn end_node(count: usize) -> OwnedNode {
    Node::new("ib").attr("from", Jid::server()).child(Node::new("offline").attr("count", count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &'static str) -> OwnedNode {
        Node::new("message").attr("id", id).attr("from", Jid::lid("1"))
    }

    fn ids(nodes: &[OwnedNode]) -> Vec<String> {
        nodes.iter().map(|node| node.attrs.text("id").unwrap().into_owned()).collect()
    }

    #[test]
    fn stanzas_are_given_in_order_and_again_after_a_reconnect_until_confirmed() {
        let mut queue = OfflineQueue::default();
        for id in ["A", "B", "C"] {
            queue.push(StanzaClass::Message, message(id));
        }
        assert_eq!(ids(&queue.release(2)), ["A", "B"]);
        assert_eq!(ids(&queue.release(2)), ["C"]);
        assert!(queue.confirm(StanzaClass::Message, "B", |_| true));
        queue.begin_connection();
        assert_eq!(ids(&queue.release(9)), ["A", "C"]);
    }

    #[test]
    fn a_confirmation_of_another_class_or_sender_takes_nothing_out() {
        let mut queue = OfflineQueue::default();
        queue.push(StanzaClass::Message, message("A"));
        assert!(!queue.confirm(StanzaClass::Receipt, "A", |_| true));
        assert!(!queue.confirm(StanzaClass::Message, "A", |from| from == Some(&Jid::lid("2"))));
        assert!(queue.confirm(StanzaClass::Message, "A", |from| from == Some(&Jid::lid("1"))));
        assert_eq!(queue.len(), 0);
    }
}
