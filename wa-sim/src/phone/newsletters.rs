//! What a phone's user does in channels. Knows nothing of who follows them.

use bytes::Bytes;
use prost::Message as _;
use rand_core::Rng as _;
use wa_proto::{
    Content, Jid, Node, Unwrapped, content::MessageContext, pb, request::newsletter_reaction,
};

use super::{OutgoingFile, Phone, SendError};

impl Phone {
    /// Makes a channel; `None` if there are too many, or the name has more than 100 characters.
    pub fn create_newsletter(&self, name: &str, description: &str) -> Option<Jid> {
        self.act(|phone, server| {
            server.create_newsletter(phone.address.account, name, description)
        })?
    }

    /// Posts a text in a channel of its own; answers the post's number.
    pub fn post(&self, newsletter: &Jid, text: &str) -> Option<u64> {
        self.post_content(newsletter, &Content::from(text), None)
    }

    /// Posts a file in a channel of its own, which is not encrypted; answers the post's number.
    ///
    /// # Errors
    /// [`SendError`] if the file or its caption is too large.
    pub fn post_file(
        &self,
        newsletter: &Jid,
        file: OutgoingFile,
    ) -> Result<Option<u64>, SendError> {
        let (content, handle) = self.uploaded_open(file)?;
        Ok(self.post_content(newsletter, &content, Some(handle)))
    }

    fn post_content(
        &self,
        newsletter: &Jid,
        content: &Content,
        media_id: Option<String>,
    ) -> Option<u64> {
        let message = content.to_message(&MessageContext::default()).ok()?;
        let plaintext = Node::new("plaintext")
            .attr_opt("mediatype", content.media_type())
            .bytes(message.encode_to_vec());
        self.act(|phone, server| {
            let id = format!("3EB0{:016X}", server.rng.next_u64());
            let node = Node::new("message")
                .attr("to", newsletter.clone())
                .attr("id", id)
                .attr("type", content.stanza_type())
                .attr_opt("media_id", media_id)
                .child(plaintext);
            server.post_to_newsletter(phone.address, newsletter, &node).ok()
        })?
    }

    /// The file of the newest post of a channel, as it lies on the media hosts: without
    /// encryption.
    pub fn posted_file(&self, newsletter: &Jid) -> Option<Bytes> {
        let host = self.sim.media();
        let path = self.sim.with(|world| {
            let post = world.server.newsletters.get(&*newsletter.user)?.posts.last()?;
            let unwrapped = Unwrapped::decode(post.plaintext.clone()).ok()?;
            let media = unwrapped.content.media()?;
            media.direct_path.clone().filter(|_| media.media_key.is_none())
        })?;
        host.blob(&path)
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
