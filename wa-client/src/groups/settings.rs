//! The verbs about what a group is called and permits.

use wa_proto::{
    Jid,
    request::{DescribeGroup, GroupPicture, GroupSetting, SetGroup},
    stanza::{IqError, MemberAddMode},
};

use super::{
    Groups, cache, checked,
    create::{check_subject, fresh_id},
    refused,
};
use crate::{error::Error, request::RequestError};

impl Groups {
    /// Changes what a group is called.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a name that is empty or too long, [`Error::AdminsOnly`],
    /// [`Error::NotInGroup`]; or the server could not be asked.
    pub async fn set_subject(&self, group: &Jid, subject: &str) -> Result<(), Error> {
        check_subject(subject)?;
        self.set(group, GroupSetting::Subject(subject.to_owned())).await
    }

    /// Changes what a group is said to be about; `None` takes the description away. If somebody
    /// else was faster, it is tried once more on top of theirs.
    ///
    /// # Errors
    /// As [`Groups::set_subject`].
    pub async fn set_description(&self, group: &Jid, text: Option<&str>) -> Result<(), Error> {
        let inner = &*self.inner;
        let group = checked(group)?;
        if text.is_some_and(|text| text.chars().count() > MAX_DESCRIPTION) {
            return Err(Error::InvalidInput("a description has at most 2,048 characters"));
        }
        let mut info = cache::info(inner, &group).await?;
        let mut is_again = false;
        loop {
            let describe = DescribeGroup {
                group: group.clone(),
                id: fresh_id(inner)?.into(),
                previous: info.description.take().and_then(|about| about.id),
                text: text.filter(|text| !text.is_empty()).map(str::to_owned),
            };
            match inner.request(&describe).await {
                Err(RequestError::Refused(IqError { code: 409, .. })) if !is_again => {
                    is_again = true;
                    info = cache::refresh(inner, &group).await?;
                }
                outcome => return outcome.map_err(refused),
            }
        }
    }

    /// Whether admins alone may change name, picture and description.
    ///
    /// # Errors
    /// As [`Groups::set_subject`].
    pub async fn set_locked(&self, group: &Jid, locked: bool) -> Result<(), Error> {
        self.set(group, GroupSetting::Locked(locked)).await
    }

    /// Whether admins alone may write.
    ///
    /// # Errors
    /// As [`Groups::set_subject`].
    pub async fn set_announcements_only(&self, group: &Jid, only: bool) -> Result<(), Error> {
        self.set(group, GroupSetting::Announcement(only)).await
    }

    /// After how many seconds messages disappear; 0 is never.
    ///
    /// # Errors
    /// As [`Groups::set_subject`].
    pub async fn set_ephemeral(&self, group: &Jid, seconds: u32) -> Result<(), Error> {
        self.set(group, GroupSetting::Ephemeral(seconds)).await
    }

    /// Whether admins have to let people in.
    ///
    /// # Errors
    /// As [`Groups::set_subject`].
    pub async fn set_approval(&self, group: &Jid, needed: bool) -> Result<(), Error> {
        self.set(group, GroupSetting::Approval(needed)).await
    }

    /// Who may add people.
    ///
    /// # Errors
    /// As [`Groups::set_subject`].
    pub async fn set_member_add_mode(&self, group: &Jid, mode: MemberAddMode) -> Result<(), Error> {
        self.set(group, GroupSetting::MemberAddMode(mode)).await
    }

    /// Changes the picture, a square JPEG, and gives the new one's id.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for what is no JPEG; otherwise as [`Groups::set_subject`].
    pub async fn set_photo(&self, group: &Jid, jpeg: Vec<u8>) -> Result<Option<String>, Error> {
        if !jpeg.starts_with(&[0xff, 0xd8, 0xff]) {
            return Err(Error::InvalidInput("a group's picture is a JPEG"));
        }
        if jpeg.len() > MAX_PHOTO_LEN {
            return Err(Error::InvalidInput("a group's picture has at most 5 MiB"));
        }
        self.picture(group, Some(jpeg)).await
    }

    /// Takes the picture away.
    ///
    /// # Errors
    /// As [`Groups::set_subject`].
    pub async fn remove_photo(&self, group: &Jid) -> Result<(), Error> {
        self.picture(group, None).await.map(drop)
    }

    async fn picture(&self, group: &Jid, jpeg: Option<Vec<u8>>) -> Result<Option<String>, Error> {
        let picture = GroupPicture { group: checked(group)?, jpeg: jpeg.map(Into::into) };
        let id = self.inner.request(&picture).await.map_err(refused)?;
        Ok(id.map(Into::into))
    }

    async fn set(&self, group: &Jid, setting: GroupSetting) -> Result<(), Error> {
        let group = checked(group)?;
        self.inner.request(&SetGroup { group, setting }).await.map_err(refused)
    }
}

/// The longest description, in characters.
const MAX_DESCRIPTION: usize = 2_048;
/// The largest picture, in bytes.
const MAX_PHOTO_LEN: usize = 5 << 20;
