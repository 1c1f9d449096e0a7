//! The backlog that waited on the server, and the rest of what `<ib>` says.
//!
//! Owns the value that decides when to ask for more of it. The server sends the backlog in
//! batches on request, and a client that does not ask looks connected and is deaf.

use std::{sync::PoisonError, time::Duration};

use tokio::time::Instant;
use wa_noise::MAX_ROUTING_INFO_LEN;
use wa_proto::stanza::InfoItem;

use crate::{
    app_state, dirty,
    event::{Event, OfflineCounts},
    placeholder,
    receive::settle,
    stanza_handler::{HandleError, Outcome, StanzaContext},
};

/// Deals with an `<ib>`: the backlog's announcement and its end, where to connect next time.
pub(crate) async fn handle_info(
    cx: &StanzaContext,
    items: Vec<InfoItem>,
) -> Result<Outcome, HandleError> {
    for item in items {
        match item {
            InfoItem::OfflinePreview { count, messages, receipts, notifications, app_data } => {
                cx.inner.emit(Event::OfflineSyncPreview(OfflineCounts {
                    total: count,
                    messages,
                    receipts,
                    notifications,
                    app_data_changes: app_data,
                }));
                backlog(cx, |backlog| backlog.announced(Instant::now()));
            }
            InfoItem::Offline { count } => {
                let is_news = backlog(cx, Backlog::ended);
                if is_news {
                    cx.inner.emit(Event::OfflineSyncCompleted { count });
                    placeholder::resume(&cx.inner).await?;
                    settle::resume(&cx.inner).await?;
                    app_state::resume(&cx.inner, &cx.link);
                }
            }
            InfoItem::EdgeRouting(info) if info.len() <= MAX_ROUTING_INFO_LEN => {
                let info = info.to_vec();
                cx.inner.update_account(|account, _| account.routing_info = Some(info)).await?;
            }
            InfoItem::Dirty { kind, timestamp } => {
                dirty::refresh_in_background(&cx.inner, kind, timestamp);
            }
            InfoItem::DowngradeWebClient => cx.inner.emit(Event::QrScannedWithoutMultidevice),
            _ => {}
        }
    }
    Ok(Outcome::Answered)
}

/// Uses the connection's backlog.
pub(crate) fn backlog<T>(cx: &StanzaContext, use_it: impl FnOnce(&mut Backlog) -> T) -> T {
    let outcome = use_it(&mut cx.session.backlog.lock().unwrap_or_else(PoisonError::into_inner));
    cx.session.changed.notify_one();
    outcome
}

/// When to ask for the next batch. A value; the moment is an argument.
///
/// A batch is asked for while the one before is on its way: at the first stanza of it that comes,
/// so that the server always has something to send. Two batches at most are on their way.
#[derive(Debug)]
pub(crate) struct Backlog {
    phase: Phase,
    /// When the last stanza of the backlog came, or the connection began.
    last_came: Instant,
}

#[derive(Debug, Default, PartialEq)]
enum Phase {
    /// Nothing has been said about a backlog.
    #[default]
    Unknown,
    /// So many stanzas were asked for that have not come yet; `since` when the last came or was
    /// asked for.
    Draining { on_their_way: u32, since: Instant },
    /// `<offline>` came.
    Over,
}

impl Backlog {
    /// The backlog of a connection that begins.
    pub(crate) fn new(now: Instant) -> Self {
        Self { phase: Phase::default(), last_came: now }
    }

    /// Whether stanzas must be dealt with strictly one after the other: a message may need the
    /// key that the one before it carries, from another chat. A server that never tells the end
    /// is waited for only so long: [`STRICT_WHILE_QUIET`].
    pub(crate) fn is_strict(&self, now: Instant) -> bool {
        self.phase != Phase::Over && now < self.last_came + STRICT_WHILE_QUIET
    }

    /// A stanza of the backlog came. Whether another batch is due from now on.
    pub(crate) fn came(&mut self, now: Instant) -> bool {
        self.last_came = now;
        match &mut self.phase {
            Phase::Draining { on_their_way, since } => {
                *on_their_way = on_their_way.saturating_sub(1);
                *since = now;
                *on_their_way < BATCH
            }
            Phase::Unknown | Phase::Over => false,
        }
    }

    /// The server announced a backlog.
    pub(crate) fn announced(&mut self, now: Instant) {
        if self.phase == Phase::Unknown {
            self.phase = Phase::Draining { on_their_way: 0, since: now };
        }
    }

    /// The backlog is over; whether that is news.
    pub(crate) fn ended(&mut self) -> bool {
        std::mem::replace(&mut self.phase, Phase::Over) != Phase::Over
    }

    /// When to poll again.
    pub(crate) fn timeout(&self, now: Instant) -> Option<Instant> {
        match self.phase {
            Phase::Draining { on_their_way, .. } if on_their_way < BATCH => Some(now),
            Phase::Draining { since, .. } => Some(since + ASK_AGAIN_AFTER),
            Phase::Unknown | Phase::Over => None,
        }
    }

    /// Whether a batch is to be asked for now.
    pub(crate) fn poll(&mut self, now: Instant) -> bool {
        let Phase::Draining { on_their_way, since } = &mut self.phase else { return false };
        if now >= *since + ASK_AGAIN_AFTER {
            // What was asked for is not coming.
            *on_their_way = 0;
        }
        let is_due = *on_their_way < BATCH;
        if is_due {
            *on_their_way += BATCH;
            *since = now;
        }
        is_due
    }
}

/// How many stanzas are asked for at a time, as WhatsApp Web does.
pub(crate) const BATCH: u32 = 200;
/// How long none of the backlog may come before its end is taken for granted.
pub(crate) const STRICT_WHILE_QUIET: Duration = Duration::from_secs(60);
/// How long nothing may come before asking again.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_batch_is_asked_for_at_the_first_stanza_of_the_one_before() {
        let now = Instant::now();
        let mut backlog = Backlog::new(now);
        assert!(!backlog.poll(now) && backlog.is_strict(now));
        backlog.announced(now);
        assert!(backlog.poll(now) && !backlog.poll(now));
        for _ in 0..10 {
            // The first of 200 makes the next 200 due, and no other does.
            assert!(backlog.came(now));
            assert!(backlog.poll(now) && !backlog.poll(now));
            for _ in 1..200 {
                assert!(!backlog.came(now) && !backlog.poll(now));
            }
        }
        assert!(backlog.is_strict(now));
        assert!(backlog.ended() && !backlog.is_strict(now));
        assert!(!backlog.ended());
        backlog.announced(now);
        assert!(!backlog.poll(now) && !backlog.is_strict(now));
    }

    #[test]
    fn an_end_that_is_never_told_is_taken_for_granted_after_a_minute_of_quiet() {
        let start = Instant::now();
        let mut backlog = Backlog::new(start);
        let later = start + STRICT_WHILE_QUIET / 2;
        backlog.came(later);
        assert!(backlog.is_strict(start + STRICT_WHILE_QUIET));
        assert!(!backlog.is_strict(later + STRICT_WHILE_QUIET));
    }

    #[test]
    fn a_backlog_that_stalls_is_asked_for_again() {
        let now = Instant::now();
        let mut backlog = Backlog::new(now);
        backlog.announced(now);
        assert!(backlog.poll(now));
        backlog.came(now);
        assert!(backlog.poll(now));
        assert_eq!(backlog.timeout(now), Some(now + ASK_AGAIN_AFTER));
        let later = now + ASK_AGAIN_AFTER;
        assert!(backlog.poll(later) && !backlog.poll(later));
        assert!(backlog.poll(later + ASK_AGAIN_AFTER));
    }
}
