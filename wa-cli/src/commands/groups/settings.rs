//! What a group is called, shows and permits, and the link to it.

use serde_json::json;
use wa_bridge::api::{Adders as Who, GroupInvite, GroupInviteReset, GroupUpdate};

use crate::{
    args::{
        Adders, DescriptionArguments, InviteArguments, Lifetime, PhotoArguments, SettingsArguments,
        SubjectArguments, Switch,
    },
    failure::Failure,
    file,
    session::Session,
};

pub(super) async fn subject(
    arguments: &SubjectArguments,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let group = session.group(&arguments.group).await?;
    let subject = Some(arguments.subject.clone());
    session.call(GroupUpdate { group, subject, ..GroupUpdate::default() }).await?;
    session.output.result(&json!({ "subject": arguments.subject }), "changed")
}

pub(super) async fn description(
    arguments: &DescriptionArguments,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let group = session.group(&arguments.group).await?;
    // An empty one takes it away.
    let description = Some(arguments.text.clone().unwrap_or_default());
    session.call(GroupUpdate { group, description, ..GroupUpdate::default() }).await?;
    session.output.result(&json!({ "description": arguments.text }), "changed")
}

pub(super) async fn photo(
    arguments: &PhotoArguments,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let path = match &arguments.file {
        Some(path) => file::absolute(path)?,
        // None takes the picture away.
        None => String::new(),
    };
    let group = session.group(&arguments.group).await?;
    let change = GroupUpdate { group, photo_path: Some(path), ..GroupUpdate::default() };
    let done = session.call(change).await?;
    session.output.result(&json!({ "picture_id": done.picture_id }), "changed")
}

pub(super) async fn change(
    arguments: &SettingsArguments,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let change = GroupUpdate {
        group: session.group(&arguments.group).await?,
        announce: arguments.announce.map(Switch::is_on),
        locked: arguments.locked.map(Switch::is_on),
        approval: arguments.approval.map(Switch::is_on),
        disappearing: arguments.disappearing.map(Lifetime::seconds),
        add_members: arguments.add_members.map(|adders| match adders {
            Adders::Admins => Who::Admins,
            Adders::Everybody => Who::Everybody,
        }),
        ..GroupUpdate::default()
    };
    let changed = session.call(change).await?.changed;
    let text = format!("changed: {}", changed.join(", "));
    session.output.result(&json!({ "changed": changed }), &text)
}

pub(super) async fn invite(
    arguments: &InviteArguments,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let group = session.group(&arguments.group).await?;
    let view = match arguments.reset {
        true => session.call(GroupInviteReset { group }).await?,
        false => session.call(GroupInvite { group }).await?,
    };
    session.output.result(&view, &view.link)
}
