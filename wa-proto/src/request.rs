//! Typed requests: what is asked, and what the answer means.
//!
//! A [`Request`] knows its stanza and reads its answer, so that whoever asks handles values only.
//! Ids, waiting and time-outs belong to the connection. Every shape is written down once, here.

mod account;
mod app_state;
mod encrypt;
mod group;
mod media;
mod mex;
mod newsletter;
mod pairing;
mod profile;
mod session;
mod usync;

pub use account::{
    Blocklist, BlocklistAnswer, IssuePrivacyTokens, PrivacySettings, RemoveCompanionDevice,
    SetPrivacy, UpdateBlocklist,
};
pub use app_state::{AppStateAnswer, AppStateNews, FetchAppState, MAX_PATCHES, PushAppState};
pub use encrypt::{
    DeviceKeys, FetchedKeys, MAX_FETCHED_DEVICES, PreKeyCount, PreKeyDigest, PreKeyDigestAnswer,
    PreKeyFetch, PreKeyUpload, RotateSignedPreKey,
};
pub use group::{
    AddRequest, ChangeParticipants, CreateGroup, DescribeGroup, GroupByInvite, GroupByLink,
    GroupPicture, GroupQuery, GroupSetting, InviteCode, JoinByInvite, JoinByLink, JoinRequest,
    JoinRequests, JoinedByLink, LeaveGroup, LinkSubGroup, LinkedParticipants, NewCommunity,
    ParticipantAction, ParticipantResult, ParticipatingGroups, ParticipatingGroupsAnswer, SetGroup,
    SubGroup, SubGroups, UnlinkSubGroup, UpdateJoinRequests,
};
pub use media::{MediaConn, MediaConnAnswer, MediaHost};
pub use mex::Mex;
pub use newsletter::{
    MAX_POSTS, NewsletterLive, NewsletterMessages, NewsletterPost, NewsletterUpdates,
    newsletter_reaction, newsletter_views,
};
pub use pairing::{
    CompanionNonce, EncryptedPairing, LinkCodeFinish, LinkCodeHello, PairingRef, PasskeyOptions,
    PasskeyPrologue,
};
pub use profile::{
    BusinessHours, BusinessProfile, BusinessProfileAnswer, MAX_BUSINESS_FIELDS, Picture,
    PictureAnswer, PictureLocation, SetAbout, SetDisappearingMode, SetOwnPicture, StatusList,
    StatusPrivacy,
};
pub use session::{AbProps, AbPropsAnswer, CleanDirty, Ping, SetActive, SetPassive};
pub use usync::{
    Usync, UsyncAnswer, UsyncContext, UsyncDevice, UsyncDevices, UsyncField, UsyncMode,
    UsyncProtocol, UsyncQuery, UsyncResult, UsyncStatus,
};

use crate::{
    Jid, Node, OwnedNode, Server,
    stanza::{IqError, ParseError},
};

/// A question to the server, and how to read its answer.
pub trait Request {
    /// What the answer says.
    type Response;

    /// The whole `iq` stanza under this id.
    fn to_node(&self, id: &str) -> OwnedNode;

    /// Reads the whole answering stanza, of type `result`.
    ///
    /// # Errors
    /// If the answer lacks what it must have.
    fn parse(&self, result: &OwnedNode) -> Result<Self::Response, ParseError>;
}

/// A request was refused, or its answer cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The server refuses it.
    #[error(transparent)]
    Refused(#[from] IqError),
    /// The answer cannot be read.
    #[error("the answer cannot be read: {0}")]
    Answer(#[from] ParseError),
}

/// An `iq` to the server.
fn iq(id: &str, kind: &'static str, xmlns: &'static str) -> OwnedNode {
    Node::new("iq")
        .attr("id", id.to_owned())
        .attr("to", Jid::server())
        .attr("type", kind)
        .attr("xmlns", xmlns)
}

/// An `iq` about groups, to one of them or to all: the bare server `g.us`.
fn group_iq(id: &str, kind: &'static str, to: Jid) -> OwnedNode {
    Node::new("iq")
        .attr("id", id.to_owned())
        .attr("to", to)
        .attr("type", kind)
        .attr("xmlns", "w:g2")
}

/// The server of groups itself.
fn groups_server() -> Jid {
    Jid::new("", Server::Group)
}

fn get(id: &str, xmlns: &'static str) -> OwnedNode {
    iq(id, "get", xmlns)
}

fn set(id: &str, xmlns: &'static str) -> OwnedNode {
    iq(id, "set", xmlns)
}
