//! From a queued message to its stanza: recipients, devices, sessions, ciphertexts.
//!
//! Reads as the flow it is. Whatever waits for the server comes first; then, under the locks of
//! the people concerned, everything is encrypted and committed at once. How that goes depends on
//! the chat.

mod direct;
mod group;
mod newsletter;
mod status;

use std::{collections::BTreeSet, sync::Arc};

use prost::Message as _;
use wa_proto::{
    Jid, MessageId, Node, OwnedNode, Server, pb,
    stanza::{Edit, OutgoingMessage},
};
use wa_store::{Change, Changes, Committed, OutboxEntry, OutboxState, Prefetch, StoreError};

use self::group::Audience;
use super::sealed::Sealed;
use crate::{
    draft::Draft, encryption::Turn, error::Error, identity, inner::Inner, locks::Guard,
    publisher::Announcement,
};

/// A stanza that is made, and is to be committed before it leaves. Until then nobody else advances
/// the keys that it took.
pub(super) struct Prepared {
    stanza: OwnedNode,
    changes: Changes,
    /// The people whose identity is another than before.
    changed: BTreeSet<Jid>,
    _held: Held,
}

/// The locks under which a stanza is made.
#[derive(Default)]
struct Held {
    _turn: Option<Turn>,
    _key: Option<Guard>,
}

impl Prepared {
    /// Of an entry that is about to leave: its stanza and all that was changed for it.
    fn new(entry: OutboxEntry, sealed: Sealed, mut draft: Draft<'_>, held: Held) -> Self {
        draft.push(Change::PutOutbox(Box::new(OutboxEntry {
            payload: sealed.to_node().encode().into(),
            state: OutboxState::Transmitted,
            attempts: entry.attempts.saturating_add(1),
            ..entry
        })));
        let changed = draft.changed_people();
        Self { stanza: sealed.stanza, changes: draft.into_changes(), changed, _held: held }
    }

    /// Commits it as about to leave, after whatever else belongs into the same commit; gives the
    /// stanza.
    ///
    /// # Errors
    /// The store's; then nothing changed.
    pub(super) async fn commit(
        self,
        inner: &Inner,
        mut with: Changes,
    ) -> Result<(OwnedNode, Committed), StoreError> {
        let Self { stanza, changes, changed, _held } = self;
        with.merge(changes);
        let announcement = Announcement::alterations();
        let committed = inner.publisher.commit(with, announcement).landed().await?;
        identity::announce(inner, changed);
        Ok((stanza, committed))
    }
}

/// Makes the stanza of an entry, which is committed as it is or is going to be with the stanza.
///
/// # Errors
/// Those of the chat's kind: [`Error::NotOnWhatsApp`], [`Error::NoDeviceReached`],
/// [`Error::NotInGroup`]; or the server could not be asked, or the store failed.
pub(super) async fn prepare(
    inner: &Arc<Inner>,
    entry: OutboxEntry,
    queued: &OwnedNode,
) -> Result<Prepared, Error> {
    let skeleton = Skeleton::of(&entry, queued)?;
    if entry.chat.server == Server::Newsletter {
        return Ok(newsletter::prepare(inner, entry, skeleton));
    }
    let audience = match () {
        () if entry.chat.is_group() => Audience::of_group(inner, &entry.chat).await?,
        () if entry.chat.is_status() => Audience::of_status(inner).await?,
        () => return Box::pin(direct::prepare(inner, entry, skeleton)).await,
    };
    Box::pin(group::prepare(inner, entry, skeleton, audience)).await
}

/// Has the store read at once what is about to be asked of it about some devices.
async fn prefetch(inner: &Inner, devices: &[Jid]) -> Result<(), StoreError> {
    if devices.is_empty() {
        return Ok(());
    }
    let mut ahead = Prefetch::default();
    ahead.devices = devices.to_vec();
    inner.store.prefetch(&ahead).await
}

/// What is known of a stanza before anything is encrypted.
struct Skeleton {
    id: MessageId,
    /// The stanza's `type`.
    kind: String,
    edit: Edit,
    media_type: Option<String>,
    /// Of a file in a channel: what the media host calls it.
    media_handle: Option<String>,
    /// Whether whoever cannot decrypt it is not to show that.
    hide_failure: bool,
    /// What it tells the server of polls and events.
    meta: Option<OwnedNode>,
    message: pb::Message,
}

impl Skeleton {
    fn of(entry: &OutboxEntry, queued: &OwnedNode) -> Result<Self, Error> {
        let message = queued
            .content_bytes()
            .and_then(|raw| pb::Message::decode(raw).ok())
            .ok_or(Error::Internal("an outbox entry cannot be decoded"))?;
        let id = MessageId::new(entry.id.as_str())
            .map_err(|_| Error::Internal("an outbox entry has an invalid id"))?;
        Ok(Self {
            id,
            kind: queued.attrs.text("type").map_or("text".into(), |kind| kind.into_owned()),
            edit: edit(queued),
            media_type: queued.attrs.text("mediatype").map(|kind| kind.into_owned()),
            media_handle: queued.attrs.text("handle").map(|handle| handle.into_owned()),
            hide_failure: hides_failure(queued),
            meta: meta(queued),
            message,
        })
    }

    /// The outside of the stanza.
    fn stanza(&self, to: Jid) -> OutgoingMessage {
        let mut stanza = OutgoingMessage::new(to, self.id.clone(), self.kind.as_str());
        stanza.edit = self.edit.clone();
        stanza.extra.extend(self.meta.clone());
        stanza
    }
}

/// What the stanza tells the server of polls and events, as the message's envelope says.
pub(crate) fn meta(envelope: &OwnedNode) -> Option<OwnedNode> {
    let meta = envelope.attrs.text("meta")?;
    let (name, value) = meta.split_once('=')?;
    Some(Node::new("meta").attr(name.to_owned(), value.to_owned()))
}

/// Whether whoever cannot decrypt the message is not to show that, as its envelope says.
pub(crate) fn hides_failure(envelope: &OwnedNode) -> bool {
    envelope.attrs.is("hide", "true")
}

/// What the message does to an earlier one, as its envelope says.
pub(crate) fn edit(envelope: &OwnedNode) -> Edit {
    match envelope.attrs.text("edit").as_deref() {
        Some("1") => Edit::Message,
        Some("2") => Edit::Pin,
        Some("3") => Edit::Admin,
        Some("7") => Edit::SenderRevoke,
        Some("8") => Edit::AdminRevoke,
        _ => Edit::None,
    }
}
