//! The blobs, whole and in part, and the paths under which they can be had for a while.

use std::collections::BTreeMap;

use bytes::Bytes;
use wa_crypto::sha256;

/// The largest blob, in bytes.
pub(crate) const MAX_BLOB: usize = 100 << 20;

/// The most that all blobs together may take, in bytes.
const MAX_TOTAL: usize = 512 << 20;

/// How long a path is good, in seconds.
const PATH_TTL: u64 = 30 * 24 * 3600;

#[derive(Debug, Default)]
pub(super) struct Blobs {
    whole: BTreeMap<String, Bytes>,
    parts: BTreeMap<String, Vec<u8>>,
    total: usize,
}

/// What there is of a blob.
pub(super) enum Lookup {
    /// All of it, under this direct path.
    Whole(String),
    /// So many bytes.
    Part(usize),
    Nothing,
}

/// All blobs together have no room for one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the media host is full")]
pub(crate) struct MediaFull;

impl Blobs {
    /// Keeps a blob and answers its direct path.
    pub(super) fn put(&mut self, path: &str, blob: Bytes, now: u64) -> Result<String, MediaFull> {
        self.drop_part(path);
        let replaced = self.whole.get(path).map_or(0, Bytes::len);
        let total = self.total - replaced + blob.len();
        if total > MAX_TOTAL {
            return Err(MediaFull);
        }
        self.total = total;
        self.whole.insert(path.to_owned(), blob);
        Ok(direct_path(path, now))
    }

    pub(super) fn lookup(&self, path: &str, now: u64) -> Lookup {
        match (self.whole.contains_key(path), self.parts.get(path)) {
            (true, _) => Lookup::Whole(direct_path(path, now)),
            (false, Some(part)) => Lookup::Part(part.len()),
            (false, None) => Lookup::Nothing,
        }
    }

    /// What is there up to `offset`, and the rest behind it; `None` if that leaves a gap.
    pub(super) fn joined(&self, path: &str, offset: usize, rest: &[u8]) -> Option<Vec<u8>> {
        let there = match self.parts.get(path) {
            Some(part) => part.get(..offset)?,
            None if offset == 0 => &[],
            None => return None,
        };
        Some([there, rest].concat())
    }

    /// Keeps what came of a blob.
    pub(super) fn keep_part(&mut self, path: &str, part: Vec<u8>) {
        self.drop_part(path);
        if self.total + part.len() <= MAX_TOTAL {
            self.total += part.len();
            self.parts.insert(path.to_owned(), part);
        }
    }

    fn drop_part(&mut self, path: &str) {
        self.total -= self.parts.remove(path).map_or(0, |part| part.len());
    }

    pub(super) fn whole(&self, path: &str) -> Option<Bytes> {
        self.whole.get(path).cloned()
    }

    pub(super) fn count(&self) -> usize {
        self.whole.len()
    }

    pub(super) fn remove(&mut self, path: &str) -> bool {
        let removed = self.whole.remove(path);
        self.total -= removed.as_ref().map_or(0, Bytes::len);
        removed.is_some()
    }
}

/// The path with the time until which it is good, and a signature over both.
fn direct_path(path: &str, now: u64) -> String {
    let expiry = format!("{:x}", now + PATH_TTL);
    format!("{path}?ccb=11-4&oh={}&oe={expiry}", signature(path, &expiry))
}

fn signature(path: &str, expiry: &str) -> String {
    hex::encode(
        sha256(&[path.as_bytes(), b" until ", expiry.as_bytes()])
            .iter()
            .take(12)
            .copied()
            .collect::<Vec<_>>(),
    )
}

/// Whether a path is as it was given, and still good.
pub(super) fn is_signed(path: &str, expiry: Option<&str>, told: Option<&str>, now: u64) -> bool {
    let (Some(expiry), Some(told)) = (expiry, told) else { return false };
    let until = u64::from_str_radix(expiry, 16).unwrap_or_default();
    until > now && signature(path, expiry) == told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_are_given_back_and_bounded_in_total() {
        let mut blobs = Blobs::default();
        blobs.put("/v/image/token", Bytes::from_static(b"blob"), 0).unwrap();
        assert_eq!(blobs.whole("/v/image/token"), Some(Bytes::from_static(b"blob")));
        assert_eq!(blobs.whole("/v/image/other"), None);
        let large = Bytes::from(vec![0; MAX_TOTAL]);
        assert_eq!(blobs.put("/v/image/large", large, 0), Err(MediaFull));
    }

    #[test]
    fn a_path_is_good_for_a_while_and_only_as_it_was_given() {
        let given = direct_path("/v/image/a", 1_000);
        let (path, query) = given.split_once('?').unwrap();
        let field = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let check = |path, now| is_signed(path, field("oe"), field("oh"), now);
        assert!(check(path, 1_000) && check(path, 1_000 + PATH_TTL - 1));
        assert!(!check(path, 1_000 + PATH_TTL));
        assert!(!check("/v/image/b", 1_000) && !is_signed(path, None, None, 1_000));
    }
}
