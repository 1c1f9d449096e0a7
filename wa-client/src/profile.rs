//! What people show of themselves: name, "about", picture, business, and the timer of new chats.
//!
//! Owns the questions and the changes of one's own. The name is a matter of the app state.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
};

use serde_json::json;
use wa_proto::{
    Jid,
    request::{
        BusinessProfile as AskBusiness, BusinessProfileAnswer, Picture as AskPicture,
        PictureAnswer, PictureLocation, SetAbout, SetDisappearingMode, SetOwnPicture,
    },
};
use wa_store::Change;

use crate::{
    Client,
    error::Error,
    inner::Inner,
    lid, mex,
    people::{self, About},
    privacy_token,
    receive::own_jids,
};

/// The document that changes the "about" text.
const SET_ABOUT: &str = "9152604461510864";
/// The longest "about" text, in characters.
pub const MAX_ABOUT_LEN: usize = 139;
/// The largest picture that is sent, in bytes.
pub const MAX_PICTURE_LEN: usize = 1 << 20;
/// The setting of the store that holds the timer of new chats, in seconds.
const TIMER: &str = "account/disappearing-timer";
/// The timers that WhatsApp knows, in seconds: off, a day, a week, 90 days.
const TIMERS: [u32; 4] = [0, 86_400, 604_800, 7_776_000];

impl Client {
    /// What people show of themselves, and the user's own of it.
    pub fn profile(&self) -> Profile {
        Profile { inner: Arc::clone(self.inner()) }
    }
}

/// What people show of themselves. Made by [`Client::profile`].
#[derive(Debug, Clone)]
pub struct Profile {
    inner: Arc<Inner>,
}

/// Somebody's picture.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProfilePicture {
    /// It can be had there.
    Set(PictureLocation),
    /// It is still the one that is known.
    Unchanged,
    /// There is none.
    NotSet,
    /// It is not shown to this account.
    Hidden,
}

impl Profile {
    /// The name that others see, as far as it is known here.
    pub fn name(&self) -> Option<String> {
        self.inner.account().push_name.clone()
    }

    /// The user's own "about" text.
    ///
    /// # Errors
    /// [`Error::NotLinked`]; as every request.
    pub async fn about(&self) -> Result<Option<About>, Error> {
        Ok(people::about_and_timer(&self.inner, &self.own()?).await?.0)
    }

    /// Changes the user's own "about" text, at most [`MAX_ABOUT_LEN`] characters.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if it is too long; as every request.
    pub async fn set_about(&self, text: impl Into<String>) -> Result<(), Error> {
        let text = text.into();
        if text.chars().count() > MAX_ABOUT_LEN {
            return Err(Error::InvalidInput("an about text has at most 139 characters"));
        }
        let input = json!({ "input": { "text": text, "ephemeral_duration_sec": 0 } });
        match mex::query(&self.inner, SET_ABOUT, &input).await {
            Ok(_) => Ok(()),
            // The way it was done before, which some servers still know alone.
            Err(
                Error::Server { code: 400..=499 } | Error::UnreadableAnswer | Error::Protocol(_),
            ) => Ok(self.inner.request(&SetAbout { text }).await?),
            Err(error) => Err(error),
        }
    }

    /// Asks for the picture of a person or a group, or the user's own.
    pub fn picture(&self, of: &Jid) -> GetPicture {
        GetPicture {
            inner: Arc::clone(&self.inner),
            of: of.to_user(),
            preview: false,
            known_id: None,
        }
    }

    /// Changes the user's own picture, a square JPEG of at most [`MAX_PICTURE_LEN`] bytes. Answers
    /// the new picture's id, if the server tells it.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if it is no JPEG or too large; as every request.
    pub async fn set_picture(&self, jpeg: impl Into<Vec<u8>>) -> Result<Option<String>, Error> {
        let jpeg = jpeg.into();
        if !jpeg.starts_with(&[0xff, 0xd8, 0xff]) {
            return Err(Error::InvalidInput("a picture has to be a JPEG"));
        }
        if jpeg.len() > MAX_PICTURE_LEN {
            return Err(Error::InvalidInput("a picture has at most 1 MiB"));
        }
        let id = self.inner.request(&SetOwnPicture { jpeg: Some(jpeg.into()) }).await?;
        Ok(id.map(Into::into))
    }

    /// Takes the user's own picture away.
    ///
    /// # Errors
    /// As every request.
    pub async fn remove_picture(&self) -> Result<(), Error> {
        self.inner.request(&SetOwnPicture { jpeg: None }).await?;
        Ok(())
    }

    /// What a business says of itself; `None` for those who are none.
    ///
    /// # Errors
    /// As every request.
    pub async fn business(&self, of: &Jid) -> Result<Option<BusinessProfileAnswer>, Error> {
        let of = lid::canonical(&*self.inner.store, &of.to_user()).await?;
        Ok(self.inner.request(&AskBusiness { of }).await?)
    }

    /// The timer that the user's new chats begin with, in seconds; 0 is off. Asked for where it was
    /// never told, and kept by notices since.
    ///
    /// # Errors
    /// [`Error::NotLinked`]; as every request.
    pub async fn disappearing_timer(&self) -> Result<u32, Error> {
        let kept = self.inner.store.setting(TIMER).await?;
        if let Some(seconds) = kept.and_then(|kept| String::from_utf8(kept).ok()?.parse().ok()) {
            return Ok(seconds);
        }
        let told = people::about_and_timer(&self.inner, &self.own()?).await?.1.unwrap_or(0);
        keep_timer(&self.inner, told).await?;
        Ok(told)
    }

    /// Changes the timer that the user's new chats begin with: 0 is off, else a day, a week or 90
    /// days, in seconds.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if WhatsApp has no such timer; as every request.
    pub async fn set_disappearing_timer(&self, seconds: u32) -> Result<(), Error> {
        if !TIMERS.contains(&seconds) {
            return Err(Error::InvalidInput("WhatsApp has timers of a day, a week and 90 days"));
        }
        self.inner.request(&SetDisappearingMode { duration: seconds }).await?;
        keep_timer(&self.inner, seconds).await?;
        Ok(())
    }

    fn own(&self) -> Result<Jid, Error> {
        self.inner.account().jid.as_ref().map(Jid::to_user).ok_or(Error::NotLinked)
    }
}

/// Keeps the timer that new chats begin with.
///
/// # Errors
/// The store's.
pub(crate) async fn keep_timer(inner: &Inner, seconds: u32) -> Result<(), wa_store::StoreError> {
    let value = Some(seconds.to_string().into_bytes());
    inner.store.commit(Change::PutSetting { name: TIMER.to_owned(), value }.into()).await?;
    Ok(())
}

/// A picture is about to be asked for; awaiting it asks.
#[must_use = "nothing is asked until this is awaited"]
pub struct GetPicture {
    inner: Arc<Inner>,
    of: Jid,
    preview: bool,
    known_id: Option<String>,
}

impl GetPicture {
    /// The small picture rather than the large one.
    pub fn preview(mut self) -> Self {
        self.preview = true;
        self
    }

    /// Only if it is another than the one with this id.
    pub fn unless(mut self, known_id: impl Into<String>) -> Self {
        self.known_id = Some(known_id.into());
        self
    }

    async fn run(self) -> Result<ProfilePicture, Error> {
        let inner = &*self.inner;
        let own = own_jids(&inner.account()).ok_or(Error::NotLinked)?;
        let of = lid::canonical(&*inner.store, &self.of).await?;
        // With a token the server never answers about one's own.
        let token = match own.is_me(&of) {
            true => None,
            false => privacy_token::of(inner, &of).await?,
        };
        let request = AskPicture {
            of,
            preview: self.preview,
            known_id: self.known_id.map(Into::into),
            token: token.map(Into::into),
        };
        match inner.request(&request).await.map_err(Error::from) {
            Ok(PictureAnswer::Set(location)) => Ok(ProfilePicture::Set(location)),
            Ok(PictureAnswer::Unchanged) => Ok(ProfilePicture::Unchanged),
            Ok(_) | Err(Error::Server { code: 404 }) => Ok(ProfilePicture::NotSet),
            Err(Error::Server { code: 401 | 403 }) => Ok(ProfilePicture::Hidden),
            Err(error) => Err(error),
        }
    }
}

impl IntoFuture for GetPicture {
    type Output = Result<ProfilePicture, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl std::fmt::Debug for GetPicture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GetPicture").finish_non_exhaustive()
    }
}
