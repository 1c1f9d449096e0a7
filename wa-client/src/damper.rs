//! What is said again and again about the same person within moments counts once.
//!
//! Owns who was heard of last, and when. Knows nothing of what is damped.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use wa_proto::Jid;

/// Within this time the same of a person counts once.
const WITHIN: Duration = Duration::from_secs(10);
/// How many people are remembered at a time.
const MAX_REMEMBERED: usize = 256;

/// Whom something was about within the last moments.
#[derive(Debug, Default)]
pub(crate) struct Damper {
    last: Mutex<HashMap<Jid, Instant>>,
}

impl Damper {
    /// Whether something about this person is news now. Of more people than can be remembered,
    /// everything is: nothing is missed.
    pub(crate) fn is_news(&self, person: &Jid, now: Instant) -> bool {
        self.note(person, now).unwrap_or(true)
    }

    /// Whether something may be done about this person now. Of more people than can be remembered,
    /// nothing may: no more is done than that many times within moments.
    pub(crate) fn is_due(&self, person: &Jid, now: Instant) -> bool {
        self.note(person, now).unwrap_or(false)
    }

    /// Whether the person was not heard of within moments; nothing if there is no room to know.
    fn note(&self, person: &Jid, now: Instant) -> Option<bool> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.retain(|_, at| now.duration_since(*at) < WITHIN);
        if last.contains_key(person) {
            return Some(false);
        }
        if last.len() >= MAX_REMEMBERED {
            return None;
        }
        last.insert(person.clone(), now);
        Some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_within_moments_is_once() {
        let damper = Damper::default();
        let (ada, now) = (Jid::lid("7"), Instant::now());
        assert!(damper.is_news(&ada, now));
        assert!(!damper.is_news(&ada, now + Duration::from_secs(1)));
        assert!(damper.is_news(&Jid::lid("8"), now + Duration::from_secs(1)));
        assert!(damper.is_news(&ada, now + Duration::from_secs(10)));
    }

    #[test]
    fn of_very_many_people_all_is_heard_and_no_more_is_done() {
        let (damper, now) = (Damper::default(), Instant::now());
        let person = |number: u32| Jid::lid(number.to_string());
        assert!((0..256).all(|number| damper.is_due(&person(number), now)));
        assert!(!damper.is_due(&person(256), now) && damper.is_news(&person(256), now));
        assert!(!damper.is_news(&person(0), now), "who is remembered is remembered");
        assert!(damper.is_due(&person(256), now + Duration::from_secs(10)));
    }
}
