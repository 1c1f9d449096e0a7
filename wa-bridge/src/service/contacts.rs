//! People: who is known, and who is on WhatsApp.

use wa_store::ContactQuery;

use super::{Call, Perform, call::page};
use crate::{
    api::{CandidateView, CheckedView, ContactCheck, ContactList, ContactView, Named, Resolve},
    failure::{Cause, Failure},
    view::{PersonView, number},
};

/// The most numbers that are asked about at once.
const MAX_NUMBERS: usize = 50;

impl Perform for ContactList {
    async fn perform(self, call: &Call<'_>) -> Result<Vec<ContactView>, Failure> {
        let (store, limit) = (call.store(), page(self.limit, 50));
        let mut skip = usize::try_from(self.offset).unwrap_or(usize::MAX);
        let mut query = ContactQuery::default();
        query.text.clone_from(&self.query);
        query.limit = wa_store::MAX_PAGE;
        let mut views = Vec::new();
        loop {
            let contacts = store.contacts(&query).await?;
            let is_last = contacts.len() < query.limit;
            for contact in &contacts {
                if views.len() >= limit {
                    return Ok(views);
                }
                let readable = call.may_read(&contact.jid).await?;
                if readable && skip > 0 {
                    skip -= 1;
                } else if readable {
                    views.push(ContactView::new(contact));
                }
            }
            if is_last {
                return Ok(views);
            }
            query.offset += contacts.len();
        }
    }
}

impl Perform for Resolve {
    async fn perform(self, call: &Call<'_>) -> Result<CandidateView, Failure> {
        let jid = match self.only {
            None => call.recipient(&self.named).await?,
            Some(Named::Person) => call.person(&self.named).await?,
            Some(Named::Group) => call.group(&self.named).await?,
        };
        let store = call.store();
        if let Some(chat) = store.chat(&jid).await?
            && let Some(name) = chat.name
        {
            let phone = chat.phone.as_ref().and_then(number);
            return Ok(CandidateView { jid: jid.to_string(), name, phone, username: None });
        }
        let person = PersonView::new(&jid, store).await?;
        Ok(CandidateView {
            jid: jid.to_string(),
            name: person.name.unwrap_or_default(),
            phone: person.phone,
            username: store.contact(&jid).await?.and_then(|contact| contact.username),
        })
    }
}

impl Perform for ContactCheck {
    async fn perform(self, call: &Call<'_>) -> Result<Vec<CheckedView>, Failure> {
        if self.numbers.is_empty() || self.numbers.len() > MAX_NUMBERS {
            let message = format!("{} numbers were given", self.numbers.len());
            return Err(Failure::new(Cause::Usage, message)
                .remedy(format!("give 1 to {MAX_NUMBERS} numbers with their country codes")));
        }
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
