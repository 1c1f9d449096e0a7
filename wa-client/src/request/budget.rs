//! How many requests leave: a budget for the whole client, which nothing exceeds.
//!
//! Owns the numbers, and who goes first. Every request spends from it right before it leaves
//! ([`crate::connection::Link::request`]), whatever asks and on whichever connection. The pings of
//! the keepalive, at most three a minute, are not among them. Knows nothing of what is asked.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use super::RequestError;

/// How much somebody waits for what is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Somebody waits for it: it goes before all that nobody waits for.
    Interactive,
    /// Nobody waits for it. A part of the budget is not for it.
    Background,
    /// It is not asked at all: what is not known is done without.
    Never,
}

tokio::task_local! {
    static URGENCY: Urgency;
}

/// Does a piece of work whose requests have this urgency. Work that goes on beside it is a piece of
/// its own.
pub(crate) fn with_urgency<F: Future>(
    urgency: Urgency,
    work: F,
) -> impl Future<Output = F::Output> {
    URGENCY.scope(urgency, work)
}

/// The urgency of the work at hand; whoever calls the client waits for it.
fn urgency() -> Urgency {
    URGENCY.try_with(|urgency| *urgency).unwrap_or(Urgency::Interactive)
}

/// Whether the work at hand may ask the server at all.
///
/// # Errors
/// [`RequestError::NotAsked`].
pub(crate) fn may_ask() -> Result<(), RequestError> {
    match urgency() {
        Urgency::Never => Err(RequestError::NotAsked),
        Urgency::Interactive | Urgency::Background => Ok(()),
    }
}

/// A request does not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoBudget {
    /// The work at hand is to make none.
    NotAsked,
    /// Too many wait already, for which nobody waits.
    TooMany,
}

/// What is left of the budget, and who waits for a part of it.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    bucket: Mutex<Bucket>,
    interactive: Line,
    background: Line,
}

/// Those who wait for a part of it, first come first served.
#[derive(Debug, Default)]
struct Line {
    first: tokio::sync::Mutex<()>,
    waiting: AtomicUsize,
}

/// A place in a line.
struct InLine<'l>(&'l Line);

impl Line {
    fn join(&self) -> (InLine<'_>, usize) {
        let before = self.waiting.fetch_add(1, Ordering::SeqCst);
        (InLine(self), before)
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Budget {
    /// Waits until one more request may leave.
    ///
    /// # Errors
    /// [`NoBudget`].
    pub(crate) async fn spend(&self) -> Result<(), NoBudget> {
        let (line, kept, longest) = match urgency() {
            Urgency::Never => return Err(NoBudget::NotAsked),
            Urgency::Interactive => (&self.interactive, 0, usize::MAX),
            Urgency::Background => (&self.background, KEPT_FOR_INTERACTIVE, MAX_IN_BACKGROUND),
        };
        let (_place, before) = line.join();
        if before >= longest {
            return Err(NoBudget::TooMany);
        }
        let _first = line.first.lock().await;
        loop {
            let taken = {
                let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
                bucket.take(Instant::now(), kept)
            };
            match taken {
                Ok(()) => return Ok(()),
                Err(due) => sleep_until(due).await,
            }
        }
    }
}

/// A bucket of tokens that fills by one in each [`EVERY`].
#[derive(Debug, Default)]
struct Bucket {
    /// When it will be full.
    full_at: Option<Instant>,
}

impl Bucket {
    /// Takes one if more than `kept` are there; else says when that will be.
    fn take(&mut self, now: Instant, kept: u32) -> Result<(), Instant> {
        let full_at = self.full_at.map_or(now, |at| at.max(now));
        let may_be_full = now + EVERY * BURST.saturating_sub(kept);
        let then = full_at + EVERY;
        if then <= may_be_full {
            self.full_at = Some(then);
            return Ok(());
        }
        Err(now + then.duration_since(may_be_full))
    }
}

/// How many requests may leave at once after a rest: a login makes some twenty, a first message to
/// a group of a thousand some thirty.
const BURST: u32 = 100;
/// After a burst, one more in each of these: a hundred a minute. So never more than 200 in any
/// minute.
const EVERY: Duration = Duration::from_millis(600);
/// How many of a burst only those may use for which somebody waits.
const KEPT_FOR_INTERACTIVE: u32 = 25;
/// How many requests may wait for which nobody waits; more are not made, so that whoever can have
/// them made does not fill the memory with them.
const MAX_IN_BACKGROUND: usize = 32;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::time::{sleep, timeout};

    use super::*;

    /// Spends as often as it can; the times.
    async fn spend_for(budget: &Budget, seconds: u64) -> Vec<Instant> {
        let mut spent = Vec::new();
        let all = async {
            loop {
                budget.spend().await.unwrap();
                spent.push(Instant::now());
            }
        };
        let _ = timeout(Duration::from_secs(seconds), all).await;
        spent
    }

    #[tokio::test(start_paused = true)]
    async fn never_more_than_200_requests_leave_in_any_minute() {
        let budget = Budget::default();
        sleep(Duration::from_secs(600)).await;
        let spent = spend_for(&budget, 3_600).await;
        assert!((6_000..=6_100).contains(&spent.len()), "{}", spent.len());
        for (first, at) in spent.iter().enumerate() {
            let within = spent[first..].iter().take_while(|next| **next - *at < MINUTE).count();
            assert!(within <= 200, "{within} in a minute");
        }
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_goes_before_what_nobody_waits_for() {
        let budget = Arc::new(Budget::default());
        let spent = Arc::new(AtomicUsize::new(0));
        let (shared, counted) = (Arc::clone(&budget), Arc::clone(&spent));
        let background = async move {
            loop {
                shared.spend().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
            }
        };
        tokio::spawn(with_urgency(Urgency::Background, background));
        sleep(Duration::from_millis(1)).await;
        assert_eq!(spent.load(Ordering::SeqCst), 75);
        let started = Instant::now();
        for _ in 0..25 {
            budget.spend().await.unwrap();
        }
        assert_eq!(started.elapsed(), Duration::ZERO);
    }

    #[tokio::test]
    async fn work_that_is_to_ask_nothing_asks_nothing() {
        let budget = Budget::default();
        let spent = with_urgency(Urgency::Never, budget.spend()).await;
        assert_eq!(spent, Err(NoBudget::NotAsked));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_32_requests_wait_for_which_nobody_waits() {
        let budget = Budget::default();
        let all = (0..500).map(|_| budget.spend());
        let all = with_urgency(Urgency::Background, futures_util::future::join_all(all)).await;
        let refused = all.iter().filter(|spent| **spent == Err(NoBudget::TooMany)).count();
        // 75 at once, and 32 of the rest in their turn.
        assert_eq!((all.len() - refused, refused), (107, 393));
    }
}
