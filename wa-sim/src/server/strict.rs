//! What the real server demands of a companion's message besides that it can be routed, as far as
//! independent sources agree. Phones are not held to it: they are this simulation's own.
//!
//! Owns the refusals. Knows nothing of where a message goes.

use wa_proto::{Jid, Node};

use super::{Server, directory::Addressing};

/// The form is not taken: `SmaxInvalid`.
pub(super) const NACK_INVALID: u16 = 479;
/// The sender names the people of a group by the other kind of address.
pub(super) const NACK_STALE_ADDRESSING: u16 = 421;

impl Server {
    /// The code with which a companion's message is refused for its form.
    pub(super) fn objection(&self, node: &Node<'_>, to: &Jid) -> Option<u16> {
        if node.attrs.is("category", "peer") {
            return (!is_sound_peer_message(node)).then_some(NACK_INVALID);
        }
        if to.is_status() {
            return (!is_sound_status(node)).then_some(NACK_INVALID);
        }
        // A resend to one device tells nobody whom the group has.
        let is_fanned_out = node.attrs.value("participant").is_none();
        (to.is_group() && is_fanned_out && self.names_others(node, to))
            .then_some(NACK_STALE_ADDRESSING)
    }

    /// Without the attribute a group counts as one of phone numbers.
    fn names_others(&self, node: &Node<'_>, group: &Jid) -> bool {
        let mode = match self.group_addressing(&group.user) {
            Addressing::Lid => "lid",
            Addressing::Phone => "pn",
        };
        let told = node.attrs.text("addressing_mode").unwrap_or("pn".into());
        self.groups.contains_key(group.user.as_str()) && told != mode
    }
}

/// Between own devices: nothing of chats, and the marks that every client sets.
fn is_sound_peer_message(node: &Node<'_>) -> bool {
    let forbidden = ["phash", "addressing_mode"];
    let has_forbidden = forbidden.iter().any(|name| node.attrs.value(name).is_some());
    let has_token = ["tctoken", "cstoken"].iter().any(|tag| node.find(tag).is_some());
    let priority = node.attrs.text("push_priority");
    let is_known = priority.is_none_or(|priority| matches!(&*priority, "high" | "high_force"));
    let is_marked = node.find("meta").is_some_and(|meta| meta.attrs.is("appdata", "default"));
    let privacy = node.attrs.text("privacy_sensitive");
    let is_private = privacy.is_none_or(|value| value == "1");
    is_known && is_marked && is_private && !has_forbidden && !has_token
}

/// A status post says nothing of devices, and what is no post says nothing of who sees it.
fn is_sound_status(node: &Node<'_>) -> bool {
    let is_bare = ["phash", "addressing_mode"].iter().all(|name| node.attrs.value(name).is_none());
    let setting = node.find("meta").and_then(|meta| meta.attrs.text("status_setting"));
    let is_post = node.attrs.value("edit").is_none() && !node.attrs.is("type", "reaction");
    let is_sound = match setting {
        None => true,
        Some(setting) => is_post && matches!(&*setting, "contacts" | "allowlist" | "denylist"),
    };
    is_bare && is_sound
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> Node<'static> {
        Node::new("message").attr("to", Jid::status()).attr("type", "text")
    }

    fn with_setting(setting: &'static str) -> Node<'static> {
        status().child(Node::new("meta").attr("status_setting", setting))
    }

    #[test]
    fn a_status_post_names_neither_devices_nor_a_kind_of_address() {
        assert!(is_sound_status(&status()) && is_sound_status(&with_setting("denylist")));
        assert!(!is_sound_status(&status().attr("phash", "2:AAAAAAAA")));
        assert!(!is_sound_status(&status().attr("addressing_mode", "lid")));
        assert!(!is_sound_status(&with_setting("everybody")));
        assert!(!is_sound_status(&with_setting("contacts").attr("edit", "7")));
    }

    #[test]
    fn a_message_between_own_devices_is_marked_as_one() {
        let peer = || {
            let node = Node::new("message").attr("category", "peer").attr("push_priority", "high");
            node.child(Node::new("meta").attr("appdata", "default"))
        };
        assert!(is_sound_peer_message(&peer()));
        assert!(is_sound_peer_message(&peer().attr("privacy_sensitive", "1")));
        assert!(!is_sound_peer_message(&peer().attr("privacy_sensitive", "true")));
        assert!(!is_sound_peer_message(&peer().child(Node::new("tctoken"))));
        assert!(!is_sound_peer_message(&Node::new("message").attr("category", "peer")));
    }
}
