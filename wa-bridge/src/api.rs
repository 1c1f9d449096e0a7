//! Everything that can be asked of the process that owns an account: one type for each call, and
//! one for its answer.
//!
//! The same types are the commands' and tools' arguments, the bodies on the local socket, and the
//! schemas of the API's description. Knows nothing of how a call is done.

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

mod account;
mod audit;
mod channel;
mod chat;
mod contact;
mod draft;
mod event;
mod group;
mod history;
mod hold;
mod label;
mod media;
mod message;
mod passkey;
mod poll;
mod privacy;
mod profile;
mod search;
mod send;

pub use account::*;
pub use audit::*;
pub use channel::*;
pub use chat::*;
pub use contact::*;
pub use draft::*;
pub use event::*;
pub use group::*;
pub use history::*;
pub use hold::*;
pub use label::*;
pub use media::*;
pub use message::*;
pub use passkey::*;
pub use poll::*;
pub use privacy::*;
pub use profile::*;
pub use search::*;
pub use send::*;

pub use crate::view::*;

/// The version of the calls and of what they carry; both sides must have the same.
pub const API_VERSION: u32 = 2;

/// A call: what is asked, as an object.
pub trait Operation: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// What is answered, as JSON.
    type Answer: Serialize + DeserializeOwned + JsonSchema + Send + 'static;
    /// Its name and its path below `/v1/`: `messages/search`.
    const PATH: &'static str;
    /// What it does, in one sentence.
    const ABOUT: &'static str;
    /// What it changes; the policy goes by it.
    const EFFECT: Effect;
}

/// What a call changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing: it looks into the archive, or asks the server or the phone.
    Read,
    /// How the account's own devices show things: read, muted, archived, starred.
    Arrange,
    /// What other people get or see: messages, groups, the profile.
    Send,
    /// It takes something away: messages, chats, the link.
    Delete,
    /// The link of this device.
    Link,
    /// What assistants may do; open to the person, whatever else is forbidden.
    Guard,
}

/// Declares the path, the purpose and the effect of a call.
macro_rules! operation {
    ($call:ty => $answer:ty, $path:literal, $effect:ident, $about:literal) => {
        impl $crate::api::Operation for $call {
            type Answer = $answer;
            const PATH: &'static str = $path;
            const ABOUT: &'static str = $about;
            const EFFECT: $crate::api::Effect = $crate::api::Effect::$effect;
        }
    };
}
pub(crate) use operation;
