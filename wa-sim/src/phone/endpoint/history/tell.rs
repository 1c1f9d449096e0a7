//! Telling a companion of a chunk: built, damaged where a fault says so, left with the media host or
//! put into the notice itself. Knows nothing of what companions answer.

use std::io::{self, Write as _};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::{Compression, write::ZlibEncoder};
use prost::Message as _;
use wa_media::{MediaKey, MediaType, encrypt};
use wa_proto::pb::{
    self,
    message::{HistorySyncNotification, ProtocolMessage, protocol_message::Type},
};

use super::{HistoryPush, MAX_REMEMBERED, MAX_TOLD, Past, Told, chunk::Chunk};
use crate::{
    Damage,
    address::DeviceAddress,
    phone::{
        HistoryUpload,
        endpoint::{
            Endpoint,
            media::{Uploaded, upload},
            send::fresh_message_id,
        },
    },
    server::Server,
};

/// The longest chunk that comes within its notice, compressed, in bytes.
const MAX_INLINE: usize = 32 << 10;

/// What a bomb inflates to, in bytes.
const BOMB: usize = 72 << 20;

/// Where a chunk is from, so that it can be made once more.
pub(super) enum Source {
    /// The phone's past: the chunk with this number.
    Past(u32),
    /// Somebody made it.
    Made(Box<Made>),
}

/// A chunk that is kept until it is stored.
pub(super) struct Made {
    sync: pb::HistorySync,
    inline: bool,
    session: Option<String>,
}

impl Endpoint {
    /// Tells a companion of a chunk of the caller's making.
    pub(crate) fn tell_made(
        &mut self,
        server: &mut Server,
        to: DeviceAddress,
        upload: HistoryUpload,
    ) -> Option<String> {
        let HistoryUpload { sync, inline, session, damage } = upload;
        self.history_pushes.entry(to).or_default();
        let source = Source::Made(Box::new(Made { sync, inline, session }));
        self.tell_damaged(server, to, source, 0, damage)
    }

    /// Tells a companion of a chunk, `times` times after the first; answers the message's id.
    pub(super) fn tell(
        &mut self,
        server: &mut Server,
        to: DeviceAddress,
        source: Source,
        times: u32,
    ) -> Option<String> {
        let damage = server.faults.history_damage();
        self.tell_damaged(server, to, source, times, damage)
    }

    fn tell_damaged(
        &mut self,
        server: &mut Server,
        to: DeviceAddress,
        source: Source,
        times: u32,
        damage: Option<Damage>,
    ) -> Option<String> {
        if times >= MAX_TOLD {
            return None;
        }
        let push = self.history_pushes.get(&to)?;
        let (mut chunk, session, inline) = push.build(&source).ok()?;
        if let Some(damage) = damage {
            chunk.compressed = damaged(&chunk.compressed, damage).ok()?;
        }
        let mut notice = HistorySyncNotification {
            // The chunk and its notification number their types alike.
            sync_type: Some(chunk.kind.into()),
            chunk_order: Some(chunk.order),
            progress: chunk.progress,
            oldest_msg_in_chunk_timestamp_sec: chunk
                .oldest
                .and_then(|oldest| i64::try_from(oldest).ok()),
            peer_data_request_session_id: session,
            ..Default::default()
        };
        if inline {
            notice.initial_hist_bootstrap_inline_payload = Some(chunk.compressed.into());
        } else {
            self.leave_with_host(server, &mut notice, &chunk, damage)?;
        }
        let message = pb::Message {
            protocol_message: Some(Box::new(ProtocolMessage {
                r#type: Some(Type::HistorySyncNotification.into()),
                history_sync_notification: Some(notice),
                ..Default::default()
            })),
            ..Default::default()
        };
        let id = fresh_message_id(server);
        let push = self.history_pushes.get_mut(&to)?;
        push.unconfirmed.insert(id.clone(), message.clone());
        if push.told.len() < MAX_REMEMBERED {
            let told = Told { source, order: chunk.order, times: times + 1 };
            push.told.insert(id.clone(), told);
        }
        self.send_to_companion(server, to, id.clone(), &message);
        Some(id)
    }

    fn leave_with_host(
        &self,
        server: &mut Server,
        notice: &mut HistorySyncNotification,
        chunk: &Chunk,
        damage: Option<Damage>,
    ) -> Option<()> {
        let kind = MediaType::History;
        let uploaded = upload(&mut server.rng, &self.media, kind, &chunk.compressed).ok()?;
        if damage == Some(Damage::Corrupt) {
            let key = MediaKey::from(uploaded.media_key);
            let (mut blob, _) = encrypt(&key, kind, &chunk.compressed);
            let middle = blob.len() / 2;
            if let Some(byte) = blob.get_mut(middle) {
                *byte ^= 1;
            }
            let token = URL_SAFE_NO_PAD.encode(uploaded.file_enc_sha256);
            self.media.put(kind.folder(), &token, blob.into()).ok()?;
        }
        notice.file_sha256 = Some(uploaded.file_sha256.to_vec().into());
        notice.file_length = Some(uploaded.file_length);
        notice.media_key = Some(uploaded.media_key.to_vec().into());
        notice.file_enc_sha256 = Some(uploaded.file_enc_sha256.to_vec().into());
        notice.direct_path = Some(uploaded.direct_path);
        Some(())
    }

    /// The picture that messages of a mixed past show.
    pub(super) fn past_picture(&self, server: &mut Server, past: Past) -> Option<Uploaded> {
        let picture = past.plan.mixed.then(|| past.picture())?;
        upload(&mut server.rng, &self.media, MediaType::Image, &picture).ok()
    }
}

impl HistoryPush {
    /// Makes a chunk; with it the request it answers and whether it comes within its notice.
    fn build(&self, source: &Source) -> io::Result<(Chunk, Option<String>, bool)> {
        match source {
            Source::Past(number) => {
                let layout = self.layout.ok_or(io::ErrorKind::NotFound)?;
                let chunk = layout.chunk(*number, self.picture.as_ref())?;
                let inline = *number == 0 && layout.inline && chunk.compressed.len() <= MAX_INLINE;
                Ok((chunk, None, inline))
            }
            Source::Made(made) => Ok((Chunk::of(&made.sync)?, made.session.clone(), made.inline)),
        }
    }
}

/// What is left of a compressed chunk. A corrupt one is damaged where it lies.
fn damaged(compressed: &[u8], damage: Damage) -> io::Result<Vec<u8>> {
    match damage {
        Damage::Truncated => Ok(compressed.get(..compressed.len() / 2).unwrap_or_default().into()),
        Damage::Corrupt => Ok(compressed.into()),
        Damage::Bomb => {
            // A field that nobody reads, number 50, as long as it inflates.
            let mut bytes = vec![0x92, 0x03];
            prost::encoding::encode_varint(BOMB as u64, &mut bytes);
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&bytes)?;
            io::copy(&mut io::Read::take(io::repeat(0), BOMB as u64), &mut encoder)?;
            encoder.finish()
        }
    }
}

/// A zlib stream of a `HistorySync`.
pub(super) fn compress(sync: &pb::HistorySync) -> io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&sync.encode_to_vec())?;
    encoder.finish()
}
