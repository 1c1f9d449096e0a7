//! What a client says about itself in the last message of the handshake.
//!
//! Owns the two forms, to register and to log in. Knows nothing of the handshake around them.

use bytes::Bytes;
use md5::{Digest, Md5};
use prost::Message;
use wa_crypto::{PublicKey, Signature};
use wa_proto::{Jid, pb};

use crate::{history::HistoryDepth, version::ClientVersion};

/// How this device shows in the phone's list of linked devices.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceDescription {
    /// The name that is shown: an operating system, or the program's name.
    pub os: String,
    /// The icon that is shown, and what the phone believes this device can do.
    pub platform: Platform,
    /// How much of its past the phone shall upload.
    pub history: HistoryDepth,
}

impl Default for DeviceDescription {
    fn default() -> Self {
        Self { os: "Linux".into(), platform: Platform::Desktop, history: HistoryDepth::default() }
    }
}

/// The kinds of device that a phone shows with an icon of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Platform {
    /// A program on a desktop computer.
    Desktop,
    /// Chrome.
    Chrome,
    /// Edge.
    Edge,
    /// Firefox.
    Firefox,
    /// Internet Explorer.
    InternetExplorer,
    /// Opera.
    Opera,
    /// Safari.
    Safari,
}

impl Platform {
    pub(crate) fn wire(self) -> pb::device_props::PlatformType {
        use pb::device_props::PlatformType;
        match self {
            Self::Desktop => PlatformType::Desktop,
            Self::Chrome => PlatformType::Chrome,
            Self::Edge => PlatformType::Edge,
            Self::Firefox => PlatformType::Firefox,
            Self::InternetExplorer => PlatformType::Ie,
            Self::Opera => PlatformType::Opera,
            Self::Safari => PlatformType::Safari,
        }
    }

    /// Its name as people know it.
    fn name(self) -> &'static str {
        match self {
            Self::Desktop => "Desktop",
            Self::Chrome => "Chrome",
            Self::Edge => "Edge",
            Self::Firefox => "Firefox",
            Self::InternetExplorer => "Internet Explorer",
            Self::Opera => "Opera",
            Self::Safari => "Safari",
        }
    }

    /// The last field of a QR code: what kind of client shows it.
    pub(crate) fn qr_client_type(self) -> &'static str {
        match self {
            Self::Chrome => "1",
            Self::Edge => "2",
            Self::Firefox => "3",
            Self::InternetExplorer => "4",
            Self::Opera => "5",
            Self::Safari => "6",
            Self::Desktop => "7",
        }
    }
}

impl DeviceDescription {
    /// What the phone shows beside a code: the browser's number and `Browser (OS)`. The server takes
    /// common browsers and systems alone, and answers 400 to all else (whatsmeow says so of
    /// `PairPhone`), so that this is the nearest of them, whatever the device is called.
    pub(crate) fn shown_with_code(&self) -> (Platform, String) {
        let browser = match self.platform {
            Platform::Desktop | Platform::InternetExplorer => Platform::Chrome,
            browser => browser,
        };
        let system = match self.os.to_ascii_lowercase() {
            os if os.contains("windows") => "Windows",
            os if os.contains("mac") => "Mac OS",
            _ => "Linux",
        };
        (browser, format!("{} ({system})", browser.name()))
    }
}

/// The public half of what a device registers with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RegistrationKeys {
    pub(crate) registration_id: u32,
    pub(crate) identity: PublicKey,
    pub(crate) signed_prekey_id: u32,
    pub(crate) signed_prekey: PublicKey,
    pub(crate) signed_prekey_signature: Signature,
}

/// The payload of a device that is to be linked.
pub(crate) fn registration(
    version: &ClientVersion,
    description: &DeviceDescription,
    keys: &RegistrationKeys,
    attempt: u32,
) -> pb::ClientPayload {
    // The id has 24 bits on the wire.
    let [_, signed_prekey_id @ ..] = keys.signed_prekey_id.to_be_bytes();
    let registration = pb::client_payload::DevicePairingRegistrationData {
        e_regid: Some(Bytes::copy_from_slice(&keys.registration_id.to_be_bytes())),
        e_keytype: Some(Bytes::from_static(&[wa_crypto::KEY_TYPE_CURVE25519])),
        e_ident: Some(Bytes::copy_from_slice(keys.identity.as_bytes())),
        e_skey_id: Some(Bytes::copy_from_slice(&signed_prekey_id)),
        e_skey_val: Some(Bytes::copy_from_slice(keys.signed_prekey.as_bytes())),
        e_skey_sig: Some(Bytes::copy_from_slice(keys.signed_prekey_signature.as_bytes())),
        build_hash: Some(Bytes::copy_from_slice(&Md5::digest(version.to_string().as_bytes()))),
        device_props: Some(device_props(description).encode_to_vec().into()),
    };
    pb::ClientPayload {
        passive: Some(false),
        pull: Some(false),
        device_pairing_data: Some(registration),
        ..base(version, attempt)
    }
}

/// The payload of a device that is linked: `device` is its phone-number JID.
///
/// It logs in passive and is made active once its prekeys are in order.
pub(crate) fn login(
    version: &ClientVersion,
    device: &Jid,
    attempt: u32,
) -> Option<pb::ClientPayload> {
    Some(pb::ClientPayload {
        username: Some(device.user.parse().ok()?),
        device: Some(u32::from(device.device)),
        passive: Some(true),
        pull: Some(true),
        // Sessions and chats hang on LIDs here from the first day on.
        lid_db_migrated: Some(true),
        ..base(version, attempt)
    })
}

fn base(version: &ClientVersion, attempt: u32) -> pb::ClientPayload {
    use pb::client_payload::{
        ConnectReason, ConnectType, UserAgent, WebInfo,
        user_agent::{AppVersion, Platform, ReleaseChannel},
        web_info::WebSubPlatform,
    };
    let [primary, secondary, tertiary] = version.0;
    let user_agent = UserAgent {
        platform: Some(Platform::Web.into()),
        app_version: Some(AppVersion {
            primary: Some(primary),
            secondary: Some(secondary),
            tertiary: Some(tertiary),
            ..AppVersion::default()
        }),
        mcc: Some("000".into()),
        mnc: Some("000".into()),
        os_version: Some("0.1.0".into()),
        manufacturer: Some(String::new()),
        device: Some("Desktop".into()),
        os_build_number: Some("0.1.0".into()),
        release_channel: Some(ReleaseChannel::Release.into()),
        locale_language_iso6391: Some("en".into()),
        locale_country_iso31661_alpha2: Some("US".into()),
        ..UserAgent::default()
    };
    let web_info =
        WebInfo { web_sub_platform: Some(WebSubPlatform::WebBrowser.into()), ..WebInfo::default() };
    pb::ClientPayload {
        user_agent: Some(user_agent),
        web_info: Some(web_info),
        connect_type: Some(ConnectType::WifiUnknown.into()),
        connect_reason: Some(ConnectReason::UserActivated.into()),
        connect_attempt_count: Some(attempt.saturating_sub(1)),
        ..pb::ClientPayload::default()
    }
}

fn device_props(description: &DeviceDescription) -> pb::DeviceProps {
    let is_full = description.history == HistoryDepth::Full;
    pb::DeviceProps {
        os: Some(description.os.clone()),
        version: Some(pb::device_props::AppVersion {
            primary: Some(0),
            secondary: Some(1),
            tertiary: Some(0),
            ..pb::device_props::AppVersion::default()
        }),
        platform_type: Some(description.platform.wire().into()),
        require_full_sync: Some(is_full),
        history_sync_config: Some(pb::device_props::HistorySyncConfig {
            full_sync_days_limit: is_full.then_some(FULL_HISTORY_DAYS),
            full_sync_size_mb_limit: is_full.then_some(FULL_HISTORY_MB),
            storage_quota_mb: Some(if is_full { FULL_HISTORY_MB } else { HISTORY_QUOTA_MB }),
            inline_initial_payload_in_e2ee_msg: Some(true),
            support_call_log_history: Some(false),
            support_bot_user_agent_chat_history: Some(true),
            support_cag_reactions_and_polls: Some(true),
            support_biz_hosted_msg: Some(true),
            support_recent_sync_chunk_message_count_tuning: Some(true),
            support_hosted_group_msg: Some(true),
            support_fbid_bot_chat_history: Some(true),
            support_message_association: Some(true),
            support_group_history: Some(false),
            on_demand_ready: Some(true),
            ..pb::device_props::HistorySyncConfig::default()
        }),
    }
}

/// How much history the phone may send, in megabytes.
const HISTORY_QUOTA_MB: u32 = 10_240;
/// How much history the phone may send where all is wanted, in megabytes.
const FULL_HISTORY_MB: u32 = 102_400;
/// How far back all history goes, in days: longer than there is WhatsApp.
const FULL_HISTORY_DAYS: u32 = 36_500;

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> RegistrationKeys {
        RegistrationKeys {
            registration_id: 0x0102_0304,
            identity: PublicKey::from_bytes([1; 32]),
            signed_prekey_id: 0x0a0b0c,
            signed_prekey: PublicKey::from_bytes([2; 32]),
            signed_prekey_signature: Signature::from_bytes([3; 64]),
        }
    }

    #[test]
    fn a_code_shows_the_nearest_common_browser_and_system() {
        let shown = |platform, os: &str| {
            let description =
                DeviceDescription { os: os.into(), platform, ..DeviceDescription::default() };
            let (browser, shown) = description.shown_with_code();
            (browser.qr_client_type(), shown)
        };
        assert_eq!(shown(Platform::Desktop, "My kitchen"), ("1", "Chrome (Linux)".into()));
        assert_eq!(shown(Platform::Edge, "Windows 11"), ("2", "Edge (Windows)".into()));
        assert_eq!(shown(Platform::Safari, "macOS"), ("6", "Safari (Mac OS)".into()));
    }

    #[test]
    fn registering_tells_keys_and_build_and_no_account() {
        let version = ClientVersion([2, 3000, 1_015_901_307]);
        let payload = registration(&version, &DeviceDescription::default(), &keys(), 1);
        let data = payload.device_pairing_data.unwrap();
        assert_eq!(data.e_regid.unwrap().as_ref(), [1, 2, 3, 4]);
        assert_eq!(data.e_keytype.unwrap().as_ref(), [5]);
        assert_eq!(data.e_skey_id.unwrap().as_ref(), [0x0a, 0x0b, 0x0c]);
        let hash = Md5::digest(b"2.3000.1015901307");
        assert_eq!(data.build_hash.unwrap().as_ref(), hash.as_slice());
        let props = pb::DeviceProps::decode(data.device_props.unwrap()).unwrap();
        assert_eq!(props.os.as_deref(), Some("Linux"));
        assert_eq!((payload.username, payload.passive), (None, Some(false)));
    }

    #[test]
    fn all_history_is_asked_for_only_where_it_is_wanted() {
        for (depth, days) in [
            (HistoryDepth::None, None),
            (HistoryDepth::Recent, None),
            (HistoryDepth::Full, Some(FULL_HISTORY_DAYS)),
        ] {
            let description = DeviceDescription { history: depth, ..Default::default() };
            let props = device_props(&description);
            assert_eq!(props.require_full_sync, Some(depth == HistoryDepth::Full));
            assert_eq!(props.history_sync_config.unwrap().full_sync_days_limit, days);
        }
    }

    #[test]
    fn logging_in_is_passive_and_pulls() {
        let version = ClientVersion([2, 3000, 1]);
        let device = Jid::phone("15550001111").with_device(7);
        let payload = login(&version, &device, 3).unwrap();
        assert_eq!((payload.username, payload.device), (Some(15_550_001_111), Some(7)));
        assert_eq!((payload.passive, payload.pull), (Some(true), Some(true)));
        assert_eq!(payload.lid_db_migrated, Some(true));
        assert_eq!(payload.connect_attempt_count, Some(2));
        assert!(payload.device_pairing_data.is_none());
    }

    #[test]
    fn md5_is_md5() {
        assert_eq!(hex::encode(Md5::digest(b"abc")), "900150983cd24fb0d6963f7d28e17f72");
    }
}
