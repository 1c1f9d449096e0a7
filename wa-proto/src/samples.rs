//! One well-formed stanza of every kind that a server sends, and what becomes of each when its parts
//! are taken away, repeated, enlarged or exchanged.
//!
//! For tests of whoever reads stanzas: a hostile server says these. Owns the list and the rule of
//! damage ([`damage`]). Whether the list has every kind is checked here, against the types of
//! [`crate::stanza`]; a new kind does not compile before it has a name in [`kinds`].

mod account;
mod connection;
mod damage;
mod groups;
pub mod kinds;
mod messages;

use crate::{Jid, Node, OwnedNode};
pub use damage::{Damaged, HUGE_TEXT, damage};

/// Whom the samples are about.
#[derive(Debug, Clone)]
pub struct Cast {
    /// The reader's account by phone number, with the reader's device.
    pub own: Jid,
    /// The same by LID.
    pub own_lid: Jid,
    /// Somebody else, by phone number, with a device.
    pub other: Jid,
    /// The same by LID.
    pub other_lid: Jid,
    /// A group that both are in.
    pub group: Jid,
    /// The time, in seconds since 1970.
    pub now: u64,
}

impl Cast {
    /// People whom nobody knows.
    pub fn strangers() -> Self {
        Self {
            own: Jid::phone("15550000001").with_device(7),
            own_lid: Jid::lid("900000000000001").with_device(7),
            other: Jid::phone("15550002222").with_device(3),
            other_lid: Jid::lid("900000000000002").with_device(3),
            group: Jid::group("120363000000000001"),
            now: 1_700_000_000,
        }
    }
}

/// A well-formed stanza.
#[derive(Debug, Clone)]
pub struct Sample {
    /// What it is, for whoever reads a failure.
    pub name: &'static str,
    /// The stanza.
    pub stanza: OwnedNode,
}

/// Every kind of stanza but those that end a connection.
pub fn samples(cast: &Cast) -> Vec<Sample> {
    let parts = [messages::all(cast), groups::all(cast), account::all(cast), connection::all(cast)];
    parts.into_iter().flatten().map(|(name, stanza)| Sample { name, stanza }).collect()
}

/// Every kind of stanza after which the connection is over.
pub fn endings(cast: &Cast) -> Vec<Sample> {
    connection::endings(cast).into_iter().map(|(name, stanza)| Sample { name, stanza }).collect()
}

/// A stanza and its name.
type Named = (&'static str, OwnedNode);

/// The outside of a stanza that is answered.
fn outside(tag: &'static str, id: &'static str, from: &Jid, cast: &Cast) -> OwnedNode {
    Node::new(tag).attr("id", id).attr("from", from).attr("t", cast.now)
}

/// `<notification>` around a change.
fn notification(kind: &'static str, from: &Jid, cast: &Cast, change: OwnedNode) -> OwnedNode {
    outside("notification", "3EB0NOTICE", from, cast).attr("type", kind).child(change)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{Stanza, node, stanza::Class};

    fn read(stanza: &OwnedNode) -> Stanza {
        Stanza::parse(node::read(&stanza.encode()).unwrap())
    }

    #[test]
    fn every_kind_has_a_sample_and_every_sample_is_well_formed() {
        let cast = Cast::strangers();
        let mut found = BTreeSet::new();
        for Sample { name, stanza } in samples(&cast).into_iter().chain(endings(&cast)) {
            let stanza = read(&stanza);
            assert!(!matches!(stanza, Stanza::Malformed(_)), "{name}: {stanza:?}");
            found.extend(kinds::of(&stanza));
        }
        let missing: Vec<_> = kinds::ALL.iter().filter(|kind| !found.contains(*kind)).collect();
        assert_eq!(missing, Vec::<&&str>::new());
    }

    #[test]
    fn a_damaged_stanza_is_read_without_panicking_and_can_be_answered_where_it_says_to_whom() {
        let cast = Cast::strangers();
        let mut count = 0;
        for Sample { name, stanza } in samples(&cast).into_iter().chain(endings(&cast)) {
            for Damaged { what, stanza } in damage(&stanza) {
                count += 1;
                let read = read(&stanza);
                let is_answered = Class::of(&stanza.tag).is_some()
                    && stanza.attrs.value("id").is_some()
                    && stanza.attrs.jid("from").is_some();
                assert_eq!(read.envelope().is_some(), is_answered, "{name}, {what}");
            }
        }
        assert!(count > 3_000, "{count}");
    }
}
