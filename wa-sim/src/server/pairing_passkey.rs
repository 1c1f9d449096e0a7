//! Linking by a passkey: the server has the client's request signed, and carries the rest between
//! the client and the phone. Knows nothing of what is in that.

use wa_proto::{Jid, Node, OwnedNode};

use super::{
    Connection, ConnectionId, Server,
    iq::{BAD_REQUEST, FORBIDDEN, IqError},
};
use crate::{
    address::PhoneNumber,
    passkey::{Challenge, Credential},
};

/// The longest of a client's words.
const MAX_WORD: usize = 16 << 10;

/// A client that was told to use a passkey.
pub(super) struct Passkey {
    account: PhoneNumber,
    challenge: Challenge,
    reference: Option<String>,
}

/// What a client says on the way.
pub(crate) enum PasskeyWord {
    /// The client's commitment; what came with it was signed with the account's passkey.
    Prologue { payload: Vec<u8>, proof: Option<Vec<u8>>, reference: String },
    /// What opens the commitment.
    Nonce(Vec<u8>),
    /// The client's identity, sealed.
    Identity(Vec<u8>),
}

/// A word for the phone.
pub(crate) struct PasskeyStep {
    pub(crate) connection: ConnectionId,
    pub(crate) account: PhoneNumber,
    pub(crate) word: PasskeyWord,
}

impl Server {
    /// Whether clients that link with an account are asked for a passkey.
    pub(crate) fn demands_passkey(&self, account: PhoneNumber) -> bool {
        self.accounts.get(&account).is_some_and(|account| account.demands_passkey)
    }

    /// Tells a client that waits to be linked that the account demands a passkey.
    pub(crate) fn ask_for_passkey(&mut self, id: ConnectionId, account: PhoneNumber) {
        let challenge = Challenge::new(&mut self.rng);
        let Some(Connection::Pairing(pairing)) = self.connections.get_mut(&id) else { return };
        let options = challenge.options();
        pairing.passkey = Some(Passkey { account, challenge, reference: None });
        let options = Node::new("passkey_request_options").bytes(options.into_bytes());
        self.notify_pairing(id, "passkey_prologue_request", options);
    }

    /// Carries the phone's ephemeral identity to the client.
    pub(crate) fn send_primary_ephemeral(&mut self, id: ConnectionId, identity: Vec<u8>) {
        let identity = Node::new("primary_ephemeral_identity").bytes(identity);
        self.notify_pairing(id, "crsc_continuation", identity);
    }

    /// A notification to a client that waits to be linked.
    pub(super) fn notify_pairing(&mut self, id: ConnectionId, kind: &'static str, what: OwnedNode) {
        let stanza_id = self.stanza_id();
        let notification = Node::new("notification")
            .attr("from", Jid::server())
            .attr("type", kind)
            .attr("id", stanza_id)
            .attr("t", self.now)
            .child(what);
        self.send(id, notification);
    }

    /// The answer to a query about a passkey; `None` if it is about something else.
    pub(super) fn take_passkey_query(
        &mut self,
        id: ConnectionId,
        node: &Node<'_>,
    ) -> Option<Result<Option<OwnedNode>, IqError>> {
        let asked = node.nodes().first()?;
        let fresh = self.fresh_ref();
        let Some(Connection::Pairing(pairing)) = self.connections.get_mut(&id) else { return None };
        let passkey = pairing.passkey.as_mut();
        let answer = |tag: &'static str, text: String| Node::new(tag).bytes(text.into_bytes());
        let word = match &*asked.tag {
            "ref" => {
                return Some(passkey.ok_or(BAD_REQUEST).map(|passkey| {
                    passkey.reference = Some(fresh.clone());
                    Some(answer("ref", fresh))
                }));
            }
            "passkey_request_options" => {
                return Some(passkey.ok_or(BAD_REQUEST).map(|passkey| {
                    Some(answer("passkey_request_options", passkey.challenge.options()))
                }));
            }
            "passkey_prologue" => {
                let account = passkey.as_ref().map(|passkey| passkey.account);
                let account = account.and_then(|account| self.accounts.get(&account));
                let registered = account.map_or(&[][..], |account| &account.passkeys);
                match prologue(asked, passkey.as_deref(), registered) {
                    Some(Err(error)) => return Some(Err(error)),
                    Some(Ok(word)) => Some(word),
                    None => None,
                }
            }
            "companion_nonce" => content(Some(asked)).map(PasskeyWord::Nonce),
            "encrypted_pairing_request" => content(Some(asked)).map(PasskeyWord::Identity),
            _ => return None,
        };
        let account = passkey.map(|passkey| passkey.account);
        let (Some(word), Some(account)) = (word, account) else { return Some(Err(BAD_REQUEST)) };
        self.passkey_steps.push_back(PasskeyStep { connection: id, account, word });
        Some(Ok(None))
    }
}

/// The client's commitment, if it came with what the account's passkey signed; `None` if it is
/// malformed.
fn prologue(
    node: &Node<'_>,
    passkey: Option<&Passkey>,
    registered: &[Credential],
) -> Option<Result<PasskeyWord, IqError>> {
    content(node.find("credential_id"))?;
    let passkey = passkey?;
    let word = PasskeyWord::Prologue {
        payload: content(node.find("prologue_payload"))?,
        proof: content(node.find("pairing_handoff_proof")),
        reference: passkey.reference.clone()?,
    };
    let assertion = content(node.find("webauthn_assertion"))?;
    let is_signed = passkey.challenge.is_signed(&assertion, registered);
    Some(if is_signed { Ok(word) } else { Err(FORBIDDEN) })
}

fn content(node: Option<&Node<'_>>) -> Option<Vec<u8>> {
    let bytes = node?.content_bytes()?;
    (bytes.len() <= MAX_WORD).then(|| bytes.to_vec())
}
