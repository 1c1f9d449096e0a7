//! Channels: who follows them, what was posted, and who put which emoji on it. Knows nothing of what
//! posts say.

use std::collections::{BTreeMap, BTreeSet};

use rand_core::Rng as _;
use serde_json::{Value, json};
use wa_proto::{Jid, Node, OwnedNode, Server as NameSpace};

use super::Server;
use crate::address::{DeviceAddress, PhoneNumber};

/// The most channels of a simulation, and the most posts of a channel.
const MAX_NEWSLETTERS: usize = 1_000;
const MAX_POSTS: usize = 10_000;
/// The longest name, in characters.
const MAX_NAME: usize = 100;
/// For how long news of posts are told at once, in seconds.
pub(super) const LIVE_SECS: u64 = 300;

#[derive(Debug)]
pub(crate) struct Newsletter {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) invite: String,
    pub(crate) owner: PhoneNumber,
    created: u64,
    /// Who follows it, and whether they muted it.
    pub(crate) followers: BTreeMap<PhoneNumber, bool>,
    pub(crate) posts: Vec<Post>,
    /// Who is told of views and reactions at once, and until when.
    pub(crate) live: BTreeMap<DeviceAddress, u64>,
}

#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) server_id: u64,
    pub(crate) id: String,
    pub(crate) at: u64,
    /// `text`, or `media` for a file.
    pub(crate) kind: String,
    /// Which kind of file.
    pub(crate) media_type: Option<String>,
    /// What the media host called the file.
    pub(crate) media_id: Option<String>,
    /// Empty once it is deleted.
    pub(crate) plaintext: Vec<u8>,
    pub(crate) reactions: BTreeMap<PhoneNumber, String>,
    pub(crate) viewers: BTreeSet<PhoneNumber>,
}

/// A channel's address.
pub(crate) fn address(id: &str) -> Jid {
    Jid::new(id, NameSpace::Newsletter)
}

impl Newsletter {
    pub(super) fn describe(&self, id: &str, viewer: PhoneNumber) -> Value {
        let role = match self.followers.get(&viewer) {
            _ if viewer == self.owner => "OWNER",
            Some(_) => "SUBSCRIBER",
            None => "GUEST",
        };
        let muted = self.followers.get(&viewer).copied().unwrap_or(false);
        let text = |text: &str| json!({ "id": "1", "text": text, "update_time": "0" });
        json!({
            "id": address(id).to_string(),
            "state": { "type": "ACTIVE" },
            "thread_metadata": {
                "creation_time": self.created.to_string(),
                "name": text(&self.name),
                "description": text(&self.description),
                "invite": self.invite,
                "handle": null,
                "picture": { "id": "1", "type": "IMAGE", "direct_path": "" },
                "preview": { "id": "1", "type": "PREVIEW", "direct_path": "" },
                "subscribers_count": self.followers.len().to_string(),
                "verification": "UNVERIFIED",
            },
            "viewer_metadata": { "mute": if muted { "ON" } else { "OFF" }, "role": role },
        })
    }
}

impl Post {
    /// What a stanza posts; it has no number yet.
    fn read(node: &Node<'_>, id: String, at: u64) -> Self {
        let text = |name: &str| node.attrs.text(name).map(|value| value.into_owned());
        let plaintext = node.find("plaintext");
        let media_type = plaintext.and_then(|node| node.attrs.text("mediatype"));
        Self {
            server_id: 0,
            id,
            at,
            kind: text("type").unwrap_or_default(),
            media_type: media_type.map(|kind| kind.into_owned()),
            media_id: text("media_id"),
            plaintext: plaintext.and_then(|node| node.content_bytes()).unwrap_or_default().to_vec(),
            reactions: BTreeMap::new(),
            viewers: BTreeSet::new(),
        }
    }

    /// Whether it says something; of a file also what the media host calls it.
    fn is_complete(&self) -> bool {
        !self.plaintext.is_empty() && (self.kind != "media" || self.media_id.is_some())
    }

    fn plaintext_node(&self) -> OwnedNode {
        let plaintext = Node::new("plaintext").attr_opt("mediatype", self.media_type.clone());
        plaintext.bytes(self.plaintext.clone())
    }

    pub(super) fn node(&self, with_content: bool) -> OwnedNode {
        let plaintext = with_content.then(|| self.plaintext_node());
        let mut counts = BTreeMap::<&str, u64>::new();
        for emoji in self.reactions.values() {
            *counts.entry(emoji).or_default() += 1;
        }
        let reactions = counts.into_iter().map(|(code, count)| {
            Node::new("reaction").attr("code", code.to_owned()).attr("count", count.to_string())
        });
        Node::new("message")
            .attr("server_id", self.server_id)
            .attr("id", self.id.clone())
            .attr("type", self.kind.clone())
            .attr("t", self.at)
            .children(plaintext)
            .child(Node::new("views_count").attr("count", self.viewers.len()))
            .child(Node::new("reactions").children(reactions))
    }
}

impl Server {
    /// Makes a channel; `None` if there are too many, or the name is too long.
    pub(crate) fn create_newsletter(
        &mut self,
        owner: PhoneNumber,
        name: &str,
        description: &str,
    ) -> Option<Jid> {
        if self.newsletters.len() >= MAX_NEWSLETTERS || name.chars().count() > MAX_NAME {
            return None;
        }
        let id = format!("120363{:012}", self.rng.next_u64() % 1_000_000_000_000);
        let newsletter = Newsletter {
            name: name.to_owned(),
            description: description.to_owned(),
            invite: format!("0029Va{:012}", self.rng.next_u64() % 1_000_000_000_000),
            owner,
            created: self.now,
            followers: BTreeMap::from([(owner, false)]),
            posts: Vec::new(),
            live: BTreeMap::new(),
        };
        self.newsletters.insert(id.clone(), newsletter);
        Some(address(&id))
    }

    pub(super) fn newsletter_mut(&mut self, jid: &Jid) -> Option<&mut Newsletter> {
        (jid.server == NameSpace::Newsletter).then(|| self.newsletters.get_mut(&*jid.user))?
    }

    /// Follows, leaves or mutes, and tells the account's devices; whether there is such a channel.
    pub(super) fn change_newsletter(
        &mut self,
        account: PhoneNumber,
        jid: &Jid,
        change: NewsletterChange,
    ) -> bool {
        let Some(newsletter) = self.newsletter_mut(jid) else { return false };
        let id = jid.to_string();
        let (operation, name, about) = match change {
            NewsletterChange::Follow => {
                newsletter.followers.entry(account).or_insert(false);
                ("NotificationNewsletterJoin", "on_join", json!({ "id": id }))
            }
            NewsletterChange::Leave => {
                newsletter.followers.remove(&account);
                ("NotificationNewsletterLeave", "on_leave", json!({ "id": id, "role": "GUEST" }))
            }
            NewsletterChange::Mute(muted) => {
                newsletter.followers.insert(account, muted);
                let mute = if muted { "ON" } else { "OFF" };
                let about = json!({ "id": id, "mute": mute });
                ("NotificationNewsletterUserSettingChange", "on_mute_change", about)
            }
        };
        let mut news = serde_json::Map::new();
        news.insert(format!("xwa2_notify_newsletter_{name}"), about);
        self.tell_mex(account, operation, &Value::Object(news));
        true
    }

    /// A message to a channel: a post, a change of one, or an emoji. Answers the post's number, or
    /// the code of the error.
    pub(crate) fn post_to_newsletter(
        &mut self,
        from: DeviceAddress,
        jid: &Jid,
        node: &Node<'_>,
    ) -> Result<u64, u16> {
        let now = self.now;
        let newsletter = self.newsletter_mut(jid).ok_or(404_u16)?;
        if let Some(reaction) = node.find("reaction") {
            let post: u64 = node.attrs.number("server_id").ok_or(400_u16)?;
            let emoji = reaction.attrs.text("code").map(|code| code.into_owned());
            let found = newsletter.posts.iter_mut().find(|kept| kept.server_id == post);
            let found = found.ok_or(404_u16)?;
            match emoji {
                Some(emoji) => drop(found.reactions.insert(from.account, emoji)),
                None => drop(found.reactions.remove(&from.account)),
            }
            self.tell_live(jid, post);
            return Ok(post);
        }
        if newsletter.owner != from.account {
            return Err(403);
        }
        let id = node.attrs.text("id").ok_or(400_u16)?.into_owned();
        let edit = node.attrs.text("edit").map(|edit| edit.into_owned());
        let mut posted = Post::read(node, id, now);
        let server_id = if edit.is_some() {
            let mut posts = newsletter.posts.iter_mut();
            let post = posts.find(|post| post.id == posted.id).ok_or(404_u16)?;
            post.plaintext.clone_from(&posted.plaintext);
            posted.server_id = post.server_id;
            post.server_id
        } else if newsletter.posts.len() < MAX_POSTS && posted.is_complete() {
            posted.server_id = 100 + newsletter.posts.len() as u64;
            let server_id = posted.server_id;
            newsletter.posts.push(posted.clone());
            server_id
        } else {
            return Err(400);
        };
        self.tell_followers(from, jid, edit, &posted);
        Ok(server_id)
    }

    fn tell_followers(
        &mut self,
        from: DeviceAddress,
        jid: &Jid,
        edit: Option<String>,
        post: &Post,
    ) {
        let Some(newsletter) = self.newsletters.get(&*jid.user) else { return };
        let followers: Vec<_> = newsletter.followers.keys().copied().collect();
        let message = Node::new("message")
            .attr("from", jid.clone())
            .attr("id", post.id.clone())
            .attr("server_id", post.server_id)
            .attr("type", post.kind.clone())
            .attr("t", self.now)
            .attr_opt("edit", edit)
            .child(post.plaintext_node());
        for address in self.devices_of_all(followers) {
            if address != from {
                self.deliver(address, message.clone());
            }
        }
    }

    /// `<receipt type=view>`: posts were seen.
    pub(super) fn view_posts(&mut self, from: DeviceAddress, jid: &Jid, node: &Node<'_>) {
        let items = node.find("list").map(|list| list.nodes()).unwrap_or_default();
        let seen: Vec<u64> =
            items.iter().filter_map(|item| item.attrs.number("server_id")).collect();
        let Some(newsletter) = self.newsletter_mut(jid) else { return };
        for post in newsletter.posts.iter_mut().filter(|post| seen.contains(&post.server_id)) {
            post.viewers.insert(from.account);
        }
        for post in seen {
            self.tell_live(jid, post);
        }
    }

    fn tell_live(&mut self, jid: &Jid, post: u64) {
        let now = self.now;
        let Some(newsletter) = self.newsletter_mut(jid) else { return };
        let Some(post) = newsletter.posts.iter().find(|kept| kept.server_id == post) else {
            return;
        };
        let update = Node::new("live_updates").child(post.node(false));
        let live: Vec<_> =
            newsletter.live.iter().filter(|(_, until)| **until > now).map(|(to, _)| *to).collect();
        for address in live {
            self.notify(address, jid.clone(), "newsletter", update.clone());
        }
    }
}

/// What an account does about a channel.
#[derive(Debug, Clone, Copy)]
pub(super) enum NewsletterChange {
    Follow,
    Leave,
    Mute(bool),
}
