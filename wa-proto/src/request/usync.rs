//! What the server knows of people (`usync`): their devices, LIDs, statuses and more, many people
//! and several questions at once.
//!
//! Owns the question and the answer, and that nobody is in the answer who is not in the question:
//! what is asked about one person must not change what is known of another. How many people one question names is decided by the caller;
//! 256 are known to work.

use compact_str::CompactString;

use super::{Request, get};
use crate::{
    Jid, Node, OwnedNode,
    entries::readable,
    stanza::{IqError, ParseError, SignedKeyIndexList},
};

/// Asks about people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usync {
    /// Why it is asked.
    pub context: UsyncContext,
    /// How much of the list this is.
    pub mode: UsyncMode,
    /// What is asked.
    pub protocols: Vec<UsyncProtocol>,
    /// About whom.
    pub users: Vec<UsyncQuery>,
}

/// Why it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UsyncContext {
    /// Somebody waits for it.
    Interactive,
    /// Nobody waits for it.
    Background,
    /// A message is to be sent.
    Message,
    /// A device list changed.
    Notification,
    /// A phone number was typed.
    Add,
}

impl UsyncContext {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Background => "background",
            Self::Message => "message",
            Self::Notification => "notification",
            Self::Add => "add",
        }
    }
}

/// How much of the list of people this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UsyncMode {
    /// Some of them.
    Query,
    /// What changed.
    Delta,
    /// All of them.
    Full,
}

impl UsyncMode {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Delta => "delta",
            Self::Full => "full",
        }
    }
}

/// One thing to ask about each person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UsyncProtocol {
    /// Their devices, with the signed list of keys.
    Devices,
    /// Whether a phone number is on WhatsApp.
    Contact,
    /// Their LID.
    Lid,
    /// Their "about" text.
    Status,
    /// Their picture.
    Picture,
    /// Whether they are a business, with its verified name.
    Business,
    /// The timer that their new chats begin with.
    DisappearingMode,
    /// What kind of assistant they are.
    Bot,
    /// The name by which they can be found without their number.
    Username,
}

impl UsyncProtocol {
    fn query_node(self) -> OwnedNode {
        match self {
            Self::Devices => Node::new("devices").attr("version", "2"),
            Self::Contact => Node::new("contact"),
            Self::Lid => Node::new("lid"),
            Self::Status => Node::new("status"),
            Self::Picture => Node::new("picture"),
            Self::Business => Node::new("business").child(Node::new("verified_name")),
            Self::DisappearingMode => Node::new("disappearing_mode"),
            Self::Username => Node::new("username"),
            Self::Bot => Node::new("bot").child(Node::new("profile").attr("v", "1")),
        }
    }
}

/// One person to ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UsyncQuery {
    /// By JID.
    Jid(Jid),
    /// By phone number, digits with the country code first; needs [`UsyncProtocol::Contact`].
    Phone(CompactString),
}

impl UsyncQuery {
    fn to_node(&self) -> OwnedNode {
        match self {
            Self::Jid(jid) => Node::new("user").attr("jid", jid.to_user()),
            Self::Phone(number) => {
                let number = format!("+{}", number.trim_start_matches('+'));
                Node::new("user").child(Node::new("contact").bytes(number.into_bytes()))
            }
        }
    }
}

/// What the server knows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UsyncAnswer {
    /// About each person that was asked about, once; what the server says of others is left out.
    pub users: Vec<UsyncResult>,
    /// What it would not answer for anybody.
    pub errors: Vec<(UsyncProtocol, IqError)>,
}

/// An answer about one thing: absent, refused or there.
pub type UsyncField<T> = Option<Result<T, IqError>>;

/// What the server knows of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UsyncResult {
    /// Who.
    pub jid: Jid,
    /// Who, by phone number, if the server named them by LID.
    pub phone: Option<Jid>,
    /// Their devices.
    pub devices: UsyncField<UsyncDevices>,
    /// Whether they are on WhatsApp.
    pub is_registered: UsyncField<bool>,
    /// The phone number they were asked about by, as it was asked.
    pub asked: Option<CompactString>,
    /// Their LID.
    pub lid: UsyncField<Jid>,
    /// Their "about" text.
    pub status: UsyncField<UsyncStatus>,
    /// The id of their picture.
    pub picture_id: UsyncField<CompactString>,
    /// The encoded certificate of a business's name.
    pub verified_name: UsyncField<bytes::Bytes>,
    /// The timer that their new chats begin with, in seconds.
    pub disappearing_mode: UsyncField<u32>,
    /// The `<bot>` node as it came.
    pub bot: UsyncField<OwnedNode>,
    /// The name by which they can be found, if they have one.
    pub username: UsyncField<Option<String>>,
}

/// Somebody's "about" text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsyncStatus {
    /// The text; `None` if it may not be seen.
    pub text: Option<String>,
    /// When it was set, in seconds since 1970.
    pub timestamp: Option<u64>,
}

/// Somebody's devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsyncDevices {
    /// The devices, the phone (number 0) included.
    pub devices: Vec<UsyncDevice>,
    /// The signed list of device keys: what is not in it is not to be trusted.
    pub key_index_list: Option<SignedKeyIndexList>,
}

/// A device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UsyncDevice {
    /// Its number; 0 is the phone.
    pub id: u16,
    /// Its place in the signed list; phones have none.
    pub key_index: Option<u32>,
    /// Whether it runs on Meta's servers.
    pub is_hosted: bool,
}

impl Request for Usync {
    type Response = UsyncAnswer;

    fn to_node(&self, id: &str) -> OwnedNode {
        let query = self.protocols.iter().map(|protocol| protocol.query_node());
        let usync = Node::new("usync")
            .attr("context", self.context.as_str())
            .attr("mode", self.mode.as_str())
            .attr("sid", id.to_owned())
            .attr("last", "true")
            .attr("index", "0")
            .child(Node::new("query").children(query))
            .child(Node::new("list").children(self.users.iter().map(UsyncQuery::to_node)));
        get(id, "usync").child(usync)
    }

    fn parse(&self, result: &OwnedNode) -> Result<UsyncAnswer, ParseError> {
        let usync = result.need_child("usync")?;
        let list = usync.need_child("list")?;
        let errors = self.protocols.iter().filter_map(|&protocol| {
            let answer = usync.find("result")?.find(&protocol.query_node().tag)?;
            Some((protocol, IqError::read(Some(answer.find("error")?))))
        });
        let mut users: Vec<UsyncResult> = Vec::new();
        // A number that nobody has comes without an address.
        let told = list.find_all("user");
        let told = told.filter(|user| user.attrs.value("jid").is_some() || !is_nobody(user));
        // Of whom nothing can be read, nothing new is known: no more is sent to anybody.
        for user in readable(told, UsyncResult::read) {
            // Two numbers may be one person's.
            let is_again = |known: &UsyncResult| {
                known.jid.is_same_user(&user.jid) && known.asked == user.asked
            };
            if !users.iter().any(is_again)
                && self.users.iter().any(|asked| asked.is_answered_by(&user))
            {
                users.push(user);
            }
        }
        Ok(UsyncAnswer { users, errors: errors.collect() })
    }
}

impl UsyncQuery {
    /// Whether this is what somebody's answer is about. Numbers of some countries have an address
    /// of other digits, so of a number that was repeated the address is not compared.
    fn is_answered_by(&self, user: &UsyncResult) -> bool {
        match (self, &user.asked) {
            (Self::Jid(jid), _) => jid.is_same_user(&user.jid),
            (Self::Phone(number), Some(repeated)) => {
                number.trim_start_matches('+') == repeated.trim_start_matches('+')
            }
            (Self::Phone(number), None) => {
                let number = number.trim_start_matches('+');
                let mut names = [Some(&user.jid), user.phone.as_ref()].into_iter().flatten();
                names.any(|jid| jid.is_phone() && jid.user == number)
            }
        }
    }
}

fn is_nobody(user: &OwnedNode) -> bool {
    user.find("contact").is_some_and(|contact| !contact.attrs.is("type", "in"))
}

impl UsyncResult {
    fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        Ok(Self {
            jid: node.need_jid("jid")?,
            phone: node.attrs.jid("pn_jid"),
            devices: field(node, "devices", UsyncDevices::read),
            is_registered: field(node, "contact", |contact| Ok(contact.attrs.is("type", "in"))),
            asked: node.find("contact").and_then(|contact| contact.content_text().map(Into::into)),
            // An attribute without a value says that the server knows no LID of them.
            lid: field(node, "lid", |lid| lid.need_jid("val")),
            status: field(node, "status", UsyncStatus::read),
            picture_id: field(node, "picture", |picture| picture.need_text("id")),
            verified_name: match node.find("business") {
                Some(business) => field(business, "verified_name", |name| {
                    let bytes = name.content_bytes().ok_or(ParseError::Content("verified_name"))?;
                    Ok(bytes::Bytes::copy_from_slice(bytes))
                }),
                None => None,
            },
            disappearing_mode: field(node, "disappearing_mode", |mode| {
                mode.need_number("duration")
            }),
            bot: field(node, "bot", |bot| Ok(bot.clone())),
            username: field(node, "username", |name| {
                let name = name.content_text().filter(|name| !name.is_empty());
                Ok(name.map(str::to_owned))
            }),
        })
    }
}

/// One child of a person's answer: absent, refused, or read. One that is malformed counts as
/// absent, so that it costs no other.
fn field<T>(
    node: &OwnedNode,
    tag: &str,
    read: impl FnOnce(&OwnedNode) -> Result<T, ParseError>,
) -> UsyncField<T> {
    let child = node.find(tag)?;
    match child.find("error") {
        Some(error) => Some(Err(IqError::read(Some(error)))),
        None => Some(Ok(read(child).ok()?)),
    }
}

impl UsyncDevices {
    fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        let device = |device: &OwnedNode| {
            Ok(UsyncDevice {
                id: device.need_number("id")?,
                key_index: device.attrs.number("key-index"),
                is_hosted: device.attrs.is("is_hosted", "true"),
            })
        };
        let list = node.need_child("device-list")?;
        Ok(Self {
            // A device that is left out gets no message; it never makes another one trusted.
            devices: readable(list.find_all("device"), device),
            key_index_list: node.find("key-index-list").map(SignedKeyIndexList::read),
        })
    }
}

impl UsyncStatus {
    fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        let is_hidden = node.attrs.is("code", "401");
        let text = node.content_text().filter(|_| !is_hidden);
        Ok(Self { text: text.map(str::to_owned), timestamp: node.attrs.number("t") })
    }
}
