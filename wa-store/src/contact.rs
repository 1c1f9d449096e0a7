//! People: their names, and the tokens they gave for writing to them.
//!
//! Knows nothing of how a name was learnt.

use std::fmt;

use wa_proto::Jid;

use crate::{SecretBytes, Timestamp};

/// Where a name comes from, which decides what it is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NameSource {
    /// The user's own address book.
    AddressBook,
    /// The verified name of a business, which it asked for itself.
    Business,
    /// The name a person gave themself.
    PushName,
    /// The name by which a person can be found without their number.
    Username,
    /// A group's or channel's subject, which its members set.
    Subject,
}

impl NameSource {
    /// Whether others than the user chose the name: then it proves nothing about who bears it.
    pub const fn is_self_chosen(self) -> bool {
        !matches!(self, Self::AddressBook)
    }
}

/// What is known of a person. The same person under phone number and LID is one contact.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contact {
    /// The person: the LID where it is known, else the phone number.
    pub jid: Jid,
    /// The phone number, where it is known.
    pub phone: Option<Jid>,
    /// The LID, where it is known.
    pub lid: Option<Jid>,
    /// The name in the user's address book.
    pub full_name: Option<String>,
    /// The first name in the user's address book.
    pub first_name: Option<String>,
    /// The name the person gave themself.
    pub push_name: Option<String>,
    /// The verified name of a business.
    pub business_name: Option<String>,
    /// The phone number as the server shows it to those who may not see it whole.
    pub redacted_phone: Option<String>,
    /// The name by which the person can be found without their number.
    pub username: Option<String>,
}

impl Contact {
    /// A person of whom nothing more is known.
    pub const fn new(jid: Jid) -> Self {
        Self {
            jid,
            phone: None,
            lid: None,
            full_name: None,
            first_name: None,
            push_name: None,
            business_name: None,
            redacted_phone: None,
            username: None,
        }
    }

    /// The name to show: the address book's, else the business's, else the person's own, else the
    /// one by which they can be found.
    pub fn name(&self) -> Option<&str> {
        self.named().map(|(_, name)| name)
    }

    /// Whether the user's own address book has them.
    pub fn is_in_address_book(&self) -> bool {
        self.book_name().is_some()
    }

    /// The name in the user's own address book.
    pub fn book_name(&self) -> Option<&str> {
        let names = [&self.full_name, &self.first_name];
        names.into_iter().find_map(|name| name.as_deref().filter(|name| !name.is_empty()))
    }

    /// The name to show, and who chose it.
    pub fn named(&self) -> Option<(NameSource, &str)> {
        self.names().next()
    }

    /// Every name there is, the one to show first.
    pub fn names(&self) -> impl Iterator<Item = (NameSource, &str)> {
        let names = [
            (NameSource::AddressBook, &self.full_name),
            (NameSource::AddressBook, &self.first_name),
            (NameSource::Business, &self.business_name),
            (NameSource::PushName, &self.push_name),
            (NameSource::Username, &self.username),
        ];
        let names = names.into_iter().filter_map(|(source, name)| Some((source, name.as_deref()?)));
        names.filter(|(_, name)| !name.is_empty())
    }

    /// Takes what `update` brings; whether that changed anything.
    pub(crate) fn apply(&mut self, update: &ContactUpdate) -> bool {
        let mut changed = false;
        for (mine, theirs) in [
            (&mut self.full_name, &update.full_name),
            (&mut self.first_name, &update.first_name),
            (&mut self.push_name, &update.push_name),
            (&mut self.business_name, &update.business_name),
            (&mut self.redacted_phone, &update.redacted_phone),
            (&mut self.username, &update.username),
        ] {
            if theirs.is_some() && mine != theirs {
                mine.clone_from(theirs);
                changed = true;
            }
        }
        changed
    }

    /// Takes from the same person's other record what this one lacks.
    pub(crate) fn fill_from(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.full_name, &other.full_name),
            (&mut self.first_name, &other.first_name),
            (&mut self.push_name, &other.push_name),
            (&mut self.business_name, &other.business_name),
            (&mut self.redacted_phone, &other.redacted_phone),
            (&mut self.username, &other.username),
        ] {
            if mine.is_none() {
                mine.clone_from(theirs);
            }
        }
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Contact(…)")
    }
}

/// What was learnt of a person; `None` leaves what is known.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContactUpdate {
    /// The person, by phone number or LID.
    pub jid: Jid,
    /// See [`Contact::full_name`].
    pub full_name: Option<String>,
    /// See [`Contact::first_name`].
    pub first_name: Option<String>,
    /// See [`Contact::push_name`].
    pub push_name: Option<String>,
    /// See [`Contact::business_name`].
    pub business_name: Option<String>,
    /// See [`Contact::redacted_phone`].
    pub redacted_phone: Option<String>,
    /// See [`Contact::username`].
    pub username: Option<String>,
}

impl ContactUpdate {
    /// Nothing new yet about this person.
    pub const fn new(jid: Jid) -> Self {
        Self {
            jid,
            full_name: None,
            first_name: None,
            push_name: None,
            business_name: None,
            redacted_phone: None,
            username: None,
        }
    }
}

impl fmt::Debug for ContactUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContactUpdate(…)")
    }
}

/// How long a token is of any use, in weeks: the one it was given in and the three after.
pub const TOKEN_WEEKS: i64 = 4;

/// The time before which tokens are of no use any more, in whole weeks.
pub(crate) fn token_cutoff(now: Timestamp) -> Timestamp {
    const WEEK: i64 = 7 * 24 * 60 * 60;
    Timestamp::from_secs((now.secs().div_euclid(WEEK) - (TOKEN_WEEKS - 1)).saturating_mul(WEEK))
}

/// The token a person gave, which the server demands of those who write to them first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivacyToken {
    /// The token they gave.
    pub token: SecretBytes,
    /// The time it carries.
    pub timestamp: Timestamp,
    /// When this account last gave them one of its own.
    pub issued_at: Option<Timestamp>,
}
