//! A chat of the history: its name and settings, its token, and whether the phone has more of it.
//!
//! Knows nothing of messages.

use wa_proto::{Jid, pb};
use wa_store::{
    Change, ChatUpdate, ContactUpdate, GapPlace, GapReason, HistoryGap, MessageQuery, Order,
    PrivacyToken, StoreError, Timestamp,
};

use super::{apply::Applier, message::plausible};
use crate::{draft::Draft, event::HistoryKind};
use pb::conversation::EndOfHistoryTransferType as Transfer;

/// What the phone has of a chat beyond what it gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It does not say.
    Unknown,
    /// Nothing.
    Complete,
    /// More.
    More,
    /// More, which it may not give.
    NoAccess,
}

/// Puts what is said of a chat into the draft; `oldest` is when its oldest message in this part
/// was sent. `None` if it has no name that can be read.
///
/// # Errors
/// The store's.
pub(super) async fn put(
    applier: &mut Applier<'_>,
    draft: &mut Draft<'_>,
    entry: &pb::Conversation,
    oldest: Option<Timestamp>,
) -> Result<Option<(Jid, End)>, StoreError> {
    let Ok(named) = entry.id.parse::<Jid>() else { return Ok(None) };
    let chat = applier.canonical(&named).await?;
    put_name(draft, &chat, entry);
    put_token(draft, &chat, entry).await?;
    // Later parts repeat what was so when the first was made, and since then it may have changed.
    let is_new =
        applier.kind != HistoryKind::OnDemand && draft.store().chat(&chat).await?.is_none();
    if is_new || applier.kind == HistoryKind::Bootstrap {
        put_settings(draft, &chat, entry, applier.inner.now());
    }
    let end = end(entry);
    if applier.keeps_messages {
        note_end(draft, &chat, end, oldest).await?;
    }
    Ok(Some((chat, end)))
}

/// A group's subject is the chat's own name. A person's name is what the address book calls them; what
/// the phone shows where it has none there may be what they call themself, and counts as that.
fn put_name(draft: &mut Draft<'_>, chat: &Jid, entry: &pb::Conversation) {
    if let Some(username) = entry.username.as_ref().filter(|name| !name.is_empty())
        && chat.is_person()
    {
        let mut contact = ContactUpdate::new(chat.clone());
        contact.username = Some(username.clone());
        draft.push(Change::PutContact(Box::new(contact)));
    }
    let given = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
    let (saved, shown) = (given(&entry.name), given(&entry.display_name));
    let Some(name) = shown.as_ref().or(saved.as_ref()).cloned() else { return };
    if chat.is_person() {
        let mut contact = ContactUpdate::new(chat.clone());
        contact.push_name = shown.filter(|_| saved.is_none());
        contact.full_name = saved;
        draft.push(Change::PutContact(Box::new(contact)));
    } else {
        let mut update = ChatUpdate::new(chat.clone());
        update.name = Some(name);
        draft.push(Change::PutChat(Box::new(update)));
    }
}

/// The token with which the person may be written to, unless a newer one is known.
async fn put_token(
    draft: &mut Draft<'_>,
    chat: &Jid,
    entry: &pb::Conversation,
) -> Result<(), StoreError> {
    let Some(token) = entry.tc_token.as_ref().filter(|token| !token.is_empty()) else {
        return Ok(());
    };
    let time = |seconds: u64| Timestamp::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    let timestamp = time(entry.tc_token_timestamp());
    let known = draft.store().privacy_token(chat).await?;
    if known.as_ref().is_some_and(|known| known.timestamp >= timestamp) {
        return Ok(());
    }
    let issued_at = entry.tc_token_sender_timestamp.map(time);
    let issued_at = issued_at.max(known.and_then(|known| known.issued_at));
    let token = PrivacyToken { token: token.to_vec().into(), timestamp, issued_at };
    draft.push(Change::PutPrivacyToken { jid: chat.clone(), token });
    Ok(())
}

fn put_settings(draft: &mut Draft<'_>, chat: &Jid, entry: &pb::Conversation, now: Timestamp) {
    let mut update = ChatUpdate::new(chat.clone());
    update.unread = entry.unread_count;
    update.marked_unread = entry.marked_as_unread;
    update.archived = entry.archived;
    update.muted_until = entry.mute_end_time.map(muted_until);
    update.pinned_at = entry
        .pinned
        .map(|at| Some(at).filter(|at| *at != 0).map(|at| plausible(u64::from(at), now)));
    update.ephemeral_secs =
        entry.ephemeral_expiration.map(|seconds| Some(seconds).filter(|seconds| *seconds != 0));
    draft.push(Change::PutChat(Box::new(update)));
}

/// The end of a silence: 0 for none, in seconds or milliseconds, or so large that it has no end.
fn muted_until(time: u64) -> Option<Timestamp> {
    let seconds = if time > LAST_SECONDS { time / 1000 } else { time };
    let until = Timestamp::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    (time != 0).then_some(until)
}

fn end(entry: &pb::Conversation) -> End {
    match entry.end_of_history_transfer_type.and_then(|kind| Transfer::try_from(kind).ok()) {
        Some(
            Transfer::CompleteButMoreMessagesRemainOnPrimary
            | Transfer::CompleteOnDemandSyncButMoreMsgRemainOnPrimary,
        ) => End::More,
        Some(Transfer::CompleteAndNoMoreMessageRemainOnPrimary) => End::Complete,
        Some(Transfer::CompleteOnDemandSyncWithMoreMsgOnPrimaryButNoAccess) => End::NoAccess,
        None if entry.end_of_history_transfer() => End::Complete,
        None => End::Unknown,
    }
}

/// Notes what is missing of a chat, or that nothing is any more.
async fn note_end(
    draft: &mut Draft<'_>,
    chat: &Jid,
    end: End,
    oldest: Option<Timestamp>,
) -> Result<(), StoreError> {
    let place = GapPlace::Chat(chat.clone());
    let reason = match end {
        End::Unknown => return Ok(()),
        End::Complete => {
            draft.push(Change::RemoveHistoryGap(place));
            return Ok(());
        }
        End::More => GapReason::MoreOnPhone,
        End::NoAccess => GapReason::NoAccess,
    };
    // A part that comes late says nothing of what lies before those that were read already.
    let kept = oldest_kept(draft, chat).await?;
    if kept.is_some_and(|kept| oldest.is_none_or(|oldest| kept < oldest)) {
        return Ok(());
    }
    let mut gap = HistoryGap::new(place, reason);
    gap.to = oldest;
    draft.push(Change::PutHistoryGap(Box::new(gap)));
    Ok(())
}

/// When the oldest message was sent that the archive has of a chat.
pub(super) async fn oldest_kept(
    draft: &Draft<'_>,
    chat: &Jid,
) -> Result<Option<Timestamp>, StoreError> {
    let mut query = MessageQuery::chat(chat.clone());
    query.order = Order::OldestFirst;
    query.limit = 1;
    let oldest = draft.store().messages(&query).await?;
    Ok(oldest.first().map(|message| message.timestamp))
}

/// The largest number that is taken for seconds; larger ones are milliseconds.
const LAST_SECONDS: u64 = 99_999_999_999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_is_read_in_every_form() {
        assert_eq!(muted_until(0), None);
        assert_eq!(muted_until(1_700_000_000), Some(Timestamp::from_secs(1_700_000_000)));
        assert_eq!(muted_until(1_700_000_000_000), Some(Timestamp::from_secs(1_700_000_000)));
        assert_eq!(muted_until(u64::MAX), Some(Timestamp::MAX));
    }

    #[test]
    fn an_end_is_read_from_either_field() {
        let chat = |end, kind: Option<Transfer>| pb::Conversation {
            end_of_history_transfer: end,
            end_of_history_transfer_type: kind.map(Into::into),
            ..Default::default()
        };
        let more = Transfer::CompleteButMoreMessagesRemainOnPrimary;
        assert_eq!(end(&chat(Some(true), Some(more))), End::More);
        assert_eq!(end(&chat(Some(true), None)), End::Complete);
        assert_eq!(end(&chat(None, None)), End::Unknown);
    }
}
