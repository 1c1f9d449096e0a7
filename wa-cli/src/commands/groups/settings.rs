//! What a group is called, shows and permits, and the link to it.

use serde_json::json;
use wa_proto::stanza::MemberAddMode;

use super::about;
use crate::{
    args::{
        Adders, DescriptionArguments, GlobalArguments, InviteArguments, PhotoArguments,
        SettingsArguments, SubjectArguments, Switch,
    },
    failure::Failure,
    file,
    output::Output,
};

pub(super) async fn subject(
    arguments: &SubjectArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    about(&arguments.group, global, async |session, group| {
        let groups = session.client.groups();
        session.ask(groups.set_subject(group, &arguments.subject)).await?;
        // The notice may come after this command's end, and the next one names it so.
        session.ask(groups.refresh(group)).await
    })
    .await?;
    Ok(output.result(&json!({ "subject": arguments.subject }), "changed")?)
}

pub(super) async fn description(
    arguments: &DescriptionArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    about(&arguments.group, global, async |session, group| {
        let groups = session.client.groups();
        session.ask(groups.set_description(group, arguments.text.as_deref())).await
    })
    .await?;
    Ok(output.result(&json!({ "description": arguments.text }), "changed")?)
}

pub(super) async fn photo(
    arguments: &PhotoArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let jpeg = match &arguments.file {
        Some(path) => Some(file::read(path, MAX_PHOTO_LEN)?),
        None => None,
    };
    let id = about(&arguments.group, global, async |session, group| {
        let groups = session.client.groups();
        match jpeg {
            Some(jpeg) => session.ask(groups.set_photo(group, jpeg)).await,
            None => session.ask(groups.remove_photo(group)).await.map(|()| None),
        }
    });
    Ok(output.result(&json!({ "picture_id": id.await? }), "changed")?)
}

pub(super) async fn change(
    arguments: &SettingsArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let changed = about(&arguments.group, global, async |session, group| {
        let groups = session.client.groups();
        let mut changed = Vec::new();
        if let Some(only) = arguments.announce.map(Switch::is_on) {
            session.ask(groups.set_announcements_only(group, only)).await?;
            changed.push("announce");
        }
        if let Some(locked) = arguments.locked.map(Switch::is_on) {
            session.ask(groups.set_locked(group, locked)).await?;
            changed.push("locked");
        }
        if let Some(needed) = arguments.approval.map(Switch::is_on) {
            session.ask(groups.set_approval(group, needed)).await?;
            changed.push("approval");
        }
        if let Some(lifetime) = arguments.disappearing {
            session.ask(groups.set_ephemeral(group, lifetime.seconds())).await?;
            changed.push("disappearing");
        }
        if let Some(adders) = arguments.add_members {
            let mode = match adders {
                Adders::Admins => MemberAddMode::Admins,
                Adders::Everybody => MemberAddMode::Everybody,
            };
            session.ask(groups.set_member_add_mode(group, mode)).await?;
            changed.push("add_members");
        }
        Ok(changed)
    });
    let changed = changed.await?;
    let text = format!("changed: {}", changed.join(", "));
    Ok(output.result(&json!({ "changed": changed }), &text)?)
}

pub(super) async fn invite(
    arguments: &InviteArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let link = about(&arguments.group, global, async |session, group| {
        let groups = session.client.groups();
        match arguments.reset {
            true => session.ask(groups.reset_invite_link(group)).await,
            false => session.ask(groups.invite_link(group)).await,
        }
    });
    let link = link.await?.to_string();
    Ok(output.result(&json!({ "link": link }), &link)?)
}

/// The largest picture of a group that is sent, in bytes.
const MAX_PHOTO_LEN: usize = 5 << 20;
