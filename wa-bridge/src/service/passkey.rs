//! What a person says while a link waits for their passkey. What was signed is a secret until it is
//! used, and whoever says that two codes are the same vouches for it: neither is an assistant's.

use super::{Call, Perform};
use crate::{
    api::{PasskeyAnswer, PasskeyCompared, PasskeyView},
    failure::{Cause, Failure},
};

impl Perform for PasskeyAnswer {
    async fn perform(self, call: &Call<'_>) -> Result<PasskeyView, Failure> {
        for_a_person(call)?;
        call.service.line.answer_passkey(&self.answer, call.deadline()).await?;
        Ok(PasskeyView {})
    }
}

impl Perform for PasskeyCompared {
    async fn perform(self, call: &Call<'_>) -> Result<PasskeyView, Failure> {
        for_a_person(call)?;
        call.service.line.compared(self.same, call.deadline()).await?;
        Ok(PasskeyView {})
    }
}

fn for_a_person(call: &Call<'_>) -> Result<(), Failure> {
    match call.is_human() {
        true => Ok(()),
        false => Err(Failure::new(Cause::Forbidden, "only a person can answer for their passkey")
            .remedy("leave it to the person, on the page that link_device names")),
    }
}
