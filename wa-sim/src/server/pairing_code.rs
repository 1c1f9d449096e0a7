//! Linking by a code typed on the phone: what the server carries between the two. Knows nothing of
//! the code, which only the client and the phone have.

use wa_proto::{Jid, Node, OwnedNode};

use super::{
    Connection, ConnectionId, Server,
    iq::{BAD_REQUEST, IqError},
    prekey_shelf::fixed,
};
use crate::address::PhoneNumber;

/// An ephemeral key wrapped with the code: salt, IV and the key under AES-CTR.
pub(crate) const WRAPPED_KEY: usize = 32 + 16 + 32;

/// The longest bundle of a client that finishes.
const MAX_BUNDLE: usize = 1_024;

/// A client waits for its code to be typed.
#[derive(Clone)]
pub(crate) struct CodeHello {
    pub(crate) account: PhoneNumber,
    pub(crate) wrapped_ephemeral: [u8; WRAPPED_KEY],
    pub(crate) reference: String,
}

/// A client answers the phone: the phone is to open its bundle.
pub(crate) struct CodeFinish {
    pub(crate) connection: ConnectionId,
    pub(crate) account: PhoneNumber,
    pub(crate) reference: String,
    pub(crate) bundle: Vec<u8>,
}

impl Server {
    /// `<link_code_companion_reg stage>` from a client that waits to be linked: the child of the
    /// result.
    pub(super) fn take_code_stage(
        &mut self,
        id: ConnectionId,
        stage: &Node<'_>,
    ) -> Result<Option<OwnedNode>, IqError> {
        match stage.attrs.text("stage").as_deref() {
            Some("companion_hello") if !names_browser_and_system(stage) => Err(BAD_REQUEST),
            Some("companion_hello") => self.take_code_hello(id, stage).map(Some).ok_or(BAD_REQUEST),
            Some("companion_finish") => {
                self.take_code_finish(id, stage);
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// Tells a client to show another code than the one it shows for this account.
    pub(crate) fn refresh_code(&mut self, account: PhoneNumber) -> bool {
        let Some((id, hello)) = self.code_hello(account) else { return false };
        let stage = Node::new("link_code_companion_reg")
            .attr("stage", "refresh_code")
            .child(Node::new("link_code_pairing_ref").bytes(hello.reference.into_bytes()));
        self.notify_pairing(id, "link_code_companion_reg", stage);
        true
    }

    fn take_code_hello(&mut self, id: ConnectionId, stage: &Node<'_>) -> Option<OwnedNode> {
        let account = self.account_of(&stage.attrs.jid("jid")?)?;
        let wrapped = stage.find("link_code_pairing_wrapped_companion_ephemeral_pub");
        let wrapped_ephemeral = fixed(wrapped)?;
        let reference = self.fresh_ref();
        let Some(Connection::Pairing(pairing)) = self.connections.get_mut(&id) else { return None };
        pairing.code = Some(CodeHello { account, wrapped_ephemeral, reference: reference.clone() });
        let reference = Node::new("link_code_pairing_ref").bytes(reference.into_bytes());
        Some(Node::new("link_code_companion_reg").attr("stage", "companion_hello").child(reference))
    }

    fn take_code_finish(&mut self, id: ConnectionId, stage: &Node<'_>) -> Option<()> {
        let bundle = stage.find("link_code_pairing_wrapped_key_bundle")?.content_bytes()?;
        let reference = stage.find("link_code_pairing_ref")?.content_text()?;
        let Some(Connection::Pairing(pairing)) = self.connections.get_mut(&id) else { return None };
        let hello = pairing.code.take_if(|hello| hello.reference == reference)?;
        if bundle.len() <= MAX_BUNDLE {
            self.code_finishes.push_back(CodeFinish {
                connection: id,
                account: hello.account,
                reference: hello.reference,
                bundle: bundle.to_vec(),
            });
        }
        Some(())
    }

    /// The client that waits for this account's phone; of several the newest.
    pub(crate) fn code_hello(&self, account: PhoneNumber) -> Option<(ConnectionId, CodeHello)> {
        self.connections.iter().rev().find_map(|(&id, connection)| match connection {
            Connection::Pairing(pairing) => {
                let hello = pairing.code.as_ref().filter(|hello| hello.account == account)?;
                Some((id, hello.clone()))
            }
            _ => None,
        })
    }

    /// Carries the phone's answer to the client.
    pub(crate) fn send_primary_hello(
        &mut self,
        id: ConnectionId,
        reference: String,
        wrapped_ephemeral: Vec<u8>,
        identity: Vec<u8>,
    ) {
        let stanza_id = self.stanza_id();
        let stage = Node::new("link_code_companion_reg")
            .attr("stage", "primary_hello")
            .child(
                Node::new("link_code_pairing_wrapped_primary_ephemeral_pub")
                    .bytes(wrapped_ephemeral),
            )
            .child(Node::new("primary_identity_pub").bytes(identity))
            .child(Node::new("link_code_pairing_ref").bytes(reference.into_bytes()));
        let notification = Node::new("notification")
            .attr("from", Jid::server())
            .attr("type", "link_code_companion_reg")
            .attr("id", stanza_id)
            .attr("t", self.now)
            .child(stage);
        self.send(id, notification);
    }
}

/// What the phone shows must have the form `Browser (OS)`, and both must be common ones.
fn names_browser_and_system(stage: &Node<'_>) -> bool {
    let shown = stage.find("companion_platform_display").and_then(|node| node.content_text());
    let parts = shown.and_then(|shown| shown.strip_suffix(')')?.split_once(" ("));
    parts.is_some_and(|(browser, system)| BROWSERS.contains(&browser) && SYSTEMS.contains(&system))
}

/// The browsers and systems that a code is shown for.
const BROWSERS: [&str; 5] = ["Chrome", "Edge", "Firefox", "Opera", "Safari"];
const SYSTEMS: [&str; 5] = ["Windows", "Mac OS", "macOS", "Linux", "Ubuntu"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_shown_for_a_common_browser_on_a_common_system_alone() {
        let takes = |shown: &'static str| {
            let shown = Node::new("companion_platform_display").bytes(shown.as_bytes());
            names_browser_and_system(&Node::new("link_code_companion_reg").child(shown))
        };
        assert!(takes("Chrome (Linux)") && takes("Chrome (Mac OS)") && takes("Edge (Windows)"));
        for refused in ["", "Chrome", "Chrome ()", "Desktop (Linux)", "Chrome (My kitchen)"] {
            assert!(!takes(refused), "{refused}");
        }
    }
}
