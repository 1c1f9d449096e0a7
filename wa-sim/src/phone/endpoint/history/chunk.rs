//! The chunks in which a past is uploaded: a first one with the newest messages of every chat and
//! the tables, the push names, status posts, then everything else that is given unasked, and for
//! those who were linked for everything the rest. Each is built by its number alone. Knows nothing
//! of how chunks travel.

use std::{io, ops::Range};

use wa_proto::pb::{self, history_sync::HistorySyncType};

use super::{Past, tell::compress};
use crate::{phone::endpoint::media::Uploaded, server::account::HistoryWish};

/// The most messages of one chunk.
pub(crate) const MAX_CHUNK_MESSAGES: u32 = 2_000;

/// How many messages of each chat the first chunk brings.
const BOOTSTRAP_MESSAGES: u32 = 10;

/// A chunk that is ready to be encrypted.
pub(crate) struct Chunk {
    pub(crate) kind: HistorySyncType,
    /// From 1.
    pub(crate) order: u32,
    pub(crate) progress: Option<u32>,
    /// The oldest message in it, in unix seconds.
    pub(crate) oldest: Option<u64>,
    /// A zlib stream of the `HistorySync`.
    pub(crate) compressed: Vec<u8>,
}

impl Chunk {
    pub(super) fn of(sync: &pb::HistorySync) -> io::Result<Self> {
        let messages = sync.conversations.iter().flat_map(|chat| &chat.messages);
        let oldest = messages.filter_map(|kept| kept.message.as_ref()?.message_timestamp).min();
        Ok(Self {
            kind: sync.sync_type(),
            order: sync.chunk_order(),
            progress: sync.progress,
            oldest,
            compressed: compress(sync)?,
        })
    }
}

/// What a companion is given of a past, and in which pieces.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    past: Past,
    /// Whether the first chunk may come within its notice.
    pub(super) inline: bool,
    full: bool,
}

/// What a chunk holds.
enum Part {
    Bootstrap,
    PushNames,
    Status,
    /// The piece with this number, of so many.
    Recent(u32, u32),
    Full(u32, u32),
}

impl Layout {
    pub(super) const fn new(past: Past, wish: HistoryWish) -> Self {
        Self { past, inline: wish.inline, full: wish.full }
    }

    pub(super) fn chunk_count(&self) -> u32 {
        self.leading() + self.pieces(self.recent()) + self.pieces(self.older())
    }

    /// The chunk of this number, from 0.
    pub(super) fn chunk(&self, number: u32, picture: Option<&Uploaded>) -> io::Result<Chunk> {
        let mut sync = pb::HistorySync::default();
        let (kind, progress) = match self.part(number) {
            Part::Bootstrap => {
                self.bootstrap(&mut sync, picture);
                let complete = self.chunk_count() == self.leading();
                (HistorySyncType::InitialBootstrap, Some(if complete { 100 } else { 0 }))
            }
            Part::PushNames => {
                sync.pushnames = self.past.push_names();
                (HistorySyncType::PushName, None)
            }
            Part::Status => {
                sync.status_v3_messages = self.past.statuses();
                (HistorySyncType::InitialStatusV3, None)
            }
            Part::Recent(piece, of) => {
                sync.conversations = self.piece(self.recent(), piece, picture);
                (HistorySyncType::Recent, Some((piece + 1) * 100 / of.max(1)))
            }
            Part::Full(piece, of) => {
                sync.conversations = self.piece(self.older(), piece, picture);
                (HistorySyncType::Full, Some((piece + 1) * 100 / of.max(1)))
            }
        };
        sync.sync_type = kind.into();
        sync.chunk_order = Some(number + 1);
        sync.progress = progress;
        Chunk::of(&sync)
    }

    fn part(&self, number: u32) -> Part {
        let (recent, full) = (self.pieces(self.recent()), self.pieces(self.older()));
        match number {
            0 => Part::Bootstrap,
            1 => Part::PushNames,
            2 if self.past.plan.mixed => Part::Status,
            number => {
                let piece = number.saturating_sub(self.leading());
                match piece.checked_sub(recent) {
                    None => Part::Recent(piece, recent),
                    Some(piece) => Part::Full(piece, full),
                }
            }
        }
    }

    /// The first chunk, the push names, and the status posts where there are any.
    fn leading(&self) -> u32 {
        2 + u32::from(self.past.plan.mixed)
    }

    /// How many messages of each chat are given unasked.
    fn given(&self) -> u32 {
        let all = self.past.plan.messages_per_chat;
        self.past.plan.given.unwrap_or(all).min(all)
    }

    /// Which messages of each chat come after the first chunk.
    fn recent(&self) -> Range<u32> {
        BOOTSTRAP_MESSAGES.min(self.given())..self.given()
    }

    /// Which messages of each chat only those get who were linked for everything.
    fn older(&self) -> Range<u32> {
        let all = self.past.plan.messages_per_chat;
        self.given()..if self.full { all } else { self.given() }
    }

    fn pieces(&self, part: Range<u32>) -> u32 {
        (self.past.plan.chats * (part.end - part.start)).div_ceil(MAX_CHUNK_MESSAGES)
    }

    fn bootstrap(&self, sync: &mut pb::HistorySync, picture: Option<&Uploaded>) {
        let newest = 0..self.given().min(BOOTSTRAP_MESSAGES);
        for chat in 0..self.past.plan.chats {
            sync.phone_number_to_lid_mappings.extend(self.past.lid_mapping(chat));
            sync.conversations.push(self.past.conversation(chat, newest.clone(), picture, 0));
        }
        if self.past.plan.mixed {
            sync.nct_salt = Some(vec![7; 32].into());
        }
    }

    /// What a part of each chat is, chat by chat, cut into pieces of one size.
    fn piece(
        &self,
        part: Range<u32>,
        number: u32,
        picture: Option<&Uploaded>,
    ) -> Vec<pb::Conversation> {
        let each = part.end - part.start;
        let all = self.past.plan.chats * each;
        let end = ((number + 1) * MAX_CHUNK_MESSAGES).min(all);
        let mut at = number * MAX_CHUNK_MESSAGES;
        let mut conversations = Vec::new();
        while at < end {
            let (chat, first) = (at / each, at % each);
            let count = (each - first).min(end - at);
            let first = part.start + first;
            let messages = first..first + count;
            conversations.push(self.past.conversation(chat, messages, picture, 1));
            at += count;
        }
        conversations
    }
}
