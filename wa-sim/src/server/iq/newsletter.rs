//! What is asked about channels: in GraphQL by number, and their posts in stanzas. Knows nothing of
//! how posts get there.

use serde_json::{Value, json};
use wa_proto::{Jid, Node, OwnedNode};

use super::{BAD_REQUEST, IqError, NOT_FOUND, mex::MexError};
use crate::{
    address::DeviceAddress,
    server::{
        Server,
        newsletters::{LIVE_SECS, NewsletterChange},
    },
};

/// The most posts of one answer.
const MAX_PAGE: usize = 300;

impl Server {
    /// A document about channels; `None` if it is about something else.
    pub(super) fn newsletter_document(
        &mut self,
        from: DeviceAddress,
        id: &str,
        variables: &Value,
    ) -> Option<Result<Value, MexError>> {
        let change = match id {
            "6563316087068696" => return Some(self.newsletter_info(from, variables)),
            "6388546374527196" => return Some(Ok(self.newsletters_followed(from))),
            "8823471724422422" => return Some(self.newsletter_made(from, variables)),
            "24404358912487870" => NewsletterChange::Follow,
            "9767147403369991" => NewsletterChange::Leave,
            "29766401636284406" => NewsletterChange::Mute(true),
            "9864994326891137" => NewsletterChange::Mute(false),
            _ => return None,
        };
        let jid = variables.get("newsletter_id").and_then(Value::as_str);
        let jid: Option<Jid> = jid.and_then(|jid| jid.parse().ok());
        let done = jid.filter(|jid| self.change_newsletter(from.account, jid, change));
        let Some(jid) = done else { return Some(Err(404)) };
        let name = match change {
            NewsletterChange::Follow => "xwa2_newsletter_join_v2",
            NewsletterChange::Leave => "xwa2_newsletter_leave_v2",
            NewsletterChange::Mute(true) => "xwa2_newsletter_mute_v2",
            NewsletterChange::Mute(false) => "xwa2_newsletter_unmute_v2",
        };
        let mut answer = serde_json::Map::new();
        answer.insert(name.to_owned(), json!({ "id": jid.to_string() }));
        Some(Ok(Value::Object(answer)))
    }

    fn newsletter_info(&self, from: DeviceAddress, variables: &Value) -> Result<Value, MexError> {
        let key = variables.pointer("/input/key").and_then(Value::as_str).ok_or(400_u16)?;
        let user = key.split('@').next().unwrap_or_default();
        let found = self
            .newsletters
            .iter()
            .find(|(id, newsletter)| *id == user || newsletter.invite == key);
        let (id, newsletter) = found.ok_or(404_u16)?;
        Ok(json!({ "xwa2_newsletter": newsletter.describe(id, from.account) }))
    }

    fn newsletters_followed(&self, from: DeviceAddress) -> Value {
        let followed = self
            .newsletters
            .iter()
            .filter(|(_, newsletter)| newsletter.followers.contains_key(&from.account))
            .map(|(id, newsletter)| newsletter.describe(id, from.account));
        json!({ "xwa2_newsletter_subscribed": followed.collect::<Vec<_>>() })
    }

    fn newsletter_made(
        &mut self,
        from: DeviceAddress,
        variables: &Value,
    ) -> Result<Value, MexError> {
        let text = |name: &str| variables.pointer(name).and_then(Value::as_str);
        let name = text("/input/name").ok_or(400_u16)?;
        let description = text("/input/description").unwrap_or_default();
        let jid = self.create_newsletter(from.account, name, description).ok_or(400_u16)?;
        let made = self.newsletters.get(&*jid.user).ok_or(500_u16)?;
        Ok(json!({ "xwa2_newsletter_create": made.describe(&jid.user, from.account) }))
    }

    /// `xmlns=newsletter`: posts, what became of them, and to be told of it at once.
    pub(super) fn newsletter_query(
        &mut self,
        from: DeviceAddress,
        iq: &Node<'_>,
    ) -> Result<Option<OwnedNode>, IqError> {
        let asked = iq.nodes().first().ok_or(BAD_REQUEST)?;
        let jid = asked.attrs.jid("jid").or_else(|| iq.attrs.jid("to")).ok_or(BAD_REQUEST)?;
        let now = self.now;
        let newsletter = self.newsletter_mut(&jid).ok_or(NOT_FOUND)?;
        let count = asked.attrs.number::<usize>("count").unwrap_or(MAX_PAGE).min(MAX_PAGE);
        let number = |name: &str| asked.attrs.number::<u64>(name);
        Ok(Some(match &*asked.tag {
            "messages" => {
                let before = number("before").unwrap_or(u64::MAX);
                let posts = newsletter.posts.iter().rev().filter(|post| post.server_id < before);
                let posts = posts.take(count).map(|post| post.node(true));
                Node::new("messages").attr("jid", jid).attr("t", now).children(posts)
            }
            "message_updates" => {
                let after = number("after").unwrap_or(0);
                let posts = newsletter.posts.iter().filter(|post| post.server_id > after);
                let posts = posts.take(count).map(|post| post.node(false));
                Node::new("message_updates").child(Node::new("messages").children(posts))
            }
            "live_updates" => {
                newsletter.live.insert(from, now + LIVE_SECS);
                Node::new("live_updates").attr("duration", LIVE_SECS)
            }
            _ => return Err(BAD_REQUEST),
        }))
    }
}
