//! Groups: what they are called, show and permit, and who is in them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{GroupView, PersonView, operation};

/// The groups this account is in.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupList {}
operation!(GroupList => Vec<GroupView>, "groups/list", Read,
    "Lists the groups this account is in, by name.");

/// One group.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupGet {
    /// The group: its address or its name.
    pub group: String,
}
operation!(GroupGet => GroupView, "groups/get", Read,
    "Tells what a group is called and permits, and who is in it.");

/// A new group.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupCreate {
    /// What it is called; at most 100 characters.
    pub subject: String,
    /// Who is in it besides this account: addresses, phone numbers or names.
    #[serde(default)]
    pub people: Vec<String>,
    /// Only admins may write.
    #[serde(default)]
    pub announce: bool,
    /// Only admins may change name, picture and description.
    #[serde(default)]
    pub locked: bool,
    /// Admins have to let people in.
    #[serde(default)]
    pub approval: bool,
    /// After how many seconds messages disappear: 86,400, 604,800 or 7,776,000; never unless said.
    #[serde(default)]
    pub disappearing: Option<u32>,
}
operation!(GroupCreate => GroupView, "groups/create", Send, "Makes a group.");

/// Changes what a group is called, shows and permits. What is left out stays as it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupUpdate {
    /// The group: its address or its name.
    pub group: String,
    /// What it is called from now on.
    #[serde(default)]
    pub subject: Option<String>,
    /// What it is said to be about; empty to take the description away.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether only admins may write.
    #[serde(default)]
    pub announce: Option<bool>,
    /// Whether only admins may change name, picture and description.
    #[serde(default)]
    pub locked: Option<bool>,
    /// Whether admins have to let people in.
    #[serde(default)]
    pub approval: Option<bool>,
    /// Who may add people.
    #[serde(default)]
    pub add_members: Option<Adders>,
    /// After how many seconds messages disappear: 86,400, 604,800 or 7,776,000; 0 for never.
    #[serde(default)]
    pub disappearing: Option<u32>,
    /// A square JPEG of this machine as its picture; empty to take the picture away.
    #[serde(default)]
    pub photo_path: Option<String>,
}
operation!(GroupUpdate => GroupChangedView, "groups/update", Send,
    "Changes what a group is called, shows and permits.");

/// Who may add people to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Adders {
    /// Admins alone.
    Admins,
    /// Every member.
    Everybody,
}

/// What was changed about a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct GroupChangedView {
    /// The group's address.
    pub group: String,
    /// What was changed: the names of the request's fields.
    pub changed: Vec<String>,
    /// The new picture's id, if there is a new one.
    pub picture_id: Option<String>,
}

/// Changes who is in a group, or what they are there.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupMembers {
    /// The group: its address or its name.
    pub group: String,
    /// What becomes of them.
    pub action: MemberAction,
    /// Who: addresses, phone numbers or names.
    pub people: Vec<String>,
}
operation!(GroupMembers => Vec<MemberResultView>, "groups/members", Send,
    "Adds people to a group, removes them, makes them admins or no longer.");

/// What becomes of people in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MemberAction {
    /// They are taken in.
    Add,
    /// They are put out.
    Remove,
    /// They become admins.
    Promote,
    /// They become ordinary members.
    Demote,
}

/// What became of one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct MemberResultView {
    /// Who.
    #[serde(flatten)]
    pub person: PersonView,
    /// Whether it was done.
    pub done: bool,
    /// The server's number for what went wrong.
    pub error: Option<u16>,
    /// The same in words, with what to do about it.
    pub reason: Option<String>,
    /// The code by which somebody joins who lets nobody add them.
    pub invite_code: Option<String>,
}

/// Those who wait to be let into a group.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupRequests {
    /// The group: its address or its name.
    pub group: String,
}
operation!(GroupRequests => Vec<JoinRequestView>, "groups/requests", Read,
    "Lists those who wait to be let into a group.");

/// Somebody who waits to be let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct JoinRequestView {
    /// Who.
    #[serde(flatten)]
    pub person: PersonView,
    /// Since when (RFC 3339).
    pub requested_at: Option<String>,
    /// How they asked.
    pub method: Option<String>,
}

/// Lets people into a group who wait for it, or turns them down.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupAnswer {
    /// The group: its address or its name.
    pub group: String,
    /// Who is let in.
    #[serde(default)]
    pub approve: Vec<String>,
    /// Who is turned down.
    #[serde(default)]
    pub reject: Vec<String>,
}
operation!(GroupAnswer => Vec<MemberResultView>, "groups/answer", Send,
    "Lets people into a group who wait for it, or turns them down.");

/// The link by which people join a group.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupInvite {
    /// The group: its address or its name.
    pub group: String,
}
operation!(GroupInvite => InviteView, "groups/invite", Read,
    "Gives the link by which people join a group.");

/// Makes another link for a group.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupInviteReset {
    /// The group: its address or its name.
    pub group: String,
}
operation!(GroupInviteReset => InviteView, "groups/reset-invite", Send,
    "Makes another link for a group; the old one is void from then on.");

/// A link by which people join a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct InviteView {
    /// The link.
    pub link: String,
}

/// The group a link leads to.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupLookUp {
    /// The link (chat.whatsapp.com/…), or its code.
    pub link: String,
}
operation!(GroupLookUp => GroupView, "groups/look-up", Read,
    "Tells which group a link leads to, without joining it.");

/// Joins a group by its link.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupJoin {
    /// The link (chat.whatsapp.com/…), or its code.
    pub link: String,
}
operation!(GroupJoin => JoinedView, "groups/join", Send, "Joins a group by its link.");

/// How joining went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct JoinedView {
    /// The group's address.
    pub group: String,
    /// `joined`, or `requested` where an admin has to agree.
    pub state: String,
}

/// Leaves a group. Its messages stay in the archive.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupLeave {
    /// The group: its address or its name.
    pub group: String,
}
operation!(GroupLeave => LeftView, "groups/leave", Send,
    "Leaves a group; its messages stay in the archive.");

/// That a group was left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct LeftView {
    /// The group's address.
    pub group: String,
    /// That it was left.
    pub left: bool,
}
