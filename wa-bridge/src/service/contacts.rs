//! People: who is known, and who is on WhatsApp.

use wa_store::ContactQuery;

use super::{Call, Perform, call::page};
use crate::{
    api::{CandidateView, CheckedView, ContactCheck, ContactList, ContactView, Named, Resolve},
    failure::{Cause, Failure},
    policy::PaceClass,
    view::number,
};

/// The most numbers that are asked about at once.
const MAX_NUMBERS: usize = 50;

impl Perform for ContactList {
    async fn perform(self, call: &Call<'_>) -> Result<Vec<ContactView>, Failure> {
        let mut query = ContactQuery::default();
        query.text = self.query;
        query.offset = usize::try_from(self.offset).unwrap_or(usize::MAX);
        query.limit = page(self.limit, 50);
        let contacts = call.archive().contacts(query).await?;
        Ok(contacts.iter().map(ContactView::new).collect())
    }
}

impl Perform for Resolve {
    async fn perform(self, call: &Call<'_>) -> Result<CandidateView, Failure> {
        let jid = match self.only {
            _ if self.beyond_policy => call.anybody(&self.named).await?,
            None => call.recipient(&self.named).await?,
            Some(Named::Person) => call.person(&self.named).await?,
            Some(Named::Group) => call.group(&self.named).await?,
        };
        CandidateView::of(&jid, call.store()).await.map_err(Failure::from)
    }
}

impl Perform for ContactCheck {
    async fn perform(self, call: &Call<'_>) -> Result<Vec<CheckedView>, Failure> {
        if self.numbers.is_empty() || self.numbers.len() > MAX_NUMBERS {
            let message = format!("{} numbers were given", self.numbers.len());
            return Err(Failure::new(Cause::Usage, message)
                .remedy(format!("give 1 to {MAX_NUMBERS} numbers with their country codes")));
        }
        call.keep_pace(PaceClass::LookUp, self.numbers.len()).await?;
        let client = call.online().await?;
        let people = client.people();
        let found = call.ask(people.on_whatsapp(&self.numbers)).await?;
        let view = |found: wa_client::OnWhatsApp| CheckedView {
            on_whatsapp: found.jid.is_some() || found.lid.is_some(),
            phone: found.jid.as_ref().and_then(number),
            lid: found.lid.map(|lid| lid.to_string()),
            number: found.asked,
        };
        Ok(found.into_iter().map(view).collect())
    }
}
