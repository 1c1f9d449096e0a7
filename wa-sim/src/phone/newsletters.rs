//! What a phone's user does in channels. Knows nothing of who follows them.

use prost::Message as _;
use rand_core::Rng as _;
use wa_proto::{Jid, Node, pb, request::newsletter_reaction};

use super::Phone;

impl Phone {
    /// Makes a channel; `None` if there are too many, or the name has more than 100 characters.
    pub fn create_newsletter(&self, name: &str, description: &str) -> Option<Jid> {
        self.act(|phone, server| {
            server.create_newsletter(phone.address.account, name, description)
        })?
    }

    /// Posts a text in a channel of its own; answers the post's number.
    pub fn post(&self, newsletter: &Jid, text: &str) -> Option<u64> {
        let message = pb::Message { conversation: Some(text.to_owned()), ..Default::default() };
        self.act(|phone, server| {
            let id = format!("3EB0{:016X}", server.rng.next_u64());
            let node = Node::new("message")
                .attr("to", newsletter.clone())
                .attr("id", id)
                .attr("type", "text")
                .child(Node::new("plaintext").bytes(message.encode_to_vec()));
            server.post_to_newsletter(phone.address, newsletter, &node).ok()
        })?
    }

    /// Puts an emoji on a post.
    pub fn react_to_post(&self, newsletter: &Jid, post: u64, emoji: &str) {
        self.act(|phone, server| {
            let node = newsletter_reaction("reaction", newsletter, post, emoji);
            server.receive_from_device(phone.address, &node);
        });
    }

    /// The texts of a channel's posts as they are now, the oldest first; deleted ones are empty.
    pub fn posts(&self, newsletter: &Jid) -> Vec<String> {
        let read = |plaintext: &[u8]| {
            let message = pb::Message::decode(plaintext).ok()?;
            let extended = message.extended_text_message.and_then(|text| text.text);
            message.conversation.or(extended)
        };
        self.sim.with(|world| {
            let newsletter = world.server.newsletters.get(&*newsletter.user);
            let posts = newsletter.map(|newsletter| newsletter.posts.iter());
            let posts = posts.into_iter().flatten();
            posts.map(|post| read(&post.plaintext).unwrap_or_default()).collect()
        })
    }
}
