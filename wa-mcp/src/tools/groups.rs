//! Groups and who is in them.

use rmcp::schemars::{self, JsonSchema};
use serde::{Deserialize, Serialize};
use wa_bridge::{
    Failure,
    api::{self, DraftView, GroupView, MemberAction, MemberResultView},
};

use super::{Kind, Readable, Tool, Toolset};
use crate::{call::ToolCall, untrusted::line};

/// One group.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetGroup {
    /// The group: a jid or its name.
    group: String,
}

/// A group.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Group {
    #[serde(flatten)]
    group: GroupView,
}

impl Readable for Group {
    fn text(&self) -> String {
        let group = &self.group;
        let mut text = format!("{}  {}  ({} people)", line(&group.subject), group.jid, group.size);
        if let Some(description) = &group.description {
            text.push_str(&format!("\n    {}", crate::untrusted::quoted(description)));
        }
        for participant in &group.participants {
            let person = &participant.person;
            let name = person.name.as_deref().map(line).unwrap_or_else(|| "(no name)".into());
            let address = person.phone.as_deref().unwrap_or(&person.jid);
            text.push_str(&format!("\n  {name}  {address}  {}", participant.role));
        }
        text
    }
}

impl Tool for GetGroup {
    type Output = Group;
    const NAME: &'static str = "get_group";
    const TITLE: &'static str = "Get a group";
    const ABOUT: &'static str =
        "Tell a group's name, description, settings and members with their roles.";
    const SET: Toolset = Toolset::Groups;
    const KIND: Kind = Kind::Reads { outside: true };

    async fn run(self, call: &ToolCall<'_>) -> Result<Group, Failure> {
        Ok(Group { group: call.ask(api::GroupGet { group: self.group }).await? })
    }
}

/// Makes a group.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateGroup {
    /// The group's name.
    #[schemars(length(min = 1, max = 100))]
    subject: String,
    /// Who is to be in it besides this account: phone numbers, jids or names.
    #[schemars(length(min = 1, max = 1023))]
    people: Vec<String>,
}

/// What became of a change of a group. A person may have to agree first; then it says so.
#[derive(Serialize, JsonSchema)]
pub(crate) struct GroupDone {
    /// Whether it was done.
    success: bool,
    /// What happened, in words.
    message: String,
    /// The group, if it is a new one.
    #[serde(default)]
    group: Option<GroupView>,
    /// What of the group was changed.
    #[serde(default)]
    changed: Vec<String>,
    /// Each person's own result.
    #[serde(default)]
    results: Vec<MemberResultView>,
    /// What waits for the person to agree, if they have to first.
    #[serde(default)]
    draft: Option<DraftView>,
}

impl GroupDone {
    fn new(message: String) -> Self {
        let (changed, results) = (Vec::new(), Vec::new());
        Self { success: true, message, group: None, changed, results, draft: None }
    }

    /// A group was made.
    pub(crate) fn made(group: GroupView) -> Self {
        let message = format!("made {}, {} people", line(&group.subject), group.size);
        Self { group: Some(group), ..Self::new(message) }
    }

    /// So much of a group was changed.
    pub(crate) fn changed(changed: Vec<String>) -> Self {
        let message = format!("changed: {}", changed.join(", "));
        Self { changed, ..Self::new(message) }
    }

    /// Who is in a group was changed, for each with a result of their own.
    pub(crate) fn of_members(results: Vec<MemberResultView>) -> Self {
        let done = results.iter().filter(|result| result.done).count();
        let message = format!("done for {done} of {} people", results.len());
        Self { success: done > 0, results, ..Self::new(message) }
    }
}

impl Readable for GroupDone {
    fn text(&self) -> String {
        let mut text = self.message.clone();
        for result in &self.results {
            let person = &result.person;
            let name = person.name.as_deref().or(person.phone.as_deref()).unwrap_or(&person.jid);
            let outcome = match (&result.reason, result.done) {
                (_, true) => "done".to_owned(),
                (Some(reason), false) => format!("not done: {reason}"),
                (None, false) => "not done".to_owned(),
            };
            text.push_str(&format!("\n{}: {outcome}", line(name)));
        }
        text
    }
}

impl Tool for CreateGroup {
    type Output = GroupDone;
    const NAME: &'static str = "create_group";
    const TITLE: &'static str = "Create a group";
    const ABOUT: &'static str = "Make a new group with people in it. They see it at once.";
    const SET: Toolset = Toolset::Groups;
    const KIND: Kind = Kind::Sends;

    async fn run(self, call: &ToolCall<'_>) -> Result<GroupDone, Failure> {
        let create = api::GroupCreate {
            subject: self.subject,
            people: self.people,
            announce: false,
            locked: false,
            approval: false,
            disappearing: None,
        };
        Ok(GroupDone::made(call.ask(create).await?))
    }
}

/// Changes a group.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateGroup {
    /// The group: a jid or its name.
    group: String,
    /// Its new name.
    #[serde(default)]
    subject: Option<String>,
    /// Its new description; empty to remove it.
    #[serde(default)]
    description: Option<String>,
    /// Only admins may write.
    #[serde(default)]
    announce: Option<bool>,
    /// Only admins may change name, picture and description.
    #[serde(default)]
    locked: Option<bool>,
    /// Admins have to let people in.
    #[serde(default)]
    approval: Option<bool>,
}

impl Tool for UpdateGroup {
    type Output = GroupDone;
    const NAME: &'static str = "update_group";
    const TITLE: &'static str = "Change a group";
    const ABOUT: &'static str = "Change a group's name, description or settings. All members see it; most changes need an admin.";
    const SET: Toolset = Toolset::Groups;
    const KIND: Kind = Kind::Destroys;
    const IDEMPOTENT: bool = true;

    async fn run(self, call: &ToolCall<'_>) -> Result<GroupDone, Failure> {
        let update = api::GroupUpdate {
            group: self.group,
            subject: self.subject,
            description: self.description,
            announce: self.announce,
            locked: self.locked,
            approval: self.approval,
            add_members: None,
            disappearing: None,
            photo_path: None,
        };
        Ok(GroupDone::changed(call.ask(update).await?.changed))
    }
}

/// Changes who is in a group.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ManageGroupMembers {
    /// The group: a jid or its name.
    group: String,
    /// What becomes of them.
    action: MemberAction,
    /// The people: phone numbers, jids or names.
    #[schemars(length(min = 1, max = 256))]
    people: Vec<String>,
}

impl Tool for ManageGroupMembers {
    type Output = GroupDone;
    const NAME: &'static str = "manage_group_members";
    const TITLE: &'static str = "Change who is in a group";
    const ABOUT: &'static str = "Add people to a group, remove them, or make them admins or no longer. Each person has a result of their own; it needs an admin.";
    const SET: Toolset = Toolset::Groups;
    const KIND: Kind = Kind::Destroys;
    const IDEMPOTENT: bool = true;

    async fn run(self, call: &ToolCall<'_>) -> Result<GroupDone, Failure> {
        let members =
            api::GroupMembers { group: self.group, action: self.action, people: self.people };
        Ok(GroupDone::of_members(call.ask(members).await?))
    }
}
