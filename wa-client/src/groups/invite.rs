//! The verbs about invitations: the link of a group, and the message for one person.

use std::{fmt, str::FromStr};

use wa_proto::{
    Jid,
    content::GroupInvite,
    request::{GroupByInvite, GroupByLink, InviteCode, JoinByInvite, JoinByLink, JoinedByLink},
    stanza::{GroupInfo, IqError},
};

use super::{Groups, cache, checked, refused};
use crate::{error::Error, request::RequestError};

/// The link of a group. Whoever has it can join: treat it as a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteLink(String);

/// A text is no link of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the link of a group: expected https://chat.whatsapp.com/ and a code")]
pub struct ParseInviteLinkError;

/// What every link begins with.
const LINK: &str = "https://chat.whatsapp.com/";
/// The longest code, in characters; usual ones have 22.
const MAX_CODE_LEN: usize = 64;

impl InviteLink {
    /// The code alone.
    pub fn code(&self) -> &str {
        &self.0
    }
}

impl FromStr for InviteLink {
    type Err = ParseInviteLinkError;

    /// Takes a link, or its code alone.
    fn from_str(text: &str) -> Result<Self, ParseInviteLinkError> {
        let text = text.trim();
        let bare = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        match bare.unwrap_or(text).strip_prefix("chat.whatsapp.com/") {
            Some(code) => Self::of_code(code),
            None if bare.is_none() => Self::of_code(text),
            None => Err(ParseInviteLinkError),
        }
    }
}

impl InviteLink {
    fn of_code(code: &str) -> Result<Self, ParseInviteLinkError> {
        let code = code.split(['?', '#']).next().unwrap_or_default();
        let code = code.strip_prefix("invite/").unwrap_or(code).trim_end_matches('/');
        let is_code = (1..=MAX_CODE_LEN).contains(&code.len())
            && code
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        is_code.then(|| Self(code.into())).ok_or(ParseInviteLinkError)
    }
}

impl fmt::Display for InviteLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{LINK}{}", self.0)
    }
}

/// Without the code.
impl fmt::Debug for InviteLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteLink(…)")
    }
}

impl Groups {
    /// The link of a group.
    ///
    /// # Errors
    /// [`Error::AdminsOnly`], [`Error::NotInGroup`]; or the server could not be asked.
    pub async fn invite_link(&self, group: &Jid) -> Result<InviteLink, Error> {
        self.code(group, false).await
    }

    /// Another link for a group; the old one is void from then on.
    ///
    /// # Errors
    /// As [`Groups::invite_link`].
    pub async fn reset_invite_link(&self, group: &Jid) -> Result<InviteLink, Error> {
        self.code(group, true).await
    }

    async fn code(&self, group: &Jid, reset: bool) -> Result<InviteLink, Error> {
        let group = checked(group)?;
        let code = self.inner.request(&InviteCode { group, reset }).await.map_err(refused)?;
        InviteLink::of_code(&code)
            .map_err(|_| Error::Internal("the server gave a code of another form"))
    }

    /// The group behind a link, without its people.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a link that is void; or the server could not be asked.
    pub async fn info_by_link(&self, link: &InviteLink) -> Result<GroupInfo, Error> {
        self.inner.request(&GroupByLink { code: link.code().into() }).await.map_err(uninvited)
    }

    /// Joins by a link, or asks to be let in where admins have to agree.
    ///
    /// # Errors
    /// As [`Groups::info_by_link`]; 409 if the account is in the group already.
    pub async fn join_by_link(&self, link: &InviteLink) -> Result<JoinedByLink, Error> {
        let joined = self.inner.request(&JoinByLink { code: link.code().into() }).await;
        joined.map_err(uninvited)
    }

    /// The group behind an invitation message, without its people. `from` is who sent it.
    ///
    /// # Errors
    /// As [`Groups::info_by_link`].
    pub async fn info_by_invite(
        &self,
        invite: &GroupInvite,
        from: &Jid,
    ) -> Result<GroupInfo, Error> {
        let Invitation { group, code, expiration } = Invitation::of(invite)?;
        let admin = from.to_user();
        let query = GroupByInvite { group, code: code.into(), expiration, admin };
        self.inner.request(&query).await.map_err(uninvited)
    }

    /// Joins by an invitation message, and gives the group. `from` is who sent it.
    ///
    /// # Errors
    /// As [`Groups::join_by_link`].
    pub async fn join_by_invite(&self, invite: &GroupInvite, from: &Jid) -> Result<Jid, Error> {
        let Invitation { group, code, expiration } = Invitation::of(invite)?;
        let join = JoinByInvite {
            group: group.clone(),
            code: code.into(),
            expiration,
            admin: from.to_user(),
        };
        self.inner.request(&join).await.map_err(uninvited)?;
        cache::forget(&self.inner, &group).await?;
        Ok(group)
    }
}

/// What of an invitation message is needed.
struct Invitation {
    group: Jid,
    code: String,
    expiration: u64,
}

impl Invitation {
    fn of(invite: &GroupInvite) -> Result<Self, Error> {
        let group = invite.group.as_ref();
        let group = group.ok_or(Error::InvalidInput("the invitation names no group"))?;
        if invite.code.is_empty() {
            return Err(Error::InvalidInput("the invitation was taken back"));
        }
        Ok(Self {
            group: checked(group)?,
            code: invite.code.clone(),
            expiration: invite.expires_at.and_then(|at| u64::try_from(at).ok()).unwrap_or(0),
        })
    }
}

/// What the server's refusal means of an invitation.
fn uninvited(error: RequestError) -> Error {
    match error {
        RequestError::Refused(IqError { code: 401 | 404 | 406 | 410, .. }) => {
            Error::InvalidInput("the invitation is void")
        }
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_read_in_the_forms_people_have_it_in() {
        for text in [
            "https://chat.whatsapp.com/ABCdef123",
            "chat.whatsapp.com/ABCdef123",
            " https://chat.whatsapp.com/invite/ABCdef123?mode=x ",
            "ABCdef123",
        ] {
            let link: InviteLink = text.parse().unwrap();
            assert_eq!(link.to_string(), "https://chat.whatsapp.com/ABCdef123");
        }
        for text in ["", "https://chat.whatsapp.com/", "https://example.com/ABC", "a b", "../x"] {
            assert_eq!(text.parse::<InviteLink>(), Err(ParseInviteLinkError), "{text}");
        }
        let link: InviteLink = "ABCdef123".parse().unwrap();
        assert!(!format!("{link:?}").contains("ABC"));
    }
}
