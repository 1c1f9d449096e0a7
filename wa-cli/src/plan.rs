//! What was meant: names become people, words become times.

use jiff::tz::TimeZone;
use wa_bridge::{Candidate, Recipient, Resolution};
use wa_proto::Jid;
use wa_store::{Store, Timestamp};

use crate::{
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
    let recipient: Recipient =
        named.parse().map_err(|error| Failure::new(Cause::Usage, format!("{error}")))?;
    match (recipient.resolve(store).await?, pick) {
        (Resolution::One(jid), _) => Ok(jid),
        (Resolution::Several(candidates), Some(pick)) => usize::try_from(pick)
            .ok()
            .and_then(|pick| candidates.get(pick.checked_sub(1)?))
            .map(|candidate| candidate.jid.clone())
            .ok_or_else(|| several(named, &candidates)),
        (Resolution::Several(candidates), None) => Err(several(named, &candidates)),
        _ => Err(Failure::new(Cause::Failed, format!("nobody named {named:?} is known"))
            .remedy("write the phone number with its country code, or see: wa-cli chats")),
    }
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
