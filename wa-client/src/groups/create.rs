//! The verb that makes a group: what may be said about it first.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
};

use wa_proto::{Jid, request, stanza::GroupInfo};

use super::{cache, checked, people};
use crate::{error::Error, inner::Inner, send::message_id::message_id};

/// A group that is about to be made; awaiting makes it, with this account as its first admin.
///
/// People who cannot be added are not in the answer; [`super::Groups::add`] says why.
#[must_use = "no group is made until this is awaited"]
#[derive(Debug)]
pub struct CreateGroup {
    inner: Arc<Inner>,
    subject: String,
    people: Vec<Jid>,
    ephemeral: u32,
    approval: bool,
    locked: bool,
    announcement: bool,
    community: Option<Jid>,
}

impl CreateGroup {
    pub(super) const fn new(inner: Arc<Inner>, subject: String) -> Self {
        Self {
            inner,
            subject,
            people: Vec::new(),
            ephemeral: 0,
            approval: false,
            locked: false,
            announcement: false,
            community: None,
        }
    }

    /// Takes these people in.
    pub fn with(mut self, people: impl IntoIterator<Item = Jid>) -> Self {
        self.people.extend(people);
        self
    }

    /// Lets messages disappear after so many seconds: a day, a week or 90 days.
    pub const fn ephemeral(mut self, seconds: u32) -> Self {
        self.ephemeral = seconds;
        self
    }

    /// Admins have to let people in.
    pub const fn with_approval(mut self) -> Self {
        self.approval = true;
        self
    }

    /// Admins alone may change name, picture and description.
    pub const fn locked(mut self) -> Self {
        self.locked = true;
        self
    }

    /// Admins alone may write.
    pub const fn announcements_only(mut self) -> Self {
        self.announcement = true;
        self
    }

    /// Makes it part of a community.
    pub fn in_community(mut self, community: Jid) -> Self {
        self.community = Some(community);
        self
    }

    async fn run(self) -> Result<GroupInfo, Error> {
        let inner = &*self.inner;
        check_subject(&self.subject)?;
        let key = fresh_id(inner)?;
        let mut create = request::CreateGroup::new(self.subject, key);
        if !self.people.is_empty() {
            create.participants = people(inner, &self.people).await?;
        }
        create.ephemeral = self.ephemeral;
        create.needs_approval = self.approval;
        create.is_locked = self.locked;
        create.is_announcement = self.announcement;
        create.community = self.community.as_ref().map(checked).transpose()?;
        made(inner, &inner.request(&create).await?).await
    }
}

impl IntoFuture for CreateGroup {
    type Output = Result<GroupInfo, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// Keeps a group that was made, unless its notice came first.
pub(super) async fn made(inner: &Inner, info: &GroupInfo) -> Result<GroupInfo, Error> {
    let _one_at_a_time = inner.locks.group(info.jid.clone()).await;
    if inner.store.group(&info.jid).await?.is_none() {
        cache::keep(inner, std::slice::from_ref(info)).await?;
    }
    Ok(info.clone())
}

/// Whether a group may be called so.
pub(super) fn check_subject(subject: &str) -> Result<(), Error> {
    if subject.trim().is_empty() {
        return Err(Error::InvalidInput("a group needs a name"));
    }
    if subject.chars().count() > MAX_SUBJECT {
        return Err(Error::InvalidInput("a group's name has at most 100 characters"));
    }
    Ok(())
}

/// A name for something new: a request, or the wording of a description.
pub(super) fn fresh_id(inner: &Inner) -> Result<String, Error> {
    let account = inner.account();
    let own = account.jid.as_ref().ok_or(Error::NotLinked)?;
    Ok(inner.with_rng(|rng| message_id(inner.clock.unix(), own, rng)))
}

/// The longest name of a group, in characters.
const MAX_SUBJECT: usize = 100;
