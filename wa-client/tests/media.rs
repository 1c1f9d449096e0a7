//! Files: up and down, checked before they are seen, over hosts that fail.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod parties;

#[path = "media/downloads.rs"]
mod downloads;
#[path = "media/https.rs"]
mod https;
#[path = "media/kinds.rs"]
mod kinds;
#[path = "media/phone.rs"]
mod phone;
#[path = "media/previews.rs"]
mod previews;
#[path = "media/uploads.rs"]
mod uploads;
