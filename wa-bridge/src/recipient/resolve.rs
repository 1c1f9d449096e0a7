//! From what was named to who is meant, by what the archive knows.

use wa_proto::Jid;
use wa_store::{ChatQuery, Contact, ContactQuery, Store, StoreError};

use super::Recipient;

/// The most people that are offered where a name fits several.
pub const MAX_CANDIDATES: usize = 20;

/// Who a name fits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resolution {
    /// Exactly one; its JID is a phone number's where the LID is not known yet.
    One(Jid),
    /// Several, in a stable order: somebody has to choose.
    Several(Vec<Candidate>),
    /// Nobody.
    Nobody,
}

/// One of several who may be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// Whom to write to.
    pub jid: Jid,
    /// The name that fitted.
    pub name: String,
    /// The phone number, if it is known.
    pub phone: Option<Jid>,
    /// The name by which they can be found without their number, if it is known.
    pub username: Option<String>,
}

impl Recipient {
    /// Finds out who is meant. A name that one person or chat bears in full wins over those it
    /// is a part of; a name that fits several is never guessed.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub async fn resolve(&self, store: &dyn Store) -> Result<Resolution, StoreError> {
        match self {
            Self::Jid(jid) => Ok(Resolution::One(jid.clone())),
            Self::Phone(digits) => {
                let phone = Jid::phone(digits.as_str());
                let lid = store.lid_of(&phone).await?;
                Ok(Resolution::One(lid.unwrap_or(phone)))
            }
            Self::Name(name) => resolve_name(name, store).await,
        }
    }
}

async fn resolve_name(name: &str, store: &dyn Store) -> Result<Resolution, StoreError> {
    let mut query = ContactQuery::default();
    query.text = Some(name.to_owned());
    query.limit = MAX_CANDIDATES;
    let mut candidates: Vec<Candidate> =
        store.contacts(&query).await?.into_iter().filter_map(candidate).collect();

    let mut query = ChatQuery::default();
    query.text = Some(name.to_owned());
    query.limit = MAX_CANDIDATES;
    for chat in store.chats(&query).await? {
        let known = candidates.iter().any(|candidate| candidate.jid == chat.jid);
        if let (false, Some(name)) = (known, chat.name) {
            candidates.push(Candidate { jid: chat.jid, name, phone: chat.phone, username: None });
        }
    }
    Ok(choose(name, candidates))
}

fn candidate(contact: Contact) -> Option<Candidate> {
    let name = contact.name()?.to_owned();
    let jid = contact.lid.unwrap_or(contact.jid);
    Some(Candidate { jid, name, phone: contact.phone, username: contact.username })
}

fn choose(name: &str, mut candidates: Vec<Candidate>) -> Resolution {
    let wanted = name.to_lowercase();
    let is_exact = |candidate: &Candidate| {
        let names = [Some(&candidate.name), candidate.username.as_ref()];
        names.into_iter().flatten().any(|name| name.to_lowercase() == wanted)
    };
    if !name.chars().any(char::is_alphanumeric) {
        // Signs alone are a part of every name, and mean nobody unless they are all of it.
        candidates.retain(is_exact);
    } else if candidates.iter().filter(|candidate| is_exact(candidate)).count() == 1 {
        candidates.retain(is_exact);
    }
    candidates.truncate(MAX_CANDIDATES);
    match candidates.as_slice() {
        [] => Resolution::Nobody,
        [one] => Resolution::One(one.jid.clone()),
        _ => Resolution::Several(candidates),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(user: &str, name: &str) -> Candidate {
        Candidate { jid: Jid::lid(user), name: name.into(), phone: None, username: None }
    }

    #[test]
    fn a_name_that_fits_several_is_not_guessed() {
        let both = vec![named("1", "Anna Berg"), named("2", "Anna Claes")];
        assert_eq!(choose("anna", both.clone()), Resolution::Several(both));
        assert_eq!(choose("anna", vec![]), Resolution::Nobody);
    }

    #[test]
    fn signs_mean_only_who_is_called_so() {
        let people = vec![named("1", "Anna"), named("2", "👍")];
        assert_eq!(choose("👍", people.clone()), Resolution::One(Jid::lid("2")));
        for signs in ["\0", "...", "-"] {
            assert_eq!(choose(signs, people[..1].to_vec()), Resolution::Nobody, "{signs:?}");
        }
    }

    #[test]
    fn a_full_name_wins_over_names_it_is_part_of() {
        let people = vec![named("1", "Anna"), named("2", "Anna Claes")];
        assert_eq!(choose("anna", people), Resolution::One(Jid::lid("1")));
        let mut known = vec![named("1", "Anna Berg"), named("2", "anna.berg and others")];
        if let Some(anna) = known.first_mut() {
            anna.username = Some("anna.berg".into());
        }
        assert_eq!(choose("Anna.Berg", known), Resolution::One(Jid::lid("1")));
        let twins = vec![named("1", "Anna"), named("2", "Anna")];
        assert!(matches!(choose("Anna", twins), Resolution::Several(_)));
    }
}
