//! Questions with options to choose from.

use super::{Call, Perform};
use crate::{
    api::{PollGet, PollView},
    failure::{Cause, Failure, remedy},
};

impl Perform for PollGet {
    async fn perform(self, call: &Call<'_>) -> Result<PollView, Failure> {
        let message = call.message(&self.chat, &self.id).await?;
        let tally = call.store().poll(&message.key).await?.ok_or_else(|| {
            Failure::new(Cause::Usage, format!("the message {:?} is no poll", self.id))
                .remedy(remedy::POLL)
        })?;
        call.note_read([&message]).await?;
        Ok(PollView::new(tally, &call.archive()).await?)
    }
}
