//! Messages from client to client that no person reads: keys, history, settings, tasks.
//!
//! Owns their sorting by type. Their bodies stay as the protobufs they are, because whoever acts
//! on one needs every field of it.

use std::fmt;

use super::Kind;
use crate::pb::message as pb;
use pb::protocol_message::Type;

/// What one client tells another. Most are only to be believed from an own device.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Protocol {
    /// The timer of the chat's disappearing messages changed.
    EphemeralSetting {
        /// The new timer in seconds; 0 for none.
        expiration: u32,
        /// When it was set, in seconds since 1970.
        set_at: Option<i64>,
    },
    /// A chunk of history is inline or on the media host.
    HistorySyncNotification(Box<pb::HistorySyncNotification>),
    /// Keys of the app state.
    AppStateKeyShare(pb::AppStateSyncKeyShare),
    /// A wish for keys of the app state.
    AppStateKeyRequest(pb::AppStateSyncKeyRequest),
    /// App state collections that cannot be repaired.
    AppStateFatal(pb::AppStateFatalExceptionNotification),
    /// Whether the account shows security notifications.
    InitialSecurityNotification {
        /// Whether it does.
        enabled: bool,
    },
    /// A task for the phone.
    PeerDataOperationRequest(Box<pb::PeerDataOperationRequestMessage>),
    /// The phone's answer to a task.
    PeerDataOperationResponse(Box<pb::PeerDataOperationRequestResponseMessage>),
    /// The phone's table of phone numbers and LIDs: a zlib-compressed
    /// `LIDMigrationMappingSyncPayload`.
    LidMapping(bytes::Bytes),
    /// The sender shares their phone number.
    SharePhoneNumber,
    /// Who may save or forward from the chat changed.
    LimitSharing(crate::pb::LimitSharing),
    /// A member has a new label in a group.
    MemberLabel(crate::pb::MemberLabel),
    /// Any other kind, whole.
    Other(Box<pb::ProtocolMessage>),
}

impl Protocol {
    /// Sorts a protocol message by its type. One whose body is missing reads as an empty body.
    /// Revokes, edits and status mentions are contents of their own and do not get here.
    pub(super) fn read(m: pb::ProtocolMessage) -> Self {
        let known = m.r#type.unwrap_or_default();
        match Type::try_from(known) {
            Ok(Type::EphemeralSetting) => Self::EphemeralSetting {
                expiration: m.ephemeral_expiration.unwrap_or_default(),
                set_at: m.ephemeral_setting_timestamp,
            },
            Ok(Type::HistorySyncNotification) => Self::HistorySyncNotification(Box::new(
                m.history_sync_notification.unwrap_or_default(),
            )),
            Ok(Type::AppStateSyncKeyShare) => {
                Self::AppStateKeyShare(m.app_state_sync_key_share.unwrap_or_default())
            }
            Ok(Type::AppStateSyncKeyRequest) => {
                Self::AppStateKeyRequest(m.app_state_sync_key_request.unwrap_or_default())
            }
            Ok(Type::AppStateFatalExceptionNotification) => {
                Self::AppStateFatal(m.app_state_fatal_exception_notification.unwrap_or_default())
            }
            Ok(Type::InitialSecurityNotificationSettingSync) => Self::InitialSecurityNotification {
                enabled: m
                    .initial_security_notification_setting_sync
                    .and_then(|setting| setting.security_notification_enabled)
                    .unwrap_or(false),
            },
            Ok(Type::PeerDataOperationRequestMessage) => Self::PeerDataOperationRequest(Box::new(
                m.peer_data_operation_request_message.unwrap_or_default(),
            )),
            Ok(Type::PeerDataOperationRequestResponseMessage) => Self::PeerDataOperationResponse(
                Box::new(m.peer_data_operation_request_response_message.unwrap_or_default()),
            ),
            Ok(Type::LidMigrationMappingSync) => Self::LidMapping(
                m.lid_migration_mapping_sync_message
                    .and_then(|sync| sync.encoded_mapping_payload)
                    .unwrap_or_default(),
            ),
            Ok(Type::SharePhoneNumber) => Self::SharePhoneNumber,
            Ok(Type::LimitSharing) => Self::LimitSharing(m.limit_sharing.unwrap_or_default()),
            Ok(Type::GroupMemberLabelChange) => {
                Self::MemberLabel(m.member_label.unwrap_or_default())
            }
            _ => Self::Other(Box::new(m)),
        }
    }

    /// Its protobuf form.
    pub(super) fn to_pb(&self) -> pb::ProtocolMessage {
        let mut m = pb::ProtocolMessage::default();
        let kind = match self {
            Self::EphemeralSetting { expiration, set_at } => {
                m.ephemeral_expiration = Some(*expiration);
                m.ephemeral_setting_timestamp = *set_at;
                Type::EphemeralSetting
            }
            Self::HistorySyncNotification(body) => {
                m.history_sync_notification = Some((**body).clone());
                Type::HistorySyncNotification
            }
            Self::AppStateKeyShare(body) => {
                m.app_state_sync_key_share = Some(body.clone());
                Type::AppStateSyncKeyShare
            }
            Self::AppStateKeyRequest(body) => {
                m.app_state_sync_key_request = Some(body.clone());
                Type::AppStateSyncKeyRequest
            }
            Self::AppStateFatal(body) => {
                m.app_state_fatal_exception_notification = Some(body.clone());
                Type::AppStateFatalExceptionNotification
            }
            Self::InitialSecurityNotification { enabled } => {
                m.initial_security_notification_setting_sync =
                    Some(pb::InitialSecurityNotificationSettingSync {
                        security_notification_enabled: Some(*enabled),
                    });
                Type::InitialSecurityNotificationSettingSync
            }
            Self::PeerDataOperationRequest(body) => {
                m.peer_data_operation_request_message = Some((**body).clone());
                Type::PeerDataOperationRequestMessage
            }
            Self::PeerDataOperationResponse(body) => {
                m.peer_data_operation_request_response_message = Some((**body).clone());
                Type::PeerDataOperationRequestResponseMessage
            }
            Self::LidMapping(payload) => {
                m.lid_migration_mapping_sync_message =
                    Some(crate::pb::LidMigrationMappingSyncMessage {
                        encoded_mapping_payload: Some(payload.clone()),
                    });
                Type::LidMigrationMappingSync
            }
            Self::SharePhoneNumber => Type::SharePhoneNumber,
            Self::LimitSharing(body) => {
                m.limit_sharing = Some(*body);
                Type::LimitSharing
            }
            Self::MemberLabel(body) => {
                m.member_label = Some(body.clone());
                Type::GroupMemberLabelChange
            }
            Self::Other(whole) => return (**whole).clone(),
        };
        m.set_type(kind);
        m
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::EphemeralSetting { .. } => Kind::DisappearingSetting,
            Self::HistorySyncNotification(_) => Kind::HistorySyncNotification,
            Self::AppStateKeyShare(_) => Kind::AppStateKeyShare,
            Self::AppStateKeyRequest(_) => Kind::AppStateKeyRequest,
            Self::AppStateFatal(_) => Kind::AppStateFatal,
            Self::InitialSecurityNotification { .. } => Kind::InitialSecurityNotification,
            Self::PeerDataOperationRequest(_) => Kind::PeerDataOperationRequest,
            Self::PeerDataOperationResponse(_) => Kind::PeerDataOperationResponse,
            Self::LidMapping(_) => Kind::LidMapping,
            Self::SharePhoneNumber => Kind::SharePhoneNumber,
            Self::LimitSharing(_) => Kind::LimitSharing,
            Self::MemberLabel(_) => Kind::MemberLabel,
            Self::Other(_) => Kind::Protocol,
        }
    }
}

impl fmt::Debug for Protocol {
    /// The kind alone: bodies hold keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Protocol({})", self.kind())
    }
}
