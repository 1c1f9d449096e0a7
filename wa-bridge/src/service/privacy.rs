//! Who sees what of this account, and may do what; and whom it blocks.

use serde::Serialize;
use serde_json::Value;
use wa_client::{PrivacyKind, PrivacyValue};
use wa_proto::Jid;

use super::{Call, Perform};
use crate::{
    api::{
        Block, BlockList, PersonView, PrivacyAudience, PrivacyGet, PrivacySet, PrivacySetting,
        PrivacyView,
    },
    failure::{Cause, Failure, remedy},
};

/// Every setting, in the order in which they are told.
const SETTINGS: [PrivacySetting; 10] = [
    PrivacySetting::Groups,
    PrivacySetting::LastSeen,
    PrivacySetting::About,
    PrivacySetting::Picture,
    PrivacySetting::ReadReceipts,
    PrivacySetting::Online,
    PrivacySetting::Calls,
    PrivacySetting::Messages,
    PrivacySetting::Defense,
    PrivacySetting::Stickers,
];

/// Every audience.
const AUDIENCES: [PrivacyAudience; 8] = [
    PrivacyAudience::Everybody,
    PrivacyAudience::Contacts,
    PrivacyAudience::ContactsExcept,
    PrivacyAudience::Nobody,
    PrivacyAudience::AsLastSeen,
    PrivacyAudience::Known,
    PrivacyAudience::On,
    PrivacyAudience::Off,
];

impl Perform for PrivacyGet {
    async fn perform(self, call: &Call<'_>) -> Result<Vec<PrivacyView>, Failure> {
        let client = call.online().await?;
        let settings = call.ask(client.privacy().settings()).await?;
        let views = SETTINGS.into_iter().filter_map(|setting| {
            let value = told(settings.of(kind(setting))?);
            Some(PrivacyView { setting, value })
        });
        Ok(views.collect())
    }
}

impl Perform for PrivacySet {
    async fn perform(self, call: &Call<'_>) -> Result<PrivacyView, Failure> {
        let (kind, value) = (kind(self.setting), audience(self.value));
        let word_of_value = word(&self.value);
        if !kind.takes(&value) {
            let message = format!("{} cannot be {word_of_value}", word(&self.setting));
            return Err(Failure::new(Cause::Usage, message).remedy(remedy::PRIVACY));
        }
        let client = call.online().await?;
        call.ask(client.privacy().set(kind, value)).await?;
        Ok(PrivacyView { setting: self.setting, value: word_of_value })
    }
}

/// A setting or an audience as its word.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

/// A value the server told, as its word.
fn told(value: &PrivacyValue) -> String {
    let known = AUDIENCES.into_iter().find(|known| audience(*known) == *value);
    known.map_or_else(|| value.as_str().to_owned(), |known| word(&known))
}

const fn kind(setting: PrivacySetting) -> PrivacyKind {
    match setting {
        PrivacySetting::Groups => PrivacyKind::GroupAdd,
        PrivacySetting::LastSeen => PrivacyKind::LastSeen,
        PrivacySetting::About => PrivacyKind::About,
        PrivacySetting::Picture => PrivacyKind::Picture,
        PrivacySetting::ReadReceipts => PrivacyKind::ReadReceipts,
        PrivacySetting::Online => PrivacyKind::Online,
        PrivacySetting::Calls => PrivacyKind::Calls,
        PrivacySetting::Messages => PrivacyKind::Messages,
        PrivacySetting::Defense => PrivacyKind::Defense,
        PrivacySetting::Stickers => PrivacyKind::Stickers,
    }
}

const fn audience(value: PrivacyAudience) -> PrivacyValue {
    match value {
        PrivacyAudience::Everybody => PrivacyValue::All,
        PrivacyAudience::Contacts => PrivacyValue::Contacts,
        PrivacyAudience::ContactsExcept => PrivacyValue::ContactsExcept,
        PrivacyAudience::Nobody => PrivacyValue::Nobody,
        PrivacyAudience::AsLastSeen => PrivacyValue::MatchLastSeen,
        PrivacyAudience::Known => PrivacyValue::Known,
        PrivacyAudience::On => PrivacyValue::On,
        PrivacyAudience::Off => PrivacyValue::Off,
    }
}

impl Perform for Block {
    async fn perform(self, call: &Call<'_>) -> Result<Vec<PersonView>, Failure> {
        let named = call.people(&self.people).await?;
        if named.is_empty() {
            return Err(
                Failure::new(Cause::Usage, "nobody is named").remedy("name at least one person")
            );
        }
        call.may_write_to_all(&named).await?;
        let client = call.online().await?;
        let people = client.people();
        for person in &named {
            match self.blocked {
                true => call.ask(people.block(person)).await?,
                false => call.ask(people.unblock(person)).await?,
            }
        }
        Ok(PersonView::all(&named, call.store()).await?)
    }
}

impl Perform for BlockList {
    async fn perform(self, call: &Call<'_>) -> Result<Vec<PersonView>, Failure> {
        let client = call.online().await?;
        let blocked: Vec<Jid> = call.ask(client.people().blocked()).await?;
        let mut readable = Vec::with_capacity(blocked.len());
        for person in blocked {
            if call.may_read(&person).await? {
                readable.push(person);
            }
        }
        Ok(PersonView::all(&readable, call.store()).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_told_by_the_word_that_sets_it() {
        for value in AUDIENCES {
            assert_eq!(told(&audience(value)), word(&value));
        }
        assert_eq!(told(&PrivacyValue::MatchLastSeen), "as-last-seen");
        assert_eq!(told(&PrivacyValue::Other("strange".into())), "strange");
    }
}
