//! What a search text means, and which message matches it best: one answer for every store.
//!
//! Owns the reading of texts and queries, matching, ranking, snippets and cursors. Knows nothing of
//! where messages are kept: an engine may narrow down the candidates with `index_terms` and
//! `Matcher::filter_terms`, but what matches is decided here.
//!
//! # What may be typed
//!
//! | typed | finds |
//! |---|---|
//! | `lunch` | the letters anywhere, also inside a word: *lunch*, *lunchtime*, *prelunch* |
//! | `to` | one or two letters: words that begin so |
//! | `北京`, `京`, `สวัสดี` | the characters in a row, anywhere: scripts without spaces need no words |
//! | `lunch monday` | both, in any order and distance |
//! | `"see you"` | exactly these words in a row |
//! | `lun*` | words that begin so |
//! | `-monday` | leaves out messages with that word; `-mon*` with words that begin so |
//! | `foo-bar`, `a@b.example` | what stands between the signs, in a row |
//!
//! Case, accents (also Arabic and Hebrew vowel signs) and the width of letters do not matter;
//! other punctuation is nothing. Any text is a valid query, but for one that only leaves out: nothing says
//! then where to look, and the answer is [`StoreError::SearchOnlyExcludes`](crate::StoreError).

mod cursor;
mod matcher;
mod query;
mod rank;
mod script;
mod snippet;
mod text;

pub use cursor::Cursor;
pub use query::{MAX_SEARCH_BYTES, MAX_SEARCH_TERMS};
pub use rank::RANK_WINDOW;
pub use text::MAX_INDEXED_BYTES;

pub(crate) use cursor::Position;
pub(crate) use matcher::Matcher;
pub(crate) use rank::rank;
pub(crate) use snippet::snippet;
pub(crate) use text::{Analysis, INDEX_VERSION, index_terms, words};
