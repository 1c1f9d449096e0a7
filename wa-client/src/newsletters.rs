//! Channels: found, followed, read and reacted to. What is posted goes through the outbox like every
//! message.
//!
//! Owns the questions and what becomes of posts here. Posts are not encrypted; they stand in the
//! archive under the channel's address.

mod info;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use wa_proto::{
    Jid, Server,
    request::{
        NewsletterLive, NewsletterMessages, NewsletterUpdates, newsletter_reaction,
        newsletter_views,
    },
    stanza::ChatKind,
};
use wa_store::{StoreError, Timestamp};

pub use info::{NewsletterInfo, NewsletterRole};
pub use wa_proto::request::NewsletterPost;

use crate::{
    Client,
    draft::Draft,
    error::Error,
    event::{Event, NewsletterEvent},
    inner::Inner,
    mex,
    receive::{
        own_jids,
        provenance::Clear,
        record::{Arrival, Way, record_post},
    },
    send::message_id::message_id,
};

const INFO: &str = "6563316087068696";
const SUBSCRIBED: &str = "6388546374527196";
const CREATE: &str = "8823471724422422";
const FOLLOW: &str = "24404358912487870";
const UNFOLLOW: &str = "9767147403369991";
const MUTE: &str = "29766401636284406";
const UNMUTE: &str = "9864994326891137";
/// Before the invite in a link.
const LINK: &str = "https://whatsapp.com/channel/";
/// The most posts that are asked for at once.
pub const MAX_NEWSLETTER_PAGE: u32 = 100;
/// The longest name of a channel, in characters.
const MAX_NAME_LEN: usize = 100;

impl Client {
    /// Channels.
    pub fn newsletters(&self) -> Newsletters {
        Newsletters { inner: Arc::clone(self.inner()) }
    }
}

/// Channels. Made by [`Client::newsletters`]. To post, send to the channel's address.
#[derive(Debug, Clone)]
pub struct Newsletters {
    inner: Arc<Inner>,
}

impl Newsletters {
    /// What a channel says of itself.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if it is no channel; [`Error::UnreadableAnswer`]; as every request.
    pub async fn info(&self, newsletter: &Jid) -> Result<NewsletterInfo, Error> {
        self.find(check(newsletter)?.to_string(), "JID", true).await
    }

    /// What the channel behind an invite says of itself: a link, or what comes behind
    /// `https://whatsapp.com/channel/`.
    ///
    /// # Errors
    /// As [`Newsletters::info`].
    pub async fn by_invite(&self, invite: &str) -> Result<NewsletterInfo, Error> {
        let key = invite.strip_prefix(LINK).unwrap_or(invite);
        let key = key.split(['?', '/']).next().unwrap_or_default();
        if key.is_empty() {
            return Err(Error::InvalidInput("an invite to a channel is a link or its last part"));
        }
        self.find(key.to_owned(), "INVITE", false).await
    }

    async fn find(
        &self,
        key: String,
        kind: &'static str,
        viewer: bool,
    ) -> Result<NewsletterInfo, Error> {
        let variables = json!({
            "fetch_creation_time": true,
            "fetch_full_image": true,
            "fetch_viewer_metadata": viewer,
            "input": { "key": key, "type": kind },
        });
        let data = mex::query(&self.inner, INFO, &variables).await?;
        read(data.get("xwa2_newsletter"))
    }

    /// The channels that the account follows.
    ///
    /// # Errors
    /// As every request.
    pub async fn subscribed(&self) -> Result<Vec<NewsletterInfo>, Error> {
        let data = mex::query(&self.inner, SUBSCRIBED, &json!({})).await?;
        let list = data.get("xwa2_newsletter_subscribed").and_then(Value::as_array);
        Ok(list.into_iter().flatten().filter_map(NewsletterInfo::read).collect())
    }

    /// Makes a channel.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if the name is empty or has more than 100 characters; as every
    /// request.
    pub async fn create(
        &self,
        name: &str,
        description: Option<&str>,
    ) -> Result<NewsletterInfo, Error> {
        if !(1..=MAX_NAME_LEN).contains(&name.chars().count()) {
            return Err(Error::InvalidInput("the name of a channel has 1 to 100 characters"));
        }
        let input = json!({ "input": { "name": name, "description": description } });
        let data = mex::query(&self.inner, CREATE, &input).await?;
        read(data.get("xwa2_newsletter_create"))
    }

    /// Follows a channel.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if it is no channel; as every request.
    pub async fn follow(&self, newsletter: &Jid) -> Result<(), Error> {
        self.change(FOLLOW, newsletter).await
    }

    /// Follows a channel no longer.
    ///
    /// # Errors
    /// As [`Newsletters::follow`].
    pub async fn unfollow(&self, newsletter: &Jid) -> Result<(), Error> {
        self.change(UNFOLLOW, newsletter).await
    }

    /// Mutes a channel, or no longer.
    ///
    /// # Errors
    /// As [`Newsletters::follow`].
    pub async fn set_muted(&self, newsletter: &Jid, muted: bool) -> Result<(), Error> {
        self.change(if muted { MUTE } else { UNMUTE }, newsletter).await
    }

    async fn change(&self, document: &str, newsletter: &Jid) -> Result<(), Error> {
        let variables = json!({ "newsletter_id": check(newsletter)?.to_string() });
        mex::query(&self.inner, document, &variables).await?;
        Ok(())
    }

    /// A page of posts, the newest first: at most `count`, which is at most
    /// [`MAX_NEWSLETTER_PAGE`], before the one with the number `before`. They are in the archive
    /// when this returns.
    ///
    /// # Errors
    /// [`Error::InvalidInput`]; as every request.
    pub async fn messages(
        &self,
        newsletter: &Jid,
        count: u32,
        before: Option<u64>,
    ) -> Result<Vec<NewsletterPost>, Error> {
        let newsletter = check(newsletter)?.clone();
        let count = page(count)?;
        let request = NewsletterMessages { newsletter: newsletter.clone(), count, before };
        let posts = self.inner.request(&request).await?;
        archive(&self.inner, &newsletter, &posts).await?;
        Ok(posts)
    }

    /// What became of posts: views and reactions, since a time in seconds since 1970, or of those
    /// after the one with the number `after`.
    ///
    /// # Errors
    /// As [`Newsletters::messages`].
    pub async fn updates(
        &self,
        newsletter: &Jid,
        count: u32,
        since: Option<u64>,
        after: Option<u64>,
    ) -> Result<Vec<NewsletterPost>, Error> {
        let newsletter = check(newsletter)?.clone();
        let count = page(count)?;
        Ok(self.inner.request(&NewsletterUpdates { newsletter, count, since, after }).await?)
    }

    /// Asks to be told at once, by [`NewsletterEvent::Updated`], what becomes of posts; answers for
    /// how long, after which it has to be asked again.
    ///
    /// # Errors
    /// As [`Newsletters::follow`].
    pub async fn subscribe_live(&self, newsletter: &Jid) -> Result<Duration, Error> {
        let newsletter = check(newsletter)?.clone();
        let seconds = self.inner.request(&NewsletterLive { newsletter }).await?;
        Ok(Duration::from_secs(seconds))
    }

    /// Tells a channel that posts were seen, by their numbers.
    ///
    /// # Errors
    /// [`Error::InvalidInput`]; [`Error::NotConnected`].
    pub async fn mark_viewed(&self, newsletter: &Jid, posts: &[u64]) -> Result<(), Error> {
        let newsletter = check(newsletter)?;
        if posts.is_empty() {
            return Ok(());
        }
        page(u32::try_from(posts.len()).unwrap_or(u32::MAX))?;
        let node = newsletter_views(&self.inner.request_id(), newsletter, posts);
        self.inner.send_node(&node).await.map_err(|_| Error::NotConnected)
    }

    /// Puts an emoji on a post, by its number; an empty one takes it back.
    ///
    /// # Errors
    /// [`Error::InvalidInput`]; [`Error::NotLinked`]; [`Error::NotConnected`].
    pub async fn react(&self, newsletter: &Jid, post: u64, emoji: &str) -> Result<(), Error> {
        let inner = &self.inner;
        let newsletter = check(newsletter)?;
        let account = inner.account();
        let own = account.jid.as_ref().ok_or(Error::NotLinked)?;
        let id = inner.with_rng(|rng| message_id(inner.clock.unix(), own, rng));
        let node = newsletter_reaction(&id, newsletter, post, emoji);
        inner.send_node(&node).await.map_err(|_| Error::NotConnected)
    }
}

fn check(newsletter: &Jid) -> Result<&Jid, Error> {
    match newsletter.server {
        Server::Newsletter if !newsletter.user.is_empty() => Ok(newsletter),
        _ => Err(Error::InvalidInput("this is no channel")),
    }
}

fn page(count: u32) -> Result<u32, Error> {
    match (1..=MAX_NEWSLETTER_PAGE).contains(&count) {
        true => Ok(count),
        false => Err(Error::InvalidInput("a page has 1 to 100 posts")),
    }
}

fn read(value: Option<&Value>) -> Result<NewsletterInfo, Error> {
    match value {
        Some(Value::Null) | None => Err(Error::Server { code: 404 }),
        Some(value) => NewsletterInfo::read(value).ok_or(Error::UnreadableAnswer),
    }
}

/// Keeps posts that were asked for; those that are there already are left alone.
async fn archive(
    inner: &Inner,
    newsletter: &Jid,
    posts: &[NewsletterPost],
) -> Result<(), StoreError> {
    let Some(own) = own_jids(&inner.account()) else { return Ok(()) };
    let mut draft = Draft::new(&*inner.store);
    for post in posts {
        let (Some(id), Some(plaintext)) = (&post.id, &post.plaintext) else { continue };
        let Some(clear) = Clear::post(newsletter, plaintext) else { continue };
        let timestamp = i64::try_from(post.timestamp.unwrap_or_default()).unwrap_or(i64::MAX);
        let arrival = Arrival {
            id: id.as_str().to_owned(),
            chat: newsletter.clone(),
            kind: ChatKind::Newsletter,
            sender: newsletter.clone(),
            from_me: false,
            way: Way::History,
            deletes_as_admin: false,
            timestamp: Timestamp::from_secs(timestamp),
            push_name: None,
            own: own.clone(),
        };
        record_post(&mut draft, &arrival, &clear).await?;
    }
    let changes = draft.into_changes();
    if !changes.is_empty() {
        inner.store.commit(changes).await?;
    }
    Ok(())
}

/// News of channels among the news in GraphQL's form; whether it was one.
pub(crate) fn told(inner: &Inner, news: &Value) -> bool {
    let of = |name: &str| {
        let about = news.get(name)?;
        Some((info::newsletter(about.get("id"))?, about))
    };
    let event = if let Some((newsletter, _)) = of("xwa2_notify_newsletter_on_join") {
        NewsletterEvent::Joined { newsletter }
    } else if let Some((newsletter, _)) = of("xwa2_notify_newsletter_on_leave") {
        NewsletterEvent::Left { newsletter }
    } else if let Some((newsletter, about)) = of("xwa2_notify_newsletter_on_mute_change") {
        let mute = about.get("mute").and_then(Value::as_str);
        let is_muted = mute.is_some_and(|mute| mute.eq_ignore_ascii_case("on"));
        NewsletterEvent::MuteChanged { newsletter, is_muted }
    } else {
        return false;
    };
    inner.emit(Event::Newsletter(event));
    true
}
