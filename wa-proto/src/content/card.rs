//! What a chat shows as a text or a card: texts, places, contacts and invitations.
//!
//! Owns their values and how they are read. Knows nothing of the messages around them.

use bytes::Bytes;

use super::{Media, jid};
use crate::Jid;
use crate::pb::message as pb;

/// A text.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Text {
    /// What is written, with WhatsApp's `*bold*`, `_italic_`, `~struck~` and backtick marks.
    pub body: String,
    /// The link shown with it.
    pub preview: Option<LinkPreview>,
    /// The background of a text status, as 0xAARRGGBB.
    pub background_argb: Option<u32>,
    /// The colour of a text status, as 0xAARRGGBB.
    pub text_argb: Option<u32>,
    /// The font of a text status, by its number.
    pub font: Option<i32>,
}

impl Text {
    /// A text and nothing else.
    pub fn new(body: impl Into<String>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }

    /// Whether there is nothing but the body.
    pub(super) fn is_plain(&self) -> bool {
        self.preview.is_none()
            && self.background_argb.is_none()
            && self.text_argb.is_none()
            && self.font.is_none()
    }
}

impl From<pb::ExtendedTextMessage> for Text {
    fn from(m: pb::ExtendedTextMessage) -> Self {
        let preview = m.matched_text.filter(|url| !url.is_empty()).map(|url| LinkPreview {
            url,
            title: m.title,
            description: m.description,
            thumbnail: m.jpeg_thumbnail,
        });
        Self {
            body: m.text.unwrap_or_default(),
            preview,
            background_argb: m.background_argb,
            text_argb: m.text_argb,
            font: m.font,
        }
    }
}

/// A link's preview, made by the sender: nothing proves that the page says so.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LinkPreview {
    /// The address as it stands in the text.
    pub url: String,
    /// The page's title.
    pub title: Option<String>,
    /// The page's description.
    pub description: Option<String>,
    /// A small JPEG.
    pub thumbnail: Option<Bytes>,
}

/// A place. Degrees are WGS 84; longitudes east and latitudes north are positive.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Location {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// What is there.
    pub name: Option<String>,
    /// Its address.
    pub address: Option<String>,
    /// A page about it.
    pub url: Option<String>,
    /// What the sender says about it.
    pub comment: Option<String>,
    /// A small JPEG of the map.
    pub thumbnail: Option<Bytes>,
}

impl From<pb::LocationMessage> for Location {
    fn from(m: pb::LocationMessage) -> Self {
        Self {
            latitude: m.degrees_latitude.unwrap_or_default(),
            longitude: m.degrees_longitude.unwrap_or_default(),
            name: m.name,
            address: m.address,
            url: m.url,
            comment: m.comment,
            thumbnail: m.jpeg_thumbnail,
        }
    }
}

/// One position of a place that moves.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LiveLocation {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Radius of the likely area, in metres.
    pub accuracy_in_meters: Option<u32>,
    /// Metres per second.
    pub speed: Option<f32>,
    /// Degrees clockwise from magnetic north.
    pub bearing: Option<u32>,
    /// What the sender says about it.
    pub caption: Option<String>,
    /// Later positions have higher numbers.
    pub sequence_number: Option<i64>,
}

impl From<pb::LiveLocationMessage> for LiveLocation {
    fn from(m: pb::LiveLocationMessage) -> Self {
        Self {
            latitude: m.degrees_latitude.unwrap_or_default(),
            longitude: m.degrees_longitude.unwrap_or_default(),
            accuracy_in_meters: m.accuracy_in_meters,
            speed: m.speed_in_mps,
            bearing: m.degrees_clockwise_from_magnetic_north,
            caption: m.caption,
            sequence_number: m.sequence_number,
        }
    }
}

/// A contact card.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contact {
    /// The name to show.
    pub name: String,
    /// The card as vCard text.
    pub vcard: String,
}

impl Contact {
    /// A card with a name and phone numbers (digits only, country code first), which clients offer
    /// to write to.
    pub fn card<N: AsRef<str>>(
        name: impl Into<String>,
        numbers: impl IntoIterator<Item = N>,
    ) -> Self {
        let name = name.into();
        let escaped = escaped(&name);
        let mut vcard = format!("BEGIN:VCARD\nVERSION:3.0\nN:;{escaped};;;\nFN:{escaped}\n");
        for number in numbers {
            let number: String = number.as_ref().chars().filter(char::is_ascii_digit).collect();
            vcard.push_str(&format!("TEL;type=CELL;waid={number}:+{number}\n"));
        }
        vcard.push_str("END:VCARD");
        Self { name, vcard }
    }
}

/// A text as a vCard's value: separators escaped, lines joined (RFC 6350, section 3.4).
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '\\' | ',' | ';' => escaped.extend(['\\', character]),
            '\n' => escaped.push_str("\\n"),
            '\r' => {}
            _ => escaped.push(character),
        }
    }
    escaped
}

impl From<pb::ContactMessage> for Contact {
    fn from(m: pb::ContactMessage) -> Self {
        Self { name: m.display_name.unwrap_or_default(), vcard: m.vcard.unwrap_or_default() }
    }
}

/// Several contact cards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contacts {
    /// What to call them together.
    pub name: String,
    /// The cards.
    pub contacts: Vec<Contact>,
}

impl From<pb::ContactsArrayMessage> for Contacts {
    fn from(m: pb::ContactsArrayMessage) -> Self {
        Self {
            name: m.display_name.unwrap_or_default(),
            contacts: m.contacts.into_iter().map(Contact::from).collect(),
        }
    }
}

/// Stickers offered together: a zip of WebP files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StickerPack {
    /// The pack's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Who made it.
    pub publisher: String,
    /// How many stickers are in it.
    pub stickers: usize,
    /// The zip file.
    pub media: Media,
}

impl From<pb::StickerPackMessage> for StickerPack {
    fn from(m: pb::StickerPackMessage) -> Self {
        Self {
            id: m.sticker_pack_id.unwrap_or_default(),
            name: m.name.unwrap_or_default(),
            publisher: m.publisher.unwrap_or_default(),
            stickers: m.stickers.len(),
            media: Media {
                direct_path: m.direct_path,
                media_key: m.media_key.map(super::MediaKey::new),
                media_key_timestamp: m.media_key_timestamp,
                file_sha256: m.file_sha256,
                file_enc_sha256: m.file_enc_sha256,
                file_length: m.file_length,
                caption: m.caption,
                ..Media::default()
            },
        }
    }
}

/// An invitation to a group, for somebody who could not be added.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GroupInvite {
    /// The group.
    pub group: Option<Jid>,
    /// Its name.
    pub name: String,
    /// The code to join by.
    pub code: String,
    /// When the code ends, in seconds since 1970.
    pub expires_at: Option<i64>,
    /// What the sender says.
    pub caption: Option<String>,
    /// The group's picture as a small JPEG.
    pub thumbnail: Option<Bytes>,
}

impl From<pb::GroupInviteMessage> for GroupInvite {
    fn from(m: pb::GroupInviteMessage) -> Self {
        Self {
            group: jid(m.group_jid),
            name: m.group_name.unwrap_or_default(),
            code: m.invite_code.unwrap_or_default(),
            expires_at: m.invite_expiration,
            caption: m.caption,
            thumbnail: m.jpeg_thumbnail,
        }
    }
}

/// What somebody is invited to do in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewsletterRole {
    /// To administer it.
    Admin,
    /// To follow it.
    Follower,
}

/// An invitation to a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct NewsletterInvite {
    /// As what.
    pub role: NewsletterRole,
    /// The channel.
    pub newsletter: Option<Jid>,
    /// Its name.
    pub name: String,
    /// What the sender says.
    pub caption: Option<String>,
    /// When the invitation ends, in seconds since 1970.
    pub expires_at: Option<i64>,
}

impl From<pb::NewsletterAdminInviteMessage> for NewsletterInvite {
    fn from(m: pb::NewsletterAdminInviteMessage) -> Self {
        Self {
            role: NewsletterRole::Admin,
            newsletter: jid(m.newsletter_jid),
            name: m.newsletter_name.unwrap_or_default(),
            caption: m.caption,
            expires_at: m.invite_expiration,
        }
    }
}

impl From<pb::NewsletterFollowerInviteMessage> for NewsletterInvite {
    fn from(m: pb::NewsletterFollowerInviteMessage) -> Self {
        Self {
            role: NewsletterRole::Follower,
            newsletter: jid(m.newsletter_jid),
            name: m.newsletter_name.unwrap_or_default(),
            caption: m.caption,
            expires_at: None,
        }
    }
}
