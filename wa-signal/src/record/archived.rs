//! A replaced session: its stored bytes, which are read only when a message may be of it.

use std::sync::Arc;

use prost::Message as _;
use zeroize::Zeroizing;

use crate::{
    RecordError,
    session::{Session, StoredSession},
};

/// A replaced session as it is stored; a copy of it is cheap.
#[derive(Clone)]
pub(super) struct ArchivedSession {
    bytes: Arc<Zeroizing<Vec<u8>>>,
    skipped_keys: usize,
}

impl ArchivedSession {
    /// Puts a session away.
    pub(super) fn new(session: &Session) -> Self {
        let bytes = Zeroizing::new(StoredSession::from(session).encode_to_vec());
        Self { bytes: Arc::new(bytes), skipped_keys: session.skipped_keys() }
    }

    /// Takes the parts that were stored, unread.
    pub(super) fn from_parts(bytes: Vec<u8>, skipped_keys: usize) -> Self {
        Self { bytes: Arc::new(Zeroizing::new(bytes)), skipped_keys }
    }

    /// The stored session.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many skipped message keys it holds.
    pub(super) const fn skipped_keys(&self) -> usize {
        self.skipped_keys
    }

    /// Reads the session.
    pub(super) fn open(&self) -> Result<Session, RecordError> {
        Session::try_from(&StoredSession::decode(self.bytes()).map_err(RecordError::Protobuf)?)
    }

    /// The session without the `count` oldest of its skipped keys, or without all; `None` if it
    /// cannot be read.
    pub(super) fn without_oldest_skipped(&self, count: usize) -> Option<Self> {
        let mut session = self.open().ok()?;
        session.drop_oldest_skipped(count);
        Some(Self::new(&session))
    }
}
