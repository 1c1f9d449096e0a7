//! The bounds on what comes from elsewhere.

/// The longest id of a sync key, in bytes; real ones have six.
pub const MAX_KEY_ID_LEN: usize = 64;
/// The longest index of a mutation, in bytes.
pub const MAX_INDEX_LEN: usize = 8 << 10;
/// The largest encrypted value of a mutation, in bytes.
pub const MAX_VALUE_LEN: usize = 1 << 20;
/// The most mutations of one patch.
pub const MAX_MUTATIONS: usize = 50_000;
/// The most records of one snapshot.
pub const MAX_SNAPSHOT_RECORDS: usize = 500_000;
