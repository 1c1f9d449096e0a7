//! What a phone writes: to a person's devices and its own companions, or to a group with a sender
//! key. Knows nothing of what it writes.

use std::collections::BTreeSet;

use prost::Message as _;
use rand_core::Rng as _;
use wa_proto::{
    Jid, Node, OwnedNode,
    content::{EditAttribute, Unwrapped},
    pb,
};
use wa_signal::{SenderKeyRecord, padding};

use super::{
    Chat, Endpoint, StoredMessage,
    stored::{STATUS, shared_jid},
};
use crate::{
    address::{DeviceAddress, PhoneNumber},
    phone::{MessageStatus, SendError},
    server::{Server, directory::Addressing, groups::GroupError},
};

impl Endpoint {
    /// Sends a message and answers its id.
    pub(crate) fn send(
        &mut self,
        server: &mut Server,
        chat: &Chat,
        message: &pb::Message,
    ) -> Result<String, SendError> {
        let members = match chat {
            Chat::Person(account) if server.has_phone(*account) => vec![*account],
            Chat::Person(_) => return Err(SendError::UnknownRecipient),
            Chat::Group(group) => server.group_readers_of(self.address.account, group).map_err(
                |error| match error {
                    GroupError::Unknown => SendError::UnknownGroup,
                    GroupError::NotAMember => SendError::NotAMember,
                    GroupError::AdminsOnly => SendError::AdminsOnly,
                },
            )?,
            Chat::Status => server.status_readers_of(self.address.account),
        };
        let id = fresh_message_id(server);
        self.store(
            server,
            StoredMessage {
                id: id.clone(),
                chat: chat.clone(),
                sender: self.address,
                timestamp: server.now,
                message: message.clone(),
                status: MessageStatus::Pending,
            },
        );
        let stanza = match chat {
            Chat::Person(account) => self.personal_stanza(server, &id, *account, message),
            Chat::Group(group) => self.shared_stanza(server, &id, group, members, message),
            Chat::Status => self.shared_stanza(server, &id, STATUS, members, message),
        };
        match stanza {
            Some(stanza) => server.receive_from_device(self.address, &stanza),
            // A note to oneself, without companions: nobody else has to have it.
            None => self.advance_status(&id, MessageStatus::Sent),
        }
        Ok(id)
    }

    fn personal_stanza(
        &mut self,
        server: &mut Server,
        id: &str,
        account: PhoneNumber,
        message: &pb::Message,
    ) -> Option<OwnedNode> {
        let to = server.user_jid(account, Addressing::Lid);
        let own_copy = device_sent(&to, message);
        let mut parts = Vec::new();
        for device in server.recipients(self.address, [account]) {
            let own = device.account == self.address.account;
            let enc = self.encrypt_for(server, device, if own { &own_copy } else { message });
            let jid = server.device_jid(device, Addressing::Lid);
            parts.extend(enc.map(|enc| Node::new("to").attr("jid", jid).child(enc)));
        }
        if parts.is_empty() {
            return None;
        }
        let stanza = Node::new("message").attr("id", id.to_owned()).attr("to", to);
        Some(labelled(stanza, message).child(Node::new("participants").children(parts)))
    }

    /// A message with many readers: those in a group, or those of a status post.
    fn shared_stanza(
        &mut self,
        server: &mut Server,
        id: &str,
        group: &str,
        members: Vec<PhoneNumber>,
        message: &pb::Message,
    ) -> Option<OwnedNode> {
        let recipients: BTreeSet<_> =
            server.recipients(self.address, members).into_iter().collect();
        let mut told = self.told.remove(group).unwrap_or_default();
        // Whoever has the key and left must not read on.
        if !told.is_subset(&recipients) {
            self.sender_keys.remove(&(group.to_owned(), self.address));
            told.clear();
        }
        if group == STATUS {
            // The server knows no readers but those that a post names.
            told.clear();
        }
        let distribution = self.own_distribution(server, group)?;
        let addressing = server.group_addressing(group);
        let mut parts = Vec::new();
        for &device in recipients.difference(&told) {
            let enc = self.encrypt_for(server, device, &distribution);
            let jid = server.device_jid(device, addressing);
            parts.extend(enc.map(|enc| Node::new("to").attr("jid", jid).child(enc)));
        }
        self.told.insert(group.to_owned(), recipients);
        let shared = self.encrypt_for_group(server, group, message)?;
        let stanza = Node::new("message")
            .attr("id", id.to_owned())
            .attr("to", shared_jid(group))
            .attr("addressing_mode", mode_of(addressing));
        let mut stanza = labelled(stanza, message);
        if !parts.is_empty() {
            stanza = stanza.child(Node::new("participants").children(parts));
        }
        Some(stanza.child(shared))
    }

    /// A message that tells one's own sender key; the key is made if there is none.
    pub(super) fn own_distribution(
        &mut self,
        server: &mut Server,
        group: &str,
    ) -> Option<pb::Message> {
        let key = (group.to_owned(), self.address);
        let record =
            self.sender_keys.entry(key).or_insert_with(|| SenderKeyRecord::create(&mut server.rng));
        let distribution = record.distribution_message().ok()?;
        Some(pb::Message {
            sender_key_distribution_message: Some(pb::message::SenderKeyDistributionMessage {
                group_id: Some(shared_jid(group).to_string()),
                axolotl_sender_key_distribution_message: Some(distribution.into()),
            }),
            ..Default::default()
        })
    }

    fn encrypt_for_group(
        &mut self,
        server: &mut Server,
        group: &str,
        message: &pb::Message,
    ) -> Option<OwnedNode> {
        let key = (group.to_owned(), self.address);
        let plaintext = padding::pad(message.encode_to_vec(), &mut server.rng);
        let (record, ciphertext) =
            self.sender_keys.get(&key)?.encrypt(&plaintext, &mut server.rng).ok()?;
        self.sender_keys.insert(key, record);
        Some(Node::new("enc").attr("v", "2").attr("type", "skmsg").bytes(ciphertext))
    }

    /// Sends to one of one's own companions, outside any chat.
    pub(super) fn send_to_companion(
        &mut self,
        server: &mut Server,
        to: DeviceAddress,
        id: String,
        message: &pb::Message,
    ) {
        let Some(enc) = self.encrypt_for(server, to, message) else { return };
        let stanza = Node::new("message")
            .attr("id", id)
            .attr("to", server.device_jid(to, Addressing::Lid))
            .attr("type", "text")
            .attr("category", "peer")
            .attr("push_priority", "high")
            .child(enc)
            .child(Node::new("meta").attr("appdata", "default"));
        server.receive_from_device(self.address, &stanza);
    }

    /// Marks what came in a chat as read, and tells the senders.
    pub(crate) fn mark_read(&mut self, server: &mut Server, chat: &Chat) {
        let own = self.address.account;
        let mut unread = Vec::new();
        for kept in &mut self.messages {
            let theirs = kept.chat == *chat && kept.sender.account != own;
            if theirs && kept.status < MessageStatus::Read {
                kept.status = MessageStatus::Read;
                unread.push((kept.id.clone(), kept.sender));
            }
        }
        for (id, sender) in unread {
            let addressing = match chat {
                Chat::Person(_) | Chat::Status => Addressing::Lid,
                Chat::Group(group) => server.group_addressing(group),
            };
            let author = server.device_jid(sender, addressing);
            let receipt =
                Node::new("receipt").attr("id", id).attr("type", "read").attr("t", server.now);
            let receipt = match chat {
                Chat::Person(_) => receipt.attr("to", author.to_user()),
                Chat::Group(group) => {
                    receipt.attr("to", Jid::group(group.clone())).attr("participant", author)
                }
                Chat::Status => receipt.attr("to", Jid::status()).attr("participant", author),
            };
            server.receive_from_device(self.address, &receipt);
        }
    }
}

/// The value of `addressing_mode`.
pub(super) const fn mode_of(addressing: Addressing) -> &'static str {
    match addressing {
        Addressing::Lid => "lid",
        Addressing::Phone => "pn",
    }
}

/// The copy for one's own companions.
pub(super) fn device_sent(chat: &Jid, message: &pb::Message) -> pb::Message {
    pb::Message {
        device_sent_message: Some(Box::new(pb::message::DeviceSentMessage {
            destination_jid: Some(chat.to_string()),
            message: Some(Box::new(message.clone())),
            phash: None,
        })),
        ..Default::default()
    }
}

/// What a message stanza says in the clear of what is sealed in it: `type` and `edit`.
pub(super) fn labelled(stanza: OwnedNode, message: &pb::Message) -> OwnedNode {
    let content = Unwrapped::from_message(message.clone()).content;
    stanza
        .attr("type", content.stanza_type())
        .attr_opt("edit", content.edit_attribute().map(EditAttribute::as_str))
        .children(content.meta_attribute().map(|(name, value)| Node::new("meta").attr(name, value)))
}

/// 32 hexadecimal digits, as phones make them.
pub(super) fn fresh_message_id(server: &mut Server) -> String {
    let mut bytes = [0; 16];
    server.rng.fill_bytes(&mut bytes);
    hex::encode_upper(bytes)
}
