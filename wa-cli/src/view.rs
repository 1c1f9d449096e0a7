//! People, chats and messages as lines for people.

use jiff::tz::TimeZone;
use wa_bridge::moment;

pub(crate) mod account;
pub(crate) mod chat;
pub(crate) mod group;
pub(crate) mod media;
pub(crate) mod message;
pub(crate) mod person;
pub(crate) mod poll;

/// A time as people read it; as it is, if it is none.
pub(crate) fn shown_time(rfc3339: &str, zone: &TimeZone) -> String {
    match moment::parse(rfc3339, zone) {
        Ok(time) => moment::local(time, zone),
        Err(_) => wa_bridge::foreign::plain(rfc3339, " "),
    }
}
