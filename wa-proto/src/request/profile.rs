//! Requests about what people show of themselves: picture, "about", business, and to whom.
//!
//! Owns their form and the reading of answers. Which tokens go along is decided by the client.

use bytes::Bytes;
use compact_str::CompactString;

use super::{Request, get, set};
use crate::{Jid, Node, OwnedNode, entries::readable, stanza::ParseError};

/// The most fields of a business that are taken: hours, categories, websites.
pub const MAX_BUSINESS_FIELDS: usize = 64;

/// Asks for the picture of a person or a group.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Whose.
    pub of: Jid,
    /// The small one rather than the large one.
    pub preview: bool,
    /// The id of the one that is known already.
    pub known_id: Option<CompactString>,
    /// The token that the person gave. Nobody answers if it goes along with one's own.
    pub token: Option<Bytes>,
}

/// Without the address and the token.
impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture").field("preview", &self.preview).finish_non_exhaustive()
    }
}

/// Where a picture is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PictureAnswer {
    /// There.
    Set(PictureLocation),
    /// It is still the one that is known.
    Unchanged,
    /// There is none.
    NotSet,
}

/// Where a picture can be had.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PictureLocation {
    /// Its id, another for each picture.
    pub id: CompactString,
    /// Where it is, for anybody who knows this.
    pub url: String,
    /// The same without the host.
    pub direct_path: Option<String>,
}

/// Without the address, which opens the picture to anybody.
impl std::fmt::Debug for PictureLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PictureLocation").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Request for Picture {
    type Response = PictureAnswer;

    fn to_node(&self, id: &str) -> OwnedNode {
        let token = self.token.as_ref().map(|token| Node::new("tctoken").bytes(token.to_vec()));
        let picture = Node::new("picture")
            .attr("query", "url")
            .attr("type", if self.preview { "preview" } else { "image" })
            .attr_opt("id", self.known_id.as_ref())
            .children(token);
        get(id, "w:profile:picture").attr("target", &self.of).child(picture)
    }

    fn parse(&self, result: &OwnedNode) -> Result<PictureAnswer, ParseError> {
        let Some(picture) = result.find("picture") else {
            return Ok(match self.known_id {
                Some(_) => PictureAnswer::Unchanged,
                None => PictureAnswer::NotSet,
            });
        };
        Ok(match picture.attrs.number::<u16>("status") {
            Some(304) => PictureAnswer::Unchanged,
            Some(204) => PictureAnswer::NotSet,
            _ => PictureAnswer::Set(PictureLocation {
                id: picture.need_text("id")?,
                url: picture.need_text("url")?.into(),
                direct_path: picture.text_opt("direct_path").map(Into::into),
            }),
        })
    }
}

/// Changes this account's picture.
#[derive(Clone, PartialEq, Eq)]
pub struct SetOwnPicture {
    /// A square JPEG; `None` takes the picture away.
    pub jpeg: Option<Bytes>,
}

impl std::fmt::Debug for SetOwnPicture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetOwnPicture")
            .field("len", &self.jpeg.as_ref().map(Bytes::len))
            .finish_non_exhaustive()
    }
}

impl Request for SetOwnPicture {
    /// The new picture's id.
    type Response = Option<CompactString>;

    fn to_node(&self, id: &str) -> OwnedNode {
        let picture = self
            .jpeg
            .as_ref()
            .map(|jpeg| Node::new("picture").attr("type", "image").bytes(jpeg.to_vec()));
        set(id, "w:profile:picture").children(picture)
    }

    fn parse(&self, result: &OwnedNode) -> Result<Option<CompactString>, ParseError> {
        Ok(result.find("picture").and_then(|picture| picture.text_opt("id")))
    }
}

/// Changes this account's "about" text.
#[derive(Clone, PartialEq, Eq)]
pub struct SetAbout {
    /// The text.
    pub text: String,
}

impl std::fmt::Debug for SetAbout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SetAbout(…)")
    }
}

impl Request for SetAbout {
    type Response = ();

    fn to_node(&self, id: &str) -> OwnedNode {
        set(id, "status").child(Node::new("status").bytes(self.text.clone().into_bytes()))
    }

    fn parse(&self, _: &OwnedNode) -> Result<(), ParseError> {
        Ok(())
    }
}

/// Changes the timer that this account's new chats begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetDisappearingMode {
    /// In seconds; 0 is off.
    pub duration: u32,
}

impl Request for SetDisappearingMode {
    type Response = ();

    fn to_node(&self, id: &str) -> OwnedNode {
        set(id, "disappearing_mode")
            .child(Node::new("disappearing_mode").attr("duration", self.duration))
    }

    fn parse(&self, _: &OwnedNode) -> Result<(), ParseError> {
        Ok(())
    }
}

/// Asks who sees this account's status posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusPrivacy;

/// A list of people by which status posts are shown.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusList {
    /// `contacts`, `whitelist` or `blacklist`.
    pub kind: CompactString,
    /// Whether it is the one in force.
    pub is_default: bool,
    /// Who is on it.
    pub people: Vec<Jid>,
}

impl std::fmt::Debug for StatusList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StatusList").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Request for StatusPrivacy {
    type Response = Vec<StatusList>;

    fn to_node(&self, id: &str) -> OwnedNode {
        get(id, "status").child(Node::new("privacy"))
    }

    fn parse(&self, result: &OwnedNode) -> Result<Vec<StatusList>, ParseError> {
        // All or nothing: whoever is left out of a list of those who are not to see the posts would
        // see them, and without the list that is in force everybody would.
        let list = |list: &OwnedNode| {
            Ok(StatusList {
                kind: list.need_text("type")?,
                is_default: list.attrs.is("default", "true"),
                people: list
                    .find_all("user")
                    .map(|user| user.need_jid("jid"))
                    .collect::<Result<_, _>>()?,
            })
        };
        result.need_child("privacy")?.find_all("list").map(list).collect()
    }
}

/// Asks what a business says of itself.
#[derive(Clone, PartialEq, Eq)]
pub struct BusinessProfile {
    /// Which.
    pub of: Jid,
}

impl std::fmt::Debug for BusinessProfile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BusinessProfile(…)")
    }
}

/// What a business says of itself.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BusinessProfileAnswer {
    /// Which.
    pub jid: Jid,
    /// What it does.
    pub description: Option<String>,
    /// Where it is.
    pub address: Option<String>,
    /// Where to write to.
    pub email: Option<String>,
    /// Its web pages.
    pub websites: Vec<String>,
    /// What kind of business it is.
    pub categories: Vec<String>,
    /// The zone of its hours.
    pub timezone: Option<String>,
    /// When it is open.
    pub hours: Vec<BusinessHours>,
}

impl std::fmt::Debug for BusinessProfileAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BusinessProfileAnswer(…)")
    }
}

/// When a business is open on a day of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BusinessHours {
    /// `mon`, `tue` and so on.
    pub day: CompactString,
    /// `specific_hours`, `open_24h` or `appointment_only`.
    pub mode: CompactString,
    /// In minutes since midnight.
    pub opens: Option<u16>,
    /// In minutes since midnight.
    pub closes: Option<u16>,
}

impl Request for BusinessProfile {
    /// `None` for those who are no business.
    type Response = Option<BusinessProfileAnswer>;

    fn to_node(&self, id: &str) -> OwnedNode {
        let profile = Node::new("profile").attr("jid", &self.of);
        get(id, "w:biz").child(Node::new("business_profile").attr("v", "244").child(profile))
    }

    fn parse(&self, result: &OwnedNode) -> Result<Option<BusinessProfileAnswer>, ParseError> {
        let profile = result.find("business_profile").and_then(|answer| answer.find("profile"));
        let Some(profile) = profile else { return Ok(None) };
        let jid = profile.need_jid("jid")?;
        // Asked about by LID, a business may be named by its number.
        if jid.server == self.of.server && !jid.is_same_user(&self.of) {
            return Err(ParseError::NotAsked("profile"));
        }
        let text = |tag: &str| profile.find(tag)?.content_text().map(str::to_owned);
        let texts = |nodes: &OwnedNode, tag: &str| {
            let texts = nodes.find_all(tag).filter_map(|node| node.content_text());
            texts.take(MAX_BUSINESS_FIELDS).map(str::to_owned).collect()
        };
        let hours = profile.find("business_hours");
        let configs = hours.map(|hours| hours.find_all("business_hours_config"));
        Ok(Some(BusinessProfileAnswer {
            jid,
            description: text("description"),
            address: text("address"),
            email: text("email"),
            websites: texts(profile, "website"),
            categories: profile
                .find("categories")
                .map(|categories| texts(categories, "category"))
                .unwrap_or_default(),
            timezone: hours.and_then(|hours| hours.text_opt("timezone")).map(Into::into),
            hours: readable(
                configs.into_iter().flatten().take(MAX_BUSINESS_FIELDS),
                BusinessHours::read,
            ),
        }))
    }
}

impl BusinessHours {
    fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        Ok(Self {
            day: node.need_text("day_of_week")?,
            mode: node.need_text("mode")?,
            opens: node.attrs.number("open_time"),
            closes: node.attrs.number("close_time"),
        })
    }
}
