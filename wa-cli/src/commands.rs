//! One module a command; each reads as what the command does.

pub(crate) mod chats;
pub(crate) mod contacts;
pub(crate) mod demo;
pub(crate) mod generate;
pub(crate) mod history;
pub(crate) mod labels;
pub(crate) mod link;
pub(crate) mod logout;
pub(crate) mod messages;
pub(crate) mod poll;
pub(crate) mod search;
pub(crate) mod send;
pub(crate) mod status;
pub(crate) mod sync;
