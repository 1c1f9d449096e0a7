//! The order of the locks, and the check that it is kept.
//!
//! Whoever holds a lock may wait for those of a higher rank alone, so that two never wait for each
//! other. What one piece of work holds is noted beside it ([`tracked`]); debug builds stop at the
//! first wait that is out of order, also where no deadlock comes of it that time. Work that is not
//! tracked is not checked.

use std::sync::{Arc, Mutex, PoisonError};

/// The kinds of locks, in the order in which they are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// A collection of the app state.
    Collection,
    /// The requests for keys of the app state.
    KeyRequests,
    /// A chat's outbox.
    Chat,
    /// What is known of a group.
    Group,
    /// The own sender key of a group.
    SenderKey,
    /// The sessions with people.
    Session,
    /// The tokens given to people.
    Tokens,
    /// The stock of prekeys.
    PreKeys,
}

type Held = Arc<Mutex<Vec<Rank>>>;

tokio::task_local! {
    static HELD: Held;
}

/// Does a piece of work whose locks are taken in order. Work that goes on beside it is a piece of
/// its own.
pub(crate) fn tracked<F: Future>(work: F) -> impl Future<Output = F::Output> {
    HELD.scope(Held::default(), work)
}

/// The place of a lock in the order, as long as it is held.
#[derive(Debug)]
pub(crate) struct Place(Option<(Held, Rank)>);

/// Takes the place of a lock, before it is waited for.
pub(crate) fn enter(rank: Rank) -> Place {
    let held = HELD.try_with(Arc::clone).ok();
    if let Some(held) = &held {
        let highest = held.lock().unwrap_or_else(PoisonError::into_inner).iter().max().copied();
        debug_assert!(
            highest.is_none_or(|highest| highest < rank),
            "{rank:?} is waited for while {highest:?} is held"
        );
    }
    Place::noted(held, rank)
}

impl Place {
    /// No place: the lock is held elsewhere.
    pub(super) const fn nowhere() -> Self {
        Self(None)
    }

    /// The place of a lock that nobody waits for.
    pub(super) fn beside(rank: Rank) -> Self {
        Self::noted(HELD.try_with(Arc::clone).ok(), rank)
    }

    fn noted(held: Option<Held>, rank: Rank) -> Self {
        Self(held.map(|held| {
            held.lock().unwrap_or_else(PoisonError::into_inner).push(rank);
            (held, rank)
        }))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((held, rank)) = &self.0 else { return };
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = held.iter().rposition(|held| held == rank) {
            held.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn locks_are_taken_upwards_and_again_once_they_are_free() {
        tracked(async {
            for _ in 0..2 {
                let _key = enter(Rank::SenderKey);
                let _sessions = enter(Rank::Session);
                let _more = Place::beside(Rank::Session);
            }
            let _chat = enter(Rank::Chat);
        })
        .await;
    }

    #[tokio::test]
    #[should_panic(expected = "SenderKey is waited for while Some(Session) is held")]
    async fn a_wait_against_the_order_is_found_without_a_deadlock() {
        tracked(async {
            let _sessions = enter(Rank::Session);
            let _key = enter(Rank::SenderKey);
        })
        .await;
    }

    #[tokio::test]
    async fn work_that_goes_on_beside_holds_nothing_of_it() {
        tracked(async {
            let _sessions = enter(Rank::Session);
            tracked(async { drop(enter(Rank::Chat)) }).await;
        })
        .await;
    }
}
