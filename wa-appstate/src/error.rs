//! Why a patch or snapshot is not believed.

use crate::{MAX_MUTATIONS, MAX_SNAPSHOT_RECORDS, SyncKeyId};

/// Why one mutation is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MutationError {
    /// It lacks its index, value or key id, or one of them has an impossible length.
    #[error("a mutation lacks a part, or a part has an impossible length")]
    Malformed,
    /// The operation is neither set nor remove.
    #[error("a mutation does something unknown")]
    Operation,
    /// The encrypted value was changed, or moved to another operation or key.
    #[error("the MAC of a value does not match")]
    ValueMac,
    /// The index was changed, or belongs to another value.
    #[error("the MAC of an index does not match")]
    IndexMac,
    /// The value does not decrypt or is no `SyncActionData`.
    #[error("a value cannot be read")]
    Unreadable,
}

/// Why a patch or snapshot is refused. Nothing of it may be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppStateError {
    /// It lacks its version, MACs or key id, or its mutations are still on the media host.
    #[error("the patch or snapshot lacks a part")]
    Incomplete,
    /// More mutations or records than are taken.
    #[error("more than {MAX_MUTATIONS} mutations or {MAX_SNAPSHOT_RECORDS} records")]
    TooMany,
    /// Its version is not above the one that is held: somebody turned time back.
    #[error("version {found} does not follow version {held}")]
    Rollback {
        /// The version that is held.
        held: u64,
        /// Its version.
        found: u64,
    },
    /// A patch between the one that is held and this one is missing.
    #[error("version {found} leaves out what follows version {held}")]
    Gap {
        /// The version that is held.
        held: u64,
        /// Its version.
        found: u64,
    },
    /// A key is not known. Ask the other own devices for it.
    #[error("a key is not known")]
    MissingKey(SyncKeyId),
    /// The state after it is not the one its maker had: something was missed or made up.
    #[error("the hash of the collection does not match")]
    LtHash,
    /// The patch as a whole was changed.
    #[error("the MAC of the patch does not match")]
    PatchMac,
    /// One of its mutations is refused.
    #[error("mutation {position}: {source}")]
    Mutation {
        /// Which, from 0.
        position: usize,
        /// Why.
        source: MutationError,
    },
}
