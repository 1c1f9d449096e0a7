//! People: whether they are on WhatsApp, what they show of themselves, whom the user blocks.
//!
//! Owns the questions. Names in the address book belong to the app state.

pub(crate) mod block_list;

use std::sync::Arc;

use prost::Message as _;
use wa_proto::{
    Jid, pb,
    request::{Usync, UsyncContext, UsyncMode, UsyncProtocol, UsyncQuery, UsyncResult},
};
use wa_store::{Change, Changes, ContactUpdate};

use crate::{
    Client,
    devices::{self, MAX_PEOPLE},
    error::Error,
    inner::Inner,
    lid, phone_number,
};

impl Client {
    /// People: whether they are on WhatsApp, what they show of themselves, whom the user blocks.
    pub fn people(&self) -> People {
        People { inner: Arc::clone(self.inner()) }
    }
}

/// Questions about people. Made by [`Client::people`].
#[derive(Debug, Clone)]
pub struct People {
    inner: Arc<Inner>,
}

/// Whether a phone number is on WhatsApp.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OnWhatsApp {
    /// The number, as it was asked about.
    pub asked: String,
    /// The account by phone number; `None` if there is none.
    pub jid: Option<Jid>,
    /// The account by LID, if the server tells it.
    pub lid: Option<Jid>,
}

/// What somebody shows of themselves to this account. Fields that they do not show are `None`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PersonInfo {
    /// Who, by LID where it is known.
    pub jid: Jid,
    /// By phone number, where it is known.
    pub phone: Option<Jid>,
    /// By LID, where it is known.
    pub lid: Option<Jid>,
    /// Their devices, the phone included.
    pub devices: Vec<Jid>,
    /// The id of their picture.
    pub picture_id: Option<String>,
    /// Their "about" text.
    pub about: Option<About>,
    /// The verified name of a business.
    pub verified_name: Option<String>,
    /// The name by which they can be found without their number.
    pub username: Option<String>,
    /// The timer that their new chats begin with, in seconds; 0 is off.
    pub disappearing_timer: Option<u32>,
}

/// Somebody's "about" text.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct About {
    /// The text.
    pub text: String,
    /// When it was set, in seconds since 1970.
    pub timestamp: Option<u64>,
}

macro_rules! silent_debug {
    ($($name:ident),*) => {$(
        /// Without what people wrote, and without numbers.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}
silent_debug!(OnWhatsApp, PersonInfo, About);

impl People {
    /// Asks which of these phone numbers are on WhatsApp. The numbers have their country code, in
    /// any usual notation; the answers are in their order. Many are asked about in parts.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if one of them is no number; as every request.
    pub async fn on_whatsapp(
        &self,
        numbers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Vec<OnWhatsApp>, Error> {
        let mut asked = Vec::new();
        for number in numbers {
            let number = number.as_ref();
            asked.push((number.to_owned(), phone_number::parse(number)?));
        }
        let mut found = Vec::new();
        for part in asked.chunks(MAX_PEOPLE) {
            let users = part.iter().map(|(_, jid)| UsyncQuery::Phone(jid.user.clone())).collect();
            let protocols = vec![UsyncProtocol::Contact, UsyncProtocol::Lid];
            let answers = ask(&self.inner, protocols, users).await?;
            for (text, jid) in part {
                let answer = answers.iter().find(|answer| is_about(answer, jid));
                found.push(registered(&self.inner, text, answer).await?);
            }
        }
        Ok(found)
    }

    /// Asks what people show of themselves. Those who are not on WhatsApp are missing in the
    /// answer.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if one of them is no person; as every request.
    pub async fn info(&self, people: &[Jid]) -> Result<Vec<PersonInfo>, Error> {
        if !people.iter().all(Jid::is_person) {
            return Err(Error::InvalidInput("only people can be asked about"));
        }
        let mut infos = Vec::new();
        for part in people.chunks(MAX_PEOPLE) {
            let mut users = Vec::new();
            for person in part {
                let person = lid::canonical(&*self.inner.store, &person.to_user()).await?;
                users.push(UsyncQuery::Jid(person));
            }
            let protocols = vec![
                UsyncProtocol::Business,
                UsyncProtocol::Status,
                UsyncProtocol::Picture,
                UsyncProtocol::Devices,
                UsyncProtocol::Lid,
                UsyncProtocol::DisappearingMode,
                UsyncProtocol::Username,
            ];
            let mut told = Changes::new();
            for answer in ask(&self.inner, protocols, users).await? {
                let info = info(&self.inner, answer).await?;
                if let Some(username) = &info.username {
                    let mut contact = ContactUpdate::new(info.jid.clone());
                    contact.username = Some(username.clone());
                    told.push(Change::PutContact(Box::new(contact)));
                }
                infos.push(info);
            }
            if !told.is_empty() {
                self.inner.store.commit(told).await?;
            }
        }
        Ok(infos)
    }
}

async fn ask(
    inner: &Inner,
    protocols: Vec<UsyncProtocol>,
    users: Vec<UsyncQuery>,
) -> Result<Vec<UsyncResult>, Error> {
    let context = UsyncContext::Interactive;
    let question = Usync { context, mode: UsyncMode::Query, protocols, users };
    let answer = inner.request(&question).await?;
    for user in &answer.users {
        devices::learn_address(inner, user).await?;
    }
    Ok(answer.users)
}

/// Whether an answer is about a number: by what was asked, which some servers repeat, else by its
/// address. Numbers of some countries have an address of other digits.
fn is_about(answer: &UsyncResult, asked: &Jid) -> bool {
    match &answer.asked {
        Some(told) => told.trim_start_matches('+') == asked.user,
        None => answer.jid.is_same_user(asked) || answer.phone.as_ref() == Some(asked),
    }
}

async fn registered(
    inner: &Inner,
    asked: &str,
    answer: Option<&UsyncResult>,
) -> Result<OnWhatsApp, Error> {
    let asked = asked.to_owned();
    let there = answer.filter(|answer| matches!(answer.is_registered, Some(Ok(true))));
    let Some(answer) = there else { return Ok(OnWhatsApp { asked, jid: None, lid: None }) };
    let (phone, lid) = both_names(inner, &answer.jid).await?;
    Ok(OnWhatsApp { asked, jid: phone.or(Some(answer.jid.to_user())), lid })
}

/// Phone number and LID of a person, as far as they are known.
async fn both_names(inner: &Inner, jid: &Jid) -> Result<(Option<Jid>, Option<Jid>), Error> {
    let store = &*inner.store;
    let person = lid::canonical(store, &jid.to_user()).await?;
    Ok(match person.is_lid() {
        true => (store.phone_of(&person).await?, Some(person)),
        false => (Some(person), None),
    })
}

async fn info(inner: &Inner, answer: UsyncResult) -> Result<PersonInfo, Error> {
    let (phone, lid) = both_names(inner, &answer.jid).await?;
    let devices = devices::told_devices(inner, &answer).await?;
    let about = answer.status.and_then(Result::ok);
    let about =
        about.and_then(|about| Some(About { text: about.text?, timestamp: about.timestamp }));
    let verified_name = answer.verified_name.and_then(Result::ok);
    Ok(PersonInfo {
        jid: lid::canonical(&*inner.store, &answer.jid.to_user()).await?,
        phone,
        lid,
        devices,
        picture_id: answer.picture_id.and_then(Result::ok).map(Into::into),
        about,
        verified_name: verified_name.and_then(|bytes| verified_name_of(&bytes)),
        username: answer.username.and_then(Result::ok).flatten(),
        disappearing_timer: answer.disappearing_mode.and_then(Result::ok),
    })
}

/// The name in a business's certificate.
fn verified_name_of(certificate: &[u8]) -> Option<String> {
    let certificate = pb::VerifiedNameCertificate::decode(certificate).ok()?;
    let details = certificate.details?;
    pb::verified_name_certificate::Details::decode(&details[..]).ok()?.verified_name
}

/// The "about" text and the timer of one person.
pub(crate) async fn about_and_timer(
    inner: &Inner,
    person: &Jid,
) -> Result<(Option<About>, Option<u32>), Error> {
    let users = vec![UsyncQuery::Jid(person.to_user())];
    let protocols = vec![UsyncProtocol::Status, UsyncProtocol::DisappearingMode];
    let answer = ask(inner, protocols, users).await?.into_iter().next();
    let answer = answer.ok_or(Error::NotOnWhatsApp)?;
    let about = answer.status.and_then(Result::ok);
    let about =
        about.and_then(|about| Some(About { text: about.text?, timestamp: about.timestamp }));
    Ok((about, answer.disappearing_mode.and_then(Result::ok)))
}
