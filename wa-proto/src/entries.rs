//! Lists, read entry by entry: one entry that is malformed costs no other.
//!
//! Owns the rule and the count of what was left out. Leaving an entry out must never permit more
//! than the whole list does; where it could, the reader of the list refuses it or has it asked for
//! again, and says so. Knows nothing of what is done with the count.

use std::cell::Cell;

use crate::{Node, stanza::ParseError};

/// The entries that can be read.
pub(crate) fn readable<'n, 'a: 'n, T>(
    entries: impl IntoIterator<Item = &'n Node<'a>>,
    read: impl Fn(&'n Node<'a>) -> Result<T, ParseError>,
) -> Vec<T> {
    let read = |entry| read(entry).map_err(|_| LEFT_OUT.set(LEFT_OUT.get().wrapping_add(1))).ok();
    entries.into_iter().filter_map(read).collect()
}

/// Reads something, and counts the entries of lists that are left out meanwhile because they are
/// malformed.
pub fn count_left_out<T>(read: impl FnOnce() -> T) -> (T, usize) {
    let before = LEFT_OUT.get();
    let read = read();
    (read, LEFT_OUT.get().wrapping_sub(before))
}

thread_local! {
    /// How many entries this thread left out so far. Reading is never suspended, so all of a
    /// reading is on one thread.
    static LEFT_OUT: Cell<usize> = const { Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_entry_costs_no_other_and_is_counted() {
        let list = ["1", "none", "3"].map(|id| Node::new("item").attr("id", id));
        let read = || readable(&list, |item| item.need_number::<u32>("id"));
        assert_eq!(count_left_out(read), (vec![1, 3], 1));
        // Within another reading it counts for both.
        assert_eq!(count_left_out(|| count_left_out(read).1), (1, 1));
    }
}
