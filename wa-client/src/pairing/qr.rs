//! The codes a phone scans to link this device, and how long each is shown.
//!
//! A value: the moment is an argument. Knows nothing of how a code is drawn.

use std::{collections::VecDeque, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use tokio::time::Instant;
use wa_crypto::PublicKey;

/// What every code says about this device.
pub(crate) struct QrIdentity<'a> {
    pub(crate) noise: &'a PublicKey,
    pub(crate) identity: &'a PublicKey,
    pub(crate) adv_secret: &'a [u8; 32],
    pub(crate) client_type: &'a str,
}

/// The text of one code: a URL that the phone's camera understands too.
pub(crate) fn qr_text(reference: &str, device: &QrIdentity<'_>) -> String {
    let [noise, identity, adv_secret] =
        [device.noise.as_bytes(), device.identity.as_bytes(), device.adv_secret]
            .map(|key| BASE64_STANDARD.encode(key));
    format!("{URL}#{reference},{noise},{identity},{adv_secret},{}", device.client_type)
}

/// The references the server gave, each shown for its time.
#[derive(Debug)]
pub(crate) struct QrSchedule {
    waiting: VecDeque<String>,
    shown_until: Option<Instant>,
    first: bool,
}

/// What the screen should show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum QrStep {
    /// A code with this reference, for so long.
    Show { reference: String, expires_in: Duration },
    /// Nothing more: all have been shown.
    Expired,
}

impl QrSchedule {
    /// Takes the references in the order they were given, at most [`MAX_REFS`].
    pub(crate) fn new(references: impl IntoIterator<Item = String>) -> Self {
        Self {
            waiting: references.into_iter().take(MAX_REFS).collect(),
            shown_until: None,
            first: true,
        }
    }

    /// When to ask again.
    pub(crate) fn timeout(&self) -> Option<Instant> {
        self.shown_until
    }

    /// What is due at this moment, if anything changes.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<QrStep> {
        if self.shown_until.is_some_and(|until| now < until) {
            return None;
        }
        let Some(reference) = self.waiting.pop_front() else {
            self.shown_until = None;
            return Some(QrStep::Expired);
        };
        let expires_in = if std::mem::take(&mut self.first) { FIRST_SHOWN } else { NEXT_SHOWN };
        self.shown_until = Some(now + expires_in);
        Some(QrStep::Show { reference, expires_in })
    }
}

const URL: &str = "https://wa.me/settings/linked_devices";
/// How long the first code is shown: people have to find the menu.
const FIRST_SHOWN: Duration = Duration::from_secs(60);
/// How long each further code is shown.
const NEXT_SHOWN: Duration = Duration::from_secs(20);
/// The server gives six.
const MAX_REFS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_code_stays_a_minute_and_the_others_twenty_seconds() {
        let mut now = Instant::now();
        let mut schedule = QrSchedule::new(["a", "b", "c"].map(String::from));
        let mut seen = Vec::new();
        while let Some(QrStep::Show { reference, expires_in }) = schedule.poll(now) {
            assert_eq!(schedule.poll(now + expires_in - Duration::from_millis(1)), None);
            seen.push((reference, expires_in.as_secs()));
            now = schedule.timeout().unwrap();
        }
        assert_eq!(seen, [("a".into(), 60), ("b".into(), 20), ("c".into(), 20)]);
        assert_eq!(schedule.poll(now), Some(QrStep::Expired));
    }

    #[test]
    fn no_reference_at_all_is_an_end() {
        assert_eq!(QrSchedule::new([]).poll(Instant::now()), Some(QrStep::Expired));
    }
}
