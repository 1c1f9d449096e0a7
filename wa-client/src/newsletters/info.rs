//! What a channel says of itself, as GraphQL's JSON.
//!
//! Owns the reading of it. Knows nothing of how it is asked.

use serde_json::Value;
use wa_proto::{Jid, Server};

use crate::mex;

/// What a channel says of itself.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewsletterInfo {
    /// Its address.
    pub jid: Jid,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// What comes behind `https://whatsapp.com/channel/`.
    pub invite: Option<String>,
    /// How many follow it.
    pub subscribers: u64,
    /// When it was made, in seconds since 1970.
    pub created_at: Option<u64>,
    /// Whether WhatsApp vouches for its name.
    pub is_verified: bool,
    /// What the account is in it; `None` where the server does not say.
    pub role: Option<NewsletterRole>,
    /// Whether the account muted it.
    pub is_muted: bool,
}

/// What an account is in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NewsletterRole {
    /// It does not follow.
    Guest,
    /// It follows.
    Subscriber,
    /// It may post.
    Admin,
    /// It made the channel.
    Owner,
}

/// Without what people wrote.
impl std::fmt::Debug for NewsletterInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewsletterInfo").field("role", &self.role).finish_non_exhaustive()
    }
}

impl NewsletterInfo {
    /// Reads the metadata, bare or in a `result`; `None` if it names no channel.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let value = value.get("result").unwrap_or(value);
        let text = |path: &str| Some(value.pointer(path)?.as_str()?.to_owned());
        let given = |path: &str| text(path).filter(|text| !text.is_empty());
        let is =
            |path: &str, word: &str| text(path).is_some_and(|text| text.eq_ignore_ascii_case(word));
        Some(Self {
            jid: newsletter(value.get("id"))?,
            name: text("/thread_metadata/name/text").unwrap_or_default(),
            description: given("/thread_metadata/description/text"),
            invite: given("/thread_metadata/invite"),
            subscribers: mex::number(value.pointer("/thread_metadata/subscribers_count"))
                .unwrap_or(0),
            created_at: mex::number(value.pointer("/thread_metadata/creation_time")),
            is_verified: is("/thread_metadata/verification", "verified"),
            role: text("/viewer_metadata/role").and_then(|role| {
                Some(match role.to_ascii_lowercase().as_str() {
                    "guest" => NewsletterRole::Guest,
                    "subscriber" => NewsletterRole::Subscriber,
                    "admin" => NewsletterRole::Admin,
                    "owner" => NewsletterRole::Owner,
                    _ => return None,
                })
            }),
            is_muted: is("/viewer_metadata/mute", "on"),
        })
    }
}

/// The address of a channel.
pub(super) fn newsletter(value: Option<&Value>) -> Option<Jid> {
    let jid: Jid = value?.as_str()?.parse().ok()?;
    (jid.server == Server::Newsletter).then_some(jid)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_channel_is_nothing() {
        for value in [json!(null), json!({}), json!({ "id": 7 }), json!({ "id": "1@g.us" })] {
            assert_eq!(NewsletterInfo::read(&value), None);
        }
        let bare = NewsletterInfo::read(&json!({ "id": "1@newsletter" })).unwrap();
        assert_eq!((bare.name.as_str(), bare.role, bare.is_muted), ("", None, false));
    }
}
