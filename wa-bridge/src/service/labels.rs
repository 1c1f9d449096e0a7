//! Labels, and what has one.

use wa_store::{Label, Labelled};

use super::{Call, Perform, chats::find_label};
use crate::{
    api::{LabelGet, LabelList, LabelView, LabelledView},
    failure::Failure,
    view::chat_label,
};

impl Perform for LabelList {
    async fn perform(self, call: &Call<'_>) -> Result<Vec<LabelView>, Failure> {
        let mut views = Vec::new();
        for Label { id, name, color, .. } in call.store().labels().await? {
            let count = labelled(call, &id).await?.len();
            views.push(LabelView { id, name, color, count });
        }
        Ok(views)
    }
}

impl Perform for LabelGet {
    async fn perform(self, call: &Call<'_>) -> Result<Vec<LabelledView>, Failure> {
        let store = call.store();
        let label = find_label(&self.label, store).await?;
        let mut views = Vec::new();
        for on in labelled(call, &label.id).await? {
            let (chat, message_id) = match on {
                Labelled::Chat(chat) => (chat, None),
                Labelled::Message(key) => (key.chat, Some(key.id.to_string())),
            };
            let (label, jid) = (chat_label(&chat, store).await?, chat.to_string());
            views.push(LabelledView { chat: label, jid, message_id });
        }
        Ok(views)
    }
}

/// What has a label, as far as it may be read.
async fn labelled(call: &Call<'_>, id: &str) -> Result<Vec<Labelled>, Failure> {
    let mut readable = Vec::new();
    for on in call.store().labelled(id).await? {
        let chat = match &on {
            Labelled::Chat(chat) => chat,
            Labelled::Message(key) => &key.chat,
        };
        let may_read = match &on {
            Labelled::Message(key) if call.archive().is_limited() => {
                let found = call.archive().messages_by_id(chat, &key.id).await?;
                found.iter().any(|message| message.key.sender == key.sender)
            }
            _ => call.may_read(chat).await?,
        };
        if may_read {
            readable.push(on);
        }
    }
    Ok(readable)
}
