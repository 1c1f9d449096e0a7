//! The files a phone has: those it sent, and those of messages it got, fetched and checked at once.
//! It uploads them again for its companions. Knows nothing of how messages come.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;
use rand_core::Rng as _;
use wa_media::{Digests, MediaKey, MediaRetrySeal, MediaType, decrypt};
use wa_proto::{
    Node, OwnedNode,
    content::{Content, Media, Unwrapped},
    pb::{self, media_retry_notification::ResultType},
};

use super::{Endpoint, media::upload_under};
use crate::server::{Server, directory::Addressing};

/// The most bytes that the files of a phone may take together.
const MAX_TOTAL: usize = 256 << 20;

/// The error that says that the phone has a file no more.
const NOT_ON_PHONE: u32 = 2;

/// Files by the id of their message.
#[derive(Default)]
pub(super) struct Vault {
    files: BTreeMap<String, Bytes>,
    total: usize,
}

impl Vault {
    /// Keeps a file, if there is room.
    fn keep(&mut self, id: &str, file: Bytes) {
        self.remove(id);
        if self.total + file.len() <= MAX_TOTAL {
            self.total += file.len();
            self.files.insert(id.to_owned(), file);
        }
    }

    fn remove(&mut self, id: &str) -> bool {
        let removed = self.files.remove(id);
        self.total -= removed.as_ref().map_or(0, Bytes::len);
        removed.is_some()
    }
}

impl Endpoint {
    /// The file of a message.
    pub(crate) fn file(&self, id: &str) -> Option<Bytes> {
        self.vault.files.get(id).cloned()
    }

    /// The person deletes the file of a message.
    pub(crate) fn delete_file(&mut self, id: &str) -> bool {
        self.vault.remove(id)
    }

    /// Fetches the file of a message from the media host, and keeps it if it is the right one.
    pub(super) fn fetch_file(&mut self, id: &str, message: &pb::Message) {
        let content = Unwrapped::from_message(message.clone()).content;
        let Some((media_type, media)) = media_of(&content) else { return };
        match self.opened(media_type, media) {
            Some(file) => self.vault.keep(id, file.into()),
            None => tracing::warn!("a phone got a message whose file it cannot read"),
        }
    }

    fn opened(&self, media_type: MediaType, media: &Media) -> Option<Vec<u8>> {
        let key = MediaKey::try_from(media.media_key.as_ref()?.as_bytes()).ok()?;
        let hash = |told: &Option<Bytes>| <[u8; 32]>::try_from(told.as_deref()?).ok();
        let digests = Digests {
            enc_sha256: Some(hash(&media.file_enc_sha256)?),
            sha256: Some(hash(&media.file_sha256)?),
        };
        let blob = self.media.blob(media.direct_path.as_deref()?)?;
        let file = decrypt(&key, media_type, digests, &blob).ok()?;
        (media.file_length == Some(file.len() as u64)).then_some(file)
    }

    /// `<receipt type=server-error>` of a companion: a file is gone from the media host. Uploads
    /// it again, or says that it is not here either.
    pub(super) fn answer_media_retry(&mut self, server: &mut Server, node: &Node<'_>) {
        let from = node.attrs.jid("from").and_then(|jid| server.address_of(&jid));
        let (Some(from), Some(id)) = (from, node.attrs.text("id")) else { return };
        if from.account != self.address.account || !self.answers_media_retries {
            return;
        }
        let Some(asked) = node.find("rmr") else { return };
        let answer = self.uploaded_again(server, &id, node);
        let notification = Node::new("notification")
            .attr("from", server.device_jid(self.address, Addressing::Phone).to_user())
            .attr("type", "mediaretry")
            .attr("id", id.into_owned())
            .attr("t", server.now)
            .child(answer.unwrap_or_else(|| Node::new("error").attr("code", NOT_ON_PHONE)))
            .child(asked.clone().into_owned());
        server.deliver(from, notification);
    }

    /// `<encrypt>` with the new path.
    fn uploaded_again(
        &mut self,
        server: &mut Server,
        id: &str,
        node: &Node<'_>,
    ) -> Option<OwnedNode> {
        let file = self.file(id)?;
        let kept = self.messages.iter_mut().rev().find(|kept| kept.id == id)?;
        let content = Unwrapped::from_message(kept.message.clone()).content;
        let (media_type, media) = media_of(&content)?;
        let key = MediaKey::try_from(media.media_key.as_ref()?.as_bytes()).ok()?;
        let seal = MediaRetrySeal { media_key: &key, message_id: id };
        let encrypted = node.find("encrypt")?;
        let iv: [u8; 12] = encrypted.find("enc_iv")?.content_bytes()?.try_into().ok()?;
        let request = seal.open(&iv, encrypted.find("enc_p")?.content_bytes()?).ok()?;
        let request = pb::ServerErrorReceipt::decode(request.as_slice()).ok()?;
        if request.stanza_id.as_deref() != Some(id) {
            return None;
        }
        let uploaded = upload_under(&key, &self.media, media_type, &file).ok()?;
        let told = pb::MediaRetryNotification {
            stanza_id: Some(id.to_owned()),
            direct_path: Some(uploaded.direct_path),
            result: Some(ResultType::Success.into()),
            ..Default::default()
        };
        let mut iv = [0; 12];
        server.rng.fill_bytes(&mut iv);
        let sealed = seal.seal(&iv, &told.encode_to_vec());
        Some(
            Node::new("encrypt")
                .child(Node::new("enc_p").bytes(sealed))
                .child(Node::new("enc_iv").bytes(iv.to_vec())),
        )
    }
}

/// What a file is, and what is said of it.
fn media_of(content: &Content) -> Option<(MediaType, &Media)> {
    let media_type = match content {
        Content::Image(_) => MediaType::Image,
        Content::Sticker(_) => MediaType::Sticker,
        Content::Video(_) => MediaType::Video,
        Content::Gif(_) => MediaType::Gif,
        Content::VideoNote(_) => MediaType::VideoNote,
        Content::Audio(_) => MediaType::Audio,
        Content::VoiceNote(_) => MediaType::VoiceNote,
        Content::Document(_) => MediaType::Document,
        _ => return None,
    };
    Some((media_type, content.media()?))
}
