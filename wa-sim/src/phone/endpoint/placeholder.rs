//! What companions ask of their phone: messages they were not given. Knows nothing of why.

use prost::Message as _;
use wa_proto::pb::{
    self,
    message::{
        PeerDataOperationRequestMessage, PeerDataOperationRequestResponseMessage,
        PeerDataOperationRequestType, ProtocolMessage,
        peer_data_operation_request_response_message::{
            PeerDataOperationResult, peer_data_operation_result::PlaceholderMessageResendResponse,
        },
        protocol_message,
    },
};

use super::{
    Chat, Endpoint, StoredMessage,
    receive::{Envelope, chat_of},
    send::fresh_message_id,
};
use crate::server::{Server, directory::Addressing};

/// The most messages one request may ask for.
const MAX_REQUESTED: usize = 100;

impl Endpoint {
    pub(super) fn answer_peer_request(
        &mut self,
        server: &mut Server,
        envelope: &Envelope,
        request: &PeerDataOperationRequestMessage,
    ) {
        let kind = request.peer_data_operation_request_type();
        if let Some(asked) = &request.history_sync_on_demand_request {
            self.note_history_request(&envelope.id, asked);
        }
        // A phone that is not woken sleeps over these; it deals with the rest when it is awake.
        let wants_waking = matches!(
            kind,
            PeerDataOperationRequestType::PlaceholderMessageResend
                | PeerDataOperationRequestType::HistorySyncOnDemand
        );
        if server.faults.phone_is_silent() || wants_waking && !envelope.wakes {
            return;
        }
        if let Some(asked) = &request.history_sync_on_demand_request {
            return self.answer_on_demand(server, envelope.author, &envelope.id, asked);
        }
        let results: Vec<_> = match kind {
            PeerDataOperationRequestType::PlaceholderMessageResend => request
                .placeholder_message_resend_request
                .iter()
                .take(MAX_REQUESTED)
                .filter_map(|asked| self.resend_placeholder(server, asked.message_key.as_ref()?))
                .collect(),
            PeerDataOperationRequestType::CompanionSyncdSnapshotFatalRecovery => {
                let Some(copy) = self.recovery_of(request) else { return };
                vec![copy]
            }
            _ => return,
        };
        let response = PeerDataOperationRequestResponseMessage {
            peer_data_operation_request_type: Some(kind.into()),
            stanza_id: Some(envelope.id.clone()),
            peer_data_operation_result: results,
        };
        let kind = protocol_message::Type::PeerDataOperationRequestResponseMessage;
        let message = pb::Message {
            protocol_message: Some(Box::new(ProtocolMessage {
                r#type: Some(kind.into()),
                peer_data_operation_request_response_message: Some(response),
                ..Default::default()
            })),
            ..Default::default()
        };
        let id = fresh_message_id(server);
        self.send_to_companion(server, envelope.author, id, &message);
    }

    /// The message under the key it was asked by, or nothing if the phone has not got it either.
    fn resend_placeholder(
        &self,
        server: &Server,
        key: &pb::MessageKey,
    ) -> Option<PeerDataOperationResult> {
        let chat = chat_of(server, &key.remote_jid.as_deref()?.parse().ok()?)?;
        let is_it = |kept: &&StoredMessage| Some(&kept.id) == key.id.as_ref() && kept.chat == chat;
        let kept = self.messages.iter().rev().find(is_it)?;
        let account = server.accounts.get(&kept.sender.account);
        let author = matches!(kept.chat, Chat::Group(_) | Chat::Status)
            .then(|| server.device_jid(kept.sender, Addressing::Lid).to_string());
        let info = pb::WebMessageInfo {
            key: pb::MessageKey {
                from_me: Some(kept.sender.account == self.address.account),
                participant: key.participant.clone().or(author),
                ..key.clone()
            },
            message: Some(kept.message.clone()),
            message_timestamp: Some(kept.timestamp),
            push_name: account.map(|account| account.push_name(kept.sender.device).to_owned()),
            ..Default::default()
        };
        Some(PeerDataOperationResult {
            placeholder_message_resend_response: Some(PlaceholderMessageResendResponse {
                web_message_info_bytes: Some(info.encode_to_vec().into()),
            }),
            ..Default::default()
        })
    }
}
