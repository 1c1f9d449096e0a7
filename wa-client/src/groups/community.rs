//! The verbs about communities.

use wa_proto::{
    Jid,
    request::{
        LinkSubGroup, LinkedParticipants, NewCommunity, SubGroup, SubGroups, UnlinkSubGroup,
    },
    stanza::{GroupInfo, GroupParticipant},
};

use super::{
    Groups, cache, checked,
    create::{check_subject, fresh_id, made},
    refused,
};
use crate::error::Error;

impl Groups {
    /// Makes a community, with its group for announcements. Others come in with
    /// [`Groups::link`], or are made with [`super::CreateGroup::in_community`].
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a name that is empty or too long; or the server could not be
    /// asked.
    pub async fn create_community(
        &self,
        subject: &str,
        description: &str,
    ) -> Result<GroupInfo, Error> {
        check_subject(subject)?;
        let inner = &*self.inner;
        let community = NewCommunity {
            subject: subject.to_owned(),
            description: (fresh_id(inner)?.into(), description.to_owned()),
            members_may_add_groups: false,
        };
        made(inner, &inner.request(&community).await?).await
    }

    /// The groups of a community, the one for announcements among them.
    ///
    /// # Errors
    /// [`Error::AdminsOnly`], [`Error::NotInGroup`]; or the server could not be asked.
    pub async fn sub_groups(&self, community: &Jid) -> Result<Vec<SubGroup>, Error> {
        let community = checked(community)?;
        self.inner.request(&SubGroups { community }).await.map_err(refused)
    }

    /// Everybody in the groups of a community.
    ///
    /// # Errors
    /// As [`Groups::sub_groups`].
    pub async fn linked_participants(
        &self,
        community: &Jid,
    ) -> Result<Vec<GroupParticipant>, Error> {
        let community = checked(community)?;
        let people = self.inner.request(&LinkedParticipants { community }).await;
        let people = people.map_err(refused)?;
        cache::learn(&self.inner, &people).await?;
        Ok(people)
    }

    /// Makes a group part of a community.
    ///
    /// # Errors
    /// As [`Groups::sub_groups`].
    pub async fn link(&self, community: &Jid, group: &Jid) -> Result<(), Error> {
        let (community, group) = (checked(community)?, checked(group)?);
        self.inner.request(&LinkSubGroup { community, group }).await.map_err(refused)
    }

    /// Takes a group out of a community.
    ///
    /// # Errors
    /// As [`Groups::sub_groups`].
    pub async fn unlink(&self, community: &Jid, group: &Jid) -> Result<(), Error> {
        let (community, group) = (checked(community)?, checked(group)?);
        self.inner.request(&UnlinkSubGroup { community, group }).await.map_err(refused)
    }
}
