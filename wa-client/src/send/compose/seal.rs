//! Votes and answers, sealed with the secret of the message they answer.

use prost::Message as _;
use wa_addon::{MESSAGE_SECRET_LEN, SecretContext, SecretUse, poll_option_hash};
use wa_proto::{
    Jid,
    content::Sealed,
    pb::message::{self, event_response_message::EventResponseType},
};
use wa_store::{Attendance, MessageKey, MessageSecret};

use super::target;
use crate::{error::Error, inner::Inner};

/// A vote for these options, which the poll must have.
pub(super) async fn vote(
    inner: &Inner,
    poll: &MessageKey,
    options: &[String],
) -> Result<Sealed, Error> {
    target::archived(inner, poll).await?;
    let tally = inner.store.poll(poll).await?;
    let tally = tally.ok_or(Error::InvalidInput("the message is no poll"))?;
    let limit = usize::try_from(tally.selectable).unwrap_or(usize::MAX);
    if limit != 0 && options.len() > limit {
        return Err(Error::InvalidInput("the poll allows fewer options than were chosen"));
    }
    let mut vote = message::PollVoteMessage::default();
    for option in options {
        if tally.option(option).is_none() {
            return Err(Error::InvalidInput("the poll has no such option"));
        }
        let hash = poll_option_hash(option).to_vec().into();
        if !vote.selected_options.contains(&hash) {
            vote.selected_options.push(hash);
        }
    }
    seal(inner, poll, SecretUse::PollVote, &vote.encode_to_vec()).await
}

/// An answer to an event.
pub(super) async fn answer(
    inner: &Inner,
    event: &MessageKey,
    attendance: Attendance,
    guests: u32,
    now_ms: Option<i64>,
) -> Result<Sealed, Error> {
    let message = target::archived(inner, event).await?;
    if message.kind.as_str() != wa_proto::content::Kind::Event.as_str() {
        return Err(Error::InvalidInput("the message is no event"));
    }
    let response = match attendance {
        Attendance::Going => EventResponseType::Going,
        Attendance::NotGoing => EventResponseType::NotGoing,
        Attendance::Maybe => EventResponseType::Maybe,
        _ => return Err(Error::InvalidInput("that is no answer to an event")),
    };
    let answer = message::EventResponseMessage {
        response: Some(response.into()),
        timestamp_ms: now_ms,
        extra_guest_count: i32::try_from(guests).ok().filter(|guests| *guests > 0),
    };
    seal(inner, event, SecretUse::EventResponse, &answer.encode_to_vec()).await
}

async fn seal(
    inner: &Inner,
    target: &MessageKey,
    secret_use: SecretUse,
    plaintext: &[u8],
) -> Result<Sealed, Error> {
    let known = inner.store.message_secret(target).await?;
    let MessageSecret { sender: original, secret } =
        known.ok_or(Error::InvalidInput("the secret of that message is not known here"))?;
    let secret = <[u8; MESSAGE_SECRET_LEN]>::try_from(secret.as_bytes())
        .map_err(|_| Error::InvalidInput("the secret of that message is broken"))?;
    let modifier = own_name_beside(inner, &original)?;
    let context = SecretContext {
        secret: &secret,
        message_id: target.id.as_str(),
        original_sender: &original,
        modification_sender: &modifier,
        secret_use,
    };
    let (iv, payload) = inner.with_rng(|rng| context.seal(plaintext, rng));
    let target = Some(target::key(target)?);
    Ok(Sealed { target, payload: payload.into(), iv: iv.to_vec().into() })
}

/// The own name of the kind that the other one is of: people who address somebody by LID know the
/// answering one by LID too.
fn own_name_beside(inner: &Inner, other: &Jid) -> Result<Jid, Error> {
    let account = inner.account();
    let phone = account.jid.as_ref().ok_or(Error::NotLinked)?;
    let own = account.lid.as_ref().filter(|_| other.is_lid()).unwrap_or(phone);
    Ok(own.to_user())
}
