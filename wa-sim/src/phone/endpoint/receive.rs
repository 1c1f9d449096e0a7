//! What a phone is sent: read, kept, and answered with a receipt, or with a retry receipt where it
//! could not be read. Knows nothing of who may see it.

use std::collections::BTreeSet;

use wa_proto::{Jid, Node, pb};

use super::{Chat, Endpoint, StoredMessage, sessions::Unread, stored::shared_chat};
use crate::{
    address::DeviceAddress,
    phone::MessageStatus,
    server::{Server, offline::StanzaClass},
};

/// Who wrote a stanza, and where.
pub(super) struct Envelope {
    pub(super) id: String,
    pub(super) author: DeviceAddress,
    /// The scope of its sender keys, if it has many readers.
    scope: Option<String>,
    timestamp: u64,
    /// Whether it wakes the phone, so that a request in it is dealt with.
    pub(super) wakes: bool,
}

impl Endpoint {
    pub(super) fn receive_message(&mut self, server: &mut Server, node: &Node<'_>) {
        let Some(envelope) = envelope(server, node) else {
            return self.ack(server, StanzaClass::Message, node);
        };
        let mut failure = None;
        for enc in node.find_all("enc") {
            match self.decrypt(server, envelope.author, envelope.scope.as_deref(), node, enc) {
                Ok(message) => self.take_content(server, &envelope, message),
                Err(Unread::Duplicate) => {}
                Err(Unread::Retry(reason)) => failure = Some(reason),
            }
        }
        if let Some(reason) = failure {
            self.ask_again(server, node, &envelope, reason);
            return self.ack(server, StanzaClass::Message, node);
        }
        self.confirm(server, node, &envelope);
        if self.reads_at_once {
            self.mark_all_read(server);
        }
    }

    fn take_content(&mut self, server: &mut Server, envelope: &Envelope, message: pb::Message) {
        let own = envelope.author.account == self.address.account;
        let (chat, message) = match message.device_sent_message {
            // Only one's own devices may say what one has sent.
            Some(sent) if own => {
                let chat = sent.destination_jid.as_deref().and_then(|jid| jid.parse::<Jid>().ok());
                let chat = chat.and_then(|jid| chat_of(server, &jid));
                let (Some(chat), Some(message)) = (chat, sent.message) else { return };
                (chat, *message)
            }
            Some(_) => return,
            None => {
                let person = Chat::Person(envelope.author.account);
                (envelope.scope.as_deref().map_or(person, shared_chat), message)
            }
        };
        if let Some(told) = &message.sender_key_distribution_message {
            self.learn_sender_key(envelope.author, told);
        }
        if let Some(protocol) = &message.protocol_message
            && protocol.app_state_fatal_exception_notification.is_some()
        {
            if own {
                // Collections that nobody can repair: every companion has to be linked anew.
                let companions = server.devices_of(self.address.account);
                let companions = companions.into_iter().filter(|address| !address.is_phone());
                server.unlink_requests.extend(companions);
            }
            return;
        }
        if let Some(protocol) = &message.protocol_message
            && let Some(request) = &protocol.app_state_sync_key_request
        {
            if own {
                self.answer_key_request(server, envelope.author, request);
            }
            return;
        }
        let request = message
            .protocol_message
            .as_ref()
            .and_then(|protocol| protocol.peer_data_operation_request_message.as_ref());
        if let Some(request) = request {
            if own {
                self.answer_peer_request(server, envelope, request);
            }
            return;
        }
        if is_bare(&message) {
            return;
        }
        self.store(
            server,
            StoredMessage {
                id: envelope.id.clone(),
                chat,
                sender: envelope.author,
                timestamp: envelope.timestamp,
                message,
                status: if own { MessageStatus::Sent } else { MessageStatus::Delivered },
            },
        );
    }

    /// The receipt for what was read.
    fn confirm(&self, server: &mut Server, node: &Node<'_>, envelope: &Envelope) {
        let own = envelope.author.account == self.address.account;
        let kind = match (own, node.attrs.is("category", "peer")) {
            (true, true) => Some("peer_msg"),
            (true, false) => Some("sender"),
            (false, _) => None,
        };
        let receipt = Node::new("receipt")
            .attr("id", envelope.id.clone())
            .attr_opt("to", node.attrs.jid("from"))
            .attr_opt("participant", node.attrs.jid("participant"))
            .attr_opt("recipient", node.attrs.jid("recipient"))
            .attr_opt("type", kind);
        server.receive_from_device(self.address, &receipt);
    }

    fn mark_all_read(&mut self, server: &mut Server) {
        let unread = self.messages.iter().filter(|kept| kept.status == MessageStatus::Delivered);
        let chats: BTreeSet<_> = unread.map(|kept| kept.chat.clone()).collect();
        for chat in chats {
            self.mark_read(server, &chat);
        }
    }
}

fn envelope(server: &Server, node: &Node<'_>) -> Option<Envelope> {
    let from = node.attrs.jid("from")?;
    let is_shared = from.is_group() || from.is_status();
    let scope = is_shared.then(|| from.user.to_string());
    let author = if is_shared { node.attrs.jid("participant")? } else { from };
    Some(Envelope {
        id: node.attrs.text("id")?.into_owned(),
        author: server.address_of(&author)?,
        scope,
        timestamp: node.attrs.number("t").unwrap_or(server.now),
        wakes: node.attrs.is("push_priority", "high_force"),
    })
}

/// The chat behind a JID of any form.
pub(crate) fn chat_of(server: &Server, jid: &Jid) -> Option<Chat> {
    if jid.is_group() {
        return Some(Chat::Group(jid.user.to_string()));
    }
    if jid.is_status() {
        return Some(Chat::Status);
    }
    server.account_of(jid).map(Chat::Person)
}

/// Whether there is nothing in it but what serves other messages.
fn is_bare(message: &pb::Message) -> bool {
    let rest = pb::Message {
        sender_key_distribution_message: None,
        message_context_info: None,
        ..message.clone()
    };
    rest == pb::Message::default()
}
