//! What was done in the account's name.

use wa_store::{AuditEntry, AuditQuery, Timestamp};

use super::{Call, Perform, call::page};
use crate::{
    api::{Audit, AuditView},
    failure::Failure,
    moment,
};

impl Perform for Audit {
    async fn perform(self, call: &Call<'_>) -> Result<Vec<AuditView>, Failure> {
        let mut query = AuditQuery::default();
        query.limit = page(self.limit, 50);
        query.before = self.before;
        let mut views = Vec::new();
        for entry in call.store().audit(&query).await? {
            let readable = match &entry.chat {
                Some(chat) => call.may_read(chat).await?,
                None => true,
            };
            if readable {
                views.push(view(entry));
            }
        }
        Ok(views)
    }
}

fn view(entry: AuditEntry) -> AuditView {
    AuditView {
        seq: entry.seq,
        at: moment::rfc3339(Timestamp::from_secs(entry.at_ms.div_euclid(1_000))),
        caller: entry.caller,
        call: entry.call,
        chat: entry.chat.map(|chat| chat.to_string()),
        outcome: entry.outcome,
        detail: entry.detail,
    }
}
