//! Older messages of one chat, which a companion asks for. Knows nothing of how chunks travel.

use wa_proto::{
    Jid,
    pb::{
        self, conversation::EndOfHistoryTransferType as End, history_sync::HistorySyncType,
        message::peer_data_operation_request_message::HistorySyncOnDemandRequest,
    },
};

use super::Past;
use crate::{
    address::DeviceAddress,
    phone::{HistoryUpload, endpoint::Endpoint},
    server::Server,
};

/// The most messages of an answer.
const MAX_ANSWER: u32 = 500;

/// How many requests are remembered.
const MAX_REQUESTS: usize = 100;

impl Endpoint {
    /// A companion asked for something, whether it gets an answer or not.
    pub(in crate::phone::endpoint) fn note_history_request(
        &mut self,
        id: &str,
        request: &HistorySyncOnDemandRequest,
    ) {
        if self.history_requests.len() >= MAX_REQUESTS {
            self.history_requests.pop_front();
        }
        self.history_requests.push_back((id.to_owned(), request.clone()));
    }

    /// Answers a companion that asks for what is older than a message.
    pub(in crate::phone::endpoint) fn answer_on_demand(
        &mut self,
        server: &mut Server,
        to: DeviceAddress,
        request_id: &str,
        request: &HistorySyncOnDemandRequest,
    ) {
        let chat = request.chat_jid.as_deref().and_then(|jid| jid.parse::<Jid>().ok());
        let conversations = chat.zip(self.past).and_then(|(chat, past)| {
            let chat = (0..past.plan.chats).find(|&number| past.is_chat(number, &chat))?;
            Some(older(past, chat, request))
        });
        let sync = pb::HistorySync {
            sync_type: HistorySyncType::OnDemand.into(),
            conversations: conversations.into_iter().collect(),
            chunk_order: Some(1),
            progress: Some(100),
            ..Default::default()
        };
        let upload = HistoryUpload::new(sync).answering(request_id);
        if self.tell_made(server, to, upload).is_none() {
            tracing::warn!("the history that a companion asked for could not be given");
        }
    }
}

fn older(past: Past, chat: u32, request: &HistorySyncOnDemandRequest) -> pb::Conversation {
    let all = past.plan.messages_per_chat;
    let is_asked = |index: &u32| Some(past.message(chat, *index).id) == request.oldest_msg_id;
    // One that is not known here is found by its time, in seconds.
    let time = u64::try_from(request.oldest_msg_timestamp_ms()).unwrap_or_default();
    let first = match (0..all).find(is_asked) {
        Some(index) => index + 1,
        None => (0..all).find(|&index| past.message(chat, index).timestamp < time).unwrap_or(all),
    };
    let count = u32::try_from(request.on_demand_msg_count()).unwrap_or_default().min(MAX_ANSWER);
    let end = all.min(first.saturating_add(count));
    let mut conversation = past.conversation(chat, first..end, None, 0);
    let kind = if end < all {
        End::CompleteOnDemandSyncButMoreMsgRemainOnPrimary
    } else {
        End::CompleteAndNoMoreMessageRemainOnPrimary
    };
    conversation.end_of_history_transfer_type = Some(kind.into());
    conversation
}
