//! From what was named to who is meant, by what the archive knows.
//!
//! Only the user's own address book, an exact address and a number decide whom a name means. A
//! group's subject, the name somebody gave themself, that of a business and a username are chosen by
//! others: whoever bears one of these is offered, and never taken before somebody else who fits.

use wa_proto::{Jid, Server};
use wa_store::{ChatQuery, Contact, ContactQuery, MAX_PAGE, NameSource, Store, StoreError};

use super::{ChatKind, Recipient};
use crate::archive::Archive;

/// The most people that are offered where a name fits several.
pub(crate) const MAX_CANDIDATES: usize = 20;

/// Who a name fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// Exactly one; its JID is a phone number's where the LID is not known yet.
    One(Jid),
    /// One or several, those in the address book first: somebody has to choose by address.
    Several(Vec<Candidate>),
    /// Nobody.
    Nobody,
}

/// What a name that others chose is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SelfChosen {
    /// It decides, where nothing else fits: a person at their own terminal names the groups they
    /// are in by what these are called.
    Decides,
    /// It is offered: whoever asks may have been talked into the name.
    IsOffered,
}

/// One of several who may be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Whom to write to.
    pub(crate) jid: Jid,
    /// The name that fitted.
    pub(crate) name: String,
    /// Where that name comes from.
    pub(crate) source: NameSource,
    /// What the address book calls them, where that is not the name that fitted.
    pub(crate) saved_as: Option<String>,
    /// The phone number, if it is known.
    pub(crate) phone: Option<Jid>,
    /// The name by which they can be found without their number, if it is known.
    pub(crate) username: Option<String>,
}

impl Candidate {
    /// Who or what it is.
    pub(crate) fn kind(&self) -> ChatKind {
        ChatKind::of(&self.jid)
    }
}

impl Recipient {
    /// Finds out who is meant, among what may be read and is `wanted`. A name that one person bears
    /// in full in the address book wins over those it is a part of; a name that fits several is
    /// never guessed.
    ///
    /// # Errors
    /// [`StoreError`] if the archive cannot be read.
    pub(crate) async fn resolve(
        &self,
        archive: &Archive<'_>,
        wanted: fn(&Jid) -> bool,
        self_chosen: SelfChosen,
    ) -> Result<Resolution, StoreError> {
        match self {
            Self::Jid(jid) => Ok(Resolution::One(canonical(jid, archive.store()).await?)),
            Self::Phone(digits) => {
                let phone = Jid::phone(digits.as_str());
                Ok(Resolution::One(canonical(&phone, archive.store()).await?))
            }
            Self::Name(name) => {
                let mut fitting = Fitting::find(name, archive).await?;
                fitting.retain(|candidate| wanted(&candidate.jid));
                Ok(fitting.choose(name, self_chosen))
            }
        }
    }
}

/// The one form of an address under which everything is kept and compared: by LID where it is
/// known, and in the ordinary name space.
async fn canonical(jid: &Jid, store: &dyn Store) -> Result<Jid, StoreError> {
    let server = match &jid.server {
        Server::Legacy | Server::Hosted => Server::User,
        Server::HostedLid => Server::Lid,
        other => other.clone(),
    };
    let jid = Jid { server, ..jid.to_user() };
    if !jid.is_phone() {
        return Ok(jid);
    }
    Ok(store.lid_of(&jid).await?.unwrap_or(jid))
}

/// Everybody whom a name fits.
#[derive(Debug, Default)]
struct Fitting {
    /// By what the user calls them.
    in_book: Vec<Candidate>,
    /// By what they or others call them.
    self_chosen: Vec<Candidate>,
}

impl Fitting {
    async fn find(name: &str, archive: &Archive<'_>) -> Result<Self, StoreError> {
        let mut query = ContactQuery::default();
        query.text = Some(name.to_owned());
        query.limit = MAX_PAGE;
        query.address_book_only = true;
        let contacts = archive.contacts(query.clone()).await?.into_iter();
        let in_book: Vec<_> = contacts.filter_map(|contact| saved(&contact)).collect();

        query.address_book_only = false;
        let mut self_chosen = Vec::new();
        for contact in archive.contacts(query).await? {
            let candidate = called(&contact, name);
            self_chosen.extend(candidate.filter(|one| !in_book.iter().any(|b| b.jid == one.jid)));
        }

        let mut query = ChatQuery::default();
        query.text = Some(name.to_owned());
        query.limit = MAX_PAGE;
        for chat in archive.chats(query).await? {
            // A chat with one person bears the person's name, which stands above.
            if let (false, Some(name)) = (chat.jid.is_person(), chat.name) {
                self_chosen.push(Candidate {
                    jid: chat.jid,
                    name,
                    source: NameSource::Subject,
                    saved_as: None,
                    phone: None,
                    username: None,
                });
            }
        }
        Ok(Self { in_book, self_chosen })
    }

    fn retain(&mut self, keep: impl Fn(&Candidate) -> bool) {
        self.in_book.retain(&keep);
        self.self_chosen.retain(&keep);
    }

    fn choose(mut self, name: &str, self_chosen: SelfChosen) -> Resolution {
        let wanted = name.to_lowercase();
        let is_exact = |candidate: &Candidate| {
            let names = [Some(&candidate.name), candidate.username.as_ref()];
            names.into_iter().flatten().any(|name| name.to_lowercase() == wanted)
        };
        if !name.chars().any(char::is_alphanumeric) {
            // Signs alone are a part of every name, and mean nobody unless they are all of it.
            self.retain(is_exact);
        }
        // A username is self-chosen, so that it makes nobody of the address book an exact match.
        let mut exact = self.in_book.iter().filter(|one| one.name.to_lowercase() == wanted);
        if let (Some(one), None) = (exact.next(), exact.next()) {
            return Resolution::One(one.jid.clone());
        }
        match (self.in_book.as_slice(), self.self_chosen.as_slice()) {
            ([], []) => Resolution::Nobody,
            ([one], []) => Resolution::One(one.jid.clone()),
            ([], [one]) if self_chosen == SelfChosen::Decides => Resolution::One(one.jid.clone()),
            _ => {
                let mut all = self.in_book;
                all.extend(self.self_chosen);
                all.truncate(MAX_CANDIDATES);
                Resolution::Several(all)
            }
        }
    }
}

/// Somebody by what the address book calls them.
fn saved(contact: &Contact) -> Option<Candidate> {
    let name = contact.book_name()?;
    Some(candidate(contact, NameSource::AddressBook, name))
}

/// Somebody by the name that others chose for them and that fits best.
fn called(contact: &Contact, wanted: &str) -> Option<Candidate> {
    let wanted = wanted.to_lowercase();
    let mut names: Vec<_> = contact.names().filter(|(source, _)| source.is_self_chosen()).collect();
    // The sort is stable: of two that hold it, or do not, the better one stays first.
    names.sort_by_key(|(_, name)| !name.to_lowercase().contains(&wanted));
    let (source, name) = *names.first()?;
    let mut candidate = candidate(contact, source, name);
    candidate.saved_as = contact.book_name().map(str::to_owned);
    Some(candidate)
}

fn candidate(contact: &Contact, source: NameSource, name: &str) -> Candidate {
    Candidate {
        jid: contact.lid.as_ref().unwrap_or(&contact.jid).clone(),
        name: name.to_owned(),
        source,
        saved_as: None,
        phone: contact.phone.clone(),
        username: contact.username.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(user: &str, name: &str, source: NameSource) -> Candidate {
        let jid = match source {
            NameSource::Subject => Jid::group(user),
            _ => Jid::lid(user),
        };
        let name = name.to_owned();
        Candidate { jid, name, source, saved_as: None, phone: None, username: None }
    }

    fn saved(user: &str, name: &str) -> Candidate {
        named(user, name, NameSource::AddressBook)
    }

    fn choose(name: &str, in_book: &[Candidate], self_chosen: &[Candidate]) -> Resolution {
        let fitting = || Fitting { in_book: in_book.to_vec(), self_chosen: self_chosen.to_vec() };
        let chosen = fitting().choose(name, SelfChosen::Decides);
        if !in_book.is_empty() {
            let offered = fitting().choose(name, SelfChosen::IsOffered);
            assert_eq!(chosen, offered, "the address book decides alike for everybody");
        }
        chosen
    }

    #[test]
    fn a_name_that_fits_several_is_not_guessed() {
        let both = [saved("1", "Anna Berg"), saved("2", "Anna Claes")];
        assert_eq!(choose("anna", &both, &[]), Resolution::Several(both.to_vec()));
        assert_eq!(choose("anna", &[], &[]), Resolution::Nobody);
    }

    #[test]
    fn a_group_that_is_renamed_to_somebodys_name_does_not_get_their_messages() {
        let group = named("9", "Anna", NameSource::Subject);
        let both = [saved("1", "Anna Berg"), saved("2", "Anna Claes")];
        assert!(matches!(
            choose("Anna", &both, std::slice::from_ref(&group)),
            Resolution::Several(_)
        ));
        let one = [saved("1", "Anna Berg")];
        let offered = [one[0].clone(), group.clone()];
        assert_eq!(
            choose("Anna", &one, std::slice::from_ref(&group)),
            Resolution::Several(offered.into())
        );
        let exact = [saved("1", "Anna")];
        assert_eq!(choose("Anna", &exact, &[group]), Resolution::One(Jid::lid("1")));
    }

    #[test]
    fn a_name_that_somebody_gave_themself_never_wins() {
        let mallory = named("9", "Anna Berg", NameSource::PushName);
        let known = [saved("1", "Anna Berg")];
        let mallory = std::slice::from_ref(&mallory);
        assert_eq!(choose("Anna Berg", &known, mallory), Resolution::One(Jid::lid("1")));
        assert!(matches!(choose("Anna", &known, mallory), Resolution::Several(_)));
        // Of two who chose it themselves neither is taken, not even the one who bears it in full.
        let others = [mallory[0].clone(), named("8", "Anna Bergman", NameSource::Business)];
        assert!(matches!(choose("Anna Berg", &[], &others), Resolution::Several(_)));
        // Alone, it is what a person means at their own terminal, and nothing for an assistant.
        assert_eq!(choose("Anna Berg", &[], mallory), Resolution::One(Jid::lid("9")));
        let fitting = Fitting { in_book: Vec::new(), self_chosen: mallory.to_vec() };
        let offered = fitting.choose("Anna Berg", SelfChosen::IsOffered);
        assert_eq!(offered, Resolution::Several(mallory.to_vec()));
    }

    #[test]
    fn signs_mean_only_who_is_called_so() {
        let people = [saved("1", "Anna"), saved("2", "👍")];
        assert_eq!(choose("👍", &people, &[]), Resolution::One(Jid::lid("2")));
        for signs in ["\0", "...", "-"] {
            assert_eq!(choose(signs, &people[..1], &[]), Resolution::Nobody, "{signs:?}");
        }
    }

    #[test]
    fn a_full_name_wins_over_names_it_is_part_of() {
        let people = [saved("1", "Anna"), saved("2", "Anna Claes")];
        assert_eq!(choose("anna", &people, &[]), Resolution::One(Jid::lid("1")));
        let twins = [saved("1", "Anna"), saved("2", "Anna")];
        assert!(matches!(choose("Anna", &twins, &[]), Resolution::Several(_)));
    }
}
