//! JIDs: who or what a stanza is from, to or about.
//!
//! Owns the parts of a JID and its text form. Knows nothing of the binary form (see
//! [`crate::node`]) and nothing of which phone number belongs to which LID.

use std::{fmt, str::FromStr};

use compact_str::CompactString;

/// The longest user part that is accepted, in bytes.
pub const MAX_USER_LEN: usize = 255;

/// The longest server part that is accepted, in bytes.
pub const MAX_SERVER_LEN: usize = 64;

/// The part of a JID after the `@`: which name space the user belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Server {
    /// `s.whatsapp.net`: people, by phone number.
    User,
    /// `lid`: people, by the identifier that hides their phone number.
    Lid,
    /// `g.us`: groups and communities.
    Group,
    /// `broadcast`: broadcast lists, and `status@broadcast`.
    Broadcast,
    /// `newsletter`: channels.
    Newsletter,
    /// `call`: call links and call signalling.
    Call,
    /// `bot`: assistants.
    Bot,
    /// `hosted`: a business on Meta's own servers, by phone number.
    Hosted,
    /// `hosted.lid`: a business on Meta's own servers, by LID.
    HostedLid,
    /// `c.us`: the form of `s.whatsapp.net` that predates multi-device.
    Legacy,
    /// `msgr`: people on Messenger.
    Messenger,
    /// `interop`: people on other services.
    Interop,
    /// A name space this version does not know.
    Other(CompactString),
}

impl Server {
    /// The text after the `@`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::User => "s.whatsapp.net",
            Self::Lid => "lid",
            Self::Group => "g.us",
            Self::Broadcast => "broadcast",
            Self::Newsletter => "newsletter",
            Self::Call => "call",
            Self::Bot => "bot",
            Self::Hosted => "hosted",
            Self::HostedLid => "hosted.lid",
            Self::Legacy => "c.us",
            Self::Messenger => "msgr",
            Self::Interop => "interop",
            Self::Other(name) => name,
        }
    }

    /// Takes the text after the `@`; what is not known becomes [`Server::Other`].
    pub fn from_name(name: &str) -> Self {
        match name {
            "s.whatsapp.net" => Self::User,
            "lid" => Self::Lid,
            "g.us" => Self::Group,
            "broadcast" => Self::Broadcast,
            "newsletter" => Self::Newsletter,
            "call" => Self::Call,
            "bot" => Self::Bot,
            "hosted" => Self::Hosted,
            "hosted.lid" => Self::HostedLid,
            "c.us" => Self::Legacy,
            "msgr" => Self::Messenger,
            "interop" => Self::Interop,
            other => Self::Other(other.into()),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An address: `user@server`, `user:device@server`, `user.agent:device@server`, or a bare server.
///
/// Two JIDs are equal if every part is; compare [`Jid::to_user`] to compare people and not
/// devices.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Jid {
    /// The part before the `@`: digits for people and groups; empty for a bare server.
    pub user: CompactString,
    /// 0 for the phone, and for everything that has no devices.
    pub device: u16,
    /// The agent of an AD JID; 0 nearly always.
    pub agent: u8,
    /// Which foreign service an `interop` JID belongs to; 0 for all others.
    pub integrator: u16,
    /// The name space.
    pub server: Server,
}

impl Jid {
    /// A person, group or channel without a device.
    pub fn new(user: impl Into<CompactString>, server: Server) -> Self {
        Self { user: user.into(), device: 0, agent: 0, integrator: 0, server }
    }

    /// What stands before the `@`, with its agent and device if there are any, and the server.
    ///
    /// # Errors
    /// If a part is too long or holds what no JID holds.
    pub fn from_parts(user: &str, server: Server) -> Result<Self, ParseJidError> {
        let server_name = server.as_str();
        if server_name.is_empty() {
            return Err(ParseJidError::NoServer);
        }
        if user.len() > MAX_USER_LEN || server_name.len() > MAX_SERVER_LEN {
            return Err(ParseJidError::TooLong);
        }
        if !is_jid_text(user) || !is_jid_text(server_name) {
            return Err(ParseJidError::Character);
        }
        let (user, device) = match user.split_once(':') {
            Some((user, device)) => (user, number(device).ok_or(ParseJidError::Device)?),
            None => (user, 0),
        };
        let mut jid = Self { device, ..Self::new(user, server) };
        // Only a person has an agent; a dot in any other name is part of the name.
        if let (true, Some((user, agent))) = (jid.is_person(), user.split_once('.')) {
            jid.agent = number(agent).ok_or(ParseJidError::Agent)?;
            jid.user = user.into();
        }
        Ok(jid)
    }

    /// A person by phone number (digits, country code first, no plus sign).
    pub fn phone(number: impl Into<CompactString>) -> Self {
        Self::new(number, Server::User)
    }

    /// A person by LID.
    pub fn lid(user: impl Into<CompactString>) -> Self {
        Self::new(user, Server::Lid)
    }

    /// A group.
    pub fn group(id: impl Into<CompactString>) -> Self {
        Self::new(id, Server::Group)
    }

    /// The server itself, `s.whatsapp.net`.
    pub fn server() -> Self {
        Self::new("", Server::User)
    }

    /// `status@broadcast`, the address of status posts.
    pub fn status() -> Self {
        Self::new("status", Server::Broadcast)
    }

    /// The same user on another device.
    #[must_use]
    pub fn with_device(&self, device: u16) -> Self {
        Self { device, ..self.clone() }
    }

    /// The person behind a device: the same JID without device and agent.
    #[must_use]
    pub fn to_user(&self) -> Self {
        Self { device: 0, agent: 0, ..self.clone() }
    }

    /// Whether both are devices, or the person, behind the same user in the same name space.
    pub fn is_same_user(&self, other: &Self) -> bool {
        self.user == other.user && self.server == other.server
    }

    /// Whether this is a person's phone number (hosted businesses included).
    pub fn is_phone(&self) -> bool {
        matches!(self.server, Server::User | Server::Hosted | Server::Legacy)
            && !self.user.is_empty()
    }

    /// Whether this is a person's LID (hosted businesses included).
    pub fn is_lid(&self) -> bool {
        matches!(self.server, Server::Lid | Server::HostedLid)
    }

    /// Whether this is a person, whichever way they are addressed.
    pub fn is_person(&self) -> bool {
        self.is_phone() || self.is_lid()
    }

    /// Whether this is a group.
    pub fn is_group(&self) -> bool {
        self.server == Server::Group
    }

    /// Whether this is the address of status posts.
    pub fn is_status(&self) -> bool {
        self.server == Server::Broadcast && self.user == "status"
    }

    /// Whether this is a device hosted on Meta's servers (Cloud API): server `hosted` or
    /// `hosted.lid`, or device 99.
    pub fn is_hosted(&self) -> bool {
        matches!(self.server, Server::Hosted | Server::HostedLid)
            || (self.is_person() && self.device == 99)
    }

    /// Whether this is an assistant: server `bot`, or one of the phone numbers that are set aside
    /// for them (1313555xxxx and 131655500xx).
    pub fn is_bot(&self) -> bool {
        let is_bot_number = (self.user.starts_with("1313555")
            || self.user.starts_with("131655500"))
            && self.user.len() == 11;
        self.server == Server::Bot
            || (self.server == Server::User && self.device == 0 && is_bot_number)
    }

    /// The name half of the Signal address of a device: the user, and the name space behind an
    /// underscore where it is not that of phone numbers (1 LID, 128 hosted, 129 hosted LID).
    pub fn signal_name(&self) -> CompactString {
        let domain = match self.server {
            Server::Lid => 1,
            Server::Hosted => 128,
            Server::HostedLid => 129,
            _ => return self.user.clone(),
        };
        compact_str::format_compact!("{}_{domain}", self.user)
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.user.is_empty() && self.device == 0 && self.agent == 0 {
            return write!(f, "{}", self.server);
        }
        write!(f, "{}", self.user)?;
        if self.agent != 0 {
            write!(f, ".{}", self.agent)?;
        }
        if self.device != 0 {
            write!(f, ":{}", self.device)?;
        }
        write!(f, "@{}", self.server)
    }
}

impl fmt::Debug for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jid({self})")
    }
}

/// A text is not a JID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseJidError {
    /// No server after the `@`.
    #[error("a JID without a server; expected user@server")]
    NoServer,
    /// Longer than [`MAX_USER_LEN`] or [`MAX_SERVER_LEN`].
    #[error("a JID that is too long")]
    TooLong,
    /// The text after the colon is no device number (0 to 65,535).
    #[error("a JID whose device is no number below 65,536")]
    Device,
    /// The text after the dot in a person's JID is no agent number (0 to 255).
    #[error("a JID whose agent is no number below 256")]
    Agent,
    /// White space, control characters or a second `@`.
    #[error("a JID with a character that no JID holds")]
    Character,
}

impl FromStr for Jid {
    type Err = ParseJidError;

    fn from_str(text: &str) -> Result<Self, ParseJidError> {
        let (user, server) = text.rsplit_once('@').unwrap_or(("", text));
        if server.is_empty() {
            return Err(ParseJidError::NoServer);
        }
        Self::from_parts(user, Server::from_name(server))
    }
}

fn is_jid_text(text: &str) -> bool {
    !text.chars().any(|c| c == '@' || c.is_control() || c.is_whitespace())
}

fn number<T: FromStr>(text: &str) -> Option<T> {
    // `parse` would take a plus sign.
    text.bytes().all(|c| c.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_survive_the_text_form() {
        for text in [
            "44771549906@s.whatsapp.net",
            "499266225580761:3@lid",
            "33616628386-1574650726@g.us",
            "status@broadcast",
            "s.whatsapp.net",
            "15554303100.1:29@s.whatsapp.net",
            "867051314767696@bot",
        ] {
            assert_eq!(text.parse::<Jid>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_jid_is_refused() {
        assert_eq!("".parse::<Jid>(), Err(ParseJidError::NoServer));
        assert_eq!("1@".parse::<Jid>(), Err(ParseJidError::NoServer));
        assert_eq!("1:70000@lid".parse::<Jid>(), Err(ParseJidError::Device));
        assert_eq!("1 2@lid".parse::<Jid>(), Err(ParseJidError::Character));
        assert_eq!("a@b@lid".parse::<Jid>(), Err(ParseJidError::Character));
        assert_eq!(format!("{}@lid", "1".repeat(300)).parse::<Jid>(), Err(ParseJidError::TooLong));
    }
}
