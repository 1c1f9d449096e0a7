//! What businesses send: menus, replies to them, orders, products and payments.
//!
//! Owns their values, reduced to what a person sees and answers. Knows nothing of money: amounts
//! are as the sender wrote them.

use super::{Content, Media, jid, key};
use crate::Jid;
use crate::ids::MessageKey;
use crate::pb::message::{self, InteractiveMessage, TemplateMessage};
use crate::pb::{self, hydrated_template_button::HydratedButton};

/// Something to choose, or what was chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// What the business knows it by; JSON for a native flow's answer.
    pub id: String,
    /// What the person sees.
    pub text: String,
}

impl Choice {
    pub(super) fn new(id: Option<String>, text: Option<String>) -> Self {
        Self { id: id.unwrap_or_default(), text: text.unwrap_or_default() }
    }
}

/// A text with something to choose from.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Menu {
    /// The line above.
    pub title: Option<String>,
    /// The text.
    pub body: String,
    /// The line below.
    pub footer: Option<String>,
    /// What can be chosen, in order, without sections.
    pub options: Vec<Choice>,
    /// The picture, video or document above.
    pub media: Option<Media>,
}

impl From<message::ButtonsMessage> for Menu {
    fn from(m: message::ButtonsMessage) -> Self {
        use message::buttons_message::Header;
        let (title, media) = match m.header {
            Some(Header::Text(text)) => (Some(text), None),
            Some(Header::DocumentMessage(m)) => (None, Some(Media::from(*m))),
            Some(Header::ImageMessage(m)) => (None, Some(Media::from(*m))),
            Some(Header::VideoMessage(m)) => (None, Some(Media::from(*m))),
            Some(Header::LocationMessage(m)) => (m.name, None),
            None => (None, None),
        };
        let options = m.buttons.into_iter().map(|button| {
            Choice::new(button.button_id, button.button_text.and_then(|text| text.display_text))
        });
        Self {
            title,
            body: m.content_text.unwrap_or_default(),
            footer: m.footer_text,
            options: options.collect(),
            media,
        }
    }
}

impl From<message::ListMessage> for Menu {
    fn from(m: message::ListMessage) -> Self {
        let rows = m.sections.into_iter().flat_map(|section| section.rows);
        Self {
            title: m.title,
            body: m.description.unwrap_or_default(),
            footer: m.footer_text,
            options: rows.map(|row| Choice::new(row.row_id, row.title)).collect(),
            media: None,
        }
    }
}

impl From<TemplateMessage> for Menu {
    fn from(m: TemplateMessage) -> Self {
        use message::template_message::Format;
        match (m.format, m.hydrated_template) {
            (Some(Format::HydratedFourRowTemplate(template)), _) => Self::hydrated(*template),
            (Some(Format::InteractiveMessageTemplate(template)), _) => Self::from(*template),
            (_, Some(template)) => Self::hydrated(*template),
            // Parameters for a text that only the phone's app holds.
            (Some(Format::FourRowTemplate(_)) | None, None) => Self::default(),
        }
    }
}

impl From<InteractiveMessage> for Menu {
    fn from(m: InteractiveMessage) -> Self {
        use message::interactive_message::{InteractiveMessage as Flow, header};
        let header = m.header.map(|header| *header).unwrap_or_default();
        let media = match header.media {
            Some(header::Media::DocumentMessage(m)) => Some(Media::from(*m)),
            Some(header::Media::ImageMessage(m)) => Some(Media::from(*m)),
            Some(header::Media::VideoMessage(m)) => Some(Media::from(*m)),
            _ => None,
        };
        let options = match m.interactive_message {
            Some(Flow::NativeFlowMessage(flow)) => flow
                .buttons
                .into_iter()
                .map(|button| Choice::new(button.button_params_json, button.name))
                .collect(),
            _ => Vec::new(),
        };
        Self {
            title: header.title,
            body: m.body.and_then(|body| body.text).unwrap_or_default(),
            footer: m.footer.and_then(|footer| footer.text),
            options,
            media,
        }
    }
}

impl Menu {
    fn hydrated(m: message::template_message::HydratedFourRowTemplate) -> Self {
        use message::template_message::hydrated_four_row_template::Title;
        let (title, media) = match m.title {
            Some(Title::HydratedTitleText(text)) => (Some(text), None),
            Some(Title::DocumentMessage(m)) => (None, Some(Media::from(*m))),
            Some(Title::ImageMessage(m)) => (None, Some(Media::from(*m))),
            Some(Title::VideoMessage(m)) => (None, Some(Media::from(*m))),
            Some(Title::LocationMessage(m)) => (m.name, None),
            None => (None, None),
        };
        let options = m.hydrated_buttons.into_iter().filter_map(|button| {
            Some(match button.hydrated_button? {
                HydratedButton::QuickReplyButton(b) => Choice::new(b.id, b.display_text),
                HydratedButton::UrlButton(b) => Choice::new(b.url, b.display_text),
                HydratedButton::CallButton(b) => Choice::new(b.phone_number, b.display_text),
            })
        });
        Self {
            title,
            body: m.hydrated_content_text.unwrap_or_default(),
            footer: m.hydrated_footer_text,
            options: options.collect(),
            media,
        }
    }
}

/// An order from a catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Order {
    /// The order's id.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// What the buyer says.
    pub text: Option<String>,
    /// Who sells.
    pub seller: Option<Jid>,
    /// How many items.
    pub items: Option<i32>,
    /// The total, in thousandths of the currency's unit.
    pub total_thousandths: Option<i64>,
    /// The currency, as in ISO 4217.
    pub currency: Option<String>,
}

impl From<message::OrderMessage> for Order {
    fn from(m: message::OrderMessage) -> Self {
        Self {
            id: m.order_id.unwrap_or_default(),
            title: m.order_title.unwrap_or_default(),
            text: m.message,
            seller: jid(m.seller_jid),
            items: m.item_count,
            total_thousandths: m.total_amount1000,
            currency: m.total_currency_code,
        }
    }
}

/// A product from a catalogue, or the catalogue.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Product {
    /// The product's id; empty for a catalogue.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// What it is.
    pub description: Option<String>,
    /// What the sender says.
    pub text: Option<String>,
    /// Whose catalogue it is from.
    pub owner: Option<Jid>,
    /// The price, in thousandths of the currency's unit.
    pub price_thousandths: Option<i64>,
    /// The currency, as in ISO 4217.
    pub currency: Option<String>,
    /// Its picture.
    pub image: Option<Media>,
}

impl From<message::ProductMessage> for Product {
    fn from(m: message::ProductMessage) -> Self {
        let product = m.product.map(|product| *product).unwrap_or_default();
        let catalog = m.catalog.map(|catalog| *catalog).unwrap_or_default();
        Self {
            id: product.product_id.unwrap_or_default(),
            title: product.title.or(catalog.title).unwrap_or_default(),
            description: product.description.or(catalog.description),
            text: m.body,
            owner: jid(m.business_owner_jid),
            price_thousandths: product.price_amount1000,
            currency: product.currency_code,
            image: product.product_image.or(catalog.catalog_image).map(|m| Media::from(*m)),
        }
    }
}

/// What happens to the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PaymentKind {
    /// It is sent.
    Sent,
    /// It is asked for.
    Requested,
    /// A request is refused.
    Declined,
    /// A request is taken back.
    Cancelled,
    /// The receiver is invited to set payments up.
    Invited,
    /// The receiver is reminded of it.
    Reminded,
    /// A bill is shared.
    Split,
}

/// Money sent or asked for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Payment {
    /// What happens.
    pub kind: PaymentKind,
    /// What the sender says.
    pub note: Option<Box<Content>>,
    /// The request it is about.
    pub target: Option<MessageKey>,
    /// How much, in thousandths of the currency's unit.
    pub thousandths: Option<i64>,
    /// The currency, as in ISO 4217.
    pub currency: Option<String>,
}

impl Payment {
    pub(super) fn new(kind: PaymentKind) -> Self {
        Self { kind, note: None, target: None, thousandths: None, currency: None }
    }

    pub(super) fn about(kind: PaymentKind, target: Option<pb::MessageKey>) -> Self {
        Self { target: key(target), ..Self::new(kind) }
    }

    pub(super) fn noted(mut self, note: Option<String>) -> Self {
        self.note = note.map(|note| Box::new(Content::from(note)));
        self
    }

    /// Reads an amount of `value / offset`, or none if thousandths cannot hold it.
    pub(super) fn of(mut self, money: Option<pb::Money>) -> Self {
        let Some(money) = money else { return self };
        let value = money.value.unwrap_or_default();
        self.thousandths = match money.offset.unwrap_or_default() {
            0 => None,
            offset => value.checked_mul(1000).map(|value| value / i64::from(offset)),
        };
        self.currency = money.currency_code;
        self
    }
}
