//! Notices about this account and about what people show.
//!
//! Owns what each changes and tells. Devices, keys and tokens have notices of their own.

use std::sync::Arc;

use wa_proto::{
    Jid,
    stanza::{AccountChange, MexUpdate, Notification, NotificationBody},
};
use wa_store::StoreError;

use crate::{
    devices,
    event::{AccountEvent, ContactEvent, Event, NewsletterEvent},
    inner::Inner,
    lid, mex, newsletters, people, privacy, profile, restriction,
    stanza_handler::HandleError,
};

/// Deals with such a notice; gives back what is none.
///
/// # Errors
/// The store's.
pub(crate) async fn handle(
    inner: &Arc<Inner>,
    notification: Notification,
) -> Result<Option<Notification>, HandleError> {
    let from = &notification.envelope.from;
    match notification.body {
        NotificationBody::Account(changes) => {
            for change in changes {
                account_changed(inner, change).await?;
            }
        }
        NotificationBody::Picture(ref change) => {
            // A hash alone names nobody.
            let Some(of) = &change.of else { return Ok(None) };
            let of = canonical(inner, of).await?;
            let by = match &change.author {
                Some(author) => Some(canonical(inner, author).await?),
                None => None,
            };
            let id = change.id.as_ref().map(ToString::to_string);
            tell(inner, ContactEvent::PictureChanged { of, by, id });
        }
        NotificationBody::About { text: ref about } => {
            let (user, about) = (canonical(inner, from).await?, about.clone());
            let timestamp = notification.timestamp;
            tell(inner, ContactEvent::AboutChanged { user, about, timestamp });
        }
        NotificationBody::DisappearingMode { duration: seconds } => {
            let user = canonical(inner, from).await?;
            tell(inner, ContactEvent::DisappearingTimerChanged { user, seconds });
        }
        NotificationBody::Business => {
            tell(inner, ContactEvent::BusinessChanged { user: canonical(inner, from).await? });
        }
        NotificationBody::Newsletter(ref posts) => {
            let (newsletter, posts) = (from.clone(), posts.clone());
            inner.emit(Event::Newsletter(NewsletterEvent::Updated { newsletter, posts }));
        }
        NotificationBody::Mex(ref news) => {
            for news in news {
                mex_told(inner, news).await?;
            }
        }
        _ => return Ok(Some(notification)),
    }
    Ok(None)
}

async fn canonical(inner: &Inner, jid: &Jid) -> Result<Jid, StoreError> {
    lid::canonical(&*inner.store, &jid.to_user()).await
}

fn tell(inner: &Inner, event: ContactEvent) {
    inner.emit(Event::Contact(event));
}

/// A setting of this account changed on another device.
async fn account_changed(inner: &Arc<Inner>, change: AccountChange) -> Result<(), StoreError> {
    match change {
        AccountChange::Devices { .. } => devices::forget_own(inner).await?,
        AccountChange::Privacy(settings) => privacy::keep(inner, &settings).await?,
        AccountChange::Picture => inner.emit(Event::Account(AccountEvent::PictureChanged)),
        AccountChange::Blocklist(change) => people::block_list::told(inner, &change).await?,
        AccountChange::DisappearingMode { duration: seconds, .. } => {
            profile::keep_timer(inner, seconds).await?;
            inner.emit(Event::Account(AccountEvent::DisappearingTimerChanged { seconds }));
        }
        _ => {}
    }
    Ok(())
}

/// News in GraphQL's form. What cannot be read, or is of no kind known here, is passed over.
async fn mex_told(inner: &Arc<Inner>, news: &MexUpdate) -> Result<(), StoreError> {
    let Ok(data) = mex::data(&news.json) else {
        tracing::debug!("news that cannot be read");
        return Ok(());
    };
    if !newsletters::told(inner, &data) {
        restriction::told(inner, &data).await?;
    }
    Ok(())
}
