//! The account itself: how it stands, and linking this device to it.

use std::{io::Cursor, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use image::{ImageFormat, Luma};
use qrcode::{Color, EcLevel, QrCode};
use rmcp::{
    model::ContentBlock,
    schemars::{self, JsonSchema},
};
use serde::{Deserialize, Serialize};
use wa_bridge::{
    Cause, Failure,
    api::{HistoryWanted, Link, LinkState, Status, StatusView},
};

use super::{Kind, Readable, Tool, Toolset};
use crate::call::ToolCall;

/// Tells how the account stands.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetStatus {
    /// Connect first, to see whether the link still holds.
    #[serde(default)]
    check: bool,
}

/// How the account stands.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AccountStatus {
    /// Whether a device is linked.
    linked: bool,
    /// What to do next, if something is to be done.
    advice: Vec<String>,
    #[serde(flatten)]
    status: StatusView,
}

impl AccountStatus {
    fn new(status: StatusView) -> Self {
        let mut advice = Vec::new();
        let linked = status.account.is_some();
        if !linked {
            advice.push("no device is linked: use link_device, or run wa-cli link".into());
        }
        if let Some(problem) = &status.problem {
            advice.push(format!("no connection: {problem}"));
        }
        if let Some(restriction) = &status.restriction {
            advice.push(format!(
                "WhatsApp restricts whom this account may write to: {restriction}; do not write to new people"
            ));
        }
        if status.gaps > 0 {
            advice.push(format!(
                "{} chats have older messages that are not here; fetch_older_messages gets them",
                status.gaps
            ));
        }
        if status.drafts > 0 {
            advice.push(format!(
                "{} messages wait for a person to agree: list_drafts",
                status.drafts
            ));
        }
        if let Some(since) = &status.held_since {
            advice.push(format!(
                "the person stopped all that assistants send, at {since}; only they can release it"
            ));
        }
        advice.extend(status.health.troubles.iter().cloned());
        advice.extend(status.health.failed_tasks.iter().map(|task| {
            let (name, failures) = (&task.name, task.failures);
            format!("a part of this program failed {failures} times: {name}; please report it")
        }));
        if status.unreadable > 0 {
            advice.push(format!(
                "{} messages could not be read yet and were asked for again",
                status.unreadable
            ));
        }
        Self { linked, advice, status }
    }
}

impl Readable for AccountStatus {
    fn text(&self) -> String {
        let status = &self.status;
        let who = status.account.as_ref().map(|account| {
            let phone = account.phone.as_deref().unwrap_or("an account without a number");
            format!("linked as {phone} (device {})", account.device)
        });
        let connected = match (status.connected, status.caught_up) {
            (true, true) => "connected, up to date",
            (true, false) => "connected, catching up",
            (false, _) => "not connected now",
        };
        let mut lines = vec![
            who.unwrap_or_else(|| "not linked".into()),
            connected.to_owned(),
            format!(
                "{} messages in {} chats, {} contacts",
                status.messages, status.chats, status.contacts
            ),
            format!("{} messages to be sent, {} drafts", status.outbox_pending, status.drafts),
            format!("policy: {}", status.policy),
        ];
        lines.extend(self.advice.iter().map(|advice| format!("- {advice}")));
        lines.join("\n")
    }
}

impl Tool for GetStatus {
    type Output = AccountStatus;
    const NAME: &'static str = "get_status";
    const TITLE: &'static str = "Status";
    const ABOUT: &'static str = "Tell whether a device is linked and connected, what WhatsApp restricts, what the account's policy allows, how much is in the archive, and what to do next. Use it first when something does not work.";
    const SET: Toolset = Toolset::Account;
    const KIND: Kind = Kind::Reads { outside: true };

    async fn run(self, call: &ToolCall<'_>) -> Result<AccountStatus, Failure> {
        Ok(AccountStatus::new(call.ask(Status { online: self.check }).await?))
    }
}

/// Links this device.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkDevice {
    /// Show a code to type into the phone of this number, instead of one to scan.
    #[serde(default)]
    phone: Option<String>,
    /// How much of its past the phone is asked for; recent unless said.
    #[serde(default)]
    history: HistoryWanted,
    /// Go on with a link that has begun: the revision of the answer before.
    #[serde(default)]
    after: Option<u64>,
}

/// How far linking has come.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Linking {
    /// Whether the device is linked now.
    linked: bool,
    /// What the person has to do.
    instruction: String,
    /// A code to type into the phone, if one was asked for.
    code: Option<String>,
    /// For how many seconds the code is good, or the passkey is waited for.
    expires_in: Option<u64>,
    /// A page on the person's machine that leads them through signing with their passkey.
    page: Option<String>,
    /// Give it as after to wait until the person has done it.
    revision: u64,
    #[serde(skip)]
    picture: Option<ContentBlock>,
}

impl Readable for Linking {
    fn text(&self) -> String {
        match &self.code {
            Some(code) => format!("{}\n\n    {code}", self.instruction),
            None => self.instruction.clone(),
        }
    }

    fn pictures(&self) -> Vec<ContentBlock> {
        self.picture.clone().into_iter().collect()
    }
}

/// How long one call waits for the next thing to show.
const LINK_TIME: Duration = Duration::from_secs(45);

impl Tool for LinkDevice {
    type Output = Linking;
    const NAME: &'static str = "link_device";
    const TITLE: &'static str = "Link this device";
    const ABOUT: &'static str = "Link this machine to the person's WhatsApp: shows a QR code for them to scan in WhatsApp under Settings, Linked devices, or with phone a code to type there. Call it again with the revision to wait until they have done it; codes are replaced every 20 to 60 seconds. Where WhatsApp demands a passkey, it names a page on this machine for the person to open.";
    const SET: Toolset = Toolset::Account;
    const KIND: Kind = Kind::Sends;

    async fn run(self, call: &ToolCall<'_>) -> Result<Linking, Failure> {
        let link =
            Link { phone: self.phone, history: self.history, device_name: None, after: self.after };
        let view = call.ask_long(link, LINK_TIME, "waiting for the phone").await?;
        let revision = view.revision;
        let told = |linked, instruction: &str| Linking {
            linked,
            instruction: instruction.to_owned(),
            code: None,
            expires_in: None,
            page: None,
            revision,
            picture: None,
        };
        Ok(match view.state {
            LinkState::Scan { code, expires_in } => Linking {
                expires_in: Some(expires_in),
                picture: Some(picture(&code)?),
                ..told(
                    false,
                    "Scan this code with the phone: WhatsApp, Settings, Linked devices, Link a device. Then call link_device again with after set to this revision.",
                )
            },
            LinkState::Type { code, expires_in } => Linking {
                code: Some(code),
                expires_in: Some(expires_in),
                ..told(
                    false,
                    "Type this code into the phone: WhatsApp, Settings, Linked devices, Link a device, Link with phone number instead. Then call link_device again with after set to this revision.",
                )
            },
            LinkState::Passkey { page, check, expires_in, .. } => Linking {
                expires_in: Some(expires_in),
                ..on_the_page(
                    told(false, ""),
                    page,
                    &format!(
                        "WhatsApp demands the passkey of this account before it links a device. Only the person can do that, in their own browser: ask them to open the page below on this machine; it explains each step (check code {check}). Never ask for what the passkey signed, and do not open the page yourself."
                    ),
                )
            },
            LinkState::PasskeyCompare { page, code, expires_in } => Linking {
                code: Some(code),
                expires_in: Some(expires_in),
                ..on_the_page(
                    told(false, ""),
                    page,
                    "The passkey has signed. Ask the person to compare this code with the one on their phone, and to say on the page below whether both are the same.",
                )
            },
            LinkState::PasskeyAnswered => told(
                false,
                "The passkey has signed; WhatsApp has to stay open on the phone. Call link_device again with after set to this revision.",
            ),
            LinkState::PhoneTooOld => told(
                false,
                "That phone's WhatsApp is too old to link devices; update it and scan again.",
            ),
            LinkState::Linked { account, already } => {
                let who = account.phone.unwrap_or_default();
                let how = if already { "already linked" } else { "linked" };
                told(true, &format!("{how} as {who}; messages come in now"))
            }
            _ => told(
                false,
                "Waiting for the phone; call link_device again with after set to this revision.",
            ),
        })
    }
}

/// What the person has to do on the page of their machine.
fn on_the_page(told: Linking, page: Option<String>, what: &str) -> Linking {
    let how = match &page {
        Some(page) => format!(
            "{what}\n\n{page}\n\nThen call link_device again with after set to this revision."
        ),
        None => format!(
            "{what} There is no such page here: have them run wa-cli link in a terminal instead."
        ),
    };
    Linking { instruction: how, page, ..told }
}

/// A QR code as a PNG picture.
fn picture(code: &str) -> Result<ContentBlock, Failure> {
    let failed = |what: &str| Failure::new(Cause::Failed, format!("cannot draw the code: {what}"));
    let drawn =
        QrCode::with_error_correction_level(code, EcLevel::L).map_err(|_| failed("too long"))?;
    let modules = u32::try_from(drawn.width()).map_err(|_| failed("too large"))?;
    let colors = drawn.to_colors();
    let side = (modules + 2 * QUIET_ZONE) * MODULE;
    let pixels = image::ImageBuffer::from_fn(side, side, |x, y| {
        let module =
            |pixel: u32| (pixel / MODULE).checked_sub(QUIET_ZONE).filter(|at| *at < modules);
        let is_dark = match (module(x), module(y)) {
            (Some(x), Some(y)) => usize::try_from(y * modules + x)
                .ok()
                .and_then(|at| colors.get(at))
                .is_some_and(|color| *color == Color::Dark),
            _ => false,
        };
        Luma([if is_dark { 0_u8 } else { 255 }])
    });
    let mut png = Cursor::new(Vec::new());
    pixels.write_to(&mut png, ImageFormat::Png).map_err(|error| failed(&error.to_string()))?;
    Ok(ContentBlock::image(STANDARD.encode(png.into_inner()), "image/png"))
}

/// The light border a scanner needs, in modules.
const QUIET_ZONE: u32 = 4;

/// How many pixels wide a module is.
const MODULE: u32 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_becomes_a_picture_with_a_border() {
        let block = picture("https://wa.me/settings/linked_devices#2@a,b,c,d").unwrap();
        let png = STANDARD.decode(&block.as_image().unwrap().data).unwrap();
        let picture = image::load_from_memory(&png).unwrap().to_luma8();
        assert_eq!(picture.width(), picture.height());
        assert!(picture.rows().next().unwrap().all(|pixel| pixel.0 == [255]));
        assert!(picture.pixels().any(|pixel| pixel.0 == [0]));
    }
}
