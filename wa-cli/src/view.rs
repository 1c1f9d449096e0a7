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

/// A name as people read it. One that others chose has a wave before it, as on phones: it proves
/// nothing about who they are. No name of the address book gets one, and no other goes without.
pub(crate) fn shown_name(name: &str, self_chosen: bool) -> String {
    let wave = if self_chosen { "~" } else { "" };
    format!("{wave}{}", wa_bridge::foreign::plain(name, " "))
}

/// A time as people read it; as it is, if it is none.
pub(crate) fn shown_time(rfc3339: &str, zone: &TimeZone) -> String {
    match moment::parse(rfc3339, zone) {
        Ok(time) => moment::local(time, zone),
        Err(_) => wa_bridge::foreign::plain(rfc3339, " "),
    }
}
