//! What was meant: names become people, words become times.

use jiff::tz::TimeZone;
use wa_bridge::{Candidate, Recipient, Resolution};
use wa_proto::Jid;
use wa_store::{ArchivedMessage, Store, Timestamp};

use crate::{
    args::{NamedChat, NamedGroup, NamedMessage},
    failure::{Cause, Failure},
    moment,
    view::number,
};

/// The person or chat that was named, whether or not anything was ever said there.
pub(crate) async fn recipient(
    named: &str,
    pick: Option<u64>,
    store: &dyn Store,
) -> Result<Jid, Failure> {
    resolve(named, pick, |_| true, store).await?.ok_or_else(|| {
        Failure::new(Cause::Failed, format!("nobody named {named:?} is known"))
            .remedy("write the phone number with its country code, or see: wa-cli chats")
    })
}

/// A person.
pub(crate) async fn person(
    named: &str,
    pick: Option<u64>,
    store: &dyn Store,
) -> Result<Jid, Failure> {
    match resolve(named, pick, Jid::is_person, store).await? {
        Some(jid) if jid.is_person() => Ok(jid),
        Some(_) => Err(Failure::new(Cause::Usage, format!("{named:?} is no person"))
            .remedy("write the phone number with its country code")),
        None => Err(Failure::new(Cause::Failed, format!("nobody named {named:?} is known"))
            .remedy("write the phone number with its country code, or see: wa-cli contacts")),
    }
}

/// A group.
pub(crate) async fn group(named: &NamedGroup, store: &dyn Store) -> Result<Jid, Failure> {
    let NamedGroup { group: name, pick } = named;
    match resolve(name, *pick, Jid::is_group, store).await? {
        Some(jid) if jid.is_group() => Ok(jid),
        Some(_) => Err(Failure::new(Cause::Usage, format!("{name:?} is no group"))
            .remedy("see: wa-cli groups list")),
        None => Err(Failure::new(Cause::Failed, format!("no group named {name:?} is known"))
            .remedy("see: wa-cli groups list")),
    }
}

/// Whom a name means, among those who are wanted.
async fn resolve(
    named: &str,
    pick: Option<u64>,
    wanted: impl Fn(&Jid) -> bool,
    store: &dyn Store,
) -> Result<Option<Jid>, Failure> {
    let recipient: Recipient =
        named.parse().map_err(|error| Failure::new(Cause::Usage, format!("{error}")))?;
    let mut candidates = match recipient.resolve(store).await? {
        Resolution::One(jid) => return Ok(Some(jid)),
        Resolution::Several(candidates) => candidates,
        _ => return Ok(None),
    };
    candidates.retain(|candidate| wanted(&candidate.jid));
    match (candidates.as_slice(), pick) {
        ([one], None) => Ok(Some(one.jid.clone())),
        ([], _) => Ok(None),
        (fitting, None) => Err(several(named, fitting)),
        (fitting, Some(pick)) => {
            let place = usize::try_from(pick).ok().and_then(|pick| pick.checked_sub(1));
            let picked = place.and_then(|place| fitting.get(place));
            picked.map(|it| Some(it.jid.clone())).ok_or_else(|| several(named, fitting))
        }
    }
}

/// The person or chat that a command's first argument names.
pub(crate) async fn chat(named: &NamedChat, store: &dyn Store) -> Result<Jid, Failure> {
    recipient(&named.chat, named.pick, store).await
}

/// Several people, in the order in which they were named.
pub(crate) async fn people(named: &[String], store: &dyn Store) -> Result<Vec<Jid>, Failure> {
    let mut people = Vec::new();
    for name in named {
        people.push(person(name, None, store).await?);
    }
    Ok(people)
}

/// A message that is in the archive.
pub(crate) async fn message(
    named: &NamedMessage,
    store: &dyn Store,
) -> Result<ArchivedMessage, Failure> {
    let chat = chat(&named.chat, store).await?;
    let unknown =
        |what: String| Failure::new(Cause::Usage, what).remedy("see: wa-cli messages CHAT --ids");
    wa_proto::MessageId::new(named.id.as_str())
        .map_err(|_| unknown(format!("{:?} is no message id", named.id)))?;
    let found = store.messages_by_id(&chat, &named.id.as_str().into()).await?;
    let mut found = found.into_iter();
    let message = found.next().ok_or_else(|| {
        unknown(format!("there is no message {:?} with {:?}", named.id, named.chat.chat))
    })?;
    if found.next().is_some() {
        return Err(unknown(format!("several messages of this chat have the id {:?}", named.id)));
    }
    Ok(message)
}

/// A chat that is in the archive.
pub(crate) async fn known_chat(
    named: &str,
    pick: Option<u64>,
    store: &dyn Store,
) -> Result<Jid, Failure> {
    let jid = recipient(named, pick, store).await?;
    if store.chat(&jid).await?.is_some() || store.contact(&jid).await?.is_some() {
        return Ok(jid);
    }
    Err(Failure::new(Cause::Failed, format!("there is no chat with {named:?} in the archive"))
        .remedy("see: wa-cli chats"))
}

/// A time on the command line.
pub(crate) fn time(text: Option<&str>, zone: &TimeZone) -> Result<Option<Timestamp>, Failure> {
    text.map(|text| moment::parse(text, zone))
        .transpose()
        .map_err(|error| Failure::new(Cause::Usage, error.to_string()))
}

fn several(named: &str, candidates: &[Candidate]) -> Failure {
    let list = candidates
        .iter()
        .enumerate()
        .map(|(i, candidate)| {
            let phone = candidate.phone.as_ref().and_then(number);
            let address = phone.unwrap_or_else(|| candidate.jid.to_string());
            format!("{}) {} {address}", i + 1, crate::output::foreign::plain(&candidate.name, " "))
        })
        .collect::<Vec<_>>()
        .join(", ");
    Failure::new(Cause::Usage, format!("{named:?} fits several: {list}"))
        .remedy("choose with --pick N, or write the number")
}
