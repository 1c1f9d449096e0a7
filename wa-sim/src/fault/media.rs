//! What may go wrong on the media hosts.

use serde::{Deserialize, Serialize};

use super::Chance;

/// One thing that goes wrong on media hosts, and how often. In JSON:
/// `{"host": 0, "on": "download", "chance": {"count": 1}, "kind": {"status": {"status": 503}}}`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MediaFault {
    /// On which host, in the order in which the server names them from 0 on; `None` on any.
    #[serde(default)]
    pub host: Option<usize>,
    /// While what is done; `None` for anything.
    #[serde(default)]
    pub on: Option<MediaAct>,
    /// How often.
    pub chance: Chance,
    /// What.
    pub kind: MediaFaultKind,
}

impl MediaFault {
    /// On any host, whatever is done.
    pub const fn new(kind: MediaFaultKind, chance: Chance) -> Self {
        Self { host: None, on: None, chance, kind }
    }

    /// Only while this is done.
    #[must_use]
    pub const fn on(mut self, act: MediaAct) -> Self {
        self.on = Some(act);
        self
    }

    /// Only on this host.
    #[must_use]
    pub const fn at(mut self, host: usize) -> Self {
        self.host = Some(host);
        self
    }

    pub(super) fn concerns(&self, host: Option<usize>, act: MediaAct) -> bool {
        (self.host.is_none() || self.host == host) && self.on.is_none_or(|on| on == act)
    }
}

/// What is done on a media host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MediaAct {
    /// A file is fetched.
    Download,
    /// A file is uploaded.
    Upload,
    /// It is asked how much of an upload is there.
    Probe,
    /// A file is removed.
    Delete,
}

/// What goes wrong on a media host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MediaFaultKind {
    /// It answers with this status.
    Status {
        /// The HTTP status.
        status: u16,
        /// `Retry-After`, in seconds.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// It cannot be reached.
    Refused,
    /// The connection breaks off in the middle. What came of an upload is kept.
    Cut,
    /// Half of the file is given as if it were all.
    Truncated,
    /// One bit of the file is another.
    Corrupted,
    /// The answer is said to be so long.
    Length {
        /// In bytes.
        claimed: u64,
    },
    /// The answer takes a while.
    Slow {
        /// How long.
        milliseconds: u64,
    },
}
